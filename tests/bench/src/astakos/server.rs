//! The emulator, in a separate process that ends with its standard input.

use std::process::ExitCode;

use vouchsafe_astakos::mock::{Seed, Server as Emulator};

use crate::measure;
use crate::process::{self, Process};

/// A running emulator; dropping this ends it.
pub struct Server {
    _process: Process,
    /// The URL of the identity part.
    pub auth_url: String,
    /// A token of the user alice.
    pub user: String,
    /// A token of the component cyclades.
    pub service: String,
    /// The uuid of alice.
    pub alice: String,
}

impl Server {
    /// Starts it with this number of users in addition to those of the sample.
    pub fn start(crowd: u32) -> Self {
        let mut process = Process::start(&["as-astakos", "--crowd", &crowd.to_string()]);
        let mut line = || process.line();
        let (auth_url, user, service, alice) = (line(), line(), line(), line());
        Self {
            _process: process,
            auth_url,
            user,
            service,
            alice,
        }
    }
}

impl Server {
    /// Everything a client needs: URL, token of a user, token of a component, uuid of the user.
    pub fn place(&self) -> [&str; 4] {
        [&self.auth_url, &self.user, &self.service, &self.alice]
    }
}

pub fn run(crowd: u32) -> ExitCode {
    measure::pin(1);
    let seed = Seed::sample().crowd(crowd);
    let server = Emulator::builder().seed(seed).start().expect("a good seed");
    measure::runtime().block_on(async {
        let address = "127.0.0.1:0".parse().expect("an address");
        let serving = server.serve(address).await.expect("a port");
        println!("{}{}", serving.url(), server.identity_path());
        let user = server.user_token("alice@example.org").expect("alice");
        println!("{}", user.expose());
        let service = server.service_token("cyclades").expect("cyclades");
        println!("{}", service.expose());
        println!("{}", Emulator::alice());
        process::ends().await;
    });
    ExitCode::SUCCESS
}
