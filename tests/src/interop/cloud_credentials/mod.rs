//! The real `pancloud` beside ours: what each makes of the file of the other, in turns and at the same
//! time, and whether foreign clients accept the emulator.

mod at_once;
mod noted;

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::{Method, header};
use serde_json::{Value, json};
use tokio::process::Command;
use vouchsafe::cloud_credentials::file::FileStore;
use vouchsafe::cloud_credentials::mock::{Rotation, Seed, Server};
use vouchsafe::cloud_credentials::{Credentials, Error};
use vouchsafe::core::mock::Serving;
use vouchsafe::core::store::{Expect, Key, Store, Swapped};
use vouchsafe::core::transport::{HttpTransport, Request, Transport as _};
use vouchsafe::core::{Secret, SecretBytes};

use self::at_once::{refreshing_at_once, writing_at_once};
use super::script::Session;
use super::{Places, Report};
use crate::python;

/// The last with the behaviour of the documentation, and the last.
const VERSIONS: [&str; 2] = ["1.4.0", "1.5.1"];

const CLIENTS: [&str; 4] = [
    "Authlib==1.9.10",
    "requests==2.34.2",
    "requests-oauthlib==2.0.0",
    "oauthlib==4.0.1",
];

/// Runs all checks.
pub(super) async fn run(places: &Places, report: &mut Report) {
    for version in VERSIONS {
        if let Err(why) = with(version, places, report).await {
            report.fail(&format!("pancloud {version}"), why);
        }
    }
    if let Err(why) = foreign_clients(places, report).await {
        report.fail("OAuth clients in Python", why);
    }
}

/// Clients that know the standard alone log in at the emulator, refresh and revoke.
async fn foreign_clients(places: &Places, report: &mut Report) -> Result<(), String> {
    let python = match python::environment(&places.work.join("oauth"), &CLIENTS).await {
        Ok(python) => python,
        Err(why) => {
            report.miss("Authlib and requests-oauthlib", why);
            return Ok(());
        }
    };
    let world = World::start().await?;
    let mut command = Command::new(python);
    command.arg(places.scripts.join("oauth_clients.py"));
    let mut clients = Theirs(Session::start(command)?);
    for name in ["authlib", "requests_oauthlib"] {
        let call = json!({
            "call": name,
            "url": world.url(),
            "client_id": CLIENT,
            "client_secret": world.secret()?,
            "redirect_uri": REDIRECT,
        });
        let name = format!("{name} logs in, refreshes and revokes");
        match clients.call(call).await {
            Ok(_) => report.pass(&name),
            Err(why) => report.fail(&name, why),
        }
    }
    // Two clients, each with a login, and a refresh that is refused after the revocation.
    let counts = world.server.counts();
    let found = (counts.of("authorization_code"), counts.refused());
    match same("logins and refusals", &found, &(2, 2)) {
        Ok(()) => report.pass("the emulator counted two logins, and refused two revoked tokens"),
        Err(why) => report.fail("what the emulator counted", why),
    }
    Ok(())
}

/// A client of the emulator's sample, and its redirect URI.
const CLIENT: &str = "app";
const REDIRECT: &str = "https://app.example.com/back";

/// The emulator with refresh tokens that rotate.
struct World {
    server: Server,
    serving: Serving,
}

impl World {
    async fn start() -> Result<Self, String> {
        let seed = Seed::sample().settings(|settings| {
            settings.rotation = Rotation::Rotates;
            settings.is_pkce_required = false;
        });
        let server = Server::from_seed(&seed);
        let serving = server.serve((Ipv4Addr::LOCALHOST, 0).into()).await;
        let serving = serving.map_err(told)?;
        Ok(Self { server, serving })
    }

    fn url(&self) -> String {
        self.serving.url()
    }

    fn secret(&self) -> Result<String, String> {
        let secret = self.server.client_secret(CLIENT).ok_or("no such client")?;
        Ok(secret.expose().to_owned())
    }

    /// Ours, on a file.
    fn credentials(&self, file: &Path) -> Result<Credentials, String> {
        self.credentials_in(Arc::new(FileStore::new(file)), "default")
    }

