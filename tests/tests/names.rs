//! Names that users of the older clients of wazo-auth search for: each is a method of ours, or leads
//! to one as an alias in the documentation.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What both generations of the older clients have (protocol sections 1, 9 and 12), and what it is
/// here: a type, or a macro that writes methods of clients, and what it has.
const NAMES: &[(&str, &str)] = &[
    ("client.is_server_reachable", "Client::is_server_reachable"),
    ("client.set_tenant", "Client::with_tenant"),
    ("client.tenant", "Client::with_tenant"),
    ("client.tenant_uuid", "Client::with_tenant"),
    ("client.set_default_tenant", "Client::with_tenant"),
    ("client.set_token", "session_methods::with_token"),
    ("options.host", "ClientBuilder::host"),
    ("options.port", "ClientBuilder::port"),
    ("options.prefix", "ClientBuilder::prefix"),
    ("options.version", "ClientBuilder::version"),
    ("options.https", "ClientBuilder::http"),
    ("options.verify_certificate", "ClientBuilder::ca_bundle"),
    (
        "options.verify_certificate",
        "ClientBuilder::dangerously_accept_any_certificate",
    ),
    ("options.username", "ClientBuilder::credentials"),
    ("options.password", "ClientBuilder::credentials"),
    ("options.tenant", "ClientBuilder::tenant"),
    ("options.tenant_uuid", "ClientBuilder::tenant"),
    ("options.token", "token_setters::token"),
    ("options.timeout", "client_builder_basics::timeouts"),
    ("options.user_agent", "client_builder_basics::user_agent"),
    ("token.new", "TokenApi::create"),
    ("token.get", "TokenApi::get"),
    ("token.check", "TokenApi::check"),
    ("token.check_scopes", "TokenApi::check_scopes"),
    ("token.is_valid", "TokenApi::is_valid"),
    ("token.revoke", "TokenApi::revoke"),
    ("token.list", "TokenApi::list"),
    ("token.delete", "TokenApi::delete"),
    ("token.new.backend", "CreateTokenRequest::backend"),
    ("token.new.expiration", "CreateTokenRequest::expiration"),
    ("token.new.session_type", "CreateTokenRequest::session_type"),
    ("token.new.user_agent", "CreateTokenRequest::user_agent"),
    ("token.new.access_type", "CreateTokenRequest::offline"),
    ("token.new.client_id", "CreateTokenRequest::offline"),
    (
        "token.new.refresh_token",
        "CreateTokenRequest::refresh_token",
    ),
    ("token.new.username", "CreateTokenRequest::credentials"),
    ("token.new.password", "CreateTokenRequest::credentials"),
    ("token.new.tenant_id", "CreateTokenRequest::tenant_id"),
    ("token.new.domain_name", "CreateTokenRequest::domain_name"),
    ("token.required_acl", "TokenApi::get"),
    ("token.required_acls", "TokenApi::get"),
    ("token.required_acl", "TokenApi::check"),
    ("token.required_acls", "TokenApi::check"),
    ("exceptions.InvalidTokenException", "Validity::NotValid"),
    (
        "exceptions.MissingPermissionsTokenException",
        "Validity::NotAllowed",
    ),
    ("members.acls", "Token::acl"),
    ("members.acl_templates", "Policy::acl"),
    ("members.acl_templates", "NewPolicy::NewPolicy"),
    ("members.acl_templates", "PolicyEdit::PolicyEdit"),
    ("refresh_tokens.list", "RefreshTokensApi::list"),
    ("backends.list", "BackendsApi::list"),
    ("policies.new", "PoliciesApi::create"),
    ("policies.list", "PoliciesApi::list"),
    ("policies.get", "PoliciesApi::get"),
    ("policies.edit", "PoliciesApi::edit"),
    ("policies.delete", "PoliciesApi::delete"),
    ("policies.add_access", "PoliciesApi::add_access"),
    ("policies.remove_access", "PoliciesApi::remove_access"),
    ("policies.add_acl_template", "PoliciesApi::add_access"),
    ("policies.remove_acl_template", "PoliciesApi::remove_access"),
    ("policies.get_tenants", "PoliciesApi::get"),
    ("users.new", "UsersApi::create"),
    ("users.list", "UsersApi::list"),
    ("users.get", "UsersApi::get"),
    ("users.edit", "UsersApi::edit"),
    ("users.delete", "UsersApi::delete"),
    ("users.change_password", "UsersApi::change_password"),
    ("users.reset_password", "UsersApi::reset_password"),
    ("users.set_password", "UsersApi::set_password"),
    ("users.register", "UsersApi::register"),
    ("users.update_emails", "UsersApi::update_emails"),
    (
        "users.request_confirmation_email",
        "UsersApi::request_confirmation_email",
    ),
    ("users.add_policy", "UsersApi::add_policy"),
    ("users.remove_policy", "UsersApi::remove_policy"),
    ("users.get_policies", "UsersApi::get_policies"),
    ("users.get_groups", "UsersApi::get_groups"),
    ("users.get_sessions", "UsersApi::get_sessions"),
    ("users.remove_session", "UsersApi::remove_session"),
    ("users.get_tenants", "UsersApi::get"),
    ("groups.new", "GroupsApi::create"),
    ("groups.list", "GroupsApi::list"),
    ("groups.get", "GroupsApi::get"),
    ("groups.edit", "GroupsApi::edit"),
    ("groups.delete", "GroupsApi::delete"),
    ("groups.add_user", "GroupsApi::add_user"),
    ("groups.remove_user", "GroupsApi::remove_user"),
    ("groups.get_users", "GroupsApi::get_users"),
    ("groups.add_policy", "GroupsApi::add_policy"),
    ("groups.remove_policy", "GroupsApi::remove_policy"),
    ("groups.get_policies", "GroupsApi::get_policies"),
    ("sessions.list", "SessionsApi::list"),
    ("sessions.delete", "SessionsApi::delete"),
    ("tenants.new", "TenantsApi::create"),
    ("tenants.list", "TenantsApi::list"),
    ("tenants.get", "TenantsApi::get"),
    ("tenants.edit", "TenantsApi::edit"),
    ("tenants.delete", "TenantsApi::delete"),
    ("tenants.get_domains", "TenantsApi::get_domains"),
    ("tenants.get_users", "UsersApi::list"),
    ("tenants.get_policies", "PoliciesApi::list"),
    ("tenants.add_user", "UsersApi::create"),
    ("tenants.remove_user", "UsersApi::delete"),
    ("tenants.add_policy", "PoliciesApi::create"),
    ("tenants.remove_policy", "PoliciesApi::delete"),
    ("users.get_tenants", "TenantsApi::list"),
    ("emails.confirm", "EmailsApi::confirm"),
    ("admin.update_user_emails", "AdminApi::update_user_emails"),
    ("external.create", "ExternalApi::create"),
    ("external.get", "ExternalApi::get"),
    ("external.update", "ExternalApi::update"),
    ("external.delete", "ExternalApi::delete"),
    ("external.list_", "ExternalApi::list"),
    (
        "external.list_connected_users",
        "ExternalApi::list_connected_users",
    ),
    ("external.create_config", "ExternalApi::create_config"),
    ("external.get_config", "ExternalApi::get_config"),
    ("external.update_config", "ExternalApi::update_config"),
    ("external.delete_config", "ExternalApi::delete_config"),
    ("idp.list", "IdpApi::list"),
    ("idp.add_user", "IdpApi::add_user"),
    ("idp.remove_user", "IdpApi::remove_user"),
    ("idp.add_users", "IdpApi::add_users"),
    ("ldap_config.get", "LdapConfigApi::get"),
    ("ldap_config.update", "LdapConfigApi::update"),
    ("ldap_config.delete", "LdapConfigApi::delete"),
    ("saml_config.create", "SamlConfigApi::create"),
    ("saml_config.get", "SamlConfigApi::get"),
    ("saml_config.update", "SamlConfigApi::update"),
    ("saml_config.delete", "SamlConfigApi::delete"),
    (
        "saml_config.get_acs_template",
        "SamlConfigApi::get_acs_template",
    ),
    ("saml_config.get_metadata", "SamlConfigApi::get_metadata"),
    ("saml.sso", "SamlApi::sso"),
    ("saml.acs", "SamlApi::acs"),
    ("saml.logout", "SamlApi::logout"),
    ("config.get", "ConfigApi::get"),
    ("config.patch", "ConfigApi::patch"),
    ("status.check", "StatusApi::check"),
    ("init.run", "InitApi::run"),
];

