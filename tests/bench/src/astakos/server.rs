//! The emulator, in a process of its own that ends with its standard input.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitCode, Stdio};

use vouchsafe_astakos::mock::{Seed, Server as Emulator};

use crate::measure;

/// A running emulator; dropping this ends it.
pub struct Server {
    child: Child,
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
    /// Starts it with so many users besides those of the sample.
    pub fn start(crowd: u32) -> Self {
        let program = std::env::current_exe().expect("this program has a path");
        let mut child = Command::new(program)
            .args(["as-astakos", "--crowd", &crowd.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the emulator starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut line = || lines.next().expect("a line").expect("text");
        let (auth_url, user, service, alice) = (line(), line(), line(), line());
        Self {
            child,
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

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
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
        let (ended, end) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let _ = std::io::stdin().lines().count();
            let _ = ended.send(());
        });
        let _ = end.await;
    });
    ExitCode::SUCCESS
}
