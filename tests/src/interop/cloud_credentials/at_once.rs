//! `pancloud` and ours on one file at the same time.
//!
//! `pancloud` does not lock the file: it reads all of it, and writes all of it a moment later. What came
//! between the two is taken back, and two that write at a time damage the file, which ours then repairs
//! (protocol section 12.4). That cannot be avoided, but nothing else may be lost.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use vouchsafe::cloud_credentials::ErrorKind;
use vouchsafe::cloud_credentials::file::{FileStore, Metadata};
use vouchsafe::core::{Clock as _, Secret, SystemClock};

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
        Err(why) if why.contains("repair or remove it") => {
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
const PROFILES: [&str; 4] = ["theirs", "ours-1", "ours-2", "idle"];

/// The name of a member that neither side knows, and of the one that ours adds.
const FOREIGN: &str = "note";
const OURS: &str = "cloud_credentials";

/// A span of time, in nanoseconds since 1970.
type Span = [u128; 2];

/// `pancloud` and two of ours refresh a login each, at a server that takes each refresh token once, and
/// write them to one file. At the end, the file has the last refresh token of each, and all members.
///
/// If `pancloud` only uses the file under our lock, nothing at all is lost. Else only what one side wrote
/// while the other did.
pub(super) async fn refreshing_at_once(
    theirs: &mut Theirs,
    is_locked: bool,
) -> Result<String, String> {
    let Scratch { file, _folder } = scratch()?;
    let store = FileStore::new(&file).metadata(Metadata::Always);
    let world = World::start().await?;
    for profile in PROFILES {
        put(&store, profile, &world.login()?).await?;
    }
    let mut all: Value = serde_json::from_str(&read(&file)?).map_err(|cause| cause.to_string())?;
    for document in documents(&mut all)? {
        document[FOREIGN] = document["profile"].clone();
    }
    let all = serde_json::to_string_pretty(&all).map_err(|cause| cause.to_string())?;
    fs::write(&file, all).map_err(|cause| cause.to_string())?;

    let name = if is_locked { "locked" } else { "unlocked" };
    theirs.open_at(&world.url(), name, "theirs", &file).await?;
    let call = json!({"call": "watch", "name": name, "file": file, "locked": is_locked});
    theirs.call(call).await?;
    let call = json!({"call": "refreshes", "name": name, "rounds": REFRESHES});
    let mut repairs = Vec::new();
    let all = async {
        tokio::join!(
            theirs.call(call),
            refreshes(&world, &store, "ours-1"),
            refreshes(&world, &store, "ours-2"),
        )
    };
    let (of_theirs, first, second) = tokio::select! {
        all = all => all,
        failed = repairing(&store, &mut repairs) => return Err(failed),
    };
    let (of_theirs, ours) = (of_theirs?, [first?, second?]);
    let spans: Vec<Span> =
        serde_json::from_value(of_theirs["written"].clone()).map_err(|cause| cause.to_string())?;
    if spans.len() < REFRESHES {
        return Err(format!("pancloud hardly wrote: {of_theirs}"));
    }
    // It may have written last.
    repaired(&store, get(&store, "theirs").await).await?;

    let mut lost = Vec::new();
    for (profile, of_ours) in ["ours-1", "ours-2"].into_iter().zip(&ours) {
        lost.extend(of_ours.lost.iter().map(|span| (profile, *span)));
        let last = *of_ours.saved.last().ok_or("ours never saved")?;
        if !is_last(&world, &store, profile).await? {
            lost.push((profile, last));
        }
    }
    for (profile, span) in &lost {
        require_excuse(profile, *span, &spans)?;
    }
    let mut lost_of_theirs = 0;
    if !is_last(&world, &store, "theirs").await? {
        let last = *spans.last().ok_or("pancloud never wrote")?;
        let saved = ours.iter().flat_map(|ours| &ours.saved);
        let all: Vec<Span> = saved.chain(&repairs).copied().collect();
        require_excuse("theirs", last, &all)?;
        lost_of_theirs = 1;
    }
    if !is_last(&world, &store, "idle").await? {
        return Err("the refresh token of a profile that was left alone is gone".to_owned());
    }
    // What it kept in memory was the last one issued.
    let token = of_theirs["refresh_token"].as_str().unwrap_or_default();
    if !world
        .server
        .takes_refresh_token(&Secret::from(token.to_owned()))
    {
        return Err("pancloud has not the last refresh token of its login".to_owned());
    }
    check_members(&file)?;

    let overlapping = |ours: &Refreshed| {
        let saved = ours.saved.iter();
        saved.filter(|span| meets(**span, &spans)).count()
    };
    let apart = ours.iter().map(|ours| ours.saved.len() - overlapping(ours));
    let apart: usize = apart.sum();
    let repairs = repairs.len() + ours.iter().map(|ours| ours.repaired).sum::<usize>();
    let failed = &of_theirs["failed"];
    if is_locked {
        let counts = world.server.counts();
        let found = (lost.len(), lost_of_theirs, repairs, counts.refused());
        same(
            "lost of ours, of theirs, repairs, refusals",
            &found,
            &(0, 0, 0, 0),
        )?;
        same("failures of pancloud", failed, &json!({}))?;
        same("requests", &counts.refreshes(), &(3 * REFRESHES as u64))?;
    }
    Ok(format!(
        "of {REFRESHES} refreshes each, {} of ours and {lost_of_theirs} of pancloud taken back, all by a write \
         at the same time; {apart} of ours met none; {repairs} repairs; pancloud failed {failed}",
        lost.len()
    ))
}

/// What came of our refreshes.
#[derive(Default)]
struct Refreshed {
    /// When something was saved, or repaired.
    saved: Vec<Span>,
    /// When what was lost had been saved.
    lost: Vec<Span>,
    repaired: usize,
}

/// Repairs the file whenever it is damaged, and notes when. Returns why it cannot.
async fn repairing(store: &FileStore, repairs: &mut Vec<Span>) -> String {
    loop {
        let begun = now();
        match repaired(store, get(store, "idle").await).await {
            Ok(true) => repairs.push([begun, now()]),
            // `pancloud` says nothing when it finds the file damaged.
            Ok(false) => tokio::time::sleep(Duration::from_millis(20)).await,
            Err(why) => return why,
        }
    }
}

async fn refreshes(world: &World, store: &FileStore, profile: &str) -> Result<Refreshed, String> {
    let credentials = world.credentials_in(store.clone(), profile)?;
    let mut seen = Refreshed::default();
    // The login was written before all else.
    let mut last = None;
    for _ in 0..REFRESHES {
        let begun = now();
        // A damaged file fails before anything is saved.
        let mut has_saved = true;
        match credentials.refresh().await {
            Ok(_) => {}
            Err(error) if error.is_reauthorization_needed() => {
                seen.lost.push(last.ok_or("the first refresh was refused")?);
                put(store, profile, &world.login()?).await?;
            }
            Err(error) => {
                has_saved = credentials.has_unsaved_refresh_token();
                if repaired(store, Err::<(), _>(told(error))).await? {
                    seen.repaired += 1;
                }
            }
        }
        // What could not be saved at once, it saves later by itself, unless told to now.
        while credentials.has_unsaved_refresh_token() {
            if repaired(store, get(store, profile).await).await? {
                seen.repaired += 1;
            }
            let _ = credentials.flush().await;
        }
        if has_saved {
            last = Some([begun, now()]);
            seen.saved.extend(last);
        }
    }
    Ok(seen)
}

/// Returns whether the refresh token in the file is the last one of its login.
async fn is_last(world: &World, store: &FileStore, profile: &str) -> Result<bool, String> {
    let there = get(store, profile).await?;
    let token = there["refresh_token"].as_str().unwrap_or_default();
    Ok(world
        .server
        .takes_refresh_token(&Secret::from(token.to_owned())))
}

/// Only what was written at the same time may be lost.
fn require_excuse(profile: &str, lost: Span, others: &[Span]) -> Result<(), String> {
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
        if document[FOREIGN] != document["profile"] || !document[OURS].is_object() {
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

fn now() -> u128 {
    let since = SystemClock::new()
        .now()
        .duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or_default().as_nanos()
}
