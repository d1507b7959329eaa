//! Accesses with parameters, as routes require them.

use std::fmt;
use std::str::FromStr;

/// An access with parameters in braces, such as `confd.users.{user_uuid}.read`.
///
/// ```
/// use vouchsafe_wazo_auth::acl::AccessTemplate;
///
/// let template: AccessTemplate = "auth.policies.{policy}.read".parse()?;
/// // The service replaces dots in values.
/// let access = template.fill(|name| (name == "policy").then_some("a.b"));
/// assert_eq!(access.as_deref(), Some("auth.policies.a_b.read"));
/// # Ok::<(), vouchsafe_wazo_auth::acl::AccessTemplateError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AccessTemplate {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Piece {
    Text(Box<str>),
    Parameter(Box<str>),
}

impl AccessTemplate {
    /// Returns the access with the values of its parameters. As in the service, each `.` in a value
    /// becomes `_` (protocol section 3.1). `None` if a value is missing.
    pub fn fill<'v>(&self, value: impl Fn(&str) -> Option<&'v str>) -> Option<String> {
        let mut access = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => access.push_str(text),
                Piece::Parameter(name) => {
                    let value = value(name)?.chars();
                    access.extend(value.map(|c| if c == '.' { '_' } else { c }));
                }
            }
        }
        Some(access)
    }

    /// Returns the names of the parameters.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Parameter(name) => Some(&**name),
            Piece::Text(_) => None,
        })
    }
}

impl FromStr for AccessTemplate {
    type Err = AccessTemplateError;

    fn from_str(text: &str) -> Result<Self, AccessTemplateError> {
        let malformed = |why| AccessTemplateError {
            template: text.to_owned(),
            why,
        };
        if text.is_empty() {
            return Err(malformed("it is empty"));
        }
        if text.contains(char::is_control) {
            return Err(malformed("it has control characters"));
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (front, behind) = rest.split_once('{').unwrap_or((rest, ""));
            if front.contains('}') {
                return Err(malformed("a `}` has no `{`"));
            }
            if !front.is_empty() {
                pieces.push(Piece::Text(front.into()));
            }
            if front.len() == rest.len() {
                break;
            }
            let Some((name, behind)) = behind.split_once('}') else {
                return Err(malformed("a `{` has no `}`"));
            };
            if name.is_empty() || name.contains('{') {
                return Err(malformed("a parameter has no name"));
            }
            pieces.push(Piece::Parameter(name.into()));
            rest = behind;
        }
        Ok(Self { pieces })
    }
}

impl fmt::Display for AccessTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => f.write_str(text)?,
                Piece::Parameter(name) => write!(f, "{{{name}}}")?,
            }
        }
        Ok(())
    }
}

/// Why a text is not an [`AccessTemplate`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessTemplateError {
    template: String,
    why: &'static str,
}

impl fmt::Display for AccessTemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { template, why } = self;
        write!(f, "{template:?} is not a template of an access: {why}")
    }
}

impl std::error::Error for AccessTemplateError {}
