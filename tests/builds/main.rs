//! The function of the test with two builds: this file is compiled with the libraries as they are, and with those of an
//! earlier commit. It uses only what both have.

use std::process::ExitCode;

use onceward::{Command, Context, Entity, Event, Function, HandlerResult, Key, UnitOfWork, Update, all};
use serde::{Deserialize, Serialize};

/// Which function this process is; all of a kind have one name, whichever build they are of.
const KIND: &str = "KIND";

/// Something that must count once.
#[derive(Debug, Serialize, Deserialize)]
struct Ticked {
    /// What it counts for.
    tick: String,
}

impl Event for Ticked {
    const TYPE: &'static str = "clock.ticked";

    fn subject(&self) -> String {
        self.tick.clone()
    }
}

/// How often it has counted.
#[derive(Debug, Serialize, Deserialize)]
struct Count {
    tick: String,
    count: u32,
}

impl Entity for Count {
    const TABLE: &'static str = "counts";

    fn key(&self) -> Key {
        Key::new("tick", &self.tick)
    }
}

async fn count(ticked: Ticked, context: Context) -> HandlerResult {
    let key = Key::new("tick", &ticked.tick);
    let unit = UnitOfWork::new().update::<Count>(key, Update::new().add("count", 1), all([]));
    Ok(unit.answer(&context.new_id("count")))
}

fn main() -> ExitCode {
    match std::env::var(KIND).as_deref() {
        Ok("transactional") => onceward_aws::run(Function::new("transactional").on(count)),
        Ok("guarded") => onceward_aws::run(Function::new("guarded").guarded().on(count)),
        Ok("grouped") => onceward_aws::run(Function::new("grouped").commits_grouped(10).on(count)),
        Ok("command") => onceward_aws::run(Command::new("command", count)),
        kind => {
            eprintln!("{KIND} is {kind:?}: one of transactional, guarded, grouped, command");
            ExitCode::FAILURE
        }
    }
}
