//! Connections that TLS is put on after they were made, for protocols that begin without it.

use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};

use vouchsafe_core::observe::Observer;

use super::*;

#[derive(Debug, Default)]
struct Counting {
    made: AtomicUsize,
    open: AtomicIsize,
}

impl Observer for Counting {
    fn connection_opened(&self) {
        self.made.fetch_add(1, Ordering::SeqCst);
        self.open.fetch_add(1, Ordering::SeqCst);
    }

    fn connection_closed(&self) {
        self.open.fetch_sub(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn an_observer_sees_one_connection_whether_tls_is_put_on_it_or_refused() {
    let host = Host::new(Arc::new(Fine));
    let [known, other] = [(); 2].map(|()| CertificateAuthority::new().unwrap());
    let serving = host.serve_tls(loopback(), &known).await.unwrap();
    let secure: Uri = serving.url().parse().unwrap();
    let plain: Uri = format!("http://{}", serving.address()).parse().unwrap();
    for (authority, is_trusted) in [(&known, true), (&other, false)] {
        let seen = Arc::new(Counting::default());
        let builder = HttpTransport::builder()
            .add_root_pem(authority.pem().as_bytes())
            .unwrap()
            .only_roots()
            .observer(Arc::clone(&seen) as _);
        let dialer = builder.dialer().unwrap();
        let counts = || {
            (
                seen.made.load(Ordering::SeqCst),
                seen.open.load(Ordering::SeqCst),
            )
        };
        let connection = dialer.dial(plain.clone()).await.unwrap();
        assert_eq!(counts(), (1, 1));
        let secured = dialer.secure(&secure, connection).await;
        assert_eq!(secured.is_ok(), is_trusted);
        if let Ok(secured) = secured {
            assert_eq!(counts(), (1, 1));
            // There is nothing left to do.
            let secured = dialer.secure(&secure, secured).await.unwrap();
            assert_eq!(counts(), (1, 1));
            drop(secured);
        }
        assert_eq!(counts(), (1, 0));
    }
}
