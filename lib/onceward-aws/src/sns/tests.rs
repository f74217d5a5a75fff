//! What becomes of SNS's refusals and throttling: the SDK's client against a scripted server.

use super::*;
use crate::refusal::KEY_ACTIONS;
use crate::{
    clients::CALL_TRIES_MAX,
    scripted::{Answer, Scripted, chain},
};

const ARN: &str = "arn:aws:sns:eu-central-1:123456789012:confirmations";

/// An error in SNS's protocol, which is XML.
fn error(code: &str, message: &str) -> Answer {
    let error = format!("<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>");
    Answer::raw(403, &format!("<ErrorResponse>{error}<RequestId>R</RequestId></ErrorResponse>"))
}

fn published() -> Answer {
    let result = "<PublishResult><MessageId>m1</MessageId></PublishResult>";
    Answer::raw(200, &format!("<PublishResponse>{result}</PublishResponse>"))
}

async fn publish(answers: [Answer; 2]) -> (Scripted, Result<String, SnsError>) {
    let server = Scripted::start().await;
    server.answer("Publish", answers);
    let topic = SnsTopic::new(Client::new(&server.config().await), ARN).named_by("CONFIRMATIONS_TOPIC_ARN");
    let result = topic.publish("subject", "message", "key").await;
    (server, result)
}

#[tokio::test]
async fn a_throttled_message_is_published_again_with_the_same_key() {
    let (server, result) = publish([error("Throttling", "Rate exceeded"), published()]).await;
    assert_eq!(result.unwrap(), "m1");
    let requests = server.requests("Publish");
    assert_eq!(requests.len(), 2);
    assert!(requests[1].as_str().unwrap().contains("idempotency_key"));
}

#[tokio::test]
async fn a_topic_that_refuses_is_named_with_what_to_do() {
    let topic = format!("the topic {ARN} (CONFIRMATIONS_TOPIC_ARN)");
    let of_topic = format!("User: u is not authorized to perform: SNS:Publish on resource: {ARN} because no policy");
    for (code, message, text, tries) in [
        ("Throttling", "Rate exceeded", "Throttling: Rate exceeded".to_owned(), CALL_TRIES_MAX),
        ("NotFound", "Topic does not exist", format!("{topic} does not exist in this account and region"), 1),
        ("AuthorizationError", &of_topic, format!("SNS:Publish on {topic} is not allowed: allow it in the"), 1),
        ("KMSAccessDenied", "No.", format!("{KEY_ACTIONS} on the key of {topic} is not allowed"), 1),
        ("ExpiredToken", "It is late.", "the credentials have expired: ".to_owned(), 1),
        ("InvalidClientTokenId", "Unknown.", "AWS does not accept the credentials: ".to_owned(), 1),
    ] {
        let (server, result) = publish([error(code, message), error(code, message)]).await;
        let said = chain(&result.unwrap_err());
        assert!(said.starts_with(&format!("the message could not be published to the topic: {text}")), "{said}");
        assert_eq!(server.requests("Publish").len(), tries as usize, "{code}");
    }
}

#[tokio::test]
async fn an_answer_without_an_id_is_an_unknown_outcome() {
    let nothing = || Answer::raw(200, "<PublishResponse><PublishResult></PublishResult></PublishResponse>");
    let (_, result) = publish([nothing(), nothing()]).await;
    let said = "the message could not be published to the topic: SNS has answered without the message's id";
    assert_eq!(chain(&result.unwrap_err()), said);
}
