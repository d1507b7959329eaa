//! Running the program, and playing services for it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

/// A run that has ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    /// Returns standard output as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|fault| panic!("{fault}: {self:?}"))
    }

    /// Returns the error that `--json` prints.
    pub(crate) fn error(&self) -> Value {
        let mut line: Value =
            serde_json::from_str(&self.err).unwrap_or_else(|fault| panic!("{fault}: {self:?}"));
        line["error"].take()
    }

    /// Makes sure that it went well and complained of nothing.
    pub(crate) fn good(self) -> Self {
        assert_eq!((self.code, self.err.as_str()), (0, ""), "{self:?}");
        self
    }

    /// Makes sure that it failed with a code, one line of error, and nothing else.
    pub(crate) fn bad(self, code: i32) -> Self {
        assert_eq!((self.code, self.out.as_str()), (code, ""), "{self:?}");
        assert_eq!(self.err.lines().count(), 1, "{self:?}");
        self
    }
}

/// Makes a command of the program that sees nothing of this process's environment.
pub(crate) fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vouchsafe"));
    command.args(arguments).env_clear().stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Run {
    let output = command.output().unwrap();
    Run {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs a command with something on standard input.
pub(crate) fn run_with_input(command: &mut Command, input: &str) -> Run {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    Run {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// `vouchsafe serve` at work. It ends with this value.
pub(crate) struct Played {
    pub(crate) child: Child,
    pub(crate) stdin: Option<ChildStdin>,
    stdout: Option<BufReader<ChildStdout>>,
    pub(crate) line: String,
    pub(crate) ready: Value,
}

impl Played {
    /// Plays userinfo in its built-in world.
    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    /// Plays userinfo with more arguments.
    pub(crate) fn with(more: &[&str]) -> Self {
        let arguments = ["serve", "--service", "userinfo=0", "--until-stdin-closes"];
        Self::start(program(&arguments).args(more))
    }

    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let ready = serde_json::from_str(&line).unwrap_or_else(|fault| panic!("{fault}: {line}"));
        Self {
            stdin: child.stdin.take(),
            child,
            stdout: Some(stdout),
            line,
            ready,
        }
    }

    pub(crate) fn url(&self) -> &str {
        self.ready["services"]["userinfo"]["url"].as_str().unwrap()
    }

    pub(crate) fn repertoire(&self) -> &str {
        self.ready["services"]["userinfo"]["repertoire"]
            .as_str()
            .unwrap()
    }

    /// Returns a token of the built-in world.
    pub(crate) fn token(&self, whose: &str) -> &str {
        self.ready["tokens"]["userinfo"][whose].as_str().unwrap()
    }

    /// Makes a command that asks here, with a token of the built-in world in the environment.
    pub(crate) fn ask(&self, whose: &str, arguments: &[&str]) -> Command {
        let mut command = self.ask_without_token(arguments);
        command.env("GAFAELFAWR_TOKEN", self.token(whose));
        command
    }

    /// Makes a command that asks here without any token.
    pub(crate) fn ask_without_token(&self, arguments: &[&str]) -> Command {
        let mut command = program(arguments);
        command.env("REPERTOIRE_BASE_URL", self.repertoire());
        command
    }

    /// Asks the service itself over plain HTTP.
    pub(crate) fn http(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        http(self.url(), method, path, body)
    }

    /// Asks the management of userinfo.
    pub(crate) fn manage(&self, method: &str, what: &str, body: &str) -> Value {
        self.manage_of("userinfo", method, what, body)
    }

    /// Asks the management of a service.
    pub(crate) fn manage_of(&self, service: &str, method: &str, what: &str, body: &str) -> Value {
        let url = self.ready["services"][service]["management"]
            .as_str()
            .unwrap();
        let (origin, path) = url.split_once("/_mock").unwrap();
        let (status, answer) = http(origin, method, &format!("/_mock{path}/{what}"), body);
        assert_eq!(status, 200, "{answer}");
        answer
    }

    /// Returns how many requests came.
    pub(crate) fn requests(&self) -> usize {
        self.manage("GET", "journal", "")["requests"]
            .as_array()
            .unwrap()
            .len()
    }

    /// Waits for the end and returns the code, and what came on standard output after the first
    /// line.
    pub(crate) fn ended(&mut self) -> (Option<i32>, String) {
        let mut stdout = self.stdout.take().unwrap();
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut rest = String::new();
            let _ = stdout.read_to_string(&mut rest);
            let _ = tell.send(rest);
        });
        let rest = told.recv_timeout(PATIENCE);
        let rest = rest.unwrap_or_else(|_| panic!("it goes on, but should have ended"));
        (self.child.wait().unwrap().code(), rest)
    }
}

impl Drop for Played {
    fn drop(&mut self) {
        // It has nothing to lose, and a test that failed must not wait for it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn http(url: &str, method: &str, path: &str, body: &str) -> (u16, Value) {
    let (status, body) = http_with(url, method, path, &[], body);
    (status, serde_json::from_str(&body).unwrap_or(Value::Null))
}

/// Asks with more headers, and returns the body as it is.
pub(crate) fn http_with(
    url: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (u16, String) {
    let authority = url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(authority).unwrap();
    let length = body.len();
    let headers: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {authority}\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\nConnection: close\r\n{headers}\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

/// Returns whether a text holds a whole token.
pub(crate) fn holds_a_token(text: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    text.match_indices("gt-").any(|(at, _)| {
        let part = |text: &str| text.len() >= 22 && text[..22].chars().all(is_inner);
        let rest = &text[at + 3..];
        rest.is_char_boundary(22)
            && part(rest)
            && rest[22..]
                .strip_prefix('.')
                .is_some_and(|rest| rest.is_char_boundary(22) && part(rest))
    })
}
