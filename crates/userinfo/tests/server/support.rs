//! Asking a router, and what is particular to this service in its answers and logs.

#[path = "../../../../tests/support/router.rs"]
mod router;

pub(crate) use router::{Answer, Log, ask};

impl Answer {
    /// The `type` of the first error; the body itself if it has none.
    pub(crate) fn code(&self) -> String {
        let code = self.member("/detail/0/type");
        code.as_str().unwrap_or(&self.body).to_owned()
    }
}

impl Log {
    /// One line of the layer or a guard, a warning with this code and no value of a header.
    #[track_caller]
    pub(crate) fn assert_warned_once(&self, code: &str) {
        router::assert_one_line(self, "vouchsafe_userinfo::server", "WARN", code);
        let text = self.text();
        assert!(!text.contains("planted") && !text.contains("ada"), "{text}");
    }
}
