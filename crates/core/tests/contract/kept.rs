//! Which connections are kept and used again, and for how long.

use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use http::Method;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use vouchsafe_core::observe::Observer;
use vouchsafe_core::transport::{Request, Transport};
use vouchsafe_core::{ErrorKind, Sent};

use crate::kind::{Kind, LIMIT, pass, passing};
use crate::peer::{Peer, Then};

pub(crate) async fn a_fully_read_answer_is_reused(kind: Kind) {
    let peer = Peer::start(kind, [vec![Then::Answer]]).await;
    let transport = peer.transport();
    for _ in 0..5 {
        assert_eq!(transport.send(peer.request()).await.unwrap().body, "{}");
    }
    // Piece by piece, too.
    for _ in 0..2 {
        let mut body = transport.stream(peer.request()).await.unwrap().body;
        while let Some(piece) = body.next().await.unwrap() {
            assert_eq!(piece, "{}");
        }
    }
    assert_eq!((peer.connections(), peer.requests()), (1, 7));
}

pub(crate) async fn a_connection_made_ahead_is_used(kind: Kind) {
    let peer = Peer::start(kind, [vec![Then::Answer]]).await;
    let transport = peer.transport();
    for _ in 0..2 {
        transport.warm_up(&peer.request().uri).await.unwrap();
    }
    peer.until_connections(1).await;
    assert_eq!(peer.requests(), 0);
    for _ in 0..2 {
        assert_eq!(transport.send(peer.request()).await.unwrap().body, "{}");
    }
    assert_eq!((peer.connections(), peer.requests()), (1, 2));
}

pub(crate) async fn an_answer_without_a_body_leaves_the_connection_in_step(kind: Kind) {
    let script = [
        Then::Empty(204),
        Then::Empty(304),
        Then::LengthAlone,
        Then::Answer,
    ];
    let peer = Peer::start(kind, [script.to_vec()]).await;
    let transport = peer.transport();
    for (method, status, body) in [
        (Method::GET, 204, ""),
        (Method::GET, 304, ""),
        (Method::HEAD, 200, ""),
        (Method::GET, 200, "{}"),
    ] {
        let mut request = peer.request();
        request.method = method;
        let answer = transport.send(request).await.unwrap();
        assert_eq!(
            (answer.status.as_u16(), &*answer.body),
            (status, body.as_bytes())
        );
    }
    assert_eq!(peer.connections(), 1);
}

pub(crate) async fn an_empty_stream_that_is_not_read_keeps_the_connection(kind: Kind) {
    let script = vec![Then::Empty(204), Then::Empty(304), Then::Answer];
    let peer = Peer::start(kind, [script]).await;
    let transport = peer.transport();
    for status in [204, 304] {
        let answer = transport.stream(peer.request()).await.unwrap();
        assert_eq!(answer.status, status);
    }
    assert_eq!(transport.send(peer.request()).await.unwrap().body, "{}");
    assert_eq!(peer.connections(), 1);
}

pub(crate) async fn connection_close_is_obeyed(kind: Kind) {
    let peer = Peer::start(kind, [vec![Then::LastAnswer], vec![Then::Answer]]).await;
    let transport = peer.transport();
    for _ in 0..2 {
        assert_eq!(transport.send(peer.request()).await.unwrap().body, "{}");
    }
    assert_eq!((peer.connections(), peer.requests()), (2, 2));
}

pub(crate) async fn an_unread_rest_retires_the_connection(kind: Kind) {
    for large in [Then::TooMuch, Then::TooMuchInChunks] {
        for is_streamed in [false, true] {
            let peer = Peer::start(kind, [vec![large.clone()], vec![Then::Answer]]).await;
            let transport = peer.transport();
            leave_unread(&peer, &transport, is_streamed).await;
            peer.until_ended(1).await;
            assert_eq!(transport.send(peer.request()).await.unwrap().body, "{}");
            assert_eq!(peer.connections(), 2, "{large:?}");
        }
    }
}

pub(crate) async fn an_unread_rest_leaves_the_connection_to_others(kind: Kind) {
    for is_streamed in [false, true] {
        let peer = Peer::start(kind, [vec![Then::TooMuch, Then::Answer]]).await;
        let transport = peer.transport();
        leave_unread(&peer, &transport, is_streamed).await;
        assert_eq!(transport.send(peer.request()).await.unwrap().body, "{}");
        assert_eq!(peer.connections(), 1);
    }
}

/// Gives up an answer that is larger than allowed, or the rest of one that was begun.
async fn leave_unread(peer: &Peer, transport: &impl Transport, is_streamed: bool) {
    if is_streamed {
        let mut body = transport.stream(peer.request()).await.unwrap().body;
        assert!(body.next().await.unwrap().is_some());
        return;
    }
    let mut limited = peer.request();
    limited.response_limit = 10;
    let error = transport.send(limited).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    let limit = "the answer is larger than the 10 bytes allowed";
    assert_eq!(error.message(), limit);
    let status = error.status().map(|status| status.as_u16());
    assert_eq!((status, error.sent()), (Some(200), Sent::Maybe));
    assert!(!error.is_retryable());
}

