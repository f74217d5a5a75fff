//! What is possible and what is one too much, at every limit.

use serde_json::json;

use super::{
    super::limits::{ENVELOPE_BYTES_MAX, KEY_NAME_BYTES_MAX, NAME_BYTES_MAX},
    *,
};

/// The unit is possible with `limit` of something, and with one more is refused with these words.
#[track_caller]
fn assert_limit(limit: usize, unit: impl Fn(usize) -> UnitOfWork, refusal: &str) {
    assert_eq!(unit(limit).validate(), Ok(()), "{limit}");
    let error = unit(limit + 1).validate().expect_err("one more is too much").to_string();
    assert!(error.contains(refusal), "{error}");
    let parts = unit(limit + 1).into_parts().err().expect("the runtime refuses it too");
    assert_eq!(parts.to_string(), error);
}

/// The refusal of an attribute's value in a put; the same in an update and a condition.
#[track_caller]
fn assert_refused(value: AttributeValue, refusal: &str) {
    let action = |operation, condition| Action { table: "rows", key: key("7"), operation, condition };
    let item = Item::from([("a".to_owned(), value.clone())]);
    let changes =
        [Change::Set, Change::Append].map(|change| Operation::Update(vec![change("a".to_owned(), value.clone())]));
    let [set, append] = changes;
    let equal = Condition::Equals("a".to_owned(), value);
    let condition = all([present(), all([equal])]);
    let put = action(Operation::Put(item), all([]));
    for action in [put, action(set, all([])), action(append, all([])), action(Operation::Delete, condition)] {
        let unit = UnitOfWork { actions: vec![action], ..UnitOfWork::default() };
        let error = unit.validate().expect_err("DynamoDB takes it nowhere").to_string();
        assert!(error.starts_with("`a` of the row rows/7 ") && error.contains(refusal), "{error}");
    }
}

fn text(length: usize) -> String {
    "x".repeat(length)
}

#[test]
fn a_hundred_actions_are_one_too_many() {
    let unit = |count| (0..count).fold(UnitOfWork::new(), |unit, id| unit.put(&Row::new(id), absent()));
    assert_limit(99, unit, "actions in a unit of work: 100, at most 99 are possible: split the work");
}

#[test]
fn a_unit_of_work_publishes_fifty_events_and_no_more() {
    let unit = |count| (0..count).fold(UnitOfWork::new(), |unit, _| unit.publish(&Happened::default()));
    assert_limit(50, unit, "events in a unit of work: 51, at most 50 are possible: split the work");
}

