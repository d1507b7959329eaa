//! Asking for a secret at a terminal, which is one that the test plays.
#![cfg(unix)]

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Child, ChildStderr, Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

use crate::support::{Played, program};

/// A program at a terminal, whose other end is the test's.
pub(crate) struct AtTerminal {
    child: Child,
    stderr: ChildStderr,
    keys: File,
    terminal: File,
}

impl AtTerminal {
    pub(crate) fn start(command: &mut Command) -> Self {
        let keys: OwnedFd = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&keys).unwrap();
        unlockpt(&keys).unwrap();
        let name = ptsname(&keys, Vec::new()).unwrap();
        let mut options = File::options();
        let terminal = options.read(true).write(true).open(name.to_str().unwrap());
        let terminal = terminal.unwrap();
        let mut child = command
            .stdin(terminal.try_clone().unwrap())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            stderr: child.stderr.take().unwrap(),
            child,
            keys: keys.into(),
            terminal,
        }
    }

    /// Waits for a question, which is the last that is written.
    pub(crate) fn asked(&mut self, question: &str) {
        let mut seen = Vec::new();
        while !seen.ends_with(question.as_bytes()) {
            let mut byte = [0];
            let count = self.stderr.read(&mut byte).unwrap();
            assert_eq!(count, 1, "{}", String::from_utf8_lossy(&seen));
            seen.extend(byte);
        }
    }

    /// Waits for a question, and types a line.
    pub(crate) fn answers(&mut self, question: &str, line: &str) {
        self.asked(question);
        self.keys.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// Types, and returns exit code, standard output, the rest of standard error, and what the
    /// terminal showed.
    pub(crate) fn types(mut self, keys: &str) -> (Option<i32>, String, String, String) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        let output = self.child.wait_with_output().unwrap();
        let mut rest = String::new();
        self.stderr.read_to_string(&mut rest).unwrap();
        let modes = tcgetattr(&self.terminal).unwrap().local_modes;
        assert!(modes.contains(LocalModes::ECHO | LocalModes::ISIG));
        // What the terminal shows ends here.
        self.terminal.write_all(b"\x04").unwrap();
        let mut shown = Vec::new();
        let mut byte = [0];
        while self.keys.read(&mut byte).is_ok_and(|count| count > 0) && byte != [4] {
            shown.extend(byte);
        }
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
            rest,
            String::from_utf8(shown).unwrap(),
        )
    }
}

#[test]
fn a_token_that_is_typed_is_used_and_not_shown() {
    let played = Played::new();
    let mut ask = played.ask_without_token(&["userinfo", "whoami", "--json"]);
    let mut terminal = AtTerminal::start(&mut ask);
    terminal.asked("Token: ");
    let token = played.token("alice");
    // The keys for corrections work as usual.
    let (code, out, err, shown) = terminal.types(&format!("wrong\x15{token}x\x7f\n"));
    assert_eq!((code, err.as_str()), (Some(0), "\n"), "{out}");
    assert!(out.contains("Alice"), "{out}");
    assert!(!shown.contains(&token[3..]), "{shown}");
}

#[test]
fn a_question_can_be_given_up_and_leaves_the_terminal_as_it_was() {
    let played = Played::new();
    let mut ask = played.ask_without_token(&["userinfo", "whoami"]);
    let mut terminal = AtTerminal::start(&mut ask);
    terminal.asked("Token: ");
    let (code, _, err, shown) = terminal.types("half a tok\x03");
    assert_eq!(code, Some(2), "{err}");
    assert!(err.contains("given up"), "{err}");
    assert!(!shown.contains("half"), "{shown}");
    assert_eq!(played.requests(), 0);
}

#[test]
fn no_prompt_is_shown_if_a_token_is_given_or_there_is_no_terminal() {
    let played = Played::new();
    let terminal = AtTerminal::start(&mut played.ask("alice", &["userinfo", "whoami"]));
    let (code, out, err, _) = terminal.types("");
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    let mut piped = program(&["userinfo", "whoami"]);
    piped.stdin(Stdio::piped());
    let refused = crate::support::run_with_input(&mut piped, "").bad(2);
    assert!(refused.err.contains("is not set"), "{refused:?}");
}
