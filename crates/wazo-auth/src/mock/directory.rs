//! Directories of LDAP, which hold the passwords of users whose method is `ldap` (protocol sections
//! 5.1 and 9.13).

use serde_json::{Map, Value};

use super::password::Hash;

/// A directory at an address.
#[derive(Clone, Debug)]
pub(super) struct Directory {
    pub(super) host: String,
    pub(super) port: i64,
    /// The security that it insists on: `ldaps`, `tls` or none.
    pub(super) security: Option<String>,
    pub(super) entries: Vec<Entry>,
}

/// A user of a directory.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) name: Name,
    pub(super) password: Option<Hash>,
    /// Names and values.
    pub(super) attributes: Vec<(String, String)>,
}

/// A distinguished name, from its own part to the root. In lower case, since directories ignore case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name(Vec<String>);

impl Name {
    /// Reads a name such as `uid=alice, ou=people`. A backslash escapes the next character, or is
    /// followed by two hexadecimal digits.
    pub(super) fn parse(text: &str) -> Self {
        let mut parts = vec![Vec::new()];
        let mut rest = text.as_bytes();
        while let [first, after @ ..] = rest {
            let mut byte = *first;
            rest = after;
            if byte == b',' {
                parts.push(Vec::new());
                continue;
            }
            if let (b'\\', [next, after @ ..]) = (byte, rest) {
                (byte, rest) = match hex(rest) {
                    Some(byte) => (byte, &rest[2..]),
                    None => (*next, after),
                };
            }
            parts
                .last_mut()
                .into_iter()
                .for_each(|part| part.push(byte));
        }
        let parts = parts.iter().map(|part| String::from_utf8_lossy(part));
        let parts = parts.map(|part| part.trim().to_lowercase());
        Self(parts.filter(|part| !part.is_empty()).collect())
    }

    /// Returns the name of what is directly below this one.
    fn below(&self, attribute: &str, value: &str) -> Self {
        let own = format!("{attribute}={value}").trim().to_lowercase();
        Self([vec![own], self.0.clone()].concat())
    }

    fn is_within(&self, base: &Self) -> bool {
        self.0.ends_with(&base.0)
    }
}

impl Entry {
    fn values<'e>(&'e self, attribute: &'e str) -> impl Iterator<Item = &'e str> {
        let of = self.attributes.iter();
        let of = of.filter(move |(name, _)| name.eq_ignore_ascii_case(attribute));
        of.map(|(_, value)| value.as_str())
    }

    fn has(&self, attribute: &str, value: &str) -> bool {
        let value = value.to_lowercase();
        self.values(attribute)
            .any(|own| own.to_lowercase() == value)
    }

    fn is_password(&self, password: &str) -> bool {
        self.password.as_ref().is_some_and(|own| own.is(password))
    }
}

/// Checks a password in the directory of a configuration. Returns the user's address.
///
/// With `bind_dn`, the service binds as that, and searches below `user_base_dn` for the login and
/// `search_filters`; else the user is the entry directly below `user_base_dn`.
pub(super) fn check(
    directories: &[Directory],
    config: &Map<String, Value>,
    login: &str,
    password: &str,
) -> Option<String> {
    let given = |name: &str| config.get(name).and_then(Value::as_str);
    let text = |name: &str| given(name).unwrap_or_default();
    let port = config.get("port").and_then(Value::as_i64);
    let directory = directories.iter().find(|directory| {
        let address = (directory.host.as_str(), Some(directory.port));
        address == (text("host"), port)
            && directory.security.as_deref() == given("protocol_security")
    })?;
    let base = Name::parse(text("user_base_dn"));
    let attribute = text("user_login_attribute");
    let entry = match given("bind_dn").filter(|name| !name.is_empty()) {
        Some(name) => {
            let own = directory.entry(&Name::parse(name))?;
            if !own.is_password(text("bind_password")) {
                return None;
            }
            let filter = given("search_filters").filter(|filter| !filter.is_empty());
            let mut found = directory.entries.iter().filter(|entry| {
                entry.name.is_within(&base)
                    && entry.has(attribute, login)
                    && filter.is_none_or(|filter| is_match(filter, entry))
            });
            let entry = found.next()?;
            // A login that fits several users is none.
            found.next().is_none().then_some(entry)?
        }
        None => directory.entry(&base.below(attribute, login))?,
    };
    if !entry.is_password(password) {
        return None;
    }
    let address = entry.values(text("user_email_attribute")).next()?;
    Some(address.to_owned())
}

