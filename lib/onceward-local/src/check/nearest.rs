//! What somebody may have meant.

/// How alike two names are, from 0 to 1, before one is suggested for the other: `invoice.issued` and
/// `invoice.issued.v1` are 0.96.
const ALIKE_MIN: f64 = 0.85;

/// The known name that is most like `name`, if one is.
pub(super) fn nearest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let alike = known.into_iter().map(|known| (strsim::jaro_winkler(name, known), known));
    let best = alike.filter(|(alike, known)| *alike >= ALIKE_MIN && *known != name);
    best.max_by(|left, right| left.0.total_cmp(&right.0)).map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forgotten_version_and_a_slip_are_suggested_and_another_thing_is_not() {
        let known = ["invoice.issued.v1", "invoice.sent.v1"];
        assert_eq!(nearest("invoice.issued", known), Some("invoice.issued.v1"));
        assert_eq!(nearest("invoice.snet.v1", known), Some("invoice.sent.v1"));
        assert_eq!(nearest("payment.received.v1", known), None);
    }
}
