//! The folder that `sam deploy` takes: the template, and one folder for each function with its `bootstrap`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use onceward_local::template::{Build, Stack};

use crate::system::{ROOT, TEMPLATE, binaries};

/// Names a folder that `sam build` left, to deploy that instead.
const VARIABLE: &str = "ONCEWARD_TEST_BUILD";

/// The template's functions as `sam build` would leave them, of the binaries built for this test: a release build takes
/// minutes. Or the folder that the variable names.
pub(super) fn folder(declared: &Stack) -> Result<PathBuf, String> {
    if let Some(folder) = std::env::var_os(VARIABLE) {
        // As every path in the repository is meant: cargo runs tests in their package's folder.
        let folder = Path::new(ROOT).join(folder);
        return if folder.join("template.yaml").exists() {
            Ok(folder)
        } else {
            Err(format!("{VARIABLE} is {}: no template.yaml is there, `sam build` leaves one", folder.display()))
        };
    }
    let folder = binaries().parent().expect("target/debug is in a folder").join("test-build");
    assemble(declared, &folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}

fn assemble(declared: &Stack, folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    let template = fs::read_to_string(Path::new(ROOT).join(TEMPLATE))?;
    fs::write(folder.join("template.yaml"), built(&template))?;
    for function in &declared.functions {
        let Build::CargoLambda { binary } = &function.build else { continue };
        let (source, package) = (binaries().join(binary), folder.join(&function.logical_id));
        fs::create_dir_all(&package)?;
        strip(&source, &package.join("bootstrap"))?;
    }
    Ok(())
}

/// The template with each `CodeUri` naming the function's own folder beside it, and nothing else changed.
fn built(template: &str) -> String {
    let mut resource = "";
    let mut lines = Vec::new();
    for line in template.lines() {
        if let Some(id) = line.strip_prefix("  ").and_then(|line| line.strip_suffix(':'))
            && id.chars().all(char::is_alphanumeric)
        {
            resource = id;
        }
        lines.push(match line.split_once("CodeUri: ") {
            Some((indent, _)) => format!("{indent}CodeUri: {resource}"),
            None => line.to_owned(),
        });
    }
    lines.join("\n") + "\n"
}

/// A copy without symbols, half as large; with them where there is no `strip`.
fn strip(source: &Path, target: &Path) -> std::io::Result<()> {
    let stripped = Command::new("strip").arg("-o").arg(target).arg(source).output();
    if !stripped.is_ok_and(|output| output.status.success()) {
        fs::copy(source, target)?;
    }
    Ok(())
}

pub(super) fn names_each_functions_folder() {
    let template = fs::read_to_string(Path::new(ROOT).join(TEMPLATE)).expect("the template");
    let built = built(&template);
    let changed: Vec<_> = template.lines().zip(built.lines()).filter(|(before, after)| before != after).collect();
    assert_eq!(built.lines().count(), template.lines().count());
    assert_eq!(changed.len(), template.matches("AWS::Serverless::Function").count());
    assert_eq!(changed[0], ("      CodeUri: functions/orders", "      CodeUri: PlaceOrder"));
    assert!(changed.iter().all(|(_, after)| after.starts_with("      CodeUri: ") && !after.contains('/')));
}
