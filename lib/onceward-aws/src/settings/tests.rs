use super::*;

const ARN: &str = "arn:aws:dynamodb:eu-central-1:123456789012:table/onceward-ledger";

fn message(result: Result<impl std::fmt::Debug, RunError>) -> String {
    let message = result.expect_err("refused").to_string();
    assert_eq!(message.lines().count(), 1, "{message}");
    message
}

#[track_caller]
fn check(rule: Rule, kept_by: &[&str], broken_by: &[&str]) {
    for value in kept_by {
        assert!((rule.holds)(value), "{value} is {}", rule.expected);
    }
    for value in broken_by {
        assert!(!(rule.holds)(value), "{value} is not {}", rule.expected);
    }
}

#[test]
fn a_table_is_a_name_by_dynamodbs_rules_or_an_arn() {
    let (longest, too_long) = ("t".repeat(255), "t".repeat(256));
    let wrong = [
        "ab",
        &too_long,
        "orders table",
        "órdenes",
        "arn:aws:dynamodb:eu-central-1:123456789012:table/",
        "arn:aws:sqs:eu-central-1:123456789012:table/orders",
        "arn:aws:dynamodb:eu-central-1:1234:table/orders",
        "arn:aws:dynamodb:eu-central-1:123456789012:table/orders/stream/2026-01-01T00:00:00.000",
    ];
    let china = "arn:aws-cn:dynamodb:cn-north-1:123456789012:table/orders";
    check(TABLE, &["abc", "onceward-LedgerTable-1A.b_c", &longest, ARN, china], &wrong);
}

#[test]
fn a_queue_is_a_url_that_ends_with_account_and_name() {
    let longest = format!("https://sqs.eu-central-1.amazonaws.com/123456789012/{}", "q".repeat(80));
    let right = [
        "https://sqs.eu-central-1.amazonaws.com/123456789012/orders",
        "https://sqs.cn-north-1.amazonaws.com.cn/123456789012/orders.fifo",
        "http://127.0.0.1:4566/000000000000/orders",
        "http://localhost:4566/queue/eu-central-1/000000000000/orders",
        &longest,
    ];
    let wrong = [
        "orders",
        "arn:aws:sqs:eu-central-1:123456789012:orders",
        "ftp://sqs.eu-central-1.amazonaws.com/123456789012/orders",
        "https://sqs.eu-central-1.amazonaws.com/123456789012/",
        "https://sqs.eu-central-1.amazonaws.com/orders",
        "https://sqs.eu-central-1.amazonaws.com/123456789012/orders?Action=SendMessage",
        "https://sqs.eu-central-1.amazonaws.com/123456789012/or ders",
        &format!("{longest}q"),
        "None",
    ];
    check(DEAD_LETTER_QUEUE, &right, &wrong);
}

#[test]
fn a_bus_is_a_name_or_an_arn_a_topic_an_arn_and_a_region_a_word() {
    let bus = "arn:aws:events:eu-central-1:123456789012:event-bus/orders";
    check(BUS, &["default", "onceward.Bus_1", "aws.partner/example.com/1", bus], &["", "a bus", ARN, &"b".repeat(257)]);
    let topic = "arn:aws:sns:eu-central-1:123456789012:confirmations";
    let fifo = "arn:aws-us-gov:sns:us-gov-west-1:123456789012:confirmations.fifo";
    check(
        TOPIC_ARN,
        &[topic, fifo],
        &["confirmations", ARN, "arn:aws:sns:eu-central-1:123456789012:", &format!("{topic}:1f2e")],
    );
    check(
        REGION,
        &["eu-central-1", "us-gov-west-1", "eusc-de-east-1"],
        &["", "Frankfurt", "eu_central_1", "EU-CENTRAL-1"],
    );
}

#[test]
fn a_missing_variable_is_named_with_what_it_should_be() {
    assert_eq!(
        message(present(LEDGER_TABLE, None, &TABLE)),
        "the environment variable LEDGER_TABLE is not set: give it to the function in the template; it should be \
         the name of a DynamoDB table (3 to 255 of a-z A-Z 0-9 _ . -) or its ARN"
    );
}

