//! A server that follows a script, for each kind of connection.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::Reason;
use h2::server::SendResponse;
use http::Response as Head;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use vouchsafe_core::task::Task;

use crate::kind::{Kind, LIMIT};

/// What a peer does with a request that it has read.
#[derive(Clone, Debug)]
pub(crate) enum Then {
    /// Answers 200 with `{}`.
    Answer,
    /// As the first step: the connection begins, before TLS or the tunnel, after the signal.
    OpensAfter(Arc<Notify>),
    /// Answers with this status and no body.
    Empty(u16),
    /// Answers 200 with the length of a body, as to HEAD.
    LengthAlone,
    /// Answers as `Answer` after the signal.
    AnswerAfter(Arc<Notify>),
    /// Sends the head and half of the body, and the other half after the signal.
    RestAfter(Arc<Notify>),
    /// Begins an answer of 11 bytes and never ends it.
    TooMuch,
    /// As `TooMuch`, in chunks.
    TooMuchInChunks,
    /// Answers, and says that it closes the connection (http/1) or goes away (http/2).
    LastAnswer,
    /// Answers nothing.
    Silence,
    /// Answers, and sends an answer that was not asked for (http/1 only).
    AnswerTwice,
    /// Ends the connection.
    End(Moment, How),
    /// Resets the stream (http/2 only).
    ResetStream(Reason),
    /// Goes away without having taken the request (http/2 only).
    Leave,
    /// Reads nothing more, and keeps the connection open (http/2 only).
    Deaf,
}

/// When a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    BeforeHead,
    /// As `BeforeHead` with http/2, whose heads come in one piece.
    WithinHead,
    WithinBody,
    AfterAnswer,
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// In order: http/2, TLS and TCP, each as far as it is spoken.
    Close,
    /// By a reset of TCP.
    Reset,
}

/// A listener whose first connection follows the first script, and so on; further ones follow the
/// last. The last step of a script is for all further requests. A connection without a script is
/// reset when it has been accepted.
pub(crate) struct Peer {
    pub(crate) kind: Kind,
    pub(crate) address: SocketAddr,
    counts: watch::Receiver<Counts>,
    _task: Task,
}

#[derive(Debug, Default)]
struct Counts {
    connections: usize,
    requests: usize,
    ended: usize,
    pings: usize,
}

type Count = Arc<watch::Sender<Counts>>;

impl Peer {
    pub(crate) async fn start(kind: Kind, scripts: impl IntoIterator<Item = Vec<Then>>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (count, counts) = watch::channel(Counts::default());
        let scripts: Vec<_> = scripts.into_iter().collect();
        Self {
            kind,
            address,
            counts,
            _task: Task::spawn(accept(listener, kind, scripts, Arc::new(count))),
        }
    }

    /// How many connections were accepted.
    pub(crate) fn connections(&self) -> usize {
        self.counts.borrow().connections
    }

    /// How many connections have not ended.
    pub(crate) fn open(&self) -> usize {
        let counts = self.counts.borrow();
        counts.connections - counts.ended
    }

    /// How many requests were read.
    pub(crate) fn requests(&self) -> usize {
        self.counts.borrow().requests
    }

    /// How many pings of http/2 the client has sent.
    pub(crate) fn pings(&self) -> usize {
        self.counts.borrow().pings
    }

    pub(crate) async fn until_connections(&self, count: usize) {
        self.until(|counts| counts.connections >= count).await;
    }

    pub(crate) async fn until_requests(&self, count: usize) {
        self.until(|counts| counts.requests >= count).await;
    }

    /// Waits until this number of connections has ended, from either side.
    pub(crate) async fn until_ended(&self, count: usize) {
        self.until(|counts| counts.ended >= count).await;
    }

    pub(crate) async fn until_pings(&self, count: usize) {
        self.until(|counts| counts.pings >= count).await;
    }

