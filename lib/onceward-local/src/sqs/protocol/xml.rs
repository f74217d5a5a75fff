//! The query protocol's answers: XML, in which lists and maps are flat.

use serde_json::{Map, Value};

/// Namespace of the answers.
const NAMESPACE: &str = "http://queue.amazonaws.com/doc/2012-11-05/";

/// The XML of an action's JSON answer; null has no result element.
pub(super) fn answer(action: &str, answer: &Value, request_id: &str) -> String {
    let mut out = format!("<?xml version=\"1.0\"?><{action}Response xmlns=\"{NAMESPACE}\">");
    // Parsers require the element of a result, even if nothing is in it.
    if let Some(fields) = answer.as_object() {
        element(&mut out, &format!("{action}Result"), |out| write_fields(out, action, fields));
    }
    element(&mut out, "ResponseMetadata", |out| text(out, "RequestId", request_id));
    out + &format!("</{action}Response>")
}

/// The XML of an error of the sender.
pub(super) fn error(code: &str, message: &str, request_id: &str) -> String {
    let mut out = format!("<?xml version=\"1.0\"?><ErrorResponse xmlns=\"{NAMESPACE}\">");
    element(&mut out, "Error", |out| {
        text(out, "Type", "Sender");
        text(out, "Code", code);
        text(out, "Message", message);
        out.push_str("<Detail/>");
    });
    text(&mut out, "RequestId", request_id);
    out + "</ErrorResponse>"
}

fn write_fields(out: &mut String, action: &str, fields: &Map<String, Value>) {
    for (name, value) in fields {
        match (name.as_str(), value) {
            ("Attributes", Value::Object(map)) => write_map(out, "Attribute", "Name", map),
            ("MessageAttributes", Value::Object(map)) => write_map(out, "MessageAttribute", "Name", map),
            ("Tags", Value::Object(map)) => write_map(out, "Tag", "Key", map),
            (_, Value::Array(items)) => {
                let item_name = match name.as_str() {
                    "Messages" => "Message".to_owned(),
                    "Results" => "ListMessageMoveTasksResultEntry".to_owned(),
                    "Failed" => "BatchResultErrorEntry".to_owned(),
                    "Successful" => format!("{action}ResultEntry"),
                    _ => "QueueUrl".to_owned(),
                };
                for item in items {
                    write_value(out, action, &item_name, item);
                }
            }
            _ => write_value(out, action, name, value),
        }
    }
}

fn write_map(out: &mut String, entry: &str, key: &str, map: &Map<String, Value>) {
    for (name, value) in map {
        element(out, entry, |out| {
            text(out, key, name);
            write_value(out, "", "Value", value);
        });
    }
}

fn write_value(out: &mut String, action: &str, name: &str, value: &Value) {
    match value {
        Value::Object(fields) => element(out, name, |out| write_fields(out, action, fields)),
        Value::String(value) => text(out, name, value),
        Value::Null => {}
        other => text(out, name, &other.to_string()),
    }
}

fn element(out: &mut String, name: &str, content: impl FnOnce(&mut String)) {
    out.extend(["<", name, ">"]);
    content(out);
    out.extend(["</", name, ">"]);
}

fn text(out: &mut String, name: &str, value: &str) {
    element(out, name, |out| {
        for character in value.chars() {
            match character {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '"' => out.push_str("&quot;"),
                // A parser would turn a bare carriage return into a line feed.
                '\r' => out.push_str("&#13;"),
                other => out.push(other),
            }
        }
    });
}
