#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod catalog;
mod client;
pub mod commission;
mod cookie;
mod error;
mod generated;
mod heeded;
#[cfg(feature = "mock")]
#[cfg_attr(docsrs, doc(cfg(feature = "mock")))]
pub mod mock;
mod model;
mod names;
mod walk;

pub use catalog::{Catalog, CatalogService, Endpoint, EndpointFilter};
pub use client::{Client, ClientBuilder, Prefixes, join_urls};
pub use cookie::{token_from_cookie, token_from_cookie_value};
pub use error::{Error, ErrorKind, LimitName, QuotaLimit, Result};
pub use generated::account::api::{
    ListMembershipsRequest, ListProjectsRequest, ServiceProjectQuotasRequest, ServiceQuotasRequest,
};
pub use generated::account::wire::{
    Application, ApplicationAction, ApplicationState, Applied, Capacity, Commission,
    CommissionAction, CommissionRequest, DefaultProject, Feedback, Membership, MembershipAction,
    MembershipState, Policy, Project, ProjectMode, ProjectSpec, ProjectState, Resource, UserInfo,
};
pub use generated::identity::api::ValidateTokenRequest;
pub use generated::identity::wire::{Access, AccessToken, AccessUser, Role, RoleId, Tenant};
pub use generated::oauth2::wire::{OAuth2Token, TokenGrant};
pub use generated::ui::wire::Component;
pub use model::{
    Dialect, Fault, Holder, Limit, LimitError, MaxMembers, ProjectAction, ProjectId, ProjectQuota,
    Provision, Quota, Resolution, Serial, SerialError, Unresolved, UserQuotas,
};
pub use names::{Names, NamesBuilder};
pub use vouchsafe_core as core;
pub use vouchsafe_core::auth::TokenSource;
pub use vouchsafe_core::call::{Budget, CallOptions, Retry, Timeouts};
pub use vouchsafe_core::observe::Observer;
pub use vouchsafe_core::transport::Transport;
pub use vouchsafe_core::{Clock, Secret, Sent, SystemClock};
pub use walk::QuotaWalk;
