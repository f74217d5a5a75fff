//! Filter patterns of plain terms.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html>

use super::error::LogsError;

/// Which lines are wanted. Terms are compared with case.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Pattern {
    /// All of these.
    all: Vec<String>,
    /// If there are any: at least one of these.
    any: Vec<String>,
    /// None of these.
    none: Vec<String>,
}

impl Pattern {
    /// Reads `term "two words" -without ?either ?or`. Patterns for JSON, for columns and regular expressions are refused.
    pub(super) fn parse(text: &str) -> Result<Self, LogsError> {
        let mut pattern = Self::default();
        let mut rest = text.trim();
        if rest.starts_with(['{', '[', '%']) {
            let reason = format!(
                "the local cloud does not have filter patterns for JSON, columns or regular expressions: {rest}; use \
                 plain terms"
            );
            return Err(LogsError::InvalidParameter { reason });
        }
        while !rest.is_empty() {
            let (wanted, tail) = match rest.as_bytes()[0] {
                b'-' => (&mut pattern.none, &rest[1..]),
                b'?' => (&mut pattern.any, &rest[1..]),
                _ => (&mut pattern.all, rest),
            };
            let (term, tail) = term(tail)?;
            wanted.push(term.to_owned());
            rest = tail.trim_start();
        }
        Ok(pattern)
    }

    pub(super) fn matches(&self, message: &str) -> bool {
        let has = |term: &String| message.contains(term.as_str());
        self.all.iter().all(has) && (self.any.is_empty() || self.any.iter().any(has)) && !self.none.iter().any(has)
    }
}

/// The first term and what follows it.
fn term(text: &str) -> Result<(&str, &str), LogsError> {
    if let Some(quoted) = text.strip_prefix('"') {
        let reason =
            || LogsError::InvalidParameter { reason: format!("Invalid filter pattern: no closing quote in {text}") };
        return quoted.split_once('"').ok_or_else(reason);
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    Ok(text.split_at(end))
}
