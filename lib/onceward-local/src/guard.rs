//! Who may talk to the ports of this machine: its own programs, and not a web page in its browser.
//!
//! A page of any site can send requests to 127.0.0.1, and a site whose name suddenly means 127.0.0.1 (DNS rebinding) can
//! read the answers too. Bound to loopback or not, so every port asks:
//!
//! - *Host*: an address, a name of this machine, or one that was allowed. A page whose site is rebound sends that site's
//!   name. Addresses are no names: nothing rebinds them.
//! - *Origin* and *Sec-Fetch-Site*: a page of another site is refused, also where it needs no answer (a form, an image).
//!   Not on the HTTP API, whose own CORS rules say which pages may use it.
//!
//! <https://fetch.spec.whatwg.org/#origin-header>, <https://www.w3.org/TR/fetch-metadata/>

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, Response, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use serde_json::json;

/// Names of this machine besides `localhost` and what is below it: `sqs.us-east-1.localhost.localstack.cloud` and the
/// like are 127.0.0.1 in public DNS, the others are what containers call their host.
const NAMES: [&str; 4] =
    ["localhost.localstack.cloud", "host.docker.internal", "gateway.docker.internal", "host.containers.internal"];

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What one port lets in.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    /// In lower case, besides those of this machine.
    hosts: Arc<[String]>,
    /// Whether pages of other sites are let in.
    any_origin: bool,
}

impl Guard {
    /// Of a port for programs, and for pages of this machine.
    pub(crate) fn new(hosts: Arc<[String]>) -> Self {
        Self { hosts, any_origin: false }
    }

    /// Of a port that has its own rules for pages of other sites.
    pub(crate) fn any_origin(self) -> Self {
        Self { any_origin: true, ..self }
    }

    /// `router` behind this guard.
    pub(crate) fn before(self, router: Router) -> Router {
        router.layer(from_fn_with_state(self, admit))
    }

    fn check(&self, authority: Option<&str>, headers: &HeaderMap) -> Result<(), String> {
        // Only what is no browser sends none: HTTP/1.0.
        let sent = headers.get_all(header::HOST).into_iter().map(|value| value.to_str().unwrap_or_default());
        if let Some(host) = authority.into_iter().chain(sent).find(|host| !self.is_host(name(host))) {
            return Err(format!(
                "the host {host:?} is not this machine: use 127.0.0.1 or localhost, or allow the name with --allow-host"
            ));
        }
        if self.any_origin {
            return Ok(());
        }
        let origins = headers.get_all(header::ORIGIN).into_iter().map(|value| value.to_str().unwrap_or_default());
        if let Some(origin) = origins.into_iter().find(|origin| !self.is_origin(origin)) {
            return Err(format!("a page of {origin:?} may not use this port, only pages of this machine may"));
        }
        let cross_site = headers.get_all(SEC_FETCH_SITE).iter().any(|site| site == "cross-site");
        // With an origin, that has decided: pages of localhost and of 127.0.0.1 are two sites.
        if cross_site && !headers.contains_key(header::ORIGIN) {
            return Err("a page of another site may not use this port, only pages of this machine may".to_owned());
        }
        Ok(())
    }

    fn is_host(&self, host: &str) -> bool {
        address(host).is_some() || self.is_name(host)
    }

    /// A page's origin: of this machine's loopback, or of a name that is its own. Other addresses are other machines.
    fn is_origin(&self, origin: &str) -> bool {
        let host = ["http://", "https://"].iter().find_map(|scheme| origin.strip_prefix(scheme)).map(name);
        host.is_some_and(|host| address(host).map_or_else(|| self.is_name(host), |address| address.is_loopback()))
    }

    fn is_name(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        let below = |parent: &str| host.strip_suffix(parent).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        below("localhost") || below(NAMES[0]) || NAMES.contains(&host.as_str()) || self.hosts.contains(&host)
    }
}

/// The layer itself.
async fn admit(State(guard): State<Guard>, request: Request, next: Next) -> Response<Body> {
    let authority = request.uri().authority().map(axum::http::uri::Authority::as_str);
    match guard.check(authority, request.headers()) {
        Ok(()) => next.run(request).await,
        Err(message) => refusal(&message),
    }
}

fn refusal(message: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(json!({ "__type": "Forbidden", "message": message }).to_string()));
    *response.status_mut() = StatusCode::FORBIDDEN;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response
}

/// A host without its port.
fn name(host: &str) -> &str {
    match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    }
}

fn address(host: &str) -> Option<IpAddr> {
    host.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(host: &str, others: &[(&str, &str)], any_origin: bool) -> Result<(), String> {
        let guard = Guard { hosts: Arc::from(["tunnel.example.com".to_owned()]), any_origin };
        let mut headers = HeaderMap::new();
        for (name, value) in std::iter::once(&("host", host)).chain(others) {
            headers.append(HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        guard.check(None, &headers)
    }

    #[test]
    fn a_host_is_this_machine_or_was_allowed() {
        for host in [
            "127.0.0.1:4566",
            "127.8.0.1",
            "localhost",
            "LocalHost.:4566",
            "[::1]:4566",
            "172.17.0.1:4566",
            "host.docker.internal:4566",
            "bucket.localhost:4566",
            "bucket.s3.localhost",
            "localhost.localstack.cloud:4566",
            "sqs.us-east-1.localhost.localstack.cloud:4566",
            "tunnel.example.com",
        ] {
            assert_eq!(asked(host, &[], false), Ok(()), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:4566",
            "localhost.evil.example",
            "notlocalhost",
            "127.0.0.1.evil.example",
            "cloud",
            "x.host.docker.internal",
            "evillocalhost.localstack.cloud",
            "sub.tunnel.example.com",
            "",
        ] {
            for any_origin in [false, true] {
                assert!(asked(host, &[], any_origin).is_err(), "{host}");
            }
        }
    }

    #[test]
    fn every_host_that_is_sent_counts() {
        assert!(asked("localhost", &[("host", "evil.example")], false).is_err());
        let guard = Guard::new(Arc::from([]));
        assert!(guard.check(Some("evil.example:80"), &HeaderMap::new()).is_err());
        assert_eq!(guard.check(None, &HeaderMap::new()), Ok(()));
    }

    #[test]
    fn pages_of_other_sites_are_refused_where_no_rule_lets_them_in() {
        for origin in ["http://localhost:5173", "https://127.0.0.1", "http://[::1]:3000", "http://app.localhost"] {
            let headers = [("origin", origin), ("sec-fetch-site", "cross-site")];
            assert_eq!(asked("127.0.0.1", &headers, false), Ok(()), "{origin}");
        }
        for origin in [
            "https://evil.example",
            "null",
            "",
            "http://192.168.1.7",
            "https://localhost.evil.example",
            "file://",
            "http://evil.example/localhost",
            "chrome-extension://localhost",
        ] {
            assert!(asked("127.0.0.1", &[("origin", origin)], false).is_err(), "{origin}");
            assert_eq!(asked("127.0.0.1", &[("origin", origin)], true), Ok(()), "{origin}");
        }
        assert!(asked("127.0.0.1", &[("sec-fetch-site", "cross-site")], false).is_err(), "an image, a link");
        for site in ["none", "same-origin", "same-site"] {
            assert_eq!(asked("127.0.0.1", &[("sec-fetch-site", site)], false), Ok(()), "{site}");
        }
    }
}
