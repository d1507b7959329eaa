//! Where the program takes a token from, and where it puts a new one. Never an argument: others
//! on the machine can read those, and shells keep them.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use vouchsafe::core::store::Draft;
use vouchsafe::core::{Secret, env};

use crate::failure::Failure;

/// Options that say where the token is.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Token (never an argument: others can read those)")]
pub(crate) struct TokenArgs {
    /// Reads the token from a file
    #[arg(long, value_name = "FILE", global = true)]
    token_file: Option<PathBuf>,
    /// Reads the token from an environment variable [default: the service's own, such
    /// as ASTAKOS_TOKEN]
    #[arg(long, value_name = "NAME", global = true)]
    token_env: Option<String>,
    /// Reads the token from standard input
    #[arg(long, global = true)]
    token_stdin: bool,
}

impl TokenArgs {
    /// Reads a token of any form. Nothing has been sent if this fails.
    pub(crate) fn secret(&self, default_variable: &str) -> Result<Secret, Failure> {
        Ok(self.source(default_variable)?.1)
    }

    /// Returns whether there is a token to read.
    pub(crate) fn is_given(&self, default_variable: &str) -> bool {
        self.token_file.is_some()
            || self.token_env.is_some()
            || self.token_stdin
            || env::var(default_variable).is_ok_and(|text| text.is_some())
    }

    /// Reads a token of any form, and names the place it came from.
    pub(crate) fn source(&self, default_variable: &str) -> Result<(String, Secret), Failure> {
        let sources = [
            self.token_file.is_some(),
            self.token_env.is_some(),
            self.token_stdin,
        ];
        if sources.iter().filter(|&&given| given).count() > 1 {
            return Err(Failure::usage(
                "one token is enough: give one of --token-file, --token-env and --token-stdin",
            ));
        }
        let source = match (&self.token_file, self.token_stdin) {
            (Some(path), _) => SecretSource::File(path.clone()),
            (None, true) => SecretSource::StandardInput,
            (None, false) => {
                let name = self.token_env.as_deref().unwrap_or(default_variable);
                SecretSource::Variable(name.to_owned())
            }
        };
        source.read("set it, or use --token-file, --token-env or --token-stdin")
    }
}

/// A place that a secret is read from.
pub(crate) enum SecretSource {
    File(PathBuf),
    Variable(String),
    StandardInput,
}

impl SecretSource {
    /// Reads the secret, without the blanks around it, and names the place for messages. The hint
    /// is for a variable that is not set.
    pub(crate) fn read(&self, hint: &str) -> Result<(String, Secret), Failure> {
        let (place, read) = match self {
            Self::File(path) => {
                let read = File::open(path).and_then(read_secret);
                (format!("the token file {}", path.display()), read)
            }
            Self::StandardInput => {
                let read = read_secret(io::stdin().lock());
                ("standard input".to_owned(), read)
            }
            Self::Variable(name) => {
                let Some(text) = env::secret(name)? else {
                    let what = format!("no token: {name} is not set in the environment");
                    return Err(Failure::usage(what).hint(hint));
                };
                (format!("the environment variable {name}"), Ok(text))
            }
        };
        let text =
            read.map_err(|cause| Failure::usage(format!("{place} cannot be read: {cause}")))?;
        let text = text.trimmed();
        if text.is_empty() {
            return Err(Failure::usage(format!("no token: {place} is empty")));
        }
        Ok((place, text))
    }
}

/// Refuses arguments that hold a token, before anything can repeat them in a message.
pub(crate) fn refuse_in_arguments(arguments: &[OsString]) -> Result<(), Failure> {
    for argument in arguments.iter().map(|argument| argument.to_string_lossy()) {
        let names_it = argument == "--token" || argument.starts_with("--token=");
        if names_it || holds_token(&argument) {
            return Err(Failure::usage(
                "a token cannot be an argument, since others on this machine can read those",
            )
            .hint("use --token-file, --token-env or --token-stdin"));
        }
    }
    Ok(())
}

/// Returns whether a text holds what is, or nearly is, a token.
fn holds_token(text: &str) -> bool {
    text.match_indices("gt-").any(|(at, prefix)| {
        let rest = &text[at + prefix.len()..];
        let is_inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let key = rest.find(|c| !is_inner(c)).unwrap_or(rest.len());
        // A key that lost its end by careless copying is still part of a secret.
        key >= 16 && rest[key..].starts_with('.')
    })
}

