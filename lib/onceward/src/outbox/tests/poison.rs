//! What can never be published is parked, and what follows goes on.

use super::*;

#[tokio::test]
async fn what_cannot_be_read_is_parked_and_the_rest_goes_on_in_order() {
    let (publisher, letters) = (MemoryPublisher::default(), MemorySourceQueue::default());
    let two = record_of(2, vec![Ok(envelope("b")), unreadable("{"), Ok(envelope("c"))]);
    let records = vec![record(1, ["a"]), two, record_of(3, vec![unreadable("[]")]), record(4, ["d"])];
    assert_eq!(relay_with(&publisher, &letters, records).await, None);
    assert_eq!(ids(&publisher), ["a", "b", "c", "d"]);
    let [first, second] = &letters.letters()[..] else { panic!("two letters: {:?}", letters.letters()) };
    let named = |letter: &DeadLetter| (letter.body.clone(), letter.message_id.clone(), letter.error.clone());
    assert_eq!(named(first), ("{".to_owned(), "2".to_owned(), "no list".to_owned()));
    assert_eq!(named(second), ("[]".to_owned(), "3".to_owned(), "no list".to_owned()));
    assert!([first, second].iter().all(|it| it.reason == Reason::OutboxUnreadable && it.function == "relay"));
    assert_eq!((first.source.as_str(), &first.event, first.attempts), ("stream", &None, 1));
}

#[tokio::test]
async fn what_is_refused_for_good_is_parked_at_once_with_its_event() {
    let (publisher, letters) = (MemoryPublisher::default(), MemorySourceQueue::default());
    publisher.refuse_for_good("b");
    let records = vec![record(1, ["a", "b", "c"]), record(2, ["d"])];
    assert_eq!(relay_with(&publisher, &letters, records).await, None);
    assert_eq!(ids(&publisher), ["a", "c", "d"]);
    let body = serde_json::to_string(&envelope("b")).unwrap();
    assert_eq!(told(&letters), [(body, Reason::PublishRefused)]);
    let letter = letters.letters().remove(0);
    assert_eq!(letter.event, Some(("b".to_owned(), "t.v1".to_owned())));
    assert_eq!((letter.message_id.as_str(), letter.error.as_str()), ("1", "refused for good"));
}

#[tokio::test]
async fn nothing_is_published_past_a_letter_that_cannot_be_stored() {
    for records in [
        vec![record(1, ["a"]), record_of(2, vec![unreadable("{")]), record(3, ["c"])],
        vec![record(1, ["a"]), record(2, ["b"]), record_of(3, vec![unreadable("{")])],
    ] {
        let (publisher, letters) = (MemoryPublisher::default(), MemorySourceQueue::default());
        letters.refuse_letters(true);
        publisher.refuse_for_good("b");
        assert_eq!(relay_with(&publisher, &letters, records).await.as_deref(), Some("2"));
        assert_eq!(ids(&publisher), ["a"]);
    }
}

/// The stream brings it again with the event that waits: one letter is enough.
#[tokio::test]
async fn what_comes_after_an_event_that_waits_has_no_letter_yet() {
    for later in [unreadable("{"), Ok(envelope("c"))] {
        let (publisher, letters) = (MemoryPublisher::default(), MemorySourceQueue::default());
        publisher.refuse("b", PUBLISH_TRIES_MAX);
        publisher.refuse_for_good("a");
        publisher.refuse_for_good("c");
        let records = |later| vec![record(1, ["a"]), record(2, ["b"]), record_of(3, vec![later])];
        assert_eq!(relay_with(&publisher, &letters, records(later.clone())).await.as_deref(), Some("2"));
        assert_eq!(letters.letters().iter().map(|letter| letter.message_id.as_str()).collect::<Vec<_>>(), ["1"]);
        let rest = records(later).split_off(1);
        assert_eq!(relay_with(&publisher, &letters, rest).await, None);
        assert_eq!(letters.letters().iter().map(|letter| letter.message_id.as_str()).collect::<Vec<_>>(), ["1", "3"]);
    }
}

/// Refuses each call that has one of these, as a whole.
struct Strict<'a> {
    poison: &'a [&'a str],
    calls: Mutex<Vec<Vec<String>>>,
}

#[async_trait]
impl Publisher for Strict<'_> {
    fn batch_max(&self) -> usize {
        10
    }

    fn batch_bytes_max(&self) -> usize {
        10_000
    }

    async fn publish(&self, envelopes: &[&Envelope]) -> Result<Vec<PublishFailure>, PublishError> {
        let ids: Vec<_> = envelopes.iter().map(|envelope| envelope.id.clone()).collect();
        let refused = ids.iter().any(|id| self.poison.contains(&id.as_str()));
        self.calls.lock().unwrap().push(ids);
        if refused { Err(PublishError { source: "too large".into(), permanent: true }) } else { Ok(Vec::new()) }
    }
}

#[tokio::test]
async fn a_call_that_is_refused_as_a_whole_is_sent_one_by_one_and_once() {
    let bus = Strict { poison: &["b"], calls: Mutex::default() };
    let letters = MemorySourceQueue::default();
    assert_eq!(relay_with(&bus, &letters, vec![record(1, ["a", "b"]), record(2, ["c"])]).await, None);
    assert_eq!(*bus.calls.lock().unwrap(), [vec!["a", "b", "c"], vec!["a"], vec!["b"], vec!["c"]]);
    let letter = letters.letters().remove(0);
    assert_eq!((letter.event.unwrap().0.as_str(), letter.attempts), ("b", 1));
    assert!(letter.error.contains("too large"), "{}", letter.error);
}
