//! The identity of a request, according to the ingress's headers (protocol section 3). Whether the
//! headers are trusted is decided in `layer.rs`.

use http::Extensions;
use http::header::{HeaderMap, HeaderName};
use vouchsafe_core::server;

use super::{Refusal, RefusalKind};
use crate::{Token, Username};

/// The identity of a request according to the ingress; the layer adds it to the request's
/// extensions.
///
/// `Debug` shows the key of the token but never its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identity {
    /// The user's name; `bot-...` for a service that acts for itself.
    pub username: Username,
    /// The user's mail address, if Gafaelfawr knows it. Its form is not checked.
    pub email: Option<String>,
    /// The service that called on behalf of the user, if any. Not the service that was called.
    pub service: Option<String>,
    /// A token for acting on behalf of the user, if the ingress delegates one.
    pub token: Option<Token>,
}

impl Identity {
    /// Creates an identity that consists of a name only, for tests of handlers behind the layer.
    #[must_use]
    pub fn new(username: Username) -> Self {
        Self {
            username,
            email: None,
            service: None,
            token: None,
        }
    }

    /// Returns the identity that the layer added to a request's extensions.
    ///
    /// # Errors
    ///
    /// [`RefusalKind::LayerMissing`] if no layer has checked the request, so that a missing layer
    /// is never taken for permission. [`RefusalKind::Anonymous`] if a layer accepted the request
    /// without an identity.
    pub fn of(extensions: &Extensions) -> Result<&Self, Refusal> {
        Self::find(extensions)?
            .ok_or_else(|| Refusal::new(RefusalKind::Anonymous, "Authentication required").logged())
    }

    /// Returns the identity, or `None` if the layer accepted an anonymous request.
    ///
    /// # Errors
    ///
    /// [`RefusalKind::LayerMissing`] if no layer has checked the request.
    pub fn find(extensions: &Extensions) -> Result<Option<&Self>, Refusal> {
        match extensions.get::<Self>() {
            Some(identity) => Ok(Some(identity)),
            None if extensions.get::<Seen>().is_some() => Ok(None),
            None => Err(Refusal::new(
                RefusalKind::LayerMissing,
                "This route needs an identity and is not behind userinfo::server::IngressLayer",
            )
            .logged()),
        }
    }

    /// Returns the delegated token.
    ///
    /// # Errors
    ///
    /// [`RefusalKind::DelegationMissing`] if the ingress did not delegate a token.
    pub fn delegated(&self) -> Result<&Token, Refusal> {
        self.token.as_ref().ok_or_else(|| {
            Refusal::new(
                RefusalKind::DelegationMissing,
                "The ingress passes on no token for the user: the GafaelfawrIngress of this \
                 service needs the setting config.delegate",
            )
            .logged()
        })
    }

    /// Reads the headers of a trusted peer; `None` if it sent none of them.
    pub(super) fn read(headers: &HeaderMap) -> Result<Option<Self>, Refusal> {
        let username = single(headers, USER)?;
        let email = single(headers, EMAIL)?;
        let service = single(headers, SERVICE)?;
        let token = single(headers, TOKEN)?;
        let Some(username) = username else {
            return match (email, service, token) {
                (None, None, None) => Ok(None),
                _ => Err(invalid(USER, "is missing beside others of its kind")),
            };
        };
        Ok(Some(Self {
            username: visible(username)
                .and_then(|text| Username::parse(text).ok())
                .ok_or_else(|| invalid(USER, "is not a user name"))?,
            email: email.map(text),
            service: service
                .map(|value| visible(value).ok_or_else(|| invalid(SERVICE, "is not plain text")))
                .transpose()?
                .map(str::to_owned),
            token: token
                .map(|value| {
                    visible(value)
                        .and_then(|text| Token::parse(text).ok())
                        .ok_or_else(|| invalid(TOKEN, "is not a token"))
                })
                .transpose()?,
        }))
    }
}

/// Marks every request that a layer has accepted, to distinguish "anonymous" from "not checked".
#[derive(Clone, Copy)]
pub(super) struct Seen;

/// Removes all headers with the prefix `X-Auth-Request-`, including unknown ones.
pub(super) fn strip(headers: &mut HeaderMap) {
    remove(headers, is_reserved);
}

/// Removes headers that only resemble the ingress's, and keeps the token out of logs.
///
/// The ingress overwrites its headers by their exact names. `X_Auth_Request_User` and
/// `X.Auth.Request.User` pass through it unchanged, but mean the same to software that turns
/// headers into CGI variables, and to old gateways.
pub(super) fn tidy(headers: &mut HeaderMap) {
    remove(headers, |name| {
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
        is_reserved(name) && !name.as_str().as_bytes().iter().all(is_plain)
    });
    server::mark_sensitive(headers, TOKEN);
}

