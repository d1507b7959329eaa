//! A Python that is new enough, and a virtual environment with the real clients.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

/// The oldest Python that the clients run on.
const OLDEST: (u32, u32) = (3, 12);

/// Makes a virtual environment with these packages, or takes the one that was made before, and
/// returns its Python.
///
/// # Errors
///
/// If there is no such Python or the packages cannot be had; the text says what to do.
pub(crate) async fn environment(folder: &Path, packages: &[&str]) -> Result<PathBuf, String> {
    let python = folder.join("bin").join("python");
    let marker = folder.join("installed");
    let wanted = packages.join("\n");
    // Another process may be making it; there is nothing else to do until it has.
    let text = |cause: std::io::Error| cause.to_string();
    fs::create_dir_all(folder).map_err(text)?;
    let lock = File::create(folder.with_extension("lock")).map_err(text)?;
    lock.lock().map_err(text)?;
    if python.exists() && fs::read_to_string(&marker).is_ok_and(|found| found == wanted) {
        return Ok(python);
    }
    let mut base = find().await.ok_or_else(none)?;
    base.args(["-m", "venv", "--clear"]).arg(folder);
    output(&mut base).await?;
    let mut pip = Command::new(&python);
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]);
    output(pip.args(packages)).await?;
    fs::write(&marker, wanted).map_err(|cause| cause.to_string())?;
    Ok(python)
}

/// Returns a Python with a version of `pancloud`, and what it needs as it was at the time.
///
/// # Errors
///
/// As [`environment`].
pub(crate) async fn pancloud(version: &str, work: &Path) -> Result<PathBuf, String> {
    let pancloud = format!("pancloud=={version}");
    let packages = [&pancloud, "tinydb==3.15.2", "requests==2.34.2"];
    environment(&work.join(format!("pancloud-{version}")), &packages).await
}

/// Says that there is no Python that is new enough.
pub(crate) fn none() -> String {
    let (major, minor) = OLDEST;
    format!("no Python {major}.{minor} or newer; put one on PATH or install one with pyenv")
}

/// Returns a command that starts a Python that is new enough.
pub(crate) async fn find() -> Option<Command> {
    for name in ["python3", "python3.14", "python3.13", "python3.12"] {
        if is_new_enough(&mut Command::new(name)).await {
            return Some(Command::new(name));
        }
    }
    let listed = output(Command::new("pyenv").args(["versions", "--bare"]))
        .await
        .ok()?;
    for version in listed.lines().rev() {
        let command = || {
            let mut command = Command::new("python3");
            command.env("PYENV_VERSION", version.trim());
            command
        };
        if is_new_enough(&mut command()).await {
            return Some(command());
        }
    }
    None
}

async fn is_new_enough(command: &mut Command) -> bool {
    let ask = "import sys; print(sys.version_info.major, sys.version_info.minor)";
    let Ok(answer) = output(command.args(["-c", ask])).await else {
        return false;
    };
    let mut numbers = answer.split_whitespace().map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= OLDEST,
        _ => false,
    }
}

/// Runs a command to its end and returns what it printed.
///
/// # Errors
///
/// If it cannot be started or fails; the text is what it complained of.
pub(crate) async fn output(command: &mut Command) -> Result<String, String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(|cause| cause.to_string())?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let complaint = String::from_utf8_lossy(&output.stderr);
        Err(format!("{}: {}", output.status, complaint.trim()))
    }
}

/// A Python 2.7, for clients that never came further.
pub(crate) struct Python27(Vec<(&'static str, String)>, &'static str);

impl Python27 {
    /// Returns a command that starts it.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(self.1);
        command.envs(self.0.iter().cloned());
        command
    }

    /// Installs packages into a folder for `PYTHONPATH`, unless they are there.
    ///
    /// # Errors
    ///
    /// If they cannot be had; the text is what pip says.
    pub(crate) async fn install(&self, folder: &Path, packages: &[&str]) -> Result<(), String> {
        let marker = folder.join("installed");
        let wanted = packages.join("\n");
        if fs::read_to_string(&marker).is_ok_and(|found| found == wanted) {
            return Ok(());
        }
        let mut pip = self.command();
        pip.args(["-m", "pip", "install", "--quiet", "--upgrade"])
            .args(["--disable-pip-version-check", "--no-deps", "--target"])
            .arg(folder)
            .args(packages);
        output(&mut pip).await?;
        fs::write(&marker, wanted).map_err(|cause| cause.to_string())
    }
}

/// Finds a Python 2.7.
pub(crate) async fn find_27() -> Option<Python27> {
    let listed = output(Command::new("pyenv").args(["versions", "--bare"])).await;
    let listed = listed.unwrap_or_default();
    let of_pyenv = listed
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("2.7"));
    let mut all = vec![
        Python27(Vec::new(), "python2.7"),
        Python27(Vec::new(), "python2"),
    ];
    all.extend(
        of_pyenv.map(|version| Python27(vec![("PYENV_VERSION", version.to_owned())], "python2")),
    );
    for python in all {
        let ask = "import sys; print(sys.version_info[:2] == (2, 7))";
        let answer = output(python.command().args(["-c", ask])).await;
        if answer.is_ok_and(|answer| answer.trim() == "True") {
            return Some(python);
        }
    }
    None
}
