// Made by `cargo xtask codegen` from crates/astakos/api/account.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! The types of requests and answers, in their form on the wire.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vouchsafe_core::Secret;

/// A user, as servers of 0.14 describe it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct UserInfo {
    /// A number; absent from later servers.
    pub id: Option<i64>,
    /// Login name.
    pub username: String,
    /// The uuid.
    pub uuid: String,
    /// E-mail addresses.
    #[serde(default)]
    pub email: Vec<String>,
    /// First and last name.
    pub name: Option<String>,
    /// Groups of the user.
    #[serde(default)]
    pub groups: Vec<String>,
    /// The token.
    pub auth_token: Option<Secret>,
    /// When the token was created, milliseconds since 1970; absent from later servers.
    pub auth_token_created: Option<i64>,
    /// When the token expires, milliseconds since 1970.
    pub auth_token_expires: Option<i64>,
    /// Usage by resource; only from servers before 0.14, if requested.
    #[serde(default)]
    pub usage: Vec<serde_json::Value>,
}

/// A resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Resource {
    /// Name of the service that it belongs to.
    pub service: String,
    /// For people.
    pub description: Option<String>,
    /// `bytes`, or empty for a count.
    pub unit: Option<String>,
    /// Whether the user interface shows it; not in 0.14.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ui_visible: Option<bool>,
    /// Whether quotas show it; not in 0.14.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_visible: Option<bool>,
    /// Whether projects may have it; only in 0.14.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_in_projects: Option<bool>,
}

/// A set of provisions that are applied together or not at all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CommissionRequest {
    /// The provisions.
    pub provisions: Vec<crate::Provision>,
    /// A name for people who look at pending commissions; empty, unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether limits may be exceeded. Default: no. Releases are still limited to the usage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub force: Option<bool>,
    /// Whether to accept it at once. Default: no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_accept: Option<bool>,
}

impl CommissionRequest {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new(
        provisions: impl IntoIterator<Item = impl Into<crate::Provision>>,
    ) -> Self {
        Self {
            provisions: provisions.into_iter().map(Into::into).collect(),
            name: None,
            force: None,
            auto_accept: None,
        }
    }

    /// A name for people who look at pending commissions; empty, unless given.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Whether limits may be exceeded. Default: no. Releases are still limited to the usage.
    #[must_use]
    pub fn force(mut self, force: bool) -> Self {
        self.force = Some(force);
        self
    }

    /// Whether to accept it at once. Default: no.
    #[must_use]
    pub fn auto_accept(mut self, auto_accept: bool) -> Self {
        self.auto_accept = Some(auto_accept);
        self
    }
}

/// The issued commission.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Issued {
    /// The number of a commission.
    pub(crate) serial: crate::Serial,
}

/// The serials to accept and reject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ResolveRequest {
    /// To accept.
    pub(crate) accept: Vec<crate::Serial>,
    /// To reject.
    pub(crate) reject: Vec<crate::Serial>,
}

/// A pending commission.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Commission {
    /// Its number.
    pub serial: crate::Serial,
    /// When it was issued, by the server's clock: date, time, and an unreliable offset (protocol
    /// section 10).
    pub issue_time: String,
    /// The name from the issuer.
    pub name: String,
    /// The provisions.
    pub provisions: Vec<crate::Provision>,
}

/// An action on a pending commission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(clippy::exhaustive_enums, reason = "the set is closed by the protocol")]
pub enum CommissionAction {
    /// Reserved quantities are used, released ones are free.
    #[serde(rename = "accept")]
    Accept,
    /// Everything is as if it had not been issued.
    #[serde(rename = "reject")]
    Reject,
}

impl CommissionAction {
    /// Returns the word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Reject => "reject",
        }
    }
}

/// State of a project.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum ProjectState {
    /// `uninitialized`.
    Uninitialized,
    /// `active`.
    Active,
    /// `suspended`.
    Suspended,
    /// `terminated`.
    Terminated,
    /// `deleted`.
    Deleted,
    /// A word that this version does not know; it is written as it was read.
    Unknown(String),
}

