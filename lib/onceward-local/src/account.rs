//! Whose cloud this is: the account, region and endpoint that every ARN and URL is made of.

/// The account id LocalStack-compatible clouds use.
pub const ACCOUNT_ID: &str = "000000000000";

/// Account, region and endpoint of one local cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Twelve digits.
    pub id: String,
    /// An AWS region's name, such as `us-east-1`.
    pub region: String,
    /// Base URL of the AWS endpoint, without a trailing slash: `http://127.0.0.1:4566`.
    pub endpoint: String,
}

impl Account {
    /// The default account in `region`, answering at `endpoint`.
    pub fn new(region: impl Into<String>, endpoint: impl Into<String>) -> Self {
        Self { id: ACCOUNT_ID.to_owned(), region: region.into(), endpoint: endpoint.into() }
    }

    /// `arn:aws:{service}:{region}:{account}:{resource}`.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{resource}", self.region, self.id)
    }
}
