//! Tests that need several crates: recorded vectors, clients in other languages, descriptions that are
//! run against emulators, fleets of processes that share credentials, and a soak.

mod bound;
pub mod calls;
pub mod fleet;
pub mod interop;
mod program;
mod python;
pub mod schemathesis;
pub mod soak;
pub mod vectors;

/// The examples of the workspace's README, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
#[derive(Debug)]
#[non_exhaustive]
pub struct Readme;

/// The guides by task, compiled.
#[cfg(doctest)]
pub mod guides {
    #[doc = include_str!("../../docs/guide/call-another-service-with-a-ticket.md")]
    #[derive(Debug)]
    #[non_exhaustive]
    pub struct CallAnotherService;

    #[doc = include_str!("../../docs/guide/charge-from-workers-without-a-disk.md")]
    #[derive(Debug)]
    #[non_exhaustive]
    pub struct ChargeWithoutADisk;

    #[doc = include_str!("../../docs/guide/check-a-ticket-in-axum.md")]
    #[derive(Debug)]
    #[non_exhaustive]
    pub struct CheckATicket;

    #[doc = include_str!("../../docs/guide/come-from-the-python-clients-of-wazo-auth.md")]
    #[derive(Debug)]
    #[non_exhaustive]
    pub struct ComeFromPython;

    #[doc = include_str!("../../docs/guide/know-the-user-in-axum.md")]
    #[derive(Debug)]
    #[non_exhaustive]
    pub struct KnowTheUser;

    #[doc = include_str!("../../docs/guide/set-up-the-network.md")]
    #[derive(Debug)]
    #[non_exhaustive]
    pub struct SetUpTheNetwork;

    #[doc = include_str!("../../docs/guide/share-credentials-among-machines.md")]
    #[derive(Debug)]
    #[non_exhaustive]
    pub struct ShareCredentials;

    #[doc = include_str!("../../docs/guide/test-quotas-without-a-network.md")]
    #[derive(Debug)]
    #[non_exhaustive]
    pub struct TestQuotas;

    #[doc = include_str!("../../docs/guide/test-without-a-network.md")]
    #[derive(Debug)]
    #[non_exhaustive]
    pub struct TestWithoutANetwork;

    #[doc = include_str!("../../docs/guide/watch-clients.md")]
    #[derive(Debug)]
    #[non_exhaustive]
    pub struct WatchClients;

    #[doc = include_str!("../../docs/guide/write-scripts-without-async.md")]
    #[derive(Debug)]
    #[non_exhaustive]
    pub struct WriteScripts;
}