pub(crate) async fn a_held_body_lets_a_second_one_open(kind: Kind) {
    held_body(kind, 2).await;
}

pub(crate) async fn a_held_body_lets_others_share(kind: Kind) {
    held_body(kind, 1).await;
}

async fn held_body(kind: Kind, connections: usize) {
    let signal = Arc::new(Notify::new());
    let held = vec![Then::RestAfter(Arc::clone(&signal)), Then::Answer];
    let peer = Peer::start(kind, [held, vec![Then::Answer]]).await;
    let transport = peer.transport();
    let mut body = transport.stream(peer.request()).await.unwrap().body;
    assert_eq!(body.next().await.unwrap().unwrap(), "{");
    assert_eq!(transport.send(peer.request()).await.unwrap().body, "{}");
    signal.notify_one();
    assert_eq!(body.next().await.unwrap().unwrap(), "}");
    assert_eq!(body.next().await.unwrap(), None);
    assert_eq!(peer.connections(), connections);
}

pub(crate) async fn a_request_under_way_lets_a_second_one_open(kind: Kind) {
    let signal = Arc::new(Notify::new());
    let held = vec![Then::AnswerAfter(Arc::clone(&signal))];
    let peer = Peer::start(kind, [held, vec![Then::Answer]]).await;
    let transport = peer.transport();
    let second = async {
        peer.until_requests(1).await;
        transport.send(peer.request()).await.unwrap();
        signal.notify_one();
    };
    let (first, ()) = tokio::join!(transport.send(peer.request()), second);
    assert_eq!(first.unwrap().body, "{}");
    assert_eq!(peer.connections(), 2);
}

pub(crate) async fn different_origins_do_not_share(kind: Kind) {
    let peer = Peer::start(kind, [vec![Then::Answer]]).await;
    let transport = peer.transport();
    if kind.is_proxied() {
        for (count, server) in ["one.example", "other.example", "other.example:99"]
            .into_iter()
            .enumerate()
        {
            for _ in 0..2 {
                let url = peer.url_of(server).parse().unwrap();
                let request = Request::new(Method::GET, url);
                transport.send(request).await.unwrap();
            }
            assert_eq!(peer.connections(), count + 1);
        }
    } else {
        let other = Peer::start(kind, [vec![Then::Answer]]).await;
        for peer in [&peer, &other, &peer, &other] {
            transport.send(peer.request()).await.unwrap();
        }
        for peer in [peer, other] {
            assert_eq!((peer.connections(), peer.requests()), (1, 2));
        }
    }
}

const IDLE: Duration = Duration::from_secs(10);

pub(crate) async fn an_idle_one_is_evicted_in_time(kind: Kind) {
    let peer = Peer::start(kind, [vec![Then::Answer]]).await;
    let transport = peer.network().idle_timeout(IDLE).build().unwrap();
    transport.send(peer.request()).await.unwrap();
    // Not before its time.
    pass(IDLE / 2).await;
    transport.send(peer.request()).await.unwrap();
    assert_eq!(peer.connections(), 1);
    passing(IDLE / 5, peer.until_ended(1)).await;
}

pub(crate) async fn the_idle_time_begins_with_the_last_answer(kind: Kind) {
    let peer = Peer::start(kind, [vec![Then::Answer]]).await;
    let network = peer.network().idle_timeout(IDLE).max_age(100 * IDLE);
    let transport = network.build().unwrap();
    for _ in 0..5 {
        transport.send(peer.request()).await.unwrap();
        pass(IDLE * 4 / 5).await;
    }
    assert_eq!(peer.connections(), 1);
    passing(IDLE / 5, peer.until_ended(1)).await;
}

/// Counts the connections that an observer knows to be idle.
#[derive(Debug, Default)]
struct Idle(AtomicIsize);

