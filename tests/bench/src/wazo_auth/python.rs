//! The method of the replaced client, on the same server, if there is a Python 3.

use std::path::Path;
use std::process::Command;

use super::answer::TOKEN;
use crate::python;
use crate::server::Server;

const PACKAGES: [&str; 5] = [
    "requests==2.32.5",
    "urllib3==2.5.0",
    "certifi==2025.8.3",
    "charset-normalizer==3.4.3",
    "idna==3.10",
];

/// What such a client trusts: certifi's list, which is its default, with the server's authority
/// added; or that authority alone, as if set.
pub const BUNDLES: [(&str, &str); 2] = [
    ("Python, usual bundle", "usual"),
    ("Python, bundle of one", "one"),
];

/// Returns the CPU time of a call in microseconds, or `None` if there is no Python 3.
pub fn cpu(server: &Server, call: &str, count: usize, bundle: &str) -> Option<f64> {
    let found = Command::new("python3").arg("--version").output();
    if !found.is_ok_and(|output| output.status.success()) {
        return None;
    }
    let packages = python::install(Command::new("python3"), "requests-2.32.5", &PACKAGES);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/wazo_auth/client.py");
    let mut client = Command::new("python3");
    client.arg("-B").arg(script);
    client.args([&server.https, &server.ca, TOKEN]);
    client.args([bundle, call, &count.to_string()]);
    client.env("PYTHONPATH", packages);
    Some(python::cpu(client, count))
}
