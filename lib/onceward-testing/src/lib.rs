//! Tests for handlers, and the contract that every adapter passes.
//!
//! # Test a handler
//!
//! A [`Harness`] is everything that a function sees of the world, in memory: *given* rows, *when* an event is
//! delivered, *then* rows, published events, dead letters. Nothing waits and nothing leaves the process.
//!
//! ```
//! use onceward::{Context, Entity, Event, Function, HandlerResult, Key, UnitOfWork, Update, at_least};
//! use onceward_testing::Harness;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Debug, PartialEq, Serialize, Deserialize)]
//! struct Account {
//!     owner: String,
//!     balance: i64,
//! }
//!
//! impl Entity for Account {
//!     const TABLE: &'static str = "accounts";
//!     fn key(&self) -> Key {
//!         Key::new("owner", &self.owner)
//!     }
//! }
//!
//! #[derive(Debug, PartialEq, Serialize, Deserialize)]
//! struct RentDue {
//!     owner: String,
//!     amount: i64,
//! }
//!
//! impl Event for RentDue {
//!     const TYPE: &'static str = "rent.due";
//!     fn subject(&self) -> String {
//!         self.owner.clone()
//!     }
//! }
//!
//! #[derive(Debug, PartialEq, Serialize, Deserialize)]
//! struct RentPaid {
//!     owner: String,
//! }
//!
//! impl Event for RentPaid {
//!     const TYPE: &'static str = "rent.paid";
//!     fn subject(&self) -> String {
//!         self.owner.clone()
//!     }
//! }
//!
//! async fn pay_rent(due: RentDue, _context: Context) -> HandlerResult {
//!     let pay = Update::new().subtract("balance", due.amount);
//!     let unit = UnitOfWork::new()
//!         .update::<Account>(Key::new("owner", &due.owner), pay, at_least("balance", due.amount));
//!     Ok(unit.publish(&RentPaid { owner: due.owner }))
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let harness = Harness::new().given(&Account { owner: "ada".to_owned(), balance: 900 });
//!
//! let due = RentDue { owner: "ada".to_owned(), amount: 400 };
//! let function = Function::new("pay-rent").writes::<Account>().publishes::<RentPaid>().on(pay_rent);
//! harness.deliver_twice(&function, &due).await;
//!
//! let account = harness.load::<Account>(&Key::new("owner", "ada"));
//! assert_eq!(account, Some(Account { owner: "ada".to_owned(), balance: 500 }));
//! assert_eq!(harness.published::<RentPaid>(), [RentPaid { owner: "ada".to_owned() }]);
//! # }
//! ```
//!
//! # Test an adapter
//!
//! [`contract::ledger_cases`] lists what every [`Ledger`](onceward::Ledger) must do, one named case each;
//! [`contract::source_queue_cases`] and [`contract::publisher_cases`] do so for the other ports.

pub mod contract;
mod harness;

pub use harness::{Answer, Delivered, Harness, Message};

/// The README's code compiles, and its test passes.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
