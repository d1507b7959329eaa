//! Users, their groups and policies.

use clap::{Args, Subcommand};
use serde_json::json;
use vouchsafe::wazo_auth::{
    Client, EmailList, NewEmail, NewUser, PasswordChange, PasswordReset, PolicyId, TenantUuid,
    User, UserEdit, UserPurpose, UserUuid,
};

use super::import::{self, ImportArgs};
use super::list::{ListArgs, found};
use super::login::{NEW_PASSWORD_VARIABLE, PasswordArgs, password_help};
use super::{change, columns, done, lookup, rows, sessions};
use crate::failure::Failure;
use crate::output::{Answer, pairs};
use crate::progress::counted;
use crate::secret::Sources;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Lists users
    List(UserListArgs),
    /// Shows a user
    Show {
        /// The uuid or the user name
        user: String,
    },
    /// Creates a user, and prints the uuid
    Create(CreateArgs),
    /// Creates the users in a file, several concurrently
    Import(ImportArgs),
    /// Changes a user; values that are not given are kept
    Edit(EditArgs),
    /// Deletes users. Their tokens stay valid until they expire
    Delete {
        /// The uuids or the user names
        #[arg(required = true)]
        users: Vec<String>,
    },
    /// Sets the password of a user, which ends all sessions of the user
    #[command(mut_arg("password_env", |arg| arg.help(password_help(NEW_PASSWORD_VARIABLE))))]
    SetPassword {
        /// The uuid or the user name
        user: String,
        #[command(flatten)]
        password: PasswordArgs,
        /// Removes the password instead: the user can no longer log in with a password
        #[arg(long, conflicts_with_all = ["password_file", "password_env", "password_stdin"])]
        remove: bool,
    },
    /// Changes the password of a user who knows the old one, which ends all sessions of the user
    #[command(mut_arg("password_env", |arg| arg.help(password_help(NEW_PASSWORD_VARIABLE))))]
    ChangePassword {
        /// The uuid or the user name
        user: String,
        #[command(flatten)]
        password: PasswordArgs,
        /// Reads the old password from a file [default: the environment variable
        /// WAZO_AUTH_OLD_PASSWORD; at a terminal, asks if that is not set]
        #[arg(long, value_name = "FILE")]
        old_password_file: Option<std::path::PathBuf>,
    },
    /// Replaces the e-mail addresses of a user; the first is the main one
    SetEmails {
        /// The uuid or the user name
        user: String,
        /// The addresses; without any, all are removed
        addresses: Vec<String>,
    },
    /// Lists the policies of a user
    Policies {
        /// The uuid or the user name
        user: String,
        #[command(flatten)]
        list: ListArgs,
    },
    /// Adds a policy to a user
    AddPolicy {
        /// The uuid or the user name
        user: String,
        /// The uuid or the slug of the policy
        policy: PolicyId,
    },
    /// Removes a policy from a user
    RemovePolicy {
        /// The uuid or the user name
        user: String,
        /// The uuid or the slug of the policy
        policy: PolicyId,
    },
    /// Lists the groups of a user
    Groups {
        /// The uuid or the user name
        user: String,
        #[command(flatten)]
        list: ListArgs,
    },
    /// Lists the sessions of a user
    Sessions {
        /// The uuid or the user name
        user: String,
        #[command(flatten)]
        list: ListArgs,
    },
}

#[derive(Args, Debug)]
pub(super) struct UserListArgs {
    #[command(flatten)]
    list: ListArgs,
    /// Only users with this purpose: user, internal or external_api
    #[arg(long)]
    purpose: Option<String>,
    /// Only the user with this e-mail address
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// Only users in this group, by uuid, name or slug
    #[arg(long)]
    group: Option<String>,
    /// Only users with this policy, directly or through a group, by slug
    #[arg(long, value_name = "SLUG")]
    policy: Option<String>,
}

#[derive(Args, Debug)]
#[command(mut_arg("password_env", |arg| arg.help(password_help(NEW_PASSWORD_VARIABLE))))]
pub(super) struct CreateArgs {
    /// The user name
    username: String,
    #[command(flatten)]
    of: OfUser,
    /// The main e-mail address, which counts as confirmed
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// Creates the user without a password: it can be set later
    #[arg(long, conflicts_with_all = ["password_file", "password_env", "password_stdin"])]
    no_password: bool,
    #[command(flatten)]
    password: PasswordArgs,
}

#[derive(Args, Debug)]
pub(super) struct EditArgs {
    /// The uuid or the user name
    user: String,
    /// The user name; '' for none
    #[arg(long)]
    username: Option<String>,
    #[command(flatten)]
    of: OfUser,
}

/// Options for both a new and a changed user.
#[derive(Args, Debug)]
struct OfUser {
    /// The first name; '' for none
    #[arg(long)]
    firstname: Option<String>,
    /// The last name; '' for none
    #[arg(long)]
    lastname: Option<String>,
    /// The purpose of the user: user, internal or external_api
    #[arg(long)]
    purpose: Option<String>,
    /// The identity provider that has the password, such as default, native, ldap or saml
    #[arg(long, value_name = "METHOD")]
    authentication_method: Option<String>,
    /// Whether the user may log in. Turning it off ends all sessions of the user
    #[arg(long, value_name = "BOOLEAN")]
    enabled: Option<bool>,
}

