//! The sources of secrets. Arguments are not among them: other users of the machine can read those,
//! and shells store them.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use vouchsafe::core::{Secret, env};

use crate::failure::Failure;
use crate::prompt;

/// The values of the options of a secret.
pub(crate) struct Sources<'a> {
    /// Its name for people.
    pub(crate) what: &'static str,
    /// The prefix of the options: `NAME` in `--NAME-file`, `--NAME-env` and `--NAME-stdin`.
    pub(crate) options: &'static str,
    pub(crate) file: Option<&'a Path>,
    pub(crate) variable: Option<&'a str>,
    pub(crate) is_on_stdin: bool,
    /// Read if no option is given.
    pub(crate) default_variable: &'a str,
}

impl Sources<'_> {
    /// Returns whether it can be read without asking a person.
    pub(crate) fn is_given(&self) -> bool {
        let is_set = |name| env::var(name).is_ok_and(|text: Option<String>| text.is_some());
        self.file.is_some()
            || self.variable.is_some()
            || self.is_on_stdin
            || is_set(self.default_variable)
    }

    /// Reads the secret, without the end of its line, and returns the name of its source. If there
    /// is no source, a person at a terminal is asked. Nothing has been sent if this fails.
    pub(crate) fn read(&self) -> Result<(String, Secret), Failure> {
        let what = self.what;
        let flag = self.options;
        let flags = |last: &str| format!("--{flag}-file, --{flag}-env {last} --{flag}-stdin");
        let given = [
            self.file.is_some(),
            self.variable.is_some(),
            self.is_on_stdin,
        ];
        if given.iter().filter(|&&given| given).count() > 1 {
            let flags = flags("and");
            return Err(Failure::usage(format!(
                "one {what} is enough: give one of {flags}"
            )));
        }
        let source = match (self.file, self.variable) {
            (Some(path), _) => SecretSource::File(path.to_owned()),
            (None, Some(name)) => SecretSource::Variable(name.to_owned()),
            (None, None) if self.is_on_stdin => SecretSource::StandardInput,
            (None, None) if !self.is_given() && prompt::is_possible() => SecretSource::Prompt,
            (None, None) => SecretSource::Variable(self.default_variable.to_owned()),
        };
        source.read(what, &format!("set it, or use {}", flags("or")))
    }
}

/// The source of a secret.
pub(crate) enum SecretSource {
    File(PathBuf),
    Variable(String),
    StandardInput,
    Prompt,
}

impl SecretSource {
    /// Reads the secret, without the end of its line, and names the place for messages. The hint is
    /// for a variable that is not set.
    pub(crate) fn read(&self, what: &str, hint: &str) -> Result<(String, Secret), Failure> {
        let (place, read) = match self {
            Self::File(path) => {
                let read = File::open(path).and_then(read_secret);
                (format!("the {what} file {}", path.display()), read)
            }
            Self::StandardInput => {
                let read = read_secret(io::stdin().lock());
                ("standard input".to_owned(), read)
            }
            Self::Prompt => {
                let read = prompt::ask(what, MAX_INPUT);
                (format!("the {what} that was typed"), read)
            }
            Self::Variable(name) => {
                let Some(text) = env::secret(name)? else {
                    let message = format!("no {what}: {name} is not set in the environment");
                    return Err(Failure::usage(message).hint(hint));
                };
                (format!("the environment variable {name}"), Ok(text))
            }
        };
        let text =
            read.map_err(|cause| Failure::usage(format!("{place} cannot be read: {cause}")))?;
        if text.expose().trim().is_empty() {
            return Err(Failure::usage(format!("no {what}: {place} is empty")));
        }
        let line = text.expose().trim_end_matches(['\r', '\n']);
        Ok((place, Secret::from(line)))
    }
}

/// Refuses arguments that hold a secret, before anything can repeat them in a message.
pub(crate) fn refuse_in_arguments(
    arguments: &[OsString],
    holds_token: impl Fn(&str) -> bool,
) -> Result<(), Failure> {
    for argument in arguments.iter().map(|argument| argument.to_string_lossy()) {
        let names = |flag: &str| {
            let rest = argument.strip_prefix(flag);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
        };
        let what = match () {
            () if names("--token") || holds_token(&argument) => "token",
            () if names("--password") => "password",
            () if names("--client-secret") => "client-secret",
            () if names("--refresh-token") => "refresh-token",
            () => continue,
        };
        return Err(Failure::usage(format!(
            "a {what} cannot be an argument, since others on this machine can read those"
        ))
        .hint(format!("use --{what}-file, --{what}-env or --{what}-stdin")));
    }
    Ok(())
}

/// Reads a secret text.
pub(crate) fn read_secret(source: impl Read) -> io::Result<Secret> {
    // A token is short: a larger text is not one, and must not fill the memory.
    Secret::read(source, MAX_INPUT)
}

/// Reads a file that may hold secrets, such as the body of a request, or standard input for `-`.
pub(crate) fn read_document(path: &Path) -> Result<Secret, Failure> {
    let read = match path == Path::new("-") {
        true => Secret::read(io::stdin().lock(), MAX_DOCUMENT),
        false => File::open(path).and_then(|file| Secret::read(file, MAX_DOCUMENT)),
    };
    read.map_err(|cause| {
        let name = path.display().to_string();
        // A document in the place of its file's name may hold secrets.
        let shown = match name.trim_start().starts_with(['{', '[']) {
            true => "a file whose name looks like JSON",
            false => &name,
        };
        Failure::usage(format!("{shown} cannot be read: {cause}"))
    })
}

const MAX_INPUT: usize = 64 << 10;
/// More than anyone writes by hand.
const MAX_DOCUMENT: usize = 16 << 20;
