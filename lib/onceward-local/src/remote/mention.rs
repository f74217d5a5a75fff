//! Names in text: whether one is there as a whole, and another in its place.

/// Whether `text` has `name` in it, and not only as the beginning or the end of a longer one.
pub(super) fn mentions(text: &str, name: &str) -> bool {
    positions(text, name).next().is_some()
}

/// `text` with `other` wherever it has `name` as a whole.
pub(super) fn renamed(text: &str, name: &str, other: &str) -> String {
    let (mut renamed, mut rest) = (String::new(), 0);
    for position in positions(text, name) {
        renamed.push_str(&text[rest..position]);
        renamed.push_str(other);
        rest = position + name.len();
    }
    renamed.push_str(&text[rest..]);
    renamed
}

fn positions<'t>(text: &'t str, name: &'t str) -> impl Iterator<Item = usize> {
    let part = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    text.match_indices(name).map(|(position, _)| position).filter(move |position| {
        let before = text[..*position].chars().next_back();
        let after = text[position + name.len()..].chars().next();
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_and_replaced_only_as_a_whole() {
        let text = "a=http://h/0/orders,b=http://h/0/orders-dlq,c=http://h/0/orders";
        assert!(mentions(text, "http://h/0/orders"));
        assert!(!mentions("http://h/0/orders.fifo", "http://h/0/orders"));
        assert!(!mentions("my-orders", "orders"));
        let expected = "a=http://x/1/orders,b=http://h/0/orders-dlq,c=http://x/1/orders";
        assert_eq!(renamed(text, "http://h/0/orders", "http://x/1/orders"), expected);
    }
}
