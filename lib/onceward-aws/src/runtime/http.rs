use std::{collections::BTreeMap, sync::Arc};

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use lambda_runtime::LambdaEvent;
use onceward::{Command, Description, HttpRequest, HttpResponse, Query};
use serde::Serialize;

use super::{
    Aws, Handler, InvocationError, Payload, RunError, Runnable, invocation, ports, query_ports, source::MALFORMED,
};
use crate::settings;

impl<D: Send + Sync + 'static> Runnable for Command<D> {
    const VARIABLES: &'static [&'static str] = &[settings::LEDGER_TABLE];

    fn describe(&self) -> Description {
        self.describe()
    }

    fn bind(self, aws: &Aws) -> Result<Handler, RunError> {
        self.check().map_err(RunError::function)?;
        let bound = Arc::new((self, ports(aws)?));
        Ok(Handler::new(move |event| {
            let bound = Arc::clone(&bound);
            async move {
                let (command, ports) = bound.as_ref();
                let invocation = invocation(&event.context, ports);
                Ok(Response::from(command.handle(ports, invocation, request(event)?).await))
            }
        }))
    }
}

impl Runnable for Query {
    const VARIABLES: &'static [&'static str] = &[];

    fn describe(&self) -> Description {
        self.describe()
    }

    fn bind(self, aws: &Aws) -> Result<Handler, RunError> {
        self.check().map_err(RunError::function)?;
        let bound = Arc::new((self, query_ports(aws)?));
        Ok(Handler::new(move |event| {
            let bound = Arc::clone(&bound);
            async move {
                let (query, ports) = bound.as_ref();
                let invocation = invocation(&event.context, ports);
                Ok(Response::from(query.handle(ports, invocation, request(event)?).await))
            }
        }))
    }
}

/// An answer in payload format 2.0:
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    status_code: u16,
    headers: BTreeMap<&'static str, &'static str>,
    body: String,
}

impl From<HttpResponse> for Response {
    fn from(response: HttpResponse) -> Self {
        let headers = BTreeMap::from([("content-type", "application/json")]);
        Self { status_code: response.status, headers, body: response.body }
    }
}

fn request(event: LambdaEvent<Payload>) -> Result<HttpRequest, InvocationError> {
    let request: ApiGatewayV2httpRequest = serde_json::from_str(event.payload.get()).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let message = format!("this is no HTTP API request in payload format 2.0: see line {line} column {column}");
        InvocationError::new(MALFORMED, message)
    })?;
    // The name is in lower case already.
    let text = |(name, value): (&_, &_)| Some((ToString::to_string(name), header_text(value)?));
    let body = request.body.unwrap_or_default();
    let body = match request.is_base64_encoded {
        // What is not base64 after all is read as it stands, and refused as the JSON it is not.
        true => BASE64_STANDARD.decode(&body).unwrap_or_else(|_| body.into_bytes()),
        false => body.into_bytes(),
    };
    Ok(HttpRequest {
        route: request.route_key.unwrap_or_default(),
        request_id: request.request_context.request_id.unwrap_or(event.context.request_id),
        headers: request.headers.iter().filter_map(text).collect(),
        path_parameters: request.path_parameters.into_iter().collect(),
        body,
    })
}

/// JSON has only text, so there is none that is not: an `Idempotency-Key` that is no ASCII is a key like any other.
fn header_text(value: &http::HeaderValue) -> Option<String> {
    String::from_utf8(value.as_bytes().to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use lambda_runtime::Context;
    use serde_json::{json, value::to_raw_value};

    use super::*;

    #[test]
    fn a_header_that_is_no_ascii_is_a_header_too() {
        let payload = json!({
            "version": "2.0", "routeKey": "POST /orders", "rawPath": "/orders", "rawQueryString": "",
            "headers": {"Idempotency-Key": "clé-1", "accept": "*/*"}, "isBase64Encoded": false, "body": "{}",
            "requestContext": {
                "accountId": "1", "apiId": "a", "stage": "$default", "requestId": "r-1", "routeKey": "POST /orders",
                "timeEpoch": 1, "http": {
                    "method": "POST", "path": "/orders", "protocol": "HTTP/1.1", "sourceIp": "1.1.1.1", "userAgent": "",
                },
            },
        });
        let request = request(LambdaEvent::new(to_raw_value(&payload).unwrap(), Context::default())).unwrap();
        assert_eq!((request.headers["idempotency-key"].as_str(), request.headers.len()), ("clé-1", 2));
    }
}