impl Directory {
    fn entry(&self, name: &Name) -> Option<&Entry> {
        self.entries.iter().find(|entry| &entry.name == name)
    }
}

/// Returns whether a filter (RFC 4515) matches an entry. Of comparisons there are equality and
/// presence; a filter with another matches nothing.
fn is_match(filter: &str, entry: &Entry) -> bool {
    let wrapped = format!("({filter})");
    let filter = if filter.starts_with('(') {
        filter
    } else {
        &wrapped
    };
    matches!(read(filter, entry, 0), Some((true, "")))
}

/// How deep a filter may be nested.
const DEEPEST: usize = 32;

/// Reads a filter. Returns whether it matches, and the text after it.
fn read<'f>(filter: &'f str, entry: &Entry, depth: usize) -> Option<(bool, &'f str)> {
    let inner = filter.strip_prefix('(').filter(|_| depth < DEEPEST)?;
    let (result, rest) = match inner.chars().next()? {
        operator @ ('&' | '|') => {
            let mut result = operator == '&';
            let mut rest = &inner[1..];
            while rest.starts_with('(') {
                let (one, after) = read(rest, entry, depth + 1)?;
                result = if operator == '&' {
                    result && one
                } else {
                    result || one
                };
                rest = after;
            }
            (result, rest)
        }
        '!' => {
            let (one, rest) = read(&inner[1..], entry, depth + 1)?;
            (!one, rest)
        }
        _ => {
            let end = inner.find(')')?;
            let (attribute, value) = inner[..end].split_once('=')?;
            let is_plain = attribute.chars().all(|c| c.is_alphanumeric() || c == '-');
            let result = match value {
                _ if !is_plain || attribute.is_empty() => return None,
                "*" => entry.values(attribute).next().is_some(),
                value if value.contains('*') => return None,
                value => entry.has(attribute, &unescaped(value)?),
            };
            (result, &inner[end..])
        }
    };
    Some((result, rest.strip_prefix(')')?))
}

/// Replaces each backslash and its two hexadecimal digits by the byte that they stand for.
fn unescaped(value: &str) -> Option<String> {
    let mut pieces = value.as_bytes().split(|byte| *byte == b'\\');
    let mut bytes = pieces.next()?.to_vec();
    for piece in pieces {
        bytes.push(hex(piece)?);
        bytes.extend(&piece[2..]);
    }
    String::from_utf8(bytes).ok()
}

/// Reads two hexadecimal digits.
fn hex(text: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*text.get(at)?).to_digit(16);
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_case_spaces_and_escapes() {
        let name = Name::parse("uid=A\\2c B\\,\\+c\\c3\\89,OU=People , dc=example");
        assert_eq!(name.0, ["uid=a, b,+cé", "ou=people", "dc=example"]);
        let base = Name::parse("dc=Example");
        assert!(name.is_within(&base) && base.is_within(&base) && !base.is_within(&name));
        assert_eq!(
            base.below("uid", "a,b"),
            Name::parse("uid=a\\,b,dc=example")
        );
        assert_eq!(Name::parse("\\").0, ["\\"]);
    }

    #[test]
    fn filters_of_any_form_are_decided() {
        let attributes = [
            ("uid", "alice"),
            ("objectclass", "Person"),
            ("cn", "A (b)*"),
        ];
        let entry = Entry {
            name: Name::parse("uid=alice"),
            password: None,
            attributes: attributes.map(|(a, b)| (a.to_owned(), b.to_owned())).into(),
        };
        for (filter, expected) in [
            ("uid=Alice", true),
            ("(UID=alice)", true),
            ("(uid=bob)", false),
            ("(mail=*)", false),
            ("(cn=*)", true),
            ("(cn=a \\28b\\29\\2a)", true),
            ("(&(uid=alice)(objectClass=person))", true),
            ("(&(uid=alice)(objectClass=group))", false),
            ("(|(uid=bob)(!(mail=*)))", true),
            ("(&)", true),
            ("(|)", false),
            // What is no filter, or not supported.
            ("(uid=al*)", false),
            ("(!(uid=al*))", false),
            ("(uid>=a)", false),
            ("(uid=alice", false),
            ("(uid=alice)x", false),
            ("(uid=\\zz)", false),
            ("(uid=\\é)", false),
            ("(uid=\\+1)", false),
            ("(uid=\\6)", false),
            ("(!)", false),
            ("", false),
        ] {
            assert_eq!(is_match(filter, &entry), expected, "{filter}");
        }
        let deep = format!("{}uid=alice{}", "(!".repeat(100_000), ")".repeat(100_000));
        assert!(!is_match(&deep, &entry));
    }
}
