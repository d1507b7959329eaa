//! GNOME Keyring on a D-Bus of its own.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use vouchsafe_core::store::contract::Server;

use crate::found;
use crate::process::Process;

/// Returns the address of the bus of the keyring that a test started with this folder.
#[must_use]
pub fn bus(place: &Path) -> String {
    format!("unix:path={}", place.join("bus").display())
}

/// Starts GNOME Keyring with an unlocked keyring, on a bus of its own, or says that the test is
/// skipped.
#[must_use]
pub fn keyring(place: &Path) -> Option<Box<dyn Server>> {
    keyring_with(place, PASSWORD)
}

/// Starts GNOME Keyring again with a keyring that stays locked: its password is another.
#[must_use]
pub fn locked_keyring(place: &Path) -> Option<Box<dyn Server>> {
    keyring_with(place, "another password")
}

/// The password of the keyring.
const PASSWORD: &str = "planted by the tests";

fn keyring_with(place: &Path, password: &str) -> Option<Box<dyn Server>> {
    let daemon = found("dbus-daemon", "apt-get install dbus", &[])?;
    let sender = found("dbus-send", "apt-get install dbus", &[])?;
    let keyring = found("gnome-keyring-daemon", "apt-get install gnome-keyring", &[])?;
    let address = bus(place);
    // A bus that starts no services: a keyring that it started would be locked.
    let config = format!(
        r#"<busconfig>
  <type>session</type>
  <listen>{address}</listen>
  <policy context="default">
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
    <allow own="*"/>
  </policy>
</busconfig>"#
    );
    fs::write(place.join("bus.conf"), config).unwrap();
    fs::write(place.join("password"), password).unwrap();
    let run = place.join("run");
    fs::create_dir_all(&run).unwrap();
    let command = ["sh", "-c", SHELL, "sh"].map(str::to_owned).into_iter();
    let command = command
        .chain([place, &keyring, &daemon].map(|path| path.display().to_string()))
        .collect();
    let ready = move || is_unlocked(&sender, &address);
    let mut process = Process::new(command, "KILL", ready).log(&place.join("server.log"));
    process.start();
    Some(Box::new(process))
}

/// The bus, which becomes this process, and the keyring as its child.
const SHELL: &str = r#"
export HOME="$1" XDG_DATA_HOME="$1/data" XDG_RUNTIME_DIR="$1/run" DBUS_SESSION_BUS_ADDRESS="unix:path=$1/bus"
chmod 700 "$1/run"
rm -f "$1/bus"
(
  while ! [ -S "$1/bus" ]; do sleep 0.02; done
  exec "$2" --foreground --unlock --components=secrets <"$1/password"
) &
exec "$3" --nofork --config-file="$1/bus.conf"
"#;

/// Returns whether there is a service with a default keyring.
fn is_unlocked(sender: &Path, address: &str) -> bool {
    let asked = Command::new(sender)
        .arg(format!("--bus={address}"))
        .args(["--print-reply", "--dest=org.freedesktop.secrets"])
        .args([
            "/org/freedesktop/secrets",
            "org.freedesktop.Secret.Service.ReadAlias",
        ])
        .arg("string:default")
        .stderr(Stdio::null())
        .output();
    let answer = asked.unwrap().stdout;
    String::from_utf8_lossy(&answer).contains("/org/freedesktop/secrets/collection/")
}
