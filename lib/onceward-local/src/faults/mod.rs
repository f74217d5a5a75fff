//! Faults on purpose: seeded, by service and operation.
//!
//! A [`Rule`] says which calls it matches and what happens to them. Each rule counts its matching calls, and the seed, the
//! rule's place in the list and that count decide alone whether a call is hit: with the same seed and rules, the *n*-th
//! matching call always fares the same, whatever else goes on.
//!
//! What happens on the way to a service (latency, refusals, lost requests and responses) happens to calls of the AWS
//! endpoint and the HTTP API; duplicates and reordering happen in the queues, the buses, the topics and Lambda's own queue of
//! events, so that event source mappings see them too; kills happen to the processes of functions.

mod batch;
mod call;
mod chance;
mod endpoint;
mod operation;
mod refusal;
mod rule;
mod spec;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub(crate) use self::call::Call;
use self::chance::Chance;
pub(crate) use self::endpoint::{dropped, routes};
pub(crate) use self::refusal::Asked;
pub use self::rule::{FaultError, Kind, Moment, Rule};

/// Rules at a time.
pub const RULES_MAX: usize = 100;
/// How many messages a reordered one may overtake: as many as one receive may ask for, less itself.
const OVERTAKEN_MAX: u64 = 9;

/// The faults of one cloud; none to begin with. Cloning gives another handle to the same ones.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Whether there are rules: almost always there are none, and then nothing is locked.
    on: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    seed: u64,
    rules: Vec<Counted>,
}

/// A rule and what it has done.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Counted {
    /// The rule.
    #[serde(flatten)]
    pub rule: Rule,
    /// Calls it matched.
    pub matched: u64,
    /// Calls it hit.
    pub injected: u64,
}

/// All rules, as `PUT /_onceward/faults` takes them.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Decides which calls are hit; a random one if it is left out.
    pub seed: Option<u64>,
    /// In order: of several that hit one call, latencies add up and the first other fault happens.
    pub rules: Vec<Rule>,
}

/// A fault that happens now.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fault {
    pub(crate) rule: Rule,
    pub(crate) chance: Chance,
}

/// How a function's process is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kill {
    pub(crate) at: Moment,
    /// After the invocation was handed over.
    pub(crate) after: Duration,
}

impl Faults {
    /// Replaces all rules, and begins to count anew. Answers the seed.
    pub fn set(&self, plan: Plan) -> Result<u64, FaultError> {
        if plan.rules.len() > RULES_MAX {
            return Err(FaultError::TooMany { rules: plan.rules.len() });
        }
        plan.rules.iter().try_for_each(Rule::check)?;
        let seed = plan.seed.unwrap_or_else(chance::random_seed);
        let mut state = self.lock();
        *state = State { seed, rules: plan.rules.into_iter().map(counted).collect() };
        self.shared.on.store(!state.rules.is_empty(), Ordering::Relaxed);
        Ok(seed)
    }

    /// Adds rules behind those that are there, which go on as they are. Answers the seed.
    pub fn add(&self, plan: Plan) -> Result<u64, FaultError> {
        plan.rules.iter().try_for_each(Rule::check)?;
        let mut state = self.lock();
        if state.rules.is_empty() {
            drop(state);
            return self.set(plan);
        }
        let rules = state.rules.len() + plan.rules.len();
        if rules > RULES_MAX {
            return Err(FaultError::TooMany { rules });
        }
        if plan.seed.is_some_and(|seed| seed != state.seed) {
            return Err(FaultError::Seeded { seed: state.seed });
        }
        state.rules.extend(plan.rules.into_iter().map(counted));
        Ok(state.seed)
    }

    /// The seed, and each rule with what it has done so far.
    pub fn counts(&self) -> (u64, Vec<Counted>) {
        let state = self.lock();
        (state.seed, state.rules.clone())
    }

    pub(crate) fn is_off(&self) -> bool {
        !self.shared.on.load(Ordering::Relaxed)
    }

