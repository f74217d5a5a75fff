use onceward_testing::contract::{ledger_cases, publisher_cases, source_queue_cases};

use super::Choice;

/// Where ministack does not do what AWS documents, so that a test fails there through no fault of ours.
struct Difference {
    /// The contract's case, or the test's name.
    case: &'static str,
    /// What it does instead.
    reason: &'static str,
    /// What AWS says.
    #[expect(dead_code, reason = "for readers")]
    page: &'static str,
}

/// Each was seen with the version that `ministack.txt` names. A newer one may have mended it: try without.
const MINISTACK: [Difference; 8] = [
    Difference {
        case: "an_update_of_the_wrong_type_is_an_error_and_writes_nothing",
        reason: "ministack's list_append replaces an attribute that is no list",
        page: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html",
    },
    Difference {
        case: "a_message_that_is_back_in_its_queue_cannot_be_postponed_and_the_others_are",
        reason: "ministack takes the receipt handle of a message that is not in flight",
        page: "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html",
    },
    Difference {
        case: "an_event_has_the_time_at_which_it_happened",
        reason: "ministack replaces an entry's Time by its own",
        page: "https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html",
    },
    Difference {
        case: "an_event_too_large_is_refused_and_the_next_call_is_taken",
        reason: "ministack has no limit for an entry's size",
        page: "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html",
    },
    Difference {
        case: "numbers_come_back_in_their_shortest_form",
        reason: "ministack gives a number back as it was written: leading and trailing zeroes stay",
        page: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html",
    },
    Difference {
        case: "numbers_of_any_form_can_be_added_to",
        reason: "ministack rounds a sum of more than 28 digits; DynamoDB keeps 38",
        page: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html",
    },
    Difference {
        case: "deployment::the_http_api_has_the_routes_of_the_template",
        reason: "ministack ignores an HTTP API's Body, in which SAM puts the routes: the functions are invoked instead",
        page: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigatewayv2-api.html",
    },
    Difference {
        case: "deployment::the_ledgers_records_expire_as_the_template_says",
        reason: "ministack ignores a table's TimeToLiveSpecification in a template",
        page: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html",
    },
];

/// Why this cloud cannot keep the case or the test, if that is known.
pub(crate) fn known_difference(choice: &Choice, case: &str) -> Option<&'static str> {
    let known = MINISTACK.iter().find(|difference| difference.case == case).filter(|_| choice.is_ministack());
    known.map(|difference| difference.reason)
}

/// A case that was renamed would be run again, and its entry would lie.
pub(super) fn each_names_a_case() {
    let ledgers = ledger_cases().into_iter().map(|(name, _)| name.to_owned());
    let others = [source_queue_cases(), publisher_cases()].concat().into_iter().map(|(name, _)| name.to_owned());
    let portable = crate::portable(&Choice::Ministack).into_iter().map(|trial| trial.name().to_owned());
    let names: Vec<_> = ledgers.chain(others).chain(portable).collect();
    for difference in &MINISTACK {
        assert!(names.iter().any(|name| name == difference.case), "{}", difference.case);
    }
}
