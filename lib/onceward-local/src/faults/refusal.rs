//! Refusals, as each service words them.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>,
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html>,
//! <https://docs.aws.amazon.com/eventbridge/latest/APIReference/CommonErrors.html>,
//! <https://docs.aws.amazon.com/sns/latest/api/CommonErrors.html>,
//! <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>

use serde_json::{Value, json};

use crate::wire::{AwsResponse, Protocol};

/// What is to be refused, and in which protocol.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) service: &'a str,
    pub(super) operation: &'a str,
    pub(super) protocol: Protocol,
}

/// An error by its names in the two protocols.
struct Refusal {
    status: u16,
    /// `__type`, or of Lambda `x-amzn-errortype`.
    code: &'static str,
    /// `Code`, where the query protocol has another one, and the status that goes with it.
    query: Option<(u16, &'static str)>,
    message: &'static str,
}

/// Nobody can tell it from one that AWS gives; the message says whose it is.
const INJECTED: &str = "The local cloud was told to fail this call.";

impl Asked<'_> {
    /// Too many requests.
    pub(super) fn throttled(self) -> AwsResponse {
        let refusal = match self.service {
            "dynamodb" if self.is_about_items() => Refusal {
                status: 400,
                code: "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
                query: None,
                message: "The level of configured provisioned throughput for the table was exceeded. Consider \
                          increasing your provisioning level with the UpdateTable API.",
            },
            "sqs" => Refusal {
                status: 400,
                code: "com.amazonaws.sqs#RequestThrottled",
                query: Some((403, "RequestThrottled")),
                message: "The request was denied due to request throttling.",
            },
            "sns" => Refusal { status: 429, code: "Throttled", query: None, message: "Rate exceeded" },
            "lambda" => {
                Refusal { status: 429, code: "TooManyRequestsException", query: None, message: "Rate Exceeded." }
            }
            "dynamodb" => Refusal {
                status: 400,
                code: "com.amazon.coral.availability#ThrottlingException",
                query: None,
                message: "Rate of requests exceeds the allowed throughput.",
            },
            _ => Refusal {
                status: 400,
                code: "ThrottlingException",
                query: Some((400, "Throttling")),
                message: "Rate exceeded",
            },
        };
        self.answer(&refusal)
    }

    /// The service's own fault: 500, or 503 for one that is not available.
    pub(super) fn failed(self, status: u16) -> AwsResponse {
        let (code, query) = match (self.service, status) {
            ("sqs" | "sns", 503) => ("ServiceUnavailable", None),
            (_, 503) => ("ServiceUnavailableException", Some((503, "ServiceUnavailable"))),
            ("dynamodb", _) => ("com.amazonaws.dynamodb.v20120810#InternalServerError", None),
            ("events", _) => ("InternalException", None),
            ("lambda", _) => ("ServiceException", None),
            ("sns", _) => ("InternalError", None),
            _ => ("InternalFailure", None),
        };
        self.answer(&Refusal { status, code, query, message: INJECTED })
    }

    /// `DynamoDB` met a transaction under way; of a transaction's `items`, at the one at `at`.
    pub(super) fn conflicting(self, items: usize, at: usize) -> AwsResponse {
        const MESSAGE: &str = "Transaction is ongoing for the item";
        if !self.operation.starts_with("Transact") {
            let code = "com.amazonaws.dynamodb.v20120810#TransactionConflictException";
            return self.answer(&Refusal { status: 400, code, query: None, message: MESSAGE });
        }
        let code = |place: usize| if place == at { "TransactionConflict" } else { "None" };
        let codes: Vec<_> = (0..items).map(code).collect();
        let reason = |code: &&str| match *code {
            "None" => json!({"Code": "None"}),
            code => json!({"Code": code, "Message": MESSAGE}),
        };
        self.json(
            400,
            &json!({
                "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
                "Message": format!(
                    "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
                    codes.join(", ")
                ),
                "CancellationReasons": codes.iter().map(reason).collect::<Vec<_>>(),
            }),
        )
    }

    /// A JSON answer.
    pub(super) fn json(self, status: u16, body: &Value) -> AwsResponse {
        let content_type = match self.protocol {
            Protocol::Json { content_type } => content_type,
            Protocol::Query => "application/json",
        };
        AwsResponse { status, content_type, headers: Vec::new(), body: body.to_string().into() }
    }

    fn answer(self, refusal: &Refusal) -> AwsResponse {
        let Refusal { status, code, query, message } = refusal;
        let fault = if *status < 500 { "Sender" } else { "Receiver" };
        if self.protocol == Protocol::Query {
            let (status, code) = query.unwrap_or((*status, code));
            let error = format!("<Error><Type>{fault}</Type><Code>{code}</Code><Message>{message}</Message></Error>");
            let request_id = uuid::Uuid::new_v4();
            let body = format!("<ErrorResponse>{error}<RequestId>{request_id}</RequestId></ErrorResponse>");
            return AwsResponse { status, content_type: "text/xml", headers: Vec::new(), body: body.into() };
        }
        if self.service == "lambda" {
            let blame = if *status < 500 { "User" } else { "Service" };
            let mut answer = self.json(*status, &json!({"Type": blame, "Message": message, "message": message}));
            answer.headers.push(("x-amzn-errortype", (*code).to_owned()));
            return answer;
        }
        let mut answer = self.json(*status, &json!({"__type": code, "message": message}));
        if self.service == "sqs" {
            let name = code.rsplit('#').next().unwrap_or(code);
            answer.headers.push(("x-amzn-query-error", format!("{name};{fault}")));
        }
        answer
    }

    fn is_about_items(self) -> bool {
        let words = ["Item", "Query", "Scan", "Statement", "Transaction", "GetRecords"];
        words.iter().any(|word| self.operation.contains(word))
    }
}
