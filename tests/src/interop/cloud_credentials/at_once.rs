//! `pancloud` and ours on one file at the same time.
//!
//! `pancloud` does not lock the file: it reads all of it, and writes all of it a moment later. What came
//! between the two is taken back, and two that write at a time damage the file, which ours then repairs
//! (protocol section 12.4). That cannot be avoided, but nothing else may be lost.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::Semaphore;
use vouchsafe::cloud_credentials::ErrorKind;
use vouchsafe::cloud_credentials::file::{FileStore, Metadata};

use super::noted::{Noted, Span, is_damage};
use super::{Scratch, Theirs, World, get, put, read, records, same, scratch, told};

/// How often each process writes while the others do.
const ROUNDS: usize = 300;

/// How often each process refreshes while the others do.
const REFRESHES: usize = 60;

/// Two processes of `pancloud` alone, and then one beside two writers of ours: all write a profile
/// each as fast as they can. Since `pancloud` does not lock the file, it can take back a write that
/// came between its reading and writing, and damage the file, which ours then repairs. No profile
/// may be lost, nor hold what its owner has not written.
pub(super) async fn writing_at_once(one: &mut Theirs, two: &mut Theirs) -> Result<String, String> {
    let [(_, record), ..] = records();
    let Scratch { file, _folder } = scratch()?;
    let store = FileStore::new(&file);
    for profile in ["one", "two"] {
        put(&store, profile, &record).await?;
    }
    one.open("alone", "one", &file).await?;
    two.open("alone", "two", &file).await?;
    let (first, second) = tokio::join!(one.store("alone", "one"), two.store("alone", "two"));
    let alone = (first?, second?);

    let Scratch { file, _folder } = scratch()?;
    let store = FileStore::new(&file);
    let profiles = ["theirs", "ours-1", "ours-2"];
    for profile in profiles {
        put(&store, profile, &record).await?;
    }
    one.open("beside", "theirs", &file).await?;
    let (beside, first, second) = tokio::join!(
        one.store("beside", "theirs"),
        ours("ours-1", &file),
        ours("ours-2", &file),
    );
    let (beside, first, second) = (beside?, first?, second?);
    // It may have written last.
    repaired(&store, get(&store, "theirs").await).await?;
    for profile in profiles {
        let mut left = get(&store, profile).await?;
        let token = left["access_token"].take();
        let token = token.as_str().unwrap_or_default();
        let is_own = token == "at" || token.starts_with(&format!("{profile}-"));
        if !is_own || left["refresh_token"] != "rt" {
            return Err(format!("profile {profile} has {token:?}: {left}"));
        }
    }
    Ok(format!(
        "of {ROUNDS} writes each, two of pancloud alone: {} and {}; pancloud beside two of ours: \
         {beside}, ours: {} and {} taken back, {} and {} times repaired",
        alone.0, alone.1, first.taken_back, second.taken_back, first.repaired, second.repaired
    ))
}

impl Theirs {
    async fn store(&mut self, name: &str, profile: &str) -> Result<Value, String> {
        let call = json!({
            "call": "store", "name": name, "profile": profile, "access_token": profile,
            "rounds": ROUNDS,
        });
        self.call(call).await
    }
}

/// What came of our writes.
#[derive(Default)]
struct Ours {
    taken_back: usize,
    repaired: usize,
}

async fn ours(profile: &str, file: &Path) -> Result<Ours, String> {
    let store = FileStore::new(file);
    let [(_, mut record), ..] = records();
    let mut seen = Ours::default();
    for round in 0..ROUNDS {
        record["access_token"] = format!("{profile}-{round}").into();
        if repaired(&store, put(&store, profile, &record).await).await? {
            seen.repaired += 1;
            continue;
        }
        let read = get(&store, profile).await;
        let is_there = read.as_ref().is_ok_and(|there| *there == record);
        if repaired(&store, read).await? {
            seen.repaired += 1;
        } else if !is_there {
            seen.taken_back += 1;
        }
    }
    Ok(seen)
}

/// Repairs the file if that is why something failed, and returns whether it was.
async fn repaired<T>(store: &FileStore, done: Result<T, String>) -> Result<bool, String> {
    match done {
        Ok(_) => Ok(false),
        Err(why) if is_damage(&why) => {
            // Another may have been faster.
            match store.repair().await {
                Ok(_) => Ok(true),
                Err(error) if error.kind() == ErrorKind::StoreCorrupt => Err(why),
                Err(error) => Err(told(error)),
            }
        }
        Err(why) => Err(why),
    }
}

/// Profiles of `pancloud`, of two of our processes, and one that is left alone.
const PROFILES: [&str; 4] = [THEIRS, "ours-1", "ours-2", "idle"];
const THEIRS: &str = "theirs";

/// The name of a member that neither side knows, and of the one that ours adds.
const FOREIGN: &str = "note";
const OURS: &str = "cloud_credentials";

