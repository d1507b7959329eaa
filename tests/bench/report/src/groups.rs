//! Which groups there are, and how each is run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use crate::results::{Group, Results, Run};
use crate::row::Row;
use crate::{build, plot, table};

/// In the order in which all are run: the shortest first.
const GROUPS: [&str; 7] = [
    "userinfo",
    "wazo-auth",
    "core",
    "astakos",
    "ticket",
    "credentials",
    "build",
];

/// What was asked for.
#[derive(Debug, PartialEq)]
pub(crate) struct Wanted {
    groups: Vec<&'static str>,
    /// Shows that everything runs; the figures are not reliable.
    is_quick: bool,
    /// How often programs are built; 0 counts crates alone.
    times: usize,
}

impl Wanted {
    pub(crate) fn read(arguments: &[String]) -> Result<Self, String> {
        let mut wanted = Self {
            groups: Vec::new(),
            is_quick: false,
            times: 3,
        };
        let mut rest = arguments.iter().map(String::as_str);
        while let Some(argument) = rest.next() {
            match argument {
                "--quick" => (wanted.is_quick, wanted.times) = (true, 0),
                "--times" => {
                    let times = rest.next().and_then(|text| text.parse().ok());
                    wanted.times = times.ok_or("--times wants a number")?;
                }
                name => {
                    let known = GROUPS.into_iter().find(|known| *known == name);
                    let known = known.ok_or_else(|| {
                        let all = GROUPS.join(", ");
                        format!("there is no group {name}: the groups are {all}")
                    })?;
                    if !wanted.groups.contains(&known) {
                        wanted.groups.push(known);
                    }
                }
            }
        }
        if wanted.groups.is_empty() {
            wanted.groups = GROUPS.to_vec();
        }
        Ok(wanted)
    }
}

/// Runs the groups.
pub(crate) fn run(root: &Path, wanted: &Wanted) -> Result<(), String> {
    let place = Place::new(root, wanted)?;
    let mut program = None;
    place.run_each(&wanted.groups, &this_run(root)?, |name, add| match name {
        "build" => build::run(root, wanted.times, add),
        _ => {
            let program = program.get_or_insert_with(|| place.build_program());
            add(place.measure(program.as_deref().map_err(String::clone)?, name)?)
        }
    })
}

/// Takes the rows of a group, as far as they are known.
type Add<'a> = &'a mut dyn FnMut(Vec<Row>) -> Result<(), String>;

struct Place {
    root: PathBuf,
    /// Where the results are.
    folder: PathBuf,
    /// Where the table and the plots go.
    pages: PathBuf,
    is_quick: bool,
}

impl Place {
    fn new(root: &Path, wanted: &Wanted) -> Result<Self, String> {
        let own = root.join("target/bench");
        // Figures that are not reliable do not replace those that are, and are not shown.
        let (folder, pages) = match wanted.is_quick {
            true => (own.join("quick"), own.join("quick")),
            false => (own, root.join("docs/performance")),
        };
        for folder in [&folder, &pages] {
            fs::create_dir_all(folder)
                .map_err(|cause| format!("{} cannot be made: {cause}", folder.display()))?;
        }
        Ok(Self {
            root: root.to_owned(),
            folder,
            pages,
            is_quick: wanted.is_quick,
        })
    }

