use std::collections::HashSet;

use onceward::HandlerError;

use super::PlaceOrder;

/// The most lines of an order: each is one row of the transaction that reserves the stock.
const LINES_MAX: usize = 50;
/// The most pieces of one product.
const QUANTITY_MAX: u32 = 10_000;
/// The highest total, in minor units: a sum that a double still holds exactly, for clients that read JSON as one.
const TOTAL_MAX: i64 = 1_000_000_000_000;
/// The longest text of a field, in bytes.
const TEXT_BYTES_MAX: usize = 200;

impl PlaceOrder {
    /// The order's total in minor units, or the first field that is wrong.
    pub(super) fn validate(&self) -> Result<i64, HandlerError> {
        let address = &self.shipping_address;
        for (field, value) in [
            ("customer_id", &self.customer_id),
            ("payment_token", &self.payment_token),
            ("shipping_address.name", &address.name),
            ("shipping_address.line1", &address.line1),
            ("shipping_address.city", &address.city),
            ("shipping_address.postal_code", &address.postal_code),
        ] {
            text(field, value)?;
        }
        letters("currency", &self.currency, 3, "an ISO 4217 code such as EUR")?;
        letters("shipping_address.country", &address.country, 2, "an ISO 3166-1 alpha-2 code such as DE")?;
        if !(1..=LINES_MAX).contains(&self.lines.len()) {
            let message = format!("an order has 1 to {LINES_MAX} lines, not {}", self.lines.len());
            return Err(HandlerError::invalid("lines", message));
        }
        self.total()
    }

    fn total(&self) -> Result<i64, HandlerError> {
        let mut products = HashSet::new();
        let mut total = 0_i64;
        for (index, line) in self.lines.iter().enumerate() {
            let field = |name: &str| format!("lines[{index}].{name}");
            text(&field("product_id"), &line.product_id)?;
            if !products.insert(&line.product_id) {
                let message = "the product has a line already: add up the quantities";
                return Err(HandlerError::invalid(field("product_id"), message));
            }
            if !(1..=QUANTITY_MAX).contains(&line.quantity) {
                let message = format!("must be 1 to {QUANTITY_MAX}, not {}", line.quantity);
                return Err(HandlerError::invalid(field("quantity"), message));
            }
            if line.unit_price < 0 {
                return Err(HandlerError::invalid(field("unit_price"), "must not be negative"));
            }
            let sum = line.unit_price.checked_mul(i64::from(line.quantity)).and_then(|sum| total.checked_add(sum));
            total = sum.filter(|sum| *sum <= TOTAL_MAX).ok_or_else(|| {
                HandlerError::invalid(field("unit_price"), format!("the total exceeds {TOTAL_MAX} minor units"))
            })?;
        }
        if total == 0 {
            return Err(HandlerError::invalid("lines", "the total must be more than 0"));
        }
        Ok(total)
    }
}

fn text(field: &str, value: &str) -> Result<(), HandlerError> {
    if !(1..=TEXT_BYTES_MAX).contains(&value.len()) {
        let message = format!("must have 1 to {TEXT_BYTES_MAX} bytes, not {}", value.len());
        return Err(HandlerError::invalid(field, message));
    }
    if value.chars().any(char::is_control) {
        return Err(HandlerError::invalid(field, "must not contain control characters"));
    }
    Ok(())
}

fn letters(field: &str, value: &str, length: usize, expected: &str) -> Result<(), HandlerError> {
    if value.len() == length && value.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Ok(());
    }
    Err(HandlerError::invalid(field, format!("must be {expected}")))
}
