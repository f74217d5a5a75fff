//! Which calls are hit, and how the services' answers look then.

mod partial;
mod services;

use super::*;
use crate::iam::access_key;
use crate::wire::Protocol;

fn faults(seed: u64, specs: &[&str]) -> Faults {
    let faults = Faults::default();
    let rules = specs.iter().map(|spec| spec.parse().unwrap()).collect();
    assert_eq!(faults.set(Plan { seed: Some(seed), rules }), Ok(seed));
    faults
}

fn hits(faults: &Faults, calls: usize) -> Vec<bool> {
    let call = Call::of("dynamodb", "PutItem");
    (0..calls).map(|_| faults.on_the_way(&call).1.is_some()).collect()
}

#[test]
fn a_seed_decides_the_same_way_for_the_nth_matching_call() {
    let spec = ["dynamodb.PutItem:throttle,probability=0.3"];
    let first = hits(&faults(7, &spec), 1_000);
    let other = faults(7, &spec);
    let mut second = Vec::new();
    for _ in 0..1_000 {
        // What does not match changes nothing.
        other.on_the_way(&Call::of("dynamodb", "GetItem"));
        second.extend(hits(&other, 1));
    }
    assert_eq!(first, second);
    assert_ne!(first, hits(&faults(8, &spec), 1_000));
    let share = first.iter().filter(|hit| **hit).count();
    assert!((250..350).contains(&share), "{share} of 1000 at 0.3");
    let counted = &other.counts().1[0];
    assert_eq!((counted.matched, counted.injected), (1_000, share as u64));
}

#[test]
fn each_rule_has_draws_of_its_own() {
    let specs =
        ["dynamodb:throttle,probability=0.3", "sqs:error,probability=0.5", "dynamodb:latency=5,probability=0.5"];
    let alone = faults(7, &specs);
    let busy = faults(7, &specs);
    let put = Call::of("dynamodb", "PutItem");
    for call in 0..1_000 {
        for _ in 0..call % 3 {
            busy.on_the_way(&Call::of("sqs", "SendMessage"));
            busy.received_twice("q");
        }
        assert_eq!(alone.on_the_way(&put), busy.on_the_way(&put), "call {call}, however many there are of SQS");
    }
    assert!(alone.counts().1[1].matched == 0 && busy.counts().1[1].injected > 0);
}

#[test]
fn a_rule_that_is_added_leaves_the_others_as_they_are() {
    let spec = ["dynamodb:throttle,probability=0.3"];
    let (one, other) = (faults(7, &spec), faults(7, &spec));
    let mut expected = hits(&one, 10);
    assert_eq!(hits(&other, 10), expected);
    let added = Plan { seed: None, rules: vec!["sqs:error".parse().unwrap()] };
    assert_eq!(other.add(added.clone()), Ok(7));
    expected = hits(&one, 100);
    assert_eq!(hits(&other, 100), expected);
    assert_eq!(other.counts().1.iter().map(|it| it.matched).collect::<Vec<_>>(), [110, 0]);
    assert_eq!(other.add(Plan { seed: Some(8), ..added.clone() }), Err(FaultError::Seeded { seed: 7 }));
    let many = vec![Rule::new("sqs", Kind::Throttle); RULES_MAX - 1];
    assert_eq!(other.add(Plan { seed: None, rules: many }), Err(FaultError::TooMany { rules: RULES_MAX + 1 }));
    let none = Faults::default();
    assert_eq!(none.add(Plan { seed: Some(8), ..added }), Ok(8));
    assert!(!none.is_off());
}

#[test]
fn a_limit_ends_a_rule() {
    assert_eq!(hits(&faults(1, &["dynamodb:throttle,limit=2"]), 4), [true, true, false, false]);
}

#[test]
fn latencies_add_up_and_the_first_other_fault_happens() {
    let faults =
        faults(1, &["dynamodb:latency=100", "dynamodb.Put*:latency=20", "dynamodb:error", "dynamodb:throttle"]);
    let (delay, fault) = faults.on_the_way(&Call::of("dynamodb", "PutItem"));
    assert_eq!((delay, fault.unwrap().rule.kind), (Duration::from_millis(120), Kind::Error));
    assert_eq!(faults.on_the_way(&Call::of("dynamodb", "GetItem")).0, Duration::from_millis(100));
    assert_eq!(faults.on_the_way(&Call::of("sqs", "SendMessage")), (Duration::ZERO, None));
    assert_eq!(faults.counts().1[3].matched, 0, "what has failed is not throttled");
}

#[test]
fn jitter_is_around_the_latency() {
    let faults = faults(3, &["sqs:latency=100,jitter_ms=50"]);
    let delays: Vec<_> = (0..1_000).map(|_| faults.on_the_way(&Call::of("sqs", "SendMessage")).0.as_millis()).collect();
    assert!(delays.iter().all(|delay| (50..=150).contains(delay)));
    assert!(delays.iter().min() < Some(&60) && delays.iter().max() > Some(&140));
}

fn json() -> Protocol {
    Protocol::Json { content_type: "application/json" }
}

