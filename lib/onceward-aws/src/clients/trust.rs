//! Which certificate authorities vouch for AWS.

use std::{ffi::OsString, fs, path::Path};

use aws_smithy_http_client::tls::TrustStore;
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};

use crate::RunError;

/// The variable that the AWS SDKs share for other roots: the path of a PEM file.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-gen-config.html>
pub(super) const AWS_CA_BUNDLE: &str = "AWS_CA_BUNDLE";

/// The roots of Amazon Trust Services, which sign the certificates of AWS's endpoints:
/// <https://www.amazontrust.com/repository/>. In the binary, so that a cold start reads no store of the machine.
pub(super) const AMAZON_ROOTS: &str = include_str!("amazon-trust-services.pem");

/// The roots of the bundle, in place of Amazon's; without a bundle, or with an empty path, Amazon's.
pub(super) fn store(bundle: Option<OsString>) -> Result<TrustStore, RunError> {
    let roots = match bundle.filter(|path| !path.is_empty()) {
        None => AMAZON_ROOTS.as_bytes().to_vec(),
        Some(path) => read(Path::new(&path))?,
    };
    Ok(TrustStore::empty().with_pem_certificate(roots))
}

/// A bundle, as it stands in its file. Checked here: the HTTP client would panic on one that is broken.
fn read(path: &Path) -> Result<Vec<u8>, RunError> {
    let unusable = |reason: String| RunError::CertificatesUnusable { path: path.display().to_string(), reason };
    let pem = fs::read(path).map_err(|error| unusable(error.to_string()))?;
    let certificates = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    let certificates = certificates.map_err(|error| unusable(error.to_string()))?;
    if certificates.is_empty() {
        return Err(unusable("it has no certificate".to_owned()));
    }
    let mut roots = RootCertStore::empty();
    for (index, certificate) in certificates.into_iter().enumerate() {
        roots.add(certificate).map_err(|error| unusable(format!("certificate {}: {error}", index + 1)))?;
    }
    Ok(pem)
}