impl ProjectState {
    /// Returns the word on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Uninitialized => "uninitialized",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Terminated => "terminated",
            Self::Deleted => "deleted",
            Self::Unknown(word) => word,
        }
    }
}

impl From<String> for ProjectState {
    fn from(word: String) -> Self {
        match word.as_str() {
            "uninitialized" => Self::Uninitialized,
            "active" => Self::Active,
            "suspended" => Self::Suspended,
            "terminated" => Self::Terminated,
            "deleted" => Self::Deleted,
            _ => Self::Unknown(word),
        }
    }
}

impl From<ProjectState> for String {
    fn from(word: ProjectState) -> Self {
        match word {
            ProjectState::Unknown(word) => word,
            known => known.as_str().to_owned(),
        }
    }
}

/// The relation of a project to the user.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum ProjectMode {
    /// `default`.
    Default,
    /// `related`.
    Related,
    /// `member`.
    Member,
    /// `active`.
    Active,
    /// A word that this version does not know; it is written as it was read.
    Unknown(String),
}

impl ProjectMode {
    /// Returns the word on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Default => "default",
            Self::Related => "related",
            Self::Member => "member",
            Self::Active => "active",
            Self::Unknown(word) => word,
        }
    }
}

impl From<String> for ProjectMode {
    fn from(word: String) -> Self {
        match word.as_str() {
            "default" => Self::Default,
            "related" => Self::Related,
            "member" => Self::Member,
            "active" => Self::Active,
            _ => Self::Unknown(word),
        }
    }
}

impl From<ProjectMode> for String {
    fn from(word: ProjectMode) -> Self {
        match word {
            ProjectMode::Unknown(word) => word,
            known => known.as_str().to_owned(),
        }
    }
}

/// A project.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Project {
    /// Its id.
    pub id: crate::ProjectId,
    /// Its state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<ProjectState>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The owner's uuid; none for a system project.
    pub owner: Option<String>,
    /// Its homepage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub homepage: Option<String>,
    /// The purpose of the project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When it was created.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creation_date: Option<String>,
    /// When it expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_date: Option<String>,
    /// When it was suspended or terminated; only for owner and administrators.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deactivation_date: Option<String>,
    /// The policy for joining.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub join_policy: Option<Policy>,
    /// The policy for leaving.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leave_policy: Option<Policy>,
    /// The maximum number of members.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_members: Option<crate::Limit>,
    /// Whether only its members see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private: Option<bool>,
    /// Whether it is a user's system project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_project: Option<bool>,
    /// Capacities by resource.
    #[serde(default)]
    pub resources: BTreeMap<String, Capacity>,
    /// The last application; only for owner and administrators.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_application: Option<Application>,
    /// Number of the application in effect; only on servers of 0.15.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application: Option<i64>,
    /// Number of the pending application; only on servers of 0.15, and only for owner, applicant
    /// and administrators.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending_application: Option<i64>,
    /// Keys that are not in the description.
    #[serde(flatten)]
    pub rest: BTreeMap<String, serde_json::Value>,
}

/// The policy for joining or leaving a project.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum Policy {
    /// `auto`.
    Auto,
    /// `moderated`.
    Moderated,
    /// `closed`.
    Closed,
    /// A word that this version does not know; it is written as it was read.
    Unknown(String),
}

impl Policy {
    /// Returns the word on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Auto => "auto",
            Self::Moderated => "moderated",
            Self::Closed => "closed",
            Self::Unknown(word) => word,
        }
    }
}

impl From<String> for Policy {
    fn from(word: String) -> Self {
        match word.as_str() {
            "auto" => Self::Auto,
            "moderated" => Self::Moderated,
            "closed" => Self::Closed,
            _ => Self::Unknown(word),
        }
    }
}

impl From<Policy> for String {
    fn from(word: Policy) -> Self {
        match word {
            Policy::Unknown(word) => word,
            known => known.as_str().to_owned(),
        }
    }
}

