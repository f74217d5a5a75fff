//! Saving a file rebuilds what is made of it, and replaces the functions whose executable has changed. Queues, tables
//! and what is under way stay as they are.

mod compile;
mod links;
mod template;
mod watch;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anstyle::{AnsiColor, Style};
use serde_json::json;

use self::compile::{Errors, compile, outside, workspace};
use self::links::Links;
pub(super) use self::template::Template;
use self::watch::{Change, Scope, Watch};
use super::console::{Console, News};
use super::{checked, directory};
use crate::check::{Checked, Finding};
use crate::cloud::Cloud;
use crate::lambda::Lambda;
use crate::template::{Build, Stack};

const DONE: Style = AnsiColor::Green.on_default();
const FAILED: Style = AnsiColor::Red.on_default().bold();
const NOTE: Style = AnsiColor::Yellow.on_default();

/// What has to be known to build and replace functions.
#[derive(Debug)]
pub(super) struct Rebuild {
    watch: Watch,
    template: Template,
    /// None if no function is built here.
    links: Option<Arc<Links>>,
    functions: Executables,
    /// None: what is saved is not checked.
    checked: Option<Checked>,
    /// The last build failed.
    failing: bool,
}

/// The functions that are built here, by the path where cargo puts their executable.
type Executables = BTreeMap<PathBuf, Vec<String>>;

/// Begins to watch what the stack's functions are made of, and the template. Without a watch, what is in the way is said,
/// and everything else goes on.
pub(super) async fn watch(stack: &Stack, template: &Path, console: &Console) -> Option<Watch> {
    let mut scopes = Vec::new();
    let mut roots: Vec<PathBuf> = Vec::new();
    for function in &stack.functions {
        let Ok(code) = function.code_uri.canonicalize() else { continue };
        if function.build == Build::Bootstrap {
            scopes.push(Scope { path: code, change: Change::Package(function.name.clone()) });
        } else if !roots.iter().any(|root| code.starts_with(root)) {
            let root = match workspace(&code).await {
                Some(root) => root,
                None => directory(template).to_owned(),
            };
            roots.extend(root.canonicalize());
        }
    }
    for root in roots {
        let paths = outside(&root).await.into_iter().chain([root.clone()]);
        scopes.extend(paths.map(|path| Scope { path, change: Change::Source(root.clone()) }));
    }
    scopes.extend(template.canonicalize().map(|path| Scope { path, change: Change::Template }));
    match Watch::start(scopes) {
        Ok(watch) => Some(watch),
        Err(error) => {
            unwatched(&error, console);
            None
        }
    }
}

fn unwatched(reason: &dyn std::error::Error, console: &Console) {
    console.say(&format!("{NOTE}saved files are not rebuilt{NOTE:#}: {reason}; --no-watch does without this message"));
}

impl Rebuild {
    /// What is needed once `binaries` are built.
    pub(super) fn prepare(
        (watch, template, checked): (Watch, Template, Option<Checked>),
        stack: &Stack,
        binaries: &Path,
        console: &Console,
    ) -> Option<Self> {
        let mut functions = Executables::new();
        for function in &stack.functions {
            if let Build::CargoLambda { binary } = &function.build {
                functions.entry(binaries.join(binary)).or_default().push(function.name.clone());
            }
        }
        let linked = if functions.is_empty() { Ok(None) } else { link(binaries, &functions).map(Some) };
        match linked {
            Ok(links) => Some(Self { watch, template, links: links.map(Arc::new), functions, checked, failing: false }),
            Err(error) => {
                unwatched(&error, console);
                None
            }
        }
    }

    /// The folder with the executables to run, by their own names.
    pub(super) fn links(&self) -> Option<&Path> {
        self.links.as_deref().map(Links::folder)
    }

    /// Waits for the next changes and does what they ask for.
    async fn step(&mut self, cloud: &Cloud, console: &Console) -> Result<(), watch::WatchError> {
        let changes = self.watch.changed().await?;
        for change in changes {
            match change {
                Change::Template => {
                    if let Some((news, stack)) = self.template.changed(cloud) {
                        console.tell(news);
                        self.check(stack.as_ref().unwrap_or(cloud.stack()), &[], console).await;
                    }
                }
                Change::Package(function) => {
                    console.tell(repackaged(cloud, &function));
                    self.check(cloud.stack(), &[function], console).await;
                }
                Change::Source(root) => self.rebuild(&root, cloud, console).await,
            }
        }
        Ok(())
    }

