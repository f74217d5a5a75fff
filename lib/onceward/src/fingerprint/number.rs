/// The most digits of an exponent, leading zeros not counted: no number that means something has a longer one, and the
/// arithmetic on it stays exact in 64 bits.
pub(super) const EXPONENT_DIGITS_MAX: usize = 15;

/// The exact decimal value of a JSON number, as `{significant digits}` or `{significant digits}e{exponent}`; `None` if
/// its exponent has too many digits.
///
/// Nothing is calculated but the exponent: `1e1000000000` must not become a billion digits.
pub(super) fn canonical(number: &str) -> Option<String> {
    let (sign, number) = number.strip_prefix('-').map_or(("", number), |rest| ("-", rest));
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, fraction].concat();
    let leading = digits.trim_start_matches('0');
    let significant = leading.trim_end_matches('0');
    if significant.is_empty() {
        return Some("0".to_owned());
    }
    let moved = i64::try_from(leading.len() - significant.len()).ok()? - i64::try_from(fraction.len()).ok()?;
    Some(match exponent_value(exponent)?.checked_add(moved)? {
        0 => format!("{sign}{significant}"),
        exponent => format!("{sign}{significant}e{exponent}"),
    })
}

fn exponent_value(text: &str) -> Option<i64> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let digits = digits.strip_prefix('+').unwrap_or(digits).trim_start_matches('0');
    if digits.len() > EXPONENT_DIGITS_MAX {
        return None;
    }
    let value: i64 = if digits.is_empty() { 0 } else { digits.parse().ok()? };
    Some(if negative { -value } else { value })
}
