use serde::{Serialize, de::DeserializeOwned};

/// A fact that other functions can react to.
///
/// The name is in the past tense. On the wire its type is `domain.action.vN`, for instance `stock.reserved.v1`.
pub trait Event: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// `domain.action`, lower case, without the version: `stock.reserved`.
    const TYPE: &'static str;

    /// Version of the payload's shape, counted from 1. A change that old readers cannot read gets the next one.
    const VERSION: u32 = 1;

    /// What the event is about: the id of the order, product, … It becomes the CloudEvents `subject`.
    fn subject(&self) -> String;

    /// The type on the wire, `domain.action.vN`.
    fn wire_type() -> String {
        format!("{}.v{}", Self::TYPE, Self::VERSION)
    }
}
