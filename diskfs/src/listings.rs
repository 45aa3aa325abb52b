//! The directories that were listed last.
//!
//! Lisp lists a directory several times for each file that it opens, to find the versions there are. What is here is what
//! reading the directory would give: every change of names goes by.

use alloc::vec::Vec;
use files::{Entries, Entry, Kind};

/// How many directories are remembered.
const MOST: usize = 2;
/// Names of a directory that is remembered at most.
const MOST_NAMES: usize = 20_000;

/// Directories by their nodes, the last one at the end.
#[derive(Default)]
pub struct Listings(Vec<(u32, Entries)>);

impl Listings {
    /// What is in a directory, if that is remembered.
    pub fn get(&mut self, directory: u32) -> Option<Entries> {
        let at = self.0.iter().position(|(known, _)| *known == directory)?;
        self.0[at..].rotate_left(1);
        self.0.last().map(|(_, entries)| entries.clone())
    }

    /// Remembers what is in a directory.
    pub fn put(&mut self, directory: u32, entries: &Entries) {
        if entries.len() > MOST_NAMES {
            return;
        }
        if self.0.len() == MOST {
            self.0.remove(0);
        }
        self.0.push((directory, entries.clone()));
    }

    /// A name is new in a directory.
    pub fn add(&mut self, directory: u32, name: &str, kind: Kind, node: u32) {
        let Some((_, entries)) = self.0.iter_mut().find(|(known, _)| *known == directory) else { return };
        if entries.add(Entry { name, kind: Some(kind), node: node.into() }).is_err() {
            self.forget(directory);
        }
    }

    /// A name is in a directory no more.
    pub fn remove(&mut self, directory: u32, name: &str) {
        if let Some((_, entries)) = self.0.iter_mut().find(|(known, _)| *known == directory) {
            entries.remove(name);
        }
    }

    /// Something has happened to a directory, or its number may be another's.
    pub fn forget(&mut self, directory: u32) {
        self.0.retain(|(known, _)| *known != directory);
    }
}
