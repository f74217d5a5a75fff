use std::path::PathBuf;

use super::{Batch, Kept, SQLITE_START, STATE_FILE, Store, StoreError, TABLES_FILE};

/// A folder of its own, removed with the value.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(std::env::temp_dir().join(format!("onceward-{}", uuid::Uuid::new_v4())))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Store {
    /// From now on every write fails.
    pub(crate) fn break_off(&self) {
        let connection = self.inner.as_ref().unwrap().connection.lock().unwrap();
        connection.execute("DROP TABLE records", []).unwrap();
    }
}

#[test]
fn records_are_there_after_reopening_and_a_prefix_takes_only_its_own() {
    let folder = Folder::new();
    let store = Store::open(&folder.0).unwrap();
    let mut batch = Batch::default();
    for (key, value) in [("a/1", 1), ("a/2", 2), ("a\u{10fffe}", 3), ("ab/1", 4), ("b", 5)] {
        batch.put("things", key, &value);
    }
    batch.put("others", "a/1", &"text");
    store.write(&batch);
    let mut batch = Batch::default();
    batch.delete_all("things", "a/");
    batch.delete("things", "b");
    store.write(&batch);
    drop(store);
    let store = Store::open(&folder.0).unwrap();
    let things: Vec<(String, u32)> = store.read("things").unwrap();
    assert_eq!(things, [("ab/1".to_owned(), 4), ("a\u{10fffe}".to_owned(), 3)]);
    assert_eq!(store.read::<String>("others").unwrap(), [("a/1".to_owned(), "text".to_owned())]);
    assert!(store.failure().is_none());
}

#[test]
fn a_folder_is_for_one_process() {
    let folder = Folder::new();
    let first = Store::open(&folder.0).unwrap();
    assert!(matches!(Store::open(&folder.0), Err(StoreError::InUse { .. })));
    drop(first);
    Store::open(&folder.0).unwrap();
}

#[test]
fn a_folder_of_another_format_is_refused_and_named() {
    let folder = Folder::new();
    let store = Store::open(&folder.0).unwrap();
    store.inner.as_ref().unwrap().connection.lock().unwrap().execute("UPDATE format SET version = 99", []).unwrap();
    drop(store);
    let refused = Store::open(&folder.0).unwrap_err().to_string();
    assert!(refused.contains("format 99") && refused.contains(&folder.0.display().to_string()), "{refused}");
}

#[test]
fn a_path_that_is_a_file_is_refused_and_left() {
    let folder = Folder::new();
    std::fs::create_dir(&folder.0).unwrap();
    let file = folder.0.join("mine");
    std::fs::write(&file, "text").unwrap();
    let refused = Store::open(&file).unwrap_err().to_string();
    assert!(refused.ends_with("mine is a file: name a folder, or a path where nothing is yet"), "{refused}");
    assert_eq!(std::fs::read(&file).unwrap(), b"text");
}

#[test]
fn a_file_that_is_no_database_is_named_and_left() {
    for file in [STATE_FILE, TABLES_FILE] {
        let folder = Folder::new();
        std::fs::create_dir(&folder.0).unwrap();
        std::fs::write(folder.0.join(file), "what was here before").unwrap();
        let refused = Store::open(&folder.0).unwrap_err().to_string();
        assert!(
            refused.contains(&format!("is damaged: {file}: file is not a database; it is left as it is")),
            "{refused}"
        );
        assert_eq!(std::fs::read(folder.0.join(file)).unwrap(), b"what was here before");
    }
}

#[test]
fn half_of_a_folder_is_refused_each_time() {
    let folder = Folder::new();
    let store = Store::open(&folder.0).unwrap();
    let tables = store.tables_file().unwrap();
    std::fs::write(&tables, SQLITE_START).unwrap();
    let mut batch = store.batch();
    batch.put("things", "a", &1);
    store.write(&batch);
    drop(store);
    Store::open(&folder.0).unwrap().expect_tables().unwrap();

    let away = folder.0.join("away");
    for (gone, there) in [(TABLES_FILE, STATE_FILE), (STATE_FILE, TABLES_FILE)] {
        std::fs::rename(folder.0.join(gone), &away).unwrap();
        for _ in 0..2 {
            let refused = Store::open(&folder.0).and_then(|store| store.expect_tables()).unwrap_err().to_string();
            assert!(refused.contains(&format!("has {there} and no {gone}: ")), "{refused}");
        }
        std::fs::rename(&away, folder.0.join(gone)).unwrap();
    }
    assert_eq!(Store::open(&folder.0).unwrap().read::<u32>("things").unwrap(), [("a".to_owned(), 1)]);
}

#[test]
fn a_record_that_does_not_read_is_named() {
    let folder = Folder::new();
    let store = Store::open(&folder.0).unwrap();
    let mut batch = Batch::default();
    batch.put("things", "a", &"no number");
    store.write(&batch);
    let refused = store.read::<u32>("things").unwrap_err().to_string();
    assert!(refused.contains("things a"), "{refused}");
}

#[test]
fn state_is_stored_when_it_was_changed_and_only_then() {
    let folder = Folder::new();
    let store = Store::open(&folder.0).unwrap();
    let kept = Kept::open(&store, "numbers", || vec![1]).unwrap();
    assert_eq!(kept.lock().len(), 1);
    assert_eq!(Kept::open(&store, "numbers", Vec::<u32>::new).unwrap().lock().len(), 0);
    kept.lock().push(2);
    assert_eq!(*Kept::open(&store, "numbers", Vec::<u32>::new).unwrap().lock(), [1, 2]);
    kept.lock().unsaved().push(3);
    assert_eq!(*kept.lock(), [1, 2, 3]);
    assert_eq!(*Kept::open(&store, "numbers", Vec::<u32>::new).unwrap().lock(), [1, 2]);
}

#[test]
fn bytes_are_stored_as_they_are_and_in_memory_nothing_is_noted() {
    let folder = Folder::new();
    let store = Store::open(&folder.0).unwrap();
    let bytes = [0, 255, 34, 10];
    let mut batch = store.batch();
    batch.put_bytes("blobs", "a", &bytes);
    store.write(&batch);
    assert_eq!(store.read_bytes("blobs").unwrap(), [("a".to_owned(), bytes.to_vec())]);
    let mut batch = Store::memory().batch();
    batch.put_bytes("blobs", "a", &bytes);
    batch.put("things", "a", &1);
    assert!(batch.writes.is_empty());
}

#[test]
fn a_write_that_fails_is_remembered() {
    let folder = Folder::new();
    let store = Store::open(&folder.0).unwrap();
    store.break_off();
    let mut batch = Batch::default();
    batch.delete("things", "a");
    store.write(&batch);
    assert!(matches!(store.failure(), Some(StoreError::Writing { .. })));
}
