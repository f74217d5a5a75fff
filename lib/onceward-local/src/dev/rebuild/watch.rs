//! Which files matter, and when some of them have changed.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

/// How long nothing may change before something is done about it: editors save in several steps.
const DEBOUNCE: Duration = Duration::from_millis(100);
/// How long changes that never stop are waited for.
const DEBOUNCE_MAX: Duration = Duration::from_secs(2);
/// Folders that are watched at most: each is a watch of the system's, of which a user has some ten thousand.
const FOLDERS_MAX: usize = 4_096;
/// What a folder holds that a build can make again, such as cargo's target. <https://bford.info/cachedir/>
const CACHE_TAG: &str = "CACHEDIR.TAG";

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Change {
    /// A file that cargo may build the workspace at this path from.
    Source(PathBuf),
    /// The package of the function of this name, which comes ready-made.
    Package(String),
    /// The template.
    Template,
}

/// A file, or a folder with all below it, and what a change of it means.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    pub(super) path: PathBuf,
    pub(super) change: Change,
}

/// Why files cannot be watched.
#[derive(Debug, thiserror::Error)]
pub(super) enum WatchError {
    #[error("cannot watch {}: {source}", path.display())]
    Watch { path: PathBuf, source: notify::Error },
    #[error("cannot look into {}: {source}", path.display())]
    Walk { path: PathBuf, source: io::Error },
    #[error("there are more than {FOLDERS_MAX} folders below {}", path.display())]
    TooMany { path: PathBuf },
}

/// Watches scopes. What is hidden, cargo's target, what is tagged as a cache, and what interpreters keep (`node_modules`,
/// `__pycache__`), does not matter.
#[derive(Debug)]
pub(in crate::dev) struct Watch {
    scopes: Arc<[Scope]>,
    watcher: RecommendedWatcher,
    folders: HashSet<PathBuf>,
    pending: Arc<Pending>,
}

#[derive(Debug, Default)]
struct Pending {
    seen: Mutex<Seen>,
    news: Notify,
}

#[derive(Debug, Default)]
struct Seen {
    changes: BTreeSet<Change>,
    /// There may be folders that are not watched yet.
    folders: bool,
}

impl Watch {
    /// Watches from now on. Paths are absolute and without links.
    pub(super) fn start(scopes: Vec<Scope>) -> Result<Self, WatchError> {
        let pending = Arc::new(Pending::default());
        let scopes: Arc<[Scope]> = scopes.into();
        let (sink, known) = (Arc::clone(&pending), Arc::clone(&scopes));
        let root = scopes.first().map(|scope| scope.path.clone()).unwrap_or_default();
        let watcher = notify::recommended_watcher(move |event| sink.note(&known, &event))
            .map_err(|source| WatchError::Watch { path: root, source })?;
        let mut watch = Self { scopes, watcher, folders: HashSet::new(), pending };
        watch.scan()?;
        Ok(watch)
    }

    /// The next changes, once they have come to rest.
    pub(super) async fn changed(&mut self) -> Result<BTreeSet<Change>, WatchError> {
        loop {
            self.pending.news.notified().await;
            let until = Instant::now() + DEBOUNCE_MAX;
            while Instant::now() < until && timeout(DEBOUNCE, self.pending.news.notified()).await.is_ok() {}
            let Seen { changes, folders } = std::mem::take(&mut *self.pending.lock());
            if folders {
                self.scan()?;
            }
            if !changes.is_empty() {
                return Ok(changes);
            }
        }
    }

    fn scan(&mut self) -> Result<(), WatchError> {
        let scopes = Arc::clone(&self.scopes);
        for Scope { path, .. } in &*scopes {
            if path.is_dir() {
                self.walk(path)?;
            } else if let Some(folder) = path.parent() {
                // A file is watched by its folder: editors put a new one in its place.
                self.add(folder)?;
            }
        }
        Ok(())
    }

    fn walk(&mut self, root: &Path) -> Result<(), WatchError> {
        let mut left = vec![root.to_owned()];
        while let Some(folder) = left.pop() {
            self.add(&folder)?;
            let entries = match fs::read_dir(&folder) {
                Ok(entries) => entries,
                // It may be gone again, or be somebody else's.
                Err(_) if folder != *root => continue,
                Err(source) => return Err(WatchError::Walk { path: folder, source }),
            };
            let folders = entries.filter_map(Result::ok).filter(|entry| entry.file_type().is_ok_and(|it| it.is_dir()));
            left.extend(folders.map(|entry| entry.path()).filter(|path| !is_left_out(path)));
        }
        Ok(())
    }

    fn add(&mut self, folder: &Path) -> Result<(), WatchError> {
        if !folder.is_dir() || !self.folders.insert(folder.to_owned()) {
            return Ok(());
        }
        if self.folders.len() > FOLDERS_MAX {
            return Err(WatchError::TooMany { path: folder.to_owned() });
        }
        let watched = self.watcher.watch(folder, RecursiveMode::NonRecursive);
        watched.map_err(|source| WatchError::Watch { path: folder.to_owned(), source })
    }
}

