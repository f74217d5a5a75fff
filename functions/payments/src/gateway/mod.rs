use std::{fmt::Debug, time::Duration};

use async_trait::async_trait;
use reqwest::{Client, Response, StatusCode, redirect::Policy};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The longest wait for the gateway's answer. The function has 5 s.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The most of a refusal's words that an error has, in characters.
const MESSAGE_CHARS_MAX: usize = 1_000;

/// Decides on payments: one `idempotency_key` is one charge, however often it is asked for.
#[async_trait]
pub trait PaymentGateway: Debug + Send + Sync {
    /// Asks once. The same key always gets the same decision.
    async fn authorize(
        &self,
        request: &PaymentRequest<'_>,
        idempotency_key: &str,
    ) -> Result<Authorization, GatewayError>;
}

/// A payment gateway over HTTP: `POST /v1/payments` with an `Idempotency-Key`, as the well-known ones have it.
#[derive(Debug, Clone)]
pub struct Gateway {
    client: Client,
    payments_url: String,
}

/// What is asked for.
#[derive(Debug, Serialize)]
pub struct PaymentRequest<'a> {
    /// In minor units.
    pub amount: i64,
    /// ISO 4217.
    pub currency: &'a str,
    /// What the gateway knows the means of payment by.
    pub payment_token: &'a str,
    /// What the payment is for: the order's id.
    pub reference: &'a str,
    /// Whether the money moves now, or is set aside.
    pub capture: bool,
}

/// The gateway's decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authorization {
    /// The amount is set aside.
    Authorized {
        /// The gateway's id of the payment.
        payment_id: String,
    },
    /// It is not, and asking again will not change that.
    Declined {
        /// The gateway's code, such as `card_declined`.
        code: String,
    },
}

/// Why there is no decision.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The address is not usable.
    #[error("PAYMENT_GATEWAY_URL is {url:?}: it must be an http or https URL")]
    Url {
        /// What it is.
        url: String,
    },
    /// The client could not be built, or the gateway could not be reached, or did not answer in time.
    #[error("the payment gateway did not answer")]
    Unreachable {
        /// What the client says.
        #[from]
        source: reqwest::Error,
    },
    /// It did answer, but not what a gateway says: whether there is a decision is not known. The same key will tell.
    #[error("the payment gateway answered {status} with a body that cannot be read")]
    Malformed {
        /// Its status.
        status: StatusCode,
        /// What is wrong with the body.
        source: serde_json::Error,
    },
    /// The gateway is busy or broken, or has the same request under way: it may succeed later.
    #[error("the payment gateway answered {status}")]
    Unavailable {
        /// Its status.
        status: StatusCode,
        /// How long it asks to wait, if it does.
        retry_after: Option<Duration>,
    },
    /// The gateway refuses the request as such.
    #[error("the payment gateway refused the request with {status}: {message}")]
    Refused {
        /// Its status.
        status: StatusCode,
        /// Its words.
        message: String,
    },
}

impl GatewayError {
    /// Whether the gateway is down or overloaded: then other payments fail too. A request that it refuses says nothing
    /// about the next one.
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Malformed { .. } => true,
            Self::Unavailable { status, .. } => *status != StatusCode::CONFLICT,
            Self::Url { .. } | Self::Refused { .. } => false,
        }
    }
}

#[derive(Deserialize)]
struct Accepted {
    id: String,
}

#[derive(Deserialize)]
struct Refusal {
    error: RefusalBody,
}

#[derive(Deserialize)]
struct RefusalBody {
    #[serde(default)]
    code: Option<String>,
    message: String,
}

impl Gateway {
    /// A gateway at `url`, without the path.
    pub fn new(url: &str) -> Result<Self, GatewayError> {
        Self::with_timeout(url, TIMEOUT)
    }

    fn with_timeout(url: &str, timeout: Duration) -> Result<Self, GatewayError> {
        if !(url.starts_with("https://") || url.starts_with("http://")) {
            return Err(GatewayError::Url { url: url.to_owned() });
        }
        // The SDK's clients bring ring too; that another part of the process was first is fine.
        drop(rustls::crypto::ring::default_provider().install_default());
        // A redirected POST becomes a GET, whose answer is no decision.
        let client = Client::builder().timeout(timeout).redirect(Policy::none()).build()?;
        Ok(Self { client, payments_url: format!("{}/v1/payments", url.trim_end_matches('/')) })
    }
}

#[async_trait]
impl PaymentGateway for Gateway {
    async fn authorize(
        &self,
        request: &PaymentRequest<'_>,
        idempotency_key: &str,
    ) -> Result<Authorization, GatewayError> {
        let request = self.client.post(&self.payments_url).header("Idempotency-Key", idempotency_key).json(request);
        let response = request.send().await?;
        match response.status() {
            status if status.is_success() => {
                let Accepted { id } = read(status, &response.text().await?)?;
                Ok(Authorization::Authorized { payment_id: id })
            }
            status @ StatusCode::PAYMENT_REQUIRED => {
                let Refusal { error } = read(status, &response.text().await?)?;
                Ok(Authorization::Declined { code: error.code.unwrap_or_else(|| "declined".to_owned()) })
            }
            status if may_pass(status) => {
                Err(GatewayError::Unavailable { status, retry_after: retry_after(&response) })
            }
            status => {
                let text = response.text().await?;
                let message = read(status, &text).map_or(text, |refusal: Refusal| refusal.error.message);
                Err(GatewayError::Refused { status, message: message.chars().take(MESSAGE_CHARS_MAX).collect() })
            }
        }
    }
}

fn read<T: DeserializeOwned>(status: StatusCode, body: &str) -> Result<T, GatewayError> {
    serde_json::from_str(body).map_err(|source| GatewayError::Malformed { status, source })
}

/// Whether the same request may get a decision later. A conflict is an earlier try with the same key that is still under
/// way: <https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header>, section 2.7.
fn may_pass(status: StatusCode) -> bool {
    let later =
        [StatusCode::REQUEST_TIMEOUT, StatusCode::CONFLICT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS];
    later.contains(&status) || status.is_server_error()
}

/// The seconds form of `Retry-After`; the date form is left to the backoff policy.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get("retry-after")?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests;
