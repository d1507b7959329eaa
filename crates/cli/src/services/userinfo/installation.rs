//! The installation and the token of the commands.

use clap::Args;
use vouchsafe::core::Secret;
use vouchsafe::userinfo::Token;

use crate::connection::{self, ConnectionArgs};
use crate::failure::Failure;
use crate::token::TokenArgs;

/// Options for the installation.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Connection")]
pub(super) struct InstallationArgs {
    /// Where Repertoire is [default: the environment variable REPERTOIRE_BASE_URL]
    #[arg(long, value_name = "URL", global = true)]
    repertoire_url: Option<String>,
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
}

impl InstallationArgs {
    /// Returns the URL of Repertoire.
    pub(super) fn repertoire_url(&self) -> Result<String, Failure> {
        connection::url(
            "--repertoire-url",
            self.repertoire_url.as_deref(),
            URL_VARIABLE,
        )
    }
}

/// Reads the token of an installation. Nothing has been sent if this fails.
pub(super) fn token(args: &TokenArgs) -> Result<Token, Failure> {
    let (place, text) = args.source(TOKEN_VARIABLE)?;
    parse(&place, &text)
}

fn parse(place: &str, text: &Secret) -> Result<Token, Failure> {
    Token::parse(text.expose())
        .map_err(|fault| Failure::usage(format!("the content of {place} is not a token: {fault}")))
}

/// Returns whether a text is, or nearly is, a token.
pub(super) fn holds_token(text: &str) -> bool {
    text.match_indices("gt-").any(|(at, prefix)| {
        let rest = &text[at + prefix.len()..];
        let is_inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let key = rest.find(|c| !is_inner(c)).unwrap_or(rest.len());
        // A key that lost its end when it was copied is still part of a secret.
        key >= 16 && rest[key..].starts_with('.')
    })
}

const URL_VARIABLE: &str = "REPERTOIRE_BASE_URL";
pub(super) const TOKEN_VARIABLE: &str = "GAFAELFAWR_TOKEN";

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::fs;

    use super::*;
    use crate::secret::{SecretSource, refuse_in_arguments};

    const TOKEN: &str = "gt-0123456789012345678901.abcdefghijklmnopqrstuv";

    #[test]
    fn a_fault_of_form_tells_the_place_and_not_the_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let read = |text: &str| {
            fs::write(&path, text).unwrap();
            let (place, text) = SecretSource::File(path.clone()).read("token", "")?;
            let text = text.trimmed();
            parse(&place, &text)
        };
        for text in [
            "planted",
            "gt-planted",
            "gt-0123456789012345678901.planted",
            "",
            " \n",
        ] {
            let shown = format!("{:?}", read(text).unwrap_err());
            assert!(
                shown.contains("the token file") && !shown.contains("planted"),
                "{shown}"
            );
        }
        assert!(read(&format!(" {TOKEN}\n")).is_ok());
    }

    #[test]
    fn an_argument_that_holds_a_token_is_refused_without_repeating_it() {
        let in_url = format!("--repertoire-url=https://h/?t={TOKEN}");
        for argument in [TOKEN, &TOKEN[..30], &in_url, "--token", "--token=planted"] {
            let error = refuse_in_arguments(&["vouchsafe".into(), argument.into()], holds_token)
                .unwrap_err();
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
        assert!(refuse_in_arguments(&arguments.map(OsString::from), holds_token).is_ok());
    }
}