fn remove(headers: &mut HeaderMap, which: impl Fn(&HeaderName) -> bool) {
    let names: Vec<_> = headers.keys().filter(|name| which(name)).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

/// Returns whether a name has the prefix when all characters but letters and digits are treated as
/// equal.
fn is_reserved(name: &HeaderName) -> bool {
    let name = name.as_str().as_bytes();
    let is_same = |(byte, wanted): (&u8, &u8)| match wanted {
        b'-' => !byte.is_ascii_alphanumeric(),
        _ => byte == wanted,
    };
    name.len() >= PREFIX.len() && name.iter().zip(PREFIX.as_bytes()).all(is_same)
}

fn single<'h>(headers: &'h HeaderMap, name: &'static str) -> Result<Option<&'h [u8]>, Refusal> {
    server::single(headers, name).map_err(|fault| invalid(name, &fault.to_string()))
}

fn visible(value: &[u8]) -> Option<&str> {
    let is_visible = value.iter().all(|byte| matches!(byte, b' '..=b'~'));
    is_visible.then(|| std::str::from_utf8(value).ok())?
}

/// Python's web stack sends header texts as Latin-1, other clients as UTF-8.
fn text(value: &[u8]) -> String {
    std::str::from_utf8(value).map_or_else(
        |_| value.iter().copied().map(char::from).collect(),
        str::to_owned,
    )
}

fn invalid(header: &'static str, fault: &str) -> Refusal {
    Refusal::new(
        RefusalKind::IngressInvalid,
        format!("The ingress in front of this service is not Gafaelfawr's: {header} {fault}"),
    )
}

const PREFIX: &str = "x-auth-request-";
const USER: &str = "x-auth-request-user";
const EMAIL: &str = "x-auth-request-email";
const SERVICE: &str = "x-auth-request-service";
const TOKEN: &str = "x-auth-request-token";

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    const SECRET: &str = "gt-AAAAAAAAAAAAAAAAAAAAAA.planted-secret-bbbbbbb";

    fn headers(pairs: &[(&str, &[u8])]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    name.parse::<HeaderName>().unwrap(),
                    HeaderValue::from_bytes(value).unwrap(),
                )
            })
            .collect()
    }

    fn read(pairs: &[(&str, &[u8])]) -> Result<Option<Identity>, Refusal> {
        Identity::read(&headers(pairs))
    }

    #[test]
    fn all_four_headers_are_read() {
        let found = read(&[
            (USER, b"ada"),
            (EMAIL, b"ada@example.org"),
            (SERVICE, b"portal"),
            (TOKEN, SECRET.as_bytes()),
            ("x-auth-request-new", b"unknown ones are ignored"),
        ]);

        let identity = found.unwrap().unwrap();
        assert_eq!(identity.username.as_str(), "ada");
        assert_eq!(identity.email.as_deref(), Some("ada@example.org"));
        assert_eq!(identity.service.as_deref(), Some("portal"));
        assert_eq!(identity.delegated().unwrap().secret().expose(), SECRET);
    }

    #[test]
    fn absent_and_empty_are_the_same() {
        let bare = Identity::new(Username::parse("ada").unwrap());
        assert_eq!(read(&[(USER, b"ada")]).unwrap(), Some(bare.clone()));
        let found = read(&[(USER, b"ada"), (EMAIL, b""), (SERVICE, b" "), (TOKEN, b"")]);
        assert_eq!(found.unwrap(), Some(bare));
        assert_eq!(read(&[]).unwrap(), None);
        assert_eq!(read(&[(USER, b""), (TOKEN, b"")]).unwrap(), None);
    }

    #[test]
    fn what_gafaelfawr_never_sends_is_refused_without_repeating_it() {
        let cut = &SECRET.as_bytes()[..40];
        for (pairs, expected) in [
            (&[(USER, b"planted_name".as_slice())][..], "user is not a"),
            (&[(USER, b"../planted")], "user is not a"),
            (&[(USER, b"planted, planted")], "user is not a"),
            (&[(USER, "plantéd".as_bytes())], "user is not a"),
            (&[(USER, b"planted\xff")], "user is not a"),
            (&[(USER, b"ada"), (USER, b"planted")], "user came more"),
            (&[(USER, b"ada"), (USER, b"ada")], "user came more"),
            (&[(USER, b"ada"), (USER, b"")], "user came more"),
            (&[(USER, b"ada"), (TOKEN, cut)], "token is not"),
            (&[(USER, b"ada"), (TOKEN, b"planted")], "token is not"),
            (
                &[(USER, b"ada"), (TOKEN, SECRET.as_bytes()), (TOKEN, b"")],
                "token came more",
            ),
            (
                &[(USER, b"ada"), (EMAIL, b"planted@a"), (EMAIL, b"planted@b")],
                "email came more",
            ),
            (&[(USER, b"ada"), (SERVICE, b"planted\xff")], "service is"),
            (&[(TOKEN, SECRET.as_bytes())], "user is missing"),
            (&[(USER, b""), (EMAIL, b"planted@b")], "user is missing"),
        ] {
            let refusal = read(pairs).unwrap_err();
            let shown = format!("{refusal} {refusal:?}");
            assert_eq!(refusal.kind(), RefusalKind::IngressInvalid, "{expected}");
            assert!(shown.contains(expected), "{shown}");
            assert!(!shown.contains("planted"), "{shown}");
        }
    }

    #[test]
    fn a_mail_address_may_be_in_either_encoding() {
        for value in ["zoë@example.org".as_bytes(), b"zo\xeb@example.org"] {
            let identity = read(&[(USER, b"zoe"), (EMAIL, value)]).unwrap().unwrap();
            assert_eq!(identity.email.as_deref(), Some("zoë@example.org"));
        }
    }

    #[test]
    fn a_forged_header_is_taken_away_whatever_its_spelling() {
        let all = headers(&[
            ("X-Auth-Request-User", b"ada"),
            ("x-auth-request-user", b"ada"),
            ("X_Auth_Request_User", b"ada"),
            ("x-auth_request-groups", b"admins"),
            ("X.Auth.Request.User", b"ada"),
            ("x~auth!request|token", b"ada"),
            ("x-auth-request-us.er", b"ada"),
            ("X-Auth-Request-", b""),
            ("x-auth-requested", b"kept"),
            ("authorization", b"kept"),
        ]);

        let mut stripped = all.clone();
        strip(&mut stripped);
        assert!(stripped.values().all(|value| value == "kept"));
        assert_eq!(stripped.len(), 2);

        let mut tidied = all;
        tidy(&mut tidied);
        assert_eq!(tidied.get_all(USER).iter().count(), 2);
        assert_eq!(tidied.len(), 5);
        let odd = |name: &HeaderName| name.as_str().contains(['_', '.', '~', '!', '|']);
        assert!(!tidied.keys().any(odd), "{tidied:?}");
    }

    #[test]
    fn a_token_is_shown_by_its_key_only() {
        let mut headers = headers(&[(USER, b"ada"), (TOKEN, SECRET.as_bytes())]);
        tidy(&mut headers);
        let identity = Identity::read(&headers).unwrap();
        let shown = format!("{identity:?} {identity:#?} {headers:?}");
        assert!(shown.contains("gt-AAAAAAAAAAAAAAAAAAAAAA.…"));
        assert!(!shown.contains("planted"), "{shown}");
    }

    proptest! {
        #[test]
        fn no_spelling_of_a_header_passes(
            name in prop::sample::select(vec![USER, EMAIL, SERVICE, TOKEN]),
            signs in prop::collection::vec(prop::sample::select(b"!#$%&'*+-.^_`|~".to_vec()), 3),
        ) {
            let mut signs = signs.into_iter();
            let spelled: Vec<u8> = name
                .bytes()
                .map(|byte| if byte == b'-' { signs.next().unwrap() } else { byte })
                .collect();
            let spelled = HeaderName::from_bytes(&spelled).unwrap();
            let mut headers = HeaderMap::new();
            headers.insert(spelled.clone(), HeaderValue::from_static("x"));
            let mut tidied = headers.clone();
            strip(&mut headers);
            prop_assert!(headers.is_empty(), "{spelled}");
            tidy(&mut tidied);
            prop_assert_eq!(tidied.is_empty(), spelled != name);
        }

        #[test]
        fn any_bytes_are_read_or_refused_without_a_panic(
            values in prop::collection::vec((0usize..4, prop::collection::vec(any::<u8>(), 0..60)), 0..6)
        ) {
            let names = [USER, EMAIL, SERVICE, TOKEN];
            let mut headers = HeaderMap::new();
            for (which, bytes) in values {
                if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                    headers.append(names[which], value);
                }
            }
            let _ = Identity::read(&headers);
        }
    }
}
