use std::{
    path::Path,
    process::{Command, Output},
};

/// Compiles the file beside this one by itself, as a build with this panic strategy would.
fn compiled_with(strategy: &str) -> Output {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/panic_strategy/mod.rs");
    let metadata = std::env::temp_dir().join(format!("onceward-panic-{strategy}-{}.rmeta", std::process::id()));
    let strategy = format!("panic={strategy}");
    let mut command = Command::new(rustc);
    command.args(["--edition=2024", "--crate-type=lib", "--emit=metadata", "-C", &strategy, "-o"]);
    let output = command.arg(&metadata).arg(file).output().expect("rustc runs: it has compiled this test");
    let _ = std::fs::remove_file(metadata);
    output
}

#[test]
fn a_build_whose_panics_abort_is_refused_with_the_line_to_write() {
    let output = compiled_with("abort");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "it compiles");
    let mut lines = said.lines().map(str::trim).skip_while(|line| *line != "[profile.release]");
    assert_eq!((lines.next(), lines.next()), (Some("[profile.release]"), Some("panic = \"unwind\"")), "{said}");
}

#[test]
fn a_build_whose_panics_unwind_is_not() {
    let output = compiled_with("unwind");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
