//! Tests of every operation of every service, by the tables from the descriptions, so that new
//! operations are tested as soon as they are described.
#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test"
)]

mod ahead;
mod astakos;
mod described;
mod faces;
mod faults;
#[path = "../../support/log.rs"]
mod log;
mod network;
mod once;
mod secrets;
mod shown;
mod tls;
mod userinfo;
mod walks;
mod wazo_auth;

use vouchsafe::core::call::Operation;
use vouchsafe_tests::calls;

use network::{Network, Then, is_of};

/// Every operation of every service.
fn operations() -> Vec<&'static Operation> {
    let of_userinfo = vouchsafe::userinfo::mock::operations();
    let of_astakos = vouchsafe::astakos::mock::operations();
    let of_ticket = vouchsafe::ticket::mock::operations();
    let of_wazo_auth = vouchsafe::wazo_auth::mock::operations();
    let all = of_userinfo.chain(of_astakos).chain(of_ticket);
    let by_name = described::all().map(|described| described.operation);
    all.chain(of_wazo_auth).chain(by_name).collect()
}