/// Reads a text that is to be kept secret, or nearly so.
pub(crate) fn read_secret(source: impl Read) -> io::Result<Secret> {
    // A token is short: what is larger is not one, and must not fill the memory.
    Secret::read(source, MAX_TOKEN_INPUT)
}

/// A file for a new secret, opened before the secret is asked for, so that none is made that
/// cannot be kept.
pub(crate) struct SecretFile {
    target: PathBuf,
    draft: Draft,
    is_new: bool,
}

impl SecretFile {
    /// Opens a draft beside the target, readable by its owner only. It will replace the target.
    pub(crate) fn create(target: &Path) -> Result<Self, Failure> {
        let draft = Draft::beside(target).map_err(|cause| {
            Failure::usage(format!("{} cannot be written: {cause}", target.display()))
        })?;
        Ok(Self {
            target: target.to_owned(),
            draft,
            is_new: false,
        })
    }

    /// As [`create`](Self::create), for what must not take the place of anything: `what` says
    /// what that could be.
    pub(crate) fn create_new(target: &Path, what: &str) -> Result<Self, Failure> {
        if target.symlink_metadata().is_ok() {
            let message = format!("{} exists, and may hold {what}", target.display());
            return Err(Failure::usage(message).hint("name a new file with --out"));
        }
        let file = Self::create(target)?;
        Ok(Self {
            is_new: true,
            ..file
        })
    }

    /// Writes the secret and a line break, and puts the file in its place.
    pub(crate) fn keep(self, secret: &Secret) -> Result<(), Failure> {
        self.put(secret, "\n")
    }

    /// Writes the secret alone, for readers that take the file for the secret as it is.
    pub(crate) fn keep_bare(self, secret: &Secret) -> Result<(), Failure> {
        self.put(secret, "")
    }

    fn put(self, secret: &Secret, end: &str) -> Result<(), Failure> {
        let written = self.draft.write(secret.expose().as_bytes());
        let written = written.and_then(|()| self.draft.write(end.as_bytes()));
        let placed = written.and_then(|()| match self.is_new {
            true => self.draft.place_new(),
            false => self.draft.replace(),
        });
        placed.map_err(|cause| {
            let target = self.target.display();
            Failure::failed(format!("{target} cannot be written: {cause}"))
        })
    }
}

const MAX_TOKEN_INPUT: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const TOKEN: &str = "gt-0123456789012345678901.abcdefghijklmnopqrstuv";

    #[test]
    fn an_argument_that_holds_a_token_is_refused_without_repeating_it() {
        let in_url = format!("--repertoire-url=https://h/?t={TOKEN}");
        for argument in [TOKEN, &TOKEN[..30], &in_url, "--token", "--token=planted"] {
            let error = refuse_in_arguments(&["vouchsafe".into(), argument.into()]).unwrap_err();
            let text = format!("{error:?}");
            assert!(
                !text.contains("0123") && !text.contains("planted"),
                "{text}"
            );
        }
    }

    #[test]
    fn names_that_only_begin_like_a_token_pass() {
        let arguments = ["userinfo", "gt-ada", "gt-team.x:12", "--token-file=gt-x"];
        assert!(refuse_in_arguments(&arguments.map(OsString::from)).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn a_secret_file_is_its_owners_alone_and_replaces_an_old_one_whole() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("token");
        fs::write(&target, "old").unwrap();
        fs::set_permissions(&target, fs::Permissions::from_mode(0o644)).unwrap();

        drop(SecretFile::create(&target).unwrap());
        assert_eq!(fs::read_to_string(&target).unwrap(), "old");

        let file = SecretFile::create(&target).unwrap();
        file.keep(&Secret::from("new")).unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "new\n");
        assert_eq!(
            fs::metadata(&target).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_new_secret_file_takes_no_place_that_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("key");
        let file = SecretFile::create_new(&target, "a key").unwrap();
        fs::write(&target, "made meanwhile").unwrap();
        assert!(file.keep(&Secret::from("new")).is_err());
        assert!(SecretFile::create_new(&target, "a key").is_err());
        assert_eq!(fs::read_to_string(&target).unwrap(), "made meanwhile");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_secret_file_without_a_place_is_refused_before_there_is_a_secret() {
        let folder = tempfile::tempdir().unwrap();
        assert!(SecretFile::create(&folder.path().join("no/such")).is_err());
        assert!(SecretFile::create(folder.path()).is_err());
    }
}
