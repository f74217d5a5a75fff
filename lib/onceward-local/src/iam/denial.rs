//! Refusals, as each service words them.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>

use serde_json::json;

use crate::wire::{AwsResponse, Protocol};

/// Why a call is not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// A statement of the role's policies denies it.
    ExplicitDeny,
    /// A statement of the boundary denies it.
    ExplicitDenyInBoundary,
    /// A statement of the resource's policy denies it.
    ExplicitDenyInResourcePolicy,
    /// No statement of the role's policies allows it.
    NotInIdentityPolicy,
    /// The role's policies allow it, its permissions boundary does not.
    NotInBoundary,
    /// The resource's policy does not let the service in.
    NotInResourcePolicy,
}

/// A call that is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Denial {
    /// The function; for a service, the rule or topic it delivers for.
    pub caller: String,
    /// The caller's ARN, or the service's name.
    pub user: String,
    /// Such as `dynamodb:PutItem`.
    pub action: String,
    /// The resource's ARN, or `*`.
    pub resource: String,
    /// Which policy is against it.
    pub reason: Reason,
}

impl Denial {
    /// The message of AWS.
    pub fn message(&self) -> String {
        let Self { user, resource, .. } = self;
        let (service, name) = self.action.split_once(':').unwrap_or((&self.action, ""));
        // Two services write their actions in a way of their own, and one puts the resource in quotes.
        let action = match service {
            "sqs" => self.action.to_ascii_lowercase(),
            "sns" => format!("SNS:{name}"),
            _ => self.action.clone(),
        };
        let resource = if service == "s3" { format!("\"{resource}\"") } else { resource.clone() };
        let because = match self.reason {
            Reason::ExplicitDeny => "with an explicit deny in an identity-based policy".to_owned(),
            Reason::ExplicitDenyInBoundary => "with an explicit deny in a permissions boundary".to_owned(),
            Reason::ExplicitDenyInResourcePolicy => "with an explicit deny in a resource-based policy".to_owned(),
            Reason::NotInIdentityPolicy => format!("because no identity-based policy allows the {action} action"),
            Reason::NotInBoundary => format!("because no permissions boundary allows the {action} action"),
            Reason::NotInResourcePolicy => format!("because no resource-based policy allows the {action} action"),
        };
        format!("User: {user} is not authorized to perform: {action} on resource: {resource} {because}")
    }

    /// The answer of `service`, named as in signatures.
    pub(crate) fn answer(&self, service: &str, protocol: Option<Protocol>) -> AwsResponse {
        const QUERY_ERROR: &str = "x-amzn-query-error";
        const ERROR_TYPE: &str = "x-amzn-errortype";
        let message = self.message();
        let id = uuid::Uuid::new_v4();
        let (status, content_type, headers, body) = match (service, protocol) {
            (_, Some(Protocol::Json { content_type })) => {
                let shape = match service {
                    "sqs" | "dynamodb" => "com.amazon.coral.service#AccessDeniedException",
                    _ => "AccessDeniedException",
                };
                let header = (service == "sqs").then(|| (QUERY_ERROR, "AccessDenied;Sender".to_owned()));
                (400, content_type, header, json!({"__type": shape, "Message": message}).to_string())
            }
            ("s3", _) => {
                let (code, message) = ("AccessDenied", escaped(&message));
                let head = r#"<?xml version="1.0" encoding="UTF-8"?>"#;
                let body = format!(
                    "{head}<Error><Code>{code}</Code><Message>{message}</Message><RequestId>{id}</RequestId></Error>"
                );
                (403, "application/xml", None, body)
            }
            (_, Some(Protocol::Query)) => {
                let code = if service == "sns" { "AuthorizationError" } else { "AccessDenied" };
                let error = format!(
                    "<Error><Type>Sender</Type><Code>{code}</Code><Message>{}</Message></Error>",
                    escaped(&message)
                );
                let body = format!("<ErrorResponse>{error}<RequestId>{id}</RequestId></ErrorResponse>");
                (403, "text/xml", None, body)
            }
            (_, None) => {
                let header = (ERROR_TYPE, "AccessDeniedException".to_owned());
                (403, "application/json", Some(header), json!({ "Message": message }).to_string())
            }
        };
        AwsResponse { status, content_type, headers: headers.into_iter().collect(), body: body.into() }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
