//! Machines' disks in tests: made, listed and checked by `boot`, as a user does it.

use fixtures::boot;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A file with a machine's disk; it is removed when dropped.
pub struct Disk {
    /// Where it is.
    pub path: PathBuf,
}

/// What `boot` says of a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    /// The newest generation that is complete.
    pub newest: u64,
    /// How many of the kept generations are.
    pub complete: usize,
}

impl Disk {
    /// A name for a disk that does not exist yet.
    pub fn unmade(name: &str) -> Disk {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        Disk { path: std::env::temp_dir().join(format!("duralumin-{name}-{}-{number}.disk", std::process::id())) }
    }

    /// A new disk with the world of a sysout.
    pub fn import(name: &str, sysout: &Path) -> Result<Disk, String> {
        let disk = Disk::unmade(name);
        boot(&["import".as_ref(), sysout, &disk.path])?;
        Ok(disk)
    }

    /// Reads everything on it: an error if anything is damaged, and what there is otherwise.
    pub fn check(&self) -> Result<State, String> {
        let checked = boot(&["check".as_ref(), self.path.as_path()])?;
        let listed = boot(&["list".as_ref(), self.path.as_path()])?;
        let good = listed.lines().filter(|line| line.trim_end().ends_with(" good"));
        let generations = good.map(|line| line.split_ascii_whitespace().next().and_then(|word| word.parse().ok()));
        let generations: Option<Vec<u64>> = generations.collect();
        let generations = generations.ok_or_else(|| format!("boot list says something strange:\n{listed}"))?;
        let newest = generations.iter().copied().max().ok_or_else(|| format!("no world:\n{checked}{listed}"))?;
        Ok(State { newest, complete: generations.len() })
    }
}

impl Disk {
    /// Leaves the file where it is, for whoever looks into a failure.
    pub fn keep(mut self) {
        self.path = PathBuf::new();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}
