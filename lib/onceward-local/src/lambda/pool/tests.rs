use futures_util::FutureExt;

use super::slots::{Full, Slots};

#[tokio::test]
async fn slots_are_given_first_come_first_served() {
    let slots = Slots::new(1, 2);
    let first = slots.acquire().await.unwrap();
    let mut second = Box::pin(slots.acquire());
    let mut third = Box::pin(slots.acquire());
    assert!((&mut second).now_or_never().is_none());
    assert!((&mut third).now_or_never().is_none());
    assert_eq!(slots.acquire().await.unwrap_err(), Full { running: 1, waiting: 2 });
    drop(first);
    assert!((&mut third).now_or_never().is_none());
    let second = second.now_or_never().expect("the next in line").unwrap();
    drop(second);
    third.now_or_never().expect("the next in line").unwrap();
}

#[tokio::test]
async fn a_caller_who_leaves_the_queue_takes_no_slot_with_him() {
    let slots = Slots::new(1, 1);
    let first = slots.acquire().await.unwrap();
    let mut second = Box::pin(slots.acquire());
    assert!((&mut second).now_or_never().is_none());
    drop(first);
    drop(second); // after the slot was given to him
    assert!(slots.acquire().now_or_never().is_some());
}

#[tokio::test]
async fn a_standby_is_called_back_for_an_invocation_only() {
    let slots = Slots::new(1, 1);
    let mut standby = slots.standby().await;
    let mut other_poller = Box::pin(slots.standby());
    assert!((&mut other_poller).now_or_never().is_none());
    assert!(standby.called_back().now_or_never().is_none(), "another poller may wait");

    let mut invocation = Box::pin(slots.acquire());
    assert!((&mut invocation).now_or_never().is_none());
    standby.called_back().now_or_never().expect("called back");
    drop(standby);
    let mut other = other_poller.now_or_never().expect("the next in line");
    other.called_back().now_or_never().expect("called back"); // the invocation is next in line, and still waits
    drop(other);
    invocation.now_or_never().expect("a slot is free").unwrap();
}

#[tokio::test]
async fn one_invocation_calls_back_one_standby() {
    let slots = Slots::new(2, 5);
    let mut standbys = [slots.standby().await, slots.standby().await];
    let mut invocation = Box::pin(slots.acquire());
    assert!((&mut invocation).now_or_never().is_none());
    let called: Vec<bool> = standbys.iter_mut().map(|standby| standby.called_back().now_or_never().is_some()).collect();
    assert_eq!(called, [true, false]);
    let [first, mut second] = standbys;
    let busy = first.take();
    second.called_back().now_or_never().expect("called back"); // the first found work instead
    drop(second);
    invocation.now_or_never().expect("a slot is free").unwrap();
    drop(busy);
}
