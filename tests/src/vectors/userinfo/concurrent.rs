//! Many calls at once. The Python client makes the misses of one cache wait for each other, and
//! asks again and again when the upstream fails. Ours asks once for each key, lets keys run side
//! by side, and shares a failure among all that wait; that is what is expected here.

use std::collections::{BTreeMap, BTreeSet};

use tokio::task::JoinSet;

use super::calls::{Outcome, Prepared, Unprepared, prepare};
use super::expected;
use super::session::Session;
use crate::vectors::report::Judgement;
use crate::vectors::schema::{Concurrent, Expect};
use crate::vectors::upstream::Arrived;

/// Judges one step.
pub(super) async fn judge(session: &mut Session, step: &Concurrent, judgement: &mut Judgement) {
    let calls = step.concurrent.to_vec();
    let expects: Vec<Expect> = match &step.expect_all {
        Some(expect) => vec![expect.clone(); calls.len()],
        None => step.expect.clone(),
    };
    if expects.len() != calls.len() {
        return judgement.differ(format!(
            "{} calls and {} expectations",
            calls.len(),
            expects.len()
        ));
    }
    let mut prepared = Vec::new();
    for (call, expect) in calls.iter().zip(expects) {
        match prepare(call, &session.standins) {
            Ok(call) => prepared.push((call, expect)),
            // Refused by a type: there is no call to make.
            Err(Unprepared::Odd(_)) => {}
            Err(Unprepared::Unknown(what)) => return judgement.differ(format!("unknown {what}")),
        }
    }
    let keys: Vec<Option<String>> = prepared.iter().map(|(call, _)| call.cache_key()).collect();
    let expects = shared_by_key(&keys, prepared.iter().map(|(_, expect)| expect));
    let delayed = session
        .upstream
        .is_slow(&format!("GET {}", session.discovery));

    let outcomes = perform(session, prepared).await;

    judgement.judged();
    let (arrived, most) = session.upstream.take();
    judge_outcomes(session, &keys, &expects, &outcomes, judgement);
    judge_requests(session, step, &keys, &arrived, judgement);
    if step.max_in_flight.is_some() {
        let distinct = distinct(&keys);
        if delayed && distinct > 1 && arrived.len() > 1 && most < 2 {
            judgement.differ("in flight: different keys waited for each other");
        }
        if most > distinct.max(1) {
            judgement.differ(format!("in flight: {most} at once for {distinct} keys"));
        }
    }
    account(session, step, &keys, &outcomes, &arrived);
}

async fn perform(session: &Session, calls: Vec<(Prepared, Expect)>) -> Vec<Outcome> {
    let mut running = JoinSet::new();
    for (number, (call, _)) in calls.into_iter().enumerate() {
        let client = session.client.clone();
        let standins = std::sync::Arc::clone(&session.standins);
        running.spawn(async move { (number, call.perform(&client, &standins).await) });
    }
    let mut outcomes = running.join_all().await;
    outcomes.sort_by_key(|(number, _)| *number);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

/// Concurrent calls for the same key get the same outcome.
fn shared_by_key<'e>(
    keys: &[Option<String>],
    expects: impl Iterator<Item = &'e Expect>,
) -> Vec<Expect> {
    let mut first: BTreeMap<&str, &Expect> = BTreeMap::new();
    keys.iter()
        .zip(expects)
        .map(|(key, expect)| match key {
            Some(key) => (*first.entry(key).or_insert(expect)).clone(),
            None => expect.clone(),
        })
        .collect()
}

fn distinct(keys: &[Option<String>]) -> usize {
    let cached: BTreeSet<&String> = keys.iter().flatten().collect();
    cached.len() + keys.iter().filter(|key| key.is_none()).count()
}

