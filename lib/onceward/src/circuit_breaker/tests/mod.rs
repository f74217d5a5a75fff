mod function;
mod outages;
mod probes;
mod shared;
mod state;

use std::sync::{Arc, OnceLock};

use chrono::{DateTime, Utc};

use super::*;
use crate::{Context, EventMetadata, TraceContext, context::Call, fixture::World};

type Answer = Result<u32, CircuitBreakerError<std::io::Error>>;

/// Two environments, each with its own breaker, on one store.
fn two() -> [CircuitBreaker; 2] {
    [breaker(), breaker()]
}

fn breaker() -> CircuitBreaker {
    CircuitBreaker::new("gateway")
}

fn context(world: &World) -> Context {
    let event = EventMetadata {
        id: "e-1".to_owned(),
        event_type: "ping.sent.v1".to_owned(),
        source: "tests".to_owned(),
        subject: String::new(),
        time: world.now(),
        sequence: None,
        correlation_id: "e-1".to_owned(),
        trace: TraceContext::new(1, 1),
    };
    let call = Call {
        ports: world.ports.clone(),
        event,
        idempotency_key: "e-1".to_owned(),
        identity: None,
        invocation: world.invocation(),
        attempt: 1,
        declared: Arc::default(),
        subject: OnceLock::new(),
    };
    Context { dependencies: Arc::new(()), call: Arc::new(call) }
}

async fn succeed(world: &World, breaker: &CircuitBreaker) -> Answer {
    breaker.call(&context(world), async || Ok(1)).await
}

async fn fail(world: &World, breaker: &CircuitBreaker) -> Answer {
    breaker.call(&context(world), async || Err(std::io::Error::other("down"))).await
}

/// Fails until the breaker is open.
async fn open(world: &World, breaker: &CircuitBreaker) {
    for _ in 0..FAILURES_MAX {
        assert!(matches!(fail(world, breaker).await, Err(CircuitBreakerError::Failed(_))));
    }
}

/// Until when a call is refused; it must be.
#[track_caller]
fn refused(answer: Answer) -> DateTime<Utc> {
    match answer {
        Err(CircuitBreakerError::Open(open)) => open.until,
        other => panic!("expected a refusal, got {other:?}"),
    }
}