/// `pancloud` and two of ours refresh a login each, at a server that takes each refresh token once, and
/// write them to one file.
///
/// If `pancloud` only uses the file under our lock, nothing at all is lost. Else a write may be taken back
/// by one of the other side that was made at the same time, and by no other. All that is taken back is
/// found: by ours when they read their profile, and by reading that of `pancloud` after each of its writes.
pub(super) async fn refreshing_at_once(
    mut theirs: Theirs,
    is_locked: bool,
) -> Result<String, String> {
    let Scratch { file, _folder } = scratch()?;
    let world = World::start().await?;
    let marking = FileStore::new(&file).metadata(Metadata::Always);
    let store = Arc::new(Noted::new(FileStore::new(&file)));
    for profile in ["ours-1", "ours-2"] {
        put(&*store, profile, &world.login()?).await?;
    }
    let login = world.login()?;
    put(&marking, THEIRS, &login).await?;
    put(&marking, "idle", &world.login()?).await?;
    add_members(&file)?;
    let idle = get(&marking, "idle").await?;

    let name = if is_locked { "locked" } else { "unlocked" };
    theirs.open_at(&world.url(), name, THEIRS, &file).await?;
    let call = json!({"call": "watch", "name": name, "file": file, "locked": is_locked});
    theirs.call(call).await?;
    // `pancloud` is faster, and all are to write for as long as the others do.
    let turns = Semaphore::new(0);
    let mut of_theirs = OfTheirs {
        script: theirs,
        name,
        world: &world,
        store: &store,
        token: text_of(&login, "refresh_token"),
        found: Found::default(),
    };
    let ((), first, second) = tokio::try_join!(
        of_theirs.refreshes(&turns),
        refreshes(&world, &store, "ours-1", Some(&turns)),
        refreshes(&world, &store, "ours-2", None),
    )?;
    of_theirs.look().await?;
    let (token, theirs) = (of_theirs.token, of_theirs.found);

    for (profile, refused) in [("ours-1", first), ("ours-2", second)] {
        let there = store
            .repairing(async |store| get(store, profile).await)
            .await?;
        let is_last = world.takes(&text_of(&there, "refresh_token"));
        let notes = store.notes();
        let lost = notes.lost.iter().filter(|(lost, _)| lost == profile);
        if (!is_last && notes.last.contains_key(profile)) || refused > lost.count() {
            return Err(format!(
                "{profile} lost a refresh token that nothing took back"
            ));
        }
    }
    let notes = store.notes();
    for (profile, span) in &notes.lost {
        require_reason(profile, *span, &theirs.written)?;
    }
    for span in &theirs.lost {
        require_reason(THEIRS, *span, &notes.written)?;
    }
    if !world.takes(&token) {
        return Err("pancloud has not the last refresh token of its login".to_owned());
    }
    same(
        "the profile left alone",
        &get(&*store, "idle").await?,
        &idle,
    )?;
    check_members(&file)?;

    let is_alone = |span: &&Span| !meets(**span, &notes.written);
    let alone = theirs.written.iter().filter(is_alone).count();
    let lost = (notes.lost.len(), theirs.lost.len());
    if is_locked {
        let counts = world.server.counts();
        let found = (lost, notes.repairs, theirs.failed, counts.refused());
        same(
            "what is lost, repairs, failures, refusals",
            &found,
            &((0, 0), 0, 0, 0),
        )?;
        same("requests", &counts.refreshes(), &(3 * REFRESHES as u64))?;
    } else if alone == 0 {
        // Any loss would have had a reason.
        return Err("each write of pancloud met one of ours, so this shows nothing".to_owned());
    }
    Ok(format!(
        "of {REFRESHES} refreshes each, {} of ours and {} of pancloud were taken back, each by a write at the \
         same time; {alone} of {} writes of pancloud were alone; it failed {} times, and dropped {} tokens; \
         {} repairs",
        lost.0,
        lost.1,
        theirs.written.len(),
        theirs.failed,
        theirs.dropped,
        notes.repairs
    ))
}

/// What a script that runs `pancloud` does, and what came of it.
struct OfTheirs<'a> {
    script: Theirs,
    name: &'a str,
    world: &'a World,
    store: &'a Noted,
    /// The refresh token that it has in memory.
    token: String,
    found: Found,
}

#[derive(Default)]
struct Found {
    /// When it wrote.
    written: Vec<Span>,
    /// When what was taken back had been written.
    lost: Vec<Span>,
    /// How often it could not read the file.
    failed: usize,
    /// How often it dropped the refresh token that it had just got, since it could not read the file.
    dropped: usize,
}

