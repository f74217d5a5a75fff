use std::sync::{Arc, Mutex};

use crate::{
    Context, Delivery, Function, HandlerError, UnitOfWork,
    fixture::{Ping, World},
};

/// What was handled, in order. Zero fails, a hundred is terminal.
#[derive(Clone, Default)]
struct Journal(Arc<Mutex<Vec<u32>>>);

impl Journal {
    fn function(&self) -> Function {
        let journal = self.clone();
        Function::new("note").on(move |ping: Ping, _: Context| {
            let journal = journal.clone();
            async move {
                tokio::task::yield_now().await;
                journal.0.lock().unwrap().push(ping.value);
                match ping.value {
                    0 => Err(HandlerError::from(std::io::Error::other("zero fails"))),
                    100 => Err(HandlerError::terminal("a hundred is wrong")),
                    _ => Ok(UnitOfWork::new()),
                }
            }
        })
    }

    /// Those of one group, which are told apart by their tens.
    fn of(&self, tens: u32) -> Vec<u32> {
        self.0.lock().unwrap().iter().copied().filter(|value| value / 10 == tens).collect()
    }
}

fn in_group(world: &World, group: &str, id: &str, value: u32) -> Delivery {
    Delivery { ordering_key: Some(group.to_owned()), ..world.delivery(id, value) }
}

#[tokio::test]
async fn a_group_is_handled_in_order_whatever_stands_between() {
    let (world, journal) = (World::new(), Journal::default());
    let batch: Vec<_> = (1..=9)
        .flat_map(|n| {
            [in_group(&world, "a", &format!("a{n}"), 10 + n), in_group(&world, "b", &format!("b{n}"), 20 + n)]
        })
        .collect();
    assert!(world.handle(&journal.function(), batch).await.is_empty());
    assert_eq!(journal.of(1), (11..=19).collect::<Vec<_>>());
    assert_eq!(journal.of(2), (21..=29).collect::<Vec<_>>());
}

#[tokio::test]
async fn after_a_failure_the_rest_of_the_group_fails_in_order_and_other_groups_go_on() {
    let (world, journal) = (World::new(), Journal::default());
    let batch = [
        in_group(&world, "a", "1", 11),
        in_group(&world, "b", "2", 21),
        in_group(&world, "a", "3", 0),
        in_group(&world, "a", "4", 12),
        in_group(&world, "b", "5", 22),
        in_group(&world, "a", "6", 13),
        world.delivery("7", 31),
    ];
    assert_eq!(world.handle(&journal.function(), batch).await, ["m-3", "m-4", "m-6"]);
    assert_eq!((journal.of(1), journal.of(2), journal.of(3)), (vec![11], vec![21, 22], vec![31]));
    let delays = world.delays();
    assert_eq!(delays.iter().map(|(handle, _)| handle.as_str()).collect::<Vec<_>>(), ["r-3", "r-4", "r-6"]);
    assert!(delays.iter().all(|(_, delay)| *delay == delays[0].1), "a group comes back together: {delays:?}");
}

#[tokio::test]
async fn a_dead_letter_does_not_stop_its_group_and_keeps_its_group() {
    let (world, journal) = (World::new(), Journal::default());
    let batch = [in_group(&world, "a", "1", 100), in_group(&world, "a", "2", 11)];
    assert!(world.handle(&journal.function(), batch).await.is_empty());
    assert_eq!(journal.of(1), [11]);
    assert_eq!(world.queue.letters()[0].group.as_deref(), Some("a"));
}

#[tokio::test]
async fn messages_without_a_group_run_side_by_side_within_the_limit() {
    #[derive(Default)]
    struct Gauge {
        now: u32,
        most: u32,
    }
    for (limit, most) in [(3, 3), (1, 1), (0, 1), (50, 12)] {
        let (world, gauge) = (World::new(), Arc::new(Mutex::new(Gauge::default())));
        let inside = gauge.clone();
        let function = Function::new("gauge").concurrency(limit).on(move |_: Ping, _: Context| {
            let gauge = inside.clone();
            async move {
                {
                    let mut gauge = gauge.lock().unwrap();
                    gauge.now += 1;
                    gauge.most = gauge.most.max(gauge.now);
                }
                tokio::task::yield_now().await;
                gauge.lock().unwrap().now -= 1;
                Ok(UnitOfWork::new())
            }
        });
        let batch: Vec<_> = (0..12).map(|id| world.delivery(&id.to_string(), 1)).collect();
        assert!(world.handle(&function, batch).await.is_empty());
        assert_eq!(gauge.lock().unwrap().most, most, "with a limit of {limit}");
    }
}

#[tokio::test]
async fn a_function_can_name_what_orders_its_events() {
    let (world, journal) = (World::new(), Journal::default());
    let by_tens = journal.function().ordered_by(|envelope| {
        let ping: Ping = serde_json::from_str(envelope.data.get()).ok()?;
        Some((ping.value / 10).to_string())
    });
    let batch = [("1", 11), ("2", 21), ("3", 12), ("4", 0), ("5", 22), ("6", 1), ("7", 13)];
    let batch = batch.map(|(id, value)| world.delivery(id, value));
    assert_eq!(world.handle(&by_tens, batch).await, ["m-4", "m-6"]);
    assert_eq!((journal.of(1), journal.of(2)), (vec![11, 12, 13], vec![21, 22]));
}

/// The limit counts groups, of which each has one record under way.
#[tokio::test]
async fn groups_run_side_by_side_within_the_limit_and_none_beside_itself() {
    let (world, running) = (World::new(), Arc::new(Mutex::new(Vec::<u32>::new())));
    let most = Arc::new(Mutex::new(0));
    let (inside, seen) = (running.clone(), most.clone());
    let function = Function::new("note").concurrency(3).on(move |ping: Ping, _: Context| {
        let (running, most) = (inside.clone(), seen.clone());
        async move {
            let group = ping.value / 10;
            {
                let mut running = running.lock().unwrap();
                assert!(!running.contains(&group), "two of group {group} at once");
                running.push(group);
                let mut most = most.lock().unwrap();
                *most = running.len().max(*most);
            }
            for _ in 0..5 {
                tokio::task::yield_now().await;
            }
            running.lock().unwrap().retain(|other| *other != group);
            Ok(UnitOfWork::new())
        }
    });
    let batch = (10..60).map(|value| in_group(&world, &(value / 10).to_string(), &value.to_string(), value));
    assert!(world.handle(&function, batch.collect::<Vec<_>>()).await.is_empty());
    assert_eq!(*most.lock().unwrap(), 3);
}
