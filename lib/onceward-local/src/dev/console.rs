//! Everything `onceward dev` prints, in order, from one thread: no function ever waits for a terminal.

use std::error::Error;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use anstyle::{AnsiColor, Style};
use chrono::{SecondsFormat, Utc};
use serde_json::Value;

use super::columns::Columns;
use super::hop::{Level, Line};
use crate::escape;
use crate::lambda::{LogLine, LogSink};

/// Lines waiting to be printed; further ones are counted and left out.
const LINES_WAITING_MAX: usize = 10_000;

const FAILED: Style = AnsiColor::Red.on_default().bold();

/// What is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// Aligned columns, coloured on a terminal.
    Text,
    /// Hops and news as JSON objects on stdout; everything else on stderr.
    Json,
}

#[derive(Debug)]
enum Print {
    Say(String),
    Tell(News),
    Record(String),
    Fail(String),
    Log(LogLine),
    Close,
}

/// Something that programs may want to know as well as people. On stdout as JSON: `target` is [`NEWS`], `event` says what
/// happened, `message` says it to people, and the other fields are the event's own.
#[derive(Debug)]
pub(super) struct News {
    pub(super) event: &'static str,
    /// For people, with colours.
    pub(super) text: String,
    /// A JSON object.
    pub(super) fields: Value,
}

/// Tells news from hops.
const NEWS: &str = "onceward::dev";

/// The printing thread.
#[derive(Debug)]
pub(super) struct Console {
    queue: SyncSender<Print>,
    left_out: Arc<AtomicU64>,
    printer: JoinHandle<()>,
}

impl Console {
    pub(super) fn start(format: Format, verbose: bool) -> Self {
        let (queue, lines) = sync_channel(LINES_WAITING_MAX);
        let left_out = Arc::new(AtomicU64::new(0));
        let printer = Printer { format, verbose, columns: Columns::default(), left_out: Arc::clone(&left_out) };
        Self { queue, left_out, printer: thread::spawn(move || printer.run(&lines)) }
    }

    /// A line of our own.
    pub(super) fn say(&self, text: &str) {
        // A printer that is gone has nowhere to print.
        let _ = self.queue.send(Print::Say(text.to_owned()));
    }

    /// Something that has happened.
    pub(super) fn tell(&self, news: News) {
        let _ = self.queue.send(Print::Tell(news));
    }

    /// A JSON object of our own, on stdout.
    pub(super) fn record(&self, json: &str) {
        let _ = self.queue.send(Print::Record(json.to_owned()));
    }

    /// Why it ends. On stderr whatever the format.
    pub(super) fn fail(&self, error: &dyn Error) {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let reason = error.to_string();
            if !text.contains(&reason) {
                text = format!("{text}: {reason}");
            }
            cause = error.source();
        }
        let _ = self.queue.send(Print::Fail(text));
    }

    /// Where the functions' lines go.
    pub(super) fn sink(&self) -> LogSink {
        let (queue, left_out) = (self.queue.clone(), Arc::clone(&self.left_out));
        LogSink::new(move |line| {
            if queue.try_send(Print::Log(line)).is_err() {
                left_out.fetch_add(1, Ordering::Relaxed);
            }
        })
    }

    /// Prints what is waiting and ends the thread.
    pub(super) fn close(self) {
        let _ = self.queue.send(Print::Close);
        let _ = self.printer.join();
    }
}

impl News {
    fn json(self) -> Value {
        let mut object = self.fields;
        object["timestamp"] = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true).into();
        object["target"] = NEWS.into();
        object["event"] = self.event.into();
        object["message"] = anstream::adapter::strip_str(&self.text).to_string().into();
        object
    }
}

struct Printer {
    format: Format,
    verbose: bool,
    columns: Columns,
    left_out: Arc<AtomicU64>,
}

/// How `lambda_runtime` begins its own lines; each stop of a function has three, and they tell nothing new.
const LAMBDA_RUNTIME: &str = "[runtime] ";

impl Printer {
    fn run(mut self, lines: &Receiver<Print>) {
        while let Ok(line) = lines.recv() {
            let printed = match line {
                Print::Close => return,
                Print::Say(text) => self.say(&text),
                Print::Tell(news) => self.tell(news),
                Print::Record(json) => writeln!(io::stdout(), "{}", escape::json(&json)),
                Print::Fail(text) => writeln!(anstream::stderr(), "{FAILED}error{FAILED:#}: {}", escape::output(&text)),
                Print::Log(line) => self.log(&line),
            };
            // Nobody reads any more (`onceward dev | head`): go on serving, silently.
            if printed.is_err() {
                return;
            }
        }
    }

    /// Text of our own, in which whatever comes from outside has been made one line or several of its own.
    fn say(&self, text: &str) -> io::Result<()> {
        let text = escape::output(text);
        match self.format {
            Format::Text => writeln!(anstream::stdout(), "{text}"),
            Format::Json => writeln!(anstream::stderr(), "{text}"),
        }
    }

    fn tell(&self, news: News) -> io::Result<()> {
        self.say(&news.text)?;
        if self.format == Format::Json {
            writeln!(io::stdout(), "{}", escape::json(&news.json().to_string()))?;
        }
        Ok(())
    }

    fn log(&mut self, line: &LogLine) -> io::Result<()> {
        let left_out = self.left_out.swap(0, Ordering::Relaxed);
        if left_out > 0 {
            self.say(&format!("… {left_out} lines left out: whoever reads this is too slow"))?;
        }
        match Line::read(&line.function, &line.text) {
            Line::Other { level, message } if line.notice.is_some() => {
                let text = self.columns.other(&line.function, level, &message);
                self.say(&text)?;
                self.notice(line, &message)
            }
            Line::Hop(_) if self.format == Format::Json => writeln!(io::stdout(), "{}", escape::json(&line.text)),
            Line::Hop(hop) => {
                let text = self.columns.line(&hop, terminal());
                self.say(&text)
            }
            Line::Other { level: Some(Level::Quiet), .. } if !self.verbose => Ok(()),
            Line::Other { level: None, message } if !self.verbose && message.starts_with(LAMBDA_RUNTIME) => Ok(()),
            Line::Other { level, message } => {
                let text = self.columns.other(&line.function, level, &message);
                self.say(&text)
            }
        }
    }
}

impl Printer {
    /// For programs: what the cloud itself has said.
    fn notice(&self, line: &LogLine, message: &str) -> io::Result<()> {
        let (Format::Json, Some(notice)) = (self.format, &line.notice) else { return Ok(()) };
        let (event, fields, text) = (notice.event.name(), notice.fields.clone(), message.to_owned());
        writeln!(io::stdout(), "{}", escape::json(&News { event, text, fields }.json().to_string()))
    }
}

/// Columns of the terminal, if stdout is one that says so.
fn terminal() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}