impl Idle {
    fn count(&self) -> isize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Observer for Idle {
    fn connections_idle(&self, change: isize) {
        self.0.fetch_add(change, Ordering::SeqCst);
    }
}

pub(crate) async fn an_observer_learns_which_are_idle(kind: Kind) {
    let signal = Arc::new(Notify::new());
    let script = vec![Then::Answer, Then::AnswerAfter(Arc::clone(&signal))];
    let peer = Peer::start(kind, [script]).await;
    let idle = Arc::new(Idle::default());
    let network = peer.network().idle_timeout(IDLE);
    let transport = network.observer(Arc::clone(&idle) as _).build().unwrap();
    transport.send(peer.request()).await.unwrap();
    assert_eq!(idle.count(), 1);
    let during = async {
        peer.until_requests(2).await;
        assert_eq!(idle.count(), 0);
        signal.notify_one();
    };
    let (answer, ()) = tokio::join!(transport.send(peer.request()), during);
    answer.unwrap();
    assert_eq!(idle.count(), 1);
    passing(IDLE / 5, peer.until_ended(1)).await;
    let told = async {
        while idle.count() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, told).await.expect("an end");
    assert_eq!(idle.count(), 0);
}

pub(crate) async fn an_active_body_outlives_the_idle_limit(kind: Kind) {
    let signal = Arc::new(Notify::new());
    let held = vec![Then::RestAfter(Arc::clone(&signal)), Then::Answer];
    let peer = Peer::start(kind, [held, vec![Then::Answer]]).await;
    let transport = peer.network().idle_timeout(IDLE).build().unwrap();
    let mut body = transport.stream(peer.request()).await.unwrap().body;
    assert_eq!(body.next().await.unwrap().unwrap(), "{");
    if kind.is_http2() {
        // It is on the list of idle ones while it serves a stream.
        transport.send(peer.request()).await.unwrap();
    }
    for _ in 0..20 {
        pass(IDLE / 5).await;
    }
    signal.notify_one();
    assert_eq!(body.next().await.unwrap().unwrap(), "}");
    assert_eq!(body.next().await.unwrap(), None);
}

pub(crate) async fn no_more_idle_ones_are_kept_than_allowed(kind: Kind) {
    let signal = Arc::new(Notify::new());
    let held = vec![Then::AnswerAfter(Arc::clone(&signal)), Then::Answer];
    let peer = Peer::start(kind, [held, vec![Then::Answer]]).await;
    let transport = peer.network().max_idle_per_host(1).build().unwrap();
    let second = async {
        peer.until_requests(1).await;
        transport.send(peer.request()).await.unwrap();
        signal.notify_one();
    };
    let (first, ()) = tokio::join!(transport.send(peer.request()), second);
    first.unwrap();
    // The place is taken by the other one.
    peer.until_ended(1).await;
    transport.send(peer.request()).await.unwrap();
    assert_eq!(peer.connections(), 2);
}

pub(crate) async fn an_old_one_is_retired(kind: Kind) {
    let peer = Peer::start(kind, [vec![Then::Answer]]).await;
    let transport = peer.network().max_age(Duration::ZERO).build().unwrap();
    for count in 1..=3 {
        transport.send(peer.request()).await.unwrap();
        assert_eq!(peer.connections(), count);
    }
    peer.until_ended(peer.connections() - 1).await;
}

pub(crate) async fn limits_of_for_ever_are_taken_at_their_word(kind: Kind) {
    let peer = Peer::start(kind, [vec![Then::Answer]]).await;
    let network = peer
        .network()
        .connect_timeout(Duration::MAX)
        .idle_timeout(Duration::MAX)
        .max_age(Duration::MAX)
        .tcp_keepalive(Some(Duration::MAX))
        .tcp_user_timeout(Some(Duration::MAX));
    let transport = network.build().unwrap();
    for _ in 0..3 {
        transport.send(peer.request()).await.unwrap();
        pass(LIMIT).await;
    }
    assert_eq!(peer.connections(), 1);
}

pub(crate) async fn unrequested_bytes_retire_the_connection(kind: Kind) {
    let peer = Peer::start(kind, [vec![Then::AnswerTwice], vec![Then::Answer]]).await;
    let transport = peer.transport();
    assert_eq!(transport.send(peer.request()).await.unwrap().body, "{}");
    peer.until_ended(1).await;
    assert_eq!(transport.send(peer.request()).await.unwrap().body, "{}");
    assert_eq!(peer.connections(), 2);
}

/// Unlike the others, this one is a plain function: it needs several runtimes.
pub(crate) fn the_runtime_that_made_it_is_gone(kind: Kind) {
    let runtime = || Builder::new_current_thread().enable_all().build().unwrap();
    let elsewhere = Runtime::new().unwrap();
    let peer = elsewhere.block_on(Peer::start(kind, [vec![Then::Answer]]));
    let first = runtime();
    let transport = peer.transport();
    first.block_on(transport.send(peer.request())).unwrap();
    let mut abandoned = {
        let _within = first.enter();
        transport.send(peer.request())
    };
    // Given to the kept connection, and not written yet.
    first.block_on(async { assert!((&mut abandoned).now_or_never().is_none()) });
    drop(first);
    let second = runtime();
    for _ in 0..3 {
        let sent = async { tokio::time::timeout(LIMIT, transport.send(peer.request())).await };
        let answer = second.block_on(sent).expect("a connection of this runtime");
        assert_eq!(answer.unwrap().body, "{}");
    }
    let ended = second.block_on(async { tokio::time::timeout(LIMIT, abandoned).await });
    match ended.expect("an end") {
        // What the lost runtime had not sent is sent after all.
        Ok(answer) => assert_eq!(answer.body, "{}"),
        // Whether a stream was begun is not known.
        Err(error) => {
            assert!(kind.is_http2(), "{error}");
            assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
        }
    }
}
