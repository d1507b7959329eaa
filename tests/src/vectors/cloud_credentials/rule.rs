//! The expected behaviour where the recorded one is a defect or a limit. An unknown text fails its
//! case.

/// A rule, by the text of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// As recorded.
    Same,
    /// The call that is judged ends with an error of the endpoint.
    EndpointError,
    /// The answer cannot be understood; nothing is changed.
    InvalidResponse,
    /// A value is missing; nothing is sent.
    Partial,
    /// Redirects are not followed.
    NoRedirect,
    /// What an answer with an opaque token says is taken.
    OpaqueToken,
    /// What was given to the call is remembered.
    Remembered,
    /// The call succeeds.
    Success,
    /// The revoked token is forgotten.
    Forgotten,
    /// The constructor does nothing; the first request does it.
    Later,
    /// The same, and the first request fails.
    LaterError,
    /// Nothing is sent, and it is an error.
    Refused,
    /// The refusal of an access token is followed by a refresh and one more request.
    Retried,
    /// An opaque token is sent.
    Sent,
    /// The option exists.
    Accepted,
    /// The newer token is returned, and nothing is sent.
    Newer,
    /// The developer token is not used.
    ClientWins,
    /// The provider's URL is used as it is.
    ProviderAsGiven,
    /// No URL is formed.
    NoUrl,
    /// Scopes are joined.
    OneScope,
    /// Claims are read in the alphabet of URLs.
    UrlSafe,
    /// The token is refused.
    InvalidJwt,
    /// The last call says that the token has not expired.
    NotExpired,
    /// The variables without prefix are used.
    Unprefixed,
    /// `PAN_ACCESS_TOKEN` is used.
    EnvironmentToken,
    /// Files are touched when they are written first.
    Untouched,
    /// The file is private.
    Private,
    /// What is not known overwrites nothing.
    Merged,
    /// The file is damaged.
    Corrupt,
    /// A bare name is a file of the current folder.
    BareName,
    /// The object can still be used.
    StillUsable,
    /// The document of others survives.
    OutsideSurvives,
    /// The write goes to the file at the path.
    AtPath,
    /// The path of the base URL is kept.
    BasePath,
    /// The header that was given is sent.
    HeaderKept,
    /// A service without credentials uses those of the environment.
    Environment,
    /// The result of a refresh in flight is waited for.
    Waited,
    /// The call that is judged fails with a typed error.
    Failed,
    /// The same, and nothing is sent.
    Unsent,
    /// The first answer is returned.
    FirstAnswer,
    /// The record in the store counts, which another program wrote.
    StoreWins,
    /// Ids are encoded as parts of paths.
    Encoded,
    /// An empty variable counts as absent.
    EmptyIsNone,
}

/// The rules by words of their texts.
const RULES: &[(&str, Rule)] = &[
    ("return a typed token-endpoint error", Rule::EndpointError),
    ("lacks access_token", Rule::InvalidResponse),
    ("refuse before sending", Rule::Partial),
    ("partial credentials error, nothing sent", Rule::Partial),
    ("does not follow redirects", Rule::NoRedirect),
    ("succeed: opaque access tokens are legal", Rule::OpaqueToken),
    ("remembered and written", Rule::Remembered),
    ("success: RFC 7009", Rule::Success),
    ("the revoked token is removed", Rule::Forgotten),
    ("said the revocation did not succeed", Rule::EndpointError),
    (
        "the refresh happens just before the first request",
        Rule::Later,
    ),
    ("the error appears at the first request", Rule::LaterError),
    ("typed error, nothing sent (never", Rule::Refused),
    ("stops every refresh: typed error", Rule::Refused),
    ("typed refresh error at the request", Rule::LaterError),
    ("401 -> one refresh -> one retry", Rule::Retried),
    ("refresh and retry come first", Rule::Retried),
    ("an opaque token is sent as is", Rule::Sent),
    ("auto_retry is an option", Rule::Accepted),
    ("return the newer token that is held", Rule::Newer),
    ("client credentials win", Rule::ClientWins),
    ("provider URL is used", Rule::ProviderAsGiven),
    ("return an error, build no URL", Rule::NoUrl),
    ("ONE scope parameter", Rule::OneScope),
    ("decode with the URL-safe alphabet", Rule::UrlSafe),
    ("a claims set is a JSON object", Rule::InvalidJwt),
    ("exp is not a number", Rule::InvalidJwt),
    (
        "expiry always belongs to the current token",
        Rule::NotExpired,
    ),
    ("seed document promises", Rule::Unprefixed),
    ("PAN_ACCESS_TOKEN is not a cache", Rule::EnvironmentToken),
    ("construction touches no file", Rule::Untouched),
    ("construction leaves the file alone", Rule::Untouched),
    ("a new file has mode 0600", Rule::Private),
    ("never overwrites", Rule::Merged),
    ("\"store is corrupt\"", Rule::Corrupt),
    ("bare file name", Rule::BareName),
    ("stays usable", Rule::StillUsable),
    ("outside profile survives", Rule::OutsideSurvives),
    ("write goes to the file now at the path", Rule::AtPath),
    ("base path is kept: request target", Rule::BasePath),
    ("netrc is never consulted", Rule::HeaderKept),
    ("resolution order applies to services", Rule::Environment),
    ("wait for the refresh in flight", Rule::Waited),
];

