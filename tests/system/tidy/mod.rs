//! What a reviewer would otherwise have to say.
//!
//! Each rule is a pure function over the repository's files. Its test first shows it offenders that it must find and
//! neighbours that it must leave alone, then the repository, of which it must have looked at enough: a rule that looks
//! at nothing, or finds nothing, fails.

mod rules;

use std::{fs, path::Path, process::Command};

use libtest_mimic::Trial;

use self::rules::{File, Report};
use crate::{system::ROOT, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("tidy::files_are_small", files_are_small),
        trial("tidy::every_binary_is_in_the_template_and_back", every_binary_is_in_the_template_and_back),
        trial("tidy::relative_links_lead_somewhere", relative_links_lead_somewhere),
        trial("tidy::only_the_adapters_know_aws", only_the_adapters_know_aws),
        trial("tidy::the_core_reads_no_clock", the_core_reads_no_clock),
        trial("tidy::one_library_does_tls", one_library_does_tls),
    ]
}

type Rule = fn(&[File]) -> Report;

/// The files of this repository, as git knows them: nothing that was built.
fn repository() -> Vec<File> {
    let git = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(ROOT)
        .output()
        .expect("git is there: the tests run in a clone");
    let listing = String::from_utf8(git.stdout).expect("UTF-8 names");
    let read = |path: &str| {
        // A file may be gone and git not told yet; what is no text is of no interest but for its name.
        let bytes = fs::read(Path::new(ROOT).join(path)).ok()?;
        Some(File { path: path.to_owned(), text: String::from_utf8(bytes).unwrap_or_default() })
    };
    listing.lines().filter_map(read).collect()
}

/// The rule finds each of the `planted` files alone and none of the `innocent` ones, and nothing in this repository, of
/// which it looks at more than `looked_at_min` things.
fn holds(rule: Rule, planted: &[File], innocent: &[File], looked_at_min: usize) {
    for file in planted {
        let report = rule(std::slice::from_ref(file));
        let [found] = &report.offenders[..] else { panic!("not found once: {file:?}: {report:?}") };
        assert!(found.contains(&file.path), "{found}");
    }
    let report = rule(innocent);
    assert_eq!(report.offenders, [""; 0], "innocent");
    let report = rule(&repository());
    assert!(report.offenders.is_empty(), "{}", report.offenders.join("\n"));
    assert!(report.looked_at > looked_at_min, "it looked at {} only", report.looked_at);
}

fn file(path: &str, text: &str) -> File {
    File { path: path.to_owned(), text: text.to_owned() }
}

fn files_are_small() {
    let long = |lines: usize| "x\n".repeat(lines);
    holds(
        rules::files_are_small,
        &[file("lib/a.rs", &long(401)), file("a.py", &long(401)), file("b/c.sh", &long(1_000))],
        &[file("lib/a.rs", &long(400)), file("template.yaml", &long(2_000))],
        500,
    );
}

/// Invariant 1: the core and the handlers' own crates name no AWS crate.
fn only_the_adapters_know_aws() {
    let manifest = |text: &str| file("functions/orders/Cargo.toml", text);
    holds(
        rules::only_the_adapters_know_aws,
        &[
            manifest("[dependencies]\naws-sdk-sqs = \"1\"\n"),
            manifest("[dependencies]\naws_lambda_events.workspace = true\n"),
            manifest("[dependencies.aws-sdk-sqs]\nversion = \"1\"\n"),
            manifest("[target.'cfg(unix)'.dependencies.lambda_runtime]\nworkspace = true\n"),
            manifest("[dependencies]\n  dynoxide-rs = \"3\"\n"),
            manifest("[dependencies]\nqueue = { package = \"aws-sdk-sqs\", version = \"1\" }\n"),
            manifest("[dev-dependencies]\n\"aws-config\" = \"1\"\n"),
            file("lib/onceward/Cargo.toml", "[dependencies]\nlambda_http = \"1\"\n"),
            file("docs/guide/tests/Cargo.toml", "[dependencies]\naws-config = \"1\"\n"),
        ],
        &[
            manifest(
                "# aws-sdk-sqs is the adapter's\n[dependencies]\nonceward-aws.workspace = true # not aws-config\n",
            ),
            file("Cargo.toml", "[workspace.dependencies]\naws-config = \"1\"\n"),
            file("lib/onceward-aws/Cargo.toml", "[dependencies]\naws-config = \"1\"\n"),
            file("lib/onceward-local/Cargo.toml", "[dependencies]\naws-sigv4 = \"1\"\n"),
            file("tests/Cargo.toml", "[dependencies]\nlambda_runtime = \"1\"\n"),
        ],
        8,
    );
}

