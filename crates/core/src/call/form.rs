//! Forms (`application/x-www-form-urlencoded`), and bodies whose memory is wiped.

use std::fmt;
use std::io;

use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

use crate::Secret;
use crate::secret::Secrets;

/// A form under construction. Names and values are encoded as browsers do it (WHATWG URL, 5.2),
/// each on its own, so a value cannot escape its field. `Debug` does not show the fields, and the
/// memory is wiped.
///
/// ```
/// use vouchsafe_core::Secret;
/// use vouchsafe_core::call::Form;
///
/// let form = Form::new()
///     .field("grant_type", "password")
///     .secret("password", &Secret::from("hunter2"));
/// assert_eq!(format!("{form:?}"), "Form(..)");
/// ```
#[derive(Clone, Default)]
pub struct Form {
    text: Wiped,
    secrets: Secrets,
}

impl Form {
    /// Creates a form without fields.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a field. A name may occur more than once.
    #[must_use]
    pub fn field(mut self, name: &str, value: &str) -> Self {
        if !self.text.0.is_empty() {
            self.text.push(b"&");
        }
        self.encoded(name);
        self.text.push(b"=");
        self.encoded(value);
        self
    }

    /// Appends a field if there is a value.
    #[must_use]
    pub fn field_opt(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.field(name, value),
            None => self,
        }
    }

    /// Appends a field of the same name for each value.
    #[must_use]
    pub fn fields<T: AsRef<str>>(self, name: &str, values: impl IntoIterator<Item = T>) -> Self {
        let values = values.into_iter();
        values.fold(self, |form, value| form.field(name, value.as_ref()))
    }

    /// Appends a field that holds a credential. The form is then not sent over plain http to
    /// another machine unless the client allows that.
    #[must_use]
    pub fn secret(self, name: &str, value: &Secret) -> Self {
        let mut form = self.field(name, value.expose());
        form.secrets.add(value);
        form
    }

    /// Appends a field that holds a credential if there is one.
    #[must_use]
    pub fn secret_opt(self, name: &str, value: Option<&Secret>) -> Self {
        match value {
            Some(value) => self.secret(name, value),
            None => self,
        }
    }

    /// Returns the encoded text, and the secrets in it.
    pub(super) fn into_parts(self) -> (Bytes, Secrets) {
        (self.text.into_bytes(), self.secrets)
    }

    fn encoded(&mut self, text: &str) {
        for piece in pieces(text) {
            self.text.push(piece.as_bytes());
        }
    }
}

/// Returns a text encoded as a form has it.
pub(crate) fn form_encoded(text: &str) -> Secret {
    // It never grows, so it leaves no copies.
    let mut encoded = String::with_capacity(3 * text.len());
    encoded.extend(pieces(text));
    Secret::from(encoded)
}

fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split(' ').enumerate().flat_map(|(index, word)| {
        let space = (index > 0).then_some("+");
        space.into_iter().chain(utf8_percent_encode(word, PLAIN))
    })
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Form(..)")
    }
}

/// The characters that a form does not encode.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'*')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_');

/// A buffer that is wiped when it is dropped, and whose old memory is wiped when it grows.
#[derive(Clone, Default)]
pub(super) struct Wiped(Zeroizing<Vec<u8>>);

impl Wiped {
    #[inline]
    fn push(&mut self, bytes: &[u8]) {
        if bytes.len() > self.0.capacity() - self.0.len() {
            self.grow(bytes.len());
        }
        self.0.extend_from_slice(bytes);
    }

    /// Reserves room for this number of additional bytes. A vector that grows by itself does not
    /// wipe its old memory.
    #[cold]
    fn grow(&mut self, more: usize) {
        let needed = self.0.len() + more;
        let mut larger = Vec::with_capacity(needed.max(2 * self.0.capacity()).max(256));
        larger.extend_from_slice(&self.0);
        self.0 = Zeroizing::new(larger);
    }

    /// Turns the buffer into a body, which wipes the memory when it is dropped.
    pub(super) fn into_bytes(self) -> Bytes {
        Bytes::from_owner(self.0)
    }
}

impl io::Write for Wiped {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push(bytes);
        Ok(bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.push(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(form: Form) -> String {
        String::from_utf8(form.into_parts().0.to_vec()).unwrap()
    }

    #[test]
    fn fields_are_encoded_as_browsers_do_it() {
        let form = Form::new()
            .field("a b", "1&2=3")
            .field("c", "*-._~ é\n%+")
            .field_opt("d", None)
            .field_opt("c", Some(""))
            .fields("e", ["1", "&"]);
        assert_eq!(
            text(form),
            "a+b=1%262%3D3&c=*-._%7E+%C3%A9%0A%25%2B&c=&e=1&e=%26"
        );
    }

    #[test]
    fn a_form_with_a_secret_says_so_and_does_not_show_it() {
        let plain = Form::new().field("a", "b").secret_opt("c", None);
        assert!(plain.clone().into_parts().1.is_empty());
        let secret = plain.secret("c", &Secret::from("plan ted"));
        assert!(!format!("{secret:?}").contains("plan"));
        let (body, secrets) = secret.into_parts();
        assert_eq!(body, "a=b&c=plan+ted");
        assert!(!secrets.is_empty());
    }

    proptest! {
        #[test]
        fn any_value_comes_back_from_its_field(name in "\\PC{1,40}", value in "\\PC{0,600}") {
            let text = text(Form::new().field(&name, &value).field("next", ""));
            let (field, next) = text.split_once('&').unwrap();
            prop_assert_eq!(next, "next=");
            let decoded: Vec<String> = field
                .split('=')
                .map(|part| {
                    let part = part.replace('+', " ");
                    let text = percent_encoding::percent_decode_str(&part).decode_utf8().unwrap();
                    text.into_owned()
                })
                .collect();
            prop_assert_eq!(decoded, [name, value]);
        }
    }
}
