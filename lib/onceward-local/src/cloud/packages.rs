//! Functions that come as `.zip` files, unpacked for as long as the cloud is there.
//! <https://docs.aws.amazon.com/lambda/latest/dg/configuration-function-zip.html>

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use super::error::CloudError;

/// Largest package when unpacked.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
pub const PACKAGE_BYTES_MAX: u64 = 262_144_000;
/// Permissions of a file whose archive keeps none.
const MODE_DEFAULT: u32 = 0o644;

/// The unpacked packages of one cloud; dropping it removes them.
#[derive(Debug, Default)]
pub(crate) struct Packages {
    folder: Option<PathBuf>,
    /// Where each archive is.
    unpacked: BTreeMap<PathBuf, PathBuf>,
}

impl Packages {
    /// The folder with the package at `code_uri`: itself, unless it is a `.zip` file.
    pub(crate) fn folder(&mut self, function: &str, code_uri: &Path) -> Result<PathBuf, CloudError> {
        let is_archive = code_uri.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip"));
        if !is_archive || code_uri.is_dir() {
            return Ok(code_uri.to_owned());
        }
        if let Some(known) = self.unpacked.get(code_uri) {
            return Ok(known.clone());
        }
        let root =
            self.folder.get_or_insert_with(|| std::env::temp_dir().join(format!("onceward-{}", uuid::Uuid::new_v4())));
        let folder = root.join(self.unpacked.len().to_string());
        unpack(code_uri, &folder).map_err(|reason| fault(function, code_uri, reason))?;
        self.unpacked.insert(code_uri.to_owned(), folder.clone());
        Ok(folder)
    }

    /// Unpacks the archive at `code_uri` again, in place of what it held before. Processes that work in there keep what
    /// they have. Nothing to do for a folder.
    pub(super) fn renew(&self, function: &str, code_uri: &Path) -> Result<(), CloudError> {
        let (Some(root), Some(folder)) = (&self.folder, self.unpacked.get(code_uri)) else { return Ok(()) };
        let aside = |what: &str| root.join(format!("{what}-{}", uuid::Uuid::new_v4()));
        let (new, old) = (aside("new"), aside("old"));
        let renewed = unpack(code_uri, &new).and_then(|()| {
            let renamed = fs::rename(folder, old).and_then(|()| fs::rename(new, folder));
            renamed.map_err(|error| error.to_string())
        });
        renewed.map_err(|reason| fault(function, code_uri, reason))
    }
}

fn fault(function: &str, code_uri: &Path, reason: String) -> CloudError {
    CloudError::Package { function: function.to_owned(), path: code_uri.to_owned(), reason }
}

impl Drop for Packages {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            // What stays is the temporary folder's to clean.
            let _ = fs::remove_dir_all(folder);
        }
    }
}

fn unpack(archive: &Path, folder: &Path) -> Result<(), String> {
    let text = |error: io::Error| error.to_string();
    let mut archive = ZipArchive::new(File::open(archive).map_err(text)?).map_err(|error| error.to_string())?;
    let mut bytes = 0;
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).map_err(|error| error.to_string())?;
        let name = file
            .enclosed_name()
            .ok_or_else(|| format!("`{}` leads out of the package", file.name().unwrap_or_default()))?;
        bytes += file.size();
        if bytes > PACKAGE_BYTES_MAX {
            return Err(format!("it is larger than {PACKAGE_BYTES_MAX} bytes when unpacked"));
        }
        let path = folder.join(name);
        if file.is_dir() {
            fs::create_dir_all(&path).map_err(text)?;
            continue;
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(text)?;
        }
        let mode = file.unix_mode().unwrap_or(MODE_DEFAULT) & 0o777;
        let mut copy = File::create(&path).map_err(text)?;
        // A size that an archive only claims must not fill the disk.
        let mut limited = io::Read::take(&mut file, PACKAGE_BYTES_MAX);
        io::copy(&mut limited, &mut copy).map_err(text)?;
        fs::set_permissions(&path, Permissions::from_mode(mode)).map_err(text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

    use super::*;

    fn archive(name: &str, entry: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("onceward-{name}-{}.zip", uuid::Uuid::new_v4()));
        let mut writer = ZipWriter::new(File::create(&path).unwrap());
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        writer.start_file(entry, options.unix_permissions(0o755)).unwrap();
        writer.write_all(b"#!/bin/sh\n").unwrap();
        writer.finish().unwrap();
        path
    }

    #[test]
    fn a_zip_is_unpacked_once_with_its_permissions_and_goes_with_the_cloud() {
        let path = archive("package", "bootstrap");
        let mut packages = Packages::default();
        let folder = packages.folder("f", &path).unwrap();
        assert_eq!(packages.folder("g", &path).unwrap(), folder);
        let bootstrap = fs::metadata(folder.join("bootstrap")).unwrap();
        assert_eq!(bootstrap.permissions().mode() & 0o777, 0o755);
        drop(packages);
        fs::remove_file(path).unwrap();
        assert!(!folder.exists());
    }

    #[test]
    fn a_zip_that_leads_out_of_its_folder_or_is_none_is_refused() {
        let path = archive("outside", "../outside");
        let refused = Packages::default().folder("f", &path).unwrap_err().to_string();
        assert!(refused.contains("leads out of the package"), "{refused}");
        fs::write(&path, "no archive").unwrap();
        let refused = Packages::default().folder("f", &path).unwrap_err().to_string();
        assert!(refused.starts_with("function f: its package "), "{refused}");
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_folder_is_itself() {
        assert_eq!(Packages::default().folder("f", Path::new("/a/b")).unwrap(), Path::new("/a/b"));
    }
}
