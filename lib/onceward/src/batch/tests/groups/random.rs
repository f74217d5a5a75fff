use std::{collections::HashMap, sync::Arc};

use super::{assert_disjoint, count, row};
use crate::{
    Context, Delivery, Function, HandlerError, HandlerResult, Randomness, UnitOfWork, absent, all, equals,
    fixture::{Counter, Fault, FaultyLedger, Ping, World, again},
    memory::SeededRandomness,
};

const SEEDS: u64 = 300;

/// How many rows all records share.
const ROWS: u32 = 6;

/// How often a batch comes back at most until everything is handled.
const ROUNDS_MAX: u32 = 100;

/// What happens in a run follows from its seed.
#[derive(Clone)]
struct Chance(Arc<SeededRandomness>);

impl Chance {
    fn below(&self, bound: u32) -> u32 {
        u32::try_from(self.0.next_u64() % u64::from(bound)).expect("it is below the bound")
    }

    fn one_in(&self, bound: u32) -> bool {
        self.below(bound) == 0
    }
}

/// The rows that an event of this value counts in: two of the shared ones, or none.
fn rows(value: u32) -> Vec<u32> {
    match value % 5 {
        0 => vec![],
        1 => vec![value % ROWS],
        _ => vec![value % ROWS, (value + 1) % ROWS],
    }
}

fn function(chance: Chance, ledger: Arc<FaultyLedger>) -> Function {
    let limit = |bound| usize::try_from(1 + chance.below(bound)).expect("it is small");
    let function = Function::new("count").concurrency(limit(12)).commits_grouped(limit(12));
    let function = if chance.one_in(3) { function.guarded() } else { function };
    function.on(move |ping, context| handle(ping, context, chance.clone(), ledger.clone()))
}

async fn handle(ping: Ping, context: Context, chance: Chance, ledger: Arc<FaultyLedger>) -> HandlerResult {
    for _ in 0..chance.below(4) {
        tokio::task::yield_now().await;
    }
    if chance.one_in(4) {
        let faults = [Fault::Busy, Fault::AnswerLost, Fault::Broken, Fault::Panic];
        ledger.fail([faults[usize::try_from(chance.below(4))?]]);
    }
    let mut unit = UnitOfWork::new().publish(&ping);
    for value in rows(ping.value) {
        if chance.one_in(3) {
            let before = context.load::<Counter>(&row(value)).await?.map_or(0, |counter| counter.count);
            tokio::task::yield_now().await;
            let unread = if before == 0 { absent() } else { equals("count", before) };
            unit = unit.update::<Counter>(row(value), Counter::one_more(), unread);
        } else {
            unit = unit.update::<Counter>(row(value), Counter::one_more(), all([]));
        }
    }
    match chance.below(12) {
        0 => panic!("bad luck"),
        1 => Err(HandlerError::from(std::io::Error::other("bad luck"))),
        _ => Ok(unit),
    }
}

/// Some events are in two messages, some messages in a message group.
fn batch(world: &World, chance: &Chance) -> Vec<Delivery> {
    (0..=chance.below(40))
        .map(|id| {
            let value = chance.below(40);
            let ordering_key = chance.one_in(3).then(|| chance.below(3).to_string());
            Delivery { ordering_key, ..world.delivery_of(&id.to_string(), world.body(&value.to_string(), value)) }
        })
        .collect()
}

#[tokio::test]
async fn whatever_fails_each_acknowledged_record_counts_once() {
    let mut grouped = 0;
    for seed in 0..SEEDS {
        let (world, chance) = (World::new(), Chance(Arc::new(SeededRandomness::new(seed))));
        let function = function(chance.clone(), world.ledger.clone());
        let mut batch = batch(&world, &chance);
        let bodies: Vec<_> = batch.iter().map(|message| message.body.clone()).collect();
        for receive_count in 1..=ROUNDS_MAX {
            let round = batch.iter().map(|message| again(message, receive_count)).collect::<Vec<_>>();
            let failed = world.handle(&function, round).await;
            batch.retain(|message| failed.contains(&message.message_id));
        }
        assert!(batch.is_empty(), "seed {seed}: {} messages are never handled", batch.len());
        assert_effects(&world, &bodies, seed).await;
        for group in world.ledger.groups() {
            assert_disjoint(&group);
            assert!(group.len() <= function.settings.commits_grouped.min(function.settings.concurrency));
        }
        assert_eq!(world.ledger.meetings(), 0, "seed {seed}");
        grouped += world.ledger.groups().len();
    }
    assert!(grouped > 1_000, "only {grouped} groups: there was little to test");
}

/// Each event once, in its rows and in the outbox.
async fn assert_effects(world: &World, bodies: &[String], seed: u64) {
    let mut values: Vec<_> = bodies.iter().map(|body| value(body)).collect();
    values.sort_unstable();
    values.dedup();
    let mut expected = HashMap::new();
    for at in values.iter().flat_map(|value| rows(*value)) {
        *expected.entry(at).or_insert(0) += 1;
    }
    for at in 0..ROWS {
        assert_eq!(count(world, at).await, expected.get(&at).copied().unwrap_or(0), "seed {seed}, row {at}");
    }
    let outbox = world.ledger.memory().take_outbox();
    let mut published: Vec<u32> = outbox.iter().filter_map(|event| event.subject.as_ref()?.parse().ok()).collect();
    published.sort_unstable();
    assert_eq!(published, values, "seed {seed}");
    assert!(world.queue.letters().is_empty());
}

fn value(body: &str) -> u32 {
    let envelope = crate::Envelope::parse(body).expect("it is an event");
    serde_json::from_str::<Ping>(envelope.data.get()).expect("it is a ping").value
}
