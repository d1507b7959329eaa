//! The quota of a user: the three kinds of missing quota as one type (protocol section 5).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

use crate::generated::gafaelfawr::wire;

/// The quota of a user.
///
/// Three kinds of missing values mean three things in the protocol. Here each has a name, and
/// [`api`](Self::api), [`disk`](Self::disk), [`notebook`](Self::notebook) and [`tap`](Self::tap)
/// handle all of them.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Quota {
    /// No quota rules apply to the user: there are no limits.
    #[default]
    NoRules,
    /// The user is exempt from the rules: there are no limits.
    Bypass,
    /// Only the listed limits apply.
    Limited(Arc<Limits>),
}

/// The limits of a user. Anything that is not in a map is unlimited.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Limits {
    /// Requests per minute by service name; zero means blocked.
    pub api: BTreeMap<String, i64>,
    /// Bytes by mount point.
    pub disk: BTreeMap<String, i64>,
    /// The limits of notebooks.
    pub notebook: Option<NotebookQuota>,
    /// The limits of TAP services by name.
    pub tap: BTreeMap<String, TapQuota>,
}

/// Rules for computing limits: a user gets the default plus what each of their groups adds.
/// Membership of a bypass group removes all limits.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(from = "wire::QuotaConfig")]
#[non_exhaustive]
pub struct QuotaConfig {
    /// The limits of every user.
    pub default: Option<Limits>,
    /// The additional limits of each group.
    pub groups: BTreeMap<String, Limits>,
    /// Groups whose members have no limits.
    pub bypass: Vec<String>,
}

/// How often a service may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a number, none, or nothing at all")]
pub enum Allowance {
    /// Without limit.
    Unlimited,
    /// This many requests per minute, at least one.
    PerMinute(u64),
    /// Not at all.
    Blocked,
}

/// The size of a user's notebooks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct NotebookQuota {
    /// CPU equivalents.
    pub cpu: f64,
    /// Memory in GiB.
    pub memory: f64,
    /// Whether notebooks may be started at all.
    pub spawn: bool,
}

/// The limits of one TAP service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TapQuota {
    /// Concurrent queries.
    pub concurrent: i64,
    /// Bytes billed; only sent by newer servers.
    pub bytes_billed: Option<i64>,
}

impl Quota {
    /// Returns the limits, if any.
    #[must_use]
    pub fn limits(&self) -> Option<&Limits> {
        match self {
            Self::Limited(limits) => Some(limits),
            Self::NoRules | Self::Bypass => None,
        }
    }

    /// Returns how often a service may be called.
    #[must_use]
    pub fn api(&self, service: &str) -> Allowance {
        match self.limits().and_then(|limits| limits.api.get(service)) {
            None => Allowance::Unlimited,
            Some(&requests) => match u64::try_from(requests) {
                Ok(requests) if requests > 0 => Allowance::PerMinute(requests),
                _ => Allowance::Blocked,
            },
        }
    }

    /// Returns how many bytes may be stored below a mount point; `None` means unlimited.
    #[must_use]
    pub fn disk(&self, mount: &str) -> Option<i64> {
        self.limits()?.disk.get(mount).copied()
    }

    /// Returns the limits of notebooks; `None` means unlimited.
    #[must_use]
    pub fn notebook(&self) -> Option<&NotebookQuota> {
        self.limits()?.notebook.as_ref()
    }

    /// Returns whether the user may start notebooks.
    #[must_use]
    pub fn may_spawn_notebooks(&self) -> bool {
        self.notebook().is_none_or(|notebook| notebook.spawn)
    }

    /// Returns the limits of a TAP service; `None` means unlimited.
    #[must_use]
    pub fn tap(&self, service: &str) -> Option<&TapQuota> {
        self.limits()?.tap.get(service)
    }
}

/// Serializes the wire format: `null`, an empty quota, or the limits.
impl Serialize for Quota {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::NoRules => serializer.serialize_none(),
            Self::Bypass => Limits::default().serialize(serializer),
            Self::Limited(limits) => limits.serialize(serializer),
        }
    }
}

impl From<Option<wire::Quota>> for Quota {
    fn from(wire: Option<wire::Quota>) -> Self {
        let Some(wire) = wire else {
            return Self::NoRules;
        };
        let limits = Limits::from(wire);
        if limits == Limits::default() {
            Self::Bypass
        } else {
            Self::Limited(Arc::new(limits))
        }
    }
}

impl From<wire::Quota> for Limits {
    fn from(wire: wire::Quota) -> Self {
        let tap = |(service, wire): (String, wire::TapQuota)| {
            let wire::TapQuota {
                concurrent,
                bytes_billed,
            } = wire;
            (
                service,
                TapQuota {
                    concurrent,
                    bytes_billed,
                },
            )
        };
        Self {
            api: wire.api,
            disk: wire.disk,
            notebook: wire.notebook.map(|wire| NotebookQuota {
                cpu: wire.cpu,
                memory: wire.memory,
                spawn: wire.spawn,
            }),
            tap: wire.tap.into_iter().map(tap).collect(),
        }
    }
}

impl From<Limits> for wire::Quota {
    fn from(limits: Limits) -> Self {
        let tap = |(service, quota): (String, TapQuota)| {
            let TapQuota {
                concurrent,
                bytes_billed,
            } = quota;
            (
                service,
                wire::TapQuota {
                    concurrent,
                    bytes_billed,
                },
            )
        };
        Self {
            api: limits.api,
            disk: limits.disk,
            notebook: limits.notebook.map(|quota| wire::NotebookQuota {
                cpu: quota.cpu,
                memory: quota.memory,
                spawn: quota.spawn,
            }),
            tap: limits.tap.into_iter().map(tap).collect(),
        }
    }
}

