//! How a request names its server.

use http::Request;
use http::header::HOST;
use http::uri::Scheme;

use crate::url::host_header;

/// Adds the header `Host` to a request, and takes it from one that may be sent over HTTP/2: there
/// `:authority` is in its place (RFC 9113, 8.3.1), and some servers, nginx 1.22 among them, answer 400
/// to a request with both. The pool adds it where HTTP/1.1 is spoken after all.
pub(super) fn name_host<B>(outgoing: &mut Request<B>, may_be_http2: bool) {
    let uri = outgoing.uri();
    let Some((scheme, authority)) = uri.scheme().zip(uri.authority()) else {
        return;
    };
    let given = outgoing.headers().get(HOST);
    if may_be_http2 && (*scheme == Scheme::HTTP || *scheme == Scheme::HTTPS) {
        if given.is_some_and(|given| *given == host_header(scheme, authority)) {
            outgoing.headers_mut().remove(HOST);
        }
    } else if given.is_none() {
        let host = host_header(scheme, authority);
        outgoing.headers_mut().insert(HOST, host);
    }
}
