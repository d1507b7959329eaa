//! `vouchsafe wazo call`: rare operations without a command of their own, by their names.

use clap::{ArgMatches, Command, FromArgMatches, Subcommand};
use vouchsafe::core::call::described::Described;
use vouchsafe::wazo_auth::OPERATIONS;

use super::Reach;
use super::server::TOKEN_VARIABLE;
use crate::described;
use crate::failure::Failure;
use crate::output::Answer;

/// A call by name, with its arguments.
#[derive(Clone, Debug)]
pub(super) struct Call {
    described: &'static Described,
    matches: ArgMatches,
}

impl FromArgMatches for Call {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let (described, matches) = described::chosen(OPERATIONS, matches)
            .map_err(|fault| clap::Error::raw(clap::error::ErrorKind::MissingSubcommand, fault))?;
        Ok(Self {
            described,
            matches: matches.clone(),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Subcommand for Call {
    fn augment_subcommands(command: Command) -> Command {
        command.subcommands(offered().map(|one| described::subcommand(one, TENANT)))
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        offered().any(|one| one.name == name)
    }
}

pub(super) async fn run(reach: &Reach, call: Call) -> Result<Answer, Failure> {
    let Call { described, matches } = call;
    let is_open = described.operation.is_open() && !reach.token.is_given(TOKEN_VARIABLE);
    let client = match is_open {
        true => reach.open_client()?,
        false => reach.client().await?,
    };
    described::run(&client, described, &matches).await
}

/// The operations without another command.
fn offered() -> impl Iterator<Item = &'static Described> {
    let has_command = |name| BY_HAND.split_whitespace().any(|known| known == name);
    OPERATIONS.iter().filter(move |one| !has_command(one.name))
}

/// The option `--tenant` of all commands sets it.
const TENANT: &[&str] = &["Wazo-Tenant"];

/// Operations that other commands cover.
const BY_HAND: &str = "
    create-token get-token check-token revoke-token check-scopes
    list-user-refresh-tokens delete-user-refresh-token list-own-refresh-tokens
    delete-own-refresh-token list-refresh-tokens
    list-users create-user get-user edit-user delete-user change-password reset-password
    update-emails list-user-policies add-user-policy remove-user-policy list-user-groups
    list-user-sessions delete-user-session
    list-groups create-group get-group edit-group delete-group list-group-users add-group-user
    remove-group-user list-group-policies add-group-policy remove-group-policy
    list-policies create-policy get-policy edit-policy delete-policy add-access remove-access
    add-acl-template remove-acl-template
    list-tenants create-tenant get-tenant edit-tenant delete-tenant list-tenant-domains move-tenant
    list-sessions delete-session
    list-backends list-idps add-idp-users add-idp-user remove-idp-user
    list-external get-external create-external update-external delete-external
    get-mobile create-mobile update-mobile delete-mobile get-google delete-google get-microsoft
    delete-microsoft list-connected-users get-external-config create-external-config
    update-external-config delete-external-config
    get-config patch-config
    get-saml-config create-saml-config update-saml-config delete-saml-config
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_that_is_left_out_is_an_operation() {
        let is_known = |name: &str| OPERATIONS.iter().any(|one| one.name == name);
        for name in BY_HAND.split_whitespace() {
            assert!(is_known(name), "{name}");
        }
        assert!(offered().count() > 15);
    }
}
