//! `onceward check`: holds a template and its functions to each other.
//!
//! Functions describe themselves: their binaries are started with one variable and print what they handle, publish, read
//! and write. *subject* is that and the template; *rules* find what does not fit. Nothing here binds a port or needs a
//! cloud. `docs/check.md` lists the rules.

mod ask;
mod calls;
mod description;
mod events;
mod finding;
mod kept;
mod nearest;
mod profile;
mod report;
mod rules;
mod subject;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub(crate) use self::finding::Finding;
pub(crate) use self::kept::Checked;
use self::profile::Workspace;
use self::rules::findings;
use self::subject::{Said, Subject};
use crate::account::Account;
use crate::cloud::{CloudError, Packages};
use crate::dev::build::{self, BuildError};
use crate::dev::workspace;
use crate::dev::{directory, name_and_value, nearest_template};
use crate::template::{self, Build, Fault, Function, STACK_NAME, Stack, TemplateError};

/// Something was found.
const FOUND: u8 = 1;
/// It could not check.
const NOT_CHECKED: u8 = 2;

/// The rule of what keeps a template from being read.
const TEMPLATE: &str = "template";

/// The account that the template is read for: any does.
const REGION: &str = "us-east-1";
const ENDPOINT: &str = "https://sqs.us-east-1.amazonaws.com";

/// Hold the template and its functions to each other: builds the functions, asks each what it is, and says what does not
/// fit, with file, line and what to write. Ends with 0 if nothing is wrong, 1 if something is, 2 if it could not check.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// The SAM template [default: template.yaml of this folder, or of the first one above that has it]
    #[arg(long, value_name = "FILE")]
    template: Option<PathBuf>,
    /// A value for a parameter of the template; may be repeated
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = name_and_value)]
    parameters: Vec<(String, String)>,
    /// Name of the stack: what the names of its resources begin with
    #[arg(long, value_name = "NAME", default_value = STACK_NAME)]
    stack_name: String,
    /// Print one JSON document on stdout, for programs
    #[arg(long)]
    json: bool,
}

/// Why it could not check.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CheckError {
    /// The template cannot be read, or is not one.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The functions are not built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// A function's package cannot be unpacked.
    #[error(transparent)]
    Package(#[from] CloudError),
    /// A workspace's manifest cannot be read.
    #[error("cannot read the manifest {}", path.display())]
    Manifest { path: PathBuf, source: std::io::Error },
}

/// Checks once and prints what was found.
pub async fn run(args: Args) -> ExitCode {
    let template = args.template.clone().unwrap_or_else(nearest_template);
    let account = Account::new(REGION, ENDPOINT);
    let outcome = check(&args, &template, &account).await;
    let template = shown(&template);
    let (code, text) = match outcome {
        Ok((functions, findings)) => {
            let code = if report::Counts::of(&findings).fail() { FOUND } else { 0 };
            let text = if args.json {
                format!("{:#}", report::json(template, functions, &findings))
            } else {
                report::text(template, functions, &findings)
            };
            (code, text)
        }
        Err(error) if args.json => {
            (NOT_CHECKED, format!("{:#}", report::failure(template, &told(&error), &faults(&error))))
        }
        Err(error) => {
            // Nobody reads any more: the exit code says it.
            let _ = writeln!(anstream::stderr(), "{}: {}", report::not_checked(), told(&error));
            return ExitCode::from(NOT_CHECKED);
        }
    };
    let _ = writeln!(anstream::stdout(), "{text}");
    ExitCode::from(code)
}

/// A path as a person in this folder writes it.
fn shown(path: &Path) -> &Path {
    let relative = std::env::current_dir().ok().and_then(|here| path.strip_prefix(here).ok());
    relative.unwrap_or(path)
}

/// What keeps a template from being read at all.
fn faults(error: &CheckError) -> Vec<Finding> {
    let CheckError::Template(TemplateError::Faulty { faults, .. }) = error else { return Vec::new() };
    let finding = |fault: &Fault| {
        let resource = fault.place.split('.').next().unwrap_or_default();
        Finding { rule: TEMPLATE, ..Finding::error((resource, fault.line), fault.message.as_str(), "") }
    };
    faults.iter().map(finding).collect()
}

/// An error with its causes.
fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let reason = error.to_string();
        if !text.contains(&reason) {
            text = format!("{text}: {reason}");
        }
        cause = error.source();
    }
    text
}

/// The number of functions, and what was found.
async fn check(args: &Args, template: &Path, account: &Account) -> Result<(usize, Vec<Finding>), CheckError> {
    let overrides: BTreeMap<_, _> = args.parameters.iter().cloned().collect();
    let stack = template::load_as(template, &overrides, account, &args.stack_name)?;
    let binaries = build::build(&stack, directory(template)).await?;
    let said = ask(&stack, &binaries, |_| true).await?;
    let subject = Subject { stack: &stack, account, said, workspaces: workspaces(&stack).await? };
    Ok((stack.functions.len(), findings(&subject)))
}

/// The Cargo workspaces that functions are built from.
async fn workspaces(stack: &Stack) -> Result<Vec<Workspace>, CheckError> {
    let mut workspaces = Vec::new();
    for (root, found) in workspace::find(stack).await? {
        let manifest = root.join("Cargo.toml");
        let text = std::fs::read_to_string(&manifest)
            .map_err(|source| CheckError::Manifest { path: manifest.clone(), source })?;
        let wanted = |name: &str| found.wanted.iter().any(|(_, function)| function == name);
        let functions = stack.functions.iter().filter(|function| wanted(&function.name));
        let functions = functions.map(|function| function.logical_id.clone()).collect();
        workspaces.push(Workspace { manifest: shown(&manifest).to_owned(), text, functions });
    }
    Ok(workspaces)
}

/// What each of the `wanted` functions of the stack says; `binaries` is the folder with those that are built here.
async fn ask(stack: &Stack, binaries: &Path, wanted: impl Fn(&Function) -> bool) -> Result<Said, CheckError> {
    // What a `.zip` holds is unpacked for as long as it is asked.
    let mut packages = Packages::default();
    let mut executables = BTreeMap::new();
    for function in stack.functions.iter().filter(|function| wanted(function)) {
        let executable = match &function.build {
            Build::CargoLambda { binary } => binaries.join(binary),
            Build::Bootstrap => packages.folder(&function.name, &function.code_uri)?.join("bootstrap"),
        };
        executables.insert(function.logical_id.clone(), executable);
    }
    let said = ask::all(executables.values().cloned().collect::<BTreeSet<_>>()).await;
    let silent = || Err("it could not be asked".to_owned());
    let of = |executable: &PathBuf| said.get(executable).cloned().unwrap_or_else(silent);
    Ok(executables.iter().map(|(id, executable)| (id.clone(), of(executable))).collect())
}