    /// How many messages on `queue` a receive passes over, of those it could take first.
    pub(crate) fn overtaken(&self, queue: &str) -> usize {
        let call = Call::of("sqs", "ReceiveMessage").on([queue]);
        let fault = self.first(&call, |kind| kind == Kind::Reorder);
        fault.map_or(0, |fault| usize::try_from(1 + fault.chance.below(OVERTAKEN_MAX)).unwrap_or(1))
    }

    /// Whether a message that is received from `queue` is delivered a second time.
    pub(crate) fn received_twice(&self, queue: &str) -> bool {
        self.first(&Call::of("sqs", "ReceiveMessage").on([queue]), |kind| kind == Kind::Duplicate).is_some()
    }

    /// Whether a rule of `bus` delivers an event to `target` (an ARN) twice.
    pub(crate) fn delivered_twice(&self, bus: &str, target: &str) -> bool {
        self.first(&Call::of("events", "PutEvents").on([bus, target]), |kind| kind == Kind::Duplicate).is_some()
    }

    /// Whether a message of `topic` is delivered to `endpoint` (both ARNs) twice.
    pub(crate) fn notified_twice(&self, topic: &str, endpoint: &str) -> bool {
        self.first(&Call::of("sns", "Publish").on([topic, endpoint]), |kind| kind == Kind::Duplicate).is_some()
    }

    /// Whether an asynchronous invocation of `function` runs twice.
    pub(crate) fn invoked_twice(&self, function: &str) -> bool {
        self.first(&Call::of("lambda", "Invoke").on([function]), |kind| kind == Kind::Duplicate).is_some()
    }

    /// Whether, and how, the process is killed that is given an invocation of `function`.
    pub(crate) fn kill(&self, function: &str) -> Option<Kill> {
        let call = Call::of("lambda", "Invoke").on([function]);
        let Fault { rule, chance } = self.first(&call, |kind| kind == Kind::Kill)?;
        Some(Kill { at: rule.at.unwrap_or_default(), after: chance.around(rule.latency_ms, rule.jitter_ms) })
    }

    /// The first fault of such a kind that hits `call`. The rules after it do not see the call.
    fn first(&self, call: &Call<'_>, wanted: impl Fn(Kind) -> bool) -> Option<Fault> {
        if self.is_off() {
            return None;
        }
        let mut state = self.lock();
        let seed = state.seed;
        let mut rules = state.rules.iter_mut().enumerate().filter(|(_, counted)| wanted(counted.rule.kind));
        rules.find_map(|(place, counted)| counted.hit(call, Chance::new(seed, place, counted.matched)))
    }

    /// What happens to a call of the endpoint: how long it is held up, and the first other fault.
    fn on_the_way(&self, call: &Call<'_>) -> (Duration, Option<Fault>) {
        let mut delay = Duration::ZERO;
        let mut state = self.lock();
        let seed = state.seed;
        for (place, counted) in state.rules.iter_mut().enumerate() {
            if !counted.rule.kind.is_on_the_way() {
                continue;
            }
            match counted.hit(call, Chance::new(seed, place, counted.matched)) {
                Some(Fault { rule, chance }) if rule.kind == Kind::Latency => {
                    delay += chance.around(rule.latency_ms, rule.jitter_ms);
                }
                Some(fault) => return (delay, Some(fault)),
                None => {}
            }
        }
        (delay, None)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn counted(rule: Rule) -> Counted {
    Counted { rule, matched: 0, injected: 0 }
}

impl Counted {
    /// Counts `call`, and hits it if `chance` says so.
    fn hit(&mut self, call: &Call<'_>, chance: Chance) -> Option<Fault> {
        if !self.rule.matches(call) {
            return None;
        }
        self.matched += 1;
        if self.rule.limit.is_some_and(|limit| self.injected >= limit) || !chance.happens(self.rule.probability) {
            return None;
        }
        self.injected += 1;
        Some(Fault { rule: self.rule.clone(), chance })
    }
}
