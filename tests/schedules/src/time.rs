//! Waiting, as in `tokio::time`.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

pub use crate::clock::{Instant, advance};
use crate::runtime::{Handle, Timer};

pub fn sleep(time: Duration) -> Sleep {
    Sleep {
        until: Instant::now().after(time),
        timer: None,
    }
}

pub struct Sleep {
    until: Instant,
    /// Removed from its runtime when this is dropped.
    timer: Option<Timer>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if Instant::now() >= self.until {
            return Poll::Ready(());
        }
        let here = Handle::try_current().expect("a sleep within a runtime");
        self.timer = Some(here.wake_at(self.until, context.waker().clone()));
        Poll::Pending
    }
}
