//! `onceward dev` as a child process, read line by line.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::system::{ROOT, binaries, eventually};

/// How long a line, or the end, may take. The machine may be busy with other tests.
const LINE_MAX: Duration = Duration::from_mins(3);
/// The line after which everything runs.
pub(super) const READY: &str = "a line for each hop of an event";

/// A running `onceward dev`; dropping it ends it.
pub(super) struct Dev {
    child: Child,
    pub(super) out: Lines,
    pub(super) err: Lines,
    http: reqwest::Client,
    runtime: tokio::runtime::Runtime,
}

impl Dev {
    /// Starts it in `folder`, on free ports unless `arguments` say otherwise.
    pub(super) fn start_in(folder: &Path, arguments: &[&str]) -> Self {
        // Its own build finds what was built for this test.
        let target = binaries().parent().expect("target/debug is in a folder").to_owned();
        Self::start_with_target(folder, &target, arguments)
    }

    /// The same, for a workspace with a `target` of its own.
    pub(super) fn start_with_target(folder: &Path, target: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(binaries().join("onceward"));
        command.arg("dev").args(arguments).current_dir(folder);
        for port in ["--aws-port", "--http-port"] {
            if !arguments.contains(&port) {
                command.args([port, "0"]);
            }
        }
        command.env("CARGO_TARGET_DIR", target);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("onceward is built");
        let out = Lines::of(child.stdout.take().expect("piped"));
        let err = Lines::of(child.stderr.take().expect("piped"));
        drop(rustls::crypto::ring::default_provider().install_default());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        Self { child, out, err, http: reqwest::Client::new(), runtime }
    }

    pub(super) fn start(arguments: &[&str]) -> Self {
        Self::start_in(Path::new(ROOT), arguments)
    }

    /// One that serves: what it has printed until then is in [`Lines::seen`].
    pub(super) fn ready(arguments: &[&str]) -> Self {
        let mut dev = Self::start(arguments);
        dev.out.until("the banner", |line| line.contains(READY));
        dev
    }

    /// The answer to a GET: status and JSON.
    pub(super) fn get(&self, url: &str) -> (u16, Value) {
        self.runtime.block_on(async {
            let response = self.http.get(url).send().await.expect("the API answers");
            (response.status().as_u16(), response.json().await.expect("JSON"))
        })
    }

    /// Waits until the answer to a GET is as wanted.
    pub(super) fn until(&self, what: &str, url: &str, wanted: impl Fn(&Value) -> bool) {
        self.runtime.block_on(eventually(what, async || {
            let response = self.http.get(url).send().await.expect("the API answers");
            wanted(&response.json().await.expect("JSON"))
        }));
    }

    pub(super) fn post(&self, url: &str, body: &str) -> Value {
        self.runtime.block_on(async {
            let request = self.http.post(url).header("content-type", "application/json").body(body.to_owned());
            request.send().await.expect("the API answers").json().await.expect("JSON")
        })
    }

    /// The answer to a POST, on another thread: for what takes long.
    pub(super) fn posted(url: &str, body: &str) -> thread::JoinHandle<Value> {
        // A client of its own: connections belong to the runtime that opened them.
        let request = reqwest::Client::new().post(url).header("content-type", "application/json").body(body.to_owned());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        thread::spawn(move || {
            runtime.block_on(async { request.send().await.expect("the API answers").json().await.expect("JSON") })
        })
    }

    /// A request of an AWS JSON protocol, and its answer.
    pub(super) fn aws(&self, url: &str, target: &str, request: &Value) -> Value {
        self.runtime.block_on(async {
            let request = self.http.post(url).header("x-amz-target", target).body(request.to_string());
            request.send().await.expect("the API answers").json().await.expect("JSON")
        })
    }

    /// A request of the AWS query protocol; its answer as it is.
    pub(super) fn post_form(&self, url: &str, body: &str) -> String {
        self.runtime.block_on(async {
            let request = self.http.post(url).header("content-type", "application/x-www-form-urlencoded");
            let answer = request.body(body.to_owned()).send().await.expect("the API answers");
            answer.text().await.expect("text")
        })
    }

