//! Message move tasks: what is in a dead-letter queue goes back to where it came from, or elsewhere.
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html>

use super::error::SqsError;
use super::redrive::is_queue_arn;
use super::service::{Entry, Sqs};
use super::{directory, limits};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// Messages that a task without a rate moves before it lets others have the queues.
const MOVES_AT_ONCE: u64 = 100;
/// How long a task with a rate rests at most before it looks whether it was cancelled.
const REST_MAX: Duration = Duration::from_millis(100);
/// Between two turns of a task without a rate.
const REST_MIN: Duration = Duration::from_millis(1);

/// A task that moves messages off a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MoveTask {
    pub(crate) handle: String,
    pub(crate) source_arn: String,
    /// `None` moves each message to the queue it came from.
    pub(crate) destination_arn: Option<String>,
    pub(crate) per_second: Option<u64>,
    pub(crate) status: MoveStatus,
    pub(crate) moved: u64,
    /// Messages that were visible when the task started: it moves no more, so that what fails again ends here.
    pub(crate) to_move: u64,
    pub(crate) started_ms: u64,
}

/// What has become of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MoveStatus {
    Running,
    Completed,
    Cancelling,
    Cancelled,
    /// With the reason.
    Failed(&'static str),
}

impl MoveTask {
    fn active(&self) -> bool {
        matches!(self.status, MoveStatus::Running | MoveStatus::Cancelling)
    }

    /// As `ListMessageMoveTasks` tells it: the handle only while the task runs.
    pub(crate) fn describe(&self) -> Value {
        let status = match self.status {
            MoveStatus::Running => "RUNNING",
            MoveStatus::Completed => "COMPLETED",
            MoveStatus::Cancelling => "CANCELLING",
            MoveStatus::Cancelled => "CANCELLED",
            MoveStatus::Failed(_) => "FAILED",
        };
        let mut told = json!({
            "Status": status,
            "SourceArn": self.source_arn,
            "ApproximateNumberOfMessagesMoved": self.moved,
            "ApproximateNumberOfMessagesToMove": self.to_move,
            "StartedTimestamp": self.started_ms,
        });
        let optional = [
            ("TaskHandle", (self.status == MoveStatus::Running).then(|| json!(self.handle))),
            ("DestinationArn", self.destination_arn.as_ref().map(|arn| json!(arn))),
            ("MaxNumberOfMessagesPerSecond", self.per_second.map(|rate| json!(rate))),
            ("FailureReason", if let MoveStatus::Failed(reason) = self.status { Some(json!(reason)) } else { None }),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                told[name] = value;
            }
        }
        told
    }
}

impl Sqs {
    /// Starts to move the messages of the dead-letter queue `source_arn`; answers the task's handle. Must be called
    /// within a Tokio runtime.
    pub(crate) fn start_moves(
        &self,
        source_arn: &str,
        destination_arn: Option<&str>,
        per_second: Option<u64>,
    ) -> Result<String, SqsError> {
        if let Some(rate) = per_second.filter(|rate| !limits::MOVES_PER_SECOND.contains(rate)) {
            let reason = "You must enter a value between 1 and 500.";
            return Err(SqsError::parameter("MaxNumberOfMessagesPerSecond", rate, reason));
        }
        let now_ms = self.now_ms();
        let mut queues = self.locked();
        let source_fifo = self.resource(&queues, "SourceArn", source_arn)?.queue.settings().fifo;
        let feeds = |entry: &Entry| {
            entry.queue.settings().redrive.as_ref().is_some_and(|redrive| redrive.dead_letter_arn == source_arn)
        };
        if !queues.values().any(feeds) {
            return Err(invalid("Source queue must be configured as a Dead Letter Queue."));
        }
        if let Some(arn) = destination_arn {
            let destination = self.resource(&queues, "DestinationArn", arn)?;
            if arn == source_arn {
                return Err(invalid("Source queue arn and destination queue arn must not be the same."));
            }
            if destination.queue.settings().fifo != source_fifo {
                return Err(invalid("The source queue and destination queue must be of the same queue type."));
            }
        }
        let source = directory::find(&mut queues, source_arn)?;
        if source.moves.iter().any(MoveTask::active) {
            return Err(invalid(
                "There is already a task running. Only one active task is allowed for a source queue arn at a given \
                 time.",
            ));
        }
        let handle =
            STANDARD.encode(json!({ "taskId": Uuid::new_v4().to_string(), "sourceArn": source_arn }).to_string());
        source.moves.push_front(MoveTask {
            handle: handle.clone(),
            source_arn: source_arn.to_owned(),
            destination_arn: destination_arn.map(str::to_owned),
            per_second,
            status: MoveStatus::Running,
            moved: 0,
            to_move: source.queue.depth(now_ms).visible as u64,
            started_ms: now_ms,
        });
        source.moves.truncate(*limits::MOVE_TASKS.end());
        drop(queues);
        tokio::spawn(run(self.downgrade(), source_arn.to_owned(), handle.clone()));
        Ok(handle)
    }

    /// The latest tasks of a queue, newest first.
    pub(crate) fn move_tasks(&self, source_arn: &str, max: usize) -> Result<Vec<MoveTask>, SqsError> {
        if !limits::MOVE_TASKS.contains(&max) {
            return Err(SqsError::parameter("MaxResults", max, "It must be from 1 to 10."));
        }
        let queues = self.locked();
        Ok(self.resource(&queues, "SourceArn", source_arn)?.moves.iter().take(max).cloned().collect())
    }

