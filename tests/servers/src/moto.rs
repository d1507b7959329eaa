//! moto, an emulator of AWS.

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};

use vouchsafe_core::store::contract::Server;

use crate::process::Process;
use crate::{found, free_port, start};

/// Starts an emulator of AWS with the table `vouchsafe` of DynamoDB and the key `alias/vouchsafe` of
/// KMS in `us-east-1`, or says that the test is skipped. It takes any credentials. After a restart
/// the key is another one.
#[must_use]
pub fn moto(place: &Path) -> Option<Box<dyn Server>> {
    let program = found("moto_server", "pip install 'moto[server]'", &[])?;
    // The one that has its packages.
    let python = program.with_file_name("python3");
    let python = if python.is_file() {
        python
    } else {
        PathBuf::from("python3")
    };
    let script = place.join("aws.py");
    fs::write(&script, include_str!("aws.py")).unwrap();
    let port = free_port();
    let command = [
        python.display().to_string(),
        script.display().to_string(),
        port.to_string(),
        place.join("moto.journal").display().to_string(),
    ];
    // It listens once it has everything.
    let ready = move || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
    Some(start(
        place,
        port,
        Process::new(command.to_vec(), "KILL", ready),
    ))
}
