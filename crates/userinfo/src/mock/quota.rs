//! Quotas: how the amounts of groups are added and how overrides replace them (protocol section 5).

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::{Limits, NotebookQuota, Quota, QuotaConfig, TapQuota};

/// Returns the quota of a user in these groups.
#[must_use]
pub fn effective_quota(
    config: Option<&QuotaConfig>,
    overrides: Option<&QuotaConfig>,
    groups: &[&str],
) -> Quota {
    let sum = |rules: Option<&QuotaConfig>| rules.map_or(Quota::NoRules, |r| sum(r, groups));
    match (sum(config), sum(overrides)) {
        (configured, Quota::NoRules) => configured,
        (Quota::NoRules, over) => over,
        (_, Quota::Bypass) => Quota::Bypass,
        (Quota::Bypass, Quota::Limited(over)) => Quota::Limited(over),
        (Quota::Limited(limits), Quota::Limited(over)) => {
            let mut limits = Arc::unwrap_or_clone(limits);
            let over = Arc::unwrap_or_clone(over);
            limits.api.extend(over.api);
            limits.disk.extend(over.disk);
            limits.notebook = over.notebook.or(limits.notebook);
            if !over.tap.is_empty() {
                limits.tap = over.tap;
            }
            Quota::Limited(Arc::new(limits))
        }
    }
}

/// Formats a quota as in `/user-info`: only nulls are left out.
pub(super) fn without_nulls(quota: &Quota) -> Option<Value> {
    match quota {
        Quota::NoRules => None,
        Quota::Bypass => Some(limits_without_nulls(&Limits::default())),
        Quota::Limited(limits) => Some(limits_without_nulls(limits)),
    }
}

/// Formats a quota as in the routes by name: all default values are left out.
pub(super) fn without_defaults(quota: &Quota) -> Option<Value> {
    let limits = match quota {
        Quota::NoRules => return None,
        Quota::Bypass => return Some(json!({})),
        Quota::Limited(limits) => limits,
    };
    let mut fields = Map::new();
    for (key, part) in [("api", &limits.api), ("disk", &limits.disk)] {
        if !part.is_empty() {
            fields.insert(key.to_owned(), json!(part));
        }
    }
    if let Some(notebook) = &limits.notebook {
        let mut size = json!({"cpu": notebook.cpu, "memory": notebook.memory});
        if !notebook.spawn {
            size["spawn"] = json!(false);
        }
        fields.insert("notebook".to_owned(), size);
    }
    if !limits.tap.is_empty() {
        fields.insert("tap".to_owned(), tap(limits));
    }
    Some(fields.into())
}

/// Formats rules as in the override routes: only nulls are left out.
pub(super) fn rules_without_nulls(rules: &QuotaConfig) -> Value {
    let default = rules.default.clone().unwrap_or_default();
    let groups = rules.groups.iter();
    let groups: Map<_, _> = groups
        .map(|(name, limits)| (name.clone(), limits_without_nulls(limits)))
        .collect();
    json!({
        "default": limits_without_nulls(&default), "groups": groups, "bypass": rules.bypass
    })
}

fn limits_without_nulls(limits: &Limits) -> Value {
    let mut fields = json!({"api": limits.api, "disk": limits.disk, "tap": tap(limits)});
    if let Some(notebook) = limits.notebook {
        fields["notebook"] = json!(notebook);
    }
    fields
}

fn tap(limits: &Limits) -> Value {
    let services = limits.tap.iter().map(|(service, quota)| {
        let mut fields = json!({"concurrent": quota.concurrent});
        if let Some(bytes) = quota.bytes_billed {
            fields["bytes_billed"] = json!(bytes);
        }
        (service.clone(), fields)
    });
    services.collect::<Map<_, _>>().into()
}

/// Returns what one set of rules gives to the members of these groups.
fn sum(rules: &QuotaConfig, groups: &[&str]) -> Quota {
    let groups: BTreeSet<&str> = groups.iter().copied().collect();
    if rules
        .bypass
        .iter()
        .any(|group| groups.contains(group.as_str()))
    {
        return Quota::Bypass;
    }
    let mut sum = rules.default.clone().unwrap_or_default();
    for more in groups.iter().filter_map(|group| rules.groups.get(*group)) {
        add(&mut sum, more);
    }
    // A matching rule without limits counts as no rule.
    if sum == Limits::default() {
        Quota::NoRules
    } else {
        Quota::Limited(Arc::new(sum))
    }
}

