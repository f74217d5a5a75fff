//! Batches in the query protocol, of SQS and SNS.
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_BatchResultErrorEntry.html>,
//! <https://docs.aws.amazon.com/sns/latest/api/API_BatchResultErrorEntry.html>

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{Failed, INJECTED, Split};
use crate::faults::chance::Chance;
use crate::faults::refusal::{Asked, escaped};

/// How a service writes the entries of a batch.
struct Shape {
    /// What the names of their parameters begin with, up to the number.
    prefix: String,
    namespace: &'static str,
    /// The element of an entry that failed.
    error: &'static str,
    /// What is behind those elements in the answer.
    end: String,
    /// What is before them, where there is nothing else.
    beginning: String,
}

impl Shape {
    fn of(asked: Asked<'_>) -> Self {
        let operation = asked.operation;
        match asked.service {
            "sns" => Self {
                prefix: format!("{operation}RequestEntries.member."),
                namespace: "http://sns.amazonaws.com/doc/2010-03-31/",
                error: "member",
                end: format!("</Failed></{operation}Result>"),
                beginning: format!("<{operation}Result><Successful></Successful><Failed>"),
            },
            _ => Self {
                prefix: format!("{operation}RequestEntry."),
                namespace: "http://queue.amazonaws.com/doc/2012-11-05/",
                error: "BatchResultErrorEntry",
                end: format!("</{operation}Result>"),
                beginning: format!("<{operation}Result>"),
            },
        }
    }

    /// The number of the entry that a parameter belongs to.
    fn entry(&self, parameter: &str) -> Option<u32> {
        parameter.strip_prefix(&self.prefix)?.split('.').next()?.parse().ok()
    }
}

pub(super) fn split(asked: Asked<'_>, chance: Chance, body: &[u8]) -> Option<Split> {
    let shape = Shape::of(asked);
    let pairs: Vec<(String, String)> = form_urlencoded::parse(body).into_owned().collect();
    let mut ids: BTreeMap<u32, Option<&str>> =
        pairs.iter().filter_map(|(name, _)| shape.entry(name)).map(|number| (number, None)).collect();
    for (name, value) in pairs.iter().filter(|(name, _)| name.ends_with(".Id")) {
        if let Some(id) = shape.entry(name).and_then(|number| ids.get_mut(&number)) {
            *id = Some(value);
        }
    }
    if ids.is_empty() {
        return None;
    }
    let failing = chance.some_of(ids.len());
    let mut errors = String::new();
    let mut fails = BTreeMap::new();
    for ((number, id), failed) in ids.into_iter().zip(failing) {
        fails.insert(number, failed);
        if failed {
            let (id, element) = (escaped(id?), shape.error);
            let _ = write!(
                errors,
                "<{element}><Id>{id}</Id><Code>InternalError</Code><Message>{INJECTED}</Message>\
                 <SenderFault>false</SenderFault></{element}>"
            );
        }
    }
    let Shape { namespace, end, beginning, .. } = &shape;
    if fails.values().all(|failed| *failed) {
        let (operation, request_id) = (asked.operation, uuid::Uuid::new_v4());
        return Some(Split::All(asked.encoded(
            200,
            format!(
                "<?xml version=\"1.0\"?><{operation}Response xmlns=\"{namespace}\">{beginning}{errors}{end}\
                 <ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>"
            ),
        )));
    }
    let kept = |name: &str| shape.entry(name).is_none_or(|number| !fails[&number]);
    let rest = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs.iter().filter(|(name, _)| kept(name)))
        .finish();
    let end = shape.end.clone();
    let failed: Failed = Box::new(move |answer| {
        let answer = std::str::from_utf8(answer).ok()?;
        let (before, after) = answer.split_once(&end)?;
        Some(format!("{before}{errors}{end}{after}").into())
    });
    Some(Split::Some { rest: rest.into(), failed })
}
