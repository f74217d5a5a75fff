//! Direct invocations: whoever invokes is told what became of the event.

use crate::{
    Context, Function, HandlerError, UnitOfWork, all,
    batch::InvocationFailure,
    fixture::{Counter, Fault, Ping, World},
};

/// Answers the value; zero fails, a hundred is terminal, two hundred panics.
fn answering() -> Function {
    Function::new("answer").on(|ping: Ping, _: Context| async move {
        match ping.value {
            0 => Err(HandlerError::from(std::io::Error::other("zero fails"))),
            100 => Err(HandlerError::terminal("a hundred is wrong")),
            200 => panic!("two hundred is odd"),
            value => {
                let unit = UnitOfWork::new().update::<Counter>(Counter::the_key(), Counter::one_more(), all([]));
                Ok(unit.answer(&value))
            }
        }
    })
}

async fn invoke(world: &World, value: u32) -> Result<Option<String>, InvocationFailure> {
    let delivery = world.delivery(&value.to_string(), value);
    answering().invoke(&world.ports, world.invocation(), delivery).await
}

#[tokio::test]
async fn a_direct_invocation_gets_the_answer_now_and_when_it_is_repeated() {
    let world = World::new();
    for _ in 0..2 {
        assert_eq!(invoke(&world, 7).await, Ok(Some("7".to_owned())));
    }
    assert_eq!(world.count().await, 1);
}

#[tokio::test]
async fn a_direct_invocation_that_failed_says_why_and_sends_no_letter() {
    let world = World::new();
    for (value, kind, message) in [
        (0, "Retryable", "zero fails"),
        (100, "Terminal", "a hundred is wrong"),
        (200, "Retryable", "the handler panicked: two hundred is odd"),
    ] {
        let failure = invoke(&world, value).await.unwrap_err();
        assert_eq!((failure.kind, failure.message.contains(message)), (kind, true), "{failure:?}");
    }
    world.ledger.fail([Fault::Broken]);
    assert_eq!(invoke(&world, 7).await.unwrap_err().kind, "Retryable");
    assert!(world.queue.letters().is_empty() && world.delays().is_empty());
    assert_eq!(world.count().await, 0);
}
