use std::collections::BTreeMap;

use super::*;
use crate::{
    UnitOfWork, all,
    fixture::{Counter, Ping, World},
};

/// Finds the counter under its name; other names fail as they say.
async fn look(name: String, context: Context) -> QueryResult<Counter> {
    match name.as_str() {
        "counter" => context.load::<Counter>(&Counter::the_key()).await,
        "wrong" => Err(HandlerError::invalid("name", "must be right")),
        "panic" => panic!("a secret of the inside"),
        _ => Err(HandlerError::from(std::io::Error::other("a secret of the inside"))),
    }
}

async fn ask(world: &World, name: &str) -> HttpResponse {
    let path_parameters = BTreeMap::from([("name".to_owned(), name.to_owned())]);
    let request = HttpRequest { path_parameters, request_id: "request".to_owned(), ..HttpRequest::default() };
    Query::new("look", "name", look).handle(&world.ports, world.invocation(), request).await
}

#[tokio::test]
async fn a_query_answers_what_is_there() {
    let world = World::new();
    let count = crate::Function::new("count").on(|_: Ping, _: Context| async {
        Ok(UnitOfWork::new().update::<Counter>(Counter::the_key(), Counter::one_more(), all([])))
    });
    world.handle(&count, [world.delivery("1", 1)]).await;
    let response = ask(&world, "counter").await;
    assert_eq!((response.status, response.body.as_str()), (200, r#"{"count":1}"#));
}

#[tokio::test]
async fn a_query_for_nothing_is_not_found() {
    let response = ask(&World::new(), "counter").await;
    assert_eq!(response.status, 404);
    assert!(response.body.contains("there is nothing under this name"), "{}", response.body);
}

#[tokio::test]
async fn a_query_that_is_wrong_is_refused_with_its_field() {
    let response = ask(&World::new(), "wrong").await;
    assert_eq!(response.status, 400);
    assert!(response.body.contains(r#""field":"name""#), "{}", response.body);
}

#[tokio::test]
async fn a_query_that_fails_or_panics_is_unavailable_and_shows_nothing_of_the_inside() {
    for name in ["panic", "else"] {
        let response = ask(&World::new(), name).await;
        assert_eq!(response.status, 503);
        assert!(!response.body.contains("secret"), "{}", response.body);
    }
}
