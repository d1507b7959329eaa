//! The errors of calls to Astakos.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vouchsafe_core::call;
use vouchsafe_core::text::without_mark;
use vouchsafe_core::transport::Response;

use crate::{Fault, Limit, Provision};

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

vouchsafe_core::service_error! {
    /// Why a call to Astakos failed.
    ///
    /// `Display` is one line for people, the methods are for programs, and `source()` is the cause.
    /// The server's message comes from the body of its answer, never from the reason phrase, which
    /// is unreliable (protocol section 5.1). No text includes a token.
    Error, ErrorKind, classify
}

impl Error {
    /// Returns the contents of the refusal's body, if it is a fault.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        serde_json::from_slice(without_mark(self.body()?)).ok()
    }

    /// Returns the body of the refusal, truncated after 64 KiB.
    #[must_use]
    pub fn body(&self) -> Option<&[u8]> {
        self.core().body().map(|body| &body[..])
    }

    /// Returns the numbers of an [`ErrorKind::QuotaLimit`]. `None` for other errors, and if the
    /// server did not send them.
    #[must_use]
    pub fn quota_limit(&self) -> Option<QuotaLimit> {
        if self.kind() != ErrorKind::QuotaLimit {
            return None;
        }
        serde_json::from_value(self.fault()?.data?).ok()
    }

    /// Returns the provision whose holding does not exist, if that is why a commission was
    /// refused with [`ErrorKind::NotFound`].
    #[must_use]
    pub fn missing_holding(&self) -> Option<Provision> {
        if self.kind() != ErrorKind::NotFound {
            return None;
        }
        serde_json::from_value(self.fault()?.data?.get("provision")?.clone()).ok()
    }

    /// Creates an error for input that is refused before anything is sent.
    pub(crate) fn bad_value(message: impl AsRef<str>) -> Self {
        vouchsafe_core::Error::new(vouchsafe_core::ErrorKind::Invalid, message).into()
    }

    /// Creates an error for something that the server's generation does not support.
    pub(crate) fn unsupported(message: impl AsRef<str>) -> Self {
        let core = vouchsafe_core::Error::new(vouchsafe_core::ErrorKind::Invalid, message);
        Self::of(ErrorKind::Unsupported, core)
    }

    /// Creates an error for something that was requested but does not exist.
    pub(crate) fn lacks(kind: ErrorKind, message: impl AsRef<str>) -> Self {
        let core = vouchsafe_core::Error::new(vouchsafe_core::ErrorKind::NotFound, message);
        Self::of(kind, core)
    }
}

/// The kind of an [`Error`]. The names follow the Python client's exceptions where there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An argument or the configuration is invalid; nothing was sent.
    BadValue,
    /// The answer was successful but could not be understood.
    InvalidResponse,
    /// The server refused the input (400). It also answers this for unknown paths.
    BadRequest,
    /// The token is missing, unknown, expired or of the wrong kind (401).
    Unauthorized,
    /// The token is valid but not sufficient (403).
    Forbidden,
    /// The thing does not exist (404), or a commission is not pending.
    NotFound,
    /// The state, a policy or a name in use does not permit it (409).
    Conflict,
    /// A limit would be exceeded, or more would be released than is used (413 for a commission):
    /// [`Error::quota_limit`] has the numbers.
    QuotaLimit,
    /// No user has this uuid.
    NoUserName,
    /// No user has this name.
    #[doc(alias = "NoUUID")]
    NoUuid,
    /// The catalog lacks the required service, endpoint or address.
    NoEndpoints,
    /// The server's generation does not support it, according to
    /// [`Client::dialect`](crate::Client::dialect) or its answer.
    Unsupported,
    /// No connection could be made, it broke, or no answer arrived in time ([`Error::is_timeout`]).
    /// [`Error::core`] has the details, including whether the server may have seen the request.
    #[doc(alias = "ConnectionError")]
    Connection,
    /// Any other error, such as an unknown status.
    Core(vouchsafe_core::ErrorKind),
}

fn classify(core: &vouchsafe_core::Error) -> ErrorKind {
    use vouchsafe_core::ErrorKind as Core;

    let is_issue = core.operation() == Some("account.issueCommission");
    match (core.status().map(|status| status.as_u16()), core.kind()) {
        (_, Core::Decode) => ErrorKind::InvalidResponse,
        (Some(400), _) => ErrorKind::BadRequest,
        (Some(401), _) => ErrorKind::Unauthorized,
        (Some(403), _) => ErrorKind::Forbidden,
        (Some(404), _) => ErrorKind::NotFound,
        (Some(409), _) => ErrorKind::Conflict,
        (Some(413), _) if is_issue => ErrorKind::QuotaLimit,
        (None, Core::Config | Core::Invalid | Core::Credential) => ErrorKind::BadValue,
        (_, Core::Connect(_) | Core::Transport | Core::Timeout(_)) => ErrorKind::Connection,
        (_, other) => ErrorKind::Core(other),
    }
}

