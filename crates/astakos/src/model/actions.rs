//! Actions on projects.

/// An administrator's action on a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProjectAction {
    /// Suspends it: its limits are removed for a while.
    Suspend,
    /// Ends a suspension.
    Unsuspend,
    /// Ends the project.
    Terminate,
    /// Reverses its termination, if the name is free.
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
