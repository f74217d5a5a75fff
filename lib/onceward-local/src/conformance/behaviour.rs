//! One documented behaviour, and how it is asked of a cloud.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use super::session::Session;

/// Why a cloud does not keep a behaviour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// It does something else: what was seen.
    Differs(String),
    /// It says by name that it does not have this: what it said.
    Refused(String),
}

/// What a check finds.
pub(super) type Outcome = Result<(), Finding>;

type Check = Box<dyn Fn(Session) -> Pin<Box<dyn Future<Output = Outcome>>> + Send + Sync>;

/// Something that AWS documents and a cloud keeps or does not.
pub struct Behaviour {
    /// The service: `SQS`.
    pub service: &'static str,
    /// Its name within the service, in kebab-case.
    pub id: &'static str,
    /// What AWS does, in one sentence.
    pub statement: &'static str,
    /// The page of AWS's documentation that says so.
    pub page: String,
    check: Check,
}

impl Behaviour {
    /// Asks the session's cloud.
    pub(super) async fn check(&self, session: Session) -> Outcome {
        (self.check)(session).await
    }

    /// `SQS/fifo-order`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.service, self.id)
    }
}

impl fmt::Debug for Behaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Behaviour").field("service", &self.service).field("id", &self.id).finish_non_exhaustive()
    }
}

/// The behaviours of one service, as they are written down.
pub(super) struct List {
    service: &'static str,
    guide: &'static str,
    behaviours: Vec<Behaviour>,
}

impl List {
    /// An empty list for `service`, whose pages are below `guide`.
    pub(super) fn new(service: &'static str, guide: &'static str) -> Self {
        Self { service, guide, behaviours: Vec::new() }
    }

    /// One more: its id, what AWS does, the page that says so (below the guide, or a whole URL) and how to see it.
    pub(super) fn add<F>(
        mut self,
        id: &'static str,
        statement: &'static str,
        page: &'static str,
        check: fn(Session) -> F,
    ) -> Self
    where
        F: Future<Output = Outcome> + 'static,
    {
        let page = if page.starts_with("https://") { page.to_owned() } else { format!("{}{page}", self.guide) };
        let check: Check = Box::new(move |session| Box::pin(check(session)));
        self.behaviours.push(Behaviour { service: self.service, id, statement, page, check });
        self
    }

    pub(super) fn done(self) -> Vec<Behaviour> {
        self.behaviours
    }
}

/// `seen` must be what is documented.
#[expect(clippy::needless_pass_by_value, reason = "values and references are compared alike")]
pub(super) fn same<A, B>(what: &str, seen: A, documented: B) -> Outcome
where
    A: PartialEq<B> + fmt::Debug,
    B: fmt::Debug,
{
    if seen == documented {
        return Ok(());
    }
    Err(Finding::Differs(format!("{what}: {seen:?}, not {documented:?}")))
}

/// `condition` must hold; `seen` says what is there instead.
pub(super) fn holds(condition: bool, seen: impl fmt::Display) -> Outcome {
    if condition { Ok(()) } else { Err(Finding::Differs(seen.to_string())) }
}