/// Reads the name and message of a fault, or of an OAuth 2.0 error.
pub(crate) fn read_fault(response: &Response) -> call::Fault {
    let body = without_mark(&response.body);
    if let Ok(fault) = serde_json::from_slice::<Fault>(body) {
        let why = fault.data.as_ref().and_then(why);
        let message = Some(fault.message).filter(|message| !message.is_empty());
        let message = match (message, why) {
            (Some(message), Some(why)) => Some(format!("{message} ({why})")),
            (message, why) => message.or(why),
        };
        return call::Fault::new(Some(fault.name), message);
    }
    match serde_json::from_slice::<Refused>(body) {
        Ok(refused) => call::Fault::new(Some(refused.error), refused.exception),
        Err(_) => call::Fault::default(),
    }
}

/// Describes the holder and resource of a refused commission, from the data of its fault.
fn why(data: &Value) -> Option<String> {
    if let Ok(limit) = QuotaLimit::deserialize(data) {
        return Some(limit.to_string());
    }
    let provision = Provision::deserialize(data.get("provision")?).ok()?;
    let Provision {
        holder, resource, ..
    } = &provision;
    Some(match &provision.source {
        Some(source) => format!("{holder} holds no {resource} from {source}"),
        None => format!("{holder} holds no {resource}"),
    })
}

/// A refusal of the OAuth 2.0 part (protocol section 5.1).
#[derive(Deserialize)]
struct Refused {
    error: String,
    exception: Option<String>,
}

/// Why a commission does not fit (protocol section 5.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct QuotaLimit {
    /// Which rule it breaks.
    pub name: LimitName,
    /// The blamed provision: the sum of all for this holder, source and resource. If several do not
    /// fit, the server blames an arbitrary one.
    pub provision: Provision,
    /// The limit; zero if more would be released than is used.
    pub limit: Limit,
    /// The usage: including pending amounts for charges, without them for releases.
    pub usage: i64,
}

impl QuotaLimit {
    pub(crate) fn new(name: LimitName, provision: Provision, limit: Limit, usage: i64) -> Self {
        Self {
            name,
            provision,
            limit,
            usage,
        }
    }

    /// Returns the remainder below the limit; negative if it is already exceeded.
    #[must_use]
    pub fn available(&self) -> Limit {
        self.limit.less(self.usage)
    }

    /// Returns the requested amount; negative for a release.
    #[must_use]
    pub fn requested(&self) -> i64 {
        self.provision.quantity
    }

    /// Returns the resource's name for people, like the Python client: `Virtual Machine` for
    /// `cyclades.vm`. If there is none, returns the resource's own name.
    #[must_use]
    pub fn label(&self) -> &str {
        match self.provision.resource.as_str() {
            "cyclades.disk" => "Disk",
            "cyclades.vm" => "Virtual Machine",
            "cyclades.cpu" => "CPU",
            "cyclades.ram" => "RAM",
            "cyclades.floating_ip" => "Floating IP address",
            "cyclades.network.private" => "Private Network",
            "pithos.diskspace" => "Storage space",
            "astakos.pending_app" => "Pending Applications",
            other => other,
        }
    }
}

impl fmt::Display for QuotaLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (label, holder) = (self.label(), &self.provision.holder);
        let from = match &self.provision.source {
            Some(source) => format!(" from {source}"),
            None => String::new(),
        };
        match self.name {
            LimitName::NoHolding => write!(f, "{label}: {holder}{from} has none of it"),
            LimitName::NoQuantity => write!(
                f,
                "{label}: {holder}{from} uses {}, and {} were to be released",
                self.usage,
                self.requested().unsigned_abs(),
            ),
            _ => write!(
                f,
                "{label}: the limit of {holder}{from} is {}, {} are used, and {} were asked for",
                self.limit,
                self.usage,
                self.requested(),
            ),
        }
    }
}

/// The rule that a commission breaks (protocol section 8).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum LimitName {
    /// The limit would be exceeded.
    NoCapacity,
    /// More would be released than is used.
    NoQuantity,
    /// The holding does not exist.
    NoHolding,
    /// A rule that this version does not know.
    Unknown(String),
}