    /// Runs one group after the other. One that fails does not keep the others from running.
    fn run_each(
        &self,
        groups: &[&'static str],
        run: &Run,
        mut measure: impl FnMut(&'static str, Add<'_>) -> Result<(), String>,
    ) -> Result<(), String> {
        let mut failed = Vec::new();
        for &name in groups {
            eprintln!("== {name}");
            let before = load()?;
            match measure(name, &mut |rows| self.add(name, run, before, rows)) {
                Ok(()) => println!("{}", table::plain(&self.read()?.groups[name].rows)),
                Err(why) => {
                    eprintln!("{name} failed: {why}");
                    failed.push(name);
                }
            }
        }
        self.publish()?;
        match failed.is_empty() {
            true => Ok(()),
            false => Err(format!("failed: {}", failed.join(", "))),
        }
    }

    fn results(&self) -> PathBuf {
        self.folder.join("results.json")
    }

    /// Builds the program that measures.
    fn build_program(&self) -> Result<PathBuf, String> {
        let target = self.root.join("target/bench-build");
        let mut build = Command::new("cargo");
        build
            .args([
                "build",
                "--quiet",
                "--release",
                "--package",
                "vouchsafe-bench",
            ])
            .arg("--manifest-path")
            .arg(self.root.join("tests/bench/Cargo.toml"))
            .arg("--target-dir")
            .arg(&target)
            .args(["--features", "vouchsafe-bench/stores"]);
        if has_openssl() {
            build.args(["--features", "vouchsafe-bench/openssl"]);
        }
        finish(&mut build)?;
        Ok(target.join("release/vouchsafe-bench"))
    }

    fn measure(&self, program: &Path, name: &str) -> Result<Vec<Row>, String> {
        if name == "credentials" && self.is_quick {
            eprintln!("left out: `cargo xtask fleet table`, which takes ten minutes");
        } else if name == "credentials" {
            // Counts, which do not depend on how fast anything is.
            let mut fleet = Command::new("cargo");
            finish(
                fleet
                    .args(["xtask", "fleet", "table"])
                    .current_dir(&self.root),
            )?;
        }
        let file = self.folder.join(format!("{name}.json"));
        let mut measure = Command::new(program);
        measure.args([name, "--out"]).arg(&file);
        if self.is_quick {
            measure.arg("--quick");
        }
        finish(&mut measure)?;
        let text = fs::read(&file).map_err(|cause| format!("{}: {cause}", file.display()))?;
        serde_json::from_slice(&text).map_err(|cause| format!("{}: {cause}", file.display()))
    }

    /// Adds the rows of a group at once, so that they are there if a later one is interrupted.
    fn add(&self, name: &str, run: &Run, before: f64, rows: Vec<Row>) -> Result<(), String> {
        let mut results = self.read()?;
        let (run, load) = (run.clone(), [before, load()?]);
        results.put(name, Group { run, load, rows });
        results.write(&self.results())
    }

    fn read(&self) -> Result<Results, String> {
        Results::read(&self.results())
    }

    /// Writes the table and the plots of all that was ever measured here.
    fn publish(&self) -> Result<(), String> {
        let results = self.read()?;
        let write = |name: &str, text: &str| {
            let file = self.pages.join(name);
            fs::write(&file, text).map_err(|cause| format!("{}: {cause}", file.display()))?;
            eprintln!("wrote {}", file.display());
            Ok::<_, String>(())
        };
        let table = table::markdown(&results, &GROUPS);
        write("results.md", &format!("{HEAD}{table}"))?;
        for (name, group) in &results.groups {
            if let Some(plot) = plot::ratios(name, group) {
                write(&format!("{name}.svg"), &plot)?;
            }
        }
        Ok(())
    }
}

const HEAD: &str = "\
# All results

<!-- Written by `cargo xtask bench`. -->
How each is measured, and what follows: [performance](../performance.md). Ratio = peer / ours, so above 1
ours is better; behind it, in brackets, the least and the most of the parts of the run. Figures are the
medians of the parts. Compare figures of the same run only.

";

/// A peer that comes from the system, and so may be missing.
fn has_openssl() -> bool {
    let found = Command::new("pkg-config")
        .args(["--exists", "openssl"])
        .status();
    found.is_ok_and(|status| status.success())
}

fn finish(command: &mut Command) -> Result<(), String> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => {
            let program = command.get_program().to_string_lossy();
            Err(format!("{program} failed: {status}"))
        }
        Err(cause) => Err(format!("{command:?} does not start: {cause}")),
    }
}

fn this_run(root: &Path) -> Result<Run, String> {
    let said = |program: &str, arguments: &[&str]| {
        let output = Command::new(program)
            .args(arguments)
            .current_dir(root)
            .output();
        match output {
            Ok(output) if output.status.success() => {
                Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
            }
            _ => Err(format!("{program} {} failed", arguments.join(" "))),
        }
    };
    let commit = said("git", &["rev-parse", "--short=8", "HEAD"])?;
    let is_changed = !said("git", &["status", "--porcelain", "--", "crates"])?.is_empty();
    let version = said("rustc", &["--version"])?;
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = info.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == "model name").then(|| value.trim().to_owned())
    });
    Ok(Run {
        started: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
        commit: if is_changed {
            format!("{commit}, changed")
        } else {
            commit
        },
        compiler: version.split(' ').take(2).collect::<Vec<_>>().join(" "),
        processor: processor.unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
        cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
    })
}

