//! What a reviewer would otherwise have to say.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use libtest_mimic::Trial;

use crate::{system::ROOT, trial};

/// Clippy holds the limit for functions: `too-many-lines-threshold` in clippy.toml.
const FILE_LINES_MAX: usize = 400;

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

/// The files of this repository, as git knows them: nothing that was built.
fn files(endings: &[&str]) -> Vec<PathBuf> {
    let git = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(ROOT)
        .output()
        .expect("git is there: the tests run in a clone");
    let listing = String::from_utf8(git.stdout).expect("UTF-8 names");
    let files: Vec<_> = listing
        .lines()
        .filter(|name| endings.iter().any(|ending| name.ends_with(ending)))
        .map(|name| Path::new(ROOT).join(name))
        .filter(|path| path.exists())
        .collect();
    assert!(!files.is_empty(), "there are files ending in {endings:?}");
    files
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn files_are_small() {
    let lines = |path: &PathBuf| read(path).lines().count();
    let large: Vec<_> = files(&[".rs", ".py", ".sh"]).into_iter().filter(|path| lines(path) > FILE_LINES_MAX).collect();
    assert!(large.is_empty(), "over {FILE_LINES_MAX} lines: {large:?}");
}

fn every_binary_is_in_the_template_and_back() {
    for (template, folder) in [("template.yaml", "functions"), ("docs/guide/points/template.yaml", "docs/guide/points")]
    {
        let template = read(&Path::new(ROOT).join(template));
        let declared = template.lines().filter_map(|line| line.split_once("Binary: "));
        let name = |text: &str| text.chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect::<String>();
        let declared: BTreeSet<_> = declared.map(|(_, rest)| name(rest)).collect();
        let binaries = files(&[".rs"]).into_iter().filter(|path| path.starts_with(Path::new(ROOT).join(folder)));
        let binaries = binaries.filter(|path| path.parent().is_some_and(|dir| dir.ends_with("src/bin")));
        let built: BTreeSet<_> = binaries.filter_map(|path| path.file_stem()?.to_str().map(str::to_owned)).collect();
        assert_eq!(declared, built, "{folder}");
    }
}

fn relative_links_lead_somewhere() {
    for page in files(&[".md"]) {
        let text = read(&page);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let path = page.parent().expect("a file has a folder").join(target);
            assert!(path.exists(), "{}: {link} leads nowhere", page.display());
        }
    }
}

/// Invariant 1: the core and the handlers' own crates name no AWS crate.
fn only_the_adapters_know_aws() {
    for manifest in files(&["Cargo.toml"]) {
        let allowed = ["lib/onceward-aws", "lib/onceward-local", "tests"];
        let folder = manifest.parent().expect("a folder");
        if folder == Path::new(ROOT) || allowed.iter().any(|allowed| folder.ends_with(allowed)) {
            continue;
        }
        let text = read(&manifest);
        let offender = text
            .lines()
            .find(|line| ["aws-", "aws_", "lambda_runtime", "dynoxide"].iter().any(|prefix| line.starts_with(prefix)));
        assert_eq!(offender, None, "{}", manifest.display());
    }
}

/// Invariant 3: a seed replays a whole run.
fn the_core_reads_no_clock() {
    let words = ["Utc::now", "SystemTime::now", "Instant::now", "rand::", "std::env", "tokio::"];
    for path in files(&[".rs"]) {
        let name = path.display().to_string();
        if !name.contains("/lib/onceward/src/") || name.contains("tests") {
            continue;
        }
        let text = read(&path);
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let offender = code.clone().find(|line| words.iter().any(|word| line.contains(word)));
        assert_eq!(offender, None, "{name}");
    }
}

/// Decision 0009: a second TLS provider doubles a function's binary, and aws-lc slows its cold start.
fn one_library_does_tls() {
    let lock = read(&Path::new(ROOT).join("Cargo.lock"));
    let providers = ["aws-lc-rs", "aws-lc-sys", "native-tls", "openssl-sys", "ring", "s2n-tls"];
    let locked = |name: &&str| lock.lines().any(|line| line == format!("name = \"{name}\""));
    assert_eq!(providers.iter().filter(|name| locked(name)).collect::<Vec<_>>(), [&"ring"]);
}