    /// Holds the stack to its functions, of which those named `replaced` are other ones now, and tells what is new.
    async fn check(&mut self, stack: &Stack, replaced: &[String], console: &Console) {
        let binaries = self.links().map(Path::to_owned).unwrap_or_default();
        let Some(checked) = &mut self.checked else { return };
        match checked.again(stack, &binaries, replaced).await {
            Ok(new) => {
                let new: Vec<_> = new.into_iter().filter(Finding::fails).collect();
                if !new.is_empty() {
                    console.tell(checked::news(checked, &new));
                }
            }
            Err(error) => console.tell(checked::not_checked(&error)),
        }
    }

    async fn rebuild(&mut self, root: &Path, cloud: &Cloud, console: &Console) {
        let began = Instant::now();
        match compile(root).await {
            Ok(Ok(())) => self.built(began, cloud, console).await,
            Ok(Err(errors)) => {
                self.failing = true;
                console.tell(failed(&errors));
            }
            Err(error) => {
                self.failing = true;
                let shown = vec![format!("cannot run cargo: {error}")];
                console.tell(failed(&Errors { shown, count: 1 }));
            }
        }
    }

    async fn built(&mut self, began: Instant, cloud: &Cloud, console: &Console) {
        let lambda = cloud.lambda();
        let was_failing = std::mem::take(&mut self.failing);
        let Some(links) = self.links.clone() else { return };
        let functions = self.functions.clone();
        // Executables are large: to compare them takes a while.
        let updated = tokio::task::spawn_blocking(move || update(&links, &functions)).await;
        let replaced = match updated.map_err(io::Error::other).and_then(|updated| updated) {
            Ok(replaced) => replaced,
            Err(error) => {
                let shown = vec![format!("the executables are built, but cannot be put in place: {error}")];
                return console.tell(failed(&Errors { shown, count: 1 }));
            }
        };
        for function in &replaced {
            replace(lambda, function);
        }
        let took = began.elapsed().as_millis();
        let text = match replaced.as_slice() {
            // A file that no function is made of.
            [] if !was_failing => return,
            [] => format!("{DONE}the build is good again{DONE:#}, and no function has changed"),
            some => {
                let attached = |name: &&String| lambda.is_attached(name).is_ok_and(|attached| attached);
                let left: Vec<_> = some.iter().filter(attached).map(String::as_str).collect();
                let mut text = format!("{DONE}rebuilt{DONE:#} in {took} ms and replaced: {}", some.join(", "));
                if !left.is_empty() {
                    let _ = write!(text, "; start your process anew: {}", left.join(", "));
                }
                text
            }
        };
        console.tell(News { event: "rebuilt", text, fields: json!({"functions": replaced, "duration_ms": took}) });
        self.check(cloud.stack(), &replaced, console).await;
    }
}

/// Rebuilds until dropped, if there is something to rebuild.
pub(super) async fn follow(rebuild: Option<&mut Rebuild>, cloud: &Cloud, console: &Console) {
    if let Some(rebuild) = rebuild {
        loop {
            if let Err(error) = rebuild.step(cloud, console).await {
                unwatched(&error, console);
                break;
            }
        }
    }
    std::future::pending::<()>().await;
}

fn link(binaries: &Path, functions: &Executables) -> io::Result<Links> {
    let links = Links::create(binaries)?;
    update(&links, functions)?;
    Ok(links)
}

/// Puts all executables in place; answers the functions whose executable is another one now.
fn update(links: &Links, functions: &Executables) -> io::Result<Vec<String>> {
    let mut changed = Vec::new();
    for (executable, functions) in functions {
        if links.update(executable)? {
            changed.extend(functions.iter().cloned());
        }
    }
    Ok(changed)
}

fn repackaged(cloud: &Cloud, function: &str) -> News {
    match cloud.replace_package(function) {
        Ok(()) => {
            let text = format!("{DONE}replaced{DONE:#} {function}: its package has changed");
            News { event: "replaced", text, fields: json!({"functions": [function]}) }
        }
        Err(error) => {
            let text = format!("{error}\n\n{FAILED}the package cannot be used{FAILED:#}: what it was before runs on");
            News { event: "package_failed", text, fields: json!({"function": function, "error": error.to_string()}) }
        }
    }
}

fn replace(lambda: &Lambda, function: &str) {
    // Every function of the stack is known to Lambda: it was created from the same stack.
    drop(lambda.replace(function));
}

fn failed(errors: &Errors) -> News {
    let Errors { shown, count } = errors;
    let more = count.saturating_sub(shown.len());
    let mut text = shown.join("\n\n");
    if more > 0 {
        let _ = write!(text, "\n\n… and {more} more");
    }
    let what = if *count == 1 { "1 error".to_owned() } else { format!("{count} errors") };
    let _ = write!(text, "\n\n{FAILED}the build failed{FAILED:#} ({what}): still running the last good build");
    let plain: Vec<_> = shown.iter().map(|error| anstream::adapter::strip_str(error).to_string()).collect();
    News { event: "build_failed", text, fields: json!({"errors": plain, "count": count}) }
}
