//! Processes that are killed at each moment of a refresh, and those that come after them.

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;

use vouchsafe::cloud_credentials::mock::Rotation;
use vouchsafe::core::{Clock, SystemClock};
use vouchsafe_test_stores::{Ground, Site};

use super::Proof;
use super::issuer::{Dead, Issuer};
use super::member::{Orders, Outcome, PROFILE, STOPPED};
use super::process::{Process, Program};
use super::record::{record, seed};
use super::scene::{damage, started};
use super::steps::{Moment, Side, Step};

const TASKS: usize = 3;

/// Kills `count` processes that refresh on a store.
///
/// # Errors
///
/// If a process or a server does not do what it should.
pub async fn kills(fleet: &Path, ground: Ground, count: usize) -> Result<Proof, String> {
    let mut proof = Proof::new();
    if ground == Ground::Memory {
        return Ok(proof);
    }
    let program = Program::of_fleet(fleet);
    let folder = tempfile::tempdir().map_err(|cause| cause.to_string())?;
    let Some((_started, site)) = started(ground, folder.path()) else {
        proof.fail(format!("SKIPPED kills on {ground}: it is not installed"));
        return Ok(proof);
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let moments = Step::ALL
        .into_iter()
        .flat_map(|step| [Side::Before, Side::After].map(|side| Moment { step, side }));
    let cases = [Rotation::Rotates, Rotation::Keeps, Rotation::Overlaps]
        .into_iter()
        .flat_map(|rotation| moments.clone().map(move |moment| (rotation, moment)));
    let (mut served, mut lost) = (0, 0);
    for (rotation, moment) in cases.cycle().take(count) {
        match kill(&program, &site, &clock, rotation, moment).await {
            Ok(true) => served += 1,
            Ok(false) => lost += 1,
            Err(why) => proof.fail(format!(
                "FAILED {ground}, killed {moment}, {rotation}: {why}"
            )),
        }
    }
    proof.note(format!(
        "{ground}: {count} processes killed; the next one was served after {served}, and told to log \
         in after {lost}, where the only answer died with the process and the server had rotated"
    ));
    Ok(proof)
}

/// Returns whether the next process was served. If not, it was told to log in, and had to be.
async fn kill(
    program: &Program,
    site: &Site,
    clock: &Arc<dyn Clock>,
    rotation: Rotation,
    moment: Moment,
) -> Result<bool, String> {
    let issuer = Issuer::new(rotation)?;
    let serving = issuer.serve((Ipv4Addr::LOCALHOST, 0).into()).await?;
    seed(&*site.open(clock)?.store, PROFILE, &Dead::Refused.token()).await?;
    let mut orders = Orders::new(site.clone(), &serving.url(), TASKS);
    orders.is_quick = true;
    let mut next = Process::start(program, &orders).await?;
    orders.lease = Some(site.ground.shortest_lease());
    orders.stop = Some(moment);
    let mut victim = Process::start(program, &orders).await?;
    victim.go_on().await?;
    victim.wait_for(STOPPED).await?;
    victim.kill().await?;
    next.go_on().await?;
    let outcome: Outcome = next.read().await?;
    let Moment { step, side } = moment;
    let is_lost = rotation == Rotation::Rotates
        && [(Step::Request, Side::After), (Step::Save, Side::Before)].contains(&(step, side));
    let counts = issuer.counts();
    let expected = if is_lost { (0, 1) } else { (TASKS, 0) };
    if (outcome.served, counts.refusals) != expected {
        return Err(format!("{counts:?}, {outcome:?}"));
    }
    match damage(&record(&*site.records(clock)?, PROFILE).await?, &issuer) {
        Some(damage) if !is_lost => Err(damage),
        _ => Ok(!is_lost),
    }
}
