use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    time::Duration,
};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Visitor},
};
use serde_json::{Value, value::RawValue};

use super::{ByName, from_json, from_json_with_path};

#[derive(Debug, PartialEq, Deserialize)]
struct Line {
    product: String,
    quantity: u32,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Order {
    line: Line,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Parcel(Line);

#[derive(Debug, PartialEq, Deserialize)]
struct Nothing {}

#[derive(Debug, PartialEq, Deserialize)]
struct Unit;

#[derive(Debug, PartialEq, Deserialize)]
struct Place(i32, i32);

#[derive(Debug, PartialEq, Deserialize)]
enum Change {
    Added(Line),
    Removed { product: String, quantity: u32 },
    Moved(i32, Line),
    Cleared,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(tag = "type")]
enum Tagged {
    Added(Line),
    Removed { lines: Vec<Line> },
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(tag = "type", content = "content")]
enum Adjacent {
    Added(Line),
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Added(Line),
}

#[derive(Debug, PartialEq, Deserialize)]
struct Flat {
    first: Line,
    #[serde(flatten)]
    rest: Rest,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Rest {
    second: Line,
}

const OBJECT: &str = r#"{"product":"p","quantity":1}"#;
const LIST: &str = r#"["p",1]"#;

fn line() -> Line {
    Line { product: "p".to_owned(), quantity: 1 }
}

/// The shape is read with an object in the place of `_`, and with a list there it is refused by both readers, with the
/// path and what was expected.
fn only_an_object<T: DeserializeOwned + Debug>(shape: &str, path: &str, expected: &str) {
    let (object, list) = (shape.replace('_', OBJECT), shape.replace('_', LIST));
    from_json::<T>(&object).unwrap();
    from_json_with_path::<T>(&object).unwrap();
    serde_json::from_str::<T>(&list).expect("serde's rule takes it");
    let message = format!("invalid type: sequence, expected {expected} at line 1 column ");
    let error = from_json::<T>(&list).expect_err(&list).to_string();
    assert!(error.starts_with(&message), "{list}: {error}");
    let error = from_json_with_path::<T>(&list).expect_err(&list);
    assert_eq!(error.path().to_string(), path, "{list}: {error}");
    assert!(error.inner().to_string().starts_with(&message), "{list}: {error}");
}

/// Both readers make this value of the text.
fn is<T: DeserializeOwned + Debug + PartialEq>(text: &str, value: &T) {
    assert_eq!(&from_json::<T>(text).unwrap(), value);
    assert_eq!(&from_json_with_path::<T>(text).unwrap(), value);
}

#[test]
fn a_struct_is_no_list_wherever_it_is() {
    only_an_object::<Line>("_", ".", "struct Line");
    only_an_object::<Order>(r#"{"line":_}"#, "line", "struct Line");
    only_an_object::<Vec<Line>>(r#"[{"product":"q","quantity":2},_]"#, "[1]", "struct Line");
    only_an_object::<Option<Line>>("_", ".", "struct Line");
    only_an_object::<Box<Line>>("_", ".", "struct Line");
    only_an_object::<BTreeMap<String, Line>>(r#"{"a":_}"#, "a", "struct Line");
    only_an_object::<BTreeMap<String, Vec<Option<Line>>>>(r#"{"a":[null,_]}"#, "a[1]", "struct Line");
    only_an_object::<Parcel>("_", ".", "struct Line");
    only_an_object::<(u8, Line)>("[1,_]", "[1]", "struct Line");
}

#[test]
fn a_struct_in_a_variant_and_a_struct_variant_are_no_lists() {
    only_an_object::<Change>(r#"{"Added":_}"#, "Added", "struct Line");
    only_an_object::<Change>(r#"{"Removed":_}"#, "Removed", "struct variant Change::Removed");
    only_an_object::<Change>(r#"{"Moved":[1,_]}"#, "Moved[1]", "struct Line");
}

#[test]
fn a_struct_without_fields_is_no_empty_list() {
    is("{}", &Nothing {});
    let error = from_json::<Nothing>("[]").unwrap_err().to_string();
    assert!(error.starts_with("invalid type: sequence, expected struct Nothing"), "{error}");
}

#[test]
fn a_struct_of_the_standard_library_is_none_either() {
    is(r#"{"secs":1,"nanos":2}"#, &Duration::new(1, 2));
    from_json::<Duration>("[1,2]").unwrap_err();
}

#[test]
fn what_is_a_list_in_rust_is_one_in_json() {
    is("[1,2]", &(1, 2));
    is("[1,2]", &[1, 2]);
    is("[1,2]", &vec![1, 2]);
    is("[2,1,2]", &BTreeSet::from([1, 2]));
    is("[1,2]", &Place(1, 2));
    is(r#"{"Moved":[1,{"product":"p","quantity":1}]}"#, &Change::Moved(1, line()));
    is("[[1,2],[3,4]]", &vec![Place(1, 2), Place(3, 4)]);
}

#[test]
fn everything_else_is_as_serde_json_has_it() {
    is(r#""Cleared""#, &Change::Cleared);
    is("null", &Unit);
    is("null", &());
    is("null", &None::<Line>);
    is("[true,false]", &(true, false));
    is(r#"["a","bc"]"#, &('a', "bc".to_owned()));
    is("[-1,-2,-3,-4]", &(-1_i8, -2_i16, -3_i32, -4_i64));
    is("[1,2,3,4]", &(1_u8, 2_u16, 3_u32, 4_u64));
    is("[1.5,2.5]", &(1.5_f32, 2.5_f64));
    is(&format!("[{},{}]", i128::MIN, u128::MAX), &(i128::MIN, u128::MAX));
    is(r#"{"1":"a"}"#, &BTreeMap::from([(1, "a".to_owned())]));
    is(r#"{"Ok":1}"#, &Ok::<u8, u8>(1));
    is(r#""2026-01-02T03:04:05Z""#, &"2026-01-02T03:04:05Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap());
    assert_eq!(from_json::<&[u8]>(r#""ab""#).unwrap(), b"ab");
}

#[test]
fn a_value_holds_lists_and_objects_as_they_are() {
    let text = r#"{"a":[1,-2,3.5,"b",null,true,[[]],{"c":[]}]}"#;
    is(text, &serde_json::from_str::<Value>(text).unwrap());
    is(text, &BTreeMap::from([("a".to_owned(), serde_json::from_str::<Value>(text).unwrap()["a"].clone())]));
}

#[test]
fn a_raw_value_keeps_its_text() {
    for text in ["[1 , 2]", r#"{ "a" : [1e400] }"#, "123456789012345678901234567890.10", "null"] {
        assert_eq!(from_json::<Box<RawValue>>(text).unwrap().get(), text);
        assert_eq!(from_json::<&RawValue>(text).unwrap().get(), text);
        assert_eq!(from_json_with_path::<&RawValue>(text).unwrap().get(), text);
        let nested = format!(r#"{{"a":{text}}}"#);
        assert_eq!(from_json::<BTreeMap<String, Box<RawValue>>>(&nested).unwrap()["a"].get(), text);
    }
}

#[test]
fn text_is_borrowed_where_it_can_be() {
    #[derive(Deserialize)]
    struct Texts<'a> {
        plain: &'a str,
        #[serde(borrow)]
        either: Cow<'a, str>,
    }
    let texts: Texts<'_> = from_json(r#"{"plain":"a","either":"b"}"#).unwrap();
    assert_eq!(texts.plain, "a");
    assert!(matches!(texts.either, Cow::Borrowed("b")));
    let texts: Texts<'_> = from_json(r#"{"plain":"a","either":"b\n"}"#).unwrap();
    assert!(matches!(texts.either, Cow::Owned(either) if either == "b\n"));
}

#[test]
fn it_is_as_readable_for_humans_as_what_it_reads_from() {
    struct Binary;
    impl<'de> Deserializer<'de> for Binary {
        type Error = serde_json::Error;

        serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
            newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
        }

        fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> serde_json::Result<V::Value> {
            visitor.visit_unit()
        }

        fn is_human_readable(&self) -> bool {
            false
        }
    }
    assert!(!ByName(Binary).is_human_readable());
    assert!(ByName(&mut serde_json::Deserializer::from_str("1")).is_human_readable());
}

#[test]
fn nothing_may_follow_the_value() {
    let text = format!("{OBJECT} ]");
    for error in
        [from_json::<Line>(&text).unwrap_err().to_string(), from_json_with_path::<Line>(&text).unwrap_err().to_string()]
    {
        assert!(error.starts_with("trailing characters"), "{error}");
    }
    is(&format!(" {OBJECT} "), &line());
}

#[test]
fn depth_has_the_limit_of_the_parser() {
    let deep = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
    let error = from_json::<Value>(&deep).unwrap_err().to_string();
    assert!(error.starts_with("recursion limit exceeded"), "{error}");
}

/// A flattened struct's own fields, and content that follows its tag, are read as they come.
#[test]
fn what_serde_does_not_buffer_is_no_list_beside_what_it_does() {
    only_an_object::<Flat>(r#"{"first":_,"second":{"product":"q","quantity":2}}"#, "first", "struct Line");
    only_an_object::<Adjacent>(r#"{"type":"Added","content":_}"#, "content", "struct Line");
    for list in [r#"["Added",["p",1]]"#, r#"["Added",{"product":"p","quantity":1}]"#] {
        let error = from_json::<Adjacent>(list).unwrap_err().to_string();
        assert!(error.starts_with("invalid type: sequence, expected adjacently tagged enum Adjacent"), "{error}");
    }
}

/// Not wanted, but so: the module's text says it. If one of these fails, serde has changed for the better.
#[test]
fn what_serde_buffers_may_be_a_list() {
    is(r#"["Added","p",1]"#, &Tagged::Added(line()));
    is(r#"{"type":"Removed","lines":[["p",1]]}"#, &Tagged::Removed { lines: vec![line()] });
    is(r#"["p",1]"#, &Untagged::Added(line()));
    is(r#"{"content":["p",1],"type":"Added"}"#, &Adjacent::Added(line()));
    let object = r#"{"first":{"product":"p","quantity":1},"second":["p",1]}"#;
    is(object, &Flat { first: line(), rest: Rest { second: line() } });
}
