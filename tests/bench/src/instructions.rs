//! Instructions in user space for a request, counted by callgrind. Unlike times, they repeat on
//! a busy machine.

use std::process::Command;

use crate::client::NAMES;
use crate::measure::Size;
use crate::server::Server;
use crate::table::Row;

pub fn run(size: Size) -> Vec<Row> {
    if Command::new("valgrind").arg("--version").output().is_err() {
        eprintln!("SKIPPED: instructions per request; valgrind is not installed");
        return Vec::new();
    }
    let server = Server::start();
    let mut rows = Vec::new();
    for scheme in ["http", "https"] {
        let counts: Vec<f64> = NAMES
            .iter()
            .map(|name| {
                // The difference of two runs leaves out start and warm-up.
                let (few, many) = (200, size.pick(300, 1200));
                let more = count(&server, scheme, name, many) - count(&server, scheme, name, few);
                (more / (many - few) as f64).round()
            })
            .collect();
        let name = format!("instructions/request {scheme} x1");
        rows.extend(Row::beside_all(&name, "instructions", &NAMES, &counts));
    }
    rows
}

fn count(server: &Server, scheme: &str, name: &str, requests: usize) -> f64 {
    let program = std::env::current_exe().expect("this program has a path");
    let mut command = Command::new("valgrind");
    command
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(["as-client", "--client", name, "--url", server.base(scheme)])
        .args(["--count", &requests.to_string()]);
    if scheme == "https" {
        command.args(["--ca", &server.ca]);
    }
    let output = command.output().expect("valgrind runs");
    let text = String::from_utf8_lossy(&output.stderr);
    text.lines()
        .find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok())
        .unwrap_or_else(|| panic!("callgrind counted nothing:\n{text}"))
}
