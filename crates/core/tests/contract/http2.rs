//! What is promised of HTTP/2 alone: connections that requests share.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use h2::Reason;
use http::Method;
use tokio::sync::Notify;
use tokio::time::timeout;
use vouchsafe_core::call::CallOptions;
use vouchsafe_core::observe::Observer;
use vouchsafe_core::transport::{HttpTransport, Transport};
use vouchsafe_core::{ErrorKind, Sent};

use crate::kind::{Kind, LIMIT, READ, WRITE, client, pass, passing};
use crate::peer::{Peer, Then};

pub(crate) async fn a_cold_burst_converges_on_one_connection(kind: Kind) {
    let peer = Peer::start(kind, [vec![Then::Answer]]).await;
    let transport = peer.transport();
    for count in 1..=3 {
        let burst = (0..20).map(|_| transport.send(peer.request()));
        for answer in join_all(burst).await {
            assert_eq!(answer.unwrap().body, "{}");
        }
        assert_eq!((peer.connections(), peer.requests()), (1, count * 20));
    }
}

pub(crate) async fn one_that_goes_away_keeps_its_streams_and_is_replaced(kind: Kind) {
    let signal = Arc::new(Notify::new());
    let going = vec![Then::AnswerAfter(Arc::clone(&signal)), Then::LastAnswer];
    let peer = Peer::start(kind, [going, vec![Then::Answer]]).await;
    let open = Arc::new(Open::default());
    let client = client(peer.network().observer(Arc::clone(&open) as _));
    let held = peer.once(&client, &WRITE);
    let others = async {
        peer.until_requests(1).await;
        // Answered although the connection goes away; the next uses another one.
        peer.once(&client, &WRITE).await.unwrap();
        while peer.connections() < 2 {
            peer.once(&client, &WRITE).await.unwrap();
        }
        assert_eq!(open.0.load(Ordering::SeqCst), 2);
        signal.notify_one();
    };
    let (held, ()) = tokio::join!(held, others);
    assert_eq!(held.unwrap().body(), "{}");
    peer.until_ended(1).await;
    assert_eq!(peer.connections(), 2);
}

/// Counts the connections that an observer knows to be open.
#[derive(Debug, Default)]
struct Open(AtomicUsize);

