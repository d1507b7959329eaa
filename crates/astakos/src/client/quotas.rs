//! Quotas of many users (protocol section 7.4).

use crate::generated::account::calls;
use crate::walk::QuotaWalk;
use crate::{Result, ServiceQuotasRequest};

impl ServiceQuotasRequest {
    /// Sends the request, and returns the quotas one user after the other as they arrive, without
    /// holding the whole answer. Until its end a walk counts as one request under way.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send), as far as they come before the first user; others come from
    /// [`QuotaWalk::next`].
    pub async fn walk(&self) -> Result<QuotaWalk> {
        let call = calls::service_quotas(&self.params)?;
        let answer = self.client.stream(call, &self.options).await?;
        Ok(QuotaWalk::new(answer, self.params.projects.clone()))
    }
}
