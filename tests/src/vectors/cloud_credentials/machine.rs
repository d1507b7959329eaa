//! A separate machine for a case: files, variables, a clock, a network, and its objects.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Map, Value};
use vouchsafe::cloud_credentials::file::FileStore;
use vouchsafe::cloud_credentials::{
    BodyFormat, Claims, Credentials, CredentialsBuilder, Environment, Secret,
};
use vouchsafe::core::call::Retry;
use vouchsafe::core::mock::ManualClock;
use vouchsafe::core::store::MemoryStore;
use vouchsafe::core::sync::lock;
use vouchsafe::core::transport::Transport;

use super::expected::Case;
use super::network::Network;
use super::stats::Stats;
use super::wire::Wire;
use crate::vectors::schema::unknown_key;

type Variables = Arc<Mutex<BTreeMap<String, String>>>;

/// The state that all steps of a case share.
pub(super) struct Machine {
    folder: tempfile::TempDir,
    pub(super) store_path: PathBuf,
    variables: Variables,
    pub(super) clock: Arc<ManualClock>,
    pub(super) network: Network,
    /// The connections, in a case that is about them.
    pub(super) wire: Option<Wire>,
    pub(super) credentials: BTreeMap<String, Credentials>,
    /// What the services were called for.
    pub(super) stats: Arc<Stats>,
    /// The state of the last login.
    pub(super) state: Option<String>,
    /// The claims that were read last.
    pub(super) claims: Option<Claims>,
    /// Whether requests are forms.
    writes_forms: bool,
    is_second_generation: bool,
}

