//! The reference system on another cloud: the SAM CLI deploys the template, updates it and deletes it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    time::Instant,
};

use onceward_local::{
    account::Account,
    cloud::{GATEWAY_PARAMETER, REGION},
    gateway::Gateway,
    template::{self, STACK_NAME, Stack},
};
use serde_json::Value;

use super::{Running, Unavailable, build, health::is_ministack, sandbox::Sandbox, venv};
use crate::system::{ROOT, TEMPLATE};

/// The CLIs, pinned: the set of `.ci/run`, in the same place.
const REQUIREMENTS: &str = include_str!("../../../.ci/requirements.txt");

/// Whether each deployment has the confirmations' inbox, and how long it keeps logs.
const FIRST: [(&str, &str); 2] = [("ConfirmationInbox", "false"), ("LogRetentionDays", "30")];
const UPDATE: [(&str, &str); 2] = [("ConfirmationInbox", "true"), ("LogRetentionDays", "7")];

/// A stack's outputs by their keys.
pub(crate) type Outputs = BTreeMap<String, String>;

/// The deployed reference system.
pub(crate) struct Deployed {
    /// Where the cloud answers.
    pub(crate) url: String,
    /// The stack's name: no other run has it.
    pub(crate) name: String,
    /// What the template declares, with the names it has on the local cloud.
    pub(crate) declared: Stack,
    /// What the stack said after it was created, and after it was updated.
    pub(crate) first: Outputs,
    pub(crate) updated: Outputs,
    /// Confirmations that were taken from the inbox, by whichever test.
    pub(crate) confirmations: Arc<tokio::sync::Mutex<Vec<String>>>,
    sandbox: Sandbox,
    tools: PathBuf,
    build: PathBuf,
    /// Nothing is left of a cloud that ends with the tests.
    outlives: bool,
    deleted: Mutex<bool>,
}

impl Deployed {
    /// Creates the stack and updates it.
    pub(super) fn deploy(running: &Running) -> Result<Self, Unavailable> {
        let url = running.url().to_owned();
        let name = format!("onceward-{:08x}", rand::random::<u32>());
        let tools = venv::install("tools", REQUIREMENTS).map_err(Unavailable::Missing)?;
        let (addresses, host) = running.host_inside();
        let sandbox = Sandbox::start(&addresses, host).map_err(Unavailable::Broken)?;
        let declared = declared(&url).map_err(Unavailable::Broken)?;
        let build = build::folder(&declared).map_err(Unavailable::Broken)?;
        let mut deployed = Self {
            url,
            name,
            declared,
            first: Outputs::new(),
            updated: Outputs::new(),
            confirmations: Arc::default(),
            sandbox,
            tools,
            build,
            outlives: matches!(running, Running::Endpoint(_)),
            deleted: Mutex::new(false),
        };
        let endpoint = deployed.endpoint_inside(running).map_err(Unavailable::Broken)?;
        deployed.first = deployed.sam_deploy(&endpoint, &FIRST)?;
        deployed.updated = deployed.sam_deploy(&endpoint, &UPDATE)?;
        Ok(deployed)
    }

    pub(crate) fn gateway(&self) -> &Gateway {
        &self.sandbox.gateway
    }

