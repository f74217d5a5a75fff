use std::time::Duration;

use reqwest::{Client, Response, StatusCode};
use serde::{Deserialize, Serialize};

/// The longest wait for the gateway's answer. The function has 5 s.
const TIMEOUT: Duration = Duration::from_secs(3);

/// A payment gateway over HTTP: `POST /v1/payments` with an `Idempotency-Key`, as the well-known ones have it.
#[derive(Debug, Clone)]
pub struct Gateway {
    client: Client,
    payments_url: String,
}

/// What is asked for.
#[derive(Debug, Serialize)]
pub(crate) struct PaymentRequest<'a> {
    pub(crate) amount: i64,
    pub(crate) currency: &'a str,
    pub(crate) payment_token: &'a str,
    pub(crate) reference: &'a str,
    pub(crate) capture: bool,
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
    /// The gateway is busy or broken: the same request may succeed later.
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
        matches!(self, Self::Unreachable { .. } | Self::Unavailable { .. })
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
        if !(url.starts_with("https://") || url.starts_with("http://")) {
            return Err(GatewayError::Url { url: url.to_owned() });
        }
        // The SDK's clients bring ring too; that another part of the process was first is fine.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = Client::builder().timeout(TIMEOUT).build()?;
        Ok(Self { client, payments_url: format!("{}/v1/payments", url.trim_end_matches('/')) })
    }

    /// Asks once. The same key always gets the same decision.
    pub(crate) async fn authorize(
        &self,
        request: &PaymentRequest<'_>,
        idempotency_key: &str,
    ) -> Result<Authorization, GatewayError> {
        let request = self.client.post(&self.payments_url).header("Idempotency-Key", idempotency_key).json(request);
        let response = request.send().await?;
        match response.status() {
            status if status.is_success() => {
                let Accepted { id } = response.json().await?;
                Ok(Authorization::Authorized { payment_id: id })
            }
            StatusCode::PAYMENT_REQUIRED => {
                let Refusal { error } = response.json().await?;
                Ok(Authorization::Declined { code: error.code.unwrap_or_else(|| "declined".to_owned()) })
            }
            status if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() => {
                Err(GatewayError::Unavailable { status, retry_after: retry_after(&response) })
            }
            status => {
                let message = response.json::<Refusal>().await.map(|refusal| refusal.error.message);
                Err(GatewayError::Refused { status, message: message.unwrap_or_default() })
            }
        }
    }
}

/// The seconds form of `Retry-After`; the date form is left to the backoff policy.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get("retry-after")?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}
