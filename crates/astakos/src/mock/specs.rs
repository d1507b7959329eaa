//! The specification in an application for a project (protocol section 9, create and modify).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::dates;
use super::model::{Capacity, Policy, Spec};
use super::refusal::{Refusal, Ruled};
use super::state::State;

impl State {
    /// Reads the specification of a new project; missing fields get their defaults.
    pub(super) fn spec_of_new(&self, body: &Value, applicant: &str, now: i64) -> Ruled<Spec> {
        let fields = Fields::of(self, body, now)?;
        let mut spec = Spec {
            owner: Some(fields.owner()?.unwrap_or_else(|| applicant.to_owned())),
            ..Spec::default()
        };
        for name in ["name", "end_date"] {
            if !fields.given.contains_key(name) {
                return Err(Refusal::bad(format!("{name} is missing")));
            }
        }
        // Null does not count as missing here, except for owner and start date.
        let null = |name: &&&str| fields.given.get(**name).is_some_and(Value::is_null);
        if let Some(name) = KNOWN.iter().find(null) {
            return Err(Refusal::bad(format!("{name} is null")));
        }
        fields.fill(&mut spec)?;
        spec.join_policy.get_or_insert(Policy::Moderated);
        spec.leave_policy.get_or_insert(Policy::Auto);
        spec.max_members.get_or_insert(i64::MAX);
        spec.private.get_or_insert(false);
        spec.homepage.get_or_insert_default();
        spec.description.get_or_insert_default();
        spec.comments.get_or_insert_default();
        Ok(spec)
    }

    /// Reads a change of a project.
    pub(super) fn spec_of_change(&self, body: &Value, now: i64) -> Ruled<Spec> {
        let fields = Fields::of(self, body, now)?;
        let mut spec = Spec {
            owner: fields.owner()?,
            ..Spec::default()
        };
        fields.fill(&mut spec)?;
        Ok(spec)
    }
}

/// The fields of an application as they came.
struct Fields<'a> {
    state: &'a State,
    given: &'a Map<String, Value>,
    now: i64,
}

impl<'a> Fields<'a> {
    fn of(state: &'a State, body: &'a Value, now: i64) -> Ruled<Self> {
        let given = body.as_object().ok_or(Refusal::Crash)?;
        Ok(Self { state, given, now })
    }

    fn get(&self, name: &str) -> Option<&'a Value> {
        self.given.get(name).filter(|value| !value.is_null())
    }

    fn owner(&self) -> Ruled<Option<String>> {
        let Some(owner) = self.get("owner") else {
            return Ok(None);
        };
        let user = owner.as_str().and_then(|uuid| self.state.users.get(uuid));
        user.filter(|user| user.moderated)
            .map(|user| Some(user.uuid.clone()))
            .ok_or_else(|| Refusal::bad("no such owner"))
    }

    fn fill(&self, spec: &mut Spec) -> Ruled<()> {
        spec.name = self.text("name", 80)?;
        spec.join_policy = self.policy("join_policy")?;
        spec.leave_policy = self.policy("leave_policy")?;
        spec.start_date = self.date("start_date")?;
        spec.end_date = self.date("end_date")?;
        if let Some(value) = self.get("max_members") {
            let members = number(value).ok_or_else(|| Refusal::bad("max_members is no number"))?;
            spec.max_members = Some(members);
        }
        if let Some(value) = self.get("private") {
            let private = value.as_bool();
            spec.private = Some(private.ok_or_else(|| Refusal::bad("private is no boolean"))?);
        }
        spec.homepage = self.text("homepage", 255)?;
        spec.description = self.text("description", 4096)?;
        spec.comments = self.text("comments", 4096)?;
        if let Some(value) = self.get("resources") {
            spec.resources = self.resources(value)?;
        }
        if spec.name.as_deref().is_some_and(|name| !is_domain(name)) {
            return Err(Refusal::bad("the name is not like a domain's"));
        }
        if spec.end_date.is_some_and(|end| end <= self.now) {
            return Err(Refusal::bad("the end is not in the future"));
        }
        Ok(())
    }

    fn text(&self, name: &str, longest: usize) -> Ruled<Option<String>> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let text = value.as_str();
        text.filter(|text| text.chars().count() <= longest)
            .map(|text| Some(text.to_owned()))
            .ok_or_else(|| Refusal::bad(format!("{name} is no text, or too long")))
    }

    fn policy(&self, name: &str) -> Ruled<Option<Policy>> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let policy = value.as_str().and_then(Policy::parse);
        policy
            .map(Some)
            .ok_or_else(|| Refusal::bad(format!("{name} is no policy")))
    }

    fn date(&self, name: &str) -> Ruled<Option<i64>> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let date = value.as_str().and_then(dates::read);
        date.map(Some)
            .ok_or_else(|| Refusal::bad(format!("{name} is no date with an offset")))
    }

    fn resources(&self, value: &Value) -> Ruled<BTreeMap<String, Capacity>> {
        let read = || {
            let given = value.as_object()?;
            let mut resources = BTreeMap::new();
            for (name, capacity) in given {
                let known = self.state.resources.get(name);
                known.filter(|resource| resource.api_visible)?;
                let member = capacity.get("member_capacity")?.as_i64()?;
                let project = capacity.get("project_capacity")?.as_i64()?;
                if member < 0 || member > project {
                    return None;
                }
                resources.insert(name.clone(), Capacity { member, project });
            }
            Some(resources)
        };
        read().ok_or_else(|| Refusal::bad("malformed resources"))
    }
}