fn add(sum: &mut Limits, more: &Limits) {
    for (sum, part) in [(&mut sum.api, &more.api), (&mut sum.disk, &more.disk)] {
        for (key, amount) in part {
            let sum = sum.entry(key.clone()).or_default();
            *sum = sum.saturating_add(*amount);
        }
    }
    sum.notebook = match (sum.notebook, more.notebook) {
        (Some(old), Some(new)) => Some(NotebookQuota {
            cpu: old.cpu + new.cpu,
            memory: old.memory + new.memory,
            // A group can remove the right to start notebooks, but not restore it.
            spawn: old.spawn && new.spawn,
        }),
        (old, new) => old.or(new),
    };
    for (service, new) in &more.tap {
        let tap = sum.tap.entry(service.clone()).or_insert(TapQuota::new(0));
        tap.concurrent = tap.concurrent.saturating_add(new.concurrent);
        tap.bytes_billed = match (tap.bytes_billed, new.bytes_billed) {
            (Some(old), Some(new)) => Some(old.saturating_add(new)),
            (old, new) => old.or(new),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> QuotaConfig {
        serde_json::from_str(text).unwrap()
    }

    fn quota(config: &str, overrides: &str, groups: &[&str]) -> Value {
        let overrides = (!overrides.is_empty()).then(|| rules(overrides));
        let found = effective_quota(Some(&rules(config)), overrides.as_ref(), groups);
        without_defaults(&found).unwrap_or_default()
    }

    #[test]
    fn groups_add_to_the_default() {
        let config = r#"{
            "default": {"api": {"p": 1}, "notebook": {"cpu": 1, "memory": 0.5}},
            "groups": {
                "g": {"api": {"p": 2, "q": 0}, "tap": {"t": {"concurrent": 3, "bytes_billed": 9}}},
                "h": {"notebook": {"cpu": 0, "memory": 1, "spawn": false}, "disk": {"/x": 5},
                      "tap": {"t": {"concurrent": 1}}}
            }
        }"#;
        assert_eq!(
            quota(config, "", &["g", "h", "g", "none"]),
            json!({
                "api": {"p": 3, "q": 0}, "disk": {"/x": 5},
                "notebook": {"cpu": 1.0, "memory": 1.5, "spawn": false},
                "tap": {"t": {"concurrent": 4, "bytes_billed": 9}}
            })
        );
    }

    #[test]
    fn a_bypass_is_an_empty_quota_and_no_rules_give_no_quota() {
        let config = r#"{"default": {"api": {"p": 1}}, "bypass": ["b"]}"#;
        assert_eq!(quota(config, "", &["a", "b"]), json!({}));
        assert_eq!(quota("{}", "", &["a"]), Value::Null);
        assert_eq!(quota(r#"{"groups": {"a": {}}}"#, "", &["a"]), Value::Null);
        assert_eq!(effective_quota(None, None, &[]), Quota::NoRules);
    }

    #[test]
    fn overrides_replace_by_key_and_tap_as_a_whole() {
        let config = r#"{
            "default": {"api": {"p": 1, "q": 2}, "disk": {"/x": 1},
                        "notebook": {"cpu": 1, "memory": 1}, "tap": {"t": {"concurrent": 1}}},
            "bypass": ["free"]
        }"#;
        let over = r#"{
            "default": {"api": {"q": 7}, "tap": {"u": {"concurrent": 2}}},
            "groups": {"g": {"api": {"q": 1}, "notebook": {"cpu": 9, "memory": 9}}},
            "bypass": ["lifted"]
        }"#;
        assert_eq!(
            quota(config, over, &["g"]),
            json!({
                "api": {"p": 1, "q": 8}, "disk": {"/x": 1},
                "notebook": {"cpu": 9.0, "memory": 9.0}, "tap": {"u": {"concurrent": 2}}
            })
        );
        assert_eq!(quota(config, over, &["lifted"]), json!({}));
        assert_eq!(quota(config, over, &["free"])["api"], json!({"q": 7}));
        assert_eq!(quota(config, r#"{"bypass": ["x"]}"#, &["free"]), json!({}));
        assert_eq!(quota("{}", over, &[])["api"], json!({"q": 7}));
    }

    #[test]
    fn the_two_ways_to_send_differ_in_what_they_leave_out() {
        let bypass = json!({"api": {}, "disk": {}, "tap": {}});
        assert_eq!(without_nulls(&Quota::Bypass), Some(bypass));
        assert_eq!(without_defaults(&Quota::Bypass), Some(json!({})));
        assert_eq!(without_nulls(&Quota::NoRules), None);
        let mut limits = Limits {
            notebook: Some(NotebookQuota::new(2.0, 4.0)),
            ..Limits::default()
        };
        limits.tap.insert("t".to_owned(), TapQuota::new(1));
        let quota = Quota::Limited(Arc::new(limits));
        let tap = json!({"t": {"concurrent": 1}});
        assert_eq!(
            without_nulls(&quota),
            Some(json!({
                "api": {}, "disk": {}, "tap": tap,
                "notebook": {"cpu": 2.0, "memory": 4.0, "spawn": true}
            }))
        );
        assert_eq!(
            without_defaults(&quota),
            Some(json!({"tap": tap, "notebook": {"cpu": 2.0, "memory": 4.0}}))
        );
    }
}
