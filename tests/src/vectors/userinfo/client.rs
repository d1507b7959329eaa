//! Runs `client` cases: our client over a real socket against a scripted upstream.
//!
//! Where the Python client does worse than the protocol text asks of a new one, the better
//! behaviour is expected instead. Which steps those are follows from their content:
//!
//! - arguments that our types refuse: nothing may be sent;
//! - an answer by name that Python takes from its cache though another credential asked for it:
//!   ours asks with the credential it was given;
//! - an error that is not from the Python libraries: ours must fit the answer;
//! - many calls at once: see `concurrent.rs`.

use std::sync::Arc;
use std::time::Duration;

use vouchsafe::core::call::{Retry, Timeouts};
use vouchsafe::userinfo::{Client, Result, discovery};

use super::concurrent;
use super::session::Session;
use super::standins::Standins;
use crate::vectors::report::Judgement;
use crate::vectors::schema::{Options, Script, Step};
use crate::vectors::upstream::{Translate, Upstream};

/// Judges one case.
pub(super) async fn judge(script: &Script, judgement: &mut Judgement) {
    let standins = Arc::new(Standins::default());
    let translate: Arc<dyn Translate> = Arc::<Standins>::clone(&standins);
    let upstream = match Upstream::start(&script.upstream, translate).await {
        Ok(upstream) => upstream,
        Err(cause) => return judgement.differ(format!("no upstream: {cause}")),
    };
    if !script.options.is_possible() {
        return judgement.waive(IMPOSSIBLE);
    }
    let client = match client(&script.options, upstream.base()) {
        Ok(client) => client,
        Err(error) => return judgement.differ(format!("the client cannot be built: {error}")),
    };
    let mut session = Session::new(
        client,
        upstream,
        standins,
        route_of_discovery(&script.options),
    );
    for (index, step) in script.steps.iter().enumerate() {
        judgement.at(format!("step {index}"));
        match step {
            Step::Sleep(sleep) => {
                tokio::time::sleep(Duration::from_millis(sleep.sleep_ms)).await;
            }
            Step::Call(step) => session.call(step, judgement).await,
            Step::Concurrent(step) => concurrent::judge(&mut session, step, judgement).await,
        }
    }
}

const IMPOSSIBLE: &str = "a size or a time that the types of the options do not hold";

fn client(options: &Options, base: &str) -> Result<Client> {
    let path = options.base_path.as_deref().unwrap_or("/repertoire");
    let mut discovery = discovery::Client::builder()
        .base_url(format!("{base}{path}"))
        .retry(Retry::none());
    if let Some(seconds) = options.discovery_cache_timeout_s {
        discovery = discovery.cache_lifetime(Duration::from_secs_f64(seconds));
    }
    let mut client = Client::builder()
        .discovery(discovery.build()?)
        .retry(Retry::none());
    if let Some(seconds) = options.timeout_s {
        let limit = Duration::from_secs_f64(seconds);
        client = client.timeouts(Timeouts::default().attempt(limit));
    }
    if let Some(seconds) = options.cache_lifetime_s {
        client = client.cache_lifetime(Duration::from_secs_f64(seconds));
    }
    if let Some(entries) = options.cache_size {
        client = client.cache_capacity(usize::try_from(entries).unwrap_or_default());
    }
    client.build()
}

fn route_of_discovery(options: &Options) -> String {
    let path = options.base_path.as_deref().unwrap_or("/repertoire");
    format!("{}/discovery", path.trim_end_matches('/'))
}
