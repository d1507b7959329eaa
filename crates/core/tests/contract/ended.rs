//! How connections end, and what becomes of their requests.

use std::time::Duration;

use tokio::runtime::Handle;
use vouchsafe_core::call::{Call, CallOptions, Retry};
use vouchsafe_core::mock::cancel::{at_each_await, cut};
use vouchsafe_core::transport::{Proxy, Transport};
use vouchsafe_core::url::Target;
use vouchsafe_core::{ConnectPhase, CoreClient, ErrorKind, Result, Sent, TimeoutScope};

use crate::kind::{Kind, LIMIT, READ, WRITE, builder, client, passing};
use crate::peer::{How, Moment, Peer, Then};

pub(crate) async fn a_stale_idle_one_is_replaced_unseen(kind: Kind) {
    for how in [How::Close, How::Reset] {
        let ending = vec![Then::End(Moment::AfterAnswer, how)];
        let peer = Peer::start(kind, [ending, vec![Then::Answer]]).await;
        let client = peer.client();
        // Not even what must not be doubled notices.
        for _ in 0..2 {
            peer.once(&client, &WRITE).await.unwrap();
            peer.until_ended(1).await;
        }
        assert_eq!((peer.connections(), peer.requests()), (2, 2), "{how:?}");
    }
}

pub(crate) async fn a_stale_one_that_takes_a_request_is_replaced_unseen(kind: Kind) {
    for how in [How::Close, How::Reset] {
        let script = vec![Then::Answer, Then::End(Moment::BeforeHead, how)];
        let peer = Peer::start(kind, [script, vec![Then::Answer]]).await;
        let client = peer.client();
        for _ in 0..2 {
            peer.once(&client, &READ).await.unwrap();
        }
        assert_eq!((peer.connections(), peer.requests()), (2, 3), "{how:?}");
    }
}

pub(crate) async fn what_must_not_be_doubled_is_not_sent_again(kind: Kind) {
    for how in [How::Close, How::Reset] {
        for moment in [Moment::BeforeHead, Moment::WithinHead, Moment::WithinBody] {
            // On a kept connection.
            let script = vec![Then::Answer, Then::End(moment, how)];
            let peer = Peer::start(kind, [script, vec![Then::Answer]]).await;
            let client = peer.client();
            peer.send(&client, &WRITE, &CallOptions::new())
                .await
                .unwrap();
            let error = peer.send(&client, &WRITE, &CallOptions::new()).await;
            let error = error.unwrap_err();
            assert_eq!(
                (error.kind(), error.sent()),
                (ErrorKind::Transport, Sent::Maybe),
                "{moment:?} {how:?}: {error}"
            );
            assert_eq!((error.attempts(), peer.requests()), (1, 2));
        }
    }
}

