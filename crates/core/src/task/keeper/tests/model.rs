//! Whatever becomes of runtimes: one instance at most, and every wait ends.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Copy, Debug)]
enum Step {
    Ensure(usize),
    /// Lets what is on a runtime go on until it waits.
    Drive(usize),
    /// Drops a runtime, for which there is another at once.
    Drop(usize),
    /// The next time that the work has something to do, it panics.
    Panic,
    Wait(usize),
    Stop,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0_usize..3).prop_map(Step::Ensure),
        3 => (0_usize..3).prop_map(Step::Drive),
        3 => (0_usize..3).prop_map(Step::Drop),
        3 => Just(Step::Panic),
        6 => (0_usize..3).prop_map(Step::Wait),
        1 => Just(Step::Stop),
    ]
}

proptest! {
    #[test]
    fn every_wait_ends_with_an_answer_unless_it_was_stopped_or_panics_again_and_again(
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let (queue, keeper) = kept();
        let mut runtimes = [paused(), paused(), paused()];
        let mut is_stopped = false;
        // Those that were planted since the work was last given up.
        let mut panics = 0;
        for step in steps {
            match step {
                Step::Ensure(at) => {
                    let is_running = keeper.ensure_on(runtimes[at].handle());
                    prop_assert_eq!(is_running, !is_stopped);
                }
                Step::Drive(at) => runtimes[at].block_on(turn()),
                Step::Drop(at) => runtimes[at] = paused(),
                Step::Panic => {
                    queue.panics_left.fetch_add(1, Ordering::SeqCst);
                    panics += 1;
                }
                Step::Wait(at) => {
                    let wait = async { timeout(CALM, keeper.wait(queue.put())).await };
                    let told = runtimes[at].block_on(wait).expect("an end");
                    match told {
                        Ok(answer) => prop_assert!(answer.is_ok() && !is_stopped),
                        Err(Ended::Panicked) => {
                            prop_assert!(panics > RESTARTS && !is_stopped);
                            panics = queue.panics_left.load(Ordering::SeqCst);
                        }
                        Err(Ended::Stopped) => prop_assert!(is_stopped),
                        Err(other) => prop_assert!(false, "{other}"),
                    }
                }
                Step::Stop => {
                    keeper.stop();
                    is_stopped = true;
                }
            }
            prop_assert!(queue.alive() <= 1);
            prop_assert!(!is_stopped || !keeper.is_running() && queue.alive() == 0);
        }
    }
}
