//! PostgreSQL.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;

use vouchsafe_core::store::contract::Server;

use crate::process::Process;
use crate::{found, free_port, start};

/// The password of the user `vouchsafe` in PostgreSQL.
pub const PASSWORD: &str = "planted by the tests";

/// Starts PostgreSQL, or says that the test is skipped. It does not run as root: then the user
/// `postgres` runs it, in a folder beside the test's.
#[must_use]
pub fn postgres(place: &Path) -> Option<Box<dyn Server>> {
    let versions = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let folders: Vec<_> = versions.map(|version| version.path().join("bin")).collect();
    let program = |name| found(name, "apt-get install postgresql", &folders);
    let (initdb, postgres) = (program("initdb")?, program("postgres")?);
    let is_ready = program("pg_isready")?;
    let data = place.with_extension("postgres");
    let as_user = if is_root() {
        "setpriv --reuid=postgres --regid=postgres --clear-groups"
    } else {
        "env"
    };
    let as_user = as_user.split(' ').map(str::to_owned);
    make_cluster(
        &data,
        &as_user.clone().collect::<Vec<_>>(),
        &initdb,
        &postgres,
    );
    let port = free_port();
    let mut command: Vec<_> = as_user
        .chain([text(&postgres), "-D".to_owned(), text(&data)])
        .collect();
    for setting in [
        format!("port={port}"),
        "listen_addresses=127.0.0.1".to_owned(),
        "unix_socket_directories=".to_owned(),
        // The process is killed, not the machine.
        "fsync=off".to_owned(),
        "shared_buffers=16MB".to_owned(),
    ] {
        command.extend(["-c".to_owned(), setting]);
    }
    let ready = move || {
        let mut question = Command::new(&is_ready);
        question.args(["--quiet", "--host=127.0.0.1", &format!("--port={port}")]);
        question.status().unwrap().success()
    };
    let process = Process::new(command, "QUIT", ready).remove([data]);
    Some(start(place, port, process))
}

const OPTIONS: [&str; 5] = [
    // The least, since it is copied.
    "--wal-segsize=1",
    "--username=vouchsafe",
    "--auth=scram-sha-256",
    "--no-sync",
    "--encoding=UTF8",
];

/// All but the database `postgres`, for the same reason.
const DROP: &str = "\
UPDATE pg_database SET datistemplate = false;
DROP DATABASE template0;
DROP DATABASE template1;";

/// Makes the folder of a server: a copy of one that the first test made beside its program, since
/// `initdb` takes more time than a test.
fn make_cluster(data: &Path, as_user: &[String], initdb: &Path, postgres: &Path) {
    let command = |program: &Path| {
        let mut command = as_user.to_vec();
        command.push(text(program));
        command
    };
    let mut initdb = command(initdb);
    initdb.extend(OPTIONS.map(Into::into));
    initdb.push(format!("--pgdata={}", data.display()));
    let mut hasher = DefaultHasher::new();
    (OPTIONS, DROP, postgres).hash(&mut hasher);
    let name = format!("postgres-{:016x}", hasher.finish());
    let template = std::env::current_exe().unwrap().with_file_name(name);
    let turn = File::create(template.with_extension("lock")).unwrap();
    turn.lock().unwrap();
    if template.is_dir() {
        drop(turn);
        return copy(&template, data);
    }
    let password = data.with_extension("password");
    fs::write(&password, PASSWORD).unwrap();
    fs::create_dir(data).unwrap();
    if is_root() {
        let chown = ["chown", "postgres"].map(Into::into);
        run(chown.into_iter().chain([text(data), text(&password)]));
    }
    initdb.push(format!("--pwfile={}", password.display()));
    run(initdb.into_iter());
    fs::remove_file(password).unwrap();
    let single = ["--single", "-D", &text(data), "postgres"].map(str::to_owned);
    let drop = ["sh", "-c", r#"echo "$0" | "$@""#, DROP].map(str::to_owned);
    run(drop.into_iter().chain(command(postgres)).chain(single));
    // Of a test that was interrupted.
    let draft = template.with_extension("draft");
    let _ = fs::remove_dir_all(&draft);
    copy(data, &draft);
    fs::rename(draft, template).unwrap();
}

fn copy(from: &Path, to: &Path) {
    let cp = ["cp", "--archive"].map(Into::into);
    run(cp.into_iter().chain([text(from), text(to)]));
}

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn run(command: impl Iterator<Item = String>) {
    let command: Vec<_> = command.collect();
    let output = Command::new(&command[0])
        .args(&command[1..])
        .current_dir("/")
        .output()
        .unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
}