impl From<wire::QuotaConfig> for QuotaConfig {
    fn from(wire: wire::QuotaConfig) -> Self {
        let limits = |(group, quota): (String, wire::Quota)| (group, quota.into());
        Self {
            default: wire.default.map(Limits::from),
            groups: wire.groups.into_iter().map(limits).collect(),
            bypass: wire.bypass,
        }
    }
}

impl From<QuotaConfig> for wire::QuotaConfig {
    fn from(config: QuotaConfig) -> Self {
        let quota = |(group, limits): (String, Limits)| (group, limits.into());
        Self {
            default: config.default.map(wire::Quota::from),
            groups: config.groups.into_iter().map(quota).collect(),
            bypass: config.bypass,
        }
    }
}

impl NotebookQuota {
    /// Allows notebooks with this many CPU equivalents and this much memory in GiB.
    #[must_use]
    pub fn new(cpu: f64, memory: f64) -> Self {
        Self {
            cpu,
            memory,
            spawn: true,
        }
    }

    /// Returns the memory in bytes, truncated.
    #[must_use]
    pub fn memory_bytes(&self) -> i64 {
        // Saturates; NaN becomes zero.
        (self.memory * GIB) as i64
    }

    /// Returns this quota in a form for log lines.
    #[must_use]
    pub fn logging_context(&self) -> NotebookLog {
        NotebookLog {
            cpu: self.cpu,
            memory: format!("{} GiB", python_float(self.memory)),
            spawn: (!self.spawn).then_some(false),
        }
    }
}

impl TapQuota {
    /// Allows this many concurrent queries.
    #[must_use]
    pub fn new(concurrent: i64) -> Self {
        Self {
            concurrent,
            bytes_billed: None,
        }
    }

    /// Returns this quota in a form for log lines.
    #[must_use]
    pub fn logging_context(&self) -> TapLog {
        TapLog {
            concurrent: self.concurrent,
            bytes_billed: self.bytes_billed.filter(|bytes| *bytes != 0),
        }
    }
}

/// A [`NotebookQuota`] for log lines: serialize it, or use its fields.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct NotebookLog {
    /// CPU equivalents.
    pub cpu: f64,
    /// Memory with its unit, such as `4.5 GiB`.
    pub memory: String,
    /// `false` if notebooks may not be started; otherwise left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spawn: Option<bool>,
}

/// A [`TapQuota`] for log lines: serialize it, or use its fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TapLog {
    /// Concurrent queries.
    pub concurrent: i64,
    /// Bytes billed, left out if unset or zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_billed: Option<i64>,
}

/// Formats a number as the Python client does, so that the log lines of both can be searched alike:
/// `2.0`, `0.25`, `1e-07`.
fn python_float(number: f64) -> String {
    let text = format!("{number:?}");
    let Some((digits, exponent)) = text.split_once('e') else {
        return text;
    };
    let (sign, size) = match exponent.strip_prefix('-') {
        Some(size) => ('-', size),
        None => ('+', exponent),
    };
    format!("{digits}e{sign}{size:0>2}")
}

const GIB: f64 = 1_073_741_824.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Quota {
        serde_json::from_str::<Option<wire::Quota>>(text)
            .unwrap()
            .into()
    }

    #[test]
    fn the_three_absences_differ() {
        assert_eq!(read("null"), Quota::NoRules);
        assert_eq!(read("{}"), Quota::Bypass);
        assert_eq!(read(r#"{"api":{},"notebook":null}"#), Quota::Bypass);
        let limited = read(r#"{"api":{"a":0,"b":7,"c":-1}}"#);
        assert_eq!(limited.api("a"), Allowance::Blocked);
        assert_eq!(limited.api("b"), Allowance::PerMinute(7));
        assert_eq!(limited.api("c"), Allowance::Blocked);
        assert_eq!(limited.api("d"), Allowance::Unlimited);
        assert_eq!(limited.disk("/home"), None);
        assert_eq!(Quota::Bypass.api("a"), Allowance::Unlimited);
        assert!(Quota::NoRules.may_spawn_notebooks());
        assert!(!read(r#"{"notebook":{"cpu":1,"memory":1,"spawn":false}}"#).may_spawn_notebooks());
    }

    #[test]
    fn a_quota_is_written_as_it_was_read() {
        for text in [
            "null",
            r#"{"api":{},"disk":{},"notebook":null,"tap":{}}"#,
            r#"{"api":{"a":1},"disk":{},"notebook":{"cpu":1.0,"memory":2.5,"spawn":true},"tap":{"q":{"concurrent":3,"bytes_billed":null}}}"#,
        ] {
            assert_eq!(serde_json::to_string(&read(text)).unwrap(), text);
        }
    }

    #[test]
    fn memory_is_cut_to_bytes_and_logged_with_its_unit() {
        for (memory, bytes, text) in [
            (2.0, 2_147_483_648, "2.0 GiB"),
            (0.1, 107_374_182, "0.1 GiB"),
            (1e-7, 107, "1e-07 GiB"),
            (1e22, i64::MAX, "1e+22 GiB"),
            (f64::NAN, 0, "NaN GiB"),
        ] {
            let quota = NotebookQuota {
                cpu: 1.0,
                memory,
                spawn: false,
            };
            assert_eq!(quota.memory_bytes(), bytes);
            assert_eq!(quota.logging_context().memory, text);
            assert_eq!(quota.logging_context().spawn, Some(false));
        }
    }

    #[test]
    fn no_bytes_billed_are_not_logged() {
        let log = |bytes_billed| {
            TapQuota {
                concurrent: 1,
                bytes_billed,
            }
            .logging_context()
        };
        assert_eq!(log(Some(0)).bytes_billed, None);
        assert_eq!(log(Some(7)).bytes_billed, Some(7));
    }
}
