use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::Expression;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// The first times after the start of 2026, which is a Thursday.
fn dues(expression: &str, zone: Tz, from: &str, count: usize) -> Vec<String> {
    let expression = Expression::of_rule(expression).unwrap_or_else(|| panic!("{expression} is refused"));
    let mut after = at(from);
    let anchor = after;
    let due = std::iter::from_fn(|| {
        after = expression.next(after, anchor, zone)?;
        Some(after.format("%Y-%m-%dT%H:%M").to_string())
    });
    due.take(count).collect()
}

/// The examples of the documentation, and one of every wildcard.
#[test]
fn cron_expressions_are_due_as_documented() {
    let rows = [
        ("cron(0 10 * * ? *)", ["2026-01-01T10:00", "2026-01-02T10:00"]),
        ("cron(15 12 * * ? *)", ["2026-01-01T12:15", "2026-01-02T12:15"]),
        ("cron(0 18 ? * MON-FRI *)", ["2026-01-01T18:00", "2026-01-02T18:00"]),
        ("cron(0 8 1 * ? *)", ["2026-01-01T08:00", "2026-02-01T08:00"]),
        ("cron(0/15 * * * ? *)", ["2026-01-01T00:15", "2026-01-01T00:30"]),
        ("cron(0/10 * ? * MON-FRI *)", ["2026-01-01T00:10", "2026-01-01T00:20"]),
        ("cron(0/5 8-17 ? * MON-FRI *)", ["2026-01-01T08:00", "2026-01-01T08:05"]),
        ("cron(1/10 * * * ? *)", ["2026-01-01T00:01", "2026-01-01T00:11"]),
        ("cron(0 10 ? * 2-6 *)", ["2026-01-01T10:00", "2026-01-02T10:00"]),
        ("cron(0 10 ? * 1 *)", ["2026-01-04T10:00", "2026-01-11T10:00"]),
        ("cron(0 10 ? * 3#2 *)", ["2026-01-13T10:00", "2026-02-10T10:00"]),
        ("cron(0 10 ? * TUE#5 *)", ["2026-03-31T10:00", "2026-06-30T10:00"]),
        ("cron(0 10 ? * L *)", ["2026-01-03T10:00", "2026-01-10T10:00"]),
        ("cron(0 10 ? * 6L *)", ["2026-01-30T10:00", "2026-02-27T10:00"]),
        ("cron(0 10 L * ? *)", ["2026-01-31T10:00", "2026-02-28T10:00"]),
        ("cron(0 10 LW * ? *)", ["2026-01-30T10:00", "2026-02-27T10:00"]),
        ("cron(0 10 3W * ? *)", ["2026-01-02T10:00", "2026-02-03T10:00"]),
        ("cron(0 10 1W * ? *)", ["2026-01-01T10:00", "2026-02-02T10:00"]),
        ("cron(0 10 31 JAN,MAR ? *)", ["2026-01-31T10:00", "2026-03-31T10:00"]),
        ("cron(0 0 29 FEB ? *)", ["2028-02-29T00:00", "2032-02-29T00:00"]),
        ("cron(0 0 1 1 ? 2027-2199/2)", ["2027-01-01T00:00", "2029-01-01T00:00"]),
        ("cron(0 0 1 1 ? 2026)", ["", ""]),
        ("cron(0 0 30 2 ? *)", ["", ""]),
    ];
    for (expression, expected) in rows {
        let expected: Vec<_> = expected.into_iter().filter(|due| !due.is_empty()).collect();
        assert_eq!(dues(expression, Tz::UTC, "2026-01-01T00:00:00Z", 2), expected, "{expression}");
    }
}

