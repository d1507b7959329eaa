use super::*;

fn struck(faults: &Faults, requests: usize) -> Vec<bool> {
    (0..requests)
        .map(|_| faults.strike(Some("t.a")).is_some())
        .collect()
}

#[test]
fn the_nth_request_of_the_operation_is_struck() {
    let faults = Faults::default();
    faults.add(Fault::on("t.a").nth(2).no_answer());
    assert!(faults.strike(Some("t.b")).is_none());
    assert!(faults.strike(None).is_none());
    assert_eq!(struck(&faults, 3), [false, true, false]);
}

static READ: Operation = Operation::new("t.readThings", http::Method::GET, "/r");
static WRITE: Operation = Operation::new("t.writeThings", http::Method::PUT, "/w");

fn knowing() -> Faults {
    let faults = Faults::default();
    faults.know(&[&READ, &WRITE]);
    faults
}

#[test]
fn an_operation_that_does_not_exist_is_refused_with_the_nearest_names() {
    let faults = knowing();
    for (wrong, nearest) in [
        ("t.readThing", "t.readThings"),
        ("writeThings", "t.writeThings"),
        ("other.write_things", "t.writeThings"),
    ] {
        let error = faults.try_add(Fault::on(wrong).status(503)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        let told = format!("no operation \"{wrong}\"; the nearest are: {nearest}");
        assert!(error.message().contains(&told), "{error}");
    }
    assert!(faults.is_empty());
    faults
        .try_add(Fault::on("t.readThings").status(503))
        .unwrap();
    faults.try_add(Fault::on_any().status(503)).unwrap();
}

#[test]
#[should_panic(expected = "there is no operation \"t.raedThings\"")]
fn a_test_with_a_fault_for_nothing_stops_there() {
    knowing().add(Fault::on("t.raedThings").status(503));
}

#[test]
fn a_host_that_does_not_know_its_operations_takes_any_name() {
    let faults = knowing();
    faults.know(&[]);
    faults.try_add(Fault::on("t.other").status(503)).unwrap();
}

#[test]
fn faults_are_bounded_in_number_and_size_and_spent_ones_make_room() {
    let faults = Faults::default();
    for _ in 0..MAX_FAULTS - 1 {
        faults.add(Fault::on("t.b").no_answer());
    }
    faults.add(Fault::on("t.a").times(1).no_answer());
    assert!(faults.try_add(Fault::on_any().no_answer()).is_err());
    assert_eq!(struck(&faults, 1), [true]);
    faults.add(Fault::on_any().no_answer());
    faults.clear();
    let large = || Fault::on_any().body(vec![b'x'; MAX_BYTES / 2]);
    faults.add(large());
    assert!(faults.try_add(large().body(vec![b'x'; MAX_BYTES])).is_err());
}

#[test]
fn a_limit_ends_it() {
    let faults = Faults::default();
    faults.add(Fault::on_any().times(2).status(503));
    assert_eq!(struck(&faults, 3), [true, true, false]);
}

#[test]
fn a_seed_makes_the_same_choices_again() {
    let choices = |seed| {
        let faults = Faults::default();
        faults.add(Fault::on_any().probability(0.5, seed).status(503));
        struck(&faults, 64)
    };
    assert_eq!(choices(1), choices(1));
    assert_ne!(choices(1), choices(2));
    let hits = choices(1).iter().filter(|&&hit| hit).count();
    assert!((16..48).contains(&hits), "{hits}");
}

#[tokio::test(start_paused = true)]
async fn a_time_window_opens_and_closes() {
    let faults = Faults::default();
    let second = Duration::from_secs(1);
    faults.add(Fault::on_any().between(second, second * 3).status(503));
    assert_eq!(struck(&faults, 1), [false]);
    tokio::time::advance(second).await;
    assert_eq!(struck(&faults, 1), [true]);
    tokio::time::advance(second * 2).await;
    assert_eq!(struck(&faults, 1), [false]);
}

#[test]
fn the_first_that_fits_is_done_and_the_others_count() {
    let faults = Faults::default();
    faults.add(Fault::on("t.a").times(1).status(500));
    faults.add(Fault::on("t.a").nth(2).no_answer());
    assert_eq!(faults.strike(Some("t.a")).unwrap().name(), "answer");
    assert_eq!(faults.strike(Some("t.a")).unwrap().name(), "no_answer");
    assert!(faults.strike(Some("t.a")).is_none());
    faults.clear();
    assert!(faults.is_empty());
}
