//! Runs recorded vectors: files of cases, one folder per service.
//!
//! A case is judged by its content and its schema, never by its name, so that unknown cases are
//! judged as well. Cases are skipped only by a rule that says why.

mod astakos;
mod cloud_credentials;
mod compare;
pub mod described;
mod emulator;
mod report;
mod schema;
mod ticket;
mod upstream;
mod userinfo;
mod wazo_auth;

use std::fs;
use std::path::{Path, PathBuf};

pub(crate) use astakos::{judge_functions, judge_recorded};
pub(crate) use report::Recorded;
pub use report::{Failure, Report};
use schema::{Case, ClassFile};
pub(crate) use wazo_auth::{RECORDED_HEADERS, judge_step, recorded_answer, scenarios};

/// The variable that names the folder of vectors.
pub const VARIABLE: &str = "VOUCHSAFE_VECTORS";

/// The services that have a runner; each has a folder of that name.
pub const SERVICES: &[&str] = &[
    "astakos",
    "ticket",
    "userinfo",
    "wazo-auth",
    "cloud-credentials",
];

/// Why no vectors could be run at all.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// There is no such service, or none of that name has a runner.
    UnknownService(String),
    /// The folder is missing, or has nothing for the requested services.
    Missing(PathBuf),
    /// A file cannot be read as vectors.
    Unreadable(PathBuf, String),
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::UnknownService(name) => write!(
                f,
                "no service is called {name:?}; there are: {}",
                SERVICES.join(", ")
            ),
            Self::Missing(path) => write!(
                f,
                "no vectors in {}; set {VARIABLE} to the folder that holds one folder per service \
                 ({})",
                path.display(),
                SERVICES.join(", ")
            ),
            Self::Unreadable(path, why) => write!(f, "{}: {why}", path.display()),
        }
    }
}

impl std::error::Error for Error {}

/// Runs the vectors of one service, or of all that exist, below a folder.
///
/// `probe` is a program that does nothing but [`answer_probe`] when it is asked to, to be started
/// with another environment; without one, cases that need it are left out.
///
/// # Errors
///
/// If nothing could be judged: an unknown service, a missing folder, a file that is not vectors.
/// Differences are not errors; they are in the [`Report`].
///
/// # Panics
///
/// On a tokio runtime of one thread, which has none for the calls of `astakos`.
pub async fn run(
    root: &Path,
    service: Option<&str>,
    probe: Option<PathBuf>,
) -> Result<Report, Error> {
    let services = match service {
        None => SERVICES.to_vec(),
        Some(name) => vec![
            *SERVICES
                .iter()
                .find(|known| **known == name)
                .ok_or_else(|| Error::UnknownService(name.to_owned()))?,
        ],
    };
    let mut report = Report::default();
    let mut missing = Vec::new();
    for name in services {
        let folder = root.join(name);
        // Vectors are recorded of a service that runs, so a new one may have none yet.
        if service.is_none() && !folder.exists() {
            missing.push(name);
            continue;
        }
        match name {
            "astakos" => astakos::run(&folder, &mut report)?,
            "ticket" => ticket::run(&folder, &mut report)?,
            "userinfo" => userinfo::run(&folder, probe.clone(), &mut report).await?,
            "wazo-auth" => wazo_auth::run(&folder, &mut report).await?,
            "cloud-credentials" => cloud_credentials::run(&folder, &mut report).await?,
            other => return Err(Error::UnknownService(other.to_owned())),
        }
    }
    if missing.len() == SERVICES.len() {
        return Err(Error::Missing(root.to_owned()));
    }
    report.note_missing(missing);
    Ok(report)
}

/// Answers if these arguments are those with which [`run`] starts a probe.
///
/// # Errors
///
/// What went wrong; the program should then fail.
pub async fn answer_probe(arguments: &[String]) -> Option<Result<String, String>> {
    userinfo::answer_probe(arguments).await
}

/// All vectors of one service.
#[derive(Debug, Default)]
struct Suite {
    /// The state that the recorded servers were in, as text.
    world: String,
    /// Cases by their ids; one that cannot be read fails without affecting the others.
    cases: Vec<(String, Result<Case, String>)>,
    probe: Option<PathBuf>,
}

impl Suite {
    fn load(folder: &Path) -> Result<Self, Error> {
        let files = json_files(folder)?;
        let mut suite = Self::default();
        for path in files {
            let unreadable = |why: String| Error::Unreadable(path.clone(), why);
            if path.file_name().is_some_and(|name| name == "world.json") {
                let text = fs::read_to_string(&path);
                suite.world = text.map_err(|cause| unreadable(cause.to_string()))?;
                continue;
            }
            let file: ClassFile = read(&path)?;
            if !file.schema.ends_with("-vectors/1") {
                return Err(unreadable(format!("unknown schema {:?}", file.schema)));
            }
            suite.cases.extend(file.cases.into_iter().map(|case| {
                let id = case["id"].as_str().unwrap_or_default().to_owned();
                (id, Case::read(case))
            }));
        }
        if suite.cases.is_empty() {
            return Err(Error::Missing(folder.to_owned()));
        }
        Ok(suite)
    }
}

/// The files of cases in a folder, in the order of their names.
fn json_files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = fs::read_dir(folder).map_err(|_| Error::Missing(folder.to_owned()))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .collect();
    files.sort();
    Ok(files)
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let unreadable = |why: String| Error::Unreadable(path.to_owned(), why);
    let text = fs::read_to_string(path).map_err(|cause| unreadable(cause.to_string()))?;
    serde_json::from_str(&text).map_err(|cause| unreadable(cause.to_string()))
}
