//! Our file, and notes of what is written to it and whether that stays.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::SystemTime;

use serde_json::Value;
use vouchsafe::cloud_credentials::file::FileStore;
use vouchsafe::core::store::{Capabilities, Expect, Key, Loaded, Store, Swapped};
use vouchsafe::core::sync::lock;
use vouchsafe::core::{BoxFuture, Clock as _, Error, Secret, SecretBytes, SystemClock};

use super::told;

/// A span of time, in nanoseconds since 1970.
pub(super) type Span = [u128; 2];

/// A file, of which each profile is written by one task.
#[derive(Debug)]
pub(super) struct Noted {
    file: FileStore,
    notes: Mutex<Notes>,
}

/// What ours wrote, and what was found of it later.
#[derive(Clone, Debug, Default)]
pub(super) struct Notes {
    /// When anything was written.
    pub(super) written: Vec<Span>,
    /// The refresh tokens that were written last, by profile, unless that was taken back.
    pub(super) last: BTreeMap<String, Last>,
    /// When what was taken back had been written, with its profile.
    pub(super) lost: Vec<(String, Span)>,
    /// How often the file was repaired.
    pub(super) repairs: usize,
}

/// A refresh token that was written, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Last {
    span: Span,
    token: Option<Secret>,
}

impl Noted {
    pub(super) fn new(file: FileStore) -> Self {
        Self {
            file,
            notes: Mutex::default(),
        }
    }

    pub(super) fn notes(&self) -> Notes {
        lock(&self.notes).clone()
    }

    /// Does something with the file, which is repaired if it is damaged, until it succeeds.
    pub(super) async fn repairing<T>(
        &self,
        work: impl AsyncFn(&Self) -> Result<T, String>,
    ) -> Result<T, String> {
        loop {
            match work(self).await {
                Err(why) if is_damage(&why) => self.repair().await?,
                done => return done,
            }
        }
    }

    /// Repairs the file, unless another was faster.
    pub(super) async fn repair(&self) -> Result<(), String> {
        let begun = now();
        if self.file.repair().await.map_err(told)? {
            let mut notes = lock(&self.notes);
            notes.written.push([begun, now()]);
            notes.repairs += 1;
        }
        Ok(())
    }

    /// Compares what was read with what was written last before that.
    fn compare(&self, key: &Key, last: Option<Last>, found: Option<&Loaded>) {
        let (Some(last), false) = (last, key.is_lease()) else {
            return;
        };
        let mut notes = lock(&self.notes);
        // It may have been written while it was read.
        if notes.last.get(key.profile()) != Some(&last) {
            return;
        }
        if found.and_then(|found| token(&found.value)) != last.token {
            notes.last.remove(key.profile());
            notes.lost.push((key.profile().to_owned(), last.span));
        }
    }

    fn last(&self, key: &Key) -> Option<Last> {
        lock(&self.notes).last.get(key.profile()).cloned()
    }
}

impl Store for Noted {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Loaded>, Error>> {
        Box::pin(async move {
            let last = self.last(key);
            let found = self.file.load(key).await?;
            self.compare(key, last, found.as_ref());
            Ok(found)
        })
    }

    fn compare_and_swap<'a>(
        &'a self,
        key: &'a Key,
        expect: &'a Expect,
        value: &'a SecretBytes,
    ) -> BoxFuture<'a, Result<Swapped, Error>> {
        Box::pin(async move {
            let (begun, last) = (now(), self.last(key));
            let swapped = self.file.compare_and_swap(key, expect, value).await?;
            match &swapped {
                Swapped::Conflict(found) => self.compare(key, last, found.as_ref()),
                Swapped::Done(_) if !key.is_lease() => {
                    let span = [begun, now()];
                    let token = token(value);
                    let mut notes = lock(&self.notes);
                    notes.written.push(span);
                    let profile = key.profile().to_owned();
                    notes.last.insert(profile, Last { span, token });
                }
                Swapped::Done(_) => {}
            }
            Ok(swapped)
        })
    }

    fn remove<'a>(
        &'a self,
        key: &'a Key,
        expect: &'a Expect,
    ) -> BoxFuture<'a, Result<bool, Error>> {
        self.file.remove(key, expect)
    }

    fn capabilities(&self) -> Capabilities {
        self.file.capabilities()
    }
}

/// Returns whether an error advises to repair the file.
pub(super) fn is_damage(why: &str) -> bool {
    why.contains("repair or remove it")
}

fn token(record: &SecretBytes) -> Option<Secret> {
    let record: Value = serde_json::from_slice(record.expose()).ok()?;
    Some(Secret::from(record["refresh_token"].as_str()?.to_owned()))
}

pub(super) fn now() -> u128 {
    let since = SystemClock::new()
        .now()
        .duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or_default().as_nanos()
}
