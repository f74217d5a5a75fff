use std::collections::BTreeMap;

use onceward::{Command, HttpRequest, HttpResponse, Query};
use serde::Serialize;
use serde_json::Value;

use super::Harness;

/// A function's answer to a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub body: Value,
}

impl Harness {
    /// Sends a request with a JSON body, and an idempotency key if there is one.
    ///
    /// # Panics
    /// If the body cannot be serialized.
    pub async fn request<'a, D: Send + Sync + 'static>(
        &self,
        command: &Command<D>,
        body: &impl Serialize,
        idempotency_key: impl Into<Option<&'a str>>,
    ) -> Answer {
        let body = serde_json::to_vec(body).expect("the body can be serialized");
        let key = idempotency_key.into().map(|key| ("idempotency-key".to_owned(), key.to_owned()));
        let headers = key.into_iter().collect();
        self.send(command, HttpRequest { headers, body, ..self.http_request() }).await
    }

    /// Sends a request as it is.
    pub async fn send<D: Send + Sync + 'static>(&self, command: &Command<D>, request: HttpRequest) -> Answer {
        Answer::of(&command.handle(&self.ports, self.invocation(), request).await)
    }

    /// Asks for what is under the value of the route's parameter.
    pub async fn query(&self, query: &Query, parameter: &str, value: &str) -> Answer {
        let path_parameters = BTreeMap::from([(parameter.to_owned(), value.to_owned())]);
        let request = HttpRequest { path_parameters, ..self.http_request() };
        Answer::of(&query.handle(&self.ports, self.invocation(), request).await)
    }

    fn http_request(&self) -> HttpRequest {
        let request_id = format!("request-{}", self.next());
        HttpRequest { route: "POST /test".to_owned(), request_id, ..HttpRequest::default() }
    }
}

impl Answer {
    fn of(response: &HttpResponse) -> Self {
        let body = serde_json::from_str(&response.body).expect("a function answers in JSON");
        Self { status: response.status, body }
    }

    /// The field that a refusal names.
    pub fn refused_field(&self) -> Option<&str> {
        self.body["error"]["field"].as_str()
    }
}
