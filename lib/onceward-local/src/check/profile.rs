//! The profiles that functions are built with for Lambda.

use std::path::PathBuf;

/// A Cargo workspace that functions are built from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Workspace {
    /// The manifest of its root.
    pub(crate) manifest: PathBuf,
    /// The manifest's text.
    pub(crate) text: String,
    /// Logical ids of the functions that are built from it.
    pub(crate) functions: Vec<String>,
}

/// What a profile says about panics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Panic {
    /// `unwind`, `abort`, or what else is written; none if nothing is.
    pub(crate) strategy: Option<String>,
    /// Line in the manifest: of what is written, else of the profile, else the first.
    pub(crate) line: usize,
}

/// Profiles that one may inherit from another through: more would be a circle, which cargo refuses.
const INHERITED_MAX: usize = 16;

/// What `profile` says about panics in the manifest `text`, by itself or by the profiles it inherits from; the reason, if
/// the manifest is not TOML. <https://doc.rust-lang.org/cargo/reference/profiles.html>
pub(crate) fn panic(text: &str, profile: &str) -> Result<Panic, String> {
    let manifest: toml::Table = text.parse().map_err(|error: toml::de::Error| error.message().to_owned())?;
    let profiles = manifest.get("profile").and_then(toml::Value::as_table);
    let mut name = profile.to_owned();
    for _ in 0..INHERITED_MAX {
        let settings = profiles.and_then(|profiles| profiles.get(&name)).and_then(toml::Value::as_table);
        if let Some(strategy) = settings.and_then(|settings| settings.get("panic")).and_then(toml::Value::as_str) {
            return Ok(Panic { strategy: Some(strategy.to_owned()), line: line(text, &name, "panic") });
        }
        match settings.and_then(|settings| settings.get("inherits")).and_then(toml::Value::as_str) {
            Some(inherited) => inherited.clone_into(&mut name),
            None => break,
        }
    }
    Ok(Panic { strategy: None, line: line(text, profile, "") })
}

/// The line of a profile's setting, or of the profile.
fn line(text: &str, profile: &str, setting: &str) -> usize {
    let header = format!("[profile.{profile}]");
    let lines = || text.lines().map(str::trim).enumerate();
    let Some((start, _)) = lines().find(|(_, line)| line.starts_with(&header)) else { return 1 };
    let own = lines().skip(start + 1).take_while(|(_, line)| !line.starts_with('['));
    let is_setting = |line: &str| line.split('=').next().is_some_and(|name| name.trim() == setting);
    own.into_iter().find(|(_, line)| is_setting(line)).map_or(start, |(index, _)| index) + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_says_it_itself_or_by_what_it_inherits() {
        let text = "[workspace]\n\n[profile.release]\nlto = true\npanic = \"unwind\"\n\n[profile.small]\ninherits = \"release\"\n";
        let said = |strategy: &str, line| Panic { strategy: Some(strategy.to_owned()), line };
        assert_eq!(panic(text, "release").unwrap(), said("unwind", 5));
        assert_eq!(panic(text, "small").unwrap(), said("unwind", 5));
        assert_eq!(panic(text, "other").unwrap(), Panic { strategy: None, line: 1 });
        assert_eq!(panic("[profile.release]\nlto = true\n", "release").unwrap(), Panic { strategy: None, line: 1 });
        assert!(panic("[profile", "release").is_err());
        let circle = "[profile.a]\ninherits = \"b\"\n[profile.b]\ninherits = \"a\"\n";
        assert_eq!(panic(circle, "b").unwrap(), Panic { strategy: None, line: 3 });
    }
}
