//! Finds the operation of a request in a generated table.

use http::Method;
use percent_encoding::percent_decode_str;

use crate::call::Operation;

/// An operation, its full path, and the emulator's value for it.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "generated tables are made of it")]
pub struct Route<Op> {
    /// The value to match on.
    pub op: Op,
    /// The operation.
    pub operation: &'static Operation,
    /// The whole path template, such as `/auth/api/v1/users/{username}`.
    pub path: &'static str,
}

impl<Op: Copy> Route<Op> {
    /// Replaces the emulator's value, for an emulator of several services.
    #[must_use]
    pub fn map<To>(&self, name: impl FnOnce(Op) -> To) -> Route<To> {
        Route {
            op: name(self.op),
            operation: self.operation,
            path: self.path,
        }
    }
}

/// The result of [`find`].
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "an emulator answers each of these")]
pub enum Found<Op> {
    /// The route exists.
    Route {
        /// The emulator's value for the operation.
        op: Op,
        /// The operation.
        operation: &'static Operation,
        /// The path template that matched.
        path: &'static str,
        /// The values of the parameters in the order of the template, percent-decoded.
        params: Vec<String>,
    },
    /// The path exists, but only with other methods.
    WrongMethod {
        /// The methods of the path, in the order of the table.
        allow: Vec<Method>,
    },
    /// The path exists without the trailing slash.
    TrailingSlash,
    /// The path does not exist.
    Nothing,
}

impl<Op> Found<Op> {
    /// Replaces the emulator's value, for an emulator of several services.
    pub fn map<To>(self, name: impl FnOnce(Op) -> To) -> Found<To> {
        match self {
            Self::Route {
                op,
                operation,
                path,
                params,
            } => Found::Route {
                op: name(op),
                operation,
                path,
                params,
            },
            Self::WrongMethod { allow } => Found::WrongMethod { allow },
            Self::TrailingSlash => Found::TrailingSlash,
            Self::Nothing => Found::Nothing,
        }
    }
}

/// Finds the route of a method and a path. Literal segments take precedence over parameters.
///
/// Each segment is percent-decoded on its own. A segment that is then not UTF-8 or contains a slash
/// matches no route, so an encoded slash cannot reach another route.
#[must_use]
pub fn find<Op: Copy>(routes: &[Route<Op>], method: &Method, path: &str) -> Found<Op> {
    let Some(segments) = decoded(path) else {
        return Found::Nothing;
    };
    let mut best: Option<(&Route<Op>, Match)> = None;
    let mut allow = Vec::new();
    for route in routes {
        let Some(fit) = fit(route.path, &segments) else {
            continue;
        };
        if route.operation.method() != method {
            if !allow.contains(route.operation.method()) {
                allow.push(route.operation.method().clone());
            }
        } else if best.as_ref().is_none_or(|(_, b)| fit.literal > b.literal) {
            best = Some((route, fit));
        }
    }
    if let Some((route, fit)) = best {
        return Found::Route {
            op: route.op,
            operation: route.operation,
            path: route.path,
            params: fit.params,
        };
    }
    if !allow.is_empty() {
        return Found::WrongMethod { allow };
    }
    match segments.split_last() {
        Some((last, rest))
            if last.is_empty() && routes.iter().any(|route| fit(route.path, rest).is_some()) =>
        {
            Found::TrailingSlash
        }
        _ => Found::Nothing,
    }
}

/// How a path matches a template.
struct Match {
    /// Whether each segment is literal; of two matches, the greater is more specific.
    literal: Vec<bool>,
    params: Vec<String>,
}

fn fit(template: &str, segments: &[String]) -> Option<Match> {
    let mut found = Match {
        literal: Vec::with_capacity(segments.len()),
        params: Vec::new(),
    };
    let mut rest = segments.iter();
    for part in template.trim_start_matches('/').split('/') {
        let segment = rest.next()?;
        let is_param = part.starts_with('{') && part.ends_with('}');
        if is_param && !segment.is_empty() {
            found.params.push(segment.clone());
        } else if is_param || part != segment {
            return None;
        }
        found.literal.push(!is_param);
    }
    rest.next().is_none().then_some(found)
}

fn decoded(path: &str) -> Option<Vec<String>> {
    let path = path.strip_prefix('/')?;
    path.split('/')
        .map(|segment| {
            let text = percent_decode_str(segment).decode_utf8().ok()?;
            (!text.contains('/')).then(|| text.into_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    static LIST: Operation = Operation::new("t.list", Method::GET, "/users");
    static MAKE: Operation = Operation::new("t.make", Method::POST, "/users");
    static ONE: Operation = Operation::new("t.one", Method::GET, "/users/{name}");
    static ME: Operation = Operation::new("t.me", Method::GET, "/users/me");
    static KEY: Operation = Operation::new("t.key", Method::DELETE, "/users/{name}/tokens/{key}");
    static ROUTES: &[Route<&str>] = &[
        Route {
            op: "t.list",
            operation: &LIST,
            path: "/api/users",
        },
        Route {
            op: "t.make",
            operation: &MAKE,
            path: "/api/users",
        },
        Route {
            op: "t.one",
            operation: &ONE,
            path: "/api/users/{name}",
        },
        Route {
            op: "t.me",
            operation: &ME,
            path: "/api/users/me",
        },
        Route {
            op: "t.key",
            operation: &KEY,
            path: "/api/users/{name}/tokens/{key}",
        },
    ];

    fn told(method: Method, path: &str) -> String {
        match find(ROUTES, &method, path) {
            Found::Route {
                op,
                operation,
                params,
                ..
            } => {
                assert_eq!(op, operation.id());
                format!("{op} {params:?}")
            }
            Found::WrongMethod { allow } => format!("allow {allow:?}"),
            Found::TrailingSlash => "slash".to_owned(),
            Found::Nothing => "nothing".to_owned(),
        }
    }

    #[test]
    fn a_path_is_matched_segment_by_segment() {
        for (method, path, expected) in [
            (Method::GET, "/api/users", "t.list []"),
            (Method::POST, "/api/users", "t.make []"),
            (Method::GET, "/api/users/ada", r#"t.one ["ada"]"#),
            (Method::GET, "/api/users/a%20%C3%A9", r#"t.one ["a é"]"#),
            (Method::GET, "/api/users/me", "t.me []"),
            (Method::GET, "/api/%75sers", "t.list []"),
            (
                Method::DELETE,
                "/api/users/a/tokens/k",
                r#"t.key ["a", "k"]"#,
            ),
            (Method::HEAD, "/api/users", "allow [GET, POST]"),
            (Method::DELETE, "/api/users/me", "allow [GET]"),
            (Method::GET, "/api/users/", "slash"),
            (Method::PUT, "/api/users/ada/", "slash"),
            (Method::GET, "/api/users//", "nothing"),
            (Method::GET, "/api/users/ada//", "nothing"),
            (Method::GET, "/api//users", "nothing"),
            (Method::GET, "/api/users/a%2Fb", "nothing"),
            (Method::GET, "/api/users/..%2Fusers", "nothing"),
            (Method::GET, "/api/users/%FF", "nothing"),
            (Method::GET, "/other", "nothing"),
            (Method::GET, "/", "nothing"),
            (Method::OPTIONS, "*", "nothing"),
            (Method::GET, "", "nothing"),
        ] {
            assert_eq!(told(method, path), expected, "{path}");
        }
    }
}
