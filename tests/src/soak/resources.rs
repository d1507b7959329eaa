//! Memory and descriptors of this process.

use std::fs;

use tokio::runtime::Handle;

/// What the process holds at a moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub(super) kib: u64,
    pub(super) descriptors: u64,
    pub(super) tasks: u64,
}

impl Sample {
    pub(super) fn take() -> Result<Self, String> {
        let status = fs::read_to_string("/proc/self/status").map_err(|cause| cause.to_string())?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = resident.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
        let open = fs::read_dir("/proc/self/fd").map_err(|cause| cause.to_string())?;
        Ok(Self {
            kib: number.ok_or("this system does not say how much memory a process has")?,
            descriptors: open.count() as u64,
            tasks: Handle::current().metrics().num_alive_tasks() as u64,
        })
    }
}

/// How something went during the run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Course {
    /// The median of the third fifth, when everything has been in use for a while.
    pub(super) early: u64,
    /// The median of the last fifth.
    pub(super) late: u64,
}

impl Course {
    pub(super) fn of(samples: &[Sample], what: fn(&Sample) -> u64) -> Self {
        let median = |part: &[Sample]| {
            let mut values: Vec<u64> = part.iter().map(what).collect();
            values.sort_unstable();
            values.get(values.len() / 2).copied().unwrap_or_default()
        };
        let fifth = samples.len() / 5;
        Self {
            early: median(&samples[2 * fifth..3 * fifth]),
            late: median(&samples[4 * fifth..]),
        }
    }

    /// Returns whether it did not grow by more than a tenth and this much.
    pub(super) fn is_flat(self, and: u64) -> bool {
        self.late <= self.early + self.early / 10 + and
    }
}
