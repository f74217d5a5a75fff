//! The limits of SQS, as AWS documents them:
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-quotas.html>.

use std::ops::RangeInclusive;

/// Bytes of a message (body and message attributes), and of all messages of one batch: 1 MiB.
pub const MESSAGE_BYTES_MAX: usize = 1_048_576;
/// What `MaximumMessageSize` of a queue may be, in bytes.
pub const MAXIMUM_MESSAGE_SIZE_BYTES: RangeInclusive<u64> = 1_024..=1_048_576;
/// Entries of one batch request.
pub const BATCH_ENTRIES_MAX: usize = 10;
/// Characters of the id of a batch entry.
pub const BATCH_ENTRY_ID_CHARS_MAX: usize = 80;
/// Message attributes of one message.
pub const MESSAGE_ATTRIBUTES_MAX: usize = 10;
/// Characters of a message attribute's name, and of its type.
pub const ATTRIBUTE_NAME_CHARS_MAX: usize = 256;
/// Visibility timeout in seconds; 12 hours also bound one receive as a whole.
pub const VISIBILITY_S: RangeInclusive<u64> = 0..=43_200;
/// Visibility timeout of a queue that says nothing, in seconds.
pub const VISIBILITY_DEFAULT_S: u64 = 30;
/// Delay of a message or of a queue, in seconds.
pub const DELAY_S: RangeInclusive<u64> = 0..=900;
/// How long a receive may wait for a message, in seconds.
pub const WAIT_S: RangeInclusive<u64> = 0..=20;
/// Messages of one receive.
pub const RECEIVE_MESSAGES: RangeInclusive<usize> = 1..=10;
/// How long a message is kept, in seconds: a minute to 14 days.
pub const RETENTION_S: RangeInclusive<u64> = 60..=1_209_600;
/// Retention of a queue that says nothing, in seconds: 4 days.
pub const RETENTION_DEFAULT_S: u64 = 345_600;
/// How long SQS may reuse a KMS data key, in seconds. Nothing is encrypted here: the value is only kept.
pub const KMS_REUSE_S: RangeInclusive<u64> = 60..=86_400;
/// `KmsDataKeyReusePeriodSeconds` of a queue that says nothing.
pub const KMS_REUSE_DEFAULT_S: u64 = 300;
/// `maxReceiveCount` of a redrive policy.
pub const RECEIVE_COUNT: RangeInclusive<u64> = 1..=1_000;
/// `maxReceiveCount` of a redrive policy that says nothing.
pub const RECEIVE_COUNT_DEFAULT: u64 = 10;
/// Source queues a `RedriveAllowPolicy` may name.
pub const REDRIVE_SOURCES_MAX: usize = 10;
/// Messages of a queue that may be in flight. A standard queue then refuses to be read (`OverLimit`); a FIFO queue
/// answers with no message.
pub const IN_FLIGHT_MAX: usize = 120_000;
/// How long a FIFO queue remembers a deduplication id, in milliseconds: 5 minutes.
pub const DEDUPLICATION_MS: u64 = 300_000;
/// Characters of a message group id and of a deduplication id.
pub const FIFO_ID_CHARS_MAX: usize = 128;
/// Characters of a queue's name, `.fifo` included.
pub const QUEUE_NAME_CHARS_MAX: usize = 80;
/// Queues in one answer of `ListQueues`.
pub const LIST_RESULTS: RangeInclusive<usize> = 1..=1_000;
/// How long after a purge the queue refuses the next, and after a deletion SQS refuses a queue of that name, in
/// milliseconds: 60 seconds.
pub const PURGE_AND_DELETE_MS: u64 = 60_000;
/// How long a `ReceiveRequestAttemptId` brings the same messages again, in milliseconds: 5 minutes.
pub const RECEIVE_ATTEMPT_MS: u64 = 300_000;
/// `MaxNumberOfMessagesPerSecond` of a message move task.
pub const MOVES_PER_SECOND: RangeInclusive<u64> = 1..=500;
/// Message move tasks that a queue remembers, and that `ListMessageMoveTasks` lists at most.
pub const MOVE_TASKS: RangeInclusive<usize> = 1..=10;
/// Actions of one statement of a queue's policy.
pub const PERMISSION_ACTIONS_MAX: usize = 7;
/// Characters of a permission's label.
pub const PERMISSION_LABEL_CHARS_MAX: usize = 80;
/// Tags of one queue.
pub const TAGS_MAX: usize = 50;
/// Characters of a tag's key.
/// <https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html>
pub const TAG_KEY_CHARS: RangeInclusive<usize> = 1..=128;
/// Characters of a tag's value.
pub const TAG_VALUE_CHARS_MAX: usize = 256;
