use contracts::{OrderPlaced, StockReserved};
use onceward::{Command, Context, Event as _, Function, HandlerResult, Query, QueryResult, Relay, UnitOfWork};
use serde_json::json;

use super::*;

async fn ignore(_: OrderPlaced, _: Context<String>) -> HandlerResult {
    Ok(UnitOfWork::new())
}

async fn get(_: String, _: Context) -> QueryResult<()> {
    Ok(None)
}

#[test]
fn a_function_says_what_it_is_and_which_variables_it_needs() {
    let said = describe(|aws| {
        let url = aws.variable_like("GATEWAY_URL", "https://gateway.example.com")?;
        assert_eq!(url, "https://gateway.example.com");
        Ok(Function::with("reserve-stock", url).source("inventory").guarded().publishes::<StockReserved>().on(ignore))
    });
    let expected = json!({
        "onceward": {"description": 1, "version": env!("CARGO_PKG_VERSION")},
        "name": "reserve-stock",
        "kind": "function",
        "mode": "guarded",
        "source": "inventory",
        "handles": [{"type": OrderPlaced::wire_type()}],
        "publishes": [{"type": StockReserved::wire_type()}],
        "tables": [],
        "variables": [{"name": "LEDGER_TABLE"}, {"name": "DEAD_LETTER_QUEUE_URL"}, {"name": "GATEWAY_URL"}],
        "partial_failures": true,
        "retention_seconds": 1_296_000,
        "concurrency": 10,
        "circuit_breakers": [],
        "timeouts": {"seconds_min": 3},
    });
    assert_eq!(said, expected);
}

#[test]
fn each_kind_says_which_it_is_and_needs_its_own_variables() {
    let kind_and_variables = |said: Value| (said["kind"].clone(), said["variables"].clone());
    let command = describe(|_| Ok(Command::new("place", |(): (), _| async { Ok(UnitOfWork::new()) })));
    assert_eq!(kind_and_variables(command), (json!("command"), json!([{"name": "LEDGER_TABLE"}])));
    let query = describe(|_| Ok(Query::new("get", "id", get)));
    assert_eq!(kind_and_variables(query), (json!("query"), json!([])));
    let relay = describe(|_| Ok(Relay::new("relay")));
    assert_eq!(relay["name"], "relay");
    let expected = json!([{"name": "EVENT_BUS_NAME"}, {"name": "DEAD_LETTER_QUEUE_URL", "required": false}]);
    assert_eq!(kind_and_variables(relay), (json!("relay"), expected));
}

#[test]
fn a_function_that_cannot_be_made_of_placeholders_says_so_with_what_it_asked_for() {
    let said = describe(|aws| {
        let seconds = aws.variable("OPEN_SECONDS")?;
        seconds.parse::<u8>().map_err(RunError::dependency)?;
        Ok(Relay::new("relay"))
    });
    assert_eq!(said["variables"], json!([{"name": "OPEN_SECONDS"}]));
    assert!(said["incomplete"].as_str().is_some_and(|why| why.contains("invalid digit")), "{said}");
    assert_eq!(said.get("name"), None);
}

#[test]
fn clients_can_be_made_while_it_is_asked() {
    let said = describe(|aws| {
        aws.topic("TOPIC_ARN")?;
        Ok(Relay::new("relay"))
    });
    assert!(said["variables"].to_string().contains("TOPIC_ARN"), "{said}");
}
