//! Quotas: how the amounts of groups add up and how overrides replace them (protocol section 5).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Rules that say what users have: an amount for all, more for members of groups, and groups
/// whose members are not limited.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
#[non_exhaustive]
pub struct QuotaConfig {
    /// What everybody has.
    pub default: Limits,
    /// What the members of a group have on top.
    pub groups: BTreeMap<String, Limits>,
    /// The groups whose members are not limited.
    pub bypass: BTreeSet<String>,
}

/// Amounts, as a rule gives them or as a user has them.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Limits {
    /// Requests a minute by service.
    pub api: BTreeMap<String, i64>,
    /// Bytes by mount point.
    pub disk: BTreeMap<String, i64>,
    /// Size of a notebook.
    pub notebook: Option<NotebookQuota>,
    /// Queries by TAP service.
    pub tap: BTreeMap<String, TapQuota>,
}

/// The size of a notebook.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[non_exhaustive]
pub struct NotebookQuota {
    /// CPU equivalents.
    pub cpu: f64,
    /// GiB.
    pub memory: f64,
    /// Whether a notebook may be started at all.
    #[serde(default = "yes")]
    pub spawn: bool,
}

/// What a TAP service grants.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TapQuota {
    /// Queries at a time.
    pub concurrent: i64,
    /// Bytes of answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_billed: Option<i64>,
}

impl NotebookQuota {
    /// Allows notebooks of a size.
    #[must_use]
    pub const fn new(cpu: f64, memory: f64) -> Self {
        Self {
            cpu,
            memory,
            spawn: true,
        }
    }
}

impl TapQuota {
    /// Allows so many queries at a time.
    #[must_use]
    pub const fn new(concurrent: i64) -> Self {
        Self {
            concurrent,
            bytes_billed: None,
        }
    }
}

impl Limits {
    /// Returns whether nothing is said in any part.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// As `/user-info` sends it: only nulls are left out.
    pub(super) fn without_nulls(&self) -> Value {
        let mut fields = json!({"api": self.api, "disk": self.disk, "tap": self.tap});
        if let Some(notebook) = self.notebook {
            fields["notebook"] = json!(notebook);
        }
        fields
    }

    /// As the routes by name send it: all that equals its default is left out.
    pub(super) fn without_defaults(&self) -> Value {
        let mut fields = Map::new();
        for (key, part) in [("api", &self.api), ("disk", &self.disk)] {
            if !part.is_empty() {
                fields.insert(key.to_owned(), json!(part));
            }
        }
        if let Some(notebook) = self.notebook {
            let mut size = json!({"cpu": notebook.cpu, "memory": notebook.memory});
            if !notebook.spawn {
                size["spawn"] = json!(false);
            }
            fields.insert("notebook".to_owned(), size);
        }
        if !self.tap.is_empty() {
            fields.insert("tap".to_owned(), json!(self.tap));
        }
        fields.into()
    }

    fn add(&mut self, more: &Self) {
        for (sum, part) in [(&mut self.api, &more.api), (&mut self.disk, &more.disk)] {
            for (key, amount) in part {
                let sum = sum.entry(key.clone()).or_default();
                *sum = sum.saturating_add(*amount);
            }
        }
        self.notebook = match (self.notebook, more.notebook) {
            (Some(old), Some(new)) => Some(NotebookQuota {
                cpu: old.cpu + new.cpu,
                memory: old.memory + new.memory,
                // A group can take the right to start away and never give it back.
                spawn: old.spawn && new.spawn,
            }),
            (old, new) => old.or(new),
        };
        for (service, new) in &more.tap {
            let sum = self.tap.entry(service.clone()).or_insert(TapQuota::new(0));
            sum.concurrent = sum.concurrent.saturating_add(new.concurrent);
            sum.bytes_billed = match (sum.bytes_billed, new.bytes_billed) {
                (Some(old), Some(new)) => Some(old.saturating_add(new)),
                (old, new) => old.or(new),
            };
        }
    }
}

impl QuotaConfig {
    /// As the override routes send it: only nulls are left out.
    pub(super) fn without_nulls(&self) -> Value {
        let groups = self.groups.iter();
        let groups: Map<_, _> = groups
            .map(|(name, amounts)| (name.clone(), amounts.without_nulls()))
            .collect();
        json!({"default": self.default.without_nulls(), "groups": groups, "bypass": self.bypass})
    }

    fn bypasses(&self, groups: &[&str]) -> bool {
        groups.iter().any(|group| self.bypass.contains(*group))
    }

    /// Adds up; `None` if no rule says anything.
    fn sum(&self, groups: &[&str]) -> Option<Limits> {
        if self.bypasses(groups) {
            return Some(Limits::default());
        }
        let mut sum = self.default.clone();
        for group in groups.iter().collect::<BTreeSet<_>>() {
            if let Some(more) = self.groups.get(*group) {
                sum.add(more);
            }
        }
        (!sum.is_empty()).then_some(sum)
    }
}

/// Returns the quota of a user who is in these groups; `None` if no rules apply, an empty
/// [`Limits`] if the user is not limited.
#[must_use]
pub fn effective_quota(
    config: Option<&QuotaConfig>,
    overrides: Option<&QuotaConfig>,
    groups: &[&str],
) -> Option<Limits> {
    let configured = config.and_then(|rules| rules.sum(groups));
    let Some((rules, over)) = overrides.and_then(|rules| Some((rules, rules.sum(groups)?))) else {
        return configured;
    };
    let Some(mut quota) = configured else {
        return Some(over);
    };
    if rules.bypasses(groups) {
        return Some(over);
    }
    quota.api.extend(over.api);
    quota.disk.extend(over.disk);
    quota.notebook = over.notebook.or(quota.notebook);
    if !over.tap.is_empty() {
        quota.tap = over.tap;
    }
    Some(quota)
}

const fn yes() -> bool {
    true
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
        found.map_or(Value::Null, |quota| quota.without_defaults())
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
    fn bypass_is_an_empty_quota_and_nothing_is_none() {
        let config = r#"{"default": {"api": {"p": 1}}, "bypass": ["b"]}"#;
        assert_eq!(quota(config, "", &["a", "b"]), json!({}));
        assert_eq!(quota("{}", "", &["a"]), Value::Null);
        assert_eq!(quota(r#"{"groups": {"a": {}}}"#, "", &["a"]), Value::Null);
        assert_eq!(effective_quota(None, None, &[]), None);
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
        let mut amounts = Limits::default();
        assert_eq!(
            amounts.without_nulls(),
            json!({"api": {}, "disk": {}, "tap": {}})
        );
        assert_eq!(amounts.without_defaults(), json!({}));
        amounts.notebook = Some(NotebookQuota::new(2.0, 4.0));
        let full = json!({"cpu": 2.0, "memory": 4.0, "spawn": true});
        assert_eq!(amounts.without_nulls()["notebook"], full);
        let short = json!({"cpu": 2.0, "memory": 4.0});
        assert_eq!(amounts.without_defaults()["notebook"], short);
    }
}
