//! What AWS says when it refuses a call, in words that tell what to do about it.

use std::{error::Error, fmt};

use aws_sdk_dynamodb::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
    operation::RequestId as _,
};

pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

/// Codes of a call that the role, or a policy, does not allow. Each service has its own:
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>,
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>,
/// <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>,
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html>.
const DENIED: [&str; 8] = [
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "KMS.AccessDeniedException",
    "KMSAccessDenied",
    "KMSAccessDeniedException",
    "NotAuthorizedForDetailTypeException",
    "NotAuthorizedForSourceException",
];

/// Codes of a call to something that does not exist; see [`DENIED`].
const MISSING: [&str; 4] =
    ["AWS.SimpleQueueService.NonExistentQueue", "NotFound", "QueueDoesNotExist", "ResourceNotFoundException"];

/// Codes of credentials that were valid once:
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html>.
const EXPIRED: [&str; 3] = ["ExpiredToken", "ExpiredTokenException", "RequestExpired"];

/// Codes of credentials that AWS does not know, or that do not fit the request; see [`EXPIRED`].
const UNKNOWN_CREDENTIALS: [&str; 5] = [
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
];

/// What a resource that is encrypted with a key of its own asks of the role besides.
pub(crate) const KEY_ACTIONS: &str = "kms:GenerateDataKey and kms:Decrypt";

/// Something a call acts on, and where its name comes from.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    /// `table`, `queue`, `event bus`, `topic`.
    pub(crate) kind: &'static str,
    /// Physical name, URL or ARN.
    pub(crate) name: String,
    /// The variable that holds the name, if one does.
    pub(crate) variable: Option<String>,
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} {}", self.kind, self.name)?;
        self.variable.as_ref().map_or(Ok(()), |variable| write!(f, " ({variable})"))
    }
}

/// A call that AWS answered with an error.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("{action} on {resource} is not allowed: allow it in the function's role")]
    Denied { action: String, resource: String, source: Said },
    #[error("{resource} does not exist in this account and region: deploy it, or correct its name in the template")]
    Missing { resource: String, source: Said },
    #[error(
        "the credentials have expired: Lambda gives each new environment new ones; elsewhere, sign in again and restart"
    )]
    Expired { source: Said },
    #[error("AWS does not accept the credentials: check them, the region, the endpoint and the machine's clock")]
    UnknownCredentials { source: Said },
}

/// A server whose certificate comes from somebody else than the roots vouch for.
#[derive(Debug, thiserror::Error)]
#[error(
    "the server's certificate is not trusted: if it is not AWS's own, name a file with its root in the environment \
     variable AWS_CA_BUNDLE"
)]
struct Untrusted {
    source: BoxError,
}

/// What a service answered, as it stands in its response.
#[derive(Debug)]
pub(crate) struct Said {
    /// The error's code, if the response has one.
    pub(crate) code: Option<String>,
    pub(crate) message: Option<String>,
    /// HTTP status, if the answer was to a whole call.
    pub(crate) status: Option<u16>,
    pub(crate) request_id: Option<String>,
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.code, self.status) {
            (Some(code), _) => f.write_str(code)?,
            (None, Some(status)) => write!(f, "HTTP status {status} without an error code")?,
            (None, None) => f.write_str("an error without a code")?,
        }
        self.message.as_ref().map_or(Ok(()), |message| write!(f, ": {message}"))?;
        self.request_id.as_ref().map_or(Ok(()), |id| write!(f, " (request {id})"))
    }
}

impl Error for Said {}

/// The source of a failed call's error: what to do, if it is known, then AWS's own words. `action` is IAM's name of it.
pub(crate) fn explained<E>(action: &str, resources: &[Resource], error: SdkError<E, HttpResponse>) -> BoxError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    match said(&error) {
        Some(said) => explain(action, resources, said),
        None if is_untrusted(&error) => Box::new(Untrusted { source: error.into() }),
        None => Box::new(error),
    }
}

/// rustls says so in these words; its error's type is lost on the way through the HTTP client.
fn is_untrusted(error: &(dyn Error + 'static)) -> bool {
    let mut errors = std::iter::successors(Some(error), |&error| error.source());
    errors.any(|error| error.to_string().contains("invalid peer certificate"))
}

/// What the service said; `None` if no answer of it could be read.
pub(crate) fn said<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Option<Said> {
    let SdkError::ServiceError(service) = error else { return None };
    Some(Said {
        code: service.err().code().map(str::to_owned),
        message: service.err().message().map(str::to_owned),
        status: Some(service.raw().status().as_u16()),
        request_id: error.request_id().map(str::to_owned),
    })
}

/// Like [`explained`], for an error that is a part of an answer.
pub(crate) fn explain(action: &str, resources: &[Resource], said: Said) -> BoxError {
    let code = said.code.as_deref().unwrap_or_default();
    let refusal = if DENIED.contains(&code) {
        let (action, resource) = match said.message.as_deref().and_then(denied) {
            Some((action, arn)) => (action.to_owned(), which(arn, resources)),
            None if code.starts_with("KMS") => (KEY_ACTIONS.to_owned(), format!("the key of {}", any_of(resources))),
            None => (action.to_owned(), any_of(resources)),
        };
        Refusal::Denied { action, resource, source: said }
    } else if MISSING.contains(&code) {
        Refusal::Missing { resource: any_of(resources), source: said }
    } else if EXPIRED.contains(&code) {
        Refusal::Expired { source: said }
    } else if UNKNOWN_CREDENTIALS.contains(&code) {
        Refusal::UnknownCredentials { source: said }
    } else {
        return Box::new(said);
    };
    Box::new(refusal)
}

/// An error with its causes, for the log.
pub(crate) fn one_line(error: &(dyn Error + 'static)) -> String {
    let errors = std::iter::successors(Some(error), |&error| error.source());
    errors.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Action and ARN, as IAM words a refusal. They may not be what was called: a key that encrypts a queue, one of the
/// tables of a transaction.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>
fn denied(message: &str) -> Option<(&str, &str)> {
    let (_, rest) = message.split_once("is not authorized to perform: ")?;
    let (action, rest) = rest.split_once(" on resource: ")?;
    let arn = rest.split_whitespace().next()?;
    Some((action, arn.trim_end_matches('.')))
}

/// The resource that an ARN is of, in our words; the ARN itself if it is of another.
fn which(arn: &str, resources: &[Resource]) -> String {
    let name = |name: &str| name.rsplit(['/', ':']).next().unwrap_or_default().to_owned();
    let found = resources.iter().find(|resource| name(&resource.name) == name(arn));
    found.map_or_else(|| arn.to_owned(), ToString::to_string)
}

/// All the resources that the answer may be about.
fn any_of(resources: &[Resource]) -> String {
    match resources {
        [] => "what is called".to_owned(),
        [one] => one.to_string(),
        several => {
            let names: Vec<_> = several.iter().map(ToString::to_string).collect();
            format!("one of {}", names.join(", "))
        }
    }
}
