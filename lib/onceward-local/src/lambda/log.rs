//! What functions print, line by line.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    sync::{mpsc, oneshot},
};

use super::mapping::LastFailures;
use crate::logs::Logs;

/// A longer line is cut into several: Lambda's own limit of a log event.
pub const LINE_BYTES_MAX: usize = 256 * 1024;
/// What `LogResult` holds of an invocation's log. <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>
pub const TAIL_BYTES_MAX: usize = 4 * 1024;

/// One line that a function's process printed, or that the cloud says about a function or an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// The function's name.
    pub function: String,
    /// Which of its processes, counted from 1.
    pub environment: u32,
    /// Without the line's end.
    pub text: String,
    /// Of a line of the cloud's own that programs may want to know of as well. Never of what a process printed: nobody
    /// can forge one.
    pub notice: Option<Notice>,
}

/// Something that is lost, or would be on AWS, without anybody else saying so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What has happened.
    pub event: NoticeEvent,
    /// A JSON object: what it is about. `onceward dev --log json` prints its members beside `event` and `message`.
    pub fields: Value,
}

/// What a [`Notice`] tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeEvent {
    /// A function reported failures through a mapping without `ReportBatchItemFailures`: what failed is gone.
    FailuresIgnored,
    /// No rule of its bus took an event.
    NoRule,
    /// A rule took an event, and it reached neither the target nor a dead-letter queue.
    Undelivered,
    /// A rule took an event that its target refused: it is in the target's dead-letter queue.
    DeadLettered,
    /// SQS moved a message to its dead-letter queue, which says nothing of the reason.
    MovedWithoutReason,
}

impl NoticeEvent {
    /// As `--log json` names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::FailuresIgnored => "failures_ignored",
            Self::NoRule => "no_rule",
            Self::Undelivered => "undelivered",
            Self::DeadLettered => "dead_lettered",
            Self::MovedWithoutReason => "moved_without_reason",
        }
    }
}

/// Where the lines of all functions go.
#[derive(Clone)]
pub struct LogSink {
    write: Arc<dyn Fn(LogLine) + Send + Sync>,
}

impl fmt::Debug for LogSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogSink").finish_non_exhaustive()
    }
}

impl LogSink {
    /// Hands every line to `write`, which must not block: functions wait for it.
    pub fn new(write: impl Fn(LogLine) + Send + Sync + 'static) -> Self {
        Self { write: Arc::new(write) }
    }

    /// A sink that forgets.
    pub fn discard() -> Self {
        Self::new(drop)
    }

    pub(crate) fn write(&self, line: LogLine) {
        (self.write)(line);
    }

    /// A line of the cloud's own about a function, in the format functions use.
    pub(crate) fn report(&self, function: &str, environment: u32, level: &str, message: &str) {
        self.say(function, environment, level, message, None);
    }

    /// The same for programs as well. `origin` is a function, a bus or a queue.
    pub(crate) fn notify(&self, origin: &str, level: &str, message: &str, notice: Notice) {
        self.say(origin, 0, level, message, Some(notice));
    }

    fn say(&self, function: &str, environment: u32, level: &str, message: &str, notice: Option<Notice>) {
        let text = serde_json::json!({
            "timestamp": chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
            "level": level,
            "target": "onceward_local::lambda",
            "function": function,
            "message": message,
        });
        self.write(LogLine { function: function.to_owned(), environment, text: text.to_string(), notice });
    }
}

/// The last lines a process printed.
#[derive(Debug, Clone, Default)]
pub(super) struct Tail {
    lines: Arc<Mutex<VecDeque<String>>>,
}

impl Tail {
    pub(super) fn push(&self, line: &str) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let mut bytes = line.len() + lines.iter().map(|kept| kept.len() + 1).sum::<usize>();
        while bytes > TAIL_BYTES_MAX
            && let Some(oldest) = lines.pop_front()
        {
            bytes -= oldest.len() + 1;
        }
        lines.push_back(end_of(line, TAIL_BYTES_MAX).to_owned());
    }

    /// Forgets what was printed so far.
    pub(super) fn clear(&self) {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Oldest first.
    pub(super) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

/// The last `bytes_max` bytes of `text`, or a little less: never half a character.
fn end_of(text: &str, bytes_max: usize) -> &str {
    let mut start = text.len().saturating_sub(bytes_max);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..]
}

/// Asks a reader to answer when it has read what was printed so far.
pub(super) type Flush = oneshot::Sender<()>;

/// Which process a stream of lines belongs to.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) function: String,
    pub(super) environment: u32,
    pub(super) log_group: String,
    pub(super) log_stream: Arc<str>,
    pub(super) tail: Tail,
    pub(super) sink: LogSink,
    pub(super) logs: Logs,
    pub(super) failures: Arc<LastFailures>,
}

impl Source {
    /// A line of Lambda's own, which only the function's log has: the console's reader has seen the invocation itself.
    pub(super) fn platform(&self, text: &str) {
        self.tail.push(text);
        self.logs.put(&self.log_group, &self.function, &self.log_stream, text);
    }

    fn printed(&self, line: &mut Vec<u8>) {
        while matches!(line.last(), Some(b'\n' | b'\r')) {
            line.pop();
        }
        let text = String::from_utf8_lossy(line).into_owned();
        line.clear();
        self.tail.push(&text);
        self.failures.printed(&text);
        self.logs.put(&self.log_group, &self.function, &self.log_stream, &text);
        let (function, environment) = (self.function.clone(), self.environment);
        self.sink.write(LogLine { function, environment, text, notice: None });
    }

    /// Reads `output` until its end.
    pub(super) async fn read(self, output: impl AsyncRead + Unpin, mut flushes: mpsc::Receiver<Flush>) {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        loop {
            // Reading comes first: whoever asks for a flush finds read what was there when he asked.
            let read = tokio::select! {
                biased;
                read = output.fill_buf() => read,
                Some(flush) = flushes.recv() => {
                    let _ = flush.send(());
                    continue;
                }
            };
            let Ok(bytes) = read else { break };
            if bytes.is_empty() {
                break;
            }
            let bytes = &bytes[..bytes.len().min(LINE_BYTES_MAX - line.len())];
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(bytes.len(), |end| end + 1);
            line.extend_from_slice(&bytes[..taken]);
            output.consume(taken);
            if end.is_some() || line.len() == LINE_BYTES_MAX {
                self.printed(&mut line);
            }
        }
        if !line.is_empty() {
            self.printed(&mut line);
        }
    }
}
