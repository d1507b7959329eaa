//! The output: a table for people and JSON for programs.

use std::process::ExitCode;

use serde::Serialize;

/// A number of ours and one of a peer.
#[derive(Debug, Serialize)]
pub struct Row {
    pub name: String,
    pub unit: &'static str,
    pub ours: f64,
    pub peer: f64,
    pub peer_name: String,
    /// Peer by ours: above 1 we are better.
    pub ratio: f64,
}

impl Row {
    pub fn new(name: &str, unit: &'static str, ours: f64, peer_name: &str, peer: f64) -> Self {
        let (ours, peer) = (tidy(ours), tidy(peer));
        Self {
            name: name.to_owned(),
            unit,
            ours,
            peer,
            peer_name: peer_name.to_owned(),
            ratio: (peer / ours * 1e3).round() / 1e3,
        }
    }

    /// Compares the first value with each of the others.
    pub fn beside_all(
        name: &str,
        unit: &'static str,
        names: &[&str],
        values: &[f64],
    ) -> impl Iterator<Item = Self> {
        names
            .iter()
            .zip(values)
            .skip(1)
            .map(move |(peer, value)| Self::new(name, unit, values[0], peer, *value))
    }
}

/// Prints the rows and writes them to a file.
pub fn finish(rows: &[Row], file: Option<&str>) -> ExitCode {
    println!(
        "{:<44} {:>12} {:>12}  {:<28} {:>6}  unit",
        "what", "ours", "peer", "which peer", "ratio"
    );
    for row in rows {
        println!(
            "{:<44} {:>12} {:>12}  {:<28} {:>6.2}  {}",
            row.name, row.ours, row.peer, row.peer_name, row.ratio, row.unit
        );
    }
    println!("\nratio = peer / ours: above 1 we are better");
    if let Some(file) = file {
        let text = serde_json::to_string_pretty(rows).expect("rows are plain");
        if let Err(cause) = std::fs::write(file, text + "\n") {
            eprintln!("{file} cannot be written: {cause}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Keeps three digits after the point.
fn tidy(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}
