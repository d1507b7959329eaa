//! `vouchsafe credentials init`: writes a profile from given values.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};
use vouchsafe::cloud_credentials::file::FileStore;
use vouchsafe::cloud_credentials::{CredentialsBuilder, Source};
use vouchsafe::core::Secret;

use super::given::{ClientSecretArgs, RefreshTokenArgs, client_id};
use super::reach::Reach;
use super::show::MASK;
use crate::failure::Failure;
use crate::output::{Answer, pairs};
use crate::secret::read_document;

/// Options of `init`.
#[derive(Args, Debug)]
pub(super) struct InitArgs {
    /// Reads a JSON object with client_id, client_secret and refresh_token from a file, or from
    /// standard input for -. It may name the profile and, as dbfile of storage_params, the file of
    /// credentials; --profile and --file come first
    #[arg(long, value_name = "FILE", conflicts_with_all = ["client_id", "client_secret_file",
        "client_secret_env", "client_secret_stdin", "refresh_token_file", "refresh_token_env",
        "refresh_token_stdin"])]
    from: Option<PathBuf>,
    /// The client's id [default: the environment variable PAN_CLIENT_ID]
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    #[command(flatten)]
    client_secret: ClientSecretArgs,
    #[command(flatten)]
    refresh_token: RefreshTokenArgs,
    /// Writes the profile; without it, only shows what would be written
    #[arg(long)]
    write: bool,
}

/// The values to write.
#[derive(Default)]
pub(super) struct Given {
    profile: Option<String>,
    client_id: Option<String>,
    client_secret: Option<Secret>,
    refresh_token: Option<Secret>,
    access_token: Option<Secret>,
    is_token_cached: Option<bool>,
    file: Option<PathBuf>,
}

pub(super) async fn run(reach: &Reach, args: &InitArgs) -> Result<Answer, Failure> {
    let mut given = Given::default();
    match &args.from {
        Some(path) => given.read(path)?,
        None => {
            let id = client_id(args.client_id.as_deref())?;
            let id = id.ok_or_else(|| {
                let hint = "give --client-id or --from, or use vouchsafe credentials generate";
                Failure::usage("PAN_CLIENT_ID is not set in the environment").hint(hint)
            })?;
            given.client_id = Some(id);
            if reach.has_secret() {
                given.client_secret = Some(args.client_secret.read()?);
            }
            given.refresh_token = Some(args.refresh_token.read()?);
        }
    }
    let (profile, store) = (given.profile(reach)?, given.store(reach)?);
    if args.write {
        given.write(reach).await?;
    }
    let masked = |secret: &Option<Secret>| secret.as_ref().map(|_| MASK);
    let path = store.path().display().to_string();
    let shown = json!({
        "written": args.write,
        "file": path,
        "profile": profile,
        "client_id": given.client_id,
        "client_secret": masked(&given.client_secret),
        "refresh_token": masked(&given.refresh_token),
        "access_token": masked(&given.access_token),
    });
    let human = match args.write {
        true => format!("wrote the profile {profile} into {path}"),
        false => {
            let row = |name: &str| {
                let text = shown[name].as_str().unwrap_or("-");
                (name.replace('_', " "), text.to_owned())
            };
            let rows = [
                "file",
                "profile",
                "client_id",
                "client_secret",
                "refresh_token",
                "access_token",
            ];
            format!(
                "{}\nnothing is written without --write",
                pairs(rows.map(row))
            )
        }
    };
    Ok(Answer::new(human, shown))
}

impl Given {
    /// Reads a JSON object from a file, or from standard input for `-`.
    pub(super) fn read(&mut self, path: &Path) -> Result<(), Failure> {
        let document = read_document(path)?;
        let place = path.display().to_string();
        let wrong = |what: &str| Failure::usage(format!("{place}: {what}"));
        match serde_json::from_str(document.expose()) {
            Ok(value) => self.merge(value, &place),
            Err(fault) => {
                let at = format!(
                    "not JSON at line {}, column {}",
                    fault.line(),
                    fault.column()
                );
                Err(wrong(&at))
            }
        }
    }

