//! Reading queries, forms and headers.

use crate::transport::Request;

/// The fields of a query or of a form (`application/x-www-form-urlencoded`), in their order.
///
/// If a name occurs several times, servers differ in which value they use: the first, the last, or
/// all.
///
/// ```
/// use vouchsafe_core::mock::form::Fields;
///
/// let fields = Fields::parse(b"user=alice&name=a+b%21&user=bob");
/// assert_eq!(fields.first("user"), Some("alice"));
/// assert_eq!(fields.last("user"), Some("bob"));
/// assert_eq!(fields.all("user").collect::<Vec<_>>(), ["alice", "bob"]);
/// assert_eq!(fields.first("name"), Some("a b!"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads the query of a request.
    #[must_use]
    pub fn of_query(request: &Request) -> Self {
        Self::parse(request.uri.query().unwrap_or_default().as_bytes())
    }

    /// Reads the text of a query or the body of a form. `+` is a space, a `%` that is not followed
    /// by two hex digits is kept, and invalid UTF-8 is replaced.
    #[must_use]
    pub fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// Returns the first value of a name.
    #[must_use]
    pub fn first(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Returns the last value of a name.
    #[must_use]
    pub fn last(&self, name: &str) -> Option<&str> {
        self.all(name).next_back()
    }

    /// Returns all values of a name, in order.
    #[must_use]
    pub fn all(&self, name: &str) -> impl DoubleEndedIterator<Item = &str> {
        let named = self.0.iter().filter(move |(key, _)| key == name);
        named.map(|(_, value)| value.as_str())
    }

    /// Returns names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let fields = self.0.iter();
        fields.map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl FromIterator<(String, String)> for Fields {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(fields: I) -> Self {
        Self(fields.into_iter().collect())
    }
}

/// Returns the first header of a name as text, if it is ASCII.
#[must_use]
pub fn header<'r>(request: &'r Request, name: &str) -> Option<&'r str> {
    request.headers.get(name)?.to_str().ok()
}

/// Encodes a text as a value of a query or form.
#[must_use]
pub fn escaped(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_servers_do() {
        for (text, expected) in [
            ("", &[][..]),
            ("&&a", &[("a", "")]),
            ("a=1=2", &[("a", "1=2")]),
            ("=x", &[("", "x")]),
            ("a+b=%", &[("a b", "%")]),
            ("%C3%B6=%zz", &[("\u{f6}", "%zz")]),
            ("a=%FF", &[("a", "\u{fffd}")]),
        ] {
            let fields = Fields::parse(text.as_bytes());
            assert_eq!(fields.iter().collect::<Vec<_>>(), expected, "{text}");
        }
        assert_eq!(
            Fields::parse(escaped("a b&=\u{f6}").as_bytes()).first("a b&=\u{f6}"),
            Some("")
        );
    }
}
