//! The executables that functions run from: links to what cargo has built, which change only once a build has succeeded
//! as a whole. Cargo replaces its own one by one, and a process may be started at any time.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, test_kill_process};

/// The folder of all links, beside what cargo builds.
const FOLDER: &str = "onceward-dev";
/// Bytes of two executables that are compared at a time.
const CHUNK_BYTES: usize = 1 << 20;

/// One folder of links; dropping it removes them.
#[derive(Debug)]
pub(super) struct Links {
    folder: PathBuf,
}

impl Links {
    /// An empty folder beside the executables in `binaries`, of this process alone.
    pub(super) fn create(binaries: &Path) -> io::Result<Self> {
        let all = binaries.join(FOLDER);
        fs::create_dir_all(&all)?;
        remove_abandoned(&all);
        let folder = all.join(std::process::id().to_string());
        // Of an earlier process that had this id.
        drop(fs::remove_dir_all(&folder));
        fs::create_dir(&folder)?;
        Ok(Self { folder })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Links to `built`, by its name. False: that is what the link leads to already, byte by byte.
    pub(super) fn update(&self, built: &Path) -> io::Result<bool> {
        let name = built.file_name().unwrap_or_default();
        let link = self.folder.join(name);
        if link.exists() && is_same(built, &link)? {
            return Ok(false);
        }
        let new = self.folder.join("new");
        drop(fs::remove_file(&new));
        // Some file systems have no links.
        fs::hard_link(built, &new).or_else(|_| fs::copy(built, &new).map(drop))?;
        // In one step: there is always an executable to start.
        fs::rename(&new, &link)?;
        Ok(true)
    }
}

impl Drop for Links {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.folder));
    }
}

/// Removes the links of processes that were killed.
fn remove_abandoned(all: &Path) {
    for folder in fs::read_dir(all).into_iter().flatten().filter_map(Result::ok) {
        let pid = folder.file_name().to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw);
        if pid.is_none_or(|pid| test_kill_process(pid) == Err(rustix::io::Errno::SRCH)) {
            drop(fs::remove_dir_all(folder.path()));
        }
    }
}

fn is_same(one: &Path, other: &Path) -> io::Result<bool> {
    let (mut one, mut other) = (File::open(one)?, File::open(other)?);
    let ((of_one, of_other), mut left) = ((one.metadata()?, other.metadata()?), other.metadata()?.len());
    if (of_one.dev(), of_one.ino()) == (of_other.dev(), of_other.ino()) {
        return Ok(true);
    }
    if of_one.len() != of_other.len() {
        return Ok(false);
    }
    let (mut first, mut second) = (vec![0; CHUNK_BYTES], vec![0; CHUNK_BYTES]);
    while left > 0 {
        let count = usize::try_from(left).map_or(CHUNK_BYTES, |left| left.min(CHUNK_BYTES));
        one.read_exact(&mut first[..count])?;
        other.read_exact(&mut second[..count])?;
        if first[..count] != second[..count] {
            return Ok(false);
        }
        left -= count as u64;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with an executable `f`; a build is a new file in its place.
    fn build(folder: &Path, content: &[u8]) -> PathBuf {
        let (path, new) = (folder.join("f"), folder.join("f.new"));
        fs::write(&new, content).unwrap();
        fs::rename(new, &path).unwrap();
        path
    }

    #[test]
    fn a_link_keeps_what_was_built_until_it_is_updated() {
        let folder = std::env::temp_dir().join(format!("onceward-links-{}", uuid::Uuid::new_v4()));
        fs::create_dir(&folder).unwrap();
        let abandoned = folder.join(FOLDER).join("2147483647");
        fs::create_dir_all(&abandoned).unwrap();
        let links = Links::create(&folder).unwrap();
        assert!(!abandoned.exists(), "its process is gone");

        let link = links.folder().join("f");
        let large = vec![b'a'; CHUNK_BYTES + 7];
        assert!(links.update(&build(&folder, &large)).unwrap());
        assert!(!links.update(&folder.join("f")).unwrap());
        assert!(!links.update(&build(&folder, &large)).unwrap(), "another file, the same bytes");
        let mut other = large.clone();
        other[CHUNK_BYTES + 3] = b'b';
        let built = build(&folder, &other);
        assert_eq!(fs::read(&link).unwrap(), large, "until the build is known to be good");
        assert!(links.update(&built).unwrap());
        assert_eq!(fs::read(&link).unwrap(), other);
        assert!(links.update(&folder.join("missing")).is_err());

        let path = links.folder().to_owned();
        drop(links);
        assert!(!path.exists());
        fs::remove_dir_all(folder).unwrap();
    }
}
