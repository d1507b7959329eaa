//! Looks up names, since people know the name of a user rather than the uuid.

use vouchsafe::wazo_auth::{Client, DomainUuid, GroupUuid, TenantUuid, UserUuid};

use crate::failure::Failure;
use crate::progress::counted;

/// Finds a user by uuid, or else by user name or e-mail address.
pub(super) async fn user(client: &Client, text: &str) -> Result<UserUuid, Failure> {
    if let Ok(uuid) = text.parse() {
        return Ok(uuid);
    }
    let by_name = client.users().list().username(text).recurse(true);
    let mut found = by_name.send().await?.items;
    if found.is_empty() && text.contains('@') {
        let by_address = client.users().list().email_address(text).recurse(true);
        found = by_address.send().await?.items;
    }
    one("user", text, found.into_iter().map(|user| user.uuid))
}

/// Finds several users, each as [`user`] does.
pub(super) async fn users(client: &Client, texts: &[String]) -> Result<Vec<UserUuid>, Failure> {
    let mut found = Vec::new();
    for text in counted("users looked up", texts) {
        found.push(user(client, text).await?);
    }
    Ok(found)
}

/// Finds a group by uuid, or else by name or slug.
pub(super) async fn group(client: &Client, text: &str) -> Result<GroupUuid, Failure> {
    if let Ok(uuid) = text.parse() {
        return Ok(uuid);
    }
    let by_name = client.groups().list().name(text).recurse(true);
    let mut found = by_name.send().await?.items;
    if found.is_empty() {
        let by_slug = client.groups().list().slug(text).recurse(true);
        found = by_slug.send().await?.items;
    }
    one("group", text, found.into_iter().map(|group| group.uuid))
}

/// Finds a tenant by uuid, or else by slug or name.
pub(super) async fn tenant(client: &Client, text: &str) -> Result<TenantUuid, Failure> {
    if let Ok(uuid) = text.parse() {
        return Ok(uuid);
    }
    let mut found = client.tenants().list().slug(text).send().await?.items;
    if found.is_empty() {
        found = client.tenants().list().name(text).send().await?.items;
    }
    one("tenant", text, found.into_iter().map(|tenant| tenant.uuid))
}

/// Finds a domain by uuid, or else by name, which only one tenant can have.
pub(super) async fn domain(client: &Client, text: &str) -> Result<DomainUuid, Failure> {
    if let Ok(uuid) = text.parse() {
        return Ok(uuid);
    }
    let tenants = client.tenants().list().domain_name(text).send().await?;
    let mut found = Vec::new();
    for tenant in tenants.items {
        found.extend(client.tenants().get_domains(&tenant.uuid).await?);
    }
    found.retain(|domain| domain.name == text);
    one("domain", text, found.into_iter().map(|domain| domain.uuid))
}

/// Returns the only match. If there are several, none is chosen.
fn one<T: std::fmt::Display>(
    what: &str,
    text: &str,
    found: impl Iterator<Item = T>,
) -> Result<T, Failure> {
    let mut found: Vec<T> = found.collect();
    match (found.pop(), found.is_empty()) {
        (Some(one), true) => Ok(one),
        (None, _) => Err(Failure::not_found(format!(
            "the token sees no {what} {text}"
        ))),
        (Some(last), false) => {
            let all: Vec<_> = found.iter().chain([&last]).map(T::to_string).collect();
            let message = format!("several {what}s have the name {text}: {}", all.join(", "));
            Err(Failure::failed(message).hint("use the uuid of one"))
        }
    }
}