#[test]
fn a_resource_is_found_in_any_request() {
    let about = |service: &str, protocol, path: &str, body: &str, resource: &str| {
        Call::of(service, "Any").requested(protocol, path, body.as_bytes()).is_about(resource)
    };
    let transaction = r#"{"TransactItems": [{"Put": {"TableName": "orders", "Item": {"Name": {"S": "stock"}}}}]}"#;
    assert!(about("dynamodb", json(), "/", transaction, "orders"));
    assert!(!about("dynamodb", json(), "/", transaction, "stock"));
    assert!(about("dynamodb", json(), "/", r#"{"RequestItems": {"orders": []}}"#, "orders"));
    assert!(about("sqs", json(), "/", r#"{"QueueUrl": "http://localhost/000000000000/q"}"#, "q"));
    assert!(about("sqs", Protocol::Query, "/", "Action=SendMessage&QueueUrl=http%3A%2F%2Fa%2F0%2Fq", "q"));
    assert!(about("sqs", Protocol::Query, "/000000000000/q", "Action=SendMessage", "q"));
    assert!(about("events", json(), "/", r#"{"Entries": [{"EventBusName": "shop"}]}"#, "shop"));
    assert!(about("sns", Protocol::Query, "/", "TopicArn=arn:aws:sns:us-east-1:000000000000:t", "t"));
    assert!(!about("sqs", json(), "/", r#"{"QueueUrl": "http://localhost/000000000000/q2"}"#, "q"));
}

#[test]
fn a_function_is_known_by_its_access_key() {
    let faults = faults(1, &["dynamodb:error,function=reserve-stock"]);
    let hit = |key: &str| {
        let call = Call::of("dynamodb", "PutItem").requested(json(), "/", b"{}").by(Some(key.to_owned()));
        faults.on_the_way(&call).1.is_some()
    };
    assert!(hit(&access_key("reserve-stock")));
    assert!(!hit(&access_key("release-stock")) && !hit("test"));
}

#[test]
fn what_makes_no_sense_is_refused() {
    for (spec, reason) in [
        ("sqs", "it names no kind"),
        ("sqs:flood", "unknown variant `flood`"),
        ("sqs:throttle=3", "throttle takes no value"),
        ("sqs:throttle,often=1", "unknown field `often`"),
        ("sqs:throttle,limit", "limit has no value"),
        ("sqs:latency=1,latency_ms=2", "latency_ms is said twice"),
        ("kinesis:throttle", "there is no service kinesis: it may be dynamodb, events"),
        ("sqs:throttle,probability=1.5", "from 0 to 1"),
        ("s4:throttle", "there is no service s4: it may be dynamodb, events, execute-api, lambda, logs, s3, scheduler"),
        ("sqs.SendMesage:throttle", "sqs has no operation SendMesage here: it may be AddPermission, "),
        ("sqs.Put*:throttle", "sqs has no operation Put* here"),
        ("dynamodb.*Item:throttle", "dynamodb has no operation *Item here"),
        ("dynamodb.:throttle", "dynamodb has no operation  here"),
        ("dynamodb.Get*:conflict", "conflict does not happen to dynamodb.Get*"),
        ("s3.Put*:partial", "partial does not happen to s3.Put*"),
        ("scheduler:partial", "partial does not happen to scheduler"),
        ("execute-api:throttle,function=f", "function means nothing with execute-api"),
        ("sqs:throttle,limit=0", "its limit must be at least 1"),
        ("sqs:conflict", "conflict does not happen to sqs"),
        ("dynamodb.GetItem:conflict", "conflict does not happen to dynamodb.GetItem"),
        ("sqs.SendMessage:partial", "partial does not happen to sqs.SendMessage"),
        ("sqs:kill", "kill does not happen to sqs"),
        ("sqs:latency", "it needs latency_ms"),
        ("sqs:error=404", "status 404 must be 500 or 503"),
        ("sqs:throttle,at=before", "at means nothing with throttle"),
        ("sqs:duplicate,function=f", "function means nothing with duplicate"),
        ("sqs:latency=1000000", "900000 ms are the longest"),
    ] {
        let error = spec.parse::<Rule>().expect_err(spec).to_string();
        assert!(error.contains(reason), "{spec}: {error}");
    }
    let rules = vec![Rule::new("sqs", Kind::Throttle); RULES_MAX + 1];
    assert!(Faults::default().set(Plan { seed: None, rules }).is_err());
}

#[test]
fn a_rule_is_written_as_it_is_read() {
    for spec in [
        "sqs.*:throttle",
        "dynamodb.Put*:conflict,function=f,limit=3,probability=0.25,resource=orders",
        "lambda.Invoke:kill,at=during,jitter_ms=5,latency_ms=5",
        "events.PutEvents:error,status=503",
    ] {
        assert_eq!(spec.parse::<Rule>().unwrap().to_string(), spec);
    }
    assert_eq!("lambda:kill=before".parse::<Rule>().unwrap().at, Some(Moment::Before));
}

#[test]
fn of_a_batch_some_fail_and_of_several_never_all() {
    for seed in 0..200 {
        for count in 1..=10 {
            let failing = Chance::new(seed, 0, 0).some_of(count);
            assert_eq!(failing.len(), count);
            assert!(failing.contains(&true) && (count == 1 || failing.contains(&false)), "{seed} {failing:?}");
        }
    }
}
