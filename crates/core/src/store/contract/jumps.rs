//! A process whose clock is set while it runs, as `faketime` does it.

use std::fs;
use std::io::BufRead as _;
use std::path::Path;
use std::process::Command;

use super::{HOUR, Place, READY, Suite, TIME, Time, held, is_refused, key, skip, tell};
use crate::{Clock as _, SystemClock};

impl Suite {
    /// Where the server ends leases, a process whose clock is set an hour forward or back neither loses
    /// its own to another process nor takes that of another.
    pub fn a_process_whose_clock_jumps_keeps_its_lease_and_takes_no_other(&self) {
        if self.time == Time::Process {
            println!("nothing to do: these leases end by the clock of each process");
            return;
        }
        let Some(library) = faketime() else {
            return skip("there is no faketime here; run `apt-get install faketime`");
        };
        self.run_shared(|place| async move {
            let file = place.path.join("clock");
            for ahead in ["+3600", "-3600"] {
                set(&file, "+0");
                let mut process = self.start_with(&place.path, JUMP, |command| {
                    command
                        .env("LD_PRELOAD", &library)
                        .env("FAKETIME_TIMESTAMP_FILE", &file)
                        .env("FAKETIME_NO_CACHE", "1")
                        // By its old name, too.
                        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
                        .env("DONT_FAKE_MONOTONIC", "1");
                });
                process.wait_for(READY);
                process.go_on();
                process.wait_for(HOLDS);
                assert!(is_refused(&place.acquire().await));
                set(&file, ahead);
                process.go_on();
                process.wait_for(RENEWED);
                assert!(is_refused(&place.acquire().await), "{ahead}: it was lost");
                process.go_on();
                process.wait_for(RELEASED);
                let lease = held(place.acquire().await);
                process.go_on();
                process.wait_for(REFUSED);
                process.go_on();
                assert!(process.child.wait().unwrap().success());
                assert!(place.leases.release(lease).await.unwrap());
            }
        });
    }
}

/// What the process whose clock is set does, and says after each step.
pub(super) const JUMP: &str = "jump";
const HOLDS: &str = "holds";
const RENEWED: &str = "renewed";
const RELEASED: &str = "released";
const REFUSED: &str = "refused";

/// The work of that process.
pub(super) async fn jump(place: &Place) {
    let said = |word| {
        tell(word);
        let _ = std::io::stdin().lock().read_line(&mut String::new());
    };
    let before = SystemClock::new().now();
    let mut lease = held(place.acquire().await);
    said(HOLDS);
    let now = SystemClock::new().now();
    let jumped = now.duration_since(before);
    let jumped = jumped.unwrap_or_else(|back| back.duration());
    assert!(jumped > HOUR / 2, "the clock was not set: {jumped:?}");
    assert!(place.leases.renew(&mut lease, TIME).await.unwrap());
    said(RENEWED);
    assert!(place.leases.release(lease).await.unwrap());
    said(RELEASED);
    assert!(is_refused(
        &place.leases.acquire(&key(), TIME).await.unwrap()
    ));
    said(REFUSED);
}

/// Returns the library that changes the clock of a process which loads it.
fn faketime() -> Option<String> {
    let asked = ["-m", "-f", "+0", "sh", "-c", "printf %s \"$LD_PRELOAD\""];
    let answer = Command::new("faketime").args(asked).output().ok()?;
    String::from_utf8(answer.stdout).ok()
}

/// Sets the clock of the process to this many seconds from the true time.
fn set(file: &Path, ahead: &str) {
    // The process may read it at any moment.
    let draft = file.with_extension("new");
    fs::write(&draft, ahead).unwrap();
    fs::rename(&draft, file).unwrap();
}