pub(super) async fn run(client: &Client, command: Command) -> Result<Answer, Failure> {
    let id = async |text: &str| lookup::user(client, text).await;
    let users = client.users();
    match command {
        Command::List(args) => list(client, args).await,
        Command::Show { user } => Ok(shown(&users.get(&id(&user).await?).await?)),
        Command::Create(args) => create(client, args).await,
        Command::Import(args) => import::run(client, args).await,
        Command::Edit(args) => edit(client, args).await,
        Command::Delete { users: all } => {
            // All are looked up before the first is deleted.
            let found = lookup::users(client, &all).await?;
            for user in counted("users", &found) {
                users.delete(user).await?;
            }
            Ok(done("deleted"))
        }
        Command::SetPassword {
            user,
            password,
            remove,
        } => {
            let user = id(&user).await?;
            let password = match remove {
                true => None,
                false => Some(password.new_secret()?),
            };
            let reset = PasswordReset::new(password);
            users.set_password(&user, &reset).await?;
            Ok(done(if remove { "removed" } else { "set" }))
        }
        Command::ChangePassword {
            user,
            password,
            old_password_file,
        } => {
            let old = Sources {
                what: "old password",
                options: "old-password",
                file: old_password_file.as_deref(),
                variable: None,
                is_on_stdin: false,
                default_variable: "WAZO_AUTH_OLD_PASSWORD",
            };
            let (_, old) = old.read()?;
            let edit = PasswordChange::new(old, password.new_secret()?);
            users.change_password(&id(&user).await?, &edit).await?;
            Ok(done("changed"))
        }
        Command::SetEmails { user, addresses } => {
            let emails = addresses.iter().enumerate();
            let emails = emails.map(|(at, address)| NewEmail::new(address).main(at == 0));
            let user = id(&user).await?;
            let kept = users.update_emails(&user, &EmailList::new(emails)).await?;
            let lines: Vec<_> = kept.iter().map(|email| email.address.clone()).collect();
            Ok(Answer::new(lines.join("\n"), json!(kept)))
        }
        Command::Policies { user, list } => {
            let user = id(&user).await?;
            let found = found!(users.get_policies(&user), &list, "policies");
            Ok(found.answer(columns::POLICIES, columns::policy))
        }
        Command::AddPolicy { user, policy } => {
            users.add_policy(&id(&user).await?, &policy).await?;
            Ok(done("added"))
        }
        Command::RemovePolicy { user, policy } => {
            users.remove_policy(&id(&user).await?, &policy).await?;
            Ok(done("removed"))
        }
        Command::Groups { user, list } => {
            let user = id(&user).await?;
            let found = found!(users.get_groups(&user), &list, "groups");
            Ok(found.answer(columns::GROUPS, columns::group))
        }
        Command::Sessions { user, list } => {
            let user = id(&user).await?;
            sessions::of_user(client, &user, &list).await
        }
    }
}

async fn list(client: &Client, args: UserListArgs) -> Result<Answer, Failure> {
    let mut request = client.users().list();
    if let Some(purpose) = args.purpose {
        request = request.purpose(UserPurpose::from(purpose));
    }
    if let Some(email) = args.email {
        request = request.email_address(email);
    }
    if let Some(group) = args.group {
        request = request.group_uuid(&lookup::group(client, &group).await?);
    }
    if let Some(slug) = args.policy {
        request = request.has_policy_slug(slug);
    }
    let found = found!(request, &args.list, "users");
    Ok(found.answer(columns::USERS, columns::user))
}

async fn create(client: &Client, args: CreateArgs) -> Result<Answer, Failure> {
    let mut user = NewUser::new().username(args.username);
    change(&mut user.firstname, args.of.firstname);
    change(&mut user.lastname, args.of.lastname);
    user.purpose = args.of.purpose.map(UserPurpose::from);
    user.authentication_method = args.of.authentication_method;
    user.enabled = args.of.enabled;
    user.email_address = args.email;
    if !args.no_password {
        user.password = Some(args.password.new_secret()?);
    }
    let user = client.users().create(&user).await?;
    Ok(Answer::new(user.uuid.to_string(), json!(user)))
}

async fn edit(client: &Client, args: EditArgs) -> Result<Answer, Failure> {
    let uuid: UserUuid = lookup::user(client, &args.user).await?;
    // The service removes values that an edit leaves out.
    let mut edit = UserEdit::from(&client.users().get(&uuid).await?);
    change(&mut edit.username, args.username);
    change(&mut edit.firstname, args.of.firstname);
    change(&mut edit.lastname, args.of.lastname);
    if let Some(purpose) = args.of.purpose {
        edit.purpose = Some(UserPurpose::from(purpose));
    }
    edit.authentication_method = args.of.authentication_method.or(edit.authentication_method);
    edit.enabled = args.of.enabled.or(edit.enabled);
    Ok(shown(&client.users().edit(&uuid, &edit).await?))
}

fn shown(user: &User) -> Answer {
    let emails = user.emails.iter().map(|email| {
        let mut marks = Vec::new();
        if email.main {
            marks.push("main");
        }
        if email.confirmed == Some(false) {
            marks.push("not confirmed");
        }
        let marks = match marks.is_empty() {
            true => String::new(),
            false => format!(" ({})", marks.join(", ")),
        };
        ("e-mail".to_owned(), format!("{}{marks}", email.address))
    });
    let purpose = user.purpose.as_ref();
    let mut all = rows([
        ("uuid", Some(user.uuid.to_string())),
        ("user name", user.username.clone()),
        ("first name", user.firstname.clone()),
        ("last name", user.lastname.clone()),
        (
            "purpose",
            purpose.map(|purpose| purpose.as_str().to_owned()),
        ),
        ("may log in", Some(user.enabled.to_string())),
        ("logs in with", Some(user.authentication_method.clone())),
        ("tenant", Some(TenantUuid::to_string(&user.tenant_uuid))),
    ]);
    all.extend(emails);
    Answer::new(pairs(all), json!(user))
}
