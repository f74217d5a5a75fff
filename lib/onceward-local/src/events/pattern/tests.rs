use super::Pattern;

/// Every operator of the `EventBridge` documentation: pattern, an event it matches, an event it does not.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html>
const DOCUMENTED: &[(&str, &str, &str, &str)] = &[
    (
        "and",
        r#"{"Location":["New York"],"Day":["Monday"]}"#,
        r#"{"Location":"New York","Day":"Monday"}"#,
        r#"{"Location":"New York","Day":"Sunday"}"#,
    ),
    ("anything-but", r#"{"a":[{"anything-but":"initializing"}]}"#, r#"{"a":"running"}"#, r#"{"a":"initializing"}"#),
    ("anything-but number", r#"{"a":[{"anything-but":123}]}"#, r#"{"a":124}"#, r#"{"a":123.0}"#),
    (
        "anything-but strings",
        r#"{"a":[{"anything-but":["stopped","overloaded"]}]}"#,
        r#"{"a":"running"}"#,
        r#"{"a":"overloaded"}"#,
    ),
    ("anything-but numbers", r#"{"a":[{"anything-but":[100,200,300]}]}"#, r#"{"a":250}"#, r#"{"a":300}"#),
    (
        "anything-but prefix",
        r#"{"a":[{"anything-but":{"prefix":"us-"}}]}"#,
        r#"{"a":"eu-west-1"}"#,
        r#"{"a":"us-east-1"}"#,
    ),
    (
        "anything-but prefixes",
        r#"{"a":[{"anything-but":{"prefix":["us-","ca-"]}}]}"#,
        r#"{"a":"eu-west-1"}"#,
        r#"{"a":"ca-central-1"}"#,
    ),
    ("anything-but suffix", r#"{"a":[{"anything-but":{"suffix":".png"}}]}"#, r#"{"a":"a.jpg"}"#, r#"{"a":"a.png"}"#),
    (
        "anything-but suffixes",
        r#"{"a":[{"anything-but":{"suffix":[".png",".rtf"]}}]}"#,
        r#"{"a":"a.jpg"}"#,
        r#"{"a":"a.rtf"}"#,
    ),
    (
        "anything-but ignore case",
        r#"{"a":[{"anything-but":{"equals-ignore-case":"initializing"}}]}"#,
        r#"{"a":"RUNNING"}"#,
        r#"{"a":"INITIALIZING"}"#,
    ),
    (
        "anything-but ignore case, list",
        r#"{"a":[{"anything-but":{"equals-ignore-case":["initializing","stopped"]}}]}"#,
        r#"{"a":"RUNNING"}"#,
        r#"{"a":"STOPped"}"#,
    ),
    (
        "anything-but wildcard",
        r#"{"a":[{"anything-but":{"wildcard":"*/lib/*"}}]}"#,
        r#"{"a":"/usr/bin/x"}"#,
        r#"{"a":"/usr/lib/x"}"#,
    ),
    (
        "anything-but wildcards",
        r#"{"a":[{"anything-but":{"wildcard":["*/lib/*","*/bin/*"]}}]}"#,
        r#"{"a":"/usr/share/x"}"#,
        r#"{"a":"/usr/bin/x"}"#,
    ),
    ("prefix", r#"{"a":[{"prefix":"us-"}]}"#, r#"{"a":"us-east-1"}"#, r#"{"a":"eu-us-"}"#),
    (
        "prefix ignore case",
        r#"{"a":[{"prefix":{"equals-ignore-case":"eventb"}}]}"#,
        r#"{"a":"EventBridge"}"#,
        r#"{"a":"MyEventBridge"}"#,
    ),
    ("empty", r#"{"a":[""]}"#, r#"{"a":""}"#, r#"{"a":" "}"#),
    ("equals", r#"{"a":["Alice"]}"#, r#"{"a":"Alice"}"#, r#"{"a":"alice"}"#),
    ("equals ignore case", r#"{"a":[{"equals-ignore-case":"alice"}]}"#, r#"{"a":"ALICE"}"#, r#"{"a":"alic"}"#),
    ("suffix", r#"{"a":[{"suffix":".png"}]}"#, r#"{"a":"x.png"}"#, r#"{"a":"x.png.txt"}"#),
    (
        "suffix ignore case",
        r#"{"a":[{"suffix":{"equals-ignore-case":"tbridge"}}]}"#,
        r#"{"a":"EVENTBRIDGE"}"#,
        r#"{"a":"EventBridges"}"#,
    ),
    ("exists", r#"{"a":[{"exists":true}]}"#, r#"{"a":null}"#, r#"{"b":1}"#),
    ("not exists", r#"{"a":[{"exists":false}]}"#, r#"{"b":1}"#, r#"{"a":""}"#),
    ("not exists, nested", r#"{"d":{"a":[{"exists":false}]}}"#, r#"{"e":1}"#, r#"{"d":{"a":0}}"#),
    ("not", r#"{"a":[{"anything-but":["Cloudy"]}]}"#, r#"{"a":"Sunny"}"#, r#"{"a":"Cloudy"}"#),
    ("null", r#"{"a":[null]}"#, r#"{"a":null}"#, r#"{"a":"null"}"#),
    ("numeric equals", r#"{"a":[{"numeric":["=",100]}]}"#, r#"{"a":1e2}"#, r#"{"a":"100"}"#),
    ("numeric literal", r#"{"a":[301.8]}"#, r#"{"a":3.018e2}"#, r#"{"a":301}"#),
    ("numeric range", r#"{"a":[{"numeric":[">",0,"<=",5]}]}"#, r#"{"a":5}"#, r#"{"a":0}"#),
    ("numeric less", r#"{"a":[{"numeric":["<",10]}]}"#, r#"{"a":-3}"#, r#"{"a":10.0}"#),
    ("or of values", r#"{"a":["UPS","FedEx"]}"#, r#"{"a":"FedEx"}"#, r#"{"a":"DHL"}"#),
    ("or of fields", r#"{"$or":[{"a":["x"]},{"b":["y"]}]}"#, r#"{"a":"z","b":"y"}"#, r#"{"a":"y","b":"x"}"#),
    (
        "or, and",
        r#"{"s":["q"],"$or":[{"a":["x"]},{"b":["y"],"c":["z"]}]}"#,
        r#"{"s":"q","b":"y","c":"z"}"#,
        r#"{"s":"q","b":"y"}"#,
    ),
    (
        "or, nested",
        r#"{"d":{"$or":[{"a":["x"]},{"$or":[{"b":[1]},{"b":[2]}]}]}}"#,
        r#"{"d":{"b":2}}"#,
        r#"{"d":{"b":3}}"#,
    ),
    ("wildcard", r#"{"a":[{"wildcard":"dir/*/file*.txt"}]}"#, r#"{"a":"dir/x/file1.txt"}"#, r#"{"a":"dir/file1.txt"}"#),
    ("wildcard escaped", r#"{"a":[{"wildcard":"a\\*b\\\\"}]}"#, r#"{"a":"a*b\\"}"#, r#"{"a":"axb\\"}"#),
    ("cidr", r#"{"a":[{"cidr":"10.0.0.0/24"}]}"#, r#"{"a":"10.0.0.255"}"#, r#"{"a":"10.0.1.0"}"#),
    ("cidr IPv6", r#"{"a":[{"cidr":"2001:db8::/33"}]}"#, r#"{"a":"2001:DB8:7fff::1"}"#, r#"{"a":"2001:db8:8000::1"}"#),
    ("array", r#"{"a":["x","y"]}"#, r#"{"a":["w","x"]}"#, r#"{"a":["v","w"]}"#),
    ("true", r#"{"a":[true]}"#, r#"{"a":true}"#, r#"{"a":"true"}"#),
];

/// Where quamina alone, or a naive reading, differs from AWS: pattern, event, expected.
const CORNERS: &[(&str, &str, bool)] = &[
    (r#"{"a":[1]}"#, r#"{"a":1.0}"#, true),
    (r#"{"a":[0]}"#, r#"{"a":-0.0}"#, true),
    (r#"{"a":["1"]}"#, r#"{"a":1}"#, false),
    (r#"{"a":[123456789012345678]}"#, r#"{"a":123456789012345679}"#, false),
    (r#"{"a":[123456789012345678]}"#, r#"{"a":123456789012345678}"#, true),
    (r#"{"a":[{"numeric":["<",3]}]}"#, r#"{"a":"no"}"#, false),
    (r#"{"a":[{"numeric":["<",3]}]}"#, r#"{"a":null}"#, false),
    (r#"{"a":[{"anything-but":5}]}"#, r#"{"a":"5"}"#, true),
    (r#"{"a":[{"anything-but":"x"}]}"#, "{}", false),
    (r#"{"a":[{"anything-but":"x"}]}"#, r#"{"a":["x","y"]}"#, true),
    (r#"{"a":[{"anything-but":{"prefix":"x"}}]}"#, r#"{"a":["xa","xb"]}"#, false),
    (r#"{"a":[{"anything-but":{"prefix":"x"}}]}"#, r#"{"a":["xa","b"]}"#, true),
    (r#"{"a":[{"anything-but":{"prefix":"x"}}]}"#, r#"{"a":7}"#, true),
    (r#"{"a":[{"anything-but":{"prefix":"x"}}]}"#, "{}", false),
    (r#"{"a":[{"anything-but":"x"},{"exists":true}]}"#, r#"{"a":"x"}"#, true),
    (r#"{"a":[{"exists":true}],"b":[{"exists":false}]}"#, r#"{"a":"x"}"#, true),
    (r#"{"a":[{"exists":true}],"b":[{"exists":false}]}"#, r#"{"a":"x","b":"y"}"#, false),
    (r#"{"a":[{"exists":true}],"b":[{"exists":false}]}"#, r#"{"c":"x"}"#, false),
    (r#"{"a":[{"exists":false}],"b":[{"exists":true}]}"#, r#"{"b":"x"}"#, true),
    (r#"{"a":[{"exists":false}],"b":[{"exists":false}]}"#, r#"{"c":"x"}"#, true),
    (r#"{"a":[{"exists":false}],"b":[{"exists":false}]}"#, r#"{"b":"x"}"#, false),
    (r#"{"a":[{"numeric":[">",1]}],"b":[{"exists":false}],"c":["x"]}"#, r#"{"a":2,"c":"x"}"#, true),
    (r#"{"a":[{"exists":true}],"b":[{"exists":false}],"c":[{"exists":true}]}"#, r#"{"a":[1],"c":[2]}"#, true),
    (r#"{"a":[{"prefix":"x"}],"b":{"c":[{"exists":false}]},"d":[{"exists":true}]}"#, r#"{"a":"xy","d":0}"#, true),
    (r#"{"a":["x",{"exists":false}]}"#, "{}", true),
    (r#"{"a":["x",{"exists":false}]}"#, r#"{"a":"y"}"#, false),
    (r#"{"a":["x",{"exists":false}],"b":[1]}"#, r#"{"b":1}"#, true),
    (r#"{"a":["x",{"exists":false}],"b":[1]}"#, r#"{"a":"y","b":1}"#, false),
    (r#"{"a":["x",{"prefix":"y"},{"numeric":["<",3]}]}"#, r#"{"a":2}"#, true),
    (r#"{"a":["x",{"prefix":"y"},{"numeric":["<",3]}]}"#, r#"{"a":"yes"}"#, true),
    (r#"{"a":["x",{"prefix":"y"},{"numeric":["<",3]}]}"#, r#"{"a":"no"}"#, false),
    (r#"{"a":[{"exists":true}]}"#, r#"{"a":{"b":1}}"#, false),
    (r#"{"a":[{"exists":false}]}"#, r#"{"a":[]}"#, true),
    (r#"{"a":[{"cidr":"0.0.0.0/0"}]}"#, r#"{"a":"1.2.3.4"}"#, true),
    (r#"{"a":[{"cidr":"::/0"}]}"#, r#"{"a":"1.2.3.4"}"#, false),
    (r#"{"a":[{"cidr":"::/0"}]}"#, r#"{"a":"fe80::1"}"#, true),
    (r#"{"a.b":["x"]}"#, r#"{"a.b":"x"}"#, true),
    (r#"{"a":["q\"\\\u00e9"]}"#, r#"{"a":"q\"\\é"}"#, true),
    // Two fields of an array's objects must match in the same object.
    (r#"{"a":{"b":["x"],"c":["y"]}}"#, r#"{"a":[{"b":"x","c":"z"},{"b":"w","c":"y"}]}"#, false),
    (r#"{"a":{"b":["x"],"c":[1]}}"#, r#"{"a":[{"b":"x","c":2},{"b":"w","c":1}]}"#, false),
    (r#"{"a":{"b":["x"],"c":[1]}}"#, r#"{"a":[{"b":"w","c":1},{"b":"x","c":1}]}"#, true),
    (r#"{"a":[{"exists":false}]}"#, r#"[{"b":1}]"#, false),
    (r#"{"a":[{"exists":false}]}"#, "5", false),
    (r#"{"d":{"a":[{"exists":false}]}}"#, r#"{"d":"text"}"#, true),
    (r#"{"a":["x"]}"#, r#"["a"]"#, false),
    (r#"{"a":["x"]}"#, r#""x""#, false),
    (r#"{"a":["x"]}"#, r#"{"b":{"a":"x"}}"#, false),
];

/// Patterns that are refused, and the words that say why.
const REFUSED: &[(&str, &str)] = &[
    (r#"["x"]"#, "not an object"),
    ("{}", "Empty objects"),
    (r#"{"a":{}}"#, "Empty objects"),
    (r#"{"a":[]}"#, "Empty arrays"),
    (r#"{"a":"x"}"#, "\"a\" must be an object or an array"),
    (r#"{"a":[["x"]]}"#, "Match value"),
    (r#"{"a":[{}]}"#, "name not found"),
    (r#"{"a":[{"regexp":"x"}]}"#, "Unrecognized match type regexp"),
    (r#"{"a":[{"shellstyle":"x"}]}"#, "Unrecognized match type shellstyle"),
    (r#"{"a":[{"prefix":"x","suffix":"y"}]}"#, "Only one key"),
    (r#"{"a":[{"prefix":5}]}"#, "prefix match pattern must be a string"),
    (r#"{"a":[{"cidr":5}]}"#, "cidr match pattern must be a string"),
    (r#"{"a":[{"cidr":"10.0.0.0/33"}]}"#, "10.0.0.0/33"),
    (r#"{"a":[{"prefix":{"wildcard":"x"}}]}"#, "Unsupported prefix pattern: wildcard"),
    (r#"{"a":[{"exists":"yes"}]}"#, "exists"),
    (r#"{"a":[{"numeric":[]}]}"#, "numeric"),
    (r#"{"a":[{"numeric":["!",1]}]}"#, "operator: !"),
    (r#"{"a":[{"numeric":["<",10,"<",5]}]}"#, "Bad numeric range operator"),
    (r#"{"a":[{"numeric":[">",10,"<",5]}]}"#, "Bottom must be less than top"),
    (r#"{"a":[{"numeric":["=",6e9]}]}"#, "5e9"),
    (r#"{"a":[{"anything-but":["x",1]}]}"#, "mixed type"),
    (r#"{"a":[{"anything-but":["x",true]}]}"#, "mixed type"),
    (r#"{"a":[{"anything-but":[]}]}"#, "mixed type"),
    (r#"{"a":[{"anything-but":null}]}"#, "Value of anything-but"),
    (r#"{"a":[{"anything-but":{"cidr":"::/0"}}]}"#, "Unsupported anything-but pattern: cidr"),
    (r#"{"a":[{"anything-but":{"prefix":""}}]}"#, "Null prefix"),
    (r#"{"a":[{"wildcard":"a**b"}]}"#, "wildcard"),
    (r#"{"a":[{"wildcard":"a\\b"}]}"#, "wildcard"),
    (r#"{"$or":[{"a":["x"]}]}"#, "at least 2"),
    (r#"{"$or":{"a":["x"]}}"#, "must be an Array"),
    (r#"{"$or":["x","y"]}"#, "Only JSON object"),
    (r#"{"$or":[{"prefix":["x"]},{"a":["y"]}]}"#, "prefix"),
    (r#"{"a":["x"],"$or":[{"a":["y"]},{"b":["z"]}]}"#, "\"a\" is constrained both"),
    (r#"{"a":["x"],"$or":[{"a":{"b":["y"]}},{"b":["z"]}]}"#, "is constrained both"),
];

fn decide(pattern: &str, event: &str) -> bool {
    let pattern = Pattern::parse(&serde_json::from_str(pattern).unwrap()).unwrap_or_else(|e| panic!("{pattern}: {e}"));
    pattern.matches(&serde_json::from_str(event).unwrap())
}

#[test]
fn every_documented_operator_matches_and_does_not() {
    for (name, pattern, matching, other) in DOCUMENTED {
        assert!(decide(pattern, matching), "{name}: {pattern} should match {matching}");
        assert!(!decide(pattern, other), "{name}: {pattern} should not match {other}");
    }
}

#[test]
fn operators_are_ored_with_any_other_value_of_the_list() {
    for (name, pattern, matching, _) in DOCUMENTED {
        let mut mixed: serde_json::Value = serde_json::from_str(pattern).unwrap();
        if let Some(values) = mixed.get_mut("a").and_then(|values| values.as_array_mut()) {
            values.extend(serde_json::json!(["other", 77, {"prefix": "pre"}]).as_array().unwrap().clone());
            let mixed = mixed.to_string();
            for event in [matching, r#"{"a":"other"}"#, r#"{"a":77}"#, r#"{"a":"prefixed"}"#] {
                assert!(decide(&mixed, event), "{name}: {mixed} should match {event}");
            }
        }
    }
}

#[test]
fn corners_are_decided_as_aws_decides_them() {
    for (pattern, event, expected) in CORNERS {
        assert_eq!(decide(pattern, event), *expected, "{pattern} on {event}");
    }
}

#[test]
fn what_cannot_be_honoured_is_refused_by_name() {
    for (pattern, reason) in REFUSED {
        let refused = Pattern::parse(&serde_json::from_str(pattern).unwrap())
            .expect_err(&format!("{pattern} should be refused"))
            .to_string();
        assert!(refused.contains(reason), "{pattern}: {refused}");
        assert!(refused.starts_with("Event pattern is not valid. Reason: "), "{refused}");
    }
}

#[test]
fn alternatives_have_a_limit() {
    let ten: Vec<_> = (0..10).map(|n| serde_json::json!({"n": [n]})).collect();
    let product = |fields: usize| {
        let nested = (0..fields).map(|field| (format!("f{field}"), serde_json::json!({"$or": ten})));
        Pattern::parse(&serde_json::Value::Object(nested.collect()))
    };
    assert!(product(3).is_ok());
    assert!(product(4).unwrap_err().reason.contains("1000"));
}