#[test]
fn every_name_of_the_older_clients_is_found() {
    let items = items();
    assert!(items.len() > 500, "only {} were read", items.len());
    for (old, ours) in NAMES {
        let aliases = items.get(*ours);
        let aliases = aliases.unwrap_or_else(|| panic!("there is no {ours}, for {old}"));
        let (_, old) = old.rsplit_once('.').unwrap();
        let (_, name) = ours.rsplit_once(':').unwrap();
        let is_found = name == old || aliases.iter().any(|alias| alias == old);
        assert!(is_found, "{ours} has no alias {old}");
    }
}

#[test]
fn no_alias_leads_to_something_else() {
    for (item, aliases) in items() {
        for alias in aliases {
            let mut known = NAMES.iter().filter(|(_, ours)| *ours == item);
            let is_known = known.any(|(old, _)| old.ends_with(&format!(".{alias}")));
            assert!(
                is_known,
                "{alias}, of {item}, is no name of the older clients"
            );
        }
    }
}

#[test]
fn every_method_of_the_older_clients_has_a_line_in_the_guide() {
    let guide = "../docs/guide/come-from-the-python-clients-of-wazo-auth.md";
    let guide = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(guide)).unwrap();
    let mut checked = 0;
    for (old, ours) in NAMES {
        let Some((api, method)) = ours.split_once("Api::") else {
            continue;
        };
        let mut group = String::new();
        for letter in api.chars() {
            if letter.is_uppercase() && !group.is_empty() {
                group.push('_');
            }
            group.extend(letter.to_lowercase());
        }
        // External services have methods for each type, such as `create_mobile`.
        let end = if group == "external" { "" } else { "(" };
        let line = format!(".{group}().{method}{end}");
        assert!(guide.contains(&line), "{old}: no {line} in the guide");
        let (_, name) = old.rsplit_once('.').unwrap();
        assert!(guide.contains(name), "{old} is not in the guide");
        checked += 1;
    }
    assert!(checked > 90, "only {checked} were checked");
}

