//! A check that is made again when something was saved, and then tells what is new.

use std::path::{Path, PathBuf};

use super::finding::Finding;
use super::subject::{Said, Subject};
use super::{CheckError, ask, findings, report, rules, shown, workspaces};
use crate::account::Account;
use crate::template::Stack;

/// What was found of a template and its functions, as they are now.
#[derive(Debug)]
pub(crate) struct Checked {
    template: PathBuf,
    account: Account,
    said: Said,
    findings: Vec<Finding>,
}

impl Checked {
    /// Asks every function of the stack, and holds all to each other.
    pub(crate) async fn first(
        template: &Path,
        account: &Account,
        stack: &Stack,
        binaries: &Path,
    ) -> Result<Self, CheckError> {
        let said = ask(stack, binaries, |_| true).await?;
        let mut checked =
            Self { template: shown(template).to_owned(), account: account.clone(), said, findings: Vec::new() };
        checked.hold(stack).await?;
        Ok(checked)
    }

    /// The same of `stack` as it is now, where only the functions named `replaced` have to be asked anew. Answers what
    /// was not found before.
    pub(crate) async fn again(
        &mut self,
        stack: &Stack,
        binaries: &Path,
        replaced: &[String],
    ) -> Result<Vec<Finding>, CheckError> {
        self.said.extend(ask(stack, binaries, |function| replaced.contains(&function.name)).await?);
        let before = std::mem::take(&mut self.findings);
        self.hold(stack).await?;
        // A line that has moved is nothing new.
        let known = |finding: &Finding| {
            let same = |other: &Finding| {
                (other.rule, &other.resource, &other.message) == (finding.rule, &finding.resource, &finding.message)
            };
            before.iter().any(same)
        };
        Ok(self.findings.iter().filter(|finding| !known(finding)).cloned().collect())
    }

    async fn hold(&mut self, stack: &Stack) -> Result<(), CheckError> {
        let workspaces = workspaces(stack).await?;
        let subject = Subject { stack, account: &self.account, said: self.said.clone(), workspaces };
        self.findings = findings(&subject);
        Ok(())
    }

    /// Everything that makes a check fail.
    pub(crate) fn failing(&self) -> Vec<Finding> {
        self.findings.iter().filter(|finding| finding.fails()).cloned().collect()
    }

    /// Functions that would swallow each other's events.
    pub(crate) fn of_one_name(&self) -> Vec<Finding> {
        self.findings.iter().filter(|finding| finding.rule == rules::ONE_NAME).cloned().collect()
    }

    /// One line for each of `findings`, for people.
    pub(crate) fn lines(&self, findings: &[Finding]) -> String {
        report::lines(&self.template, findings)
    }

    /// The same for programs.
    pub(crate) fn document(&self, findings: &[Finding]) -> serde_json::Value {
        report::json(&self.template, self.said.len(), findings)
    }
}