    /// Stops a running task; answers how many messages it has moved. Those stay where they are.
    pub(crate) fn cancel_moves(&self, handle: &str) -> Result<u64, SqsError> {
        let source_arn = source_of(handle)
            .ok_or_else(|| SqsError::parameter("TaskHandle", handle, "It is not the handle of a task."))?;
        let mut queues = self.locked();
        self.resource(&queues, "SourceArn", &source_arn)?;
        let entry = directory::find(&mut queues, &source_arn)?;
        let task = entry.moves.iter_mut().find(|task| task.handle == handle);
        let task = task.ok_or_else(|| SqsError::ResourceNotFound { reason: "Task does not exist.".to_owned() })?;
        if task.status != MoveStatus::Running {
            return Err(invalid("Only a task that is RUNNING can be cancelled."));
        }
        task.status = MoveStatus::Cancelling;
        Ok(task.moved)
    }

    /// A queue that a move task names.
    fn resource<'q>(
        &self,
        queues: &'q BTreeMap<String, Entry>,
        parameter: &str,
        arn: &str,
    ) -> Result<&'q Entry, SqsError> {
        if !is_queue_arn(arn) {
            return Err(SqsError::parameter(parameter, arn, "It is not the ARN of a queue."));
        }
        queues.get(directory::name(arn)).filter(|_| self.arn(directory::name(arn)) == arn).ok_or_else(|| {
            let reason = format!("The resource that you specified for the {parameter} parameter doesn't exist.");
            SqsError::ResourceNotFound { reason }
        })
    }

    /// Moves what a task may move `elapsed` after its start; says how long to rest, `None` when the task is done.
    fn move_some(&self, source_arn: &str, handle: &str, elapsed: Duration) -> Option<Duration> {
        let now_ms = self.now_ms();
        let mut queues = self.locked();
        let task = |queues: &BTreeMap<String, Entry>| {
            queues.get(directory::name(source_arn))?.moves.iter().find(|task| task.handle == handle).cloned()
        };
        let mut task = task(&queues)?;
        let due = match task.per_second {
            Some(rate) => 1 + u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX) * rate / 1_000,
            None => task.moved + MOVES_AT_ONCE,
        };
        while task.status == MoveStatus::Running && task.moved < due {
            task.status = if task.moved < task.to_move {
                self.move_one(&mut queues, &task, now_ms)
            } else {
                MoveStatus::Completed
            };
            task.moved += u64::from(task.status == MoveStatus::Running);
        }
        if task.status == MoveStatus::Running && task.moved >= task.to_move {
            task.status = MoveStatus::Completed;
        }
        if task.status == MoveStatus::Cancelling {
            task.status = MoveStatus::Cancelled;
        }
        let active = task.active();
        let rest = task
            .per_second
            .map_or(REST_MIN, |rate| REST_MAX.min(Duration::from_secs(1) / u32::try_from(rate).unwrap_or(1)));
        let entry = queues.get_mut(directory::name(source_arn))?;
        *entry.moves.iter_mut().find(|it| it.handle == handle)? = task;
        active.then_some(rest)
    }

    /// Moves the first visible message. The move is a new send: another id, another time, no receives.
    /// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html>
    fn move_one(&self, queues: &mut BTreeMap<String, Entry>, task: &MoveTask, now_ms: u64) -> MoveStatus {
        let Ok(source) = directory::find(queues, &task.source_arn) else { return MoveStatus::Failed(NO_QUEUE) };
        let Some(record) = source.queue.first(now_ms) else { return MoveStatus::Completed };
        let Some(destination_arn) = task.destination_arn.clone().or(record.source_arn) else {
            return MoveStatus::Failed("CouldNotDetermineMessageSource");
        };
        let destination = directory::name(&destination_arn);
        if !queues.contains_key(destination) || self.arn(destination) != destination_arn {
            return MoveStatus::Failed(NO_QUEUE);
        }
        let taken = directory::find(queues, &task.source_arn).ok().and_then(|entry| entry.queue.take_first(now_ms));
        if let (Some(message), Ok(entry)) = (taken, directory::find(queues, destination)) {
            let message = message.anew(Uuid::new_v4().to_string());
            entry.acting(|entry| entry.queue.refill(now_ms, message));
        }
        MoveStatus::Running
    }
}

const NO_QUEUE: &str = "AWS.SimpleQueueService.NonExistentQueue";

/// Runs a task to its end, or until the service is gone.
async fn run(service: impl Fn() -> Option<Sqs>, source_arn: String, handle: String) {
    let start = Instant::now();
    while let Some(rest) = service().and_then(|sqs| sqs.move_some(&source_arn, &handle, start.elapsed())) {
        tokio::time::sleep(rest).await;
    }
}

fn source_of(handle: &str) -> Option<String> {
    let told: Value = serde_json::from_slice(&STANDARD.decode(handle).ok()?).ok()?;
    told["sourceArn"].as_str().filter(|_| told["taskId"].is_string()).map(str::to_owned)
}

fn invalid(reason: &str) -> SqsError {
    SqsError::InvalidParameterValue { reason: reason.to_owned() }
}