    pub(super) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).expect("a pid")).expect("not 0");
        kill_process(pid, signal).expect("it still runs");
    }

    /// Waits until it has ended; answers its exit status. What it printed is in [`Lines::seen`].
    pub(super) fn ended(&mut self) -> ExitStatus {
        self.out.read_to_end();
        self.err.read_to_end();
        self.child.wait().expect("a child can be waited for")
    }

    /// The function processes it has started.
    pub(super) fn functions(&self) -> Vec<Process> {
        Process::all().into_iter().filter(|process| process.parent == self.child.id()).collect()
    }

    /// Waits until none of the processes is left; answers how long that took.
    pub(super) fn gone(&self, processes: &[Process]) -> Duration {
        let began = Instant::now();
        self.runtime.block_on(eventually("no function process is left", async || {
            let left = Process::all();
            !processes.iter().any(|process| left.iter().any(|other| other.is(process)))
        }));
        began.elapsed()
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        // By SIGTERM, so that it ends its functions itself; it may be gone already.
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let (Ok(None), Some(pid)) = (self.child.try_wait(), pid) {
            let _ = kill_process(pid, Signal::TERM);
            drop(self.child.wait());
        }
    }
}

/// The lines of one output.
pub(super) struct Lines {
    coming: Receiver<String>,
    pub(super) seen: Vec<String>,
}

impl Lines {
    fn of(output: impl Read + Send + 'static) -> Self {
        let (sender, coming) = channel();
        // Ends with the output.
        thread::spawn(move || {
            BufReader::new(output).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Self { coming, seen: Vec::new() }
    }

    /// The first line that is wanted, of those seen and those to come.
    pub(super) fn until(&mut self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        if let Some(line) = self.seen.iter().find(|line| wanted(line)) {
            return line.clone();
        }
        let deadline = Instant::now() + LINE_MAX;
        loop {
            match self.coming.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.seen.push(line);
                    let line = self.seen.last().expect("just pushed");
                    if wanted(line) {
                        return line.clone();
                    }
                }
                Err(error) => panic!("{error} while waiting for {what}; it printed:\n{}", self.text()),
            }
        }
    }

    fn read_to_end(&mut self) {
        let deadline = Instant::now() + LINE_MAX;
        loop {
            match self.coming.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => self.seen.push(line),
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end; it printed:\n{}", self.text()),
            }
        }
    }

    /// All that was seen.
    pub(super) fn text(&self) -> String {
        self.seen.join("\n")
    }

    /// The URL in the banner's line that begins with `name`.
    pub(super) fn url(&mut self, name: &str) -> String {
        let line = self.until(name, |line| line.trim_start().starts_with(name) && line.contains("http://"));
        line.split_whitespace().find(|word| word.starts_with("http://")).expect("a URL").to_owned()
    }
}

/// A process, as `/proc` tells of it.
#[derive(Debug)]
pub(super) struct Process {
    pid: u32,
    parent: u32,
    /// Tells two processes with one number apart.
    started: String,
}

impl Process {
    /// Whether this machine can list processes.
    pub(super) fn listed() -> bool {
        Path::new("/proc/self/stat").exists()
    }

    fn all() -> Vec<Self> {
        let entries = fs::read_dir("/proc").expect("Linux");
        entries.filter_map(|entry| Self::read(&entry.ok()?.path())).collect()
    }

    /// None for what is no process, or one that has ended and waits to be reaped.
    fn read(folder: &Path) -> Option<Self> {
        let pid = folder.file_name()?.to_str()?.parse().ok()?;
        let stat = fs::read_to_string(folder.join("stat")).ok()?;
        // The name before it, in parentheses, may hold anything.
        let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let [state, parent, started] = [0, 1, 19].map(|field| fields.get(field).copied().unwrap_or_default());
        (!matches!(state, "Z" | "X")).then_some(())?;
        Some(Self { pid, parent: parent.parse().ok()?, started: started.to_owned() })
    }

    fn is(&self, other: &Self) -> bool {
        self.pid == other.pid && self.started == other.started
    }
}
