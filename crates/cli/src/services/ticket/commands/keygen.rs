//! `vouchsafe ticket keygen`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use vouchsafe::ticket::rw::PrivateKey;
use vouchsafe::ticket::{BlackboxEnv, KeyContainer, KeyId};

use super::keys::{SigningKey, key_failure, read_container, write_container};
use crate::failure::Failure;
use crate::files::SecretFile;
use crate::output::Answer;

/// Options of `vouchsafe ticket keygen`.
#[derive(Args, Debug)]
pub(super) struct KeygenArgs {
    /// The file to create for the private key, which only you can read
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The id of the key, which tickets refer to
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    id: u32,
    /// The length of the key
    #[arg(long, default_value_t = 2048)]
    bits: usize,
    /// The key is for service tickets [default if no --env is given]
    #[arg(long)]
    service: bool,
    /// The key is for user tickets of an environment; repeat for more
    #[arg(long = "env", value_name = "ENV", value_parser = super::env)]
    envs: Vec<BlackboxEnv>,
    /// The key container to add the public key to, created if it is missing [default: a new one is
    /// printed]
    #[arg(long, value_name = "FILE")]
    container: Option<PathBuf>,
}

pub(super) fn run(args: &KeygenArgs) -> Result<Answer, Failure> {
    let file = SecretFile::create_new(&args.out, "a key that is needed")?;
    let id = KeyId::new(args.id);
    let old = match &args.container {
        Some(path) if path.exists() => Some(read_container(path)?),
        _ => None,
    };
    let uses = args.uses();
    if let Some(old) = &old {
        refuse_taken(old, id, &uses)?;
    }
    let key = PrivateKey::generate(args.bits).map_err(key_failure)?;

    let mut container = KeyContainer::builder();
    if let Some(old) = &old {
        container = container.keys_of(old);
    }
    for usage in &uses {
        container = match usage {
            Some(env) => container.user_key(*env, id, key.public()),
            None => container.service_key(id, key.public()),
        };
    }
    let container = container.to_text();
    let bits = key.public().bits();
    SigningKey { id, key }.write(file)?;

    let mut value = json!({
        "id": id,
        "bits": bits,
        "file": args.out.to_string_lossy(),
        "for": uses.iter().map(|usage| named(*usage)).collect::<Vec<_>>(),
    });
    let human = match &args.container {
        Some(path) => {
            write_container(path, &container)?;
            value["container_file"] = path.to_string_lossy().into();
            format!(
                "key {id} in {}, its public half in {}",
                args.out.display(),
                path.display()
            )
        }
        None => {
            value["container"] = container.clone().into();
            container
        }
    };
    Ok(Answer::new(human, value))
}

impl KeygenArgs {
    /// What the key is for: `None` is service tickets.
    fn uses(&self) -> Vec<Option<BlackboxEnv>> {
        let mut uses = Vec::new();
        if self.service || self.envs.is_empty() {
            uses.push(None);
        }
        for env in self.envs.iter().copied().map(Some) {
            if !uses.contains(&env) {
                uses.push(env);
            }
        }
        uses
    }
}

/// Of two keys with the same id the first counts, so the new one would never be used.
fn refuse_taken(
    old: &KeyContainer,
    id: KeyId,
    uses: &[Option<BlackboxEnv>],
) -> Result<(), Failure> {
    let taken = |usage: &&Option<BlackboxEnv>| old.key_ids().any(|key| key == (id, **usage));
    let Some(usage) = uses.iter().find(taken) else {
        return Ok(());
    };
    let what = format!("the container has a key {id} for {} already", named(*usage));
    Err(Failure::usage(what).hint("give the new key another number with --id"))
}

fn named(usage: Option<BlackboxEnv>) -> &'static str {
    usage.map_or("service", BlackboxEnv::name)
}
