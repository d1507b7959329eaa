//! Where tokens come from.

use std::fmt;
use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;
use tokio::time::{Instant, timeout};

use super::{Renewals, Token};
use crate::deadline::after;
use crate::open::{require_regular, without_waiting};
use crate::sync::lock;
use crate::task::blocking;
use crate::{BoxFuture, Error, ErrorKind, Result, Secret, env};

/// Supplies a token for each attempt.
///
/// A source need not keep the tokens that it fetches: [`Cached`](super::Cached) does that.
pub trait TokenSource: fmt::Debug + Send + Sync + 'static {
    /// Returns a token that is valid now, as far as the source knows.
    fn token(&self) -> BoxFuture<'_, Result<Token>>;

    /// Reports that the server refused the token of this generation. Afterwards [`token`]
    /// may return a token of a newer generation; a source that has no newer token does nothing.
    ///
    /// [`token`]: TokenSource::token
    fn forget(&self, generation: u64) {
        let _ = generation;
    }
}

/// A token that never changes.
#[derive(Clone, Debug)]
pub struct StaticToken(Token);

impl StaticToken {
    /// Creates a source that always returns this token.
    #[must_use]
    pub fn new(secret: Secret) -> Self {
        Self(Token::new(secret))
    }
}

impl TokenSource for StaticToken {
    fn token(&self) -> BoxFuture<'_, Result<Token>> {
        Box::pin(std::future::ready(Ok(self.0.clone())))
    }
}

/// The value that an environment variable had when this source was created.
#[derive(Clone, Debug)]
pub struct EnvToken(StaticToken);

impl EnvToken {
    /// Reads the variable. White space and line ends around the token are removed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the variable is unset, empty, not Unicode or in quotes.
    pub fn from_env(variable: &str) -> Result<Self> {
        match env::secret(variable)? {
            Some(token) => Ok(Self(StaticToken::new(token))),
            None => Err(Error::new(
                ErrorKind::Config,
                format!("{variable} not set in environment"),
            )),
        }
    }
}

impl TokenSource for EnvToken {
    fn token(&self) -> BoxFuture<'_, Result<Token>> {
        self.0.token()
    }
}

/// A token in a file that another program renews, such as a mounted Kubernetes secret.
///
/// The file is read on first use, after a refusal, and when the token is needed a second or more after
/// the last reading; in between, the token is kept in memory. While one caller looks for a newer token, for
/// a second at most, the others use the one in memory. While a reading hangs, as on a file system that
/// does not answer, no second one begins, and callers go on with the token in memory unless it was refused;
/// a reading that never ends is the last one. If a later reading fails or finds no token, the last good
/// token is kept. The path must lead to a regular file: reading a pipe could block forever.
pub struct FileToken {
    path: PathBuf,
    kept: Kept,
    #[cfg(test)]
    reads: std::sync::atomic::AtomicUsize,
    /// While a test has this locked, readings hang.
    #[cfg(test)]
    disk: Arc<tokio::sync::Mutex<()>>,
}

/// The token of a source that fetches tokens, until it is refused.
struct Kept {
    renewals: Renewals,
    /// After how long another token may be there, although this one was not refused.
    interval: Option<Duration>,
    held: Mutex<Held>,
    /// One fetch at a time; the others wait. Two concurrent fetches could finish in the wrong order
    /// and leave the older token.
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// The turn of one caller to fetch. A fetch that goes on without its caller keeps it to the end.
type Turn = OwnedMutexGuard<()>;

#[derive(Default)]
struct Held {
    token: Option<Token>,
    refused: bool,
    /// How many fetches have begun, and how many of them have ended.
    begun: u64,
    ended: u64,
    /// How many had begun when the token was refused: those may have read what was refused.
    stale: u64,
    /// When the next one begins, at the latest.
    due_at: Option<Instant>,
}

impl Held {
    fn good(&self) -> Option<Token> {
        self.token.clone().filter(|_| !self.refused)
    }
}

/// What counts if a refused token cannot be replaced.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Otherwise {
    LastToken,
    Error,
}

