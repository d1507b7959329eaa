//! What a dependency costs: crates, CPU time of a build from nothing, and size of a program that
//! makes one request, beside other clients.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;

use crate::row::{Figure, Row};

/// A program that makes one request.
struct Program {
    /// The package that it depends on.
    package: &'static str,
    /// What else tells it from others.
    variant: &'static str,
    /// The rest of the lines of its dependencies.
    others: &'static str,
    version: Version,
    features: &'static str,
    source: &'static str,
}

enum Version {
    /// A crate of this workspace, below `crates`.
    Ours(&'static str),
    Pinned(&'static str),
}

/// What a usual client needs: `cargo xtask features` limits the crates for the same.
const OURS: &str =
    r#"default-features = false, features = ["client", "roots-platform", "tls-ring"]"#;

macro_rules! ours {
    ($folder:literal) => {
        Program {
            package: concat!("vouchsafe-", $folder),
            variant: "",
            others: "",
            version: Version::Ours($folder),
            features: OURS,
            source: include_str!(concat!("../programs/", $folder, ".rs")),
        }
    };
}

/// In the order in which they are built, those with long builds last.
const PROGRAMS: [Program; 9] = [
    ours!("ticket"),
    Program {
        package: "reqwest",
        variant: " with ring",
        others: r#"rustls = { version = "0.23", default-features = false, features = ["ring", "std", "tls12"] }
serde = { version = "1", features = ["derive"] }"#,
        version: Version::Pinned("0.13.5"),
        features: r#"default-features = false, features = ["json", "rustls-no-provider"]"#,
        source: include_str!("../programs/reqwest-ring.rs"),
    },
    ours!("userinfo"),
    ours!("astakos"),
    ours!("wazo-auth"),
    ours!("cloud-credentials"),
    Program {
        package: "reqwest",
        variant: "",
        others: r#"serde = { version = "1", features = ["derive"] }"#,
        version: Version::Pinned("0.13.5"),
        features: r#"default-features = false, features = ["json", "rustls"]"#,
        source: include_str!("../programs/reqwest.rs"),
    },
    Program {
        package: "azure_identity",
        variant: "",
        others: r#"azure_core = "1""#,
        version: Version::Pinned("1.0.0"),
        features: "",
        source: include_str!("../programs/azure_identity.rs"),
    },
    Program {
        package: "google-cloud-auth",
        variant: "",
        others: r#"http = "1""#,
        version: Version::Pinned("1.18.0"),
        features: "",
        source: include_str!("../programs/google-cloud-auth.rs"),
    },
];

/// The goals: how many crates a client may take.
const CRATES_OF_TICKET: f64 = 76.0;
const CRATES: f64 = 80.0;

/// Counts the crates of every program, and builds each this number of times from nothing. Hands over
/// what is known so far whenever more is: building all takes half an hour.
pub(crate) fn run(
    root: &Path,
    times: usize,
    found: &mut dyn FnMut(Vec<Row>) -> Result<(), String>,
) -> Result<(), String> {
    let place = Place {
        folder: root.join("target/bench/build"),
        root: root.to_owned(),
    };
    let mut measured: Vec<Measured> = Vec::new();
    for program in &PROGRAMS {
        measured.push(Measured {
            name: program.name(),
            is_ours: matches!(program.version, Version::Ours(_)),
            crates: place.prepare(program)?,
            bytes: None,
            seconds: Vec::new(),
        });
    }
    found(rows(&measured))?;
    for round in 0..times {
        for (at, program) in PROGRAMS.iter().enumerate() {
            let one = &mut measured[at];
            if one.bytes.is_none() {
                one.bytes = Some(place.size(program)?);
            }
            one.seconds.push(place.build_from_nothing(program)?);
            one.say();
            // Figures of different numbers of builds are not put beside each other.
            if round == 0 || at + 1 == PROGRAMS.len() {
                found(rows(&measured))?;
            }
        }
    }
    Ok(())
}

struct Measured {
    name: String,
    is_ours: bool,
    crates: usize,
    /// `None` until it is built.
    bytes: Option<u64>,
    /// Of each build.
    seconds: Vec<f64>,
}

impl Measured {
    fn say(&self) {
        let bytes = self.bytes.unwrap_or_default();
        let (name, seconds) = (&self.name, &self.seconds);
        eprintln!("{name}: {bytes} bytes, {seconds:.1?} s of CPU");
    }

    fn crates(&self) -> Option<Figure> {
        Some(Figure::once(self.crates as f64))
    }

    fn kilobytes(&self) -> Option<Figure> {
        Some(Figure::once(self.bytes? as f64 / 1e3))
    }

    fn seconds(&self) -> Option<Figure> {
        (!self.seconds.is_empty()).then(|| Figure::of_parts(self.seconds.clone()))
    }
}

/// One aspect of a program, if it is known yet.
type Aspect = fn(&Measured) -> Option<Figure>;

const ASPECTS: [(&str, &str, Aspect); 3] = [
    ("crates", "crates", Measured::crates),
    ("debug build, CPU", "s", Measured::seconds),
    ("stripped release", "kB", Measured::kilobytes),
];

fn rows(measured: &[Measured]) -> Vec<Row> {
    let (ours, peers): (Vec<_>, Vec<_>) = measured.iter().partition(|one| one.is_ours);
    let mut rows = Vec::new();
    for ours in ours {
        let is_ticket = ours.name == "vouchsafe-ticket";
        let most = if is_ticket { CRATES_OF_TICKET } else { CRATES };
        let crates = Figure::once(ours.crates as f64);
        rows.push(Row::alone(format!("{}: crates", ours.name), "crates", &crates).at_most(most));
        for (what, unit, aspect) in ASPECTS {
            for peer in &peers {
                let Some((figure, theirs)) = aspect(ours).zip(aspect(peer)) else {
                    continue;
                };
                let case = format!("{}: {what}", ours.name);
                let row = Row::beside(case, unit, &figure, &peer.name, &theirs);
                // The others show what is usual for such clients.
                let is_goal = what != "crates" && peer.name.starts_with("reqwest");
                rows.push(if is_goal { row.at_least(1.0) } else { row });
            }
        }
    }
    rows
}

impl Program {
    fn name(&self) -> String {
        let version = match self.version {
            Version::Ours(_) => String::new(),
            Version::Pinned(version) => format!(" {version}"),
        };
        format!("{}{version}{}", self.package, self.variant)
    }

    fn folder(&self) -> String {
        format!("{}{}", self.package, self.variant).replace(' ', "-")
    }

    fn manifest(&self, root: &Path) -> String {
        let source = match self.version {
            Version::Ours(folder) => format!("path = {:?}", root.join("crates").join(folder)),
            Version::Pinned(version) => format!("version = \"={version}\""),
        };
        let features = match self.features {
            "" => String::new(),
            features => format!(", {features}"),
        };
        format!(
            r#"[package]
name = "one-request"
version = "0.0.0"
edition = "2024"
publish = false

[workspace]

[dependencies]
{package} = {{ {source}{features} }}
tokio = {{ version = "1", default-features = false, features = ["macros", "rt"] }}
{others}

[profile.release]
strip = true
"#,
            package = self.package,
            others = self.others,
        )
    }
}

struct Place {
    root: PathBuf,
    folder: PathBuf,
}

impl Place {
    /// Writes a program, fetches what it needs, and counts the crates, without the program.
    fn prepare(&self, program: &Program) -> Result<usize, String> {
        let folder = self.folder.join(program.folder());
        let write = |path: &str, text: &str| {
            let path = folder.join(path);
            fs::write(&path, text).map_err(|cause| format!("{}: {cause}", path.display()))
        };
        fs::create_dir_all(folder.join("src"))
            .map_err(|cause| format!("{}: {cause}", folder.display()))?;
        write("Cargo.toml", &program.manifest(&self.root))?;
        write("src/main.rs", program.source)?;
        // All start from the versions of this workspace, so that what they share is the same.
        let lock = self.root.join("Cargo.lock");
        let lock =
            fs::read_to_string(&lock).map_err(|cause| format!("{}: {cause}", lock.display()))?;
        write("Cargo.lock", &lock)?;
        self.cargo(program, &["fetch"])?;
        let target = ["--target", "x86_64-unknown-linux-gnu"];
        let tree = ["tree", "--prefix", "none", "--edges", "normal,build"];
        Ok(crates(&self.cargo(program, &[&tree[..], &target].concat())?) - 1)
    }

    /// Returns the seconds of user and system time of cargo and all that it starts.
    fn build_from_nothing(&self, program: &Program) -> Result<f64, String> {
        let target = self.folder.join("cold");
        remove(&target)?;
        let before = cpu_of_children();
        self.cargo(
            program,
            &["build", "--offline", "--target-dir", path(&target)?],
        )?;
        let seconds = cpu_of_children() - before;
        remove(&target)?;
        Ok(seconds)
    }

    /// Returns the bytes of the stripped program.
    fn size(&self, program: &Program) -> Result<u64, String> {
        // Only the result matters, so what several need is built once.
        let target = self.folder.join("release");
        let build = [
            "build",
            "--release",
            "--offline",
            "--target-dir",
            path(&target)?,
        ];
        self.cargo(program, &build)?;
        let file = target.join("release/one-request");
        let data = fs::metadata(&file).map_err(|cause| format!("{}: {cause}", file.display()))?;
        Ok(data.len())
    }

    fn cargo(&self, program: &Program, arguments: &[&str]) -> Result<String, String> {
        let output = Command::new("cargo")
            .args(arguments)
            .current_dir(self.folder.join(program.folder()))
            // What would do the work elsewhere, or skip some of it.
            .env_remove("RUSTC_WRAPPER")
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_TARGET_DIR")
            .env("CARGO_INCREMENTAL", "0")
            .output()
            .map_err(|cause| format!("cargo does not start: {cause}"))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let complaint = String::from_utf8_lossy(&output.stderr);
        let command = arguments.join(" ");
        Err(format!(
            "{}: cargo {command} failed:\n{complaint}",
            program.name()
        ))
    }
}

fn path(path: &Path) -> Result<&str, String> {
    path.to_str()
        .ok_or_else(|| format!("{} is not UTF-8", path.display()))
}

fn remove(folder: &Path) -> Result<(), String> {
    match fs::remove_dir_all(folder) {
        Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("{} cannot be removed: {cause}", folder.display()))
        }
        _ => Ok(()),
    }
}

