use base64::{Engine as _, engine::general_purpose::STANDARD};
use onceward_local::template::Trigger;
use reqwest::{Client, StatusCode};
use serde_json::{Map, Value, json};

use super::System;

/// How requests reach the functions behind the HTTP API.
pub(super) enum Front {
    /// As customers' do.
    Api { url: String },
    /// As API Gateway would, by invoking the function at this cloud: its HTTP API has no routes.
    Invoke { url: String },
}

impl Front {
    /// The HTTP API at `api` if it answers with a function's answer.
    pub(super) async fn of(cloud: &str, api: Option<&str>) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        if let Some(api) = api
            && let Ok(answer) = Client::new().get(format!("{api}/orders/ord_nothing")).send().await
            && let Ok(answer) = answer.json::<Value>().await
            && answer["error"]["code"] == "NotFound"
        {
            return Self::Api { url: api.to_owned() };
        }
        Self::Invoke { url: cloud.to_owned() }
    }
}

impl System {
    pub(super) async fn request(
        &self,
        method: &str,
        path: &str,
        body: Vec<u8>,
        key: Option<&str>,
    ) -> (StatusCode, Value) {
        match &self.front {
            Front::Api { url } => {
                let method = method.parse().expect("a method");
                let request = self.http.request(method, format!("{url}{path}")).body(body);
                let request = request.header("content-type", "application/json");
                let request = key.iter().fold(request, |request, key| request.header("Idempotency-Key", *key));
                let response = request.send().await.expect("the API answers");
                (response.status(), response.json().await.expect("the API answers JSON"))
            }
            Front::Invoke { url } => self.invoke(url, method, path, &body, key).await,
        }
    }

    /// <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>.
    async fn invoke(&self, url: &str, method: &str, path: &str, body: &[u8], key: Option<&str>) -> (StatusCode, Value) {
        let (function, route, parameters) = self.route(method, path);
        let url = format!("{url}/2015-03-31/functions/{function}/invocations");
        let event = event(method, path, &route, &parameters, body, key);
        let response = self.http.post(url).body(event.to_string()).send().await.expect("Lambda answers");
        let answer: Value = response.json().await.expect("the function answers JSON");
        let status =
            answer["statusCode"].as_u64().and_then(|status| StatusCode::from_u16(status.try_into().ok()?).ok());
        let status = status.unwrap_or_else(|| panic!("{function} answers {answer}"));
        let body = answer["body"].as_str().expect("a body");
        (status, serde_json::from_str(body).expect("the body is JSON"))
    }

    /// The function's name here, the route that the template gives it, and what the path holds for the route's parameters.
    fn route(&self, method: &str, path: &str) -> (String, String, Map<String, Value>) {
        let found = self.declared.functions.iter().find_map(|function| {
            function.triggers.iter().find_map(|trigger| match trigger {
                Trigger::Http { method: declared, path: route } if declared == method => {
                    Some((self.here(&function.name), route.clone(), parameters(route, path)?))
                }
                _ => None,
            })
        });
        found.unwrap_or_else(|| panic!("no function answers {method} {path}"))
    }
}

/// What `path` holds for the parameters of `route`, if it is that route's.
fn parameters(route: &str, path: &str) -> Option<Map<String, Value>> {
    let (routes, paths): (Vec<_>, Vec<_>) = (route.split('/').collect(), path.split('/').collect());
    let mut parameters = Map::new();
    for (route, path) in routes.iter().zip(&paths) {
        match route.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) => drop(parameters.insert(name.to_owned(), json!(path))),
            None if route == path => {}
            None => return None,
        }
    }
    (routes.len() == paths.len()).then_some(parameters)
}

/// Payload format 2.0:
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>.
fn event(
    method: &str,
    path: &str,
    route: &str,
    parameters: &Map<String, Value>,
    body: &[u8],
    key: Option<&str>,
) -> Value {
    let route = format!("{method} {route}");
    let mut headers = json!({"content-type": "application/json"});
    if let Some(key) = key {
        headers["idempotency-key"] = json!(key);
    }
    let (body, encoded) = match std::str::from_utf8(body) {
        Ok(text) => (text.to_owned(), false),
        Err(_) => (STANDARD.encode(body), true),
    };
    json!({
        "version": "2.0", "routeKey": route, "rawPath": path, "rawQueryString": "", "headers": headers,
        "requestContext": {
            "accountId": "000000000000", "apiId": "test", "domainName": "localhost", "domainPrefix": "localhost",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "test"},
            "requestId": format!("{:016x}", rand::random::<u64>()), "routeKey": route, "stage": "$default",
            "time": "21/Nov/2026:08:00:00 +0000", "timeEpoch": 1_795_248_000_000_u64
        },
        "pathParameters": parameters, "body": body, "isBase64Encoded": encoded
    })
}