/// The limits of a resource for a project and for each of its members.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Capacity {
    /// The project as a whole.
    pub project_capacity: crate::Limit,
    /// Each member.
    pub member_capacity: crate::Limit,
}

impl Capacity {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new(
        project_capacity: impl Into<crate::Limit>,
        member_capacity: impl Into<crate::Limit>,
    ) -> Self {
        Self {
            project_capacity: project_capacity.into(),
            member_capacity: member_capacity.into(),
        }
    }
}

/// An application for a project or for a modification of one, in which unchanged values are
/// absent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Application {
    /// Its number.
    pub id: i64,
    /// Its state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<ApplicationState>,
    /// The applicant's uuid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applicant: Option<String>,
    /// Id of the project; only on servers of 0.15.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<crate::ProjectId>,
    /// Name of the project.
    pub name: Option<String>,
    /// The owner's uuid.
    pub owner: Option<String>,
    /// Homepage of the project.
    pub homepage: Option<String>,
    /// The purpose of the project.
    pub description: Option<String>,
    /// A comment for the administrator who decides about it.
    pub comments: Option<String>,
    /// When the project starts.
    pub start_date: Option<String>,
    /// When the project ends.
    pub end_date: Option<String>,
    /// The policy for joining.
    pub join_policy: Option<Policy>,
    /// The policy for leaving.
    pub leave_policy: Option<Policy>,
    /// The maximum number of members of the project.
    pub max_members: Option<crate::Limit>,
    /// Whether only its members see the project.
    pub private: Option<bool>,
    /// Capacities by resource.
    #[serde(default)]
    pub resources: BTreeMap<String, Capacity>,
    /// Keys that are not in the description.
    #[serde(flatten)]
    pub rest: BTreeMap<String, serde_json::Value>,
}

/// State of an application.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum ApplicationState {
    /// `pending`.
    Pending,
    /// `approved`.
    Approved,
    /// `replaced`.
    Replaced,
    /// `denied`.
    Denied,
    /// `dismissed`.
    Dismissed,
    /// `cancelled`.
    Cancelled,
    /// A word that this version does not know; it is written as it was read.
    Unknown(String),
}

impl ApplicationState {
    /// Returns the word on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Replaced => "replaced",
            Self::Denied => "denied",
            Self::Dismissed => "dismissed",
            Self::Cancelled => "cancelled",
            Self::Unknown(word) => word,
        }
    }
}

impl From<String> for ApplicationState {
    fn from(word: String) -> Self {
        match word.as_str() {
            "pending" => Self::Pending,
            "approved" => Self::Approved,
            "replaced" => Self::Replaced,
            "denied" => Self::Denied,
            "dismissed" => Self::Dismissed,
            "cancelled" => Self::Cancelled,
            _ => Self::Unknown(word),
        }
    }
}

impl From<ApplicationState> for String {
    fn from(word: ApplicationState) -> Self {
        match word {
            ApplicationState::Unknown(word) => word,
            known => known.as_str().to_owned(),
        }
    }
}

/// The specification of a project. Name and end date are required for a new one; a modification
/// has only the changed values.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ProjectSpec {
    /// Like the name of a host, at most 80 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The owner's uuid. Default: the applicant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// At most 255 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub homepage: Option<String>,
    /// At most 4096 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// A comment for the administrator who decides about it, at most 4096 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comments: Option<String>,
    /// Date, time and offset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_date: Option<String>,
    /// Date, time and offset, in the future.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_date: Option<String>,
    /// The policy for joining. Default: moderated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub join_policy: Option<Policy>,
    /// The policy for leaving. Default: auto.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leave_policy: Option<Policy>,
    /// The maximum number of members. Default: unlimited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_members: Option<crate::MaxMembers>,
    /// Whether only its members see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private: Option<bool>,
    /// Capacities by resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<BTreeMap<String, Capacity>>,
}

