//! Groups, their members and their policies.

use clap::Subcommand;
use serde_json::json;
use vouchsafe::wazo_auth::{Client, Group, GroupEdit, NewGroup, PolicyId};

use super::list::{ListArgs, found};
use super::{columns, done, lookup, rows};
use crate::failure::Failure;
use crate::output::{Answer, pairs};
use crate::progress::counted;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Lists groups
    List(ListArgs),
    /// Shows a group
    Show {
        /// The uuid, name or slug
        group: String,
    },
    /// Creates a group, and prints the uuid
    Create {
        /// The name
        name: String,
        /// The slug, which cannot be changed later [default: derived from the name]
        #[arg(long)]
        slug: Option<String>,
    },
    /// Renames a group
    Rename {
        /// The uuid, name or slug
        group: String,
        /// The new name
        name: String,
    },
    /// Deletes groups
    Delete {
        /// The uuids, names or slugs
        #[arg(required = true)]
        groups: Vec<String>,
    },
    /// Lists the users of a group
    Users {
        /// The uuid, name or slug
        group: String,
        #[command(flatten)]
        list: ListArgs,
    },
    /// Adds users to a group
    AddUsers {
        /// The uuid, name or slug of the group
        group: String,
        /// The uuids or the user names
        #[arg(required = true)]
        users: Vec<String>,
    },
    /// Removes users from a group
    RemoveUsers {
        /// The uuid, name or slug of the group
        group: String,
        /// The uuids or the user names
        #[arg(required = true)]
        users: Vec<String>,
    },
    /// Lists the policies of a group
    Policies {
        /// The uuid, name or slug
        group: String,
        #[command(flatten)]
        list: ListArgs,
    },
    /// Adds a policy to a group
    AddPolicy {
        /// The uuid, name or slug of the group
        group: String,
        /// The uuid or the slug of the policy
        policy: PolicyId,
    },
    /// Removes a policy from a group
    RemovePolicy {
        /// The uuid, name or slug of the group
        group: String,
        /// The uuid or the slug of the policy
        policy: PolicyId,
    },
}

pub(super) async fn run(client: &Client, command: Command) -> Result<Answer, Failure> {
    let id = async |text: &str| lookup::group(client, text).await;
    let groups = client.groups();
    match command {
        Command::List(args) => {
            let found = found!(groups.list(), &args, "groups");
            Ok(found.answer(columns::GROUPS, columns::group))
        }
        Command::Show { group } => Ok(shown(&groups.get(&id(&group).await?).await?)),
        Command::Create { name, slug } => {
            let mut group = NewGroup::new(name);
            group.slug = slug;
            let group = groups.create(&group).await?;
            Ok(Answer::new(group.uuid.to_string(), json!(group)))
        }
        Command::Rename { group, name } => {
            let group = id(&group).await?;
            Ok(shown(&groups.edit(&group, &GroupEdit::new(name)).await?))
        }
        Command::Delete { groups: all } => {
            let mut found = Vec::new();
            for group in &all {
                found.push(id(group).await?);
            }
            for group in counted("groups", &found) {
                groups.delete(group).await?;
            }
            Ok(done("deleted"))
        }
        Command::Users { group, list } => {
            let group = id(&group).await?;
            let found = found!(groups.get_users(&group), &list, "users");
            Ok(found.answer(columns::USERS, columns::user))
        }
        Command::AddUsers { group, users } => {
            let group = id(&group).await?;
            let users = lookup::users(client, &users).await?;
            for user in counted("users", &users) {
                groups.add_user(&group, user).await?;
            }
            Ok(done("added"))
        }
        Command::RemoveUsers { group, users } => {
            let group = id(&group).await?;
            let users = lookup::users(client, &users).await?;
            for user in counted("users", &users) {
                groups.remove_user(&group, user).await?;
            }
            Ok(done("removed"))
        }
        Command::Policies { group, list } => {
            let group = id(&group).await?;
            let found = found!(groups.get_policies(&group), &list, "policies");
            Ok(found.answer(columns::POLICIES, columns::policy))
        }
        Command::AddPolicy { group, policy } => {
            groups.add_policy(&id(&group).await?, &policy).await?;
            Ok(done("added"))
        }
        Command::RemovePolicy { group, policy } => {
            groups.remove_policy(&id(&group).await?, &policy).await?;
            Ok(done("removed"))
        }
    }
}

fn shown(group: &Group) -> Answer {
    let rows = rows([
        ("uuid", Some(group.uuid.to_string())),
        ("name", Some(group.name.clone())),
        ("slug", Some(group.slug.clone())),
        ("tenant", Some(group.tenant_uuid.to_string())),
        (
            "managed by the system",
            Some(group.system_managed.to_string()),
        ),
    ]);
    Answer::new(pairs(rows), json!(group))
}