    fn credentials_in(&self, store: Arc<dyn Store>, profile: &str) -> Result<Credentials, String> {
        let builder = Server::credentials_builder_at(&self.url());
        let builder = builder.store(store).profile(profile);
        builder.build().map_err(told)
    }

    /// Returns whether a refresh token is the last one of its login.
    fn takes(&self, refresh_token: &str) -> bool {
        let token = Secret::from(refresh_token.to_owned());
        self.server.takes_refresh_token(&token)
    }

    /// A record with another login.
    fn login(&self) -> Result<Value, String> {
        let login = self.server.log_in(CLIENT).map_err(told)?;
        Ok(json!({
            "access_token": text(&login.access_token), "client_id": CLIENT,
            "client_secret": self.secret()?, "refresh_token": text(&login.refresh_token),
        }))
    }
}

fn text(secret: &Option<Secret>) -> Option<String> {
    secret.as_ref().map(|secret| secret.expose().to_owned())
}

fn told(error: impl Into<Error>) -> String {
    error.into().to_string()
}

async fn with(version: &str, places: &Places, report: &mut Report) -> Result<(), String> {
    let python = match python::pancloud(version, &places.work).await {
        Ok(python) => python,
        Err(why) => {
            report.miss(&format!("pancloud {version}"), why);
            return Ok(());
        }
    };
    let script = places.scripts.join("cloud_credentials.py");
    let start = || {
        let mut command = Command::new(&python);
        command.arg(&script).arg("session");
        Session::start(command)
    };
    let mut theirs = Theirs(start()?);
    let mut check = async |what: &str, done: Result<(), String>| {
        let name = format!("pancloud {version}: {what}");
        match done {
            Ok(()) => report.pass(&name),
            Err(why) => report.fail(&name, why),
        }
    };
    check(
        "it reads what we write, and writes the same bytes",
        reads_ours(&mut theirs).await,
    )
    .await;
    check(
        "we read what it writes, and write the same bytes",
        reads_theirs(&mut theirs).await,
    )
    .await;
    check(
        "each refreshes what the other left",
        in_turns(&mut theirs).await,
    )
    .await;
    check(
        "it logs in by our URL, and revokes",
        logs_in(&mut theirs).await,
    )
    .await;
    check(
        "a profile of each, added while both run",
        adds(&mut theirs).await,
    )
    .await;
    let mut others = Theirs(start()?);
    for (what, done) in [
        (
            "all write one file at a time",
            writing_at_once(&mut theirs, &mut others).await,
        ),
        (
            "all refresh at a time, and it writes under our lock",
            refreshing_at_once(Theirs(start()?), true).await,
        ),
        (
            "all refresh at a time, and it locks nothing",
            refreshing_at_once(Theirs(start()?), false).await,
        ),
    ] {
        let told = done.as_ref().map_or_else(Clone::clone, Clone::clone);
        check(&format!("{what}: {told}"), done.map(drop)).await;
    }
    Ok(())
}

/// The script, and what it returns.
struct Theirs(Session);

impl Theirs {
    async fn call(&mut self, call: Value) -> Result<Value, String> {
        let mut answer = self.0.ask(&call).await?;
        match answer.get("raises") {
            Some(raised) => Err(format!("{} raises {raised}", call["call"])),
            None => Ok(answer["returns"].take()),
        }
    }

    async fn open(&mut self, name: &str, profile: &str, file: &Path) -> Result<(), String> {
        // Nothing is asked.
        self.open_at("http://127.0.0.1:9", name, profile, file)
            .await
    }

    async fn open_at(
        &mut self,
        issuer: &str,
        name: &str,
        profile: &str,
        file: &Path,
    ) -> Result<(), String> {
        let call = json!({
            "call": "open", "name": name, "issuer": issuer, "file": file, "profile": profile,
            "auth_base_url": format!("{issuer}/as/authorization.oauth2"),
        });
        self.call(call).await.map(drop)
    }
}