impl Machine {
    pub(super) async fn new(case: &Case) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|cause| cause.to_string())?;
        let setup = &case.setup;
        let store = match setup.store_path.as_deref() {
            None | Some("$STORE") => "$TMP/pan/credentials.json".to_owned(),
            Some(other) => other.to_owned(),
        };
        // Recorded after the last step.
        let advances = case.steps.iter().filter(|step| step.deed == "clock");
        let advances = advances.filter_map(|step| step.args.get("advance_seconds")?.as_f64());
        let now = setup.now.unwrap_or_default() - advances.sum::<f64>();
        let now = UNIX_EPOCH + Duration::from_secs_f64(now);
        let clock = Arc::new(ManualClock::new(now));
        let program = case.program.as_str().unwrap_or_default();
        let mut machine = Self {
            store_path: PathBuf::new(),
            folder,
            variables: Variables::default(),
            clock,
            network: Network::default(),
            wire: None,
            credentials: BTreeMap::new(),
            stats: Arc::default(),
            is_second_generation: program.starts_with("pan-cortex-data-lake"),
            state: None,
            claims: None,
            writes_forms: ["pancloud-1.2", "pancloud-1.3"]
                .iter()
                .any(|old| program.starts_with(old)),
        };
        machine.wire = Wire::start(case, &machine.network, machine.folder.path()).await?;
        machine.store_path = PathBuf::from(machine.replaced(&store));
        for (name, value) in &setup.env {
            machine.set_variable(name, value);
        }
        if let Some(text) = &setup.store_text {
            machine.write_store(text)?;
            if let Some(mode) = &setup.store_mode {
                set_mode(&machine.store_path, mode)?;
            }
        }
        for (path, text) in &setup.home_files {
            let path = machine.folder.path().join("home").join(path);
            make_folder(&path)?;
            fs::write(path, text).map_err(|cause| cause.to_string())?;
        }
        Ok(machine)
    }

    /// Puts the paths of this machine into a text.
    pub(super) fn replaced(&self, text: &str) -> String {
        let folder = self.folder.path().display().to_string();
        text.replace("$STORE", &self.store_path.display().to_string())
            .replace("$HOME", &format!("{folder}/home"))
            .replace("$TMP", &folder)
            .replace(":$PORT", &self.port())
    }

    /// Returns the end of the URLs of servers. Where no connection is made, it is not needed.
    pub(super) fn port(&self) -> String {
        let wire = self.wire.as_ref();
        wire.map_or_else(String::new, |wire| format!(":{}", wire.port))
    }

    /// Returns the transport of an object with these arguments.
    pub(super) fn transport(
        &self,
        args: &Map<String, Value>,
    ) -> Result<Arc<dyn Transport>, String> {
        let wire = self.wire.as_ref().map(|wire| wire.transport(args));
        let made = wire.transpose()?.flatten();
        Ok(made.unwrap_or_else(|| Arc::new(self.network.clone())))
    }

    pub(super) fn set_variable(&self, name: &str, value: &str) {
        lock(&self.variables).insert(name.to_owned(), self.replaced(value));
    }

    pub(super) fn unset_variable(&self, name: &str) {
        lock(&self.variables).remove(name);
    }

    fn variable(&self, name: &str) -> Option<String> {
        lock(&self.variables).get(name).cloned()
    }

    fn environment(&self) -> Environment {
        let variables = Arc::clone(&self.variables);
        Environment::from_fn(move |name| {
            lock(&variables)
                .get(name)
                .map(|value| Secret::from(value.as_str()))
        })
    }

    /// Writes the file as another program does, into the file that is there.
    pub(super) fn write_store(&self, text: &str) -> Result<(), String> {
        make_folder(&self.store_path)?;
        fs::write(&self.store_path, text).map_err(|cause| cause.to_string())
    }

    /// Puts another file into the place of the file.
    pub(super) fn replace_store(&self, text: &str) -> Result<(), String> {
        make_folder(&self.store_path)?;
        let other = self.store_path.with_extension("other");
        fs::write(&other, text).map_err(|cause| cause.to_string())?;
        fs::rename(other, &self.store_path).map_err(|cause| cause.to_string())
    }

    /// Returns the text of the file.
    pub(super) fn store_text(&self) -> Option<String> {
        fs::read_to_string(&self.store_path).ok()
    }

    /// Returns a base URL with the port that arguments say, unless it has one.
    pub(super) fn with_port(&self, url: &str, args: &Map<String, Value>) -> Result<String, String> {
        let url = self.replaced(url);
        let port = match args.get("port") {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(port)) if port == "$PORT" => self.port(),
            Some(Value::Number(port)) => format!(":{port}"),
            Some(other) => return Err(format!("not a port: {other}")),
        };
        let (scheme, rest) = url.split_once("://").unwrap_or(("", &url));
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        Ok(match authority.contains(':') || scheme.is_empty() {
            true => url,
            false => format!("{scheme}://{authority}{port}{path}"),
        })
    }

    /// Builds credentials from keyword arguments, and those of their session. An object without
    /// a session makes one of its own arguments.
    pub(super) fn build(
        &self,
        args: &Map<String, Value>,
        session: Option<&Map<String, Value>>,
    ) -> Result<Credentials, String> {
        let session = session.unwrap_or(args);
        let mut builder = Credentials::builder()
            .environment(self.environment())
            .transport(self.transport(session)?)
            .clock(Arc::clone(&self.clock) as _)
            .retry(Retry::none());
        if self.writes_forms {
            builder = builder.body_format(BodyFormat::Form);
        }
        let mut path = match self.variable("PAN_CREDENTIALS_DBFILE") {
            Some(path) if !path.is_empty() => PathBuf::from(path),
            _ => self.store_path.clone(),
        };
        if session.contains_key("port") {
            builder = builder.token_url(self.with_port(TOKEN_URL, session)?);
        }
        let mut is_in_memory = false;
        for (name, value) in args {
            if value.is_null() {
                continue;
            }
            if name == "storage_params" {
                if let Some(file) = value["dbfile"].as_str() {
                    path = PathBuf::from(self.replaced(file));
                }
                let known = ["dbfile", "memory_storage"];
                if let Some(other) = unknown_key(value, &known) {
                    return Err(format!("no runner for the parameter {other} of the store"));
                }
                is_in_memory |= value["memory_storage"] == true;
                continue;
            }
            if name == "storage_adapter" {
                let name = value.as_str().unwrap_or_default();
                is_in_memory |= name == "vec_adapter.MemStore";
                if !is_in_memory && !name.ends_with(".adapters.tinydb_adapter.TinyDBStore") {
                    return Err(format!("no runner for the adapter {value}"));
                }
                continue;
            }
            builder = self.option(builder, name, value, session)?;
        }
        let builder = match is_in_memory {
            true => builder.store(Arc::new(MemoryStore::new())),
            false => builder.store(Arc::new(FileStore::new(path))),
        };
        builder.build().map_err(|error| error.to_string())
    }

    fn option(
        &self,
        builder: CredentialsBuilder,
        name: &str,
        value: &Value,
        session: &Map<String, Value>,
    ) -> Result<CredentialsBuilder, String> {
        if name == "cache_token" {
            return Ok(builder.cache_token(value.as_bool().unwrap_or(true)));
        }
        if name == "scope" {
            return Ok(builder.scopes(texts(value)));
        }
        // The transport is ours, and has read how to connect.
        if matches!(name, "session" | "port" | "proxies" | "verify" | "cert") {
            return Ok(builder);
        }
        if is_of_session(name, value) {
            return Ok(builder);
        }
        let Some(text) = value.as_str() else {
            return Err(format!("argument {name} is not text: {value}"));
        };
        let text = self.replaced(text);
        Ok(match name {
            "access_token" => builder.access_token(text),
            "auth_base_url" => builder.authorization_url(text),
            "client_id" => builder.client_id(text),
            "client_secret" => builder.client_secret(text),
            "developer_token" => builder.developer_token(text),
            "developer_token_provider" => builder.developer_token_provider(text),
            "developer_token_url" => {
                let url = self.with_port(&text, session)?;
                builder.developer_token_provider(format!("{url}/request_token"))
            }
            "instance_id" => builder.instance_id(text),
            "profile" => builder.profile(text),
            "redirect_uri" => builder.redirect_uri(text),
            "refresh_token" => builder.refresh_token(text),
            "region" => builder.region(text),
            "token_revoke_url" => builder.revocation_url(text),
            "token_url" => builder.token_url(self.with_port(&text, session)?),
            other => return Err(format!("no runner for the argument {other}")),
        })
    }

    /// Returns the URL of the services for a client that is given none.
    pub(super) fn usual_api(&self) -> &'static str {
        match self.is_second_generation {
            true => "https://api.us.cdl.paloaltonetworks.com",
            false => "https://api.us.paloaltonetworks.com",
        }
    }
}

