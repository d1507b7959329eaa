//! A server's process, which ends with its owner.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use vouchsafe_core::store::contract::Server;

pub(crate) struct Process {
    command: Vec<String>,
    /// The signal that ends it as if the machine had failed.
    end: &'static str,
    is_ready: Box<dyn Fn() -> bool + Send>,
    log: PathBuf,
    /// What is outside of the test's folder.
    remove: Vec<PathBuf>,
    running: Option<Running>,
}

struct Running {
    /// The shell that started the server, and kills it once its input is closed.
    shell: Child,
    input: Option<ChildStdin>,
    server: String,
}

/// The server gets its own session, so that it and its children can be killed as one group.
const SHELL: &str =
    r#"setsid "$@" </dev/null >&2 & echo $!; exec >&-; read -r _; kill -s KILL -- -$!; wait"#;

impl Process {
    pub(crate) fn new(
        command: Vec<String>,
        end: &'static str,
        is_ready: impl Fn() -> bool + Send + 'static,
    ) -> Self {
        Self {
            command,
            end,
            is_ready: Box::new(is_ready),
            log: PathBuf::new(),
            remove: Vec::new(),
            running: None,
        }
    }

    /// Sets the file for what the server says.
    pub(crate) fn log(mut self, path: &Path) -> Self {
        path.clone_into(&mut self.log);
        self
    }

    /// Removes files and folders at the end.
    pub(crate) fn remove(mut self, paths: impl IntoIterator<Item = PathBuf>) -> Self {
        self.remove.extend(paths);
        self
    }

    fn signal(&self, name: &str) {
        let Some(running) = &self.running else { return };
        let children = Command::new("pgrep").args(["-P", &running.server]).output();
        let children = String::from_utf8(children.unwrap().stdout).unwrap();
        // It may have ended by itself.
        let _ = Command::new("kill")
            .args(["-s", name, &running.server])
            .args(children.lines().filter(|_| name != self.end))
            .stderr(Stdio::null())
            .status();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A child that is stopped would not notice the end.
        self.signal("CONT");
        self.running = None;
        for path in &self.remove {
            let _ = fs::remove_dir_all(path).or_else(|_| fs::remove_file(path));
        }
    }
}

impl Running {
    fn has_ended(&self) -> bool {
        let status = fs::read_to_string(format!("/proc/{}/stat", self.server));
        // The shell has not collected its status yet.
        status.map_or(true, |status| status.contains(") Z "))
    }

    fn has_stopped(&self) -> bool {
        let threads = fs::read_dir(format!("/proc/{}/task", self.server)).unwrap();
        let mut statuses =
            threads.map(|thread| fs::read_to_string(thread.unwrap().path().join("stat")));
        // One that has ended meanwhile does nothing more.
        statuses.all(|status| status.map_or(true, |status| status.contains(") T ")))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.shell.wait();
    }
}

impl Server for Process {
    fn kill(&mut self) {
        self.signal(self.end);
        if let Some(running) = self.running.take() {
            wait_until(|| running.has_ended());
        }
    }

    fn start(&mut self) {
        wait_until(|| {
            let log = File::options().create(true).append(true).open(&self.log);
            let log = log.unwrap();
            let mut shell = Command::new("sh")
                .args(["-c", SHELL, "sh"])
                .args(&self.command)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(log)
                .spawn()
                .unwrap();
            let mut server = String::new();
            let output = shell.stdout.take().unwrap();
            BufReader::new(output).read_line(&mut server).unwrap();
            let running = Running {
                input: shell.stdin.take(),
                shell,
                server: server.trim().to_owned(),
            };
            wait_until(|| running.has_ended() || (self.is_ready)());
            // Another program may have the port, or the last server not quite ended.
            let has_started = !running.has_ended();
            self.running = has_started.then_some(running);
            has_started
        });
    }

    fn pause(&mut self) {
        self.signal("STOP");
        // A thread that runs while the signal is sent may still answer a request.
        if let Some(running) = &self.running {
            wait_until(|| running.has_stopped());
        }
    }

    fn resume(&mut self) {
        self.signal("CONT");
    }
}

/// Waits for another process, which gives no signal.
#[expect(
    clippy::disallowed_methods,
    reason = "what is waited for is not in this process"
)]
pub(crate) fn wait_until(mut is_so: impl FnMut() -> bool) {
    // For a minute.
    for _ in 0..3000 {
        if is_so() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    unreachable!("a server did not start or end; its log is in the folder of the test");
}