impl OfTheirs<'_> {
    async fn refreshes(&mut self, turns: &Semaphore) -> Result<(), String> {
        for _ in 0..REFRESHES {
            let turn = turns.acquire().await;
            turn.map_err(|closed| closed.to_string())?.forget();
            let mut login = None;
            while !self.attempt(&mut login).await? {
                // `pancloud` says nothing of a damaged file but that it cannot read it.
                self.store
                    .repairing(async |store| get(store, "idle").await)
                    .await?;
            }
            self.look().await?;
        }
        Ok(())
    }

    /// Refreshes, or writes another login, and returns whether that was written.
    async fn attempt(&mut self, login: &mut Option<Value>) -> Result<bool, String> {
        let call = json!({"call": "attempt", "name": self.name, "login": login});
        let mut seen = self.script.call(call).await?;
        let written: Vec<Span> =
            serde_json::from_value(seen["written"].take()).map_err(|cause| cause.to_string())?;
        let has_written = !written.is_empty();
        self.found.written.extend(written);
        let token = text_of(&seen, "refresh_token");
        if !token.is_empty() {
            self.token = token;
        }
        match seen["failed"].as_str() {
            None if has_written && self.world.takes(&self.token) => return Ok(true),
            // All that it says of a file that is half written, or damaged.
            Some("JSONDecodeError") => self.found.failed += 1,
            _ => return Err(format!("pancloud neither wrote nor says why: {seen}")),
        }
        // It reads the file once it has the answer and before it keeps the refresh token of that.
        if !self.world.takes(&self.token) {
            self.found.dropped += 1;
            *login = Some(self.world.login()?);
        }
        Ok(false)
    }

    /// Looks whether what it wrote last is there.
    async fn look(&mut self) -> Result<(), String> {
        let there = self.store.repairing(async |store| get(store, THEIRS).await);
        let is_there = text_of(&there.await?, "refresh_token") == self.token;
        let last = self.found.written.last();
        let last = *last.ok_or("pancloud never wrote")?;
        if !is_there && self.found.lost.last() != Some(&last) {
            self.found.lost.push(last);
        }
        Ok(())
    }
}

/// Refreshes a login of ours again and again, and returns how often it was refused. Gives a turn for each.
async fn refreshes(
    world: &World,
    store: &Arc<Noted>,
    profile: &str,
    turns: Option<&Semaphore>,
) -> Result<usize, String> {
    let credentials = world.credentials_in(Arc::clone(store) as _, profile)?;
    let mut refused = 0;
    for _ in 0..REFRESHES {
        if let Some(turns) = turns {
            turns.add_permits(1);
        }
        match credentials.refresh().await {
            Ok(_) => {}
            Err(error) if error.is_reauthorization_needed() => {
                refused += 1;
                let login = world.login()?;
                store
                    .repairing(async |store| put(store, profile, &login).await)
                    .await?;
            }
            Err(error) => match told(error) {
                why if is_damage(&why) => store.repair().await?,
                why => return Err(why),
            },
        }
        // What could not be saved at once, it saves later by itself, unless told to now.
        let flush = async |_: &Noted| credentials.flush().await.map_err(told);
        store.repairing(flush).await?;
    }
    Ok(refused)
}

/// Only what was written at the same time may be lost.
fn require_reason(profile: &str, lost: Span, others: &[Span]) -> Result<(), String> {
    match meets(lost, others) {
        true => Ok(()),
        false => Err(format!(
            "a refresh token of {profile} is lost, although the other side wrote nothing in {lost:?}"
        )),
    }
}

fn meets([begun, ended]: Span, others: &[Span]) -> bool {
    let mut others = others.iter();
    others.any(|[other_begun, other_ended]| *other_begun <= ended && *other_ended >= begun)
}

/// Adds a member to each document that neither side knows.
fn add_members(file: &Path) -> Result<(), String> {
    let mut all: Value = serde_json::from_str(&read(file)?).map_err(|cause| cause.to_string())?;
    for document in documents(&mut all)? {
        document[FOREIGN] = document["profile"].clone();
    }
    let all = serde_json::to_string_pretty(&all).map_err(|cause| cause.to_string())?;
    fs::write(file, all).map_err(|cause| cause.to_string())
}

/// All profiles are there once, with all members.
fn check_members(file: &Path) -> Result<(), String> {
    let mut all: Value = serde_json::from_str(&read(file)?).map_err(|cause| cause.to_string())?;
    let documents = documents(&mut all)?;
    let mut profiles: Vec<_> = documents
        .iter()
        .map(|document| document["profile"].as_str().unwrap_or_default())
        .collect();
    profiles.sort_unstable();
    let mut wanted = PROFILES;
    wanted.sort_unstable();
    same("the profiles", &profiles, &wanted.to_vec())?;
    for document in &documents {
        let is_marked =
            [THEIRS, "idle"].contains(&document["profile"].as_str().unwrap_or_default());
        if document[FOREIGN] != document["profile"] || is_marked != document[OURS].is_object() {
            let members: Vec<_> = document
                .as_object()
                .into_iter()
                .flat_map(|all| all.keys())
                .collect();
            return Err(format!(
                "members of {} are lost: {members:?}",
                document["profile"]
            ));
        }
    }
    Ok(())
}

fn documents(all: &mut Value) -> Result<Vec<&mut Value>, String> {
    let documents = all[FileStore::NAMESPACE].as_object_mut();
    let documents = documents.ok_or("the file has no profiles")?;
    Ok(documents.values_mut().collect())
}

fn text_of(record: &Value, name: &str) -> String {
    record[name].as_str().unwrap_or_default().to_owned()
}