impl ProjectSpec {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new() -> Self {
        Self {
            name: None,
            owner: None,
            homepage: None,
            description: None,
            comments: None,
            start_date: None,
            end_date: None,
            join_policy: None,
            leave_policy: None,
            max_members: None,
            private: None,
            resources: None,
        }
    }

    /// Like the name of a host, at most 80 characters.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The owner's uuid. Default: the applicant.
    #[must_use]
    pub fn owner(mut self, owner: impl Into<String>) -> Self {
        self.owner = Some(owner.into());
        self
    }

    /// At most 255 characters.
    #[must_use]
    pub fn homepage(mut self, homepage: impl Into<String>) -> Self {
        self.homepage = Some(homepage.into());
        self
    }

    /// At most 4096 characters.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// A comment for the administrator who decides about it, at most 4096 characters.
    #[must_use]
    pub fn comments(mut self, comments: impl Into<String>) -> Self {
        self.comments = Some(comments.into());
        self
    }

    /// Date, time and offset.
    #[must_use]
    pub fn start_date(mut self, start_date: impl Into<String>) -> Self {
        self.start_date = Some(start_date.into());
        self
    }

    /// Date, time and offset, in the future.
    #[must_use]
    pub fn end_date(mut self, end_date: impl Into<String>) -> Self {
        self.end_date = Some(end_date.into());
        self
    }

    /// The policy for joining. Default: moderated.
    #[must_use]
    pub fn join_policy(mut self, join_policy: Policy) -> Self {
        self.join_policy = Some(join_policy);
        self
    }

    /// The policy for leaving. Default: auto.
    #[must_use]
    pub fn leave_policy(mut self, leave_policy: Policy) -> Self {
        self.leave_policy = Some(leave_policy);
        self
    }

    /// The maximum number of members. Default: unlimited.
    #[must_use]
    pub fn max_members(mut self, max_members: impl Into<crate::MaxMembers>) -> Self {
        self.max_members = Some(max_members.into());
        self
    }

    /// Whether only its members see it.
    #[must_use]
    pub fn private(mut self, private: bool) -> Self {
        self.private = Some(private);
        self
    }

    /// Capacities by resource.
    #[must_use]
    pub fn resources(mut self, resources: BTreeMap<String, Capacity>) -> Self {
        self.resources = Some(resources);
        self
    }
}

/// The project of an application.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Applied {
    /// The project's id.
    pub id: crate::ProjectId,
    /// The application's number.
    pub application: i64,
    /// Keys that are not in the description.
    #[serde(flatten)]
    pub rest: BTreeMap<String, serde_json::Value>,
}

/// A membership of a user in a project. Other members are the times at which it last entered a
/// state, by the state's name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Membership {
    /// Its number.
    pub id: i64,
    /// The user's uuid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The project's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<crate::ProjectId>,
    /// Its state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<MembershipState>,
    /// The actions that the calling user may perform.
    #[serde(default)]
    pub allowed_actions: Vec<MembershipAction>,
    /// Keys that are not in the description.
    #[serde(flatten)]
    pub rest: BTreeMap<String, serde_json::Value>,
}

/// State of a membership.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum MembershipState {
    /// `requested`.
    Requested,
    /// `accepted`.
    Accepted,
    /// `leave_requested`.
    LeaveRequested,
    /// `suspended`.
    Suspended,
    /// `rejected`.
    Rejected,
    /// `cancelled`.
    Cancelled,
    /// `removed`.
    Removed,
    /// A word that this version does not know; it is written as it was read.
    Unknown(String),
}

impl MembershipState {
    /// Returns the word on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Requested => "requested",
            Self::Accepted => "accepted",
            Self::LeaveRequested => "leave_requested",
            Self::Suspended => "suspended",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
            Self::Removed => "removed",
            Self::Unknown(word) => word,
        }
    }
}

impl From<String> for MembershipState {
    fn from(word: String) -> Self {
        match word.as_str() {
            "requested" => Self::Requested,
            "accepted" => Self::Accepted,
            "leave_requested" => Self::LeaveRequested,
            "suspended" => Self::Suspended,
            "rejected" => Self::Rejected,
            "cancelled" => Self::Cancelled,
            "removed" => Self::Removed,
            _ => Self::Unknown(word),
        }
    }
}

