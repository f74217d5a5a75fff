use std::time::Duration;

use super::{Function, FunctionError};
use crate::{Context, UnitOfWork, fixture::Ping};

async fn ignore(_: Ping, _: Context) -> crate::HandlerResult {
    Ok(UnitOfWork::new())
}

#[test]
fn a_function_that_cannot_work_says_so_in_one_line_before_the_first_event() {
    let broken = [
        (Function::new("f"), "the function f handles no event type: give it a handler with .on()"),
        (Function::new("f").on(ignore).on(ignore), "the function f has two handlers for ping.sent.v1: keep one"),
        (Function::new("a#b").on(ignore), "the function's name is \"a#b\": it must have 1 to 64 letters"),
        (Function::new("breaker").on(ignore), "no usable name: it must be another"),
        (Function::new("").on(ignore), "the function's name is \"\""),
        (Function::new("f").concurrency(0).on(ignore), "no usable concurrency: it must be 1 record at least"),
        (Function::new("f").commits_grouped(0).on(ignore), "no usable commits_grouped: it must be 1 to 100 records"),
        (Function::new("f").commits_grouped(101).on(ignore), "no usable commits_grouped"),
        (Function::new("f").retention(Duration::ZERO).on(ignore), "no usable retention"),
        (Function::new("f").source("").on(ignore), "no usable source"),
        (Function::new("f").idempotency_header("").on(ignore), "no usable idempotency_header"),
    ];
    for (function, expected) in broken {
        let error = function.check().unwrap_err().to_string();
        assert!(error.contains(expected) && !error.contains('\n'), "{error}");
    }
    assert_eq!(Function::new("f").on(ignore).check(), Ok::<(), FunctionError>(()));
}
