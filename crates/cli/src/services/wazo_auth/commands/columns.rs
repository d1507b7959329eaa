//! The columns of lists that several commands show.

use vouchsafe::wazo_auth::{Group, Policy, User};

pub(super) const USERS: &[&str] = &["uuid", "user name", "name", "e-mail", "enabled"];

pub(super) fn user(user: &User) -> Vec<String> {
    let names = [&user.firstname, &user.lastname];
    let names: Vec<_> = names.into_iter().flatten().map(String::as_str).collect();
    let main = user.emails.iter().find(|email| email.main);
    vec![
        user.uuid.to_string(),
        user.username.clone().unwrap_or_default(),
        names.join(" "),
        main.map(|email| email.address.clone()).unwrap_or_default(),
        user.enabled.to_string(),
    ]
}

pub(super) const GROUPS: &[&str] = &["uuid", "name", "slug", "managed by the system"];

pub(super) fn group(group: &Group) -> Vec<String> {
    vec![
        group.uuid.to_string(),
        group.name.clone(),
        group.slug.clone(),
        group.system_managed.to_string(),
    ]
}

pub(super) const POLICIES: &[&str] = &["uuid", "name", "slug", "accesses", "read only"];

pub(super) fn policy(policy: &Policy) -> Vec<String> {
    vec![
        policy.uuid.to_string(),
        policy.name.clone(),
        policy.slug.clone(),
        policy.acl.len().to_string(),
        policy.read_only.to_string(),
    ]
}
