//! Changes of records that others may change, too.

use vouchsafe_core::store::{Expect, Key, Swapped, Version};
use vouchsafe_core::{Error as Core, ErrorKind as Kind};

use crate::refresh::{Coordinator, is_newer, own_key};
use crate::{Error, ErrorKind, Record, Result};

/// Changes the record of the profile. If it gets another login, what replaced a refresh token that was
/// given elsewhere is copied to the own record of those credentials first: this is the only copy. That of
/// the lineage `over` is not, since no program needs it any more.
pub(super) async fn change_login(
    coordinator: &Coordinator,
    over: Option<&str>,
    change: impl Fn(Option<Record>) -> Result<Option<Record>> + Send + Sync,
) -> Result<()> {
    for _ in 0..TRIES {
        let there = coordinator.load(coordinator.key()).await?;
        let (record, version) = there.unzip();
        let Some(changed) = change(record.clone())? else {
            return Ok(());
        };
        if let Some(record) = record
            && let Some(lineage) = record.lineage.as_deref()
            && Some(lineage) != over
            && record.refresh_token.is_some()
            && !record.is_dead()
            && changed.refresh_token != record.refresh_token
            && changed.descent() != record.lineage
        {
            let own = own_key(coordinator.key(), lineage);
            let newest = coordinator.unsaved_of(Some(&record));
            let newest = newest.unwrap_or_else(|| record.clone());
            let copy = Record {
                lineage: record.lineage,
                ..newest
            };
            let change = |own: Option<Record>| match own {
                Some(own) if is_newer(&own, &copy) => None,
                _ => Some(copy.clone()),
            };
            if !copy.is_first() {
                let copied = change_record(coordinator, &own, change).await;
                copied.map_err(|error| not_copied(coordinator.key(), &error))?;
            }
        }
        if swapped(coordinator, coordinator.key(), version, &changed).await? {
            return Ok(());
        }
    }
    Err(changed_all_the_time())
}

/// Changes a record; `change` returns `None` to leave it as it is.
pub(super) async fn change_record(
    coordinator: &Coordinator,
    key: &Key,
    change: impl Fn(Option<Record>) -> Option<Record> + Send + Sync,
) -> Result<()> {
    for _ in 0..TRIES {
        let (record, version) = coordinator.load(key).await?.unzip();
        let Some(changed) = change(record) else {
            return Ok(());
        };
        if swapped(coordinator, key, version, &changed).await? {
            return Ok(());
        }
    }
    Err(changed_all_the_time())
}

/// Writes a record, unless it is another than the expected one by now.
async fn swapped(
    coordinator: &Coordinator,
    key: &Key,
    version: Option<Version>,
    record: &Record,
) -> Result<bool> {
    let expect = version.map_or(Expect::Absent, Expect::Version);
    let value = record.write()?;
    let swap = coordinator.store().compare_and_swap(key, &expect, &value);
    let swapped = coordinator.of_store(swap).await?;
    Ok(matches!(swapped, Swapped::Done(_)))
}

/// The error for a login that cannot be overwritten, since its only copy cannot be kept.
fn not_copied(key: &Key, error: &Error) -> Error {
    let cause = error.core().clone();
    if cause.is_retryable() || error.kind() == ErrorKind::StoreCorrupt {
        return cause.into();
    }
    let profile = key.profile();
    let what = format!(
        "call remove_profile first if no program is given the login of profile {profile:?} any more: its \
         only copy cannot be kept ({cause})"
    );
    Core::new(cause.kind(), what).with_source(cause).into()
}

pub(super) fn changed_meanwhile(key: &Key) -> Error {
    let profile = key.profile();
    let what = format!("profile {profile:?} was changed meanwhile; try again");
    Core::new(Kind::Conflict, what).with_retryable(true).into()
}

pub(super) fn changed_all_the_time() -> Error {
    let what = "the record of the profile is changed all the time; try again";
    Core::new(Kind::Store, what).with_retryable(true).into()
}

/// How often a change is tried again after changes by others.
pub(super) const TRIES: usize = 20;
