//! Which installation is asked, and by which token.

use clap::Args;
use vouchsafe::core::Secret;
use vouchsafe::userinfo::Token;

use crate::connection::{self, ConnectionArgs};
use crate::failure::Failure;
use crate::token::TokenArgs;

/// Options that say which installation is asked.
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
    /// Returns where Repertoire is.
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
        .map_err(|fault| Failure::usage(format!("what {place} holds is not a token: {fault}")))
}

const URL_VARIABLE: &str = "REPERTOIRE_BASE_URL";
const TOKEN_VARIABLE: &str = "GAFAELFAWR_TOKEN";

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::token::SecretSource;

    const TOKEN: &str = "gt-0123456789012345678901.abcdefghijklmnopqrstuv";

    #[test]
    fn a_fault_of_form_tells_the_place_and_not_the_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let read = |text: &str| {
            fs::write(&path, text).unwrap();
            let (place, text) = SecretSource::File(path.clone()).read("")?;
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
}
