//! Captures what a test logs. Tests of several crates include this file; in `vouchsafe-core::mock`
//! it would make a subscriber a dependency of everything that is tested with an emulator.

use std::cell::RefCell;
use std::io;
use std::sync::Once;

use tracing_subscriber::fmt::format::FmtSpan;

/// What this thread, and so this test, has logged since the start, spans included.
///
/// There is one subscriber for the whole program: with one for each thread, tracing may decide in a
/// thread without any that a line is never wanted.
pub(crate) struct Log(());

impl Log {
    pub(crate) fn start() -> Self {
        static SUBSCRIBER: Once = Once::new();
        SUBSCRIBER.call_once(|| {
            tracing_subscriber::fmt()
                .with_ansi(false)
                .without_time()
                .with_max_level(tracing::Level::TRACE)
                .with_span_events(FmtSpan::NEW | FmtSpan::CLOSE)
                .with_writer(|| Lines)
                .init();
        });
        LINES.with_borrow_mut(Vec::clear);
        Self(())
    }

    pub(crate) fn text(&self) -> String {
        LINES.with_borrow(|bytes| String::from_utf8(bytes.clone()).unwrap())
    }
}

struct Lines;

thread_local! {
    static LINES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LINES.with_borrow_mut(|lines| lines.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
