//! The partition key that a query asks for: the one value of its key condition that is compared with `=`.

use std::collections::HashMap;

/// The value's placeholder in `expression`, for the partition key `key`: in `#id = :id AND begins_with(sk, :s)` with
/// `#id` for `id`, that of `id` is `:id`.
pub(super) fn equal_to<'e>(expression: &'e str, key: &str, names: &HashMap<String, String>) -> Option<&'e str> {
    let tokens = tokens(expression);
    let is_key = |token: &str| token == key || names.get(token).is_some_and(|name| name == key);
    tokens.windows(3).find_map(|window| match window {
        [name, "=", value] if is_key(name) && value.starts_with(':') => Some(*value),
        [value, "=", name] if is_key(name) && value.starts_with(':') => Some(*value),
        _ => None,
    })
}

fn tokens(expression: &str) -> Vec<&str> {
    let word = |c: char| c.is_alphanumeric() || "_#:.-".contains(c);
    let mut tokens = Vec::new();
    let mut rest = expression.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if word(first) { rest.find(|c| !word(c)).unwrap_or(rest.len()) } else { first.len_utf8() };
        let (token, after) = rest.split_at(length);
        // Brackets around a condition mean nothing here.
        if !"()".contains(token) {
            tokens.push(token);
        }
        rest = after.trim_start();
    }
    tokens
}
