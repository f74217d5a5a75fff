//! The rules, as functions of what is looked at.

use std::collections::BTreeSet;

/// Clippy holds the limit for functions: `too-many-lines-threshold` in clippy.toml.
const FILE_LINES_MAX: usize = 400;

/// Packages that may name AWS's crates, and the workspace's manifest, which says their versions.
const KNOW_AWS: [&str; 4] =
    ["Cargo.toml", "lib/onceward-aws/Cargo.toml", "lib/onceward-local/Cargo.toml", "tests/Cargo.toml"];

/// What the names of crates that know AWS begin with.
const AWS: [&str; 5] = ["aws-", "aws_", "lambda_", "lambda-", "dynoxide"];

/// Where the core is.
const CORE: &str = "lib/onceward/src/";

/// What reads time, randomness or the environment; `tokio::` stands for its clock.
const IMPURE: [&str; 13] = [
    "Utc::now",
    "Local::now",
    "SystemTime",
    "Instant",
    "env::",
    "rand::",
    "getrandom",
    "fastrand",
    "new_v4",
    "now_v7",
    "RandomState",
    "thread::sleep",
    "tokio::",
];

/// A file of the repository, by its path from there.
#[derive(Debug)]
pub(super) struct File {
    pub(super) path: String,
    /// Empty if it is no text.
    pub(super) text: String,
}

/// What a rule has seen.
#[derive(Debug)]
pub(super) struct Report {
    /// How many things it has judged.
    pub(super) looked_at: usize,
    /// Which of them break it, with their files, and how.
    pub(super) offenders: Vec<String>,
}

impl Report {
    /// Of these files, those of which `offence` says something.
    fn of<'a>(files: impl Iterator<Item = &'a File>, offence: impl Fn(&File) -> Option<String>) -> Self {
        let seen: Vec<_> = files.map(|file| offence(file).map(|offence| format!("{}: {offence}", file.path))).collect();
        Self { looked_at: seen.len(), offenders: seen.into_iter().flatten().collect() }
    }
}

/// Whether a file's name is `name`, or ends in it after a dot.
fn ends_in(file: &File, endings: &[&str]) -> bool {
    let name = file.path.rsplit('/').next().unwrap_or(&file.path);
    endings.iter().any(|ending| name == *ending || name.rsplit_once('.').is_some_and(|(_, last)| last == *ending))
}

pub(super) fn files_are_small(files: &[File]) -> Report {
    let code = files.iter().filter(|file| ends_in(file, &["rs", "py", "sh"]));
    Report::of(code, |file| {
        let lines = file.text.lines().count();
        (lines > FILE_LINES_MAX).then(|| format!("{lines} lines, at most {FILE_LINES_MAX}"))
    })
}

/// A dependency may be a key, part of a header, or a `package` under another name: any word counts.
pub(super) fn only_the_adapters_know_aws(files: &[File]) -> Report {
    let manifests =
        files.iter().filter(|file| ends_in(file, &["Cargo.toml"]) && !KNOW_AWS.contains(&file.path.as_str()));
    let word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    Report::of(manifests, |manifest| {
        let code = manifest.text.lines().map(|line| line.split('#').next().unwrap_or_default());
        let mut words = code.flat_map(|line| line.split(move |c| !word(c)));
        let offender = words.find(|word| AWS.iter().any(|prefix| word.starts_with(prefix)));
        offender.map(|offender| format!("names {offender}"))
    })
}

pub(super) fn the_core_reads_no_clock(files: &[File]) -> Report {
    let is_test = |path: &str| path.split('/').any(|part| ["tests", "tests.rs", "fixture"].contains(&part));
    let core = files.iter().filter(|file| {
        let inner = file.path.strip_prefix(CORE);
        inner.is_some_and(|inner| ends_in(file, &["rs"]) && !is_test(inner))
    });
    Report::of(core, |file| {
        // A test module at the end of a file is no part of the core.
        let text = file.text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let mut lines = text.lines().map(str::trim).filter(|line| !line.starts_with("//"));
        lines.find(|line| IMPURE.iter().any(|word| line.contains(word))).map(str::to_owned)
    })
}

/// In the reference system and in the guide's.
pub(super) fn every_binary_is_in_the_template_and_back(files: &[File]) -> Report {
    let mut report = Report { looked_at: 0, offenders: Vec::new() };
    for (template, folder) in
        [("template.yaml", "functions/"), ("docs/guide/points/template.yaml", "docs/guide/points/")]
    {
        let text = files.iter().find(|file| file.path == template).map_or("", |file| &file.text);
        let declared = text.lines().filter_map(|line| line.split_once("Binary: "));
        let name = |text: &str| text.chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect::<String>();
        let declared: BTreeSet<_> = declared.map(|(_, rest)| name(rest)).collect();
        let binaries = files.iter().filter_map(|file| {
            let (crate_path, binary) = file.path.strip_prefix(folder)?.rsplit_once("src/bin/")?;
            let binary = binary.strip_suffix(".rs").filter(|binary| !binary.contains('/'))?;
            Some((binary.to_owned(), format!("{folder}{crate_path}src/bin/{binary}.rs")))
        });
        let built: Vec<_> = binaries.collect();
        report.looked_at += built.len();
        let missing = built.iter().filter(|(name, _)| !declared.contains(name));
        report.offenders.extend(missing.map(|(_, path)| format!("{path} is not in {template}")));
        let unbuilt = declared.iter().filter(|name| built.iter().all(|(built, _)| built != *name));
        report.offenders.extend(unbuilt.map(|name| format!("{template} declares {name}, which is not in {folder}")));
    }
    report
}

pub(super) fn relative_links_lead_somewhere(files: &[File]) -> Report {
    let mut places = BTreeSet::from([String::new()]);
    for file in files {
        let parts: Vec<_> = file.path.split('/').collect();
        places.extend((1..=parts.len()).map(|count| parts[..count].join("/")));
    }
    let mut report = Report { looked_at: 0, offenders: Vec::new() };
    for page in files.iter().filter(|file| ends_in(file, &["md"])) {
        for link in page.text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            report.looked_at += 1;
            let place = resolved(&page.path, target);
            if !place.is_some_and(|place| places.contains(&place)) {
                report.offenders.push(format!("{}: {link} leads nowhere", page.path));
            }
        }
    }
    report
}

/// Where a link of a page leads; none if that is out of the repository.
fn resolved(page: &str, target: &str) -> Option<String> {
    let folder = page.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut place: Vec<_> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(place.pop()?),
            part => place.push(part),
        }
    }
    Some(place.join("/"))
}

pub(super) fn one_library_does_tls(files: &[File]) -> Report {
    let providers = ["aws-lc-rs", "aws-lc-sys", "native-tls", "openssl-sys", "ring", "s2n-tls"];
    let mut report = Report { looked_at: 0, offenders: Vec::new() };
    for lock in files.iter().filter(|file| file.path == "Cargo.lock") {
        let names = lock.text.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
        let names: BTreeSet<_> = names.collect();
        report.looked_at += names.len();
        let locked: Vec<_> = providers.into_iter().filter(|provider| names.contains(provider)).collect();
        if locked != ["ring"] {
            report.offenders.push(format!("{}: TLS by {locked:?}, not by ring alone", lock.path));
        }
    }
    report
}
