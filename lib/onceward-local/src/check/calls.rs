//! What the runtime calls, and so what a function's role must allow: one table, which `docs/check.md` shows too.

/// What calls are made on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum On {
    /// The queue of an event source mapping. Lambda reads it by the function's role; the runtime postpones messages.
    Queue,
    /// The stream of an event source mapping. Lambda reads it by the function's role.
    Stream,
    /// Where the mapping of a stream tells what it gave up.
    Destination,
    /// What `DEAD_LETTER_QUEUE_URL` names.
    DeadLetters,
    /// Records of the ledger: items whose key begins with the function's name and `#`.
    Records,
    /// Records of the ledger, for a guarded function.
    GuardedRecords,
    /// A circuit breaker's item in the ledger: `breaker#` and its name.
    Breaker,
    /// A table that handlers read.
    Read,
    /// A table that handlers write.
    Written,
    /// The relay's bus.
    Bus,
}

/// Calls on one thing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Calls {
    pub(super) on: On,
    pub(super) actions: &'static [&'static str],
    /// Whether all of them are made; else which ones is the handlers' choice, and one must be allowed.
    pub(super) all: bool,
    /// What fails without them.
    pub(super) lost: &'static str,
}

const fn all(on: On, actions: &'static [&'static str], lost: &'static str) -> Calls {
    Calls { on, actions, all: true, lost }
}

const fn any(on: On, actions: &'static [&'static str], lost: &'static str) -> Calls {
    Calls { on, actions, all: false, lost }
}

/// All that is called. Each is where the adapter makes it: `onceward-aws`, `dynamodb/`, `sqs/` and `eventbridge/`.
pub(super) const CALLS: &[Calls] = &[
    all(
        On::Queue,
        &["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"],
        "messages are not received, not deleted, or not postponed",
    ),
    all(
        On::Stream,
        &["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"],
        "the mapping is refused",
    ),
    all(On::Destination, &["sqs:SendMessage"], "the mapping is refused"),
    all(
        On::DeadLetters,
        &["sqs:SendMessage"],
        "what no retry can help is tried again until SQS moves it, without a reason",
    ),
    all(
        On::Records,
        &["dynamodb:BatchGetItem", "dynamodb:PutItem"],
        "a commit fails, or nobody can tell whether a failed request is a duplicate",
    ),
    all(
        On::GuardedRecords,
        &["dynamodb:DeleteItem"],
        "a claim is not released, and its event waits for the lease to end",
    ),
    all(
        On::Breaker,
        &["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"],
        "the state of the circuit is not shared, or never closes",
    ),
    any(On::Read, &["dynamodb:GetItem", "dynamodb:Query"], "rows cannot be read"),
    any(
        On::Written,
        &["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"],
        "every commit that writes a row is refused",
    ),
    all(On::Bus, &["events:PutEvents"], "nothing is published"),
];
