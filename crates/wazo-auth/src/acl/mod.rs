//! Access control lists, decided without asking the server (protocol section 6).
//!
//! A token carries a list of patterns. A pattern is a dotted text such as `confd.users.*.read`:
//!
//! - `*` matches any sequence of characters, possibly empty, without `.` and `#`; `#` matches any
//!   sequence, including dots.
//! - A segment that is exactly `me` also matches the id of the token's user, `my_session` that of
//!   its session, and `edit` matches `update`.
//! - A pattern with a leading `!` forbids what the rest of it matches, even if other patterns allow
//!   it. The order in the list does not matter.
//!
//! ```
//! use vouchsafe_wazo_auth::acl::Acl;
//!
//! let acl = Acl::builder()
//!     .auth_id("5cdff4a3-24a3-494f-8d32-9c8695e868f9")
//!     .build(["confd.users.me.#", "!confd.users.*.password.update"]);
//!
//! assert!(acl.allows("confd.users.5cdff4a3-24a3-494f-8d32-9c8695e868f9.lines.read"));
//! assert!(!acl.allows("confd.users.me.password.update"));
//! assert!(!acl.allows("confd.users.d082e3a1-6283-4987-892e-027fadbfdf39.lines.read"));
//! ```
//!
//! The list is compiled once. The time of a decision is at most proportional to the lengths of list
//! and text, and usually does not depend on the length of the list: only patterns with a wildcard
//! that shares its segment with other text, or with several `#`, are tried one after the other. It
//! allocates only if a text is longer than 64 KiB.

mod pattern;
mod program;
mod rules;
mod template;
mod tree;

use std::fmt;

pub use rules::Rules;
use rules::Words;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
pub use template::{AccessTemplate, AccessTemplateError};
use tree::Tree;

/// A list of access patterns, ready for decisions. The [module](self) describes the patterns.
#[derive(Clone)]
pub struct Acl {
    patterns: Vec<Box<str>>,
    allowing: Tree,
    forbidding: Tree,
    rules: Rules,
    words: Words,
}

impl Acl {
    /// Compiles a list in which `me` and `my_session` match only themselves, since neither user nor
    /// session is known. [`builder`](Self::builder) takes both.
    #[must_use]
    pub fn new<I>(patterns: I) -> Self
    where
        I: IntoIterator<Item: Into<Box<str>>>,
    {
        Self::builder().build(patterns)
    }

    /// Returns a builder, which takes the ids of the user and the session.
    pub fn builder() -> AclBuilder {
        AclBuilder::default()
    }

    /// Returns whether the list covers an access, such as `confd.users.read`.
    ///
    /// Wildcards and words in the access are literal: the pattern `a.#` covers the access `a.#`,
    /// and `a.*` does not. Like the service, this ignores one newline at the end of the access.
    #[must_use]
    pub fn allows(&self, access: &str) -> bool {
        self.decide(access).is_allowed()
    }

    /// Decides like [`allows`](Self::allows), and says which pattern made the decision. If several
    /// match, any of them is returned.
    #[must_use]
    pub fn decide(&self, access: &str) -> Decision<'_> {
        let find = |tree: &Tree| {
            let index = tree.find(access, self.rules, &self.words)?;
            Some(&*self.patterns[index])
        };
        if let Some(pattern) = find(&self.forbidding) {
            return Decision::Forbidden(pattern);
        }
        find(&self.allowing).map_or(Decision::NotCovered, Decision::Allowed)
    }

    /// Returns whether the owner of this list may grant a pattern: add it to a policy, or attach a
    /// policy that has it. Anyone may grant patterns that forbid.
    ///
    /// The pattern is compared as text. An owner of `zed.#` and `!zed.secret` may grant `zed.#`.
    #[must_use]
    pub fn may_add(&self, pattern: &str) -> bool {
        self.rules.forbidden(pattern).is_some() || self.allows(pattern)
    }

    /// Returns whether the owner of this list may revoke a pattern: remove it from a policy, or
    /// detach a policy that has it. Revoking a pattern that forbids requires the access that it
    /// forbids.
    #[must_use]
    pub fn may_remove(&self, pattern: &str) -> bool {
        self.allows(self.rules.forbidden(pattern).unwrap_or(pattern))
    }

    /// Returns the patterns in the order of the list.
    #[must_use]
    pub fn patterns(&self) -> impl ExactSizeIterator<Item = &str> {
        self.patterns.iter().map(|pattern| &**pattern)
    }
}