/// Returns what is public, as `Type::name`, with its aliases.
fn items() -> BTreeMap<String, Vec<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    let mut files = vec![
        root.join("core/src/client.rs"),
        root.join("core/src/service.rs"),
        root.join("wazo-auth/src/generated/wazo_auth/api.rs"),
        root.join("wazo-auth/src/generated/wazo_auth/wire.rs"),
    ];
    for folder in ["api", "client"] {
        let entries = fs::read_dir(root.join("wazo-auth/src").join(folder)).unwrap();
        files.extend(entries.map(|entry| entry.unwrap().path()));
    }
    files.iter().flat_map(read).collect()
}

/// Reads a file as rustfmt lays it out.
fn read(file: &PathBuf) -> BTreeMap<String, Vec<String>> {
    let text = fs::read_to_string(file).unwrap();
    let mut items = BTreeMap::new();
    let (mut owner, mut aliases) = (String::new(), Vec::new());
    for line in text.lines() {
        let line = line.trim_start();
        if let Some(alias) = line.strip_prefix("#[doc(alias = \"") {
            aliases.push(alias.trim_end_matches("\")]").to_owned());
            continue;
        }
        let heads = ["impl ", "pub struct ", "pub enum ", "macro_rules! "];
        let head = heads.iter().find_map(|head| line.strip_prefix(head));
        if let Some(rest) = head {
            let of = rest.rsplit_once(" for ").map_or(rest, |(_, of)| of);
            word(of).clone_into(&mut owner);
        }
        let name = match head {
            Some(_) => Some(owner.as_str()),
            None => name(line),
        };
        if let Some(name) = name {
            let item = items
                .entry(format!("{owner}::{name}"))
                .or_insert_with(Vec::new);
            item.append(&mut aliases);
        }
    }
    assert!(aliases.is_empty(), "{}: {aliases:?}", file.display());
    items
}

/// Returns the name of a public function, a public field or a variant.
fn name(line: &str) -> Option<&str> {
    let functions = ["pub fn ", "pub async fn "];
    if let Some(rest) = functions.iter().find_map(|head| line.strip_prefix(head)) {
        return Some(word(rest));
    }
    let (name, rest) = match line.strip_prefix("pub ") {
        Some(field) => (word(field), ":"),
        None if line.starts_with(char::is_uppercase) => (word(line), ","),
        None => return None,
    };
    let after = line.trim_start_matches("pub ").strip_prefix(name)?;
    after.starts_with(rest).then_some(name)
}

fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
    &text[..end.unwrap_or(text.len())]
}
