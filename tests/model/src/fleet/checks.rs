//! The fleets that are checked.

use super::{Faults, Fleet, SERVERS};

#[test]
fn without_faults_one_request_serves_everyone() {
    for server in SERVERS {
        Fleet::check(server, Faults::default());
    }
}

#[test]
fn after_one_fault_of_each_kind_no_refresh_token_is_lost() {
    let allowed = Faults {
        crashes: 1,
        expiries: 1,
        lost_answers: 1,
        failed_saves: 1,
        logins: 1,
        ..Faults::default()
    };
    for server in SERVERS {
        Fleet::check(server, allowed);
    }
}

#[test]
fn several_faults_of_one_kind_lose_nothing_either() {
    let allowed = Faults {
        crashes: 2,
        expiries: 2,
        ..Faults::default()
    };
    for server in SERVERS {
        Fleet::check(server, allowed);
    }
    for server in SERVERS {
        let allowed = Faults {
            failed_saves: 4,
            ..Faults::default()
        };
        Fleet::check(server, allowed);
    }
}

#[test]
fn a_store_that_is_away_for_longer_than_a_lease_costs_no_request() {
    let allowed = Faults {
        failed_saves: 3,
        failed_renewals: 1,
        outages: 2,
        ..Faults::default()
    };
    for server in SERVERS {
        Fleet::check(server, allowed);
    }
    let allowed = Faults {
        crashes: 1,
        failed_saves: 2,
        failed_renewals: 1,
        outages: 1,
        ..Faults::default()
    };
    for server in SERVERS {
        Fleet::check(server, allowed);
    }
}

#[test]
fn a_record_that_cannot_be_read_after_such_an_outage_costs_none_either() {
    let allowed = Faults {
        failed_reads: 2,
        failed_saves: 1,
        outages: 1,
        ..Faults::default()
    };
    for server in SERVERS {
        Fleet::check(server, allowed);
    }
}

#[test]
fn whatever_happens_no_participant_waits_for_ever() {
    let allowed = Faults {
        crashes: 1,
        expiries: 1,
        failed_saves: 1,
        failed_renewals: 1,
        outages: 1,
        ..Faults::default()
    };
    for server in SERVERS {
        Fleet::check_ends(server, allowed);
    }
}