impl Kept {
    fn new(source: &'static str, interval: Option<Duration>) -> Self {
        Self {
            renewals: Renewals::new(source),
            interval,
            held: Mutex::default(),
            turn: Arc::default(),
        }
    }

    /// Returns the token in memory, if it is good, and whether another may be there.
    fn look(&self) -> (Option<Token>, bool) {
        let mut held = lock(&self.held);
        let is_due = held.due_at.is_some_and(|due_at| Instant::now() >= due_at);
        if is_due {
            held.due_at = self.due_after(Instant::now());
        }
        (held.good(), is_due)
    }

    /// Returns the number of the first fetch that may replace what is in memory.
    fn needed(&self) -> u64 {
        let held = lock(&self.held);
        match held.refused {
            true => held.stale + 1,
            false => held.ended + 1,
        }
    }

    fn due_after(&self, now: Instant) -> Option<Instant> {
        self.interval.map(|interval| after(now, interval))
    }

    async fn get<F: Future<Output = (Result<Secret>, Option<Turn>)>>(
        &self,
        fetch: impl FnOnce(Turn) -> F,
        otherwise: Otherwise,
    ) -> Result<Token> {
        match self.look() {
            (Some(token), false) => return Ok(token),
            // One caller looks for another token, and not for longer than until the next look.
            (Some(token), true) => {
                let Ok(turn) = Arc::clone(&self.turn).try_lock_owned() else {
                    return Ok(token);
                };
                let longest = self.interval.unwrap_or_default();
                let looked = timeout(longest, self.fetched(turn, fetch, otherwise)).await;
                return looked.unwrap_or_else(|_| {
                    tracing::debug!("a token takes long to read; the last one is used");
                    Ok(token)
                });
            }
            (None, _) => {}
        }
        let needed = self.needed();
        let turn = Arc::clone(&self.turn).lock_owned().await;
        {
            let held = lock(&self.held);
            if held.ended >= needed
                && let Some(token) = held.good()
            {
                return Ok(token);
            }
        }
        self.fetched(turn, fetch, otherwise).await
    }

    async fn fetched<F: Future<Output = (Result<Secret>, Option<Turn>)>>(
        &self,
        turn: Turn,
        fetch: impl FnOnce(Turn) -> F,
        otherwise: Otherwise,
    ) -> Result<Token> {
        let number = {
            let mut held = lock(&self.held);
            held.begun += 1;
            held.begun
        };
        let (fetched, _turn) = fetch(turn).await;
        self.renewals.record(fetched.as_ref().err());
        let mut held = lock(&self.held);
        held.ended = number;
        held.due_at = self.due_after(Instant::now());
        // A refusal during the fetch is of what it may have read.
        let is_newer = number > held.stale;
        match (fetched, held.token.clone()) {
            (Ok(secret), Some(old)) if *old.secret() == secret => {
                held.refused &= !is_newer;
                Ok(old)
            }
            (Ok(secret), old) => {
                let generation = old.as_ref().map_or(0, Token::generation) + 1;
                let token = Token::new(secret).of_generation(generation);
                held.refused = false;
                held.token = Some(token.clone());
                Ok(token)
            }
            (Err(_), Some(old)) if otherwise == Otherwise::LastToken => {
                held.refused &= !is_newer;
                Ok(old)
            }
            (Err(error), _) => Err(error),
        }
    }

    fn forget(&self, generation: u64) {
        let mut held = lock(&self.held);
        let is_current = |token: &Token| token.generation() == generation;
        // What was begun since the first refusal is as good for the others.
        if !held.refused && held.token.as_ref().is_some_and(is_current) {
            held.refused = true;
            held.stale = held.begun;
        }
    }
}

