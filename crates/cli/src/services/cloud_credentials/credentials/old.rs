//! The command line of `summit.py` that writes credentials: `-C --R0 cred-init.json --write`
//! (protocol section 14.1).

use std::ffi::OsStr;
use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::init::Given;
use super::reach::Reach;
use crate::failure::Failure;
use crate::output::Answer;
use crate::service::Done;
use crate::terminal::to_json;

/// Options of the older tool.
#[derive(Args, Debug)]
#[command(next_help_heading = "As summit.py: -C --R0 cred-init.json --write")]
pub(super) struct OldArgs {
    /// Uses Credentials, the only class that is known here
    #[arg(short = 'C')]
    class: bool,
    /// A file with a JSON object of arguments, - for standard input, or the object itself if it has
    /// no secrets; repeat to add more
    #[arg(long = "R0", value_name = "JSON")]
    arguments: Vec<String>,
    /// Writes the credentials into the file
    #[arg(long = "write")]
    writes: bool,
    /// Prints the numbers of the documents as JSON
    #[arg(short = 'j')]
    prints: bool,
}

impl OldArgs {
    /// Refuses them beside a command.
    pub(super) fn refuse(&self) -> Result<(), Failure> {
        match self.class || self.writes || self.prints || !self.arguments.is_empty() {
            true => Err(Failure::usage(
                "-C, --R0, --write and -j are for use without a command",
            )),
            false => Ok(()),
        }
    }
}

pub(super) async fn run(reach: &Reach, args: &OldArgs) -> Done {
    if !args.class || !args.writes {
        return Err(Failure::usage("no command is given")
            .hint("vouchsafe credentials --help lists them; -C and --write belong together"));
    }
    let mut given = Given::default();
    for argument in &args.arguments {
        match serde_json::from_str::<Value>(argument) {
            Ok(value) => {
                refuse_secrets(&value)?;
                given.merge(value, "--R0")?;
            }
            Err(_) => given.read(Path::new(OsStr::new(argument)))?,
        }
    }
    let ids = given.write_resolved(reach).await?;
    // As the older tool says it, for scripts that read it.
    eprintln!("Credentials.write_credentials");
    let ids = json!(ids);
    let answer = match args.prints {
        true => Answer::new(to_json(&ids), ids),
        false => Answer::silent(ids),
    };
    Ok((answer, ExitCode::SUCCESS))
}

/// Refuses an object that others on the machine could read secrets from.
fn refuse_secrets(value: &Value) -> Result<(), Failure> {
    let secrets = [
        "client_secret",
        "refresh_token",
        "access_token",
        "developer_token",
        "auth",
        "cookies",
    ];
    let found = secrets.into_iter().find(|name| !value[name].is_null());
    match found {
        Some(name) => Err(Failure::usage(format!(
            "--R0: {name} cannot be an argument, since others on this machine can read those"
        ))
        .hint("put it into a file, and give the name of that")),
        None => Ok(()),
    }
}
