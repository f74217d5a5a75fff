//! Real processes are asked: shell scripts that answer as a function would, or otherwise.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::check::ask;
use crate::check::description::Description;

/// A folder that goes with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("onceward-{}", uuid::Uuid::new_v4()));
        fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn reason(said: &std::collections::BTreeMap<PathBuf, Result<Description, String>>, path: &Path) -> String {
    said[path].clone().unwrap_err()
}

#[tokio::test]
async fn a_binary_is_asked_by_one_variable_and_nothing_else_of_ours() {
    let folder = Folder::new();
    let script = "#!/bin/sh\n[ \"$ONCEWARD_ASK\" = describe ] || exit 3\n[ -z \"$HOME\" ] || exit 4\n\
                  echo '{\"onceward\":{\"description\":1},\"name\":\"f\",\"kind\":\"relay\"}'\n";
    let asked = folder.file("bootstrap", script.as_bytes());
    let said = ask::all(BTreeSet::from([asked.clone()])).await;
    assert_eq!(said[&asked].as_ref().unwrap().name, "f");
}

#[tokio::test]
async fn what_does_not_answer_so_is_not_an_onceward_function_and_is_told_why() {
    let folder = Folder::new();
    let fails = folder.file("fails", b"#!/bin/sh\necho no runtime >&2\nexit 7\n");
    let chats = folder.file("chats", b"#!/bin/sh\necho hello\n");
    // An executable of a machine that nobody has: the header alone.
    let mut header = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\xff\x7f\x01\0\0\0".to_vec();
    header.resize(64, 0);
    let other = folder.file("other", &header);
    let absent = folder.0.join("absent");
    let said = ask::all(BTreeSet::from([fails.clone(), chats.clone(), other.clone(), absent.clone()])).await;
    assert!(reason(&said, &fails).starts_with("it ended with exit status: 7"), "{}", reason(&said, &fails));
    assert_eq!(reason(&said, &chats), "what it printed is no JSON");
    assert!(reason(&said, &other).contains("another kind of machine"), "{}", reason(&said, &other));
    assert!(reason(&said, &absent).starts_with("it cannot be started: "), "{}", reason(&said, &absent));
}
