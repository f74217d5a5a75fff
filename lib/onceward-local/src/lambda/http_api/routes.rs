//! Which route a request takes.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html>

use crate::lambda::spec::Route;

/// The path of the route for whatever has no other.
const DEFAULT: &str = "$default";

/// The routes of an API.
#[derive(Debug)]
pub(super) struct Routes {
    routes: Vec<Route>,
}

/// The route of one request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) function: String,
    /// `POST /orders/{id}`, `$default`
    pub(super) key: String,
    /// Decoded values, by name.
    pub(super) parameters: Vec<(String, String)>,
}

/// The better of two routes is the smaller: fewer greedy variables, then fewer variables, then no `ANY`.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    default: bool,
    greedy: bool,
    variables: usize,
    any: bool,
}

impl Routes {
    pub(super) fn new(routes: Vec<Route>) -> Self {
        Self { routes }
    }

    /// The most specific route for `method` and the decoded `path`.
    pub(super) fn find(&self, method: &str, path: &str) -> Option<Found> {
        let matching = self.routes.iter().filter_map(|route| Some((route, matches(route, method, path)?)));
        let (route, (_, parameters)) = matching.min_by(|(_, (a, _)), (_, (b, _))| a.cmp(b))?;
        let key = if route.path == DEFAULT { DEFAULT.to_owned() } else { format!("{} {}", route.method, route.path) };
        Some(Found { function: route.function.clone(), key, parameters })
    }
}

fn matches(route: &Route, method: &str, path: &str) -> Option<(Rank, Vec<(String, String)>)> {
    if route.path == DEFAULT {
        return Some((Rank { default: true, greedy: true, variables: 0, any: true }, Vec::new()));
    }
    let any = route.method == "ANY";
    if !any && !route.method.eq_ignore_ascii_case(method) {
        return None;
    }
    let mut parameters = Vec::new();
    let mut rest = segments(path);
    for pattern in segments(&route.path) {
        if let Some(name) = pattern.strip_prefix('{').and_then(|name| name.strip_suffix("+}")) {
            if rest.len() == 0 {
                return None;
            }
            parameters.push((name.to_owned(), rest.collect::<Vec<_>>().join("/")));
            return Some((Rank { default: false, greedy: true, variables: parameters.len(), any }, parameters));
        }
        let segment = rest.next()?;
        match pattern.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(_) if segment.is_empty() => return None,
            Some(name) => parameters.push((name.to_owned(), segment.to_owned())),
            None if pattern == segment => {}
            None => return None,
        }
    }
    let rank = Rank { default: false, greedy: false, variables: parameters.len(), any };
    (rest.len() == 0).then_some((rank, parameters))
}

fn segments(path: &str) -> std::vec::IntoIter<&str> {
    let path = path.strip_prefix('/').unwrap_or(path);
    if path.is_empty() { Vec::new().into_iter() } else { path.split('/').collect::<Vec<_>>().into_iter() }
}

/// Undoes percent-encoding; what is no percent-encoded UTF-8 stays as it is.
pub(super) fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let code = tail.get(..2).and_then(|code| std::str::from_utf8(code).ok());
        let decoded = code.filter(|_| byte == b'%').and_then(|code| u8::from_str_radix(code, 16).ok());
        bytes.push(decoded.unwrap_or(byte));
        rest = if decoded.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}