    /// Takes the members of an object. Members about requesting tokens are accepted, but nothing
    /// is requested here.
    pub(super) fn merge(&mut self, value: Value, place: &str) -> Result<(), Failure> {
        let wrong = |what: String| Failure::usage(format!("{place}: {what}"));
        let Value::Object(members) = value else {
            return Err(wrong("it is not a JSON object".to_owned()));
        };
        // All texts are wiped, also if one of them is wrong.
        let members: Vec<_> = members
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name, Member::from(value)))
            .collect();
        for (name, member) in members {
            let text = |member| match member {
                Member::Text(text) => Ok(text),
                Member::Other(_) => Err(wrong(format!("{name} is not text"))),
            };
            match (name.as_str(), member) {
                ("client_id", member) => self.client_id = Some(text(member)?.expose().to_owned()),
                ("client_secret", member) => self.client_secret = Some(text(member)?),
                ("refresh_token", member) => self.refresh_token = Some(text(member)?),
                ("access_token", member) => self.access_token = Some(text(member)?),
                ("profile", member) => self.profile = Some(text(member)?.expose().to_owned()),
                ("cache_token", Member::Other(Value::Bool(is_cached))) => {
                    self.is_token_cached = Some(is_cached);
                }
                ("cache_token", _) => return Err(wrong(format!("{name} is not true or false"))),
                ("storage_params", Member::Other(Value::Object(params))) => {
                    match params.get("dbfile") {
                        None | Some(Value::Null) => {}
                        Some(Value::String(path)) if path.is_empty() => {}
                        Some(Value::String(path)) => self.file = Some(PathBuf::from(path)),
                        _ => {
                            return Err(wrong("dbfile of storage_params is not text".to_owned()));
                        }
                    }
                }
                ("storage_params", _) => return Err(wrong(format!("{name} is not an object"))),
                (known, _) if OF_REQUESTS.contains(&known) => {}
                _ => {
                    let hint = "it may have client_id, client_secret, refresh_token, access_token \
                                and profile";
                    return Err(wrong(format!("unexpected member {name}")).hint(hint));
                }
            }
        }
        Ok(())
    }

    fn is_empty(&self) -> bool {
        self.client_id.is_none()
            && self.client_secret.is_none()
            && self.refresh_token.is_none()
            && self.access_token.is_none()
    }

    fn profile(&self, reach: &Reach) -> Result<String, Failure> {
        let found = reach.profile_or(self.profile.as_deref())?;
        Ok(found.unwrap_or_else(|| "default".to_owned()))
    }

    /// Returns the file to write to.
    pub(super) fn store(&self, reach: &Reach) -> Result<FileStore, Failure> {
        reach.store_or(self.file.as_deref())
    }

    /// Writes the profile, and returns the numbers of its documents.
    pub(super) async fn write(&self, reach: &Reach) -> Result<Vec<u64>, Failure> {
        if self.is_empty() {
            return Err(Failure::usage("there are no credentials to write"));
        }
        self.write_with(reach, self.put(reach.bare()?)).await
    }

    /// Writes the profile, with the values of the environment or of the file itself if no others were
    /// given, as the older tool does.
    pub(super) async fn write_resolved(&self, reach: &Reach) -> Result<Vec<u64>, Failure> {
        if !self.is_empty() {
            return self.write(reach).await;
        }
        self.write_with(reach, self.put(reach.full()?)).await
    }

    async fn write_with(
        &self,
        reach: &Reach,
        builder: CredentialsBuilder,
    ) -> Result<Vec<u64>, Failure> {
        let (profile, store) = (self.profile(reach)?, self.store(reach)?);
        let credentials = builder
            .profile(&profile)
            .store(std::sync::Arc::new(store.clone()))
            .build()?;
        let source = credentials.source().await?;
        if matches!(source, Source::Nothing | Source::DeveloperToken) {
            return Err(Failure::usage("there are no credentials to write"));
        }
        credentials.write().await?;
        let documents = store.documents(FileStore::NAMESPACE).await?;
        let of_it = documents
            .iter()
            .filter(|document| document.profile.as_deref() == Some(&profile));
        Ok(of_it.map(|document| document.id).collect())
    }

    fn put(&self, mut builder: CredentialsBuilder) -> CredentialsBuilder {
        if let Some(id) = &self.client_id {
            builder = builder.client_id(id);
        }
        if let Some(secret) = &self.client_secret {
            builder = builder.client_secret(secret);
        }
        if let Some(token) = &self.refresh_token {
            builder = builder.refresh_token(token);
        }
        if let Some(token) = &self.access_token {
            builder = builder.access_token(token);
        }
        builder.cache_token(self.is_token_cached.unwrap_or(true))
    }

    /// Creates the profile that `generate` asked for.
    pub(super) fn asked(
        client_id: String,
        client_secret: Secret,
        refresh_token: Secret,
        profile: String,
    ) -> Self {
        Self {
            profile: Some(profile),
            client_id: Some(client_id),
            client_secret: Some(client_secret),
            refresh_token: Some(refresh_token),
            ..Self::default()
        }
    }
}

/// A member of an object that may have secrets.
enum Member {
    Text(Secret),
    Other(Value),
}

impl From<Value> for Member {
    fn from(value: Value) -> Self {
        match value {
            Value::String(text) => Self::Text(Secret::from(text)),
            other => Self::Other(other),
        }
    }
}

/// Arguments of the constructor of `pancloud`, and of its sessions (protocol section 15), that do not change
/// what is written.
const OF_REQUESTS: &[&str] = &[
    "allow_redirects",
    "auth",
    "auth_base_url",
    "auto_refresh",
    "auto_retry",
    "cert",
    "cookies",
    "developer_token",
    "developer_token_provider",
    "developer_token_url",
    "enforce_json",
    "force_trace",
    "headers",
    "instance_id",
    "max_retries",
    "params",
    "pool_block",
    "pool_connections",
    "pool_maxsize",
    "port",
    "proxies",
    "raise_for_status",
    "redirect_uri",
    "region",
    "scope",
    "storage_adapter",
    "stream",
    "timeout",
    "token_url",
    "trust_env",
    "url",
    "verify",
];
