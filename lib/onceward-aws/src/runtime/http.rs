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
    // A header that is not text means nothing to us; the name is in lower case already.
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

fn header_text(value: &http::HeaderValue) -> Option<String> {
    value.to_str().ok().map(str::to_owned)
}
