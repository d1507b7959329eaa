//! What can be done with projects and applications.

/// What an administrator can do with a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProjectAction {
    /// Takes its limits away for a while.
    Suspend,
    /// Ends a suspension.
    Unsuspend,
    /// Ends the project.
    Terminate,
    /// Undoes the end, if the name is free.
    Reinstate,
}

impl ProjectAction {
    /// Returns the word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Suspend => "suspend",
            Self::Unsuspend => "unsuspend",
            Self::Terminate => "terminate",
            Self::Reinstate => "reinstate",
        }
    }
}

/// What can be done with an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ApplicationAction {
    /// Grants it; for administrators.
    Approve,
    /// Denies it; for administrators.
    Deny,
    /// Dismisses a denied one; for the applicant.
    Dismiss,
    /// Withdraws it; for the applicant.
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
