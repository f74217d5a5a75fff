//! The EventBridge bus: patterns, rules, targets and the `AWSEvents` protocol.

mod pattern;

pub use self::pattern::{ALTERNATIVES_MAX, Pattern, PatternError};