/// Values that are awkward to write.
fn records() -> [(&'static str, Value); 4] {
    [
        (
            "default",
            json!({
                "access_token": "at", "client_id": "c", "client_secret": "s", "refresh_token": "rt",
            }),
        ),
        (
            "dev \u{e9}\u{1f511} \"x\\y\" /\u{7f}\u{8}\t",
            json!({
                "access_token": "\u{2028}<&>\n\u{1}", "client_id": "\u{ff}", "client_secret": "\\u0041",
                "refresh_token": "\u{10ffff}",
            }),
        ),
        (
            "none",
            json!({
                "access_token": null, "client_id": "c", "client_secret": null, "refresh_token": "r",
            }),
        ),
        (
            "long",
            json!({
                "access_token": "x".repeat(70_000), "client_id": "c", "client_secret": "s",
                "refresh_token": "r",
            }),
        ),
    ]
}

fn key(profile: &str) -> Key {
    Key::new(FileStore::NAMESPACE, profile)
}

async fn put(store: &dyn Store, profile: &str, record: &Value) -> Result<(), String> {
    let value = SecretBytes::from(record.to_string().into_bytes());
    let key = key(profile);
    let swap = store.compare_and_swap(&key, &Expect::Any, &value).await;
    match swap.map_err(told)? {
        Swapped::Done(_) => Ok(()),
        Swapped::Conflict(_) => Err("a conflict, although anything was expected".to_owned()),
    }
}

async fn get(store: &dyn Store, profile: &str) -> Result<Value, String> {
    let loaded = store.load(&key(profile)).await.map_err(told)?;
    let loaded = loaded.ok_or_else(|| format!("profile {profile:?} is gone"))?;
    serde_json::from_slice(loaded.value.expose()).map_err(|cause| cause.to_string())
}

fn read(file: &Path) -> Result<String, String> {
    fs::read_to_string(file).map_err(|cause| cause.to_string())
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, wanted: &T) -> Result<(), String> {
    match found == wanted {
        true => Ok(()),
        false => Err(format!("{what}: {found:?} in place of {wanted:?}")),
    }
}

struct Scratch {
    _folder: tempfile::TempDir,
    file: PathBuf,
}

fn scratch() -> Result<Scratch, String> {
    let folder = tempfile::tempdir().map_err(|cause| cause.to_string())?;
    let file = folder.path().join("credentials.json");
    Ok(Scratch {
        _folder: folder,
        file,
    })
}

async fn reads_ours(theirs: &mut Theirs) -> Result<(), String> {
    let Scratch { file, _folder } = scratch()?;
    let store = FileStore::new(&file);
    for (profile, record) in records() {
        put(&store, profile, &record).await?;
    }
    let written = read(&file)?;
    for (profile, record) in records() {
        theirs.open(profile, profile, &file).await?;
        let found = theirs
            .call(json!({"call": "values", "name": profile}))
            .await?;
        same(profile, &found, &record)?;
        theirs
            .call(json!({"call": "write", "name": profile}))
            .await?;
        same(profile, &read(&file)?, &written)?;
    }
    Ok(())
}

async fn reads_theirs(theirs: &mut Theirs) -> Result<(), String> {
    let Scratch { file, _folder } = scratch()?;
    for (profile, record) in records() {
        let name = format!("new {profile}");
        theirs.open(&name, profile, &file).await?;
        theirs
            .call(json!({"call": "set", "name": name, "values": record}))
            .await?;
        theirs.call(json!({"call": "write", "name": name})).await?;
    }
    let written = read(&file)?;
    let store = FileStore::new(&file);
    for (profile, record) in records() {
        same(profile, &get(&store, profile).await?, &record)?;
        put(&store, profile, &record).await?;
        same(profile, &read(&file)?, &written)?;
    }
    // The same from the start.
    let Scratch { file, _folder } = scratch()?;
    let store = FileStore::new(&file);
    for (profile, record) in records() {
        put(&store, profile, &record).await?;
    }
    same("a new file", &read(&file)?, &written)
}

/// A login at a server that rotates, and then each in turn refreshes what the other left.
async fn in_turns(theirs: &mut Theirs) -> Result<(), String> {
    let Scratch { file, _folder } = scratch()?;
    let world = World::start().await?;
    put(&FileStore::new(&file), "default", &world.login()?).await?;
    let ours = world.credentials(&file)?;
    for turn in 0..10 {
        // One that has refreshed by itself notices nothing newer, so it is another each time.
        let name = format!("turn {turn}");
        theirs
            .open_at(&world.url(), &name, "default", &file)
            .await?;
        let token = theirs
            .call(json!({"call": "refresh", "name": name}))
            .await?;
        let found = ours.values().await.map_err(told)?;
        same(&name, &text(&found.access_token).into(), &token)?;
        let token = ours.refresh().await.map_err(told)?;
        let name = format!("after turn {turn}");
        theirs
            .open_at(&world.url(), &name, "default", &file)
            .await?;
        let found = theirs.call(json!({"call": "values", "name": name})).await?;
        same(&name, &found["access_token"], &token.expose().into())?;
        let now = ours.values().await.map_err(told)?.refresh_token;
        same(&name, &found["refresh_token"], &text(&now).into())?;
    }
    let counts = world.server.counts();
    same(
        "requests and refusals",
        &(counts.refreshes(), counts.refused()),
        &(20, 0),
    )
}

/// `pancloud` logs in at the emulator; ours has what it wrote, until it revokes that.
async fn logs_in(theirs: &mut Theirs) -> Result<(), String> {
    let Scratch { file, _folder } = scratch()?;
    let world = World::start().await?;
    theirs
        .open_at(&world.url(), "login", "default", &file)
        .await?;
    let values = json!({
        "client_id": CLIENT, "client_secret": world.secret()?, "redirect_uri": REDIRECT,
    });
    theirs
        .call(json!({"call": "set", "name": "login", "values": values}))
        .await?;
    let url = theirs.call(json!({"call": "url", "name": "login"})).await?;
    let code = visit(url[0].as_str().unwrap_or_default()).await?;
    let issued = theirs
        .call(json!({"call": "exchange", "name": "login", "code": code}))
        .await?;
    let ours = world.credentials(&file)?;
    let found = ours.values().await.map_err(told)?;
    let found = found.access_token.map(|token| token.expose().to_owned());
    same("the login", &found.into(), &issued["access_token"])?;
    ours.refresh().await.map_err(told)?;
    theirs
        .open_at(&world.url(), "revoke", "default", &file)
        .await?;
    for what in ["access_token", "refresh_token"] {
        theirs
            .call(json!({"call": "revoke", "name": "revoke", "what": what}))
            .await?;
    }
    match ours.refresh().await {
        Err(error) if error.is_reauthorization_needed() => Ok(()),
        other => Err(format!("after the revocation: {:?}", other.map(drop))),
    }
}

/// Follows the authorization URL as a browser does, and returns the code of the redirect.
async fn visit(url: &str) -> Result<String, String> {
    let uri = url.parse().map_err(|_| format!("{url:?} is no URL"))?;
    let transport = HttpTransport::builder().build().map_err(told)?;
    let answer = transport
        .send(Request::new(Method::GET, uri))
        .await
        .map_err(told)?;
    let location = answer.headers.get(header::LOCATION);
    let location = location
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let back = url::Url::parse(location).map_err(|_| format!("{}: no redirect", answer.status))?;
    let code = back.query_pairs().find(|(name, _)| name == "code");
    code.map(|(_, code)| code.into_owned())
        .ok_or_else(|| format!("no code in {location:?}"))
}

/// A running `pancloud` remembers the highest number of a document, so ours leaves a gap.
async fn adds(theirs: &mut Theirs) -> Result<(), String> {
    let Scratch { file, _folder } = scratch()?;
    let store = FileStore::new(&file).gap(1000);
    let [(_, record), ..] = records();
    put(&store, "default", &record).await?;
    theirs.open("adds", "theirs", &file).await?;
    put(&store, "ours", &record).await?;
    theirs
        .call(json!({"call": "set", "name": "adds", "values": record}))
        .await?;
    theirs
        .call(json!({"call": "write", "name": "adds"}))
        .await?;
    for profile in ["default", "ours", "theirs"] {
        same(profile, &get(&store, profile).await?, &record)?;
    }
    let documents = store.documents(FileStore::NAMESPACE).await.map_err(told)?;
    let ids: Vec<u64> = documents.iter().map(|document| document.id).collect();
    same("the numbers", &ids, &vec![1, 2, 1001])
}
