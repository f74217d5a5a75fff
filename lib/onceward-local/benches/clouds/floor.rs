//! What HTTP alone costs: a server that does nothing and says at once what every request of the workload wants to hear.

use std::net::{Ipv4Addr, SocketAddr};

use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use axum::serve::ListenerExt;
use axum::{Json, Router};
use serde_json::json;

use crate::Error;

/// The flag, before the port, that makes this executable the floor.
pub(crate) const FLAG: &str = "--floor";

/// Answers until the process is ended.
pub(crate) async fn serve(port: u16) -> Result<(), Error> {
    let answer = json!({
        "QueueUrl": "queue",
        "Attributes": { "QueueArn": "arn" },
        "Messages": [{ "ReceiptHandle": "handle" }],
        "FailedEntryCount": 0,
    })
    .to_string();
    let healthy = get(async || Json(json!({})));
    let anything = async move || ([(CONTENT_TYPE, "application/x-amz-json-1.0")], answer.clone());
    let router = Router::new().route("/_localstack/health", healthy).fallback(anything);
    let listener = tokio::net::TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
    let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
    Ok(axum::serve(listener, router).await?)
}
