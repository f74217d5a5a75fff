//! `onceward dev`: builds the template's functions, runs the template on this machine and shows what happens.

mod attach;
mod banner;
pub(crate) mod build;
mod checked;
mod columns;
mod console;
mod demo;
mod hop;
mod other;
mod permissions;
mod rebuild;
mod stop;
pub(crate) mod workspace;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use self::build::BuildError;
pub use self::build::cargo;
use self::console::{Console, Format};
use self::demo::{Demo, DemoError};
use self::rebuild::Rebuild;
use self::stop::Signals;
use crate::check::{CheckError, Checked};
use crate::cloud::{Cloud, CloudConfig, CloudError, Elsewhere, Listeners, Options, Ports, load_stack_as};
use crate::faults::{self, FaultError, Plan};
use crate::iam::Mode;
use crate::remote::{Remote, RemoteError};
use crate::template::{STACK_NAME, TemplateError};

/// How long stopping may take before what is left is abandoned.
const SHUTDOWN_MAX: Duration = Duration::from_secs(3);

/// Run the template on this machine: the functions as processes, the AWS services on one port.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Port of the AWS endpoint (0: any free port)
    #[arg(long, value_name = "PORT", default_value_t = 4566)]
    aws_port: u16,
    /// Port of the HTTP API (0: any free port)
    #[arg(long, value_name = "PORT", default_value_t = 3000)]
    http_port: u16,
    /// Port of the sandbox payment gateway (0: any free port)
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    gateway_port: u16,
    /// The SAM template [default: template.yaml of this folder, or of the first one above that has it]
    #[arg(long, value_name = "FILE")]
    template: Option<PathBuf>,
    /// A value for a parameter of the template; may be repeated
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = name_and_value)]
    parameters: Vec<(String, String)>,
    /// Name of the stack: what the names of its resources begin with
    #[arg(long, value_name = "NAME", default_value = STACK_NAME)]
    stack_name: String,
    /// Run the functions here against the queues, tables and buses of another cloud (ministack, `LocalStack`, …), to
    /// which the stack is deployed already; with the credentials and the region of the environment
    /// (`AWS_ACCESS_KEY_ID`, …, `AWS_REGION`), else `test` and us-east-1. That cloud must not run the functions too
    #[arg(long, value_name = "URL", conflicts_with_all = ["data", "faults", "fault_seed", "iam"])]
    endpoint: Option<String>,
    /// Answer requests to this host name too, such as a tunnel's; may be repeated. Without it, only those to addresses and
    /// to names of this machine (localhost, host.docker.internal, …) are answered: a web page could send others here
    #[arg(long = "allow-host", value_name = "NAME")]
    allow_hosts: Vec<String>,
    /// Leave out the demo events of the template's metadata
    #[arg(long)]
    no_demo: bool,
    /// Keep queues, tables and the rest in this folder, so that they outlive a restart or a crash [default: in memory]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Let calls go wrong: SERVICE[.OPERATION]:KIND[=VALUE][,NAME=VALUE]…, such as
    /// `dynamodb.PutItem:throttle,probability=0.2` or `sqs.*:latency=200,jitter_ms=100`; may be repeated.
    /// Kinds: latency, throttle, error, conflict, partial, `lost_request`, `lost_response`, duplicate, reorder, kill.
    /// Names: probability, limit, function, resource, `jitter_ms`. At `/_onceward/faults` of the AWS endpoint they can be
    /// looked at and changed
    #[arg(long = "fault", value_name = "SPEC")]
    faults: Vec<faults::Rule>,
    /// Decides which calls go wrong; the same seed decides the same way [default: a random one, printed]
    #[arg(long, value_name = "NUMBER", requires = "faults")]
    fault_seed: Option<u64>,
    /// Leave this function (its name or its logical id) to a debugger: no process is started for it, and the environment
    /// to start one with is printed; its invocations wait without a timeout, and the process may come and go; may be
    /// repeated
    #[arg(long, value_name = "FUNCTION")]
    attach: Vec<String>,
    /// Do not watch the functions' source files: by default a saved file rebuilds what is made of it and replaces it
    #[arg(long)]
    no_watch: bool,
    /// What to print: lines for people, or one JSON object a line on stdout (`target` tells a hop, `onceward::delivery`,
    /// from news of this command, `onceward::dev`) and everything else on stderr
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Text)]
    log: Format,
    /// What happens to a call that the policies in the template do not allow
    #[arg(long, value_name = "MODE", value_enum, default_value_t = Mode::Enforce)]
    iam: Mode,
    /// What happens to what `onceward check` finds, at the start and of what is saved. Two functions with one name in one
    /// ledger never start
    #[arg(long, value_name = "MODE", value_enum, default_value_t = checked::Mode::Report)]
    check: checked::Mode,
    /// Show the functions' INFO and DEBUG lines too
    #[arg(long, short)]
    verbose: bool,
}

