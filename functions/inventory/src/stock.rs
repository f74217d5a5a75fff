use onceward::{Entity, Key};
use serde::{Deserialize, Serialize};

/// How much of a product there is.
///
/// Many orders change the same row at once: it is changed by conditional updates, never read, changed and written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stock {
    /// Which product.
    pub product_id: String,
    /// Can be ordered.
    pub available: i64,
    /// Set aside for orders.
    pub reserved: i64,
}

impl Stock {
    /// Where the product's row is.
    pub fn key_of(product_id: &str) -> Key {
        Key::new("pk", format!("product#{product_id}"))
    }
}

impl Entity for Stock {
    const TABLE: &'static str = "inventory";

    fn key(&self) -> Key {
        Self::key_of(&self.product_id)
    }
}
