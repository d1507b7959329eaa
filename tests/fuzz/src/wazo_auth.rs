//! Values of wazo-auth: accesses with parameters.

use vouchsafe::wazo_auth::acl::AccessTemplate;

/// Bytes as an access with parameters: filled with their own names in braces, it is the text again.
pub fn templates(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Ok(template) = text.parse::<AccessTemplate>() else {
        return;
    };
    let names: Vec<&str> = template.parameters().collect();
    let mut named = text.clone().into_owned();
    for name in &names {
        assert!(!name.is_empty() && text.contains(&format!("{{{name}}}")));
        named = named.replace(&format!("{{{name}}}"), &name.replace('.', "_"));
    }
    let filled = template.fill(|name| names.iter().find(|one| **one == name).copied());
    assert_eq!(filled.as_deref(), Some(&*named), "{text:?}");
    let first = names.first().copied();
    let lacking = template.fill(|name| (Some(name) != first).then_some("x"));
    assert_eq!(lacking.is_none(), first.is_some());
}
