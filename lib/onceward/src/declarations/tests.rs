use crate::{
    Access, Context, Event as _, Function, FunctionKind, HandlerResult, Query, Reason, UnitOfWork, all,
    fixture::{Counter, Ping, World},
};

/// Changes a row and publishes an event.
async fn count(ping: Ping, _: Context) -> HandlerResult {
    let unit = UnitOfWork::new().update::<Counter>(Counter::the_key(), Counter::one_more(), all([]));
    Ok(unit.publish(&ping))
}

async fn look(_: Ping, context: Context) -> HandlerResult {
    context.load::<Counter>(&Counter::the_key()).await?;
    Ok(UnitOfWork::new().check::<Counter>(Counter::the_key(), all([])))
}

/// What the letter says of a function that is held to its declarations; `None` if it was handled.
async fn refusal(strict: bool, function: Function) -> Option<(Reason, String)> {
    let mut world = World::new();
    world.ports.strict = strict;
    let failed = world.handle(&function, [world.delivery("1", 1)]).await;
    assert!(failed.is_empty(), "nothing is tried again");
    let letter = world.queue.letters().into_iter().next()?;
    Some((letter.reason, letter.error))
}

#[tokio::test]
async fn a_function_that_does_what_it_has_not_declared_is_refused_with_the_line_to_write() {
    let function = || Function::new("f");
    let nothing = refusal(true, function().on(count)).await.expect("refused");
    assert_eq!(nothing.0, Reason::InvalidUnitOfWork);
    assert!(nothing.1.contains("f publishes ping.sent.v1 and does not say so: add .publishes::<…>()"), "{}", nothing.1);

    let no_table = refusal(true, function().publishes::<Ping>().on(count)).await.expect("refused").1;
    assert!(
        no_table.contains("writes rows of the table `counters` and does not say so: add .writes::<…>()"),
        "{no_table}"
    );
    let reads = refusal(true, function().publishes::<Ping>().reads::<Counter>().on(count)).await.expect("refused").1;
    assert!(reads.contains("add .writes::<…>()"), "to read is not to write: {reads}");

    let all_said = function().publishes::<Ping>().writes::<Counter>().reads::<Counter>();
    assert_eq!(refusal(true, all_said.on(count)).await, None);
}

#[tokio::test]
async fn a_read_that_was_not_declared_is_refused_and_a_check_is_a_read() {
    let (reason, error) = refusal(true, Function::new("f").on(look)).await.expect("refused");
    assert_eq!(reason, Reason::Terminal);
    assert!(error.contains("reads rows of the table `counters` and does not say so: add .reads::<T>()"), "{error}");
    assert_eq!(refusal(true, Function::new("f").reads::<Counter>().on(look)).await, None);
}

#[tokio::test]
async fn deployed_nothing_is_lost_for_a_declaration() {
    assert_eq!(refusal(false, Function::new("f").on(count)).await, None);
    assert_eq!(refusal(false, Function::new("f").on(look)).await, None);
}

#[test]
fn a_description_has_what_was_declared() {
    let described =
        Function::new("f").source("s").guarded().publishes::<Ping>().writes::<Counter>().on(count).describe();
    assert_eq!((described.name, described.kind, described.source), ("f", FunctionKind::Function, Some("s")));
    assert_eq!((described.handles, described.publishes), (vec![Ping::wire_type()], vec![Ping::wire_type()]));
    assert_eq!((described.tables, described.guarded), (vec![("counters", Access::Write)], Some(true)));
    let query = Query::new("q", "id", |_, _| async { Ok(None::<()>) }).reads::<Counter>().describe();
    assert_eq!((query.kind, query.tables), (FunctionKind::Query, vec![("counters", Access::Read)]));
    assert_eq!((query.guarded, query.retention), (None, None), "it keeps no ledger");
}
