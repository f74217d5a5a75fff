//! What the value of a variable has to look like: AWS's own rules, as far as they can be known without a call.

use http::Uri;

use crate::sqs::FIFO_SUFFIX;

/// A rule, and its words for whoever has to set the variable.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    /// Continues "it should be".
    pub(super) expected: &'static str,
    /// Whether a value keeps the rule.
    pub(super) holds: fn(&str) -> bool,
}

/// Any value, for a variable that only the function itself understands.
pub(super) const ANYTHING: Rule = Rule { expected: "a value", holds: |_| true };

/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html>
pub(super) const TABLE: Rule = Rule {
    expected: "the name of a DynamoDB table (3 to 255 of a-z A-Z 0-9 _ . -) or its ARN",
    holds: |value| is_table_name(value) || arn(value, "dynamodb", "table/").is_some_and(is_table_name),
};

/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-queue-message-identifiers.html>
pub(super) const DEAD_LETTER_QUEUE: Rule = Rule {
    expected: "the URL of an SQS queue, such as https://sqs.eu-central-1.amazonaws.com/123456789012/orders, or `none`",
    holds: is_queue_url,
};

/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html>
pub(super) const MAX_RECEIVES: Rule = Rule {
    expected: "the maxReceiveCount of the function's queue, a whole number from 1 to 1000",
    holds: |value| receives(value).is_some(),
};

/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html>
pub(super) const BUS: Rule = Rule {
    expected: "the name of an EventBridge event bus (1 to 256 of a-z A-Z 0-9 _ . - /) or its ARN",
    holds: |value| is_bus_name(value) || arn(value, "events", "event-bus/").is_some_and(is_bus_name),
};

/// <https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html>
pub(super) const TOPIC_ARN: Rule = Rule {
    expected: "the ARN of an SNS topic, such as arn:aws:sns:eu-central-1:123456789012:confirmations",
    holds: |value| {
        arn(value, "sns", "").is_some_and(|name| is_name(name.strip_suffix(FIFO_SUFFIX).unwrap_or(name), 256, "_-"))
    },
};

/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-region.html>
pub(super) const REGION: Rule = Rule {
    expected: "an AWS region, such as eu-central-1 (Lambda itself sets it)",
    holds: |value| value.contains('-') && value.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '-')),
};

/// <https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html>
pub(super) const LAMBDA_NAME: Rule = Rule {
    expected: "names of Lambda functions (1 to 64 of a-z A-Z 0-9 _ -) with commas between them",
    holds: |value| is_name(value, 64, "_-"),
};

/// Said of a flag that is set.
pub(super) const ON: &str = "1";

/// One of ours, which is on or off.
pub(super) const FLAG: Rule = Rule { expected: "1 or 0", holds: |value| matches!(value, ON | "0") };

/// Digits of an account's number.
const ACCOUNT_DIGITS: usize = 12;

/// A count of receives that a redrive policy can have.
pub(super) fn receives(value: &str) -> Option<u32> {
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    value.parse().ok().filter(|count| digits && (1..=1_000).contains(count))
}

fn is_table_name(value: &str) -> bool {
    value.len() >= 3 && is_name(value, 255, "_.-")
}

fn is_bus_name(value: &str) -> bool {
    is_name(value, 256, "_.-/")
}

/// The account and the queue's name end the path; local clouds may have more before them.
fn is_queue_url(value: &str) -> bool {
    let Ok(url) = value.parse::<Uri>() else { return false };
    let mut path = url.path().rsplit('/');
    let (Some(name), Some(account)) = (path.next(), path.next()) else { return false };
    let name = name.strip_suffix(FIFO_SUFFIX).unwrap_or(name);
    let web = matches!(url.scheme_str(), Some("http" | "https")) && url.host().is_some_and(|host| !host.is_empty());
    web && url.query().is_none() && is_account(account) && is_name(name, 80, "_-")
}

/// What follows `prefix` in an ARN of this service that names region and account:
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>.
fn arn<'a>(value: &'a str, service: &str, prefix: &str) -> Option<&'a str> {
    let mut parts = value.splitn(6, ':');
    let [scheme, partition, named, region, account, resource] = std::array::from_fn(|_| parts.next().unwrap_or(""));
    let known = scheme == "arn" && partition.starts_with("aws") && named == service;
    (known && (REGION.holds)(region) && is_account(account)).then(|| resource.strip_prefix(prefix)).flatten()
}

fn is_account(value: &str) -> bool {
    value.len() == ACCOUNT_DIGITS && value.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_name(value: &str, length_max: usize, punctuation: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || punctuation.contains(c);
    (1..=length_max).contains(&value.len()) && value.chars().all(allowed)
}