#[test]
fn a_malformed_variable_is_named_with_its_value_and_what_it_should_be() {
    assert_eq!(
        message(present(DEAD_LETTER_QUEUE_URL, Some("orders".to_owned()), &DEAD_LETTER_QUEUE)),
        "the environment variable DEAD_LETTER_QUEUE_URL is \"orders\": correct it in the template; it should be \
         the URL of an SQS queue, such as https://sqs.eu-central-1.amazonaws.com/123456789012/orders, or `none`"
    );
    assert!(message(present(DEAD_LETTER_QUEUE_URL, Some("a\nb".to_owned()), &DEAD_LETTER_QUEUE)).contains(r#""a\nb""#));
}

#[test]
fn no_dead_letter_queue_has_to_be_said_out_loud() {
    let url = "https://sqs.eu-central-1.amazonaws.com/123456789012/dead";
    let read = |value: Option<&str>| queue_url_unless_none(DEAD_LETTER_QUEUE_URL, value.map(str::to_owned));
    assert_eq!(read(Some(url)).unwrap().as_deref(), Some(url));
    assert_eq!(read(Some("none")).unwrap(), None);
    assert!(message(read(None)).contains("DEAD_LETTER_QUEUE_URL is not set"));
    assert!(message(read(Some("NONE"))).contains("DEAD_LETTER_QUEUE_URL is \"NONE\""));
}

#[test]
fn tables_are_found_by_their_variables_and_a_malformed_one_is_named() {
    let variables = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Vec<_>>().into_iter()
    };
    let read = tables_of(variables(&[("ORDER_LINES_TABLE", "lines"), ("PATH", "/bin"), ("OLD_TABLE", "")])).unwrap();
    assert_eq!(read, HashMap::from([("order-lines".to_owned(), "lines".to_owned())]));
    assert_eq!(table_variable("order-lines"), "ORDER_LINES_TABLE");
    let refused = tables_of(variables(&[("ORDERS_TABLE", "the orders")]));
    assert!(message(refused).starts_with("the environment variable ORDERS_TABLE is \"the orders\""));
}

#[test]
fn former_function_names_are_names_with_commas_between_them() {
    let longest = "f".repeat(64);
    let read = former_of(&format!("shop-Buy-1A, store_buy,{longest}")).unwrap();
    assert_eq!(read, ["shop-Buy-1A", "store_buy", &longest]);
    for wrong in ["shop buy", "a,,b", "a,", &format!("{longest}f"), "arn:aws:lambda:eu-west-1:123456789012:function:f"]
    {
        let refusal = message(former_of(wrong));
        assert!(refusal.starts_with("the environment variable FORMER_FUNCTION_NAMES is "), "{refusal}");
        assert!(refusal.contains("with commas between them"), "{refusal}");
    }
}

#[test]
fn a_queue_is_found_by_its_arn() {
    let url = queue_url("arn:aws:sqs:eu-west-1:123456789012:orders.fifo");
    assert_eq!(url.as_deref(), Some("https://sqs.eu-west-1.amazonaws.com/123456789012/orders.fifo"));
    let url = queue_url("arn:aws-cn:sqs:cn-north-1:123456789012:orders");
    assert_eq!(url.as_deref(), Some("https://sqs.cn-north-1.amazonaws.com.cn/123456789012/orders"));
    assert_eq!(queue_url("arn:aws:sns:eu-west-1:123456789012:orders"), None);
    assert_eq!(queue_url(""), None);
}

#[test]
fn a_count_of_receives_is_one_that_a_redrive_policy_can_have() {
    check(MAX_RECEIVES, &["1", "5", "1000"], &["0", "1001", "-1", "+5", " 5", "5.0", "five", "99999999999999999999"]);
    assert_eq!(max_receive_count_of(Some("5".to_owned())).unwrap(), Some(5));
    assert_eq!(max_receive_count_of(None).unwrap(), None);
    assert!(message(max_receive_count_of(Some("0".to_owned()))).contains("MAX_RECEIVE_COUNT is \"0\""));
}
