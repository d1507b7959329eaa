//! One burst: processes that share a store meet a dead token at once.

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use vouchsafe::cloud_credentials::mock::Rotation;
use vouchsafe::core::{Clock, SystemClock};
use vouchsafe_test_stores::{Ground, Site, Started};

use super::issuer::{Counts, Dead, Issuer};
use super::member::{Objects, Orders, Outcome, PROFILE};
use super::process::{Process, Program};
use super::record::{record, seed};

/// How many processes and tasks there are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) processes: usize,
    pub(super) tasks: usize,
    pub(super) objects: Objects,
}

impl Shape {
    pub(super) const fn new(processes: usize, tasks: usize) -> Self {
        Self {
            processes,
            tasks,
            objects: Objects::One,
        }
    }

    pub(super) const fn with_own_objects(self) -> Self {
        Self {
            objects: Objects::Own,
            ..self
        }
    }
}

/// What a burst came to.
#[derive(Clone, Debug, Default)]
pub(super) struct Burst {
    pub(super) counts: Counts,
    pub(super) callers: usize,
    pub(super) outcome: Outcome,
    /// What is wrong with the store afterwards.
    pub(super) damage: Option<String>,
}

impl Burst {
    /// Returns what keeps it from so many requests at most, no refusal, all served, and the store
    /// intact.
    pub(super) fn missed(&self, allowed: u64) -> Option<String> {
        let Counts {
            requests, refusals, ..
        } = self.counts;
        let served = self.outcome.served;
        let is_met = (1..=allowed).contains(&requests)
            && (refusals, served) == (0, self.callers)
            && self.damage.is_none();
        (!is_met).then(|| {
            format!(
                "{requests} requests, {refusals} refusals, {served} of {} served, {}; {:?}",
                self.callers,
                self.damage.as_deref().unwrap_or("store intact"),
                self.outcome.failed
            )
        })
    }
}

/// Runs processes of one program on a store that has been started.
pub(super) async fn burst(
    program: &Program,
    site: &Site,
    shape: Shape,
    rotation: Rotation,
    dead: Dead,
) -> Result<Burst, String> {
    let issuer = Issuer::new(rotation)?.slow();
    let serving = issuer.serve((Ipv4Addr::LOCALHOST, 0).into()).await?;
    let is_shared = site.ground != Ground::Memory;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    seed(&*site.open(&clock)?.store, PROFILE, &dead.token()).await?;
    let mut orders = Orders::new(site.clone(), &serving.url(), shape.tasks);
    orders.objects = shape.objects;
    orders.is_patient = true;
    let mut processes = Vec::new();
    for _ in 0..shape.processes {
        processes.push(Process::start(program, &orders).await?);
    }
    for process in &mut processes {
        process.go_on().await?;
    }
    let mut burst = Burst {
        callers: shape.processes * shape.tasks,
        ..Burst::default()
    };
    let mut left = None;
    for process in &mut processes {
        if !is_shared {
            left = Some(process.read::<Value>().await?);
        }
        let outcome: Outcome = process.read().await?;
        burst.outcome.add(outcome);
    }
    burst.counts = issuer.counts();
    burst.damage = match left {
        Some(left) => damage(&left, &issuer),
        None => match record(&*site.records(&clock)?, PROFILE).await {
            Ok(left) => damage(&left, &issuer),
            Err(why) => Some(why),
        },
    };
    Ok(burst)
}

/// Returns what is wrong with a record.
pub(super) fn damage(record: &Value, issuer: &Issuer) -> Option<String> {
    let text = |name: &str| record[name].as_str().unwrap_or_default();
    if !issuer.takes(text("refresh_token")) {
        return Some("the refresh token is lost".to_owned());
    }
    let is_good = issuer.issued(text("access_token"));
    (!is_good).then(|| "the access token is the dead one".to_owned())
}

/// Has four processes of fifty tasks meet a dead token on one store. Returns what was not as it should
/// be: one request, no refusal, all served, the store intact. Without the store's server it does
/// nothing, and says so.
///
/// A store without a server is tried in each way that a token can be dead and with each way to rotate,
/// one with a server in the hardest way alone: a token that only the API knows to be dead, and an
/// authorization server that takes each refresh token once.
///
/// # Errors
///
/// If a process or a server does not do what it should.
pub async fn four_processes(fleet: &Path, ground: Ground) -> Result<Vec<String>, String> {
    let program = Program::of_fleet(fleet);
    let ways: &[_] = match ground {
        Ground::File | Ground::Sqlite => &[
            (Dead::Refused, Rotation::Rotates),
            (Dead::Refused, Rotation::Keeps),
            (Dead::Expired, Rotation::Rotates),
            (Dead::Expired, Rotation::Keeps),
        ],
        _ => &[(Dead::Refused, Rotation::Rotates)],
    };
    let mut missed = Vec::new();
    for &(dead, rotation) in ways {
        let folder = tempfile::tempdir().map_err(|cause| cause.to_string())?;
        let Some((_started, site)) = started(ground, folder.path()) else {
            break;
        };
        let burst = burst(&program, &site, Shape::new(4, 50), rotation, dead).await?;
        let named = |why| format!("{dead:?}, {rotation}: {why}");
        missed.extend(burst.missed(1).map(named));
    }
    Ok(missed)
}

/// Starts a store in a folder, or `None` if it is not installed here.
pub(super) fn started(ground: Ground, folder: &Path) -> Option<(Started, Site)> {
    let started = ground.start(folder)?;
    Some((started, Site::new(ground, folder)))
}