/// Why `onceward dev` stops before it runs.
#[derive(Debug, thiserror::Error)]
enum DevError {
    #[error(
        "cannot read the template {}: {source}; name the file with --template FILE, or run this in the folder of its \
         template.yaml", path.display()
    )]
    NoTemplate { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Template(TemplateError),
    #[error(transparent)]
    Cloud(#[from] CloudError),
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error(transparent)]
    Demo(#[from] DemoError),
    #[error(transparent)]
    Fault(#[from] FaultError),
    #[error(transparent)]
    Remote(#[from] RemoteError),
    #[error(transparent)]
    Attach(#[from] attach::NoFunction),
    #[error(transparent)]
    Check(#[from] CheckError),
    #[error(transparent)]
    Refused(#[from] checked::Refused),
}

/// Runs until Ctrl-C (exit code 130), SIGTERM (0), or a data folder that keeps nothing any more (1).
pub async fn run(args: Args) -> ExitCode {
    let console = Console::start(args.log, args.verbose);
    let mut signals = Signals::handle();
    let code = tokio::select! {
        stopped = signals.next() => stopped,
        outcome = start(&args, &console) => match outcome {
            Ok((cloud, mut rebuild)) => {
                let stopped = tokio::select! {
                    stopped = signals.next() => stopped,
                    () = rebuild::follow(rebuild.as_mut(), &cloud, &console) => ExitCode::FAILURE,
                    // Whatever it did from now on would be lost without a word.
                    failure = cloud.not_kept() => {
                        console.fail(failure);
                        ExitCode::FAILURE
                    }
                };
                // The shell has echoed ^C: begin a line of its own.
                console.say("\nstopping");
                // A second signal, or a process that will not end, must not keep the terminal.
                tokio::select! {
                    _ = tokio::time::timeout(SHUTDOWN_MAX, cloud.shutdown()) => {}
                    _ = signals.next() => {}
                }
                match (args.iam, args.log) {
                    (Mode::Report, Format::Text) => console.say(&permissions::text(cloud.iam())),
                    (Mode::Report, Format::Json) => console.record(&permissions::json(cloud.iam())),
                    _ => {}
                }
                stopped
            }
            Err(error) => {
                console.fail(&error);
                ExitCode::FAILURE
            }
        },
    };
    console.close();
    code
}

async fn start(args: &Args, console: &Console) -> Result<(Cloud, Option<Rebuild>), DevError> {
    let listeners =
        Listeners::bind(Ports { aws: args.aws_port, http: args.http_port, gateway: args.gateway_port }).await?;
    let listeners = listeners.allowing(&args.allow_hosts);
    let (remote, listeners) = match &args.endpoint {
        Some(url) => {
            let remote = Remote::connect(url, console.sink()).await?;
            let listeners = listeners.against(remote.account().clone());
            (Some(remote), listeners)
        }
        None => (None, listeners),
    };
    let overrides: BTreeMap<_, _> = args.parameters.iter().cloned().collect();
    let template = args.template.clone().unwrap_or_else(nearest_template);
    let saved = rebuild::Template::read(&template, &overrides, &args.stack_name);
    let mut stack = load_stack_as(&template, &listeners, &overrides, &args.stack_name)?;
    // Before the build, which may take long.
    let elsewhere = match remote {
        Some(remote) => Some(Elsewhere { found: remote.look_up(&mut stack).await?, remote }),
        None => None,
    };
    let demo = if args.no_demo { None } else { Demo::read(&stack, directory(&template))? };
    let watch = if args.no_watch { None } else { rebuild::watch(&stack, &template, console).await };
    let options = Options { attach: attach::names(&args.attach, &stack)? };
    let mut binaries = build::build(&stack, directory(&template)).await?;
    let checked = Checked::first(&template, listeners.account(), &stack, &binaries).await?;
    checked::at_start(&checked, args.check, console)?;
    let checked = (args.check != checked::Mode::Off).then_some(checked);
    let rebuild = watch.and_then(|watch| Rebuild::prepare((watch, saved, checked), &stack, &binaries, console));
    if let Some(links) = rebuild.as_ref().and_then(Rebuild::links) {
        links.clone_into(&mut binaries);
    }
    let built = Instant::now();
    let config = CloudConfig {
        stack,
        listeners,
        binaries,
        environment: BTreeMap::new(),
        log: console.sink(),
        data: args.data.clone(),
        iam: args.iam,
    };
    let cloud = match elsewhere {
        Some(elsewhere) => Cloud::start_against(config, &options, elsewhere).await?,
        None => Cloud::start_with(config, &options)?,
    };
    let mut notes = inject(args, &cloud)?;
    let report = |warmed| {
        console.say(&banner::warmed(&warmed));
        notes.extend(banner::broken(&warmed));
    };
    cloud.warm(report).await;
    if let Some(remote) = cloud.remote() {
        notes.extend(other::notes(remote, cloud.stack(), demo.is_some()).await);
    } else if let Some(demo) = &demo {
        notes.extend(demo.play(&cloud, built).await);
    }
    console.say(&banner::ready(&cloud, demo.as_ref(), built.elapsed()));
    for note in &notes {
        console.say(note);
    }
    cloud.attached().iter().for_each(|attached| console.tell(attach::news(attached)));
    Ok((cloud, rebuild))
}

/// Sets the faults of the command line; answers what there is to say about them.
fn inject(args: &Args, cloud: &Cloud) -> Result<Vec<String>, DevError> {
    if args.faults.is_empty() {
        return Ok(Vec::new());
    }
    let seed = cloud.faults().set(Plan { seed: args.fault_seed, rules: args.faults.clone() })?;
    let rules: Vec<_> = args.faults.iter().map(ToString::to_string).collect();
    let url = cloud.aws_url();
    Ok(vec![format!("Faults, with --fault-seed {seed} (counted at {url}/_onceward/faults): {}", rules.join("; "))])
}

impl From<TemplateError> for DevError {
    fn from(error: TemplateError) -> Self {
        match error {
            TemplateError::Unreadable { path, source } => Self::NoTemplate { path, source },
            faulty @ TemplateError::Faulty { .. } => Self::Template(faulty),
        }
    }
}

/// As cargo finds its workspace: `template.yaml` here, or in the first folder above that has it.
pub(crate) fn nearest_template() -> PathBuf {
    const NAME: &str = "template.yaml";
    let here = std::env::current_dir().unwrap_or_default();
    let found = here.ancestors().map(|folder| folder.join(NAME)).find(|path| path.is_file());
    found.unwrap_or_else(|| PathBuf::from(NAME))
}

/// The folder a template is in.
pub(crate) fn directory(template: &Path) -> &Path {
    match template.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

pub(crate) fn name_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it as NAME=VALUE".to_owned()),
    }
}
