//! What can be done with projects.

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
