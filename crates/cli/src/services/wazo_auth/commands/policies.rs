//! Policies, and their accesses.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use vouchsafe::wazo_auth::{Client, NewPolicy, Policy, PolicyEdit, PolicyId};

use super::acl::read_patterns;
use super::list::{ListArgs, found};
use super::{change, columns, done, rows};
use crate::failure::Failure;
use crate::output::{Answer, pairs};
use crate::progress::counted;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Lists policies
    List {
        #[command(flatten)]
        list: ListArgs,
        /// Only those that can be changed (false), or only others (true)
        #[arg(long, value_name = "BOOLEAN")]
        read_only: Option<bool>,
    },
    /// Shows a policy with its accesses
    Show {
        /// The uuid or the slug
        policy: PolicyId,
    },
    /// Creates a policy, and prints the uuid
    Create(CreateArgs),
    /// Changes a policy; values that are not given are kept
    Edit(EditArgs),
    /// Deletes policies
    Delete {
        /// The uuids or the slugs
        #[arg(required = true)]
        policies: Vec<PolicyId>,
    },
    /// Adds an access to a policy
    AddAccess {
        /// The uuid or the slug
        policy: PolicyId,
        /// The access, such as 'confd.users.*.read'
        access: String,
    },
    /// Removes an access from a policy
    RemoveAccess {
        /// The uuid or the slug
        policy: PolicyId,
        /// The access, as the policy has it
        access: String,
    },
}

#[derive(Args, Debug)]
pub(super) struct CreateArgs {
    /// The name
    name: String,
    /// The slug, which cannot be changed later [default: derived from the name]
    #[arg(long)]
    slug: Option<String>,
    /// Its purpose
    #[arg(long)]
    description: Option<String>,
    #[command(flatten)]
    accesses: AccessArgs,
    /// Shows the policy in the tenants below too
    #[arg(long)]
    shared: bool,
}

#[derive(Args, Debug)]
pub(super) struct EditArgs {
    /// The uuid or the slug
    policy: PolicyId,
    /// The name
    #[arg(long)]
    name: Option<String>,
    /// Its purpose; '' for none
    #[arg(long)]
    description: Option<String>,
    #[command(flatten)]
    accesses: AccessArgs,
}

/// Options for the accesses of a policy.
#[derive(Args, Debug)]
struct AccessArgs {
    /// An access, such as 'confd.users.*.read'; repeat for more. All others are removed
    #[arg(long = "access", value_name = "ACCESS")]
    accesses: Vec<String>,
    /// Reads the accesses from a file: one per line, or a JSON list
    #[arg(long, value_name = "FILE", conflicts_with = "accesses")]
    access_file: Option<PathBuf>,
}

impl AccessArgs {
    fn read(self) -> Result<Option<Vec<String>>, Failure> {
        match self.access_file {
            Some(path) => read_patterns(&path).map(Some),
            None => Ok(Some(self.accesses).filter(|all| !all.is_empty())),
        }
    }
}

pub(super) async fn run(client: &Client, command: Command) -> Result<Answer, Failure> {
    let policies = client.policies();
    match command {
        Command::List { list, read_only } => {
            let mut request = policies.list();
            if let Some(read_only) = read_only {
                request = request.read_only(read_only);
            }
            // The service's count ignores the filters.
            let found = found!(request, &list, "policies", |page| None);
            Ok(found.answer(columns::POLICIES, columns::policy))
        }
        Command::Show { policy } => Ok(shown(&policies.get(&policy).await?)),
        Command::Create(args) => {
            let mut policy = NewPolicy::new(args.name);
            policy.slug = args.slug;
            policy.description = args.description;
            policy.acl = args.accesses.read()?.unwrap_or_default();
            policy.shared = args.shared.then_some(true);
            let policy = policies.create(&policy).await?;
            Ok(Answer::new(policy.uuid.to_string(), json!(policy)))
        }
        Command::Edit(args) => {
            let accesses = args.accesses.read()?;
            // The service removes values that an edit leaves out.
            let mut edit = PolicyEdit::from(&policies.get(&args.policy).await?);
            edit.name = args.name.unwrap_or(edit.name);
            change(&mut edit.description, args.description);
            edit.acl = accesses.unwrap_or(edit.acl);
            Ok(shown(&policies.edit(&args.policy, &edit).await?))
        }
        Command::Delete { policies: all } => {
            for policy in counted("policies", &all) {
                policies.delete(policy).await?;
            }
            Ok(done("deleted"))
        }
        Command::AddAccess { policy, access } => {
            policies.add_access(&policy, &access).await?;
            Ok(done("added"))
        }
        Command::RemoveAccess { policy, access } => {
            policies.remove_access(&policy, &access).await?;
            Ok(done("removed"))
        }
    }
}

fn shown(policy: &Policy) -> Answer {
    let mut rows = rows([
        ("uuid", Some(policy.uuid.to_string())),
        ("name", Some(policy.name.clone())),
        ("slug", Some(policy.slug.clone())),
        ("description", policy.description.clone()),
        ("tenant", Some(policy.tenant_uuid.to_string())),
        ("read only", Some(policy.read_only.to_string())),
        ("shared", Some(policy.shared.to_string())),
    ]);
    let accesses = policy.acl.iter();
    rows.extend(accesses.map(|access| ("access".to_owned(), access.clone())));
    Answer::new(pairs(rows), json!(policy))
}
