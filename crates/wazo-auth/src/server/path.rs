//! Paths of routes with parameters, in axum's syntax.

use std::borrow::Cow;
use std::str::FromStr;

use percent_encoding::percent_decode_str;

/// The path of a route, such as `/users/{user_uuid}`. A parameter is one whole segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path {
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Text(String),
    Parameter(String),
}

impl FromStr for Path {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let path = text.strip_prefix('/').ok_or("it does not begin with `/`")?;
        let segment = |segment: &str| {
            let inner = segment
                .strip_prefix('{')
                .and_then(|rest| rest.strip_suffix('}'));
            match inner {
                Some(name) if name.starts_with('*') => Err("a parameter is one segment"),
                Some(name) if !name.is_empty() => Ok(Segment::Parameter(name.to_owned())),
                _ if segment.contains(['{', '}']) => Err("a parameter is a whole segment"),
                _ => Ok(Segment::Text(segment.to_owned())),
            }
        };
        let segments = path.split('/').map(segment).collect::<Result<_, _>>()?;
        Ok(Self { segments })
    }
}

impl Path {
    /// Returns the names of the parameters.
    pub(super) fn parameters(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Parameter(name) => Some(name.as_str()),
            Segment::Text(_) => None,
        })
    }

    /// Returns the values of the parameters in the path of a request, or `None` if it is another
    /// path.
    pub(super) fn read<'p>(&'p self, path: &'p str) -> Option<Vec<(&'p str, Cow<'p, str>)>> {
        let mut found = path.strip_prefix('/')?.split('/');
        let mut values = Vec::new();
        for segment in &self.segments {
            let found = percent_decode_str(found.next()?).decode_utf8().ok()?;
            match segment {
                Segment::Text(text) if *text == found => {}
                Segment::Parameter(name) if !found.is_empty() => {
                    values.push((name.as_str(), found));
                }
                _ => return None,
            }
        }
        found.next().is_none().then_some(values)
    }
}
