//! Machines of a fleet: network namespaces with an address of their own, or processes that only
//! have clocks of their own where namespaces cannot be made.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use vouchsafe::core::task::Task;

use super::process::Program;

/// A machine; dropping it removes its network.
#[derive(Debug)]
pub(super) struct Machine {
    /// The name of its namespace, and the address at which it reaches the servers.
    network: Option<(String, Ipv4Addr)>,
    /// How many seconds its clock is ahead.
    pub(super) ahead: i64,
}

impl Machine {
    /// Makes a machine with a network of its own. `number` is unique in this program.
    ///
    /// # Errors
    ///
    /// If this user may not.
    pub(super) fn new(number: u8, ahead: i64) -> Result<Self, String> {
        let id = std::process::id();
        let (name, ours) = (format!("fleet-{id}-{number}"), format!("fl{id}-{number}"));
        // Others may run on this machine, or have been killed and left theirs. Each network has four
        // addresses.
        let block = (id.wrapping_mul(4).wrapping_add(number.into()) % (1 << 14)) * 4;
        let at =
            |place| Ipv4Addr::from_bits(Ipv4Addr::new(10, 213, 0, 0).to_bits() + block + place);
        let (host, own) = (at(1), at(2));
        ip(&["netns", "add", &name])?;
        // Removes the namespace if one of the next commands fails.
        let machine = Self {
            network: Some((name.clone(), host)),
            ahead,
        };
        ip(&[
            "link", "add", &ours, "type", "veth", "peer", "name", "eth0", "netns", &name,
        ])?;
        ip(&["address", "add", &format!("{host}/30"), "dev", &ours])?;
        ip(&["link", "set", &ours, "up"])?;
        ip(&[
            "-n",
            &name,
            "address",
            "add",
            &format!("{own}/30"),
            "dev",
            "eth0",
        ])?;
        ip(&["-n", &name, "link", "set", "eth0", "up"])?;
        Ok(machine)
    }

    /// A machine that shares the network of this one.
    pub(super) fn simulated(ahead: i64) -> Self {
        Self {
            network: None,
            ahead,
        }
    }

    /// Returns the program as it runs on this machine.
    pub(super) fn run(&self, program: &Program) -> Program {
        match &self.network {
            Some((name, _)) => program.within(["ip", "netns", "exec", name]),
            None => program.clone(),
        }
    }

    /// Returns the address at which it reaches the servers.
    pub(super) fn host(&self) -> Ipv4Addr {
        self.network
            .as_ref()
            .map_or(Ipv4Addr::LOCALHOST, |(_, host)| *host)
    }

    /// Lets the machine reach a port of a server that listens on loopback. Until it is dropped.
    pub(super) async fn reach(&self, port: u16) -> Result<Option<Task>, String> {
        if self.network.is_none() {
            return Ok(None);
        }
        let listener = TcpListener::bind((self.host(), port)).await;
        let listener = listener.map_err(|cause| cause.to_string())?;
        let to = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Ok(Some(Task::spawn(relay(listener, to))))
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if let Some((name, _)) = &self.network {
            // Its interfaces go with it.
            let _ = ip(&["netns", "delete", name]);
        }
    }
}

async fn relay(listener: TcpListener, to: SocketAddr) {
    let mut connections = JoinSet::new();
    while let Ok((mut near, _)) = listener.accept().await {
        connections.spawn(async move {
            // A server that is down closes the connection of the client, as a network would.
            if let Ok(mut far) = TcpStream::connect(to).await {
                let _ = copy_bidirectional(&mut near, &mut far).await;
            }
        });
    }
}

fn ip(arguments: &[&str]) -> Result<(), String> {
    let mut command = Command::new("ip");
    command.args(arguments).stdin(Stdio::null());
    let output = command.output().map_err(|cause| format!("ip: {cause}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
    }
}
