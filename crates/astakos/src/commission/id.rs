//! The id that identifies a commission.

use std::fmt;
use std::str::FromStr;

use vouchsafe_core::{Error, ErrorKind};

/// The id that an issuer gives to a commission: 128 random bits as 32 hexadecimal digits. It is
/// part of the commission's name, by which the commission can be found again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommissionId(u128);

/// The error for a text that is not the id of a commission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the id of a commission: use 32 hexadecimal digits in lower case")]
#[non_exhaustive]
pub struct CommissionIdError;

impl CommissionId {
    /// Creates a unique id.
    ///
    /// # Errors
    ///
    /// Of kind `Config` if the system's random number generator fails.
    pub fn random() -> Result<Self, crate::Error> {
        let mut bytes = [0; 16];
        getrandom::getrandom(&mut bytes)
            .map_err(|_| Error::new(ErrorKind::Config, "the system returned no random numbers"))?;
        Ok(Self(u128::from_be_bytes(bytes)))
    }

    /// Formats the name of a commission: owner, id, and the user's text. In this order, since a
    /// server may truncate a long name.
    pub(super) fn name(self, text: &str, owner: &str) -> String {
        let gap = if text.is_empty() { "" } else { " " };
        format!("{OPEN}{owner}:{self}{CLOSE}{gap}{text}")
    }

    /// Parses the id from a name written by an issuer with this owner. The text after it may be
    /// anything.
    pub(super) fn of_name(name: &str, owner: &str) -> Option<Self> {
        let (mark, _) = name.strip_prefix(OPEN)?.split_once(CLOSE)?;
        let (of, id) = mark.rsplit_once(':')?;
        id.parse().ok().filter(|_| of == owner)
    }
}

const OPEN: &str = "[vouchsafe:";
const CLOSE: &str = "]";

/// Refuses an owner that could not be distinguished from the rest of a name.
pub(super) fn check_owner(owner: &str) -> Result<(), crate::Error> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if owner.is_empty() || owner.len() > 64 || !owner.bytes().all(fits) {
        return Err(crate::Error::bad_value(
            "the owner of commissions is 1 to 64 letters, digits, `-`, `_` and `.`",
        ));
    }
    Ok(())
}

impl fmt::Display for CommissionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for CommissionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CommissionId({self})")
    }
}

impl FromStr for CommissionId {
    type Err = CommissionIdError;

    fn from_str(text: &str) -> Result<Self, CommissionIdError> {
        let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if text.len() != 32 || !text.bytes().all(is_digit) {
            return Err(CommissionIdError);
        }
        u128::from_str_radix(text, 16)
            .map(Self)
            .map_err(|_| CommissionIdError)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OWNER: &str = "[A-Za-z0-9._-]{1,12}";

    /// Texts of users: arbitrary ones, and ones that resemble marks.
    fn any_text() -> impl Strategy<Value = String> {
        prop_oneof![
            any::<String>(),
            r"[a ]?\[?vouchsafe:(me|m|eme)?:?[0-9a-f]{31,33}[\] ]{0,2}",
            r"[a ]?\[vouchsafe:(me|m|eme):[0-9a-f]{32}\]{1,2}",
        ]
    }

    proptest! {
        #[test]
        fn whatever_the_user_calls_it_the_issuer_finds_its_own(
            text in any_text(),
            (owner, other) in (OWNER, OWNER),
            id in any::<u128>(),
        ) {
            prop_assume!(owner != other);
            prop_assert!(check_owner(&owner).is_ok());
            let name = CommissionId(id).name(&text, &owner);
            prop_assert_eq!(CommissionId::of_name(&name, &owner), Some(CommissionId(id)));
            prop_assert_eq!(CommissionId::of_name(&name, &other), None);
            prop_assert!(name.ends_with(&text));
            let cut: String = name.chars().take(128).collect();
            prop_assert_eq!(CommissionId::of_name(&cut, &owner), Some(CommissionId(id)));
        }

        #[test]
        fn a_name_is_ones_own_only_with_the_whole_mark(text in any_text()) {
            if let Some(id) = CommissionId::of_name(&text, "me") {
                let mark = format!("[vouchsafe:me:{:032x}]", id.0);
                prop_assert!(text.starts_with(&mark), "{} in {}", mark, text);
            }
        }

        #[test]
        fn ids_are_written_and_read_in_one_way(id in any::<u128>(), text in r"\+?[0-9a-f]{30,31}[0-9a-fA-F]{1,2}") {
            prop_assert_eq!(CommissionId(id).to_string().parse(), Ok(CommissionId(id)));
            if let Ok(read) = text.parse::<CommissionId>() {
                prop_assert_eq!(read.to_string(), text);
            }
        }
    }

    #[test]
    fn an_id_is_found_in_the_name_it_was_written_into() {
        let id = CommissionId::random().unwrap();
        for text in ["", "server 42", "[vouchsafe:me:00]", "a [vouchsafe:"] {
            let name = id.name(text, "me");
            assert!(name.ends_with(text));
            assert_eq!(CommissionId::of_name(&name, "me"), Some(id), "{name}");
            assert_eq!(CommissionId::of_name(&name, "m"), None);
            assert_eq!(CommissionId::of_name(&format!(" {name}"), "me"), None);
        }
        assert_eq!(CommissionId::of_name("server 42", "me"), None);
        assert_eq!(CommissionId::of_name("[vouchsafe:me:12]", "me"), None);
    }

    #[test]
    fn an_owner_that_could_be_mistaken_is_refused() {
        for bad in ["", "a:b", "a b", "a]", &"a".repeat(65)] {
            assert!(check_owner(bad).is_err(), "{bad}");
        }
        assert!(check_owner("cyclades-worker_3.example").is_ok());
    }
}