    async fn until(&self, reached: impl Fn(&Counts) -> bool + Send + Sync) {
        let mut counts = self.counts.clone();
        let waited = tokio::time::timeout(LIMIT, counts.wait_for(|counts| reached(counts)));
        if let Err(late) = waited.await {
            panic!("{late}: {:?}", self.counts.borrow());
        }
    }
}

async fn accept(listener: TcpListener, kind: Kind, scripts: Vec<Vec<Then>>, count: Count) {
    let mut connections = JoinSet::new();
    let mut scripts = scripts.into_iter();
    let mut script = Vec::new();
    while let Ok((tcp, _)) = listener.accept().await {
        script = scripts.next().unwrap_or(script);
        count.send_modify(|counts| counts.connections += 1);
        let (script, count) = (script.clone(), Arc::clone(&count));
        connections.spawn(async move {
            // The client may end it at any moment.
            let _ = serve(tcp, kind, script, &count).await;
            count.send_modify(|counts| counts.ended += 1);
        });
    }
}

async fn serve(tcp: TcpStream, kind: Kind, mut script: Vec<Then>, count: &Count) -> io::Result<()> {
    tcp.set_nodelay(true)?;
    if let Some(Then::OpensAfter(signal)) = script.first().cloned() {
        signal.notified().await;
        script.remove(0);
    }
    if script.is_empty() {
        return tcp.set_zero_linger();
    }
    // A second handle, since the first one disappears in TLS and http/2.
    let tcp = tcp.into_std()?;
    let twin = TcpStream::from_std(tcp.try_clone()?)?;
    let mut tcp = TcpStream::from_std(tcp)?;
    if kind.is_tunnelled() {
        read_head(&mut tcp).await?;
        tcp.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
            .await?;
    }
    let how = match (kind.is_http2(), kind.has_tls()) {
        (true, true) => http2(acceptor(&[b"h2"]).accept(tcp).await?, script, count).await?,
        (true, false) => http2(tcp, script, count).await?,
        (false, true) => http1(acceptor(&[]).accept(tcp).await?, script, count).await?,
        (false, false) => http1(tcp, script, count).await?,
    };
    match how {
        How::Close => Ok(()),
        How::Reset => twin.set_zero_linger(),
    }
}

/// The last step of a script again and again.
fn steps(script: Vec<Then>) -> impl Iterator<Item = Then> {
    let last = script.last().cloned().unwrap_or(Then::Silence);
    script.into_iter().chain(std::iter::repeat(last))
}

const ANSWER: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

async fn http1(
    mut io: impl AsyncRead + AsyncWrite + Unpin,
    script: Vec<Then>,
    count: &Count,
) -> io::Result<How> {
    let head = |length: usize| format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
    for then in steps(script) {
        read_request(&mut io).await?;
        count.send_modify(|counts| counts.requests += 1);
        let mut end = None;
        let text = match then {
            Then::Answer => ANSWER.to_owned(),
            // With the length that the answer would have (RFC 9110, 15.4.5).
            Then::Empty(304) => "HTTP/1.1 304 \r\ncontent-length: 9\r\n\r\n".to_owned(),
            Then::Empty(status) => format!("HTTP/1.1 {status} \r\n\r\n"),
            Then::LengthAlone => head(9),
            Then::AnswerAfter(signal) => {
                signal.notified().await;
                ANSWER.to_owned()
            }
            Then::RestAfter(signal) => {
                io.write_all(head(2).as_bytes()).await?;
                io.write_all(b"{").await?;
                io.flush().await?;
                signal.notified().await;
                "}".to_owned()
            }
            Then::TooMuch => head(11) + "hello",
            Then::TooMuchInChunks => "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\
                                      5\r\nhello\r\n6\r\n world\r\n"
                .to_owned(),
            Then::LastAnswer => {
                end = Some(How::Close);
                ANSWER.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n")
            }
            Then::AnswerTwice => ANSWER.repeat(2),
            Then::End(moment, how) => {
                end = Some(how);
                match moment {
                    Moment::BeforeHead => String::new(),
                    Moment::WithinHead => "HTTP/1.1 200".to_owned(),
                    Moment::WithinBody => head(9) + "{",
                    Moment::AfterAnswer => ANSWER.to_owned(),
                }
            }
            Then::Silence => String::new(),
            Then::ResetStream(_) | Then::Leave | Then::Deaf => unreachable!("only with http/2"),
            Then::OpensAfter(_) => unreachable!("only as the first step"),
        };
        io.write_all(text.as_bytes()).await?;
        io.flush().await?;
        match end {
            None => {}
            Some(How::Close) => {
                io.shutdown().await?;
                return Ok(How::Close);
            }
            Some(How::Reset) => return Ok(How::Reset),
        }
    }
    unreachable!("the last step is repeated")
}

