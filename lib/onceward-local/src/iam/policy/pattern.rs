//! The texts of a policy: with the wildcards `*` and `?`, and with policy variables.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>

use std::borrow::Cow;

use super::PolicyError;
use crate::iam::context::{Context, is_known};

/// Parts of an ARN: `arn:partition:service:region:account:resource`. The last may hold colons of its own.
const ARN_PARTS: usize = 6;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Char(char),
    /// `?`
    One,
    /// `*`
    Many,
    /// `${key}` or `${key, 'default'}`.
    Variable {
        key: String,
        default: Option<String>,
    },
}

/// A text with wildcards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    /// As it was written.
    pub(crate) text: String,
    tokens: Vec<Token>,
    variable: bool,
}

impl Pattern {
    /// Reads `text`. Variables are only known to policies of version `2012-10-17`: elsewhere `${` is text.
    pub(super) fn parse(text: &str, variables: bool) -> Result<Self, PolicyError> {
        let mut tokens = Vec::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if variables && let Some(after) = rest.strip_prefix("${") {
                let (inside, tail) = after.split_once('}').ok_or_else(|| PolicyError::variable(text))?;
                tokens.push(variable(inside).ok_or_else(|| PolicyError::variable(text))?);
                rest = tail;
                continue;
            }
            tokens.push(match c {
                '*' => Token::Many,
                '?' => Token::One,
                c => Token::Char(c),
            });
            rest = &rest[c.len_utf8()..];
        }
        let variable = tokens.iter().any(|token| matches!(token, Token::Variable { .. }));
        Ok(Self { text: text.to_owned(), tokens, variable })
    }

    /// The same in lower case, for what is compared without case.
    pub(super) fn lowercase(mut self) -> Self {
        for token in &mut self.tokens {
            if let Token::Char(c) = token {
                *c = c.to_ascii_lowercase();
            }
        }
        self
    }

    /// Whether it is `*` alone.
    pub(crate) fn is_everything(&self) -> bool {
        self.tokens == [Token::Many]
    }

    /// Whether `value` is what the text says, wildcards included.
    pub(crate) fn matches(&self, value: &str, context: &Context<'_>) -> bool {
        self.resolved(context).is_some_and(|tokens| glob(&tokens, value))
    }

    /// Whether `value` is the text, in which wildcards are ordinary characters.
    pub(super) fn equals(&self, value: &str, ignore_case: bool, context: &Context<'_>) -> bool {
        let Some(tokens) = self.resolved(context) else { return false };
        let plain = tokens.iter().map(|token| match token {
            Token::Char(c) => *c,
            Token::One => '?',
            _ => '*',
        });
        if ignore_case {
            plain.flat_map(char::to_lowercase).eq(value.chars().flat_map(char::to_lowercase))
        } else {
            plain.eq(value.chars())
        }
    }

    /// Whether the ARN `value` is one the text names: part by part, so that a `*` does not reach over a colon into the
    /// next part. <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html>
    pub(crate) fn matches_arn(&self, value: &str, context: &Context<'_>) -> bool {
        if self.is_everything() {
            return true;
        }
        let Some(tokens) = self.resolved(context) else { return false };
        let mut patterns = tokens.splitn(ARN_PARTS, |token| *token == Token::Char(':'));
        let mut parts = value.splitn(ARN_PARTS, ':');
        loop {
            match (patterns.next(), parts.next()) {
                (None, None) => return true,
                // Parts that are not written stand for all.
                (None, Some(_)) => return value.contains(':'),
                (Some(pattern), Some(part)) if glob(pattern, part) => {}
                _ => return false,
            }
        }
    }

    /// Without variables; `None` if one has no value, and then nothing matches.
    fn resolved(&self, context: &Context<'_>) -> Option<Cow<'_, [Token]>> {
        if !self.variable {
            return Some(Cow::Borrowed(&self.tokens));
        }
        let mut tokens = Vec::with_capacity(self.tokens.len());
        for token in &self.tokens {
            match token {
                Token::Variable { key, default } => {
                    let values = context.values(key);
                    let value =
                        values.as_deref().and_then(|values| values.first().cloned()).or_else(|| default.clone());
                    tokens.extend(value?.chars().map(Token::Char));
                }
                token => tokens.push(token.clone()),
            }
        }
        Some(Cow::Owned(tokens))
    }
}

/// `${*}`, `${?}` and `${$}` are the characters themselves; anything else must be a key the local cloud has.
fn variable(inside: &str) -> Option<Token> {
    if let "*" | "?" | "$" = inside {
        return inside.chars().next().map(Token::Char);
    }
    let (key, default) = match inside.split_once(',') {
        Some((key, default)) => (key.trim(), Some(default.trim().strip_prefix('\'')?.strip_suffix('\'')?.to_owned())),
        None => (inside.trim(), None),
    };
    let key = key.to_ascii_lowercase();
    is_known(&key).then_some(Token::Variable { key, default })
}

/// The usual two-pointer search: on a mismatch, the last `*` takes one character more.
fn glob(pattern: &[Token], value: &str) -> bool {
    let mut rest = value.chars();
    let mut at = 0;
    let mut star: Option<(usize, std::str::Chars<'_>)> = None;
    loop {
        let mut after = rest.clone();
        match (pattern.get(at), after.next()) {
            (Some(Token::Many), _) => {
                star = Some((at, rest.clone()));
                at += 1;
            }
            (Some(Token::One), Some(_)) => {
                rest = after;
                at += 1;
            }
            (Some(Token::Char(expected)), Some(found)) if *expected == found => {
                rest = after;
                at += 1;
            }
            (None, None) => return true,
            _ => {
                let Some((place, mut taken)) = star.take() else { return false };
                if taken.next().is_none() {
                    return false;
                }
                rest = taken.clone();
                star = Some((place, taken));
                at = place + 1;
            }
        }
    }
}