pub(crate) async fn a_clean_end_before_the_head_is_retryable(kind: Kind) {
    for moment in [Moment::BeforeHead, Moment::WithinHead] {
        let ending = vec![Then::End(moment, How::Close)];
        let peer = Peer::start(kind, [ending, vec![Then::Answer]]).await;
        let error = peer.transport().send(peer.request()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
        assert_eq!((error.status(), error.sent()), (None, Sent::Maybe));
        assert!(error.is_retryable(), "{moment:?}: {error}");
        if !kind.is_http2() {
            assert_eq!(error.message(), "the connection closed without an answer");
        }
        let ending = vec![Then::End(moment, How::Close)];
        let peer = Peer::start(kind, [ending, vec![Then::Answer]]).await;
        let answer = peer.send(&peer.client(), &READ, &CallOptions::new()).await;
        assert_eq!(answer.unwrap().attempts(), 2, "{moment:?}");
    }
}

pub(crate) async fn a_clean_end_within_the_body_fails_only_the_body(kind: Kind) {
    let ending = vec![Then::End(Moment::WithinBody, How::Close)];
    let peer = Peer::start(kind, [ending, vec![Then::Answer]]).await;
    let transport = peer.transport();
    let mut answer = transport.stream(peer.request()).await.unwrap();
    assert_eq!(answer.status.as_u16(), 200);
    assert_eq!(answer.body.next().await.unwrap().unwrap(), "{");
    let error = answer.body.next().await.unwrap_err();
    let status = error.status().map(|status| status.as_u16());
    assert_eq!((error.kind(), status), (ErrorKind::Transport, Some(200)));
    assert_eq!(
        error.message(),
        "the connection broke within the answer's body"
    );
    assert!(error.is_retryable());
    assert_eq!(transport.send(peer.request()).await.unwrap().body, "{}");
}

pub(crate) async fn a_reset_is_another_error_at_each_moment(kind: Kind) {
    let on_accept = Peer::start(kind, [vec![]]).await;
    let error = on_accept.transport().send(on_accept.request()).await;
    let error = error.unwrap_err();
    let expected = match kind {
        Kind::Plain | Kind::Http2Plain | Kind::Proxy => ErrorKind::Transport,
        Kind::Tls | Kind::Http2 => ErrorKind::Connect(ConnectPhase::Tls),
        Kind::Tunnel | Kind::Http2Tunnel => ErrorKind::Connect(ConnectPhase::Proxy),
    };
    assert_eq!(error.kind(), expected, "{error}");
    assert!(error.is_retryable());
    assert_eq!(on_accept.requests(), 0);

    let mut messages = vec![error.message().to_owned()];
    for (moment, message, status) in [
        (
            Moment::BeforeHead,
            "the connection broke before the answer",
            None,
        ),
        (
            Moment::WithinHead,
            "the connection broke before the answer",
            None,
        ),
        (
            Moment::WithinBody,
            "the connection broke within the answer's body",
            Some(200),
        ),
    ] {
        let peer = Peer::start(kind, [vec![Then::End(moment, How::Reset)]]).await;
        let error = peer.transport().send(peer.request()).await.unwrap_err();
        let found = error.status().map(|status| status.as_u16());
        assert_eq!((error.message(), found), (message, status), "{moment:?}");
        assert_eq!(
            (error.kind(), error.sent()),
            (ErrorKind::Transport, Sent::Maybe)
        );
        assert!(error.is_retryable());
        messages.push(message.to_owned());
    }
    messages.dedup();
    // Of a plain connection that is reset at once, the request may have been written.
    let fewest = if kind.has_tls() { 3 } else { 2 };
    assert!(messages.len() >= fewest, "{messages:?}");
}

pub(crate) async fn an_unresolvable_name_fails_before_connecting(kind: Kind) {
    let peer = Peer::start(kind, [vec![Then::Answer]]).await;
    let network = match kind.is_proxied() {
        true => peer
            .network()
            .proxy(Proxy::new("http://proxy.example:1").unwrap()),
        false => peer.network(),
    };
    let client = client(network);
    for operation in [&READ, &WRITE] {
        let base = peer.url_of("one.example:1").parse().unwrap();
        let call = Call::new(operation, Target::new(operation.path()));
        let options = CallOptions::new().retry(Retry::none());
        let sent = client.send(&base, call, None, &options).await;
        let error = sent.unwrap_err();
        let (phase, place) = match kind.is_proxied() {
            true => (ConnectPhase::Proxy, "proxy.example:1"),
            false => (ConnectPhase::Dns, "one.example:1"),
        };
        assert_eq!(error.kind(), ErrorKind::Connect(phase), "{error}");
        assert_eq!(error.sent(), Sent::No);
        assert!(error.to_string().contains(place), "{error}");
        assert!(
            error.to_string().contains("could not be resolved"),
            "{error}"
        );
    }
    assert_eq!(peer.connections(), 0);
}

pub(crate) async fn a_read_timeout_is_a_timeout(kind: Kind) {
    for (then, name) in [
        (Then::Silence, "before the head"),
        (Then::RestAfter(Default::default()), "within the body"),
    ] {
        let peer = Peer::start(kind, [vec![then]]).await;
        let client = peer.client();
        let mut sent = Box::pin(peer.once(&client, &READ));
        tokio::select! {
            _ = &mut sent => unreachable!("nothing is answered"),
            () = peer.until_requests(1) => {}
        }
        let error = passing(LIMIT / 4, sent).await.unwrap_err();
        let kind = ErrorKind::Timeout(TimeoutScope::Attempt);
        assert_eq!(error.kind(), kind, "{name}: {error}");
        assert_eq!((error.sent(), error.attempts()), (Sent::Maybe, 1));
        assert!(error.is_retryable());
    }
}

pub(crate) async fn a_poisoned_one_is_not_reused(kind: Kind) {
    given_up(kind, true, true).await;
    if !kind.is_http2() {
        given_up(kind, false, true).await;
    }
}

pub(crate) async fn a_call_that_is_dropped_at_once_leaves_the_connection_to_others(kind: Kind) {
    given_up(kind, false, false).await;
}

/// Calls that time out or are dropped, before the answer or within its body, and the next call.
async fn given_up(kind: Kind, times_out: bool, is_poisoned: bool) {
    for then in [Then::Silence, Then::RestAfter(Default::default())] {
        let peer = Peer::start(kind, [vec![then.clone(), Then::Answer], vec![Then::Answer]]);
        let peer = peer.await;
        let client = client(peer.network().idle_timeout(10 * LIMIT));
        let mut sent = Box::pin(peer.once(&client, &READ));
        tokio::select! {
            _ = &mut sent => unreachable!("nothing is answered"),
            () = peer.until_requests(1) => {}
        }
        match times_out {
            true => drop(passing(LIMIT / 4, sent).await.unwrap_err()),
            false => drop(sent),
        }
        if is_poisoned && matches!(then, Then::Silence) {
            // The client closes it, rather than leaving it to the server.
            peer.until_ended(1).await;
        }
        assert_eq!(peer.once(&client, &READ).await.unwrap().body(), "{}");
        let expected = if is_poisoned { 2 } else { 1 };
        assert_eq!(peer.connections(), expected, "{then:?}, {times_out}");
    }
}

/// With the limits that clients have by default, and without pings in that time.
pub(crate) async fn a_dead_one_costs_a_call_one_attempt(kind: Kind) {
    let dead = if kind.is_http2() {
        Then::Deaf
    } else {
        Then::Silence
    };
    let peer = Peer::start(kind, [vec![Then::Answer, dead], vec![Then::Answer]]).await;
    let client = CoreClient::builder().network(peer.network());
    let client = client.allow_plain_http().build().unwrap();
    let options = CallOptions::new();
    peer.send(&client, &READ, &options).await.unwrap();
    let mut sent = Box::pin(peer.send(&client, &READ, &options));
    let second = passing(Duration::from_secs(1), peer.until_connections(2));
    let answer = tokio::select! {
        ended = &mut sent => ended,
        () = second => sent.await,
    };
    let answer = answer.unwrap();
    assert_eq!((answer.attempts(), peer.connections()), (2, 2));
}

pub(crate) async fn a_call_that_is_dropped_at_any_await_leaves_nothing(kind: Kind) {
    let call = async |peer: &Peer, client: &CoreClient| peer.once(client, &READ).await.map(drop);
    // A connection, and the answer.
    assert!(nothing_is_left(kind, call).await >= 2);
}

pub(crate) async fn one_made_ahead_that_is_dropped_at_any_await_leaves_nothing(kind: Kind) {
    let ahead = async |peer: &Peer, client: &CoreClient| {
        let base = peer.url().parse()?;
        client.warm_up(&base).await
    };
    assert!(nothing_is_left(kind, ahead).await >= 1);
}

/// Drops something that a client does at each of its awaits, checks that it leaves nothing behind, and
/// that the next call is answered. Returns at how many awaits.
async fn nothing_is_left(
    kind: Kind,
    does: impl AsyncFn(&Peer, &CoreClient) -> Result<()>,
) -> usize {
    let tasks = || Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    at_each_await(async |polls| {
        let peer = Peer::start(kind, [vec![Then::Answer]]).await;
        let client = builder(peer.network()).max_in_flight(1).build().unwrap();
        let cut = cut(polls, does(&peer, &client)).await;
        let is_done = cut.output().map(|ended| ended.as_ref().unwrap()).is_some();
        // There is one permit, and whatever was begun does not stand in the way.
        peer.once(&client, &READ).await.unwrap();
        drop(client);
        let gone = async {
            while peer.open() > 0 {
                tokio::task::yield_now().await;
            }
            drop(peer);
            while tasks() > before {
                tokio::task::yield_now().await;
            }
        };
        let gone = tokio::time::timeout(LIMIT, gone).await;
        assert!(gone.is_ok(), "after {polls} polls");
        assert_eq!(cut.wakers(), 0, "after {polls} polls");
        is_done
    })
    .await
}