/// Returns the average of the last minute.
fn load() -> Result<f64, String> {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let first = text.split(' ').next().and_then(|first| first.parse().ok());
    first.ok_or_else(|| "the load is in /proc/loadavg, on Linux only".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::Figure;

    fn read(arguments: &[&str]) -> Result<Wanted, String> {
        let arguments: Vec<String> = arguments.iter().map(|&text| text.to_owned()).collect();
        Wanted::read(&arguments)
    }

    #[test]
    fn without_a_group_all_are_run() {
        assert_eq!(read(&[]).unwrap().groups, GROUPS);
        assert_eq!(read(&["--quick"]).unwrap().groups, GROUPS);
        let some = read(&["ticket", "core", "ticket"]).unwrap();
        assert_eq!(some.groups, ["ticket", "core"]);
        assert!(!some.is_quick);
    }

    #[test]
    fn an_unknown_group_is_refused_before_anything_runs() {
        let error = read(&["core", "tickets"]).unwrap_err();
        assert!(error.contains("no group tickets"), "{error}");
        assert!(error.contains("ticket, credentials, build"), "{error}");
        assert!(read(&["--fast"]).is_err());
    }

    #[test]
    fn the_number_of_builds_is_a_number() {
        assert_eq!(read(&["build", "--times", "2"]).unwrap().times, 2);
        assert_eq!(read(&["build", "--quick"]).unwrap().times, 0);
        for wrong in [&["--times"][..], &["--times", "-1"], &["--times", "few"]] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }

    fn a_run(started: &str) -> Run {
        Run {
            started: started.to_owned(),
            commit: "abc".to_owned(),
            compiler: "rustc".to_owned(),
            processor: "a processor".to_owned(),
            cores: 2,
        }
    }

    fn a_row(ours: f64) -> Row {
        let peer = Figure::once(2.0);
        Row::beside("a case", "ns", &Figure::once(ours), "a peer", &peer)
    }

    #[test]
    fn a_group_that_fails_keeps_its_rows_the_others_run_and_the_run_fails() {
        let root = std::env::temp_dir().join(format!("bench-groups-{}", std::process::id()));
        let place = Place::new(&root, &read(&[]).unwrap()).unwrap();
        let both = ["core", "ticket"];
        let first = place.run_each(&both, &a_run("first"), |_, add| add(vec![a_row(1.0)]));
        first.unwrap();
        let second = place.run_each(&both, &a_run("second"), |name, add| match name {
            "core" => Err("no server".to_owned()),
            _ => add(vec![a_row(4.0)]),
        });
        let results = place.read().unwrap();
        let table = fs::read_to_string(root.join("docs/performance/results.md")).unwrap();
        let plot = fs::read_to_string(root.join("docs/performance/ticket.svg")).unwrap();
        fs::remove_dir_all(&root).unwrap();

        assert_eq!(second.unwrap_err(), "failed: core");
        let of = |name: &str| {
            let group = &results.groups[name];
            (&*group.run.started, group.rows[0].ours.median)
        };
        assert_eq!(of("core"), ("first", 1.0));
        assert_eq!(of("ticket"), ("second", 4.0));
        assert!(
            table.contains("| core | A |") && table.contains("| ticket | B |"),
            "{table}"
        );
        assert!(plot.contains("second"), "{plot}");
    }

    #[test]
    fn quick_figures_do_not_replace_others_and_are_not_shown() {
        let root = std::env::temp_dir().join(format!("bench-quick-{}", std::process::id()));
        let full = Place::new(&root, &read(&[]).unwrap()).unwrap();
        let quick = Place::new(&root, &read(&["--quick"]).unwrap()).unwrap();
        quick
            .run_each(&["core"], &a_run("quick"), |_, add| add(vec![a_row(1.0)]))
            .unwrap();
        let shown = fs::read_dir(root.join("docs/performance")).unwrap().count();
        let (full, quick) = (full.read().unwrap(), quick.read().unwrap());
        fs::remove_dir_all(&root).unwrap();
        assert_eq!(shown, 0);
        assert!(full.groups.is_empty());
        assert_eq!(quick.groups.len(), 1);
    }
}