/// Words for a record that is read again before each decision.
const STORE_WINS: [&str; 5] = [
    "store is read",
    "read again",
    "in the store wins",
    "is the truth",
    "newer token",
];

impl Rule {
    /// Returns the rule of a text. `None` if there is none.
    pub(super) fn of(policy: &str, text: &str) -> Option<Self> {
        if policy == "match" {
            return Some(Self::Same);
        }
        let mut rules = RULES.iter();
        rules
            .find(|(words, _)| text.contains(words))
            .map(|(_, rule)| *rule)
            .or_else(|| Self::of_words(text))
    }

    /// Reads a text that is not known, by what it says of the outcome. `None` if it says nothing that
    /// can be judged.
    fn of_words(text: &str) -> Option<Self> {
        let text = text.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        let is_error = has(&["error", "refuse"]);
        let is_unsent = has(&[
            "nothing sent",
            "nothing is sent",
            "no request",
            "before sending",
        ]);
        let is_kept = has(&[
            "the 401 response",
            "401 is returned",
            "401 returned",
            "401 itself",
        ]);
        let is_at_endpoint = has(&[
            "one request",
            "not follow",
            "never follow",
            "token endpoint",
        ]);
        Some(match () {
            () if is_kept => Self::FirstAnswer,
            () if has(&["sent as is", "sent as it is"]) => Self::Sent,
            () if has(&["last call"]) => Self::NotExpired,
            () if !is_error && has(&["tokens kept", "expires_in"]) => Self::OpaqueToken,
            () if has(&["corrupt"]) => Self::Corrupt,
            () if has(&["redirect"]) && is_at_endpoint => Self::NoRedirect,
            () if is_error && has(&["constructor", "api is not called"]) => Self::LaterError,
            () if is_error && is_unsent => Self::Unsent,
            () if is_error && has(&["token response", "token answer"]) => Self::InvalidResponse,
            () if is_error && has(&["token-endpoint", "token endpoint"]) => Self::EndpointError,
            () if is_error && has(&["claim", "jwt"]) => Self::InvalidJwt,
            () if is_error => Self::Failed,
            () if has(&["no network in constructors"]) => Self::Later,
            () if has(&["construction"]) => Self::Untouched,
            () if has(&["one refresh", "refresh first"]) => Self::Retried,
            () if has(&["netrc"]) => Self::HeaderKept,
            () if has(&["percent-encod", "path segment"]) => Self::Encoded,
            () if has(&["request target /"]) => Self::BasePath,
            () if has(&["opaque"]) => Self::OpaqueToken,
            () if has(&["empty"]) && has(&["absent", "none", "null", "missing", "not set"]) => {
                Self::EmptyIsNone
            }
            () if has(&["one slash", "trailing slash", "port in the base url"]) => Self::BasePath,
            () if has(&["concerns the store only"]) => Self::EnvironmentToken,
            () if has(&["as before", "only known values", "becomes null"]) => Self::Merged,
            () if has(&["mode is kept"]) => Self::Private,
            () if has(&STORE_WINS) => Self::StoreWins,
            () if has(&["success", "succeed"]) => Self::Success,
            () if has(&["same bytes"]) => Self::Private,
            () => return None,
        })
    }
}