impl From<MembershipState> for String {
    fn from(word: MembershipState) -> Self {
        match word {
            MembershipState::Unknown(word) => word,
            known => known.as_str().to_owned(),
        }
    }
}

/// An action on a membership.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum MembershipAction {
    /// `leave`.
    Leave,
    /// `cancel`.
    Cancel,
    /// `accept`.
    Accept,
    /// `reject`.
    Reject,
    /// `remove`.
    Remove,
    /// A word that this version does not know; it is written as it was read.
    Unknown(String),
}

impl MembershipAction {
    /// Returns the word on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Leave => "leave",
            Self::Cancel => "cancel",
            Self::Accept => "accept",
            Self::Reject => "reject",
            Self::Remove => "remove",
            Self::Unknown(word) => word,
        }
    }
}

impl From<String> for MembershipAction {
    fn from(word: String) -> Self {
        match word.as_str() {
            "leave" => Self::Leave,
            "cancel" => Self::Cancel,
            "accept" => Self::Accept,
            "reject" => Self::Reject,
            "remove" => Self::Remove,
            _ => Self::Unknown(word),
        }
    }
}

impl From<MembershipAction> for String {
    fn from(word: MembershipAction) -> Self {
        match word {
            MembershipAction::Unknown(word) => word,
            known => known.as_str().to_owned(),
        }
    }
}

/// Exactly one of the two.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct MembershipRequest {
    /// Join a project oneself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) join: Option<Join>,
    /// Make a user a member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) enroll: Option<Enroll>,
}

/// Which project to join.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Join {
    /// Id of a project: text, a number in 0.15.
    pub(crate) project: crate::ProjectId,
}

/// The new member and the project.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Enroll {
    /// Id of a project: text, a number in 0.15.
    pub(crate) project: crate::ProjectId,
    /// The user's e-mail address.
    pub(crate) user: String,
}

/// The outcome.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Joined {
    /// Number of the membership.
    pub(crate) id: i64,
}

/// An action on an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(clippy::exhaustive_enums, reason = "the set is closed by the protocol")]
pub enum ApplicationAction {
    /// Grants it; for administrators.
    #[serde(rename = "approve")]
    Approve,
    /// Denies it; for administrators.
    #[serde(rename = "deny")]
    Deny,
    /// Dismisses a denied one; for the applicant.
    #[serde(rename = "dismiss")]
    Dismiss,
    /// Withdraws it; for the applicant.
    #[serde(rename = "cancel")]
    Cancel,
}

impl ApplicationAction {
    /// Returns the word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Deny => "deny",
            Self::Dismiss => "dismiss",
            Self::Cancel => "cancel",
        }
    }
}

/// The names and uuids to look up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct CatalogsRequest {
    /// The uuids to find names for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) uuids: Option<Vec<String>>,
    /// The names to find uuids for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) displaynames: Option<Vec<String>>,
}

/// The result.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Catalogs {
    /// Uuid to name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) uuid_catalog: Option<BTreeMap<String, String>>,
    /// Name to uuid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) displayname_catalog: Option<BTreeMap<String, String>>,
}

/// A message to the operators.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Feedback {
    /// The message; not blank.
    pub feedback_msg: String,
    /// Anything else.
    pub feedback_data: String,
}

impl Feedback {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new(
        feedback_msg: impl Into<String>,
        feedback_data: impl Into<String>,
    ) -> Self {
        Self {
            feedback_msg: feedback_msg.into(),
            feedback_data: feedback_data.into(),
        }
    }
}

/// The choice of a default project.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DefaultProject {
    /// The project's id.
    pub project_id: crate::ProjectId,
}

impl DefaultProject {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new(project_id: impl Into<crate::ProjectId>) -> Self {
        Self {
            project_id: project_id.into(),
        }
    }
}
