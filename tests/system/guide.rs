//! The guide's code is the code of its crate, and its function works on a local cloud.

use std::{collections::BTreeMap, fs, path::Path};

use libtest_mimic::Trial;
use serde_json::json;

use crate::{
    on_a_cloud_with,
    system::{ROOT, System, envelope, eventually},
    trial,
};

const FOLDER: &str = "docs/guide";
const TEMPLATE: &str = "docs/guide/points/template.yaml";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("guide::its_code_is_that_of_its_crate", its_code_is_that_of_its_crate),
        on_a_cloud_with(TEMPLATE, BTreeMap::new(), "guide::its_function_awards_points_once", points_once),
    ]
}

fn its_code_is_that_of_its_crate() {
    let folder = Path::new(ROOT).join(FOLDER);
    let guide = fs::read_to_string(folder.join("README.md")).expect("the guide");
    let mut copies = 0;
    for part in guide.split("<!-- from ").skip(1) {
        let (file, rest) = part.split_once(" -->\n").expect("the comment ends");
        let (_, code) = rest.strip_prefix("```").and_then(|rest| rest.split_once('\n')).expect("code follows");
        let (code, _) = code.split_once("```").expect("the code ends");
        let source = fs::read_to_string(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(source.contains(code), "this is not in {file}:\n{code}");
        copies += 1;
    }
    assert_eq!(copies, 7);
}

async fn points_once(system: System) {
    let event = envelope("order.confirmed.v1", "e-1", &json!({"customer_id": "ada", "total": 2599}));
    for _ in 0..2 {
        system.publish("orders", "order.confirmed.v1", &event).await;
    }
    eventually("both messages are gone", async || {
        system.cloud().backlog() == 0 && !system.rows("points-accounts").await.is_empty()
    })
    .await;
    assert_eq!(system.rows("points-accounts").await, [json!({"customer_id": {"S": "ada"}, "points": {"N": "25"}})]);
    assert_eq!(system.depth("award-points-dlq").await.backlog(), 0);
}
