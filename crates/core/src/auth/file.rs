//! Tokens in files.

use std::fmt;
use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::kept::{Fetched, Kept, Otherwise};
use super::{Token, TokenSource};
use crate::open::{require_regular, without_waiting};
use crate::task::{MayHang, Turn};
use crate::{BoxFuture, Error, ErrorKind, Result, Secret};

/// A token in a file that another program renews, such as a mounted Kubernetes secret.
///
/// The file is read on first use, after a refusal, and when the token is needed a second or more after
/// the last reading; in between, the token is kept in memory. While one caller looks for a newer token, for
/// a second at most, the others use the one in memory. If a later reading fails or finds no token, the last
/// good token is kept.
///
/// On a file system that does not answer, a reading hangs. No caller waits for it longer than five seconds,
/// after which it counts as failed; another one then begins, and while that hangs too, the next ones begin
/// after ten, twenty, forty seconds and so on ([`MayHang`]). The path must lead to a regular file:
/// reading a pipe could block forever.
pub struct FileToken {
    path: PathBuf,
    kept: Kept,
    #[cfg(test)]
    reads: std::sync::atomic::AtomicUsize,
    /// While a test has this locked, readings hang.
    #[cfg(test)]
    disk: std::sync::Arc<tokio::sync::Mutex<()>>,
}

impl FileToken {
    /// Creates a source for the file without reading it. White space around the token is removed.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let readings = MayHang::new("reading the file", LONGEST_READING);
        let origin = format!("{WHAT} {}", path.display());
        Self {
            path,
            kept: Kept::new("file", Some(READ_AGAIN), readings).about(origin),
            #[cfg(test)]
            reads: std::sync::atomic::AtomicUsize::new(0),
            #[cfg(test)]
            disk: std::sync::Arc::default(),
        }
    }

    /// Returns the file's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    async fn read(&self, turn: Turn) -> Fetched {
        #[cfg(test)]
        self.reads
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        #[cfg(test)]
        let disk = std::sync::Arc::clone(&self.disk);
        let path = self.path.clone();
        let read = self.kept.fetches.in_turn(turn, move || {
            #[cfg(test)]
            drop(disk.blocking_lock());
            read_file(WHAT, &path)
        });
        match read.await {
            Ok((read, turn)) => (read, Some(turn)),
            Err(error) => (Err(error.with_kind(ErrorKind::Credential)), None),
        }
    }
}

impl TokenSource for FileToken {
    fn token(&self) -> BoxFuture<'_, Result<Token>> {
        let read = |turn| self.read(turn);
        Box::pin(self.kept.get(read, Otherwise::LastToken))
    }

    fn forget(&self, generation: u64) {
        self.kept.forget(generation);
    }
}

impl fmt::Debug for FileToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileToken")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// Reads a secret from a small file, without the white space around it. Blocks while it reads.
///
/// `what` names the file in errors, such as "token file". The path must lead to a regular file:
/// reading a pipe could block forever.
///
/// # Errors
///
/// [`ErrorKind::Credential`] if the file cannot be read, is larger than 64 KiB, empty or not UTF-8.
/// The message includes the path, but nothing from the file.
pub fn read_file(what: &str, path: &Path) -> Result<Secret> {
    let fail = |why: &str| {
        Error::new(ErrorKind::Credential, why)
            .with_origin(format_args!("{what} {}", path.display()))
    };
    let mut options = OpenOptions::new();
    without_waiting(options.read(true), true);
    let file = options
        .open(path)
        .map_err(|cause| fail("cannot be opened").with_source(cause))?;
    let unread = |cause| fail("cannot be read").with_source(cause);
    let about = file.metadata().map_err(unread)?;
    require_regular(&about).map_err(|cause| fail("is not a regular file").with_source(cause))?;
    let text = Secret::read(file, MAX_FILE).map_err(|cause| match cause.kind() {
        io::ErrorKind::InvalidData => fail("is larger than 64 KiB or not UTF-8").with_source(cause),
        _ => unread(cause),
    })?;
    let secret = text.trimmed();
    match secret.is_empty() {
        true => Err(fail("is empty")),
        false => Ok(secret),
    }
}

/// What errors call the file.
const WHAT: &str = "token file";

/// For how long a reading is waited for.
const LONGEST_READING: Duration = Duration::from_secs(5);

/// After how long a file is read again.
const READ_AGAIN: Duration = Duration::from_secs(1);