/// Keys run side by side, so the upstream's answers may come to them in another order than in
/// the recorded run: each outcome has to be that of one key, and each key's has to come up.
fn judge_outcomes(
    session: &Session,
    keys: &[Option<String>],
    expects: &[Expect],
    outcomes: &[Outcome],
    judgement: &mut Judgement,
) {
    let fits = |expect: &Expect, outcome: &Outcome| {
        expected::differences(expect, outcome, session.upstream.base())
            .is_ok_and(|found| found.is_empty())
    };
    if expects
        .iter()
        .zip(outcomes)
        .all(|(one, other)| fits(one, other))
    {
        return;
    }
    let mut got: BTreeMap<&str, &Outcome> = BTreeMap::new();
    for (key, outcome) in keys.iter().zip(outcomes) {
        if let Some(key) = key
            && *got.entry(key).or_insert(outcome) != outcome
        {
            judgement.differ("callers of one key got different outcomes");
        }
    }
    let mut left: Vec<&Outcome> = outcomes.iter().collect();
    for (number, expect) in expects.iter().enumerate() {
        match left.iter().position(|outcome| fits(expect, outcome)) {
            Some(at) => {
                left.swap_remove(at);
            }
            None => session.judge_outcome(expect, &outcomes[number], None, judgement),
        }
    }
}

fn judge_requests(
    session: &Session,
    step: &Concurrent,
    keys: &[Option<String>],
    arrived: &[Arrived],
    judgement: &mut Judgement,
) {
    if arrived.len() > step.upstream_requests {
        judgement.differ(format!(
            "requests: at most {} expected, got {}",
            step.upstream_requests,
            arrived.len()
        ));
    }
    let mut counts: BTreeMap<(String, Option<&str>), usize> = BTreeMap::new();
    for request in arrived {
        *counts
            .entry((request.route(), request.header("authorization")))
            .or_default() += 1;
    }
    let uncached = keys.iter().filter(|key| key.is_none()).count();
    for ((route, _), count) in counts {
        if count > uncached.max(1) {
            judgement.differ(format!("requests: {count} times {route} for one key"));
        }
    }
    let asked = arrived
        .iter()
        .filter(|r| r.path != session.discovery)
        .count();
    let known = keys.iter().flatten().collect::<BTreeSet<_>>();
    let held = known
        .iter()
        .filter(|key| session.held.contains(**key))
        .count();
    if step.upstream_requests > 0 && asked + held < distinct(keys) && !arrived.is_empty() {
        let reads_only = arrived.iter().all(|r| r.path == session.discovery);
        if !reads_only {
            judgement.differ(format!(
                "requests: only {asked} for {} keys",
                distinct(keys)
            ));
        }
    }
}

/// Brings the upstream and what is known of the caches to where later steps expect them.
fn account(
    session: &mut Session,
    step: &Concurrent,
    keys: &[Option<String>],
    outcomes: &[Outcome],
    arrived: &[Arrived],
) {
    let reads = usize::from(!session.discovery_was_read);
    session.discovery_was_read |= arrived.iter().any(|r| r.path == session.discovery);
    let routes: BTreeSet<String> = arrived
        .iter()
        .filter(|request| request.path != session.discovery)
        .map(Arrived::route)
        .collect();
    if let (1, Some(route)) = (routes.len(), routes.first()) {
        let asked = arrived.iter().filter(|r| r.route() == *route).count();
        for _ in asked..step.upstream_requests.saturating_sub(reads) {
            session.upstream.skip_answer(route);
        }
    }
    for (key, outcome) in keys.iter().zip(outcomes) {
        if let (Some(key), Outcome::Ok(_)) = (key, outcome) {
            session.held.insert(key.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn callers_waiting_for_a_key_share_the_first_outcome() {
        let key = |text: &str| Some(text.to_owned());
        let expects = [json!(1), json!(2), json!(3), json!(4)].map(Expect::Ok);
        let shared = shared_by_key(&[key("a"), key("a"), None, key("b")], expects.iter());
        let values: Vec<_> = shared
            .iter()
            .map(|expect| match expect {
                Expect::Ok(value) => value.clone(),
                Expect::Error(_) => json!(null),
            })
            .collect();
        assert_eq!(values, [json!(1), json!(1), json!(3), json!(4)]);
        assert_eq!(distinct(&[key("a"), key("a"), None, key("b")]), 3);
    }
}