impl From<String> for LimitName {
    fn from(word: String) -> Self {
        match word.as_str() {
            "NoCapacityError" => Self::NoCapacity,
            "NoQuantityError" => Self::NoQuantity,
            "NoHoldingError" => Self::NoHolding,
            _ => Self::Unknown(word),
        }
    }
}

impl From<LimitName> for String {
    fn from(name: LimitName) -> Self {
        match name {
            LimitName::NoCapacity => Self::from("NoCapacityError"),
            LimitName::NoQuantity => Self::from("NoQuantityError"),
            LimitName::NoHolding => Self::from("NoHoldingError"),
            LimitName::Unknown(word) => word,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Holder;

    fn any_data() -> impl Strategy<Value = Value> {
        prop_oneof![
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), any::<i64>(), 0..4)
                .prop_map(|map| serde_json::json!(map)),
        ]
    }

    proptest! {
        #[test]
        fn a_fault_comes_back_as_it_was_written(
            name in any::<String>(),
            code in any::<Option<u16>>(),
            message in any::<String>(),
            details in any::<Option<String>>(),
            data in prop::option::of(any_data()),
        ) {
            let fault = Fault { name, code, message, details, data };
            let text = serde_json::to_string(&fault).unwrap();
            prop_assert_eq!(serde_json::from_str::<Fault>(&text).unwrap(), fault);
        }

        #[test]
        fn a_limit_that_was_met_comes_back_as_it_was_written(
            word in prop_oneof!["No(Capacity|Quantity|Holding)Error", any::<String>()],
            holder in any::<String>(),
            source in prop::option::of(any::<String>()),
            (quantity, limit, usage) in any::<(i64, i64, i64)>(),
        ) {
            let provision = Provision {
                holder: Holder::from(holder.as_str()),
                source: source.as_deref().map(Holder::from),
                resource: "r".into(),
                quantity,
            };
            let limit = QuotaLimit::new(word.clone().into(), provision, limit.into(), usage);
            prop_assert_eq!(String::from(limit.name.clone()), word);
            let text = serde_json::to_string(&limit).unwrap();
            prop_assert_eq!(serde_json::from_str::<QuotaLimit>(&text).unwrap(), limit.clone());
            let _ = limit.to_string(); // no number is too large to be formatted
            prop_assert_eq!(limit.requested(), quantity);
        }
    }

    #[test]
    fn a_fault_is_one_key_and_what_stands_behind_it() {
        let text = r#"{"itemNotFound":{"code":404,"message":"no","details":""}}"#;
        let fault: Fault = serde_json::from_str(text).unwrap();
        assert_eq!(
            (fault.name.as_str(), fault.code),
            ("itemNotFound", Some(404))
        );
        assert_eq!(fault.to_string(), "no (itemNotFound)");
        let back = serde_json::to_value(&fault).unwrap();
        assert_eq!(back, serde_json::from_str::<Value>(text).unwrap());
        for bad in ["{}", "[]", "7", r#"{"a":1}"#, r#"{"a":{},"b":{}}"#, ""] {
            assert!(serde_json::from_str::<Fault>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_message_of_a_quota_limit_gives_its_numbers() {
        let data = serde_json::json!({
            "name": "NoCapacityError",
            "limit": 2,
            "usage": 3,
            "provision": {
                "holder": "user:u", "source": "project:p", "resource": "cyclades.vm", "quantity": 1,
            },
        });
        let limit: QuotaLimit = serde_json::from_value(data.clone()).unwrap();
        assert_eq!(limit.provision.holder, Holder::user("u"));
        assert_eq!(limit.available(), Limit::Finite(-1));
        assert_eq!(
            limit.to_string(),
            "Virtual Machine: the limit of user:u from project:p is 2, 3 are used, and 1 were asked for"
        );
        assert_eq!(serde_json::to_value(&limit).unwrap(), data);
    }

    #[test]
    fn only_an_issued_commission_meets_a_limit() {
        let of = |operation| {
            let core = vouchsafe_core::Error::new(vouchsafe_core::ErrorKind::Status, "x")
                .with_operation(operation)
                .with_status(http::StatusCode::PAYLOAD_TOO_LARGE);
            Error::from(core).kind()
        };
        assert_eq!(of("account.issueCommission"), ErrorKind::QuotaLimit);
        assert_eq!(
            of("account.getQuotas"),
            ErrorKind::Core(vouchsafe_core::ErrorKind::Status)
        );
    }
}
