//! Processes of this program that it starts itself: the servers for the clients.

use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};

/// A running process of this program, which ends with its standard input; dropping this ends it.
pub struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    pub fn start(arguments: &[&str]) -> Self {
        let program = std::env::current_exe().expect("this program has a path");
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        Self { child, lines }
    }

    /// Returns the next line that it prints.
    pub fn line(&mut self) -> String {
        self.lines.next().expect("a line").expect("text")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Closing its input ends it; waiting leaves no zombie.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// Waits until the parent process drops its [`Process`].
pub async fn ends() {
    let (ended, end) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::stdin().lines().count();
        let _ = ended.send(());
    });
    let _ = end.await;
}
