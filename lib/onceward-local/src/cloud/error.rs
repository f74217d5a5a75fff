//! Why a cloud does not start.

use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;

use crate::endpoint::ServicesError;
use crate::remote::RemoteError;
use crate::store::StoreError;

/// Why a cloud does not start.
#[derive(Debug, thiserror::Error)]
pub enum CloudError {
    /// Somebody else listens there.
    #[error("port {port}, for {purpose}, is in use: stop what listens there or choose another port with {flag}")]
    PortInUse {
        /// The port.
        port: u16,
        /// What it would be for.
        purpose: &'static str,
        /// The flag that chooses another.
        flag: &'static str,
    },
    /// The port cannot be had for another reason.
    #[error("cannot listen on port {port}, for {purpose}: {source}; choose another port with {flag}")]
    Listen {
        /// The port.
        port: u16,
        /// What it would be for.
        purpose: &'static str,
        /// The flag that chooses another.
        flag: &'static str,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// The services do not start with what is stored.
    #[error(transparent)]
    Services(#[from] ServicesError),
    /// The data folder cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A service refuses something the template declares.
    #[error("{resource}: {source}")]
    Resource {
        /// The resource: `queue orders (OrdersQueue)`.
        resource: String,
        /// What the service said.
        source: Arc<dyn Error + Send + Sync>,
    },
    /// The other cloud does not answer, or refuses.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// A table of the data folder cannot become what the template declares.
    #[error(
        "table {table} of the data folder has {property} {stored}, the template declares {declared}: CloudFormation \
         would make the table anew and lose its items; delete it with `aws dynamodb delete-table`, or name another folder"
    )]
    TableDiffers {
        /// The table.
        table: String,
        /// `KeySchema`, …
        property: &'static str,
        /// As it is.
        stored: Value,
        /// As it should be.
        declared: Value,
    },
    /// A function's executable is not there.
    #[error("function {function} has no executable at {}: build it, or correct its {property} in the template", path.display())]
    NoExecutable {
        /// The function.
        function: String,
        /// Where it was expected.
        path: PathBuf,
        /// The property that says so.
        property: &'static str,
    },
    /// A function's `.zip` cannot be unpacked.
    #[error("function {function}: its package {} cannot be unpacked: {reason}", path.display())]
    Package {
        /// The function.
        function: String,
        /// The archive.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}
