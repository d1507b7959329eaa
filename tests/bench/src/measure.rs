//! Clocks, interleaved rounds and medians.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use nix::sched::{CpuSet, sched_setaffinity};
use nix::sys::resource::{Usage as ResourceUsage, UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use nix::unistd::Pid;
use vouchsafe_bench_report::row::Figure;

/// The extent of a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Enough to check that everything runs; the numbers are not reliable.
    Quick,
    Full,
}

impl Size {
    pub fn pick<T>(self, quick: T, full: T) -> T {
        match self {
            Self::Quick => quick,
            Self::Full => full,
        }
    }
}

/// The cost of a piece of work.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    pub wall: Duration,
    /// User and system time of the whole process.
    pub cpu: Duration,
}

impl Cost {
    pub fn of<T>(work: impl FnOnce() -> T) -> (Self, T) {
        let (cpu, wall) = (process_cpu(), Instant::now());
        let result = work();
        (Self::since(cpu, wall), result)
    }

    pub async fn of_task(work: impl Future<Output = ()>) -> Self {
        let (cpu, wall) = (process_cpu(), Instant::now());
        work.await;
        Self::since(cpu, wall)
    }

    fn since(cpu: Duration, wall: Instant) -> Self {
        Self {
            wall: wall.elapsed(),
            cpu: process_cpu() - cpu,
        }
    }
}

/// Runs every case once in each round, in an order that differs from round to round, so that a slow
/// moment of the machine affects all of them. Returns the costs by case.
pub fn rounds(cases: usize, rounds: usize, mut run: impl FnMut(usize) -> Cost) -> Vec<Vec<Cost>> {
    let mut costs = vec![Vec::with_capacity(rounds); cases];
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..rounds {
        let mut order: Vec<usize> = (0..cases).collect();
        for last in (1..cases).rev() {
            // xorshift: the order need not be secret, only mixed.
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            order.swap(last, (seed >> 16) as usize % (last + 1));
        }
        for case in order {
            costs[case].push(run(case));
        }
    }
    costs
}

/// How many parts the rounds are taken in. Each gives a figure, and how far these are apart shows
/// what the machine adds.
const PARTS: usize = 5;

/// Returns the median of one aspect of many costs, in units of this many nanoseconds.
pub fn median(costs: &[Cost], aspect: impl Fn(&Cost) -> Duration, unit: f64) -> Figure {
    in_parts(costs, aspect, unit, |sorted| {
        let middle = sorted.len() / 2;
        match sorted.len() % 2 {
            1 => sorted[middle],
            _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
        }
    })
}

/// Returns the least of one aspect of many costs, in units of this many nanoseconds: what work
/// takes when nothing else does, for work that is the same each time.
pub fn least(costs: &[Cost], aspect: impl Fn(&Cost) -> Duration, unit: f64) -> Figure {
    in_parts(costs, aspect, unit, |sorted| sorted[0])
}

fn in_parts(
    costs: &[Cost],
    aspect: impl Fn(&Cost) -> Duration,
    unit: f64,
    pick: impl Fn(&[f64]) -> f64,
) -> Figure {
    let parts = PARTS.min(costs.len());
    let of_part = |part: usize| {
        let rounds = &costs[part * costs.len() / parts..(part + 1) * costs.len() / parts];
        let mut values: Vec<f64> = rounds
            .iter()
            .map(|cost| aspect(cost).as_nanos() as f64 / unit)
            .collect();
        values.sort_by(f64::total_cmp);
        pick(&values)
    };
    Figure::of_parts((0..parts).map(of_part).collect())
}

/// Keeps this process on one core, if the machine has it.
pub fn pin(core: usize) {
    let mut set = CpuSet::new();
    // On a machine with one core all share it.
    let _ = set
        .set(core)
        .and_then(|()| sched_setaffinity(Pid::from_raw(0), &set));
}

/// A runtime of one thread, as all clients and the server use it.
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

/// Makes calls in several tasks of one thread.
pub fn side_by_side<C: Clone + 'static>(
    runtime: &tokio::runtime::Runtime,
    client: &C,
    count: usize,
    width: usize,
    make: impl AsyncFn(C, usize) + Clone + 'static,
) {
    let local = tokio::task::LocalSet::new();
    runtime.block_on(local.run_until(async {
        let tasks: Vec<_> = (0..width)
            .map(|_| {
                let (client, make) = (client.clone(), make.clone());
                tokio::task::spawn_local(async move { make(client, count / width).await })
            })
            .collect();
        for task in tasks {
            task.await.expect("no call fails");
        }
    }));
}

/// Runs threads concurrently, each on its own core. The time is from the first start to the
/// last end, as the threads themselves see it: who watches them may have to wait for a core.
pub fn together(threads: usize, work: impl Fn(usize) + Sync) -> Cost {
    let ready = AtomicUsize::new(0);
    let times: Vec<(Instant, Instant)> = std::thread::scope(|scope| {
        let spawn = |thread| {
            let (ready, work) = (&ready, &work);
            scope.spawn(move || {
                pin(thread);
                ready.fetch_add(1, Ordering::AcqRel);
                while ready.load(Ordering::Acquire) < threads {
                    std::thread::yield_now();
                }
                let start = Instant::now();
                work(thread);
                (start, Instant::now())
            })
        };
        let workers: Vec<_> = (0..threads).map(spawn).collect();
        let times = workers
            .into_iter()
            .map(|worker| worker.join().expect("a worker"));
        times.collect()
    });
    let start = times.iter().map(|(start, _)| *start).min();
    let end = times.iter().map(|(_, end)| *end).max();
    let wall = end
        .zip(start)
        .map_or(Duration::ZERO, |(end, start)| end - start);
    Cost {
        wall,
        cpu: Duration::ZERO,
    }
}

fn process_cpu() -> Duration {
    let usage: ResourceUsage = getrusage(UsageWho::RUSAGE_SELF).expect("usage of this process");
    let total = usage.user_time() + usage.system_time();
    Duration::from_micros(total.num_microseconds().unsigned_abs())
}
