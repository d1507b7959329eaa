//! Commands that ask a person: `generate`, and `remove` (protocol section 14.2).

use clap::Args;
use serde_json::json;

use super::init::Given;
use super::reach::Reach;
use crate::failure::Failure;
use crate::output::Answer;
use crate::prompt;

/// Options of `generate`.
#[derive(Args, Debug)]
pub(super) struct GenerateArgs {
    /// Writes without asking for confirmation
    #[arg(long)]
    yes: bool,
}

/// Options of `remove`.
#[derive(Args, Debug)]
pub(super) struct RemoveArgs {
    /// The profile; without it, asks
    name: Option<String>,
    /// Removes it without asking for confirmation
    #[arg(long)]
    yes: bool,
}

pub(super) async fn generate(reach: &Reach, args: &GenerateArgs) -> Result<Answer, Failure> {
    need_terminal("vouchsafe credentials init reads files and variables instead")?;
    eprintln!("\nCollecting info needed to generate credentials file...\n");
    let secret = |what| prompt::ask(what, LIMIT).map_err(given_up);
    let id = secret("CLIENT_ID")?;
    let client_secret = secret("CLIENT_SECRET")?;
    let refresh_token = secret("REFRESH_TOKEN")?;
    let profile = match reach.profile()? {
        Some(profile) => profile,
        None => match &*line("PROFILE [default]: ")? {
            "" => "default".to_owned(),
            typed => typed.to_owned(),
        },
    };
    if [&id, &client_secret, &refresh_token]
        .into_iter()
        .any(|value| value.trimmed().is_empty())
    {
        return Err(Failure::usage("a value is empty; nothing was written"));
    }
    if !args.yes
        && !confirmed(&format!(
            "\nWrite credentials to PROFILE '{profile}' [Y/N]? "
        ))?
    {
        let told = "Write credentials operation aborted.";
        return Ok(Answer::new(told, json!({"written": false})));
    }
    eprintln!("\nWriting credentials file...\n");
    let given = Given::asked(
        id.trimmed().expose().to_owned(),
        client_secret.trimmed(),
        refresh_token.trimmed(),
        profile.clone(),
    );
    given.write(reach).await?;
    let path = reach.store()?.path().display().to_string();
    let value = json!({"written": true, "profile": profile, "file": path});
    Ok(Answer::new("Done!", value))
}

pub(super) async fn remove(reach: &Reach, args: RemoveArgs) -> Result<Answer, Failure> {
    let is_asked = args.name.is_none();
    let name = match args.name {
        Some(name) => name,
        None => {
            need_terminal("give the name of the profile")?;
            line("PROFILE to remove: ")?
        }
    };
    // A person who is asked sees what came of it; as in the older tool, that is no failure.
    let nothing = |told: String| Ok(Answer::new(told, json!({"removed": false})));
    if name.is_empty() && is_asked {
        return nothing("Must specify a PROFILE to remove.".to_owned());
    }
    if name.is_empty() {
        return Err(Failure::usage("no profile is named"));
    }
    if !args.yes {
        need_terminal("give --yes")?;
        if !confirmed(&format!("Delete PROFILE '{name}' [Y/N]? "))? {
            return nothing("Remove PROFILE operation aborted.".to_owned());
        }
    }
    let credentials = reach.bare()?.build()?;
    match credentials.remove_profile(&name).await? {
        true => Ok(Answer::new(
            format!("removed the profile {name}"),
            json!({"removed": true}),
        )),
        false if is_asked => nothing(format!("PROFILE '{name}' not found.")),
        false => Err(Failure::not_found(format!("there is no profile {name}"))),
    }
}

fn need_terminal(instead: &str) -> Result<(), Failure> {
    match prompt::is_possible() {
        true => Ok(()),
        false => Err(Failure::usage("there is no terminal to ask on").hint(instead)),
    }
}

/// Asks until the answer is yes or no.
fn confirmed(question: &str) -> Result<bool, Failure> {
    loop {
        match line(question)?.to_ascii_lowercase().as_str() {
            "y" => return Ok(true),
            "n" => return Ok(false),
            _ => {}
        }
    }
}

fn line(question: &str) -> Result<String, Failure> {
    prompt::line(question, LIMIT).map_err(given_up)
}

fn given_up(cause: std::io::Error) -> Failure {
    Failure::usage(format!("nothing was changed: {cause}"))
}

const LIMIT: usize = 64 << 10;