impl FileToken {
    /// Creates a source for the file without reading it. White space around the token is removed.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            kept: Kept::new("file", Some(READ_AGAIN)),
            #[cfg(test)]
            reads: std::sync::atomic::AtomicUsize::new(0),
            #[cfg(test)]
            disk: Arc::default(),
        }
    }

    /// Returns the file's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    async fn read(&self, turn: Turn) -> (Result<Secret>, Option<Turn>) {
        #[cfg(test)]
        self.reads
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        #[cfg(test)]
        let disk = Arc::clone(&self.disk);
        let path = self.path.clone();
        let read = blocking("reading a token file", move || {
            #[cfg(test)]
            drop(disk.blocking_lock());
            (read_file("token file", &path), Some(turn))
        });
        read.await
            .unwrap_or_else(|error| (Err(error.with_kind(ErrorKind::Credential)), None))
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

/// A token that a function fetches, such as from a vault or from another program.
///
/// The function is called on first use and again after a refusal; in between, the token is kept in
/// memory. Concurrent callers share one call. An error is returned to the caller, and the next one
/// calls the function again.
///
/// ```
/// use vouchsafe_core::auth::{FnToken, TokenSource as _};
/// use vouchsafe_core::Secret;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let source = FnToken::new(|| async { Ok(Secret::from("fetched")) });
/// assert_eq!(source.token().await?.secret().expose(), "fetched");
/// # Ok::<(), vouchsafe_core::Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct FnToken {
    fetch: Box<dyn Fn() -> BoxFuture<'static, Result<Secret>> + Send + Sync>,
    kept: Kept,
}

impl FnToken {
    /// Creates a source for the function without calling it.
    #[must_use]
    pub fn new<F, Fut>(fetch: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Secret>> + Send + 'static,
    {
        Self {
            fetch: Box::new(move || Box::pin(fetch())),
            kept: Kept::new("function", None),
        }
    }

    async fn call(&self) -> Result<Secret> {
        let token = (self.fetch)().await?;
        match token.is_empty() {
            true => Err(Error::new(
                ErrorKind::Credential,
                "the function that fetches tokens returned an empty one",
            )),
            false => Ok(token),
        }
    }
}

impl TokenSource for FnToken {
    fn token(&self) -> BoxFuture<'_, Result<Token>> {
        let call = async |turn| (self.call().await, Some(turn));
        Box::pin(self.kept.get(call, Otherwise::Error))
    }

    fn forget(&self, generation: u64) {
        self.kept.forget(generation);
    }
}

impl fmt::Debug for FnToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FnToken").finish_non_exhaustive()
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

/// After how long a file is read again.
const READ_AGAIN: Duration = Duration::from_secs(1);

/// The largest file that is read.
const MAX_FILE: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

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
        let turn = source.kept.turn.lock().await;
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

    #[tokio::test]
    async fn a_function_is_called_again_after_a_refusal_or_an_error_only() {
        let answers = Mutex::new(vec!["two", "", "", "one"]);
        let source = FnToken::new(move || {
            let answer = lock(&answers).pop().unwrap();
            async move {
                tokio::task::yield_now().await;
                Ok(Secret::from(answer))
            }
        });
        let (first, same) = tokio::join!(source.token(), source.token());
        let first = first.unwrap();
        assert_eq!(first.secret().expose(), "one");
        assert_eq!(same.unwrap().generation(), first.generation());
        source.forget(first.generation());
        for _ in 0..2 {
            // Not the one that was refused.
            let error = source.token().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Credential);
        }
        assert_eq!(source.token().await.unwrap().secret().expose(), "two");
        source.forget(first.generation());
        assert_eq!(source.token().await.unwrap().secret().expose(), "two");
        assert_eq!(format!("{source:?}"), "FnToken { .. }");
    }

    #[test]
    fn an_unset_variable_is_a_clear_error() {
        let error = EnvToken::from_env("VOUCHSAFE_SURELY_UNSET").unwrap_err();
        assert_eq!(
            error.to_string(),
            "VOUCHSAFE_SURELY_UNSET not set in environment"
        );
    }
}
