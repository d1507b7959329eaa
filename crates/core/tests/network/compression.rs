//! Compressed answers, from a server that compresses whatever it may.

use std::io::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH};
use http::{HeaderMap, Method, StatusCode, Uri};
use vouchsafe_core::call::{Call, CallOptions, Fault};
use vouchsafe_core::mock::{Handler, Host, Serving};
use vouchsafe_core::transport::{
    HttpTransport, HttpTransportBuilder, Request, Response, Transport,
};
use vouchsafe_core::url::{BaseUrl, Target};
use vouchsafe_core::{CoreClient, ErrorKind, Sent};

use super::{READ, get, loopback};

/// `/gzip/N` is N zeros in gzip, and so on; `/refusal` a compressed refusal.
#[derive(Debug)]
struct Packing;

impl Handler for Packing {
    fn handle(&self, request: &Request) -> Response {
        let asked = request.headers.get(ACCEPT_ENCODING);
        let path = request.uri.path().to_owned();
        let mut response = Response::new(StatusCode::OK);
        let (coding, body) = match path.split('/').collect::<Vec<_>>()[..] {
            ["", "asked"] => (
                "identity",
                asked.map_or_else(Vec::new, |v| v.as_bytes().to_vec()),
            ),
            ["", "gzip", zeros] => ("gzip", gzipped(&vec![b'0'; zeros.parse().unwrap()])),
            ["", "zstd"] => ("zstd", ZSTD.to_vec()),
            ["", "twice"] => ("gzip, gzip", gzipped(&gzipped(b"{}"))),
            ["", "broken"] => ("gzip", gzipped(b"planted")[..15].to_vec()),
            ["", "refusal"] => {
                response.status = StatusCode::CONFLICT;
                ("GZip", gzipped(b"the reason"))
            }
            _ => ("br", b"?".to_vec()),
        };
        response
            .headers
            .insert(CONTENT_ENCODING, coding.parse().unwrap());
        response.body = Bytes::from(body);
        response
    }

    fn operation(&self, _: &Method, _: &Uri) -> Option<&'static str> {
        Some("test.read")
    }
}

/// A frame with one block, not compressed: `{}`.
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd, 0x20, 2, 0x11, 0, 0, b'{', b'}'];

fn gzipped(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

async fn serve() -> Serving {
    Host::new(Arc::new(Packing))
        .serve(loopback())
        .await
        .unwrap()
}

fn asking() -> HttpTransportBuilder {
    HttpTransport::builder().accept_compressed()
}

async fn body(transport: &HttpTransport, serving: &Serving, path: &str) -> (HeaderMap, Bytes) {
    let url = format!("{}{path}", serving.url());
    let answer = transport.send(get(&url)).await.unwrap();
    (answer.headers, answer.body)
}

#[tokio::test]
async fn compressed_answers_are_asked_for_and_read_like_others() {
    let serving = serve().await;
    let transport = asking().build().unwrap();
    assert_eq!(body(&transport, &serving, "/asked").await.1, "zstd, gzip");
    for (path, plain) in [("/gzip/5", "00000"), ("/zstd", "{}")] {
        let (headers, body) = body(&transport, &serving, path).await;
        assert_eq!(body, plain, "{path}");
        // What is left describes the body as it is now.
        assert!(!headers.contains_key(CONTENT_ENCODING));
        assert!(!headers.contains_key(CONTENT_LENGTH));
    }
    let mut head = get(&format!("{}/gzip/5", serving.url()));
    head.method = Method::HEAD;
    assert_eq!(
        transport.send(head).await.unwrap().headers[CONTENT_ENCODING],
        "gzip"
    );
}

#[tokio::test]
async fn without_the_option_or_with_a_callers_own_nothing_is_asked_for_or_unpacked() {
    let serving = serve().await;
    let silent = HttpTransport::builder().build().unwrap();
    assert_eq!(body(&silent, &serving, "/asked").await.1, "");
    let (headers, packed) = body(&silent, &serving, "/gzip/5").await;
    assert_eq!(
        (&headers[CONTENT_ENCODING], &*packed),
        (&"gzip".parse().unwrap(), &*gzipped(b"00000"))
    );

    let transport = asking().build().unwrap();
    let own = |path: &str| {
        let mut request = get(&format!("{}{path}", serving.url()));
        request
            .headers
            .insert(ACCEPT_ENCODING, "gzip;q=0.5".parse().unwrap());
        request
    };
    assert_eq!(
        transport.send(own("/asked")).await.unwrap().body,
        "gzip;q=0.5"
    );
    assert_eq!(
        transport.send(own("/gzip/5")).await.unwrap().body,
        gzipped(b"00000")
    );
    // Answers in pieces are not asked for in compressed form.
    let mut pieces = transport
        .stream(get(&format!("{}/asked", serving.url())))
        .await
        .unwrap();
    assert_eq!(pieces.body.next().await.unwrap(), None);
}

#[tokio::test]
async fn the_limit_counts_what_comes_out() {
    let serving = serve().await;
    let transport = asking().build().unwrap();
    let limited = |path: &str| {
        let mut request = get(&format!("{}{path}", serving.url()));
        request.response_limit = 1 << 20;
        request
    };
    let whole = transport.send(limited("/gzip/1048576")).await.unwrap();
    assert_eq!(whole.body.len(), 1 << 20);
    // 16 MiB in 16 kB.
    for path in ["/gzip/1048577", "/gzip/16777216"] {
        let error = transport.send(limited(path)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{path}");
        assert_eq!(
            (error.sent(), error.status()),
            (Sent::Maybe, Some(StatusCode::OK))
        );
        let message = "the answer is larger than the 1048576 bytes allowed";
        assert_eq!(error.message(), message);
    }
}

#[tokio::test]
async fn what_cannot_be_unpacked_is_refused_once() {
    let serving = serve().await;
    let client = CoreClient::builder().network(asking());
    let client = client.read_fault(|refusal| {
        let reason = String::from_utf8(refusal.body.to_vec()).ok();
        Fault::new(None, reason)
    });
    let client = client.build().unwrap();
    let base: BaseUrl = serving.url().parse().unwrap();
    for (path, kind, message) in [
        (
            "/broken",
            ErrorKind::Decode,
            "the bytes cannot be decompressed: ",
        ),
        (
            "/twice",
            ErrorKind::Decode,
            "the answer has the content coding gzip, which was not",
        ),
        (
            "/brotli",
            ErrorKind::Decode,
            "the answer has the content coding br, which was not",
        ),
        ("/refusal", ErrorKind::Conflict, "the reason"),
    ] {
        let call = Call::new(&READ, Target::new(path));
        let error = client
            .send(&base, call, None, &CallOptions::new())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), kind, "{path}: {error}");
        assert_eq!((error.attempts(), error.sent()), (1, Sent::Maybe), "{path}");
        assert!(error.message().starts_with(message), "{path}: {error}");
        assert!(!format!("{error:?}").contains("planted"));
    }
}
