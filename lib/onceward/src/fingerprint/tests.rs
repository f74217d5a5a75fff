use super::{Fingerprint, FingerprintError, canonical::text, of_json_text};

/// Whether two texts have one fingerprint by the second rule.
fn same(one: &str, other: &str) -> bool {
    let of = |json| Fingerprint::of("t", json).unwrap();
    of(one).is_of_the_payload_of(&of(other))
}

#[test]
fn the_first_rule_is_sha_256_in_lower_case_hex() {
    // printf 't\0' | sha256sum
    assert_eq!(of_json_text("t", b""), "3776096e9733584bd622e7e6417b65ba6640f8a8b809f475cd15ed5923cce3f6");
}

#[test]
fn by_the_first_rule_white_space_inside_strings_counts() {
    assert_eq!(of_json_text("t", br#"{"a" : "b c"}"#), of_json_text("t", br#"{"a":"b c"}"#));
    assert_ne!(of_json_text("t", br#"{"a":"b c"}"#), of_json_text("t", br#"{"a":"bc"}"#));
    assert_ne!(of_json_text("t", br#"{"a":"\" b"}"#), of_json_text("t", br#"{"a":"\"b"}"#));
    assert_ne!(of_json_text("t", b"1"), of_json_text("u", b"1"));
}

#[test]
fn order_of_members_white_space_and_escapes_do_not_count() {
    assert!(same(r#"{"a":1,"b":{"d":2,"c":[3]}}"#, "{ \"b\" : {\"c\":[ 3 ],\n\"d\":2}, \"a\":1 }"));
    assert!(same(r#""\u00e9\/\u0041\ud83d\ude00\u000a""#, r#""é/A😀\n""#));
    assert!(same(r#"{"\u0061":1}"#, r#"{"a":1}"#));
    assert!(!same("[1,2]", "[2,1]"));
    assert!(!same(r#"{"a":"b c"}"#, r#"{"a":"bc"}"#));
    assert!(!same(r#"{"a":1}"#, r#"{"b":1}"#));
    assert!(!same(r#"{"a":null}"#, "{}"));
    assert!(!same(r#""1""#, "1"));
}

/// RFC 8785, section 3.2.3 and its escapes: names by UTF-16 code units, lower-case hexadecimal.
#[test]
fn the_form_is_that_of_rfc_8785() {
    let names =
        r#"{"\u20ac":"Euro","\r":"CR","\ufb33":"Hebrew","1":"One","\ud83d\ude00":"Emoji","\u0080":"C","\u00f6":"o"}"#;
    assert_eq!(
        text(names).unwrap(),
        "{\"\\r\":\"CR\",\"1\":\"One\",\"\u{80}\":\"C\",\"ö\":\"o\",\"€\":\"Euro\",\"😀\":\"Emoji\",\"\u{fb33}\":\"Hebrew\"}"
    );
    assert_eq!(text(r#""\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/""#).unwrap(), r#""€$\u000f\nA'B\"\\\\\"/""#);
    assert_eq!(text(r"[true, false ,null,{},[]]").unwrap(), "[true,false,null,{},[]]");
}

#[test]
fn numbers_count_by_their_exact_decimal_value() {
    for (one, other) in [
        ("1", "1.0"),
        ("1", "1e0"),
        ("1", "10E-1"),
        ("100", "1e+2"),
        ("0", "-0.00e99"),
        ("0.1", "1e-1"),
        ("-12.50", "-125e-1"),
        ("1e1000000000", "10e999999999"),
        ("1e0000000000000000000000002", "100"),
    ] {
        assert!(same(one, other), "{one} {other}");
    }
    for (one, other) in [
        ("9007199254740993", "9007199254740992"),
        ("0.1234567890123456789", "0.1234567890123456788"),
        ("1", "-1"),
        ("1", "10"),
        ("1e400", "1e401"),
        ("12", "1e2"),
    ] {
        assert!(!same(one, other), "{one} {other}");
    }
}

#[test]
fn a_name_that_is_there_twice_is_refused_with_its_path() {
    for (json, path) in [
        (r#"{"a":1,"b":2,"a":1}"#, "a"),
        (r#"{"lines":[{"quantity":1},{"quantity":1,"quantit\u0079":2}]}"#, "lines[1].quantity"),
        (r#"[[],[{"x\ny":1,"x\ny":1}]]"#, r"[1][0].x\ny"),
    ] {
        let error = text(json).unwrap_err();
        assert!(matches!(error, FingerprintError::DuplicateName { .. }), "{error:?}");
        assert_eq!(error.path(), Some(path));
    }
    text(r#"[{"a":1},{"a":1}]"#).unwrap();
}

#[test]
fn what_is_too_deep_or_has_no_end_is_refused_and_nothing_overflows() {
    let nested = |depth: usize| format!("{}{}", r#"{"a":["#.repeat(depth), "]}".repeat(depth));
    text(&nested(63)).unwrap();
    for depth in [64, 100_000] {
        let error = text(&nested(depth)).unwrap_err();
        assert!(matches!(error, FingerprintError::TooDeep { .. }), "{error:?}");
        assert!(error.path().is_some_and(|path| path.starts_with("a[0].a[0]") && path.len() <= 200), "{error:?}");
    }
    let error = text(r#"{"a":[1e-1000000000000000]}"#).unwrap_err();
    assert_eq!(error, FingerprintError::Exponent { path: "a[0]".to_owned() });
}

#[test]
fn half_of_a_surrogate_pair_is_a_value_of_its_own() {
    assert!(same(r#""\ud83d""#, r#""\uD83D""#));
    assert!(!same(r#""\ud83d""#, r#""\ud83c""#));
    assert!(!same(r#""\ud83d""#, r#""\\ud83d""#));
}

#[test]
fn what_is_no_json_is_told() {
    for json in ["", "{", "[1 2]", "tru", r#"{"a"}"#, r#""\x""#, r#""\u12""#, "1 2", r"{1:2}", "\"a", "nul", "{\"a\":}"]
    {
        assert_eq!(text(json), Err(FingerprintError::NotJson), "{json}");
    }
}

#[test]
fn the_latest_rule_that_made_both_decides() {
    let of = |json| Fingerprint::of("t", json).unwrap();
    let earlier = |json: &str| Fingerprint::of_text(of_json_text("t", json.as_bytes()));
    assert!(of("[1]").is_of_the_payload_of(&of("[1.0]")));
    assert!(of("[1]").is_of_the_payload_of(&earlier("[ 1 ]")));
    assert!(!of("[1]").is_of_the_payload_of(&earlier("[1.0]")));
    assert_eq!(of("[1]").text, earlier("[1]").text);
}
