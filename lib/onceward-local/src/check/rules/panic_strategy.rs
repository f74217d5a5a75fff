//! A panic of one record's handler is one record's failure, if the process lives on: cargo-lambda builds with
//! `panic = "abort"` unless the manifest says otherwise, and an abort ends the whole batch.
//! <https://doc.rust-lang.org/cargo/reference/profiles.html#panic>

use super::Rule;
use crate::check::finding::Finding;
use crate::check::profile;
use crate::check::subject::Subject;
use crate::template::Build;

pub(super) const RULE: Rule = Rule { id: "panic-strategy", check };

fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for workspace in &subject.workspaces {
        let mut seen: Vec<&str> = Vec::new();
        for (function, _) in
            subject.described().filter(|(function, _)| workspace.functions.contains(&function.logical_id))
        {
            let Build::CargoLambda { .. } = function.build else { continue };
            let profile = function.profile.as_str();
            if seen.contains(&profile) {
                continue;
            }
            seen.push(profile);
            let (line, message) = match profile::panic(&workspace.text, profile) {
                Ok(profile::Panic { strategy: Some(strategy), .. }) if strategy == "unwind" => continue,
                Ok(profile::Panic { strategy: Some(strategy), line }) => (
                    line,
                    format!(
                        "the profile `{profile}` has `panic = \"{strategy}\"`: a handler that panics ends its whole batch"
                    ),
                ),
                Ok(profile::Panic { strategy: None, line }) => (
                    line,
                    format!(
                        "the profile `{profile}` does not say what a panic does, and cargo-lambda then builds with \
                         `panic = \"abort\"`: a handler that panics ends its whole batch"
                    ),
                ),
                Err(error) => (1, format!("it is not read: {error}")),
            };
            let help = format!("write `panic = \"unwind\"` in `[profile.{profile}]`");
            let found = Finding::error((&function.logical_id, line), message, help);
            findings.push(Finding { file: Some(workspace.manifest.clone()), ..found });
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use crate::check::profile::Workspace;
    use crate::check::tests::Case;

    /// Two of the team's functions are built from a workspace with this manifest.
    fn case(manifest: &str) -> Case {
        let mut case = Case::team();
        for function in ["issue-invoice", "send-invoice"] {
            let name = format!("      FunctionName: !Sub ${{Team}}-{function}\n");
            let built = "    Metadata: {BuildMethod: rust-cargolambda, BuildProperties: {Binary: b}} # ";
            let properties = format!("    Properties:\n{name}");
            case = case.edit(&properties, &format!("{built}{function}\n{properties}"));
        }
        let functions = ["IssueInvoice", "SendInvoice"].map(str::to_owned).to_vec();
        case.built_from(Workspace { manifest: "Cargo.toml".into(), text: manifest.to_owned(), functions })
    }

    #[test]
    fn a_release_unwinds_and_says_so() {
        let found = |manifest: &str| case(manifest).found();
        assert_eq!(found("[profile.release]\npanic = \"unwind\"\n"), [""; 0]);
        assert_eq!(found("[workspace]\n"), ["error panic-strategy Cargo.toml:1"]);
        assert_eq!(found("\n[profile.release]\nlto = true\n"), ["error panic-strategy Cargo.toml:2"]);
        assert_eq!(found("[profile.release]\nlto = true\npanic = \"abort\"\n"), ["error panic-strategy Cargo.toml:3"]);
    }

    #[test]
    fn the_profile_that_a_function_is_built_with_counts() {
        let small = |manifest: &str| {
            let own = "BuildProperties: {Binary: b, Profile: small}} # send-invoice";
            case(manifest).edit("BuildProperties: {Binary: b}} # send-invoice", own)
        };
        let release = "[profile.release]\npanic = \"unwind\"\n";
        assert_eq!(small(&format!("{release}[profile.small]\ninherits = \"release\"\n")).found(), [""; 0]);
        assert_eq!(small(release).found(), ["error panic-strategy Cargo.toml:1"]);
        let text = small(release).text();
        assert!(text.contains("write `panic = \"unwind\"` in `[profile.small]`"), "{text}");
    }
}
