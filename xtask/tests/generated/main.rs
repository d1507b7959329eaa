//! What the generator writes for a description with everything in it, compiled and used.

#![cfg(feature = "mock")]
#![allow(dead_code, reason = "not all that can be described is tried")]
#![allow(clippy::unwrap_used, reason = "a test")]
#![allow(
    clippy::needless_question_mark,
    unnameable_types,
    unreachable_pub,
    reason = "a service would re-export what its description calls public"
)]

#[path = "../right/crates/wide/src/generated/mod.rs"]
mod generated;

mod calls;
mod methods;

use serde::{Deserialize, Serialize};
use vouchsafe_core::call::{Answer, Call, CallOptions};
use vouchsafe_core::service::{Service, Session};
use vouchsafe_core::{Error, ErrorKind, Result};

/// A text that is checked while it is read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Address(String);

impl TryFrom<String> for Address {
    type Error = &'static str;

    fn try_from(text: String) -> std::result::Result<Self, Self::Error> {
        if text.starts_with('/') {
            Ok(Self(text))
        } else {
            Err("an address begins with a slash")
        }
    }
}

/// A number, or a word for one.
#[derive(Clone, Debug)]
struct Level(i64);

impl From<i64> for Level {
    fn from(number: i64) -> Self {
        Self(number)
    }
}

impl From<&str> for Level {
    fn from(word: &str) -> Self {
        Self(if word == "ground" { 0 } else { 1 })
    }
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl From<&Self> for Address {
    fn from(address: &Self) -> Self {
        address.clone()
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.0
    }
}

/// Refuses an answer with more than what was asked for.
fn heeded(
    request: &generated::places::api::VisitListRequest,
    found: &std::collections::BTreeMap<String, i64>,
) -> Result<()> {
    let chosen = request.params.of.as_ref();
    match found
        .keys()
        .find(|key| chosen.is_some_and(|of| !of.contains(key)))
    {
        None => Ok(()),
        Some(_) => Err(Error::new(ErrorKind::Decode, "the choice was not heeded")),
    }
}

/// The client that generated methods are on: it sends to one base, with one token.
#[derive(Clone, Debug)]
struct Client(Session);

impl Service for Client {
    type Error = Error;
    type Credential = ();

    async fn call(&self, call: Call, _: &(), options: &CallOptions) -> Result<Answer> {
        self.0.send(call, options).await
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Owner(String);

impl TryFrom<generated::places::wire::PlaceOwner> for Owner {
    type Error = String;

    fn try_from(wire: generated::places::wire::PlaceOwner) -> std::result::Result<Self, String> {
        match wire.name.as_str() {
            "" => Err("an owner has a name".to_owned()),
            name => Ok(Self(name.to_owned())),
        }
    }
}
