//! A fleet on several machines with clocks minutes apart, whose store is killed and started again
//! while the process that holds the lease is suspended, or before it has saved what was issued.

use std::fmt::{self, Write as _};
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;

use tokio::task::JoinSet;
use vouchsafe::cloud_credentials::mock::Rotation;
use vouchsafe::core::task::blocking;
use vouchsafe::core::{Clock, SystemClock};
use vouchsafe_test_stores::{Ground, Started};

use super::Proof;
use super::issuer::{Dead, Issuer};
use super::member::{Orders, Outcome, PROFILE, STOPPED, UNSAVED};
use super::network::Machine;
use super::process::{Process, Program};
use super::record::{record, seed};
use super::scene::{Burst, damage, started};
use super::steps::{Moment, Side, Step};

/// How many seconds the clocks of the machines are ahead.
const CLOCKS: [i64; 3] = [-180, 0, 240];
const PROCESSES: usize = 2;
const TASKS: usize = 25;

/// What happens to the holder of the lease.
#[derive(Clone, Copy)]
enum Fate {
    /// It is suspended until the lease is over. The store is restarted meanwhile.
    Suspended(Step, Side),
    /// The store is gone when it wants to save, and back once it has handed the token out.
    Unsaved,
}

/// What the server does with a refresh token that was used, and what happens.
const CASES: [(Rotation, Fate); 6] = [
    (Rotation::Keeps, Fate::Suspended(Step::Again, Side::After)),
    (Rotation::Rotates, Fate::Suspended(Step::Again, Side::After)),
    (
        Rotation::Overlaps,
        Fate::Suspended(Step::Request, Side::Before),
    ),
    (
        Rotation::Rotates,
        Fate::Suspended(Step::Request, Side::Before),
    ),
    (Rotation::Overlaps, Fate::Unsaved),
    (Rotation::Revokes, Fate::Unsaved),
];

impl Fate {
    /// The moment at which the holder stops.
    fn moment(self) -> Moment {
        let (step, side) = match self {
            Self::Suspended(step, side) => (step, side),
            Self::Unsaved => (Step::Save, Side::Before),
        };
        Moment { step, side }
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Suspended(..) => write!(f, "suspended {}", self.moment()),
            Self::Unsaved => f.write_str("store gone before Save"),
        }
    }
}

/// Runs the fleet on each store that machines can share.
///
/// # Errors
///
/// If a process or a server does not do what it should.
pub async fn machines(fleet: &Path) -> Result<Proof, String> {
    let program = Program::of_fleet(fleet);
    let mut proof = Proof::new();
    let made: Result<Vec<_>, _> = (1..)
        .zip(CLOCKS)
        .map(|(number, ahead)| Machine::new(number, ahead))
        .collect();
    let machines = Arc::new(made.unwrap_or_else(|why| {
        proof.note(format!("SIMULATED: machines share one network: {why}"));
        CLOCKS.map(Machine::simulated).into()
    }));
    for (rotation, fate) in CASES {
        let mut scenes = JoinSet::new();
        for ground in Ground::OF_NETWORK {
            let (program, machines) = (program.clone(), Arc::clone(&machines));
            let case = format!("{ground}, {rotation}, {fate}");
            scenes.spawn(async move {
                let burst = scene(&program, &machines, ground, rotation, fate).await;
                (case, burst)
            });
        }
        while let Some(done) = scenes.join_next().await {
            let (case, burst) = done.map_err(|cause| cause.to_string())?;
            match burst {
                Ok(Some(burst)) => judge(&case, &burst, &mut proof),
                Ok(None) => proof.fail(format!("SKIPPED {case}: it is not installed")),
                Err(why) => proof.fail(format!("FAILED {case}: {why}")),
            }
        }
    }
    Ok(proof)
}

fn judge(case: &str, burst: &Burst, proof: &mut Proof) {
    if let Some(missed) = burst.missed(1) {
        return proof.fail(format!("MISSED {case}: {missed}"));
    }
    let mut line = format!(
        "ok     {case}: {} requests, 0 refusals, {} of {} served, store intact",
        burst.counts.requests, burst.outcome.served, burst.callers
    );
    if burst.outcome.repeated > 0 {
        let repeated = burst.outcome.repeated;
        let _ = write!(line, "; {repeated} calls failed and were made again");
    }
    proof.note(line);
}

async fn scene(
    program: &Program,
    machines: &[Machine],
    ground: Ground,
    rotation: Rotation,
    fate: Fate,
) -> Result<Option<Burst>, String> {
    let folder = tempfile::tempdir().map_err(|cause| cause.to_string())?;
    let Some((mut server, site)) = started(ground, folder.path()) else {
        return Ok(None);
    };
    let issuer = Issuer::new(rotation)?.slow();
    let serving = issuer.serve((Ipv4Addr::LOCALHOST, 0).into()).await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let shared = site.open(&clock)?;
    seed(&*shared.store, PROFILE, &Dead::Refused.token()).await?;

    let mut ways = Vec::new();
    let mut orders = Vec::new();
    for machine in machines {
        for port in [site.port(), serving.address().port()] {
            ways.extend(machine.reach(port).await?);
        }
        let mut site = site.clone();
        site.host = machine.host().to_string();
        let url = format!("http://{}:{}", site.host, serving.address().port());
        let mut of_machine = Orders::new(site, &url, TASKS);
        of_machine.ahead = machine.ahead;
        of_machine.is_patient = true;
        orders.push((machine.run(program), of_machine));
    }
    let (on_first, mut of_holder) = orders.first().cloned().ok_or("no machines")?;
    of_holder.stop = Some(fate.moment());
    of_holder.tells_unsaved = matches!(fate, Fate::Unsaved);
    let mut holder = Process::start(&on_first, &of_holder).await?;
    // Before the lease is taken, since it takes a busy machine a while.
    let mut others = Vec::new();
    for (program, orders) in &orders {
        for _ in 0..PROCESSES {
            others.push(Process::start(program, orders).await?);
        }
    }
    holder.go_on().await?;
    holder.wait_for(STOPPED).await?;
    if let Fate::Unsaved = fate {
        server = away("killing the server", server, Started::kill).await?;
        holder.go_on().await?;
        holder.wait_for(UNSAVED).await?;
    } else {
        holder.signal("STOP").await?;
    }
    for process in &mut others {
        process.go_on().await?;
    }
    let _server = away("restarting the server", server, Started::restart).await?;
    let mut burst = Burst {
        callers: (others.len() + 1) * TASKS,
        ..Burst::default()
    };
    for process in &mut others {
        burst.outcome.add(process.read::<Outcome>().await?);
    }
    if let Fate::Suspended(..) = fate {
        holder.signal("CONT").await?;
        holder.go_on().await?;
    }
    burst.outcome.add(holder.read::<Outcome>().await?);
    burst.counts = issuer.counts();
    burst.damage = damage(&record(&*shared.store, PROFILE).await?, &issuer);
    Ok(Some(burst))
}

/// Does something to a server on a thread of its own.
async fn away(
    what: &'static str,
    mut server: Started,
    work: fn(&mut Started),
) -> Result<Started, String> {
    let done = blocking(what, move || {
        work(&mut server);
        server
    });
    done.await.map_err(|fault| fault.to_string())
}
