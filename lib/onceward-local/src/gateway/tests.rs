use super::*;

fn request(token: &str) -> Value {
    json!({"amount": 1999, "currency": "EUR", "payment_token": token, "reference": "ord_1", "capture": false})
}

#[test]
fn one_key_is_one_charge() {
    let gateway = Gateway::new();
    let (status, first, replayed) = gateway.pay("key", request("tok_visa"));
    assert_eq!((status, replayed), (StatusCode::CREATED, false));
    assert_eq!((&first["status"], &first["amount"]), (&json!("authorized"), &json!(1999)));
    assert_eq!(gateway.pay("key", request("tok_visa")), (StatusCode::CREATED, first.clone(), true));
    assert_eq!(gateway.charges(), [first]);

    let (status, body, _) = gateway.pay("key", request("tok_other"));
    assert_eq!((status, &body["error"]["type"]), (StatusCode::CONFLICT, &json!("idempotency_error")));
    assert_eq!(gateway.charges().len(), 1);
}

#[test]
fn a_declined_token_is_declined_again() {
    let gateway = Gateway::new();
    let (status, body, _) = gateway.pay("key", request(TOKEN_DECLINED));
    assert_eq!((status, &body["error"]["code"]), (StatusCode::PAYMENT_REQUIRED, &json!("card_declined")));
    assert_eq!(gateway.pay("key", request(TOKEN_DECLINED)), (status, body, true));
    assert_eq!((gateway.charges().len(), gateway.declined()), (0, 1));
}

#[test]
fn a_malformed_payment_names_its_field_and_does_not_use_up_the_key() {
    let gateway = Gateway::new();
    let faults = [
        ("amount", json!(0)),
        ("amount", json!(-1)),
        ("amount", json!(1.5)),
        ("amount", json!(9_223_372_036_854_775_808_u64)),
        ("currency", json!("eur")),
        ("payment_token", json!("4242")),
        ("reference", json!("")),
        ("capture", json!("yes")),
    ];
    for (field, value) in faults {
        let mut malformed = request("tok_visa");
        malformed[field] = value;
        let (status, body, _) = gateway.pay("key", malformed);
        assert_eq!((status, &body["error"]["param"]), (StatusCode::BAD_REQUEST, &json!(field)), "{body}");
    }
    assert_eq!(gateway.pay("key", request("tok_visa")).0, StatusCode::CREATED);
}

async fn call(gateway: &Gateway, key: Option<&str>, body: &str) -> (StatusCode, HeaderMap) {
    let mut request = Request::builder().method("POST").uri("/v1/payments");
    if let Some(key) = key {
        request = request.header("Idempotency-Key", key);
    }
    let response = create(State(gateway.clone()), request.body(Body::from(body.to_owned())).unwrap()).await;
    (response.status(), response.headers().clone())
}

#[tokio::test]
async fn over_http() {
    let gateway = Gateway::new();
    let body = request("tok_visa").to_string();
    assert_eq!(call(&gateway, None, &body).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(call(&gateway, Some("key"), "{").await.0, StatusCode::BAD_REQUEST);
    assert_eq!(call(&gateway, Some("key"), &" ".repeat(BODY_BYTES_MAX + 1)).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    let (status, headers) = call(&gateway, Some("key"), &body).await;
    assert_eq!((status, headers.get("Idempotent-Replayed")), (StatusCode::CREATED, None));
    let (status, headers) = call(&gateway, Some("key"), &body).await;
    assert_eq!((status, headers["Idempotent-Replayed"].to_str().unwrap()), (StatusCode::CREATED, "true"));
}

#[tokio::test]
async fn a_gateway_that_is_down_answers_503_and_charges_nothing() {
    let gateway = Gateway::new();
    let body = request("tok_visa").to_string();
    gateway.set_down(true);
    assert_eq!(call(&gateway, Some("key"), &body).await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!((gateway.charges(), gateway.calls()), (Vec::new(), 1));
    gateway.set_down(false);
    assert_eq!(call(&gateway, Some("key"), &body).await.0, StatusCode::CREATED);
    assert_eq!(gateway.calls(), 2);
}
