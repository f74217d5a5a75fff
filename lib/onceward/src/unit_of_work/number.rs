//! Numbers as DynamoDB keeps them: decimal, of limited precision and magnitude.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html#HowItWorks.DataTypes.Number>

use std::ops::RangeInclusive;

use bigdecimal::{BigDecimal, Zero as _, num_bigint::Sign};

/// The most digits a number may have, zeros at either end not counted.
const DIGITS_MAX: u64 = 38;

/// What the exponent of a number other than zero may be in scientific notation.
const EXPONENTS: RangeInclusive<i64> = -130..=125;

/// The number without zeros at its end; `None` if the text is none, or one that DynamoDB refuses.
pub(crate) fn parse(text: &str) -> Option<BigDecimal> {
    // The crate would skip underscores between digits.
    let number = text.parse::<BigDecimal>().ok().filter(|_| !text.contains('_'))?.normalized();
    let kept = number.digits() <= DIGITS_MAX && EXPONENTS.contains(&number.order_of_magnitude());
    Some(number).filter(|number| kept || number.is_zero())
}

/// No fewer bytes than the number has in DynamoDB: one, and one for each two digits.
///
/// The documentation says "approximately". So the digits on either side of the point are rounded up by themselves, and
/// a minus sign counts.
pub(super) fn bytes(number: &BigDecimal) -> usize {
    let digits = i64::try_from(number.digits()).unwrap_or(i64::MAX);
    let whole = (number.order_of_magnitude() + 1).clamp(0, digits);
    let pairs = [whole, digits - whole].map(|digits| usize::try_from(digits).unwrap_or(usize::MAX).div_ceil(2));
    1 + pairs[0] + pairs[1] + usize::from(number.sign() == Sign::Minus)
}
