//! What a function process is told by its environment.

use std::collections::HashMap;

use crate::RunError;

/// Name of the ledger's table.
pub(crate) const LEDGER_TABLE: &str = "LEDGER_TABLE";
/// URL of the queue for messages that no retry can help, or [`NONE`].
pub(crate) const DEAD_LETTER_QUEUE_URL: &str = "DEAD_LETTER_QUEUE_URL";
/// The bus that the relay publishes to.
pub(crate) const EVENT_BUS_NAME: &str = "EVENT_BUS_NAME";

/// Said of a dead-letter queue: there is none, on purpose.
const NONE: &str = "none";

/// The endpoint of SQS alone, and that of all services, as the SDKs have them.
const ENDPOINTS: [&str; 2] = ["AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL"];

const TABLE_SUFFIX: &str = "_TABLE";

/// The variable that holds the physical name of a logical table: `orders` → `ORDERS_TABLE`.
pub(crate) fn table_variable(logical: &str) -> String {
    format!("{}{TABLE_SUFFIX}", logical.to_uppercase().replace('-', "_"))
}

/// A variable that must be set.
pub(crate) fn required(name: &'static str) -> Result<String, RunError> {
    let value = std::env::var(name).ok().filter(|value| !value.is_empty());
    value.ok_or(RunError::VariableMissing { name })
}

/// Every table the environment names, by its logical name.
pub(crate) fn tables() -> HashMap<String, String> {
    let logical = |name: String| name.strip_suffix(TABLE_SUFFIX).map(|name| name.to_lowercase().replace('_', "-"));
    std::env::vars().filter_map(|(name, value)| Some((logical(name)?, value))).collect()
}

/// Where terminal messages go; `None` if the environment says that they have no such place.
pub(crate) fn dead_letter_queue_url() -> Result<Option<String>, RunError> {
    required(DEAD_LETTER_QUEUE_URL).map(|url| Some(url).filter(|url| url != NONE))
}

/// The URL of a queue by its ARN, `arn:{partition}:sqs:{region}:{account}:{name}`; `None` if it is not one.
pub(crate) fn queue_url(arn: &str) -> Option<String> {
    let parts: Vec<_> = arn.split(':').collect();
    let ["arn", partition, "sqs", region, account, name] = parts[..] else { return None };
    let domain = if partition == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
    let endpoint = ENDPOINTS.iter().find_map(|name| std::env::var(name).ok().filter(|url| !url.is_empty()));
    let endpoint = endpoint.unwrap_or_else(|| format!("https://sqs.{region}.{domain}"));
    Some(format!("{}/{account}/{name}", endpoint.trim_end_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::queue_url;

    #[test]
    fn a_queue_is_found_by_its_arn() {
        let url = queue_url("arn:aws:sqs:eu-west-1:123456789012:orders.fifo");
        assert_eq!(url.as_deref(), Some("https://sqs.eu-west-1.amazonaws.com/123456789012/orders.fifo"));
        let url = queue_url("arn:aws-cn:sqs:cn-north-1:123456789012:orders");
        assert_eq!(url.as_deref(), Some("https://sqs.cn-north-1.amazonaws.com.cn/123456789012/orders"));
        assert_eq!(queue_url("arn:aws:sns:eu-west-1:123456789012:orders"), None);
        assert_eq!(queue_url(""), None);
    }
}