/// The largest file that is read.
const MAX_FILE: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::FutureExt as _;
    use tokio::time::advance;

    use super::*;

    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let file = format!("vouchsafe-{}-{name}", std::process::id());
            Self(std::env::temp_dir().join(file))
        }

        fn write(&self, text: &str) {
            std::fs::write(&self.0, text).unwrap();
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_is_read_again_after_a_second_by_one_caller() {
        let file = Scratch::new("rotated");
        file.write("one");
        let source = FileToken::new(&file.0);
        let reads = || source.reads.load(std::sync::atomic::Ordering::Relaxed);
        let first = source.token().await.unwrap();
        file.write("two");
        tokio::time::advance(Duration::from_millis(999)).await;
        assert_eq!(source.token().await.unwrap().secret().expose(), "one");
        tokio::time::advance(Duration::from_millis(1)).await;
        let turn = source.kept.fetches.try_turn().unwrap();
        assert_eq!(source.token().await.unwrap().secret().expose(), "one");
        drop(turn);
        tokio::time::advance(Duration::from_secs(1)).await;
        let second = source.token().await.unwrap();
        assert_eq!(second.secret().expose(), "two");
        assert_ne!(second.generation(), first.generation());
        assert_eq!(source.token().await.unwrap().secret().expose(), "two");
        assert_eq!(reads(), 2);
        // The same again is the same generation.
        tokio::time::advance(Duration::from_secs(1)).await;
        let same = source.token().await.unwrap();
        assert_eq!((same.generation(), reads()), (second.generation(), 3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_that_is_emptied_or_removed_leaves_the_last_token() {
        let file = Scratch::new("emptied");
        file.write("one");
        let source = FileToken::new(&file.0);
        let first = source.token().await.unwrap();
        let kept = async || {
            tokio::time::advance(Duration::from_secs(1)).await;
            source.token().await.unwrap().generation() == first.generation()
        };
        file.write("\n");
        assert!(kept().await);
        std::fs::remove_file(&file.0).unwrap();
        assert!(kept().await);
        file.write("two");
        assert!(!kept().await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_that_is_given_up_is_made_a_second_later() {
        let file = Scratch::new("given-up");
        file.write("one");
        let source = FileToken::new(&file.0);
        source.token().await.unwrap();
        file.write("two");
        tokio::time::advance(Duration::from_secs(1)).await;
        let never = |_| std::future::pending();
        let given_up = source.kept.get(never, Otherwise::LastToken).now_or_never();
        assert!(given_up.is_none());
        assert_eq!(source.token().await.unwrap().secret().expose(), "one");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(source.token().await.unwrap().secret().expose(), "two");
    }

    #[tokio::test(start_paused = true)]
    async fn a_reading_that_hangs_is_the_only_one_and_holds_up_one_caller_that_has_a_token() {
        let file = Scratch::new("hangs");
        file.write("one");
        let source = FileToken::new(&file.0);
        let first = source.token().await.unwrap();
        file.write("two");
        let disk = Arc::clone(&source.disk).lock_owned().await;
        tokio::time::advance(READ_AGAIN).await;
        let mut looking = source.token();
        assert!((&mut looking).now_or_never().is_none());
        tokio::time::advance(READ_AGAIN).await;
        assert_eq!(looking.await.unwrap().generation(), first.generation());
        for _ in 0..3 {
            tokio::time::advance(READ_AGAIN).await;
            let same = source.token().now_or_never().expect("it waits for nothing");
            assert_eq!(same.unwrap().generation(), first.generation());
        }
        source.forget(first.generation());
        let mut waiting = source.token();
        assert!((&mut waiting).now_or_never().is_none());
        assert_eq!(source.reads.load(std::sync::atomic::Ordering::Relaxed), 2);
        drop(disk);
        assert_eq!(waiting.await.unwrap().secret().expose(), "two");
    }

    #[tokio::test(start_paused = true)]
    async fn a_first_reading_that_hangs_is_given_up_and_the_next_caller_reads_again() {
        let file = Scratch::new("dead");
        file.write("one");
        let mut source = FileToken::new(&file.0);
        let disk = Arc::clone(&source.disk).lock_owned().await;
        {
            let mut first = source.token();
            assert!((&mut first).now_or_never().is_none());
            advance(LONGEST_READING).await;
            let error = first.await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Credential);
            assert!(error.is_retryable());
            let message = error.message();
            assert!(
                message.contains("-dead: ") && message.ends_with("within 5 s"),
                "{message}"
            );
        }
        // The path leads to a disk that answers.
        source.disk = Arc::default();
        assert_eq!(source.token().await.unwrap().secret().expose(), "one");
        drop(disk);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_token_is_the_last_good_one_while_readings_hang() {
        let file = Scratch::new("refused");
        file.write("one");
        let mut source = FileToken::new(&file.0);
        let first = source.token().await.unwrap();
        let disk = Arc::clone(&source.disk).lock_owned().await;
        source.forget(first.generation());
        {
            let mut waiting = source.token();
            assert!((&mut waiting).now_or_never().is_none());
            advance(LONGEST_READING).await;
            assert_eq!(waiting.await.unwrap().generation(), first.generation());
        }
        // Few threads are lost, and nearly all callers wait for nothing.
        for _ in 0..1_000 {
            if let Some(same) = source.token().now_or_never() {
                assert_eq!(same.unwrap().generation(), first.generation());
            }
            advance(READ_AGAIN).await;
        }
        let reads = source.reads.load(std::sync::atomic::Ordering::Relaxed);
        assert_eq!(reads, 9);
        file.write("two");
        source.disk = Arc::default();
        advance(Duration::from_secs(6_000)).await;
        assert_eq!(source.token().await.unwrap().secret().expose(), "two");
        drop(disk);
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_that_was_read_before_its_refusal_is_not_used_after_it() {
        let file = Scratch::new("early");
        file.write("one");
        let source = FileToken::new(&file.0);
        let first = source.token().await.unwrap();
        tokio::time::advance(Duration::from_secs(1)).await;
        let early = async |turn| {
            let read = source.read(turn).await;
            file.write("two");
            source.forget(first.generation());
            read
        };
        let early = source.kept.get(early, Otherwise::LastToken).await;
        assert_eq!(early.unwrap().secret().expose(), "one");
        assert_eq!(source.token().await.unwrap().secret().expose(), "two");
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_is_read_again_after_a_refusal() {
        let file = Scratch::new("reread");
        file.write("one\n");
        let source = FileToken::new(&file.0);
        let first = source.token().await.unwrap();
        file.write("two");
        assert_eq!(source.token().await.unwrap().secret().expose(), "one");
        source.forget(first.generation());
        let second = source.token().await.unwrap();
        assert_eq!(second.secret().expose(), "two");
        assert_ne!(second.generation(), first.generation());
    }

    #[tokio::test]
    async fn a_refused_token_that_is_still_in_the_file_has_no_newer_one() {
        let file = Scratch::new("same");
        file.write("planted");
        let source = FileToken::new(&file.0);
        let first = source.token().await.unwrap();
        source.forget(first.generation());
        let same = source.token().await.unwrap();
        assert_eq!(same.generation(), first.generation());
        let shown = format!("{source:?}");
        assert!(
            shown.contains("-same") && !shown.contains("planted"),
            "{shown}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_refusal_does_not_forget_the_newer_token() {
        let file = Scratch::new("late");
        file.write("one");
        let source = FileToken::new(&file.0);
        let first = source.token().await.unwrap();
        file.write("two");
        source.forget(first.generation());
        source.token().await.unwrap();
        file.write("three");
        source.forget(first.generation());
        assert_eq!(source.token().await.unwrap().secret().expose(), "two");
    }

    #[tokio::test(start_paused = true)]
    async fn concurrent_callers_share_one_read() {
        let file = Scratch::new("shared");
        file.write("one");
        let source = FileToken::new(&file.0);
        let (one, two) = tokio::join!(source.token(), source.token());
        assert_eq!(one.unwrap().secret().expose(), "one");
        assert_eq!(two.unwrap().secret().expose(), "one");
        let reads = source.reads.load(std::sync::atomic::Ordering::Relaxed);
        assert_eq!(reads, 1);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_pipe_or_a_folder_is_refused_without_waiting() {
        let pipe = Scratch::new("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe.0).status();
        assert!(made.unwrap().success());
        for path in [pipe.0.clone(), std::env::temp_dir()] {
            let error = FileToken::new(path).token().await.unwrap_err();
            assert!(error.message().contains("is not a regular file"), "{error}");
        }
    }

    #[tokio::test]
    async fn the_last_good_token_stays_when_the_file_goes() {
        let file = Scratch::new("gone");
        file.write("one");
        let source = FileToken::new(&file.0);
        let first = source.token().await.unwrap();
        std::fs::remove_file(&file.0).unwrap();
        source.forget(first.generation());
        assert_eq!(
            source.token().await.unwrap().generation(),
            first.generation()
        );
    }

    #[tokio::test]
    async fn a_file_that_is_missing_or_holds_no_token_is_a_clear_error() {
        let file = Scratch::new("empty");
        let source = FileToken::new(&file.0);
        let error = source.token().await.unwrap_err();
        assert!(error.message().contains("cannot be opened"), "{error}");
        file.write(" \n");
        let error = source.token().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Credential);
        assert!(error.message().contains("is empty"), "{error}");
        file.write("\u{feff}planted\r\n");
        assert_eq!(source.token().await.unwrap().secret().expose(), "planted");
        let source = FileToken::new(&file.0);
        file.write(&"x".repeat(65 << 10));
        let error = source.token().await.unwrap_err();
        assert!(error.message().contains("is larger than 64 KiB"), "{error}");
    }
}
