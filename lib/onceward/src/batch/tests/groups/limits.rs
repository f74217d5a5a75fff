use super::{alone, counting, sizes};
use crate::{
    Context, Function, Key, UnitOfWork, Update, absent, all,
    fixture::{Counter, Ping, Runs, World},
};

/// Touches as many rows as its value says, and no row of another record.
fn writing() -> Function {
    Function::new("write").commits_grouped(100).on(|ping: Ping, context: Context| async move {
        let rows = (0..ping.value).map(|index| Key::new("pk", format!("{}-{index}", context.event().id)));
        let write = |unit: UnitOfWork, key| unit.update::<Counter>(key, Counter::one_more(), absent());
        Ok(rows.fold(UnitOfWork::new(), write))
    })
}

async fn sizes_of<const N: usize>(function: &Function, values: [u32; N]) -> (Vec<usize>, usize) {
    let world = World::new();
    let batch: Vec<_> = (0..).zip(values).map(|(id, value): (u32, _)| world.delivery(&id.to_string(), value)).collect();
    assert!(world.handle(function, batch).await.is_empty());
    (sizes(&world), alone(&world))
}

#[tokio::test]
async fn a_group_has_no_more_records_than_the_function_says() {
    let sizes = sizes_of(&writing().commits_grouped(4), [1; 10]).await;
    assert_eq!(sizes, (vec![4, 4, 2], 0));
}

#[tokio::test]
async fn a_group_has_no_more_records_than_run_at_a_time() {
    let sizes = sizes_of(&writing().concurrency(3), [1; 7]).await;
    assert_eq!(sizes, (vec![3, 3], 1));
}

#[tokio::test]
async fn a_group_has_a_hundred_actions_at_most_records_included() {
    assert_eq!(sizes_of(&writing(), [49, 49]).await, (vec![2], 0));
    assert_eq!(sizes_of(&writing(), [49, 50]).await, (vec![], 2));
    assert_eq!(sizes_of(&writing(), [99, 0]).await, (vec![], 2));
    assert_eq!(sizes_of(&writing(), [60, 60, 30, 30]).await, (vec![2, 2], 0));
    assert_eq!(sizes_of(&writing().concurrency(200), [0; 150]).await, (vec![100, 50], 0));
}

/// DynamoDB takes 4 MB: ten rows of nearly 400 KB.
#[tokio::test]
async fn a_group_has_four_megabytes_at_most() {
    let large =
        Function::new("large").commits_grouped(100).concurrency(20).on(|ping: Ping, context: Context| async move {
            let text = "x".repeat(usize::try_from(ping.value)?);
            let key = Key::new("pk", &context.event().id);
            Ok(UnitOfWork::new().update::<Counter>(key, Update::new().set("text", text), all([])))
        });
    assert_eq!(sizes_of(&large, [398_000; 10]).await, (vec![10], 0));
    assert_eq!(sizes_of(&large, [400_000; 12]).await, (vec![9, 3], 0));
}

/// The second may wait for the first; it is never beside it.
#[tokio::test]
async fn groups_with_a_common_row_are_sent_one_after_the_other() {
    let world = World::new();
    let function = counting(&Runs::default()).commits_grouped(2);
    let values = [0, 1, 0, 2];
    let batch: Vec<_> = (0..).zip(values).map(|(id, value): (u32, _)| world.delivery(&id.to_string(), value)).collect();
    assert!(world.handle(&function, batch).await.is_empty());
    assert_eq!((sizes(&world), alone(&world), world.ledger.meetings()), (vec![2, 2], 0, 0));
}