    /// What functions have to be told about where AWS is: nothing where the cloud tells them.
    fn endpoint_inside(&self, running: &Running) -> Result<String, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
        let told = !runtime.block_on(is_ministack(&self.url))?;
        Ok(if told { String::new() } else { running.url_inside().to_owned() })
    }

    /// Creates or updates the stack; answers its outputs.
    fn sam_deploy(&self, endpoint: &str, changing: &[(&str, &str)]) -> Result<Outputs, Unavailable> {
        let began = Instant::now();
        let mut deploy = self.tool("sam");
        deploy.args(["deploy", "--template-file", "template.yaml", "--stack-name", &self.name, "--resolve-s3"]);
        deploy.args(["--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset", "--no-progressbar"]);
        deploy.args(["--region", REGION, "--parameter-overrides"]);
        let architecture = if std::env::consts::ARCH == "aarch64" { "arm64" } else { "x86_64" };
        for (parameter, value) in changing.iter().chain(&[
            ("Architecture", architecture),
            ("BusName", &self.bus()),
            (GATEWAY_PARAMETER, &self.sandbox.url),
            ("AwsEndpointUrl", endpoint),
        ]) {
            if !value.is_empty() {
                deploy.arg(format!("{parameter}={value}"));
            }
        }
        run(&mut deploy).map_err(Unavailable::Broken)?;
        let outputs = self.outputs().map_err(Unavailable::Broken)?;
        println!("sam deploy of {} took {:.0?}", self.name, began.elapsed());
        Ok(outputs)
    }

    fn outputs(&self) -> Result<Outputs, String> {
        let stacks = self.aws(&["cloudformation", "describe-stacks", "--stack-name", &self.name])?;
        let outputs = stacks["Stacks"][0]["Outputs"].as_array().ok_or("the stack has no outputs")?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let entry = |output: &Value| Some((text(&output["OutputKey"])?, text(&output["OutputValue"])?));
        Ok(outputs.iter().filter_map(entry).collect())
    }

    /// The event bus.
    pub(crate) fn bus(&self) -> String {
        format!("{}-orders", self.name)
    }

    /// Deletes the stack, its packages too.
    pub(crate) fn delete(&self) -> Result<(), String> {
        let mut deleted = self.deleted.lock().map_err(|error| error.to_string())?;
        if !std::mem::replace(&mut *deleted, true) {
            run(self.tool("sam").args(["delete", "--stack-name", &self.name, "--no-prompts", "--region", REGION]))?;
        }
        Ok(())
    }

    /// Deletes the tables too, which the template retains: on a cloud that goes on they would pile up.
    fn delete_with_tables(&self) -> Result<(), String> {
        self.delete()?;
        for table in &self.declared.tables {
            let name = table.name.replacen(STACK_NAME, &self.name, 1);
            self.aws(&["dynamodb", "delete-table", "--table-name", &name])?;
        }
        Ok(())
    }

    /// What the aws CLI answers.
    pub(crate) fn aws(&self, arguments: &[&str]) -> Result<Value, String> {
        // Version 1 of the CLI does not ask the environment for the endpoint of SQS.
        let printed = run(self.tool("aws").args(arguments).args(["--output", "json", "--endpoint-url", &self.url]))?;
        serde_json::from_str(&printed).map_err(|error| format!("aws {arguments:?}: {error}: {printed}"))
    }

    /// A program with this cloud in its environment, and no configuration of the machine's owner.
    fn tool(&self, name: &str) -> Command {
        let mut command = Command::new(venv::program(&self.tools, name));
        command.current_dir(&self.build).stdin(Stdio::null());
        command.env("AWS_ENDPOINT_URL", &self.url).env("AWS_REGION", REGION).env("AWS_DEFAULT_REGION", REGION);
        command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
        command.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
        command.env("SAM_CLI_TELEMETRY", "0");
        command
    }
}

impl Drop for Deployed {
    fn drop(&mut self) {
        if self.outlives
            && let Err(error) = self.delete_with_tables()
        {
            eprintln!("something of the stack {} is left behind: {error}", self.name);
        }
    }
}

/// What the template declares after the update.
fn declared(url: &str) -> Result<Stack, String> {
    let parameters = UPDATE.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let account = Account::new(REGION, url);
    template::load(&Path::new(ROOT).join(TEMPLATE), &parameters, &account).map_err(|error| error.to_string())
}

fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    let arguments: Vec<_> = command.get_args().map(|argument| argument.to_string_lossy()).collect();
    Err(format!("{} failed:\n{}{}", arguments.join(" "), text(&output.stdout), text(&output.stderr)))
}