impl Pending {
    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Called by the watcher, on a thread of its own.
    fn note(&self, scopes: &[Scope], event: &notify::Result<Event>) {
        let Ok(event) = event else { return };
        if !is_change(event.kind) {
            return;
        }
        let mut seen = self.lock();
        for path in &event.paths {
            let touched: Vec<_> = scopes.iter().filter(|scope| scope.holds(path)).collect();
            seen.folders |= !touched.is_empty() && path.is_dir();
            seen.changes.extend(touched.into_iter().map(|scope| scope.change.clone()));
        }
        drop(seen);
        self.news.notify_one();
    }
}

impl Scope {
    /// Whether a change of `path` is one of this scope.
    fn holds(&self, path: &Path) -> bool {
        let Ok(inner) = path.strip_prefix(&self.path) else { return false };
        // The scope itself may be anywhere, in cargo's target too; what counts is below it.
        path.ancestors().take(inner.components().count()).all(|part| !is_left_out(part))
    }
}

/// Reading a file is no change.
fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(access) => access == AccessKind::Close(AccessMode::Write),
        _ => true,
    }
}

fn is_left_out(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    name.as_encoded_bytes().starts_with(b".")
        || name == "node_modules"
        || name == "__pycache__"
        // Cargo tags only a folder that it made itself.
        || name == "target" && path.with_file_name("Cargo.toml").is_file()
        || path.join(CACHE_TAG).is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nothing here takes this long unless it is broken.
    const PATIENCE: Duration = Duration::from_mins(2);

    fn source() -> Change {
        Change::Source(PathBuf::from("workspace"))
    }

    struct Folder(PathBuf);

    impl Folder {
        fn new() -> Self {
            let folder = std::env::temp_dir().join(format!("onceward-watch-{}", uuid::Uuid::new_v4()));
            fs::create_dir(&folder).unwrap();
            Self(folder.canonicalize().unwrap())
        }

        fn write(&self, path: &str) {
            let path = self.0.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }

        fn scope(&self, path: &str, change: Change) -> Scope {
            Scope { path: self.0.join(path), change }
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            drop(fs::remove_dir_all(&self.0));
        }
    }

    async fn next(watch: &mut Watch) -> Vec<Change> {
        timeout(PATIENCE, watch.changed()).await.expect("a change is seen").unwrap().into_iter().collect()
    }

    #[tokio::test]
    async fn a_change_is_told_by_its_scope() {
        let folder = Folder::new();
        for path in ["code/src/lib.rs", "ready/bootstrap", "template.yaml", "other.txt"] {
            folder.write(path);
        }
        let package = Change::Package("f".to_owned());
        let mut watch = Watch::start(vec![
            folder.scope("code", source()),
            folder.scope("ready", package.clone()),
            folder.scope("template.yaml", Change::Template),
        ])
        .unwrap();
        folder.write("code/src/lib.rs");
        assert_eq!(next(&mut watch).await, [source()]);
        folder.write("other.txt");
        folder.write("ready/bootstrap");
        assert_eq!(next(&mut watch).await, [package]);
        // As editors do.
        folder.write("new");
        fs::rename(folder.0.join("new"), folder.0.join("template.yaml")).unwrap();
        assert_eq!(next(&mut watch).await, [Change::Template]);
    }

    #[tokio::test]
    async fn new_folders_are_watched_too() {
        let folder = Folder::new();
        folder.write("src/lib.rs");
        let mut watch = Watch::start(vec![folder.scope("", source())]).unwrap();
        folder.write("src/a/b/mod.rs");
        next(&mut watch).await;
        folder.write("src/a/b/mod.rs");
        assert_eq!(next(&mut watch).await, [source()]);
    }

    #[tokio::test]
    async fn what_is_built_or_hidden_does_not_matter() {
        let folder = Folder::new();
        for path in
            ["built/CACHEDIR.TAG", "built/debug/f", "Cargo.toml", "target/debug/f", ".git/index", "node_modules/a/b.js"]
        {
            folder.write(path);
        }
        folder.write("src/lib.rs");
        folder.write("src/target/mod.rs");
        let mut watch = Watch::start(vec![folder.scope("", source())]).unwrap();
        assert_eq!(watch.folders.len(), 3, "{:?}", watch.folders);
        for path in
            ["built/debug/f", "target/debug/f", ".git/index", ".lib.rs.swp", "node_modules/a/b.js", "target/new/f"]
        {
            folder.write(path);
        }
        let silence = timeout(DEBOUNCE * 4, watch.changed()).await;
        assert!(silence.is_err(), "{silence:?}");
        let lib = folder.0.join("src/lib.rs");
        fs::read(lib).unwrap();
        assert!(timeout(DEBOUNCE * 4, watch.changed()).await.is_err(), "reading is no change");
        folder.write("src/lib.rs");
        assert_eq!(next(&mut watch).await, [source()]);
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        // A file that is not there yet is watched for.
        let folder = Folder::new();
        assert!(Watch::start(vec![folder.scope("template.yaml", Change::Template)]).is_ok());
    }
}
