//! Which connection a request gets that waits for one.

use std::sync::Arc;

use futures_util::FutureExt as _;
use tokio::sync::Notify;
use tokio::time::timeout;
use vouchsafe_core::transport::Transport as _;

use crate::kind::{Kind, LIMIT};
use crate::peer::{Peer, Then};

/// A connection that never begins, so that a request can only get that of another one.
fn never() -> Vec<Then> {
    vec![Then::OpensAfter(Arc::default()), Then::Answer]
}

pub(crate) async fn a_half_made_one_whose_request_is_given_up_goes_to_one_that_waits(kind: Kind) {
    let signal = Arc::new(Notify::new());
    let held = vec![Then::OpensAfter(Arc::clone(&signal)), Then::Answer];
    let peer = Peer::start(kind, [held, never()]).await;
    let transport = peer.transport();
    let mut given_up = transport.send(peer.request());
    tokio::select! {
        _ = &mut given_up => unreachable!("no connection begins"),
        () = peer.until_connections(1) => {}
    }
    let mut waiting = transport.send(peer.request());
    assert!((&mut waiting).now_or_never().is_none());
    drop(given_up);
    signal.notify_one();
    let answer = timeout(LIMIT, waiting).await.expect("an end");
    assert_eq!(answer.unwrap().body, "{}");
    if kind.is_http2() {
        assert_eq!(peer.connections(), 1);
    }
}

pub(crate) async fn one_that_is_given_to_a_dropped_request_goes_to_the_next(kind: Kind) {
    let signal = Arc::new(Notify::new());
    let first = vec![Then::AnswerAfter(Arc::clone(&signal)), Then::Answer];
    let peer = Peer::start(kind, [first, never()]).await;
    let transport = peer.transport();
    let mut busy = transport.send(peer.request());
    tokio::select! {
        _ = &mut busy => unreachable!("it is not answered yet"),
        () = peer.until_requests(1) => {}
    }
    let mut dropped = transport.send(peer.request());
    let mut next = transport.send(peer.request());
    assert!((&mut dropped).now_or_never().is_none());
    assert!((&mut next).now_or_never().is_none());
    signal.notify_one();
    busy.await.unwrap();
    // By now it has the connection, and does not know.
    drop(dropped);
    let answer = timeout(LIMIT, next).await.expect("an end");
    assert_eq!(answer.unwrap().body, "{}");
    assert_eq!(peer.requests(), 2);
}
