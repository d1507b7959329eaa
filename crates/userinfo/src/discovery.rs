//! Service discovery with Repertoire: one JSON document with the URLs of everything.
//!
//! [`Client`] fetches and caches the document; [`Document`] answers queries without I/O.
//!
//! ```
//! # #[cfg(feature = "mock")]
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use vouchsafe_userinfo::{Result, mock};
//!
//! let server = mock::Server::new();
//! let discovery = server.client().discovery().clone();
//!
//! let document = discovery.document().await?;
//! assert!(document.url_for_internal("gafaelfawr", Some("v1")).is_some());
//! # Result::<()>::Ok(())
//! # }).unwrap();
//! ```

pub use crate::client::discovery::{Client, ClientBuilder};
pub use crate::model::document::{Document, InfluxCredentials, InfluxDatabase, InfluxLocation};
pub use crate::model::nublado::{
    NubladoDataset, NubladoDict, NubladoInflux, NubladoService, NubladoServices, NubladoVersion,
};

pub use crate::generated::repertoire::wire::{
    ApiService, ApiVersion, Dataset, Environment, QuotaLabel, UiService,
};
