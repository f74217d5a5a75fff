//! What values count, against DynamoDB's own examples and against sizes that are computed in another way.

use std::collections::HashMap;

use serde_dynamo::AttributeValue::{self, B, Bool, Bs, L, M, N, Ns, Null, S, Ss};

use super::super::size::attribute_bytes;
use crate::{Randomness, memory::SeededRandomness};

const ROUNDS: usize = 2_000;

fn bytes(value: &AttributeValue) -> usize {
    attribute_bytes("a", value).expect("the value is possible") - 1
}

#[test]
fn each_type_counts_as_documented() {
    let (text, map) = (S("é€".to_owned()), M(HashMap::from([("key".to_owned(), Bool(true))])));
    for (value, expected) in [
        (text, 5),
        (S(String::new()), 0),
        (B(vec![0; 7]), 7),
        (Bool(false), 1),
        (Null(true), 1),
        (L(vec![]), 3),
        (L(vec![Null(true), S("ab".to_owned())]), 3 + (1 + 1) + (1 + 2)),
        (M(HashMap::new()), 3),
        (map, 3 + 1 + 3 + 1),
        (Ss(vec!["ab".to_owned(), "c".to_owned()]), 3 + (1 + 2) + (1 + 1)),
        (Bs(vec![vec![1, 2]]), 3 + 1 + 2),
        (Ns(vec!["12".to_owned(), "3".to_owned()]), 3 + (1 + 2) + (1 + 2)),
    ] {
        assert_eq!(bytes(&value), expected, "{value:?}");
    }
}

#[test]
fn a_number_counts_its_digits_and_not_the_text_it_is_written_in() {
    for (texts, expected) in [
        (&["1", "1.0", "1e0", "100", "0.01", "1e100", "1E-100", "0012.0"][..], 2),
        (&["123", "1234", "12.34", "1.5", "-12", "123e90"], 3),
        (&["12345", "-123", "-1.5", "1.234"], 4),
        (&["12345678901234567890123456789012345678"], 20),
        (&["-1234567890123456789.1234567890123456789"], 22),
    ] {
        for text in texts {
            assert_eq!(bytes(&N((*text).to_owned())), expected, "{text}");
        }
    }
}

/// The value's parts as DynamoDB certainly counts them, without anything that it may or may not round up.
fn least(value: &AttributeValue) -> usize {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>().trim_matches('0').len();
    match value {
        S(text) => text.len(),
        N(text) => digits(text).div_ceil(2) + 1,
        B(binary) => binary.len(),
        Bool(_) | Null(_) => 1,
        Ss(texts) => texts.iter().map(String::len).sum(),
        Ns(texts) => texts.iter().map(|text| digits(text).div_ceil(2) + 1).sum(),
        Bs(binaries) => binaries.iter().map(Vec::len).sum(),
        L(values) => 3 + values.iter().map(|value| 1 + least(value)).sum::<usize>(),
        M(values) => 3 + values.iter().map(|(name, value)| 1 + name.len() + least(value)).sum::<usize>(),
    }
}

fn random(randomness: &SeededRandomness, depth: usize) -> AttributeValue {
    let below = |bound: u64| usize::try_from(randomness.next_u64() % bound).expect("the bounds are small");
    let number = || {
        let sign = if below(2) == 0 { "-" } else { "" };
        let whole = randomness.next_u64() >> below(64);
        if below(2) == 0 { format!("{sign}{whole}.{}", 1 + below(1_000)) } else { format!("{sign}{whole}") }
    };
    let text = |last: &str| {
        let pieces = ["", "a", "é", "\"\n", "\u{1F980}"].into_iter().cycle();
        pieces.skip(below(5)).take(below(9)).chain([last]).collect::<String>()
    };
    let names = || ["1", "2", "3"].into_iter().take(below(4));
    match below(if depth == 0 { 5 } else { 10 }) {
        0 => S(text("x")),
        1 => N(number()),
        2 => B(vec![7; below(20)]),
        3 => Bool(below(2) == 0),
        4 => Null(true),
        5 => Ss(["1", "2"].map(text).to_vec()),
        6 => Ns(vec![number()]),
        7 => Bs(vec![vec![1; below(5)], vec![2; 5]]),
        8 => L(names().map(|_| random(randomness, depth - 1)).collect()),
        _ => M(names().map(|name| (text(name), random(randomness, depth - 1))).collect()),
    }
}

#[test]
fn no_value_counts_less_than_its_parts_or_more_than_its_json() {
    let randomness = SeededRandomness::new(11);
    for round in 0..ROUNDS {
        let value = random(&randomness, 4);
        let (count, json) = (bytes(&value), serde_json::to_string(&value).unwrap().len());
        assert!((least(&value)..=json).contains(&count), "round {round}: {count} for {value:?}");
    }
}
