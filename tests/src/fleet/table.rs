//! Bursts on every store, beside those of `pancloud`, in one run.

use std::fmt;
use std::path::Path;

use vouchsafe::cloud_credentials::mock::Rotation;
use vouchsafe_test_stores::Ground;

use super::issuer::Dead;
use super::member::Objects;
use super::process::Program;
use super::scene::{Burst, Shape, burst, started};
use crate::python;

/// The bursts of one run. `Display` is the table.
#[derive(Clone, Debug, Default)]
pub struct Table {
    rows: Vec<Row>,
    skipped: Vec<String>,
}

#[derive(Clone, Debug)]
struct Row {
    who: String,
    shape: Shape,
    rotation: Rotation,
    burst: Burst,
    /// Whether it is ours, so that the goal holds.
    is_ours: bool,
}

const SHAPES: [Shape; 4] = [
    Shape::new(1, 50),
    Shape::new(1, 50).with_own_objects(),
    Shape::new(4, 1),
    Shape::new(4, 50),
];

/// Runs the table, or the part of some stores. `fleet` is this package's program of that name, `work`
/// a folder for what is made once and kept.
///
/// # Errors
///
/// If a process or a server does not do what it should.
pub async fn table(fleet: &Path, work: &Path, only: &[Ground]) -> Result<Table, String> {
    let mut table = Table::default();
    let ours = Program::of_fleet(fleet);
    let is_whole = only.is_empty();
    for &ground in if is_whole { &Ground::ALL } else { only } {
        for dead in [Dead::Refused, Dead::Expired] {
            let who = format!("{ground}, {}", dead.name());
            table.run(&who, &ours, ground, dead, true).await?;
        }
    }
    let of_pancloud = [("1.4.0", Dead::Refused), ("1.5.1", Dead::Expired)];
    for (version, dead) in of_pancloud.into_iter().filter(|_| is_whole) {
        let who = format!("pancloud {version}, {}", dead.name());
        match pancloud(version, work).await {
            Ok(theirs) => table.run(&who, &theirs, Ground::File, dead, false).await?,
            Err(why) => table.skipped.push(format!("{who}: {why}")),
        }
    }
    Ok(table)
}

/// Returns the program of a process with this version of `pancloud`.
pub(crate) async fn pancloud(version: &str, work: &Path) -> Result<Program, String> {
    let python = python::pancloud(version, work).await?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop/cloud_credentials.py");
    Ok(Program::new([python, script, "member".into()]))
}

impl Table {
    async fn run(
        &mut self,
        who: &str,
        program: &Program,
        ground: Ground,
        dead: Dead,
        is_ours: bool,
    ) -> Result<(), String> {
        for shape in SHAPES {
            if ground == Ground::Memory && shape.processes > 1 {
                continue;
            }
            for rotation in [Rotation::Keeps, Rotation::Rotates] {
                let folder = tempfile::tempdir().map_err(|cause| cause.to_string())?;
                let Some((_started, site)) = started(ground, folder.path()) else {
                    self.skipped.push(format!("{who}: it is not installed"));
                    return Ok(());
                };
                self.rows.push(Row {
                    who: who.to_owned(),
                    shape,
                    rotation,
                    burst: burst(program, &site, shape, rotation, dead).await?,
                    is_ours,
                });
            }
        }
        Ok(())
    }

    /// Returns whether every burst of ours made one request that was not refused, served all and
    /// left the store intact, and none was skipped.
    #[must_use]
    pub fn is_good(&self) -> bool {
        let ours = self.rows.iter().filter(|row| row.is_ours);
        self.skipped.is_empty() && ours.clone().count() > 0 && {
            let mut ours = ours;
            ours.all(|row| row.burst.missed(1).is_none())
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<26} {:<26} {:<8} {:>8} {:>8} {:>9}  store afterwards",
            "who, dead token", "callers", "server", "requests", "refusals", "served"
        )?;
        for row in &self.rows {
            let Shape {
                processes,
                tasks,
                objects,
            } = row.shape;
            let objects = match objects {
                Objects::One => "",
                Objects::Own => ", own objects",
            };
            let callers = match (processes, tasks) {
                (1, _) => format!("{tasks} tasks{objects}"),
                (_, 1) => format!("{processes} processes of 1 task"),
                _ => format!("{processes} processes of {tasks} tasks"),
            };
            let burst = &row.burst;
            let repeated = match burst.outcome.repeated {
                0 => String::new(),
                repeated => format!("; {repeated} calls failed and were made again"),
            };
            writeln!(
                f,
                "{:<26} {:<26} {:<8} {:>8} {:>8} {:>9}  {}{repeated}",
                row.who,
                callers,
                row.rotation.to_string(),
                burst.counts.requests,
                burst.counts.refusals,
                format!("{}/{}", burst.outcome.served, burst.callers),
                burst.damage.as_deref().unwrap_or("intact"),
            )?;
        }
        for row in self.rows.iter().filter(|row| row.is_ours) {
            if let Some(missed) = row.burst.missed(1) {
                writeln!(f, "MISSED {}, {:?}: {missed}", row.who, row.shape)?;
            }
        }
        for skipped in &self.skipped {
            writeln!(f, "SKIPPED {skipped}")?;
        }
        Ok(())
    }
}
