//! `vouchsafe wazo` against a served emulator.

mod tenants;
mod tokens;
mod users;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::support::{Played, Run, program, run};

struct World {
    played: Played,
    folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let arguments = ["serve", "--service", "wazo-auth=0", "--until-stdin-closes"];
        Self {
            played: Played::start(&mut program(&arguments)),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn url(&self) -> &str {
        self.played.ready["services"]["wazo-auth"]["url"]
            .as_str()
            .unwrap()
    }

    fn token(&self) -> &str {
        self.played.ready["tokens"]["wazo-auth"]["admin"]
            .as_str()
            .unwrap()
    }

    /// Makes a command that asks here, without a token.
    fn open(&self, arguments: &[&str]) -> Command {
        let mut command = program(&[&["wazo"], arguments].concat());
        command.env("WAZO_AUTH_URL", self.url());
        command
    }

    /// Asks with a token, and makes sure that it is not shown.
    fn ask_as(&self, token: &str, arguments: &[&str]) -> Run {
        let run = run(self.open(arguments).env("WAZO_AUTH_TOKEN", token));
        let shown = format!("{}{}", run.out, run.err);
        assert!(!shown.contains(token), "{shown}");
        run
    }

    fn ask(&self, arguments: &[&str]) -> Run {
        self.ask_as(self.token(), arguments)
    }

    /// Asks, and returns the one line that is printed.
    fn line(&self, arguments: &[&str]) -> String {
        self.ask(arguments).good().out.trim_end().to_owned()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        self.ask(&[arguments, &["--json"]].concat()).good().json()
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Makes a user with a password, and returns the uuid.
    fn user(&self, name: &str, password: &str) -> String {
        let file = self.file("password", password);
        self.line(&["users", "create", name, "--password-file", &file])
    }

    /// Logs in, and returns the token.
    fn log_in(&self, name: &str, password: &str, more: &[&str]) -> Run {
        let words = ["token", "create", "--username", name];
        run(self
            .open(&[&words, more].concat())
            .env("WAZO_AUTH_PASSWORD", password))
    }

    fn manage(&self, method: &str, what: &str, body: &str) -> Value {
        self.played.manage_of("wazo-auth", method, what, body)
    }
}

impl Run {
    /// Asserts that a check is negative, and that this is not an error.
    fn bad_check(self) {
        assert_eq!((self.code, self.err.as_str()), (1, ""), "{self:?}");
    }
}
