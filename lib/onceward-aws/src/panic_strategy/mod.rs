//! A handler's panic is caught and its record is retried: that needs panics that unwind.
//! <https://doc.rust-lang.org/cargo/reference/profiles.html#panic>
//!
//! cargo-lambda builds for release with `panic = "abort"` where the workspace's profile says nothing. One panic would
//! then end the process with all records of its batch. Cargo has one strategy for a whole build, so to look at it here
//! is enough, whichever profile was chosen.

#[cfg(panic = "abort")]
compile_error!(
    r#"Onceward catches a handler's panic and retries its record; with `panic = "abort"` the panic would end the whole invocation. cargo-lambda sets `abort` where nothing is said: write in the Cargo.toml of the workspace's root

[profile.release]
panic = "unwind"

(in place of `release`: the profile that you build with)"#
);

#[cfg(test)]
mod tests;
