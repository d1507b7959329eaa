//! The emulators of tvmtool, tvm-api and tirole over TCP: options, initial state, paths and tokens.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use clap::Args;
use vouchsafe::core::Secret;
use vouchsafe::core::text::str_without_mark;
use vouchsafe::ticket::mock::Server;
use vouchsafe::ticket::{Roles, TvmId, Uid};

use crate::failure::Failure;
use crate::files::{SecretFile, put_public};
use crate::secret::SecretSource;
use crate::service::{Emulator, Part};

/// Options for the state of tvmtool, tvm-api and tirole.
#[derive(Args, Debug, Default)]
#[command(next_help_heading = "tvmtool, tvm-api and tirole")]
pub(crate) struct TvmArgs {
    /// The configuration file of tvmtool, which sets the state of all three [default: a small
    /// built-in one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The roles document of a role system; repeat for more
    #[arg(long, value_name = "SLUG=FILE", value_parser = roles)]
    roles: Vec<(String, PathBuf)>,
    /// Reads the token that tvmtool asks for from a file [default: a random one]
    #[arg(long, value_name = "FILE")]
    tvmtool_token_file: Option<PathBuf>,
    /// Reads that token from an environment variable
    #[arg(long, value_name = "NAME", conflicts_with = "tvmtool_token_file")]
    tvmtool_token_env: Option<String>,
    /// Writes the files tvmtool.port and tvmtool.authtoken to a folder
    #[arg(long, value_name = "FOLDER")]
    tvmtool_files: Option<PathBuf>,
}

impl TvmArgs {
    /// Refuses options without effect. `serves` returns whether any of some servers is served.
    pub(crate) fn check(&self, serves: impl Fn(&[&str]) -> bool) -> Result<(), Failure> {
        let of_tool = [
            ("--tvmtool-files", self.tvmtool_files.is_some()),
            ("--tvmtool-token-file", self.tvmtool_token_file.is_some()),
            ("--tvmtool-token-env", self.tvmtool_token_env.is_some()),
        ];
        let of_all = [
            ("--config", self.config.is_some()),
            ("--roles", !self.roles.is_empty()),
        ];
        for (options, parts) in [(&of_tool[..], &[ALL, TOOL][..]), (&of_all, PARTS)] {
            let given = options.iter().find(|(_, is_given)| *is_given);
            if let Some((option, _)) = given.filter(|_| !serves(parts)) {
                let parts = parts.join(", ");
                let what = format!("{option} is for {parts}, and none of them is served");
                let hint = "the configuration of a seed is named in --seed FILE#CONFIG";
                return Err(Failure::usage(what).hint(hint));
            }
        }
        Ok(())
    }

    /// Writes the files that clients of tvmtool look for, if the options ask for them and `part` is
    /// tvmtool.
    pub(crate) fn leave_files(&self, part: &Part, port: Option<u16>) -> Result<(), Failure> {
        let (Some(folder), Some(token)) = (&self.tvmtool_files, part.tokens.get(AUTHTOKEN)) else {
            return Ok(());
        };
        let Some(port) = port else {
            let what = "--tvmtool-files is for a port, and tvmtool is served on a socket file";
            return Err(Failure::usage(what));
        };
        // Clients use the contents of the files as they are.
        SecretFile::create(&folder.join("tvmtool.authtoken"))?.keep_bare(token)?;
        let path = folder.join("tvmtool.port");
        put_public(&path, port.to_string().as_bytes())
            .map_err(|cause| unusable("--tvmtool-files", &path, cause))
    }

    fn token(&self) -> Result<Option<Secret>, Failure> {
        let source = match (&self.tvmtool_token_file, &self.tvmtool_token_env) {
            (Some(path), _) => SecretSource::File(path.clone()),
            (None, Some(name)) => SecretSource::Variable(name.clone()),
            (None, None) => return Ok(None),
        };
        let (place, token) = source.read("token", "set it, or use --tvmtool-token-file")?;
        let token = token.trimmed();
        if !token.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
            let what =
                format!("the content of {place} cannot be a token: it is not valid in a header");
            return Err(Failure::usage(what));
        }
        Ok(Some(token))
    }
}

/// Creates the three servers.
pub(super) fn make(args: &TvmArgs) -> Result<Emulator, Failure> {
    let (server, services) = match args.config.as_deref() {
        Some(path) => (of_config(path)?, &[][..]),
        None => (Server::sample(), WHOSE),
    };
    for (slug, path) in &args.roles {
        server.set_roles(slug, &document(path)?);
    }
    if let Some(token) = args.token()? {
        server.set_tool_token(token);
    }
    server.keep_as_start();
    let mut tool = Part::default();
    tool.tokens.insert(AUTHTOKEN, server.tool_token());
    let ticket = server.mint_user(server.env(), &[Uid::new(2001), Uid::new(2002)])?;
    tool.tokens.insert("user_ticket", ticket);
    let mut api = Part::default();
    for &(name, id) in services {
        api.tokens
            .extend(server.service_secret(id).map(|secret| (name, secret)));
    }
    let all = Part {
        paths: [TOOL, API, TIROLE].map(|name| (name, String::new())).into(),
        tokens: tool
            .tokens
            .iter()
            .chain(&api.tokens)
            .map(|(&name, token)| (name, token.clone()))
            .collect(),
    };
    Ok(Emulator {
        host: server.host().clone(),
        parts: [
            (ALL, all),
            (TOOL, tool),
            (API, api),
            (TIROLE, Part::default()),
        ]
        .into(),
    })
}

fn of_config(path: &Path) -> Result<Server, Failure> {
    let text = fs::read_to_string(path).map_err(|cause| unusable("--config", path, cause))?;
    Server::from_tool_config(&text).map_err(|error| unusable("--config", path, error.message()))
}

/// Validates the document here, since an invalid one would look like a failure of the client.
fn document(path: &Path) -> Result<String, Failure> {
    let text = fs::read_to_string(path).map_err(|cause| unusable("--roles", path, cause))?;
    Roles::parse(&text, UNIX_EPOCH).map_err(|error| unusable("--roles", path, error.message()))?;
    Ok(str_without_mark(&text).to_owned())
}

fn roles(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((slug, path)) if !slug.is_empty() && !path.is_empty() => {
            Ok((slug.to_owned(), path.into()))
        }
        _ => Err("not SLUG=FILE".to_owned()),
    }
}

fn unusable(option: &str, path: &Path, why: impl std::fmt::Display) -> Failure {
    Failure::usage(format!("{option} {}: {why}", path.display()))
}

/// Their part of the help of `serve`.
pub(super) const NOTES: &str = "\
tvmtool, tvm-api and tirole share one state. \"ticket\" is the name of its management, and that of \
all three servers on one port. The tokens of tvmtool are \"authtoken\", and \"user_ticket\" to try.";

/// The name for all three servers on one port, and their own names.
pub(super) const PARTS: &[&str] = &[ALL, TOOL, API, TIROLE];

const ALL: &str = "ticket";
const TOOL: &str = "tvmtool";
const API: &str = "tvm-api";
const TIROLE: &str = "tirole";

const AUTHTOKEN: &str = "authtoken";

const WHOSE: &[(&str, TvmId)] = &[
    ("shop", Server::SHOP),
    ("cart", Server::CART),
    ("crawler", Server::CRAWLER),
    ("me", Server::ME),
];