/// Invariant 3: a seed replays a whole run.
fn the_core_reads_no_clock() {
    let core = |text: &str| file("lib/onceward/src/batch/mod.rs", text);
    holds(
        rules::the_core_reads_no_clock,
        &[
            core("let now = Utc::now();"),
            core("    let now = chrono::Local::now();"),
            core("use std::time::SystemTime;"),
            core("use std::time::{Duration, Instant};"),
            core("let region = std::env::var(\"AWS_REGION\");"),
            core("use std::{env, fmt};\nlet region = env::var(\"AWS_REGION\");"),
            core("let id = rand::random::<u64>();"),
            core("let id = Uuid::new_v4();"),
            core("tokio::time::sleep(delay).await;"),
            core("std::thread::sleep(delay);"),
            core("let state = std::hash::RandomState::new();"),
            file("lib/onceward/src/testsuite.rs", "let now = Utc::now();"),
            core("#[cfg(test)]\nmod tests;\n\nlet now = Utc::now();"),
        ],
        &[
            core("let now = ports.clock.now();\n// Utc::now() is the adapter's\nlet environment = Environment::new();"),
            core(
                "/// An instant, not a duration.\nfn f() {}\n\n#[cfg(test)]\nmod tests {\n    use tokio::time::Instant;\n}\n",
            ),
            file("lib/onceward/src/batch/tests/clock.rs", "let now = Utc::now();"),
            file("lib/onceward/src/command/tests.rs", "tokio::task::yield_now().await;"),
            file("lib/onceward/src/fixture/mod.rs", "tokio::time::timeout(max, handling).await"),
            file("lib/onceward-aws/src/lib.rs", "let now = Utc::now();"),
            file("functions/orders/src/lib.rs", "let now = Utc::now();"),
        ],
        40,
    );
}

fn every_binary_is_in_the_template_and_back() {
    let template = |path: &str, name: &str| file(path, &format!("    Metadata: {{Binary: {name}}}\n"));
    holds(
        rules::every_binary_is_in_the_template_and_back,
        &[
            template("template.yaml", "place-order"),
            template("docs/guide/points/template.yaml", "grant-points"),
            file("functions/orders/src/bin/place-order.rs", "fn main() {}"),
            file("docs/guide/points/src/bin/grant-points.rs", "fn main() {}"),
        ],
        &[
            template("template.yaml", "place-order"),
            file("functions/orders/src/bin/place-order.rs", "fn main() {}"),
            file("functions/orders/src/place_order.rs", "fn handler() {}"),
            file("lib/onceward-local/src/bin/onceward.rs", "fn main() {}"),
        ],
        13,
    );
}

fn relative_links_lead_somewhere() {
    holds(
        rules::relative_links_lead_somewhere,
        &[
            file("docs/a.md", "see [b](b.md)"),
            file("README.md", "see [the docs](doc)"),
            file("docs/b.md", "[out](../../README.md) of the repository"),
            file("docs/c.md", "a [part](d.md#part)"),
        ],
        &[
            file(
                "docs/a.md",
                "[b](b.md), [b](./b.md#part), [here](#here), [all](../docs), [AWS](https://aws.amazon.com)",
            ),
            file("docs/b.md", "[mail](mailto:a@example.com) [up](../README.md) [same](../docs/a.md)"),
            file("README.md", "[docs](docs/) [a](docs/a.md)"),
        ],
        100,
    );
}

/// Decision 0009: a second TLS provider doubles a function's binary, and aws-lc slows its cold start.
fn one_library_does_tls() {
    let lock = |names: &[&str]| {
        let packages = names.iter().map(|name| format!("[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\n\n"));
        file("Cargo.lock", &packages.collect::<String>())
    };
    holds(
        rules::one_library_does_tls,
        &[lock(&["ring", "openssl-sys"]), lock(&["aws-lc-rs", "ring"]), lock(&["serde"]), lock(&["native-tls"])],
        &[lock(&["ring", "rustls", "openssl-probe"])],
        200,
    );
}
