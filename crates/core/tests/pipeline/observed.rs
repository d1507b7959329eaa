//! What an observer sees of calls.

use vouchsafe_core::observe::{AttemptEvent, BudgetEvent, CallEvent, Observer, RetryEvent};

use super::*;

#[derive(Debug, Default)]
struct Counting {
    attempts: Mutex<Vec<Option<u16>>>,
    calls: Mutex<Vec<u32>>,
}

impl Observer for Counting {
    fn attempt(&self, event: &AttemptEvent<'_>) {
        self.attempts
            .lock()
            .unwrap()
            .push(event.status.map(|s| s.as_u16()));
    }

    fn call(&self, event: &CallEvent<'_>) {
        self.calls.lock().unwrap().push(event.attempts);
    }
}

#[tokio::test(start_paused = true)]
async fn an_observer_sees_every_attempt_and_the_call() {
    let told = Told::new([status(503), broke(Sent::Maybe)]);
    let observer = Arc::new(Counting::default());
    let client = builder(&told).observer(observer.clone()).build().unwrap();
    send(&client, &READ).await.unwrap();
    assert_eq!(
        *observer.attempts.lock().unwrap(),
        [Some(503), None, Some(200)]
    );
    assert_eq!(*observer.calls.lock().unwrap(), [3]);
}

/// Notes what else happens, in words.
#[derive(Debug, Default)]
struct Noting(Mutex<Vec<String>>);

impl Noting {
    fn note(&self, what: String) {
        self.0.lock().unwrap().push(what);
    }

    fn taken(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Observer for Noting {
    fn retry(&self, event: &RetryEvent<'_>) {
        let RetryEvent { attempt, error, .. } = event;
        self.note(format!("retry after {attempt}: {:?}", error.kind()));
    }

    fn budget(&self, event: &BudgetEvent) {
        self.note(format!("{} left", event.left));
    }

    fn token_refused(&self, operation: &'static str) {
        self.note(format!("{operation}: token refused"));
    }

    fn request_began(&self, _: &'static str) {
        self.note("began".to_owned());
    }

    fn request_ended(&self, _: &'static str) {
        self.note("ended".to_owned());
    }
}

#[tokio::test(start_paused = true)]
async fn an_observer_sees_retries_the_budget_and_what_is_in_flight() {
    let told = Told::new([status(503), Then::Hang]);
    let observer = Arc::new(Noting::default());
    let client = builder(&told).observer(observer.clone()).build().unwrap();
    send(&client, &READ).await.unwrap();
    let again = ["ended", "90 left", "retry after 1: Status", "began"];
    let last = [
        "ended",
        "80 left",
        "retry after 2: Timeout(Attempt)",
        "began",
    ];
    let all = [&["began"][..], &again, &last, &["81 left", "ended"]].concat();
    assert_eq!(observer.taken(), all);

    // What is dropped has ended too.
    told.script.lock().unwrap().push_back(Then::Hang);
    let dropped = tokio::time::timeout(Duration::from_secs(1), send(&client, &READ)).await;
    assert!(dropped.is_err());
    assert_eq!(observer.taken(), ["began", "ended"]);
}
