//! One function process, and what it costs.

use std::{
    fs, io,
    path::Path,
    process::{Child, Command, Stdio},
    sync::atomic::Ordering,
    thread,
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

use crate::{
    Error,
    events::{self, BATCH_RECORDS, Workload},
    server::{Server, Step},
};

/// The longest that a function may take for its next step: it hangs if it takes longer.
const STEP_TIMEOUT: Duration = Duration::from_secs(10);

/// A process that waits uses no CPU: its time is read until it stands still this long.
const STANDSTILL: Duration = Duration::from_millis(1);

/// How often the time is read until it stands still.
const READS_MAX: u32 = 1_000;

/// What one batch must be answered.
const NO_FAILURES: &[u8] = br#"{"batchItemFailures":[]}"#;

/// A function under way, which waits for its next invocation.
pub(crate) struct Process {
    child: Child,
    server: Server,
    next: oneshot::Sender<Vec<u8>>,
    batches: u64,
}

/// How a process began. CPU counts from the process's start; time includes starting it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ColdStart {
    pub(crate) ready_cpu: Duration,
    pub(crate) ready: Duration,
    pub(crate) answered_cpu: Duration,
    pub(crate) answered: Duration,
}

/// What a block of events cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Block {
    /// CPU of one event, user and system.
    pub(crate) cpu_micros: f64,
    /// Bytes of one `TransactWriteItems` request.
    pub(crate) request_bytes: u64,
}

impl Process {
    /// Starts the function and has it handle one batch.
    pub(crate) async fn start(program: &Path, log_level: &str, workload: Workload) -> Result<(Self, ColdStart), Error> {
        let mut server = Server::start().await?;
        let began = Instant::now();
        let mut child = command(program, log_level, &server).spawn()?;
        let next = next(&mut server).await?;
        let ready = began.elapsed();
        drain(&mut child);
        let mut process = Self { child, server, next, batches: 0 };
        let ready_cpu = process.cpu().await?;
        let began = Instant::now();
        let answered = ready + process.batch(workload).await?.duration_since(began);
        let cold = ColdStart { ready_cpu, ready, answered_cpu: process.cpu().await?, answered };
        Ok((process, cold))
    }

    /// Has the function handle at least so many events.
    pub(crate) async fn block(&mut self, workload: Workload, events: u64) -> Result<Block, Error> {
        let batches = events.div_ceil(BATCH_RECORDS);
        let (count, bytes, cpu) = (self.transactions(), self.bytes(), self.cpu().await?);
        for _ in 0..batches {
            self.batch(workload).await?;
        }
        let cpu = self.cpu().await?.saturating_sub(cpu);
        let (count, bytes) = (self.transactions() - count, self.bytes() - bytes);
        let events = batches * BATCH_RECORDS;
        if count != events {
            return Err(format!("{count} transactions for {events} events").into());
        }
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let cpu_micros = cpu.as_secs_f64() * 1e6 / events as f64;
        Ok(Block { cpu_micros, request_bytes: bytes / count })
    }

    /// One invocation; answers when the function answered, and returns when it asks for the next.
    async fn batch(&mut self, workload: Workload) -> Result<Instant, Error> {
        let payload = events::payload(workload, self.batches);
        self.batches += 1;
        let (unused, _) = oneshot::channel();
        let sent = std::mem::replace(&mut self.next, unused).send(payload);
        sent.map_err(|_| "the function has gone")?;
        let answered = match step(&mut self.server).await? {
            Step::Answer(body) if body == NO_FAILURES => Instant::now(),
            step => return Err(format!("the function did not handle its batch: {step}").into()),
        };
        self.next = next(&mut self.server).await?;
        Ok(answered)
    }

    /// CPU time until now, of a process that waits.
    async fn cpu(&self) -> io::Result<Duration> {
        let mut cpu = cpu_of(self.child.id())?;
        for _ in 0..READS_MAX {
            tokio::time::sleep(STANDSTILL).await;
            let again = cpu_of(self.child.id())?;
            if again == cpu {
                return Ok(cpu);
            }
            cpu = again;
        }
        Err(io::Error::other("the function is busy and has nothing to do"))
    }

    fn transactions(&self) -> u64 {
        self.server.transactions.count.load(Ordering::Relaxed)
    }

    fn bytes(&self) -> u64 {
        self.server.transactions.bytes.load(Ordering::Relaxed)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to do.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn command(program: &Path, log_level: &str, server: &Server) -> Command {
    let address = server.address;
    let mut command = Command::new(program);
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped());
    command.envs([
        ("AWS_LAMBDA_RUNTIME_API", address.to_string().as_str()),
        ("AWS_LAMBDA_FUNCTION_NAME", "reserve-stock"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "overhead"),
        ("AWS_SECRET_ACCESS_KEY", "overhead"),
        ("AWS_ENDPOINT_URL", &format!("http://{address}")),
        ("LEDGER_TABLE", "onceward-ledger"),
        ("INVENTORY_TABLE", "onceward-inventory"),
        ("QUEUE_URL", &format!("http://{address}/123456789012/reserve-stock")),
        ("DEAD_LETTER_QUEUE_URL", &format!("http://{address}/123456789012/reserve-stock-dlq")),
        ("RUST_LOG", log_level),
    ]);
    command
}

/// Reads what the function logs, as Lambda does, and forgets it.
fn drain(child: &mut Child) {
    if let Some(mut log) = child.stdout.take() {
        thread::spawn(move || io::copy(&mut log, &mut io::sink()));
    }
}

async fn step(server: &mut Server) -> Result<Step, Error> {
    let step = tokio::time::timeout(STEP_TIMEOUT, server.steps.recv()).await;
    step.ok().flatten().ok_or_else(|| "the function hangs, or has ended".into())
}

async fn next(server: &mut Server) -> Result<oneshot::Sender<Vec<u8>>, Error> {
    match step(server).await? {
        Step::Next(next) => Ok(next),
        step => Err(format!("the function should ask for an invocation: {step}").into()),
    }
}

/// CPU time of all threads, to the nanosecond: the first number of their `schedstat`.
/// <https://docs.kernel.org/scheduler/sched-stats.html#proc-pid-schedstat>
fn cpu_of(pid: u32) -> io::Result<Duration> {
    let mut nanos = 0;
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = fs::read_to_string(thread?.path().join("schedstat"))?;
        let first = text.split_whitespace().next().and_then(|number| number.parse::<u64>().ok());
        nanos += first.ok_or_else(|| io::Error::other("schedstat without a number"))?;
    }
    Ok(Duration::from_nanos(nanos))
}