async fn read_request(io: &mut (impl AsyncRead + Unpin)) -> io::Result<()> {
    let head = read_head(io).await?;
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    io.read_exact(&mut body).await.map(drop)
}

async fn read_head(io: &mut (impl AsyncRead + Unpin)) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(io.read_u8().await?);
    }
    Ok(String::from_utf8(head).unwrap().to_ascii_lowercase())
}

/// What a stream asks of its connection.
enum Whole {
    GoAway,
    End(How),
    Leave,
    Deafen,
}

async fn http2(
    io: impl AsyncRead + AsyncWrite + Unpin,
    script: Vec<Then>,
    count: &Count,
) -> io::Result<How> {
    let io = Watched {
        io,
        frames: Frames {
            skip: PREFACE,
            head: Vec::new(),
        },
        count: Arc::clone(count),
    };
    let mut connection = h2::server::handshake(io).await.map_err(io::Error::other)?;
    let (ask, mut asked) = mpsc::unbounded_channel();
    let mut streams = JoinSet::new();
    let mut steps = steps(script);
    loop {
        let whole = tokio::select! {
            biased;
            accepted = connection.accept() => match accepted {
                Some(Ok((_, respond))) => {
                    count.send_modify(|counts| counts.requests += 1);
                    let then = steps.next().unwrap_or(Then::Silence);
                    streams.spawn(stream(then, respond, ask.clone()));
                    continue;
                }
                _ => return Ok(How::Close),
            },
            Some(whole) = asked.recv() => whole,
        };
        match whole {
            Whole::GoAway => connection.graceful_shutdown(),
            Whole::Deafen => std::future::pending().await,
            Whole::Leave => {
                connection.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM);
                let _ = std::future::poll_fn(|cx| connection.poll_closed(cx)).await;
                return Ok(How::Close);
            }
            Whole::End(How::Close) => {
                connection.abrupt_shutdown(Reason::NO_ERROR);
                let _ = std::future::poll_fn(|cx| connection.poll_closed(cx)).await;
                return Ok(How::Close);
            }
            // What streams have said before has been written: accepting writes, too.
            Whole::End(How::Reset) => return Ok(How::Reset),
        }
    }
}

