//! Programs from `PyPI`, each set in a virtual environment of its own below `target`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Mutex,
};

use crate::system::binaries;

/// One installation at a time: two of one set would be in each other's way.
static INSTALLING: Mutex<()> = Mutex::new(());

/// The folder of the environment called `name`, with what `requirements` pins in it; `Err` says what is missing.
pub(super) fn install(name: &str, requirements: &str) -> Result<PathBuf, String> {
    let _one = INSTALLING.lock().map_err(|_| format!("the installation of {name} failed"))?;
    let folder = binaries().parent().expect("target/debug is in a folder").join(name);
    let (installed, file) = (folder.join("installed"), folder.join("requirements.txt"));
    if fs::read_to_string(&installed).is_ok_and(|text| text == requirements) {
        return Ok(folder);
    }
    println!("installing {name} from PyPI below target, once: this takes about a minute");
    let write = |path: &Path| fs::write(path, requirements).map_err(|error| format!("{}: {error}", path.display()));
    // What is left of an earlier version, or of an installation that failed halfway.
    drop(fs::remove_dir_all(&folder));
    succeed("needs python3 with venv", Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    write(&file)?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--timeout", "15", "--retries", "2"];
    let mut command = Command::new(program(&folder, "python"));
    command.args(pip).arg("--requirement").arg(&file);
    succeed(&format!("needs {name} from PyPI"), &mut command)?;
    write(&installed)?;
    Ok(folder)
}

/// The path of one of its programs.
pub(super) fn program(folder: &Path, name: &str) -> PathBuf {
    folder.join("bin").join(name)
}

fn succeed(needs: &str, command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{needs}: {error}"))?;
    let last = || String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or_default().to_owned();
    if output.status.success() { Ok(()) } else { Err(format!("{needs}: {}", last())) }
}
