//! The order of query parameters in a case, which is lost where JSON becomes a map.

use std::fmt;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// The cases of a file, read for this order alone.
#[derive(Debug, Deserialize)]
pub(super) struct Orders {
    pub(super) cases: Vec<OfCase>,
}

#[derive(Debug, Deserialize)]
pub(super) struct OfCase {
    pub(super) steps: Vec<OfStep>,
}

#[derive(Debug, Deserialize)]
pub(super) struct OfStep {
    #[serde(default)]
    pub(super) args: Args,
}

/// The arguments of a step: a map, or the list of a command line.
#[derive(Debug, Default)]
pub(super) struct Args {
    /// The names of the members of `params`, in order.
    pub(super) params: Vec<String>,
}

impl<'de> Deserialize<'de> for Args {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(ArgsVisitor)
    }
}

struct ArgsVisitor;

impl<'de> Visitor<'de> for ArgsVisitor {
    type Value = Args;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("arguments")
    }

    fn visit_unit<E>(self) -> Result<Args, E> {
        Ok(Args::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Args, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Args::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Args, A::Error> {
        let mut args = Args::default();
        while let Some(name) = members.next_key::<String>()? {
            if name == "params" {
                args.params = members.next_value::<Names>()?.0;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(args)
    }
}

/// The names of the members of a map; none of another value.
struct Names(Vec<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(NamesVisitor)
    }
}

struct NamesVisitor;

impl<'de> Visitor<'de> for NamesVisitor {
    type Value = Names;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("query parameters")
    }

    fn visit_unit<E>(self) -> Result<Names, E> {
        Ok(Names(Vec::new()))
    }

    fn visit_str<E>(self, _: &str) -> Result<Names, E> {
        Ok(Names(Vec::new()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Names, E> {
        Ok(Names(Vec::new()))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Names, E> {
        Ok(Names(Vec::new()))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Names, E> {
        Ok(Names(Vec::new()))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Names, E> {
        Ok(Names(Vec::new()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Names, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Names(Vec::new()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Names, A::Error> {
        let mut names = Vec::new();
        while let Some(name) = members.next_key()? {
            members.next_value::<IgnoredAny>()?;
            names.push(name);
        }
        Ok(Names(names))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_parameters_are_in_the_order_of_the_text() {
        let text = r#"{"cases": [{"id": "x", "steps": [
            {"args": {"a": 1, "params": {"z": "1", "a": [2]}, "b": {"y": 1}}},
            {"args": {"params": null}}, {"args": {"params": 1}}, {"args": ["-C"]}, {"args": null}, {}
        ]}]}"#;
        let orders: Orders = serde_json::from_str(text).unwrap();
        let params = |step: &OfStep| step.args.params.clone();
        let names: Vec<_> = orders.cases[0].steps.iter().map(params).collect();
        assert_eq!(
            names,
            [
                &["z".to_owned(), "a".to_owned()][..],
                &[],
                &[],
                &[],
                &[],
                &[]
            ]
        );
    }
}