/// The fields that a new project must not have as null.
const KNOWN: &[&str] = &[
    "name",
    "end_date",
    "join_policy",
    "leave_policy",
    "max_members",
    "homepage",
    "description",
    "comments",
    "resources",
];

/// A number, or text with a number and a unit (powers of 1024) that may have a fraction; two words
/// mean unlimited.
fn number(value: &Value) -> Option<i64> {
    let number = match value {
        Value::Number(number) => number.as_i64()?,
        Value::String(text) => match text.trim() {
            "inf" | "infinite" => i64::MAX,
            text => {
                let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
                let digits = text.strip_suffix(unit)?;
                let power = match unit.trim() {
                    "" => 0,
                    unit => {
                        let at = ["K", "M", "G", "T", "P"].iter().position(|u| *u == unit);
                        u32::try_from(at?).ok()? + 1
                    }
                };
                scaled(digits, 1024_i64.checked_pow(power)?)?
            }
        },
        _ => return None,
    };
    (number >= 0).then_some(number)
}

/// Multiplies a decimal number, and truncates the result.
fn scaled(digits: &str, by: i64) -> Option<i64> {
    if let Ok(number) = digits.parse::<i64>() {
        return number.checked_mul(by);
    }
    let (whole, fraction) = digits.split_once('.')?;
    if fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let whole: i64 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let fraction: f64 = format!("0.{fraction}").parse().ok()?;
    whole
        .checked_mul(by)?
        .checked_add((fraction * by as f64) as i64)
}

/// Labels of letters, digits and inner hyphens, the last of two to six letters.
fn is_domain(name: &str) -> bool {
    let Some((labels, last)) = name.rsplit_once('.') else {
        return false;
    };
    let is_label = |label: &str| {
        let is_inner = |c: char| c.is_ascii_alphanumeric() || c == '-';
        !label.is_empty()
            && label.len() <= 63
            && label.chars().all(is_inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    labels.split('.').all(is_label)
        && (2..=6).contains(&last.len())
        && last.chars().all(|c| c.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_count_of_members_has_many_forms() {
        for (value, expected) in [
            (json!(20), Some(20)),
            (json!("20"), Some(20)),
            (json!("3K"), Some(3072)),
            (json!("1M"), Some(1 << 20)),
            (json!("2P"), Some(2 << 50)),
            (json!("inf"), Some(i64::MAX)),
            (json!("infinite"), Some(i64::MAX)),
            (json!("1.5K"), Some(1536)),
            (json!(" 3 K "), Some(3072)),
            (json!(".5K"), Some(512)),
            (json!("1.2.3K"), None),
            (json!("1."), None),
            (json!(0), Some(0)),
            (json!(-1), None),
            (json!(1.5), None),
            (json!("K"), None),
            (json!("3X"), None),
            (json!("9999999P"), None),
            (json!(""), None),
            (json!([]), None),
        ] {
            assert_eq!(number(&value), expected, "{value}");
        }
    }

    #[test]
    fn a_name_is_like_a_domains() {
        for name in ["a.example.org", "x-1.eu", "A.B.museum"] {
            assert!(is_domain(name), "{name}");
        }
        for name in [
            "",
            "org",
            "x y.org",
            "-a.org",
            "a-.org",
            "a..org",
            "a.o",
            "a.o1",
            "a.toolong",
            "a.org.",
        ] {
            assert!(!is_domain(name), "{name}");
        }
    }
}
