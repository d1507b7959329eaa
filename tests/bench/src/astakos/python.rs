//! The replaced client, on the same emulator, if there is a Python 2.7.

use std::path::Path;
use std::process::Command;

use super::server::Server;
use crate::python;

const PACKAGES: [&str; 2] = ["astakosclient==0.19", "objpool==0.4"];

/// Returns the CPU time of a call in microseconds, with this number of threads, or `None` if there
/// is no Python 2.7.
pub fn cpu(server: &Server, call: &str, count: usize, width: usize) -> Option<f64> {
    let packages = python::install(interpreter()?, "astakosclient-0.19", &PACKAGES);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/astakos/client.py");
    let mut client = interpreter()?;
    client
        .arg(script)
        .args(server.place())
        .args([call, &count.to_string(), &width.to_string()])
        .env("PYTHONPATH", packages);
    Some(python::cpu(client, count))
}

/// Returns a Python 2.7.
fn interpreter() -> Option<Command> {
    let pyenv = Command::new("pyenv").args(["versions", "--bare"]).output();
    let listed = pyenv.map(|output| output.stdout).unwrap_or_default();
    let listed = String::from_utf8_lossy(&listed).into_owned();
    let of_pyenv = listed
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("2.7"));
    let mut all = vec![Command::new("python2.7"), Command::new("python2")];
    all.extend(of_pyenv.map(|version| {
        let mut command = Command::new("python2");
        command.env("PYENV_VERSION", version);
        command
    }));
    all.into_iter().find_map(|mut command| {
        let mut ask = Command::new(command.get_program());
        ask.envs(
            command
                .get_envs()
                .filter_map(|(key, value)| Some((key, value?))),
        );
        let ask = ask.args(["-c", "import sys; print(sys.version_info[:2] == (2, 7))"]);
        let answer = ask.output().ok()?;
        answer.stdout.starts_with(b"True").then(|| {
            command.arg("-B");
            command
        })
    })
}