/// Where tokens are requested without an argument that says where.
const TOKEN_URL: &str = "https://api.paloaltonetworks.com";

/// Returns whether an argument is one of sessions that changes nothing that is compared: how long
/// a request may take, how connections are kept, headers other than those of the schema, and what
/// becomes of an answer, of which this library reads as much as it needs.
pub(super) fn is_of_session(name: &str, value: &Value) -> bool {
    let compared = ["authorization", "content-type", "accept"];
    match name {
        "headers" => value.as_object().is_some_and(|headers| {
            let mut names = headers.keys().map(|name| name.to_ascii_lowercase());
            names.all(|name| !compared.contains(&name.as_str()))
        }),
        _ => [
            "allow_redirects",
            "auto_refresh",
            "cookies",
            "enforce_json",
            "force_trace",
            "max_retries",
            "pool_block",
            "pool_connections",
            "pool_maxsize",
            "raise_for_status",
            "stream",
            "timeout",
            "trust_env",
            // Tokens are not requested there.
            "url",
        ]
        .contains(&name),
    }
}

/// Returns the texts of a list, or the one text.
pub(super) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        other => other.as_str().map(str::to_owned).into_iter().collect(),
    }
}

fn make_folder(path: &Path) -> Result<(), String> {
    let folder = path.parent().ok_or("no folder")?;
    fs::create_dir_all(folder).map_err(|cause| cause.to_string())
}

/// Returns the permissions of a file or a folder, if it is there.
pub(super) fn mode_of(path: &Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt as _;

    let about = std::fs::metadata(path).ok()?;
    Some(format!("{:04o}", about.permissions().mode() & 0o7777))
}

pub(super) fn set_mode(path: &Path, mode: &str) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = u32::from_str_radix(mode, 8).map_err(|_| format!("not a mode: {mode}"))?;
    let permissions = fs::Permissions::from_mode(mode);
    fs::set_permissions(path, permissions).map_err(|cause| cause.to_string())
}
