//! The location of credentials, and the server that issues them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use vouchsafe::cloud_credentials::file::FileStore;
use vouchsafe::cloud_credentials::{
    BodyFormat, ClientAuthentication, Credentials, CredentialsBuilder, Environment,
};
use vouchsafe::core::env;

use crate::connection::ConnectionArgs;
use crate::failure::Failure;

/// Options of all commands for credentials.
#[derive(Args, Clone, Debug)]
pub(super) struct Reach {
    #[command(flatten)]
    pub(super) origin: Origin,
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
}

/// Options for where credentials are, and how they are renewed.
#[derive(Args, Clone, Debug)]
pub(in crate::services::cloud_credentials) struct Origin {
    /// The file of credentials [default: the environment variable PAN_CREDENTIALS_DBFILE, or else
    /// ~/.config/pancloud/credentials.json]
    #[arg(long, value_name = "FILE", global = true)]
    file: Option<PathBuf>,
    /// The profile [default: the environment variable PAN_PROFILE, or else default]
    #[arg(long, value_name = "NAME", global = true)]
    profile: Option<String>,
    // Not a comment of documentation, which would need brackets around the URL.
    #[arg(
        long,
        value_name = "URL",
        global = true,
        help = "The URL of the authorization server, to which /api/oauth2/RequestToken is appended unless \
                it ends in /RequestToken [default: https://api.paloaltonetworks.com]"
    )]
    pub(super) token_url: Option<String>,
    /// The whole URL of the token endpoint of any other authorization server, which gets forms
    #[arg(long, value_name = "URL", global = true, conflicts_with = "token_url")]
    pub(super) token_endpoint: Option<String>,
    /// The URL of the revocation endpoint [default: derived from that of the token endpoint]
    #[arg(long, value_name = "URL", global = true)]
    revocation_url: Option<String>,
    /// The authorization server by its name: its endpoints, and how clients authenticate, are in its
    /// metadata, and callbacks must come from it [default: that of the service]
    #[arg(long, value_name = "URL", global = true)]
    pub(super) issuer: Option<String>,
    /// Sends forms, as in the standard, instead of JSON
    #[arg(long, global = true)]
    form: bool,
    /// How the client authenticates; a public client, which has no secret, needs none here, in each
    /// command, unless the metadata of --issuer announces such clients [default: as the metadata says, or
    /// else body]
    #[arg(long, value_enum, global = true, value_name = "WAY")]
    client_authentication: Option<Proof>,
}

/// How a client proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Proof {
    /// With its secret in the body
    Body,
    /// With its id and secret as Basic credentials
    Basic,
    /// Not at all: it is public and has no secret
    None,
}

impl Reach {
    /// Returns whether the client has a secret.
    pub(super) fn has_secret(&self) -> bool {
        self.origin.has_secret()
    }

    /// Returns whether the client needs a secret, as far as the options or the metadata of its server say.
    pub(super) async fn needs_secret(&self, credentials: &Credentials) -> bool {
        self.origin.needs_secret(credentials).await
    }

    /// Returns the file of credentials.
    pub(super) fn store(&self) -> Result<FileStore, Failure> {
        self.origin.store()
    }

    /// Returns the file of credentials, where a document may name one, too.
    pub(super) fn store_or(&self, of_document: Option<&Path>) -> Result<FileStore, Failure> {
        match (&self.origin.file, of_document) {
            (None, Some(path)) => Ok(FileStore::new(path)),
            _ => self.store(),
        }
    }

    /// Returns the requested profile.
    pub(super) fn profile(&self) -> Result<Option<String>, Failure> {
        self.origin.profile(None)
    }

    /// Returns the requested profile, where a document may name one, too.
    pub(super) fn profile_or(&self, of_document: Option<&str>) -> Result<Option<String>, Failure> {
        self.origin.profile(of_document)
    }

    /// Returns credentials from the environment, or else from the file.
    pub(super) fn credentials(&self) -> Result<Credentials, Failure> {
        Ok(self.full()?.build()?)
    }

    /// Returns a builder that reads the environment and the file.
    pub(super) fn full(&self) -> Result<CredentialsBuilder, Failure> {
        self.origin.full(&self.connection)
    }

    /// Returns a builder that reads only the file.
    pub(super) fn bare(&self) -> Result<CredentialsBuilder, Failure> {
        self.origin.bare(&self.connection)
    }
}

impl Origin {
    /// Returns whether the client has a secret.
    fn has_secret(&self) -> bool {
        self.client_authentication != Some(Proof::None)
    }

    /// Returns whether the client needs a secret, as far as the options or the metadata of its server say.
    async fn needs_secret(&self, credentials: &Credentials) -> bool {
        if self.client_authentication.is_some() {
            return self.has_secret();
        }
        match credentials.server_metadata().await {
            Ok(Some(metadata)) => !metadata.takes_public_clients(),
            // A failure is one of the call that needs the server.
            Ok(None) | Err(_) => true,
        }
    }

    /// Returns the file of credentials.
    pub(in crate::services::cloud_credentials) fn store(&self) -> Result<FileStore, Failure> {
        Ok(FileStore::new(match &self.file {
            Some(path) => path.clone(),
            None => Environment::of_process().file()?,
        }))
    }

    /// Returns the requested profile, where a document may name one, too: an option comes before it, as
    /// a later argument does in `summit.py`, and a variable after it.
    fn profile(&self, of_document: Option<&str>) -> Result<Option<String>, Failure> {
        let is_there = |name: &&str| !name.is_empty();
        let given = self.profile.as_deref().filter(is_there);
        Ok(match given.or(of_document.filter(is_there)) {
            Some(name) => Some(name.to_owned()),
            None => env::var("PAN_PROFILE")?.filter(|name: &String| !name.is_empty()),
        })
    }

    /// Returns a builder that reads the environment and the file.
    pub(in crate::services::cloud_credentials) fn full(
        &self,
        connection: &ConnectionArgs,
    ) -> Result<CredentialsBuilder, Failure> {
        Ok(self
            .bare(connection)?
            .environment(Environment::of_process()))
    }

    /// Returns a builder that reads only the file.
    fn bare(&self, connection: &ConnectionArgs) -> Result<CredentialsBuilder, Failure> {
        let mut builder = Credentials::builder()
            .store(Arc::new(self.store()?))
            .transport(connection.transport()?)
            .retry(connection.retry());
        // Whoever gives up on a request for tokens may lose the only ones, so `--timeout` does not shorten it.
        if connection.allow_plain_http {
            builder = builder.allow_plain_http();
        }
        if let Some(profile) = self.profile(None)? {
            builder = builder.profile(profile);
        }
        if let Some(issuer) = &self.issuer {
            builder = builder.issuer(issuer);
        }
        if let Some(url) = &self.token_url {
            builder = builder.token_url(url);
        }
        if let Some(url) = &self.token_endpoint {
            builder = builder.token_endpoint(url);
        }
        if let Some(url) = &self.revocation_url {
            builder = builder.revocation_url(url);
        }
        if self.form {
            builder = builder.body_format(BodyFormat::Form);
        }
        Ok(match self.client_authentication {
            Some(proof) => builder.client_authentication(match proof {
                Proof::Body => ClientAuthentication::Body,
                Proof::Basic => ClientAuthentication::Basic,
                Proof::None => ClientAuthentication::None,
            }),
            None => builder,
        })
    }
}