#[test]
fn the_events_payloads_have_a_limit_together() {
    let unit = |bytes: usize| {
        let (one, quotes) = (Happened::default(), r#"{"text":""}"#.len());
        let other = Happened { text: text(bytes - 2 * quotes), ..Happened::default() };
        UnitOfWork::new().publish(&one).publish(&other)
    };
    assert_limit(EVENT_BYTES_MAX, unit, "bytes of events in a unit of work: 240001, at most 240000");
}

#[test]
fn an_event_has_to_fit_one_entry_of_the_bus_with_its_subject() {
    let unit = |bytes: usize| {
        let types = 2 * r#""it.happened.v1""#.len();
        let subject = text(bytes - 1_024 - types - r#""""#.len() - r#"{"text":""}"#.len());
        UnitOfWork::new().publish(&Happened { subject, ..Happened::default() })
    };
    let refusal =
        "bytes of the event it.happened.v1 in its envelope: 250001, at most 250000 are possible: publish less";
    assert_limit(ENVELOPE_BYTES_MAX, unit, refusal);
}

#[test]
fn an_answer_has_a_limit_that_names_it() {
    let unit = |bytes: usize| UnitOfWork::new().answer(&text(bytes - 2));
    let refusal = "bytes of an answer as JSON: 65537, at most 65536 are possible: answer with an id";
    assert_limit(ANSWER_BYTES_MAX, unit, refusal);
}

#[test]
fn answer_and_events_have_to_fit_one_record() {
    // The subjects are what has no limit of its own below the record's.
    let own = PARTITION_KEY_BYTES_MAX + 196 + 256;
    let event = r#"{"text":""}"#.len() + 2 + 2 * r#""it.happened.v1""#.len() + 1_024 + 1;
    let unit = |bytes: usize| {
        let (first, second) = (200_000, bytes - own - 2 * event - ANSWER_BYTES_MAX - 200_000);
        let unit = UnitOfWork::new().answer(&text(ANSWER_BYTES_MAX - 2));
        [first, second]
            .into_iter()
            .fold(unit, |unit, length| unit.publish(&Happened { subject: text(length), ..Happened::default() }))
    };
    assert_limit(ITEM_BYTES_MAX, unit, "answer and events in the ledger's record: 409601, at most 409600");
}

#[test]
fn a_row_has_at_most_400_kb_with_its_key() {
    let own = "pk".len() + "7".len() + "text".len();
    let put = |bytes| UnitOfWork::new().put(&Row::new(7).with("text", text(bytes - own)), absent());
    let refusal = "bytes in the row rows/7: 409601, at most 409600 are possible: keep large values elsewhere";
    assert_limit(ITEM_BYTES_MAX, put, refusal);
    // What the entity says of the key's own attribute is not written.
    let twice = Row::new(7).with("text", text(ITEM_BYTES_MAX - own)).with("pk", text(99));
    assert_eq!(UnitOfWork::new().put(&twice, absent()).validate(), Ok(()));
}

#[test]
fn an_update_writes_at_most_400_kb_into_a_row() {
    let update = |update| UnitOfWork::new().update::<Row>(key("7"), update, all([]));
    let own = "pk".len() + "7".len();
    let set = |bytes| update(Update::new().set("text", text(bytes - own - "text".len())));
    assert_limit(ITEM_BYTES_MAX, set, "bytes in the row rows/7: 409601");
    let append = |bytes| update(Update::new().append("list", text(bytes - own - "list".len() - 4)));
    assert_limit(ITEM_BYTES_MAX, append, "bytes in the row rows/7: 409601");
    let both = |bytes| update(Update::new().add("n", 1).set("text", text(bytes - own - "n".len() - 22 - "text".len())));
    assert_limit(ITEM_BYTES_MAX, both, "bytes in the row rows/7: 409601");
}

#[test]
fn a_condition_compares_no_more_than_a_row_can_have() {
    let check = |bytes| UnitOfWork::new().check::<Row>(key("7"), equals("text", text(bytes - "text".len())));
    assert_limit(ITEM_BYTES_MAX, check, "bytes of `text` in a condition on the row rows/7: 409601");
}

#[test]
fn rows_answer_and_events_have_at_most_4_mb_together() {
    let own = "pk".len() + "10".len() + "text".len();
    let record = |answer: usize| PARTITION_KEY_BYTES_MAX + 196 + 256 + answer;
    for answer in [0, 1_000] {
        let unit = |bytes: usize| {
            let rows = (10..20)
                .map(|id| (id, ITEM_BYTES_MAX - own))
                .chain([(20, bytes - record(answer) - 10 * ITEM_BYTES_MAX - own)]);
            let unit = rows.fold(UnitOfWork::new(), |unit, (id, length)| {
                unit.put(&Row::new(id).with("text", text(length)), absent())
            });
            if answer > 0 { unit.answer(&text(answer - 2)) } else { unit }
        };
        let refusal =
            "bytes of rows, answer and events in a unit of work: 4194305, at most 4194304 are possible: split";
        assert_limit(TRANSACTION_BYTES_MAX, unit, refusal);
    }
}

#[test]
fn keys_have_a_length_and_are_not_empty() {
    let unit = |key| UnitOfWork::new().delete::<Row>(key, all([]));
    let refusal = "has 2049 bytes: a partition key has 1 to 2,048 bytes";
    assert_limit(PARTITION_KEY_BYTES_MAX, |bytes| unit(key(text(bytes))), refusal);
    let sorted = |bytes| unit(key("7").sort("sk", text(bytes)));
    assert_limit(SORT_KEY_BYTES_MAX, sorted, "`sk` of the row rows/7/");
    for (key, refusal) in [
        (key(""), "`pk` of the row rows/ has 0 bytes: a partition key has 1 to"),
        (key("7").sort("sk", ""), "`sk` of the row rows/7/ has 0 bytes: a sort key has 1 to"),
        (Key::new("", "7"), "has a name of 0 bytes: names of key attributes have 1 to 255"),
    ] {
        let error = unit(key).validate().unwrap_err().to_string();
        assert!(error.contains(refusal), "{error}");
    }
    let error = unit(key(text(1_000_000))).validate().unwrap_err().to_string();
    assert!(error.len() < 400, "a message has room for {} bytes", error.len());
}

#[test]
fn names_have_a_length_and_are_not_empty() {
    let name = |length: usize| -> &'static str { text(length).leak() };
    let keyed = |length| UnitOfWork::new().delete::<Row>(Key::new(name(length), "7"), all([]));
    assert_limit(KEY_NAME_BYTES_MAX, keyed, "has a name of 256 bytes");
    let put = |length| UnitOfWork::new().put(&Row::new(7).with(name(length), 1), absent());
    assert_limit(NAME_BYTES_MAX, put, "has a name, or a map's key, of 65536 bytes");
    let map = |length| UnitOfWork::new().put(&Row::new(7).with("map", json!({ name(length): 1 })), absent());
    assert_limit(NAME_BYTES_MAX, map, "`map` of the row rows/7 has a name, or a map's key, of 65536 bytes");
    let update = |update| UnitOfWork::new().update::<Row>(key("7"), update, all([]));
    let check = |condition| UnitOfWork::new().check::<Row>(key("7"), condition);
    let (set, add, append) = (Update::new().set("", 1), Update::new().add("", 1), Update::new().append("", 1));
    let units = [update(set), update(add), update(append), check(equals("", 1)), check(at_least("", 1))];
    for unit in units {
        let error = unit.validate().unwrap_err().to_string();
        assert!(error.starts_with("`` of the row rows/7 has a name, or a map's key, of 0 bytes: "), "{error}");
    }
}

#[test]
fn the_key_of_a_row_cannot_be_updated() {
    let row = key("7").sort("sk", "a");
    for update in [Update::new().set("pk", "8"), Update::new().add("sk", 1), Update::new().append("sk", 1)] {
        let error = UnitOfWork::new().update::<Row>(row.clone(), update, all([])).validate().unwrap_err().to_string();
        assert!(error.contains("is changed by an update: a key cannot be changed: delete"), "{error}");
    }
}

#[test]
fn numbers_outside_dynamodbs_range_or_precision_are_refused() {
    let digits = "12345678901234567890123456789012345678";
    let huge = format!("9.{}e125", "9".repeat(37));
    let number = |text: &str| AttributeValue::N(text.to_owned());
    let possible =
        ["0", "-0", "0.000", "1e125", "-1e125", "1e-130", "-1e-130", "007.50", digits, &format!("{digits}000"), &huge];
    for text in possible {
        let put = Operation::Put(Item::from([("a".to_owned(), number(text))]));
        let action = Action { table: "rows", key: key("7"), operation: put, condition: all([]) };
        let unit = UnitOfWork { actions: vec![action], ..UnitOfWork::default() };
        assert_eq!(unit.validate(), Ok(()), "{text}");
    }
    let refused = [
        "NaN",
        "inf",
        "",
        " 1",
        "1_000",
        "1e126",
        "-1e126",
        "1e-131",
        "9e-131",
        &format!("{digits}9"),
        &format!("0.{digits}9"),
    ];
    for text in refused {
        assert_refused(number(text), &format!("has the number {text}: numbers have at most 38 digits"));
        assert_refused(AttributeValue::Ns(vec!["1".to_owned(), text.to_owned()]), "has the number ");
        assert_refused(AttributeValue::L(vec![number(text)]), "has the number ");
    }
}

#[test]
fn a_float_that_dynamodb_cannot_keep_is_refused_and_others_are_possible() {
    let set = |value: f64| UnitOfWork::new().update::<Row>(key("7"), Update::new().set("a", value), all([])).validate();
    for value in [0.0, -0.0, 0.1, 1.0 / 3.0, 9.9e125, -1e-130, f64::EPSILON] {
        assert_eq!(set(value), Ok(()), "{value}");
    }
    for value in [f64::NAN, f64::INFINITY, f64::MAX, f64::MIN_POSITIVE, 1e126] {
        let error = set(value).unwrap_err().to_string();
        assert!(error.contains("keep it as text"), "{error}");
        assert!(error.len() < 400, "{error}");
    }
}

#[test]
fn sets_have_members_and_each_of_them_once() {
    let texts = |members: &[&str]| members.iter().map(ToString::to_string).collect::<Vec<_>>();
    for empty in [AttributeValue::Ss(vec![]), AttributeValue::Ns(vec![]), AttributeValue::Bs(vec![])] {
        assert_refused(empty, "has an empty set: ");
    }
    assert_refused(AttributeValue::Ss(texts(&["a", "b", "a"])), "has a set with a member twice: ");
    assert_refused(AttributeValue::Ns(texts(&["1", "2", "1.0"])), "has a set with a member twice: ");
    assert_refused(AttributeValue::Bs(vec![vec![1], vec![1]]), "has a set with a member twice: ");
}

#[test]
fn values_are_at_most_32_levels_deep() {
    let deep = |levels| {
        (1..levels).fold(json!("x"), |value, level| if level % 2 == 0 { json!([value]) } else { json!({ "k": value }) })
    };
    let put = |levels| UnitOfWork::new().put(&Row::new(7).with("deep", deep(levels)), absent());
    assert_limit(32, put, "`deep` of the row rows/7 is nested too deep: values are at most 32 levels deep");
    let append =
        |levels| UnitOfWork::new().update::<Row>(key("7"), Update::new().append("list", deep(levels)), all([]));
    assert_limit(31, append, "`list` of the row rows/7 is nested too deep");
}