/// Answers one request, or has its connection end.
async fn stream(
    then: Then,
    mut respond: SendResponse<Bytes>,
    ask: mpsc::UnboundedSender<Whole>,
) -> Result<(), h2::Error> {
    let head = || Head::builder().header("content-length", "9");
    let full = |respond: &mut SendResponse<Bytes>| {
        let mut body = respond.send_response(Head::new(()), false)?;
        body.send_data(Bytes::from_static(b"{}"), true)
    };
    let whole = match then {
        Then::Answer => return full(&mut respond),
        Then::Empty(status) => {
            let head = if status == 304 {
                head()
            } else {
                Head::builder()
            };
            let head = head.status(status).body(()).unwrap();
            return respond.send_response(head, true).map(drop);
        }
        Then::LengthAlone => {
            let head = head().body(()).unwrap();
            return respond.send_response(head, true).map(drop);
        }
        Then::AnswerAfter(signal) => {
            signal.notified().await;
            return full(&mut respond);
        }
        Then::RestAfter(signal) => {
            let mut body = respond.send_response(Head::new(()), false)?;
            body.send_data(Bytes::from_static(b"{"), false)?;
            signal.notified().await;
            return body.send_data(Bytes::from_static(b"}"), true);
        }
        Then::TooMuch | Then::TooMuchInChunks => {
            let mut body = respond.send_response(Head::new(()), false)?;
            body.send_data(Bytes::from_static(b"hello world"), false)?;
            std::future::poll_fn(|cx| body.poll_reset(cx)).await?;
            return Ok(());
        }
        Then::Silence => {
            std::future::poll_fn(|cx| respond.poll_reset(cx)).await?;
            return Ok(());
        }
        Then::ResetStream(reason) => {
            respond.send_reset(reason);
            return Ok(());
        }
        Then::LastAnswer => {
            full(&mut respond)?;
            Whole::GoAway
        }
        Then::Leave => Whole::Leave,
        Then::Deaf => Whole::Deafen,
        Then::End(moment, how) => {
            match moment {
                Moment::BeforeHead | Moment::WithinHead => {}
                Moment::WithinBody => {
                    let mut body = respond.send_response(head().body(()).unwrap(), false)?;
                    body.send_data(Bytes::from_static(b"{"), false)?;
                    let _ = ask.send(Whole::End(how));
                    return std::future::pending().await;
                }
                Moment::AfterAnswer => full(&mut respond)?,
            }
            Whole::End(how)
        }
        Then::AnswerTwice => unreachable!("only with http/1"),
        Then::OpensAfter(_) => unreachable!("only as the first step"),
    };
    let _ = ask.send(whole);
    // The stream stays as it is until the connection ends.
    std::future::pending().await
}

/// Counts the pings that a client sends.
struct Watched<T> {
    io: T,
    frames: Frames,
    count: Count,
}

/// Where the next frame begins (RFC 9113, 4.1).
struct Frames {
    skip: usize,
    head: Vec<u8>,
}

const PREFACE: usize = 24;
const PING: u8 = 6;
const ACKNOWLEDGED: u8 = 1;

impl Frames {
    /// Returns how many pings begin in these bytes.
    fn pings(&mut self, mut bytes: &[u8]) -> usize {
        let mut pings = 0;
        loop {
            let skipped = self.skip.min(bytes.len());
            self.skip -= skipped;
            bytes = &bytes[skipped..];
            let Some((first, rest)) = bytes.split_first() else {
                return pings;
            };
            self.head.push(*first);
            bytes = rest;
            if let [a, b, c, kind, flags, ..] = self.head[..]
                && self.head.len() == 9
            {
                self.skip = u32::from_be_bytes([0, a, b, c]) as usize;
                pings += usize::from(kind == PING && flags & ACKNOWLEDGED == 0);
                self.head.clear();
            }
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Watched<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buffer))?;
        let pings = self.frames.pings(&buffer.filled()[before..]);
        if pings > 0 {
            self.count.send_modify(|counts| counts.pings += pings);
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Watched<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// An authority, and a server that it certifies for every name that the tests use.
struct Certified {
    authority: String,
    server: CertificateDer<'static>,
    key: KeyPair,
}

static CERTIFIED: LazyLock<Certified> = LazyLock::new(|| {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let names = ["127.0.0.1", "one.example", "other.example"];
    let names: Vec<_> = names.into_iter().map(str::to_owned).collect();
    let server = CertificateParams::new(names).unwrap();
    let server = server.signed_by(&key, &issuer).unwrap().der().clone();
    Certified {
        authority,
        server,
        key,
    }
});

/// The root that certifies every peer, in PEM form.
pub(crate) fn root() -> &'static str {
    &CERTIFIED.authority
}

fn acceptor(protocols: &[&[u8]]) -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::Pkcs8(CERTIFIED.key.serialize_der().into());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![CERTIFIED.server.clone()], key)
        .unwrap();
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}