fn cpu_of_children() -> f64 {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("usage of ended processes");
    let total = usage.user_time() + usage.system_time();
    total.num_microseconds() as f64 / 1e6
}

/// Counts the versions of crates in the output of `cargo tree`.
fn crates(tree: &str) -> usize {
    let lines = tree.lines().filter(|line| !line.is_empty());
    let names = lines.filter_map(|line| {
        let mut words = line.split(' ');
        words.next().zip(words.next())
    });
    names.collect::<BTreeSet<_>>().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(name: &str, crates: usize, seconds: &[f64], bytes: Option<u64>) -> Measured {
        Measured {
            name: name.to_owned(),
            is_ours: name.starts_with("vouchsafe"),
            crates,
            bytes,
            seconds: seconds.to_vec(),
        }
    }

    #[test]
    fn each_of_ours_is_beside_each_peer_and_goals_say_what_is_missed() {
        let rows = rows(&[
            measured("vouchsafe-ticket", 77, &[40.0, 50.0], Some(3_000_000)),
            measured("vouchsafe-userinfo", 80, &[60.0, 50.0], Some(3_000_000)),
            measured("reqwest 1", 110, &[80.0, 100.0], Some(2_000_000)),
            measured("azure_identity 1", 150, &[20.0, 20.0], Some(9_000_000)),
        ]);
        assert_eq!(rows.len(), 2 * (1 + 2 * 3));
        let missed: Vec<_> = rows
            .iter()
            .filter(|row| row.is_met() == Some(false))
            .map(|row| (&*row.case, row.peer.as_ref().map(|peer| &*peer.name)))
            .collect();
        let wanted = [
            ("vouchsafe-ticket: crates", None),
            ("vouchsafe-ticket: stripped release", Some("reqwest 1")),
            ("vouchsafe-userinfo: stripped release", Some("reqwest 1")),
        ];
        assert_eq!(missed, wanted);
        let build = rows.iter().find(|row| row.unit == "s").unwrap();
        assert_eq!(build.peer.as_ref().unwrap().ratio.parts, 2);
        assert_eq!(build.peer.as_ref().unwrap().ratio.median, 2.0);
    }

    #[test]
    fn what_is_not_known_yet_has_no_row() {
        let rows = rows(&[
            measured("vouchsafe-ticket", 70, &[40.0], Some(3_000_000)),
            measured("reqwest 1", 110, &[80.0], Some(4_000_000)),
            measured("azure_identity 1", 150, &[], None),
        ]);
        let beside: Vec<_> = rows
            .iter()
            .filter_map(|row| Some((&*row.unit, &*row.peer.as_ref()?.name)))
            .collect();
        let wanted = [
            ("crates", "reqwest 1"),
            ("crates", "azure_identity 1"),
            ("s", "reqwest 1"),
            ("kB", "reqwest 1"),
        ];
        assert_eq!(beside, wanted);
    }

    #[test]
    fn a_crate_counts_once_for_each_version() {
        let tree = "one v1.0.0 (/path)\ntwo v1.0.0\ntwo v1.0.0 (*)\ntwo v2.0.0 (proc-macro)\n\n";
        assert_eq!(crates(tree), 3);
    }

    #[test]
    fn manifests_name_what_is_measured() {
        let root = Path::new("/somewhere");
        let manifest = |name: &str| {
            let program = PROGRAMS.iter().find(|program| program.name() == name);
            program.unwrap().manifest(root)
        };
        let ticket = manifest("vouchsafe-ticket");
        assert!(ticket.contains(
            r#"vouchsafe-ticket = { path = "/somewhere/crates/ticket", default-features = false, "#
        ));
        let reqwest = manifest("reqwest 0.13.5");
        assert!(reqwest.contains(r#"reqwest = { version = "=0.13.5", default-features = false, "#));
        assert!(reqwest.contains("\nserde = "));
        let azure = manifest("azure_identity 1.0.0");
        assert!(
            azure.contains("azure_identity = { version = \"=1.0.0\" }\n"),
            "{azure}"
        );
    }
}