#[test]
fn rates_count_from_their_start() {
    let start = "2026-01-01T00:00:30Z";
    let anchor = at(start);
    assert_eq!(dues("rate(1 minute)", Tz::UTC, start, 2), ["2026-01-01T00:01", "2026-01-01T00:02"]);
    assert_eq!(dues("rate(12 hours)", Tz::UTC, start, 2), ["2026-01-01T12:00", "2026-01-02T00:00"]);
    assert_eq!(dues("rate(1 day)", Tz::UTC, start, 2), ["2026-01-02T00:00", "2026-01-03T00:00"]);
    let late = Expression::of_rule("rate(5 minutes)").unwrap().next(at("2026-01-01T00:07:00Z"), anchor, Tz::UTC);
    assert_eq!(late, Some(at("2026-01-01T00:10:30Z")));
    let before = Expression::of_schedule("rate(5 minutes)").unwrap().next(at("2025-12-31T00:00:00Z"), anchor, Tz::UTC);
    assert_eq!(before, Some(anchor));
}

#[test]
fn what_aws_does_not_take_is_refused() {
    let of_neither = [
        "",
        "rate",
        "rate()",
        "rate(10)",
        "rate(0 minutes)",
        "rate(-1 minutes)",
        "rate(+5 minutes)",
        "rate(5 seconds)",
        "rate(5 years)",
        "rate(5 minutess)",
        "rate( 5 minutes )",
        " rate(5 minutes)",
        "rate(5  minutes)",
        "rate(x minutes)",
        "cron()",
        "cron(0 10 * * *)",
        "cron(0 10 * * ? * *)",
        "cron(0 10 * * * *)",
        "cron(0 10 ? * ? *)",
        "cron(0 10 1 * 2 *)",
        "cron(60 10 * * ? *)",
        "cron(0 24 * * ? *)",
        "cron(0 10 0 * ? *)",
        "cron(0 10 32 * ? *)",
        "cron(0 10 1 13 ? *)",
        "cron(0 10 ? * 0 *)",
        "cron(0 10 ? * 8 *)",
        "cron(0 10 ? * 3#1,6#3 *)",
        "cron(0 10 ? * 3#6 *)",
        "cron(0 10 ? * 2/2 *)",
        "cron(0 10 ? * NOT *)",
        "cron(0 10 W * ? *)",
        "cron(L 10 * * ? *)",
        "cron(? 10 * * ? *)",
        "cron(0 10 * * ? 1969)",
        "cron(0 10 * * ? 2200)",
        "cron(0/0 10 * * ? *)",
        "cron(5-1 10 * * ? *)",
        "cron(0 x * * ? *)",
        "at(2026-01-01)",
        "at(2026-01-01T00:00:00Z)",
        "every 5 minutes",
    ];
    for text in of_neither {
        assert_eq!(Expression::of_rule(text), None, "{text}");
        assert_eq!(Expression::of_schedule(text), None, "{text}");
    }
    // Rules want the unit in its number, and are never due once.
    for text in ["rate(1 minutes)", "rate(5 minute)", "rate(1 hours)", "rate(2 day)", "at(2026-01-01T00:00:00)"] {
        assert_eq!(Expression::of_rule(text), None, "{text}");
        assert!(Expression::of_schedule(text).is_some(), "{text}");
    }
}

#[test]
fn a_schedule_follows_its_time_zones_clock() {
    let (berlin, new_york) = (Tz::Europe__Berlin, Tz::America__New_York);
    // In 2026 Berlin's clocks go forward on 29 March at 2:00, and back on 25 October at 3:00.
    let half_past_two = "cron(30 2 * * ? *)";
    let spring = dues(half_past_two, berlin, "2026-03-28T00:00:00Z", 2);
    assert_eq!(spring, ["2026-03-28T01:30", "2026-03-30T00:30"], "a time that does not exist is skipped");
    let autumn = dues(half_past_two, berlin, "2026-10-24T12:00:00Z", 2);
    assert_eq!(autumn, ["2026-10-25T00:30", "2026-10-26T01:30"], "a time that comes twice counts once");
    let once = Expression::of_schedule("at(2026-07-01T09:00:00)").unwrap();
    let start = at("2026-01-01T00:00:00Z");
    assert_eq!(once.next(start, start, new_york), Some(at("2026-07-01T13:00:00Z")));
    assert_eq!(once.next(at("2026-07-01T13:00:00Z"), start, new_york), None);
}