impl Observer for Open {
    fn connection_opened(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn connection_closed(&self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

pub(crate) async fn a_request_that_one_going_away_did_not_take_may_have_been_sent(kind: Kind) {
    let peer = Peer::start(kind, [vec![Then::Leave], vec![Then::Answer]]).await;
    let client = peer.client();
    let error = peer.send(&client, &WRITE, &CallOptions::new()).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
    assert_eq!((error.attempts(), error.sent()), (1, Sent::Maybe));
    peer.once(&client, &READ).await.unwrap();
    assert_eq!(peer.connections(), 2);
}

pub(crate) async fn a_stream_reset_keeps_the_connection(kind: Kind) {
    for reason in [Reason::REFUSED_STREAM, Reason::INTERNAL_ERROR] {
        let signal = Arc::new(Notify::new());
        let script = vec![
            Then::AnswerAfter(Arc::clone(&signal)),
            Then::ResetStream(reason),
            Then::Answer,
        ];
        let peer = Peer::start(kind, [script]).await;
        let client = peer.client();
        let held = peer.once(&client, &WRITE);
        let others = async {
            peer.until_requests(1).await;
            // A server that says that it did nothing is not believed where it matters.
            let error = peer.send(&client, &WRITE, &CallOptions::new()).await;
            let error = error.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
            assert_eq!((error.attempts(), error.sent()), (1, Sent::Maybe));
            assert!(error.is_retryable());
            peer.once(&client, &READ).await.unwrap();
            signal.notify_one();
        };
        let (held, ()) = tokio::join!(held, others);
        assert_eq!(held.unwrap().body(), "{}");
        assert_eq!((peer.connections(), peer.requests()), (1, 3));
    }
}

/// How long a request waits in vain before its connection is no longer used for others.
const PATIENCE: Duration = Duration::from_secs(1);

pub(crate) async fn a_slow_answer_among_others_keeps_the_connection(kind: Kind) {
    let script = vec![Then::Silence, Then::Answer];
    let peer = Peer::start(kind, [script, vec![Then::Answer]]).await;
    let transport = peer.transport();
    let mut slow = transport.send(peer.request());
    tokio::select! {
        _ = &mut slow => unreachable!("nothing is answered"),
        () = peer.until_requests(1) => {}
    }
    pass(5 * PATIENCE).await;
    transport.send(peer.request()).await.unwrap();
    pass(5 * PATIENCE).await;
    drop(slow);
    transport.send(peer.request()).await.unwrap();
    assert_eq!(peer.connections(), 1);
}

pub(crate) async fn a_silent_one_keeps_its_streams_and_is_replaced(kind: Kind) {
    let signal = Arc::new(Notify::new());
    let script = vec![Then::AnswerAfter(Arc::clone(&signal)), Then::Silence];
    let peer = Peer::start(kind, [script, vec![Then::Answer]]).await;
    let transport = peer.transport();
    let (mut held, mut silent) = (
        transport.send(peer.request()),
        transport.send(peer.request()),
    );
    for (count, sent) in [(1, &mut held), (2, &mut silent)] {
        tokio::select! {
            _ = sent => unreachable!("nothing is answered yet"),
            () = peer.until_requests(count) => {}
        }
    }
    pass(2 * PATIENCE).await;
    drop(silent);
    for _ in 0..2 {
        let sent = timeout(LIMIT, transport.send(peer.request())).await;
        sent.expect("another connection").unwrap();
        assert_eq!(peer.connections(), 2);
    }
    signal.notify_one();
    assert_eq!(held.await.unwrap().body, "{}");
    peer.until_ended(1).await;
    assert_eq!((peer.open(), peer.requests()), (1, 4));
}

/// Sends a request and gives it up after this time.
async fn give_up_after(time: Duration, transport: &HttpTransport, peer: &Peer) {
    let mut sent = transport.send(peer.request());
    for _ in 0..20 {
        assert!((&mut sent).now_or_never().is_none());
        tokio::task::yield_now().await;
    }
    pass(time).await;
    drop(sent);
}

pub(crate) async fn short_attempts_in_vain_add_up(kind: Kind) {
    let script = vec![Then::Answer, Then::Deaf];
    let peer = Peer::start(kind, [script, vec![Then::Answer]]).await;
    let transport = peer.transport();
    transport.send(peer.request()).await.unwrap();
    for _ in 0..3 {
        assert_eq!(peer.connections(), 1);
        give_up_after(PATIENCE * 2 / 5, &transport, &peer).await;
    }
    let sent = timeout(LIMIT, transport.send(peer.request())).await;
    sent.expect("another connection").unwrap();
    assert_eq!(peer.connections(), 2);
}

pub(crate) async fn a_brief_request_beside_a_silent_one_keeps_the_connection(kind: Kind) {
    let script = vec![Then::Silence, Then::Silence, Then::Answer];
    let peer = Peer::start(kind, [script, vec![Then::Answer]]).await;
    let transport = peer.transport();
    let mut long = transport.send(peer.request());
    tokio::select! {
        _ = &mut long => unreachable!("nothing is answered"),
        () = peer.until_requests(1) => {}
    }
    pass(5 * PATIENCE).await;
    give_up_after(PATIENCE / 5, &transport, &peer).await;
    peer.until_requests(2).await;
    transport.send(peer.request()).await.unwrap();
    assert_eq!(peer.connections(), 1);
}

pub(crate) async fn requests_that_begin_break_no_silence(kind: Kind) {
    let peer = Peer::start(kind, [vec![Then::Answer, Then::Deaf], vec![Then::Answer]]).await;
    let transport = peer.transport();
    transport.send(peer.request()).await.unwrap();
    let mut old = transport.send(peer.request());
    assert!((&mut old).now_or_never().is_none());
    let mut begun = Vec::new();
    for _ in 0..10 {
        pass(PATIENCE / 5).await;
        let mut request = peer.request();
        request.method = Method::POST;
        request.body = "{}".into();
        let mut sent = transport.send(request);
        for _ in 0..20 {
            assert!((&mut sent).now_or_never().is_none());
            tokio::task::yield_now().await;
        }
        begun.push(sent);
    }
    drop(old);
    let sent = timeout(LIMIT, transport.send(peer.request())).await;
    sent.expect("another connection").unwrap();
    assert_eq!(peer.connections(), 2);
}

pub(crate) async fn time_between_attempts_is_no_silence(kind: Kind) {
    let script = vec![Then::Answer, Then::Silence, Then::Silence, Then::Answer];
    let peer = Peer::start(kind, [script, vec![Then::Answer]]).await;
    let transport = peer.transport();
    transport.send(peer.request()).await.unwrap();
    for count in 2..=3 {
        give_up_after(PATIENCE / 5, &transport, &peer).await;
        peer.until_requests(count).await;
        pass(3 * PATIENCE).await;
    }
    transport.send(peer.request()).await.unwrap();
    assert_eq!(peer.connections(), 1);
}

pub(crate) async fn work_of_the_caller_is_no_silence(kind: Kind) {
    let script = vec![Then::RestAfter(Arc::default()), Then::Answer];
    let peer = Peer::start(kind, [script, vec![Then::Answer]]).await;
    let transport = peer.transport();
    let mut answer = transport.stream(peer.request()).await.unwrap();
    assert_eq!(answer.body.next().await.unwrap().unwrap(), "{");
    pass(3 * PATIENCE).await;
    drop(answer);
    transport.send(peer.request()).await.unwrap();
    assert_eq!(peer.connections(), 1);
}

const PING: Duration = Duration::from_secs(10);

pub(crate) async fn ping_loss_closes_it(kind: Kind) {
    let peer = Peer::start(kind, [vec![Then::Deaf], vec![Then::Answer]]).await;
    let client = client(peer.network().http2_ping(PING, PING / 2));
    let options = CallOptions::new();
    let mut sent = Box::pin(peer.send(&client, &WRITE, &options));
    tokio::select! {
        _ = &mut sent => unreachable!("nothing is answered"),
        () = peer.until_requests(1) => {}
    }
    let error = passing(PING / 4, sent).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
    assert_eq!((error.attempts(), error.sent()), (1, Sent::Maybe));
    assert!(error.is_retryable());
    peer.once(&client, &READ).await.unwrap();
    assert_eq!(peer.connections(), 2);
}

pub(crate) async fn pings_are_sent_only_while_an_answer_is_awaited(kind: Kind) {
    let signal = Arc::new(Notify::new());
    let script = vec![Then::Answer, Then::AnswerAfter(Arc::clone(&signal))];
    let peer = Peer::start(kind, [script]).await;
    let network = peer.network().http2_ping(PING, PING / 2);
    let network = network.idle_timeout(100 * PING).max_age(100 * PING);
    let transport = network.build().unwrap();
    transport.send(peer.request()).await.unwrap();
    for _ in 0..30 {
        pass(PING).await;
    }
    assert_eq!(peer.pings(), 0);
    let mut sent = transport.send(peer.request());
    let pings = async {
        peer.until_requests(2).await;
        passing(PING / 4, peer.until_pings(1)).await;
    };
    tokio::select! {
        _ = &mut sent => unreachable!("nothing is answered yet"),
        () = pings => {}
    }
    signal.notify_one();
    assert_eq!(sent.await.unwrap().body, "{}");
    assert_eq!(peer.connections(), 1);
}
