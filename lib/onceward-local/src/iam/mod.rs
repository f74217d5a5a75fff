//! IAM: whether a function's calls, and the deliveries of services, are allowed by the policies of the template.
//!
//! - *caller*: who calls, told by the access key id. A function's process has a key of its own; any other key is the
//!   developer's, who may do everything.
//! - *action*: which permissions a request needs. *policy*: what a document says about one of them. *evaluate*: the
//!   outcome, by <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>.
//! - *access*: the hooks of the endpoint, of deliveries and of event source mappings.

mod access;
mod action;
mod ahead;
mod caller;
mod context;
mod denial;
mod evaluate;
mod identity;
mod managed;
mod permissions;
mod policy;
mod sources;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

pub(crate) use self::access::{rest_guard, watch_logs};
pub(crate) use self::ahead::{may, may_send};
pub use self::caller::{Caller, Role, access_key};
pub use self::denial::{Denial, Reason};
pub use self::identity::{NamedPolicy, Unused};
pub(crate) use self::managed::{allow, managed, sam, sam_parameters};
pub use self::permissions::{FunctionRole, Permissions, RolePolicies};
pub use self::policy::{Policy, PolicyError, STATEMENTS_MAX};
pub use self::sources::SourceRefused;

use self::identity::Identity;
use crate::account::Account;
use crate::lambda::LogSink;

/// Different denials that are remembered; further ones are refused all the same.
pub const DENIALS_MAX: usize = 1_000;

/// Policy texts that are kept compiled.
const COMPILED_MAX: usize = 1_000;

/// Tables and indexes whose partition key is remembered.
const KEYS_MAX: usize = 1_000;

/// What happens to a call that no policy allows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Mode {
    /// It is denied as AWS denies it
    #[default]
    Enforce,
    /// It goes through, and is shown once; at the end, what was allowed and never used is listed
    Report,
    /// Nothing is evaluated
    Off,
}

/// The IAM of one local cloud. Clones are the same.
#[derive(Clone)]
pub struct Iam {
    inner: Arc<Inner>,
}

struct Inner {
    account: Account,
    log: LogSink,
    state: RwLock<State>,
    /// Resource policies by their text; `None` for one that cannot be read.
    compiled: Mutex<HashMap<String, Option<Arc<Policy>>>>,
    /// Partition keys by table and index.
    keys: Mutex<HashMap<(String, Option<String>), String>>,
    /// How often each call was denied, or would have been.
    denials: Mutex<BTreeMap<Denial, u64>>,
}

#[derive(Debug)]
struct State {
    mode: Mode,
    /// Functions' sessions, by access key id.
    sessions: HashMap<String, Caller>,
    /// Functions' sessions, by function.
    functions: BTreeMap<String, Session>,
    permissions: Permissions,
}

#[derive(Debug, Clone)]
struct Session {
    role: Arc<Role>,
    log: FunctionRole,
}

impl Iam {
    /// Without functions; until [`declare`](Self::declare) nobody is denied anything. Denials are reported to `log`.
    pub fn new(account: Account, log: LogSink) -> Self {
        let state = State {
            mode: Mode::Off,
            sessions: HashMap::new(),
            functions: BTreeMap::new(),
            permissions: Permissions::default(),
        };
        let inner = Inner {
            account,
            log,
            state: RwLock::new(state),
            compiled: Mutex::default(),
            keys: Mutex::default(),
            denials: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// From now on what `permissions` say counts.
    pub fn declare(&self, mode: Mode, permissions: Permissions) {
        let mut state = self.inner.state.write().unwrap_or_else(PoisonError::into_inner);
        state.mode = mode;
        for (function, log) in &permissions.functions {
            let policies = permissions.roles.get(&log.role_arn);
            let role = Arc::new(self.role(&log.role_arn, function, function, policies));
            state.sessions.insert(access_key(function), Caller::Role(Arc::clone(&role)));
            state.functions.insert(function.clone(), Session { role, log: log.clone() });
        }
        state.permissions = permissions;
    }

    /// What happens to a call that no policy allows.
    pub fn mode(&self) -> Mode {
        self.state().mode
    }

    /// Whose access key id this is.
    pub fn caller(&self, access_key_id: Option<&str>) -> Caller {
        access_key_id.and_then(|key| self.state().sessions.get(key).cloned()).unwrap_or(Caller::Developer)
    }

    /// The function's own session; the developer's if there is no such function.
    pub fn function(&self, name: &str) -> Caller {
        let session = self.state().functions.get(name).map(|session| Arc::clone(&session.role));
        session.map_or(Caller::Developer, Caller::Role)
    }

    /// A role of the template, as a service assumes it (`RoleArn` of a target or a schedule). Another role may do
    /// everything: nothing here says what it may not do.
    pub fn assumed(&self, role_arn: &str, session: &str) -> Caller {
        let name = role_arn.rsplit('/').next().unwrap_or(role_arn);
        let role = self.role(role_arn, session, name, self.state().permissions.roles.get(role_arn));
        Caller::Role(Arc::new(role))
    }

    /// Each call that was denied, or in [`Mode::Report`] would have been, and how often.
    pub fn denials(&self) -> Vec<(Denial, u64)> {
        self.denied().iter().map(|(denial, count)| (denial.clone(), *count)).collect()
    }

    /// What the functions' roles allow and no call has used since the cloud started, by function.
    pub fn unused(&self) -> Vec<Unused> {
        let state = self.state();
        let mut unused: Vec<_> = state
            .functions
            .iter()
            .filter_map(|(name, session)| Some(session.role.identity.as_ref()?.unused(name)))
            .flatten()
            .collect();
        unused.sort();
        unused.dedup();
        unused
    }

    fn role(&self, arn: &str, session: &str, name: &str, policies: Option<&RolePolicies>) -> Role {
        let role = arn.rsplit('/').next().unwrap_or(arn);
        Role {
            arn: arn.to_owned(),
            session_arn: format!("arn:aws:sts::{}:assumed-role/{role}/{session}", self.inner.account.id),
            name: name.to_owned(),
            identity: policies.map(|it| Identity::new(it.policies.clone(), it.boundary.clone())),
        }
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.inner.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn denied(&self) -> MutexGuard<'_, BTreeMap<Denial, u64>> {
        self.inner.denials.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Iam {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iam").field("mode", &self.mode()).finish_non_exhaustive()
    }
}
