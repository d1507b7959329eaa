use std::io::Write as _;
use std::time::SystemTime;

use super::*;

/// A disk on which another program writes once ours is on its way.
#[derive(Debug)]
struct Shared {
    path: PathBuf,
    theirs: String,
    has_written: AtomicBool,
}

impl Disk for Shared {
    fn sync(&self, file: &File) -> io::Result<()> {
        if self.has_written.swap(true, Ordering::Relaxed) {
            return file.sync_all();
        }
        // As TinyDB does: it locks nothing, and cuts at the end.
        let there = File::options().write(true).open(&self.path)?;
        (&there).write_all(self.theirs.as_bytes())?;
        there.set_len(self.theirs.len() as u64)?;
        file.sync_all()
    }
}

#[test]
fn what_others_write_while_a_change_is_prepared_is_not_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("credentials.json");
    let place = Place::new(path.clone());
    let [ours, theirs] = ["{\"ours\": {}}", "{\"theirs\": {}}"];
    fs::write(&path, ours).unwrap();
    // They have read the file before, and write it without the lock.
    let changed = |waited| {
        let change = |tables: &mut Tables| {
            fs::write(&path, theirs).unwrap();
            tables.document("ours", 1).map(|_| ((), true))
        };
        place.change(waited, change).unwrap()
    };
    assert!(matches!(changed(Duration::ZERO), Tried::Overtaken));
    assert_eq!(fs::read_to_string(&path).unwrap(), theirs);
    assert!(!place.beside(NEW).exists());
    fs::write(&path, ours).unwrap();
    assert!(matches!(changed(TORN), Tried::Done(())));
    assert!(fs::read_to_string(&path).unwrap().contains("ours"));
}

#[test]
fn what_others_write_behind_ours_is_not_cut() {
    for more in [0, 100] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials.json");
        fs::write(&path, "{}").unwrap();
        let theirs = format!("{{\"theirs\": {{}}{}}}", " ".repeat(more));
        let disk = Shared {
            path: path.clone(),
            theirs: theirs.clone(),
            has_written: AtomicBool::new(false),
        };
        let place = Place::new(path.clone()).with_disk(Arc::new(disk));
        let added = |tables: &mut Tables| tables.document("ours", 1).map(|_| ((), true));
        let changed = place.change(Duration::ZERO, added).unwrap();
        assert!(matches!(changed, Tried::Done(())));
        assert_eq!(fs::read_to_string(&path).unwrap(), theirs);
    }
}

#[test]
fn what_a_killed_writer_left_is_completed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("credentials.json");
    let place = Place::new(path.clone());
    let profile = |name: &str| format!("{{\"profiles\": {{\"1\": {{\"profile\": \"{name}\"}}}}}}");
    let (old, new, other) = (profile("old"), profile("new"), profile("others"));
    let half = format!("{}{}", &new[..new.len() - 6], &old[old.len() - 6..]);
    for (there, left) in [
        ("", &new),
        (&*old, &new),
        (&half, &new),
        // An emptied file with a copy of more.
        ("{\"profiles\": {}}", &new),
        (&other, &other),
    ] {
        fs::write(&path, there).unwrap();
        fs::write(place.beside(BACKUP), &old).unwrap();
        fs::write(place.beside(NEW), &new).unwrap();
        assert!(place.complete(Duration::ZERO).unwrap(), "{there}");
        assert_eq!(&fs::read_to_string(&path).unwrap(), left, "{there}");
        assert!(!place.beside(NEW).exists() && !place.beside(DAMAGED).exists());
    }
}

#[test]
fn what_others_may_be_writing_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("credentials.json");
    let place = Place::new(path.clone());
    fs::write(&path, "{\"profiles\": {\"1\"").unwrap();
    fs::write(place.beside(NEW), "{\"profiles\": {}}").unwrap();
    assert!(!place.complete(Duration::ZERO).unwrap());
    assert!(place.beside(NEW).exists());
    assert!(place.complete(TORN).unwrap());
    assert!(!place.beside(NEW).exists());
}

#[test]
fn drafts_of_killed_writers_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::new(folder.path().join("credentials.json"));
    let drafts = [NEW, BACKUP, DAMAGED].map(|ending| {
        let draft = folder
            .path()
            .join(format!(".credentials.json{ending}.left.draft"));
        let file = File::create(&draft).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        draft
    });
    let added = |tables: &mut Tables| tables.document("ours", 1).map(|_| ((), true));
    assert!(matches!(
        place.change(Duration::ZERO, added),
        Ok(Tried::Done(()))
    ));
    assert_eq!(drafts.map(|draft| draft.exists()), [false; 3]);
}