/// Shows the patterns, not the ids of the token.
impl fmt::Debug for Acl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Acl").field(&self.patterns).finish()
    }
}

/// Writes the patterns, separated by a comma and a space.
impl fmt::Display for Acl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, pattern) in self.patterns.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{pattern}")?;
        }
        Ok(())
    }
}

/// Two lists are equal if they have the same patterns in the same order, the same ids and the same
/// rules.
impl PartialEq for Acl {
    fn eq(&self, other: &Self) -> bool {
        (&self.patterns, &self.words, self.rules) == (&other.patterns, &other.words, other.rules)
    }
}

impl Eq for Acl {}

impl<P: Into<Box<str>>> FromIterator<P> for Acl {
    fn from_iter<I: IntoIterator<Item = P>>(patterns: I) -> Self {
        Self::new(patterns)
    }
}

impl Serialize for Acl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.patterns.serialize(serializer)
    }
}

/// Reads a list of texts, like [`Acl::new`].
impl<'de> Deserialize<'de> for Acl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<Box<str>>::deserialize(deserializer).map(Self::new)
    }
}

/// Builds an [`Acl`].
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct AclBuilder {
    rules: Rules,
    words: Words,
}

impl AclBuilder {
    /// Sets the `auth_id` of the token, which `me` matches. As in the service, a dot in it matches
    /// any character; the ids of users contain no dots.
    pub fn auth_id(mut self, auth_id: impl Into<Box<str>>) -> Self {
        self.words.auth_id = Some(auth_id.into());
        self
    }

    /// Sets the `session_uuid` of the token, which `my_session` matches.
    pub fn session_uuid(mut self, session_uuid: impl Into<Box<str>>) -> Self {
        self.words.session_uuid = Some(session_uuid.into());
        self
    }

    /// Sets the rules for patterns. Default: [`Rules::Current`].
    pub fn rules(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    /// Compiles the list.
    pub fn build<I>(self, patterns: I) -> Acl
    where
        I: IntoIterator<Item: Into<Box<str>>>,
    {
        let Self { rules, words } = self;
        let patterns: Vec<Box<str>> = patterns.into_iter().map(Into::into).collect();
        let (mut allowing, mut forbidding) = (Tree::new(), Tree::new());
        for (index, pattern) in patterns.iter().enumerate() {
            let (tree, pattern) = match rules.forbidden(pattern) {
                Some(forbidden) => (&mut forbidding, forbidden),
                None => (&mut allowing, &**pattern),
            };
            tree.add(pattern, index, rules, &words);
        }
        Acl {
            patterns,
            allowing,
            forbidding,
            rules,
            words,
        }
    }
}

/// The decision of an [`Acl`] about an access, and the pattern that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decision<'a> {
    /// This pattern allows it, and no pattern forbids it.
    Allowed(&'a str),
    /// This pattern, which begins with `!`, forbids it.
    Forbidden(&'a str),
    /// No pattern matches it, so it is not allowed.
    NotCovered,
}

impl Decision<'_> {
    /// Returns whether the access is allowed.
    #[must_use]
    pub fn is_allowed(self) -> bool {
        matches!(self, Self::Allowed(_))
    }
}

impl fmt::Display for Decision<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allowed(pattern) => write!(f, "allowed by `{pattern}`"),
            Self::Forbidden(pattern) => write!(f, "forbidden by `{pattern}`"),
            Self::NotCovered => f.write_str("covered by no pattern"),
        }
    }
}
