use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use lambda_runtime::{LambdaEvent, service_fn};
use onceward::{Command, HttpRequest, HttpResponse, Query};
use serde::Serialize;

use super::{RunError, Runnable, deadline, ports, query_ports, stopped};

#[async_trait(?Send)]
impl<D: Send + Sync + 'static> Runnable for Command<D> {
    async fn serve(self, config: &SdkConfig) -> Result<(), RunError> {
        let ports = ports(config)?;
        let (command, ports) = (&self, &ports);
        let handle = async |event: LambdaEvent<ApiGatewayV2httpRequest>| {
            let deadline = deadline(&event.context);
            let response = command.handle(ports, deadline, request(event)).await;
            Ok::<_, std::convert::Infallible>(Response::from(response))
        };
        lambda_runtime::run(service_fn(handle)).await.map_err(stopped)
    }
}

#[async_trait(?Send)]
impl Runnable for Query {
    async fn serve(self, config: &SdkConfig) -> Result<(), RunError> {
        let ports = query_ports(config)?;
        let (query, ports) = (&self, &ports);
        let handle = async |event: LambdaEvent<ApiGatewayV2httpRequest>| {
            let deadline = deadline(&event.context);
            let response = query.handle(ports, deadline, request(event)).await;
            Ok::<_, std::convert::Infallible>(Response::from(response))
        };
        lambda_runtime::run(service_fn(handle)).await.map_err(stopped)
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

fn request(event: LambdaEvent<ApiGatewayV2httpRequest>) -> HttpRequest {
    let request = event.payload;
    // A header that is not text means nothing to us; the name is in lower case already.
    let text = |(name, value): (&_, &_)| Some((ToString::to_string(name), header_text(value)?));
    let body = request.body.unwrap_or_default();
    let body = match request.is_base64_encoded {
        // What is not base64 after all is read as it stands, and refused as the JSON it is not.
        true => BASE64_STANDARD.decode(&body).unwrap_or_else(|_| body.into_bytes()),
        false => body.into_bytes(),
    };
    HttpRequest {
        route: request.route_key.unwrap_or_default(),
        request_id: request.request_context.request_id.unwrap_or(event.context.request_id),
        headers: request.headers.iter().filter_map(text).collect(),
        path_parameters: request.path_parameters.into_iter().collect(),
        body,
    }
}

fn header_text(value: &http::HeaderValue) -> Option<String> {
    value.to_str().ok().map(str::to_owned)
}
