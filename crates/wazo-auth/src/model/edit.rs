//! Edits that begin with what is there: the service removes what an edit leaves out.

use crate::{Group, GroupEdit, Policy, PolicyEdit, Tenant, TenantEdit, User, UserEdit};

/// The current user, to change parts of it.
impl From<&User> for UserEdit {
    fn from(user: &User) -> Self {
        let mut edit = Self::new();
        edit.username.clone_from(&user.username);
        edit.firstname.clone_from(&user.firstname);
        edit.lastname.clone_from(&user.lastname);
        edit.purpose.clone_from(&user.purpose);
        edit.authentication_method = Some(user.authentication_method.clone());
        edit.enabled = Some(user.enabled);
        edit
    }
}

/// The current policy, to change parts of it.
impl From<&Policy> for PolicyEdit {
    fn from(policy: &Policy) -> Self {
        let mut edit = Self::new(&policy.name).acl(&policy.acl);
        edit.description.clone_from(&policy.description);
        edit
    }
}

/// The current group.
impl From<&Group> for GroupEdit {
    fn from(group: &Group) -> Self {
        Self::new(&group.name)
    }
}

/// The current tenant, to change parts of it.
impl From<&Tenant> for TenantEdit {
    fn from(tenant: &Tenant) -> Self {
        let method = &tenant.default_authentication_method;
        let mut edit = Self::new()
            .default_authentication_method(method)
            .domain_names(&tenant.domain_names)
            .address(tenant.address.clone());
        edit.name.clone_from(&tenant.name);
        edit.phone.clone_from(&tenant.phone);
        edit.contact.clone_from(&tenant.contact);
        edit
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_edit_of_what_was_read_changes_nothing_of_the_rest() {
        let user: User = serde_json::from_value(json!({
            "uuid": "u", "tenant_uuid": "t", "username": "alice", "firstname": "Alice",
            "purpose": "internal", "enabled": false, "authentication_method": "native",
        }))
        .unwrap();
        let edit = UserEdit::from(&user).lastname("Adams");
        assert_eq!(
            serde_json::to_value(edit).unwrap(),
            json!({
                "username": "alice", "firstname": "Alice", "lastname": "Adams",
                "purpose": "internal", "enabled": false, "authentication_method": "native",
            })
        );
        let tenant: Tenant = serde_json::from_value(json!({
            "uuid": "t", "parent_uuid": "p", "name": "T", "slug": "t", "contact": "u",
            "domain_names": ["a.example"], "address": {"city": "Oslo"},
        }))
        .unwrap();
        assert_eq!(
            serde_json::to_value(TenantEdit::from(&tenant)).unwrap(),
            json!({
                "name": "T", "contact": "u", "default_authentication_method": "native",
                "domain_names": ["a.example"], "address": {"city": "Oslo"},
            })
        );
    }
}
