//! Tests for handlers, and the contract every adapter passes.
