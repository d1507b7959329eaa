//! The runner itself: cases written for it, right ones and wrong ones. No recorded vector is
//! needed.
#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "judging/changes.rs"]
mod changes;

use std::path::{Path, PathBuf};
use std::process::Command;

use vouchsafe_test_servers::may_skip;
use vouchsafe_tests::vectors::{self, Error, Report};

#[tokio::test(flavor = "multi_thread")]
async fn right_cases_pass_and_better_behaviour_counts_as_right() {
    let report = run("right").await;
    assert!(report.failures().is_empty(), "{report}");
    assert_eq!(report.skipped(), 1, "{report}");
    assert!(report.passed() > 15, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_case_fails_and_says_why() {
    let report = run("wrong").await;
    assert_eq!((report.passed(), report.skipped()), (0, 0), "{report}");
    assert!(report.failures().len() > 15, "{report}");
    for failure in report.failures() {
        assert!(!failure.differences.is_empty(), "{}", failure.id);
    }
}

#[tokio::test]
async fn right_cases_of_tickets_pass_whatever_their_file_is_called() {
    let report = run_service("right", "ticket").await;
    assert!(report.failures().is_empty(), "{report}");
    // What no type can hold is left out.
    assert_eq!((report.passed(), report.skipped()), (18, 3), "{report}");
}

#[tokio::test]
async fn wrong_cases_of_tickets_fail_and_so_does_a_class_without_a_runner() {
    let report = run_service("wrong", "ticket").await;
    assert_eq!((report.passed(), report.skipped()), (0, 0), "{report}");
    assert_eq!(report.failures().len(), 31, "{report}");
    for failure in report.failures() {
        assert!(!failure.differences.is_empty(), "{}", failure.id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn right_cases_of_astakos_pass_and_what_no_type_holds_is_left_out() {
    let report = run_service("right", "astakos").await;
    assert!(report.failures().is_empty(), "{report}");
    assert_eq!((report.passed(), report.skipped()), (13, 5), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_cases_of_astakos_fail_and_so_does_what_is_not_known() {
    let report = run_service("wrong", "astakos").await;
    assert_eq!((report.passed(), report.skipped()), (0, 0), "{report}");
    assert_eq!(report.failures().len(), 17, "{report}");
}

#[tokio::test]
async fn right_cases_of_wazo_auth_pass() {
    let report = run_service("right", "wazo-auth").await;
    assert!(report.failures().is_empty(), "{report}");
    assert_eq!((report.passed(), report.skipped()), (7, 0), "{report}");
}

#[tokio::test]
async fn wrong_cases_of_wazo_auth_fail_and_so_does_what_is_not_known() {
    let report = run_service("wrong", "wazo-auth").await;
    assert_eq!((report.passed(), report.skipped()), (0, 0), "{report}");
    assert_eq!(report.failures().len(), 35, "{report}");
    for failure in report.failures() {
        assert!(!failure.differences.is_empty(), "{}", failure.id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn right_cases_of_cloud_credentials_pass() {
    let report = run_service("right", "cloud-credentials").await;
    assert!(report.failures().is_empty(), "{report}");
    assert_eq!((report.passed(), report.skipped()), (22, 0), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_cases_of_cloud_credentials_fail_and_so_does_what_is_not_known() {
    let report = run_service("wrong", "cloud-credentials").await;
    assert_eq!((report.passed(), report.skipped()), (0, 0), "{report}");
    assert_eq!(report.failures().len(), 16, "{report}");
    for failure in report.failures() {
        assert!(!failure.differences.is_empty(), "{}", failure.id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn right_cases_of_cloud_credentials_fail_with_any_change() {
    let folder = tempfile::tempdir().unwrap();
    let service = "cloud-credentials";
    let from = self::folder("right").join(service);
    let written = changes::write(&from, &folder.path().join(service));
    assert!(written > 200, "{written}");
    let report = vectors::run(folder.path(), Some(service), None)
        .await
        .unwrap();
    assert_eq!((report.passed(), report.skipped()), (0, 0), "{report}");
    assert_eq!(report.failures().len(), written, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_of_better_behaviour_are_read_by_their_words_and_one_that_says_nothing_fails() {
    let report = run_service("better", "cloud-credentials").await;
    let failed: Vec<_> = report
        .failures()
        .iter()
        .map(|failure| &failure.id)
        .collect();
    assert_eq!(failed, ["jwt/strange"], "{report}");
    assert_eq!((report.passed(), report.skipped()), (10, 0), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_of_older_tools_are_judged_by_the_commands_that_do_the_same() {
    let service = "cloud-credentials";
    let report = run_service("tools", service).await;
    assert!(report.failures().is_empty(), "{report}");
    assert_eq!((report.passed(), report.skipped()), (17, 0), "{report}");
    let report = run_service("tools-also", service).await;
    assert!(report.failures().is_empty(), "{report}");
    // One needs `faketime`.
    let expected = match Command::new("faketime").arg("--version").output() {
        Err(_) if may_skip() => (13, 5),
        _ => (14, 4),
    };
    assert_eq!((report.passed(), report.skipped()), expected, "{report}");
    let report = run_service("tools-wrong", service).await;
    assert_eq!((report.passed(), report.skipped()), (0, 0), "{report}");
    assert_eq!(report.failures().len(), 8, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn right_runs_of_older_tools_fail_with_any_change() {
    let folder = tempfile::tempdir().unwrap();
    let service = "cloud-credentials";
    let from = self::folder("tools").join(service);
    let written = changes::write_runs(&from, &folder.path().join(service));
    assert!(written > 80, "{written}");
    let report = vectors::run(folder.path(), Some(service), None)
        .await
        .unwrap();
    assert_eq!((report.passed(), report.skipped()), (0, 0), "{report}");
    assert_eq!(report.failures().len(), written, "{report}");
}

#[tokio::test]
async fn a_missing_folder_says_what_to_set() {
    let fault = vectors::run(Path::new("no/such/folder"), None, None)
        .await
        .unwrap_err();
    assert!(
        fault.to_string().contains("set VOUCHSAFE_VECTORS"),
        "{fault}"
    );
}

#[tokio::test]
async fn a_service_that_does_not_exist_is_an_error() {
    let fault = vectors::run(&folder("right"), Some("nothing"), None)
        .await
        .unwrap_err();
    assert_eq!(fault, Error::UnknownService("nothing".to_owned()));
}

async fn run(name: &str) -> Report {
    run_service(name, "userinfo").await
}

async fn run_service(name: &str, service: &str) -> Report {
    let probe = PathBuf::from(env!("CARGO_BIN_EXE_vectors"));
    vectors::run(&folder(name), Some(service), Some(probe))
        .await
        .unwrap()
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/judging")
        .join(name)
}
