//! Lists of files: which names of a directory a pattern means, in which order, and under which version.

use crate::names::{self, Wanted, join, name_matches, split_version};
use crate::resolve::kind;
use crate::volume::{Entries, Kind, PathBuf, Result, Volume, VolumeError};
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::{Ordering, Reverse};
use core::fmt::Write;
use vm::platform::FileDevice;

/// What is listed of a directory. Names are made when they are asked for.
pub struct List {
    directory: PathBuf,
    entries: Entries,
    items: Vec<Item>,
    next: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Item {
    /// Its number among the entries.
    entry: u32,
    form: Form,
}

/// How a name is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    Directory,
    /// As it is.
    Plain,
    /// With that version.
    Version(u32),
}

/// Names of a listing as they are sorted: without regard to case.
fn by_name(a: &str, b: &str) -> Ordering {
    let mut bytes = a.bytes().zip(b.bytes());
    let differ = bytes.find_map(|(a, b)| {
        let order = a.to_ascii_lowercase().cmp(&b.to_ascii_lowercase());
        (order != Ordering::Equal).then_some(order)
    });
    differ.unwrap_or(a.len().cmp(&b.len()))
}

impl List {
    /// Lists the directory that a pattern names (its true name). `newest`: of each file only the newest version.
    pub fn make(volume: &mut dyn Volume, device: FileDevice, pattern: &Wanted, newest: bool) -> Result<List> {
        let directory = pattern.directory.clone();
        let entries = volume.entries(&directory)?;
        let items = match device {
            FileDevice::Unix => unix_items(volume, &directory, &entries, pattern)?,
            FileDevice::Disk => disk_items(volume, &directory, &entries, pattern, newest)?,
        };
        Ok(List { directory, entries, items, next: 0 })
    }

    /// How many files it has.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// The next file: its name in the list, and its path.
    pub fn next(&mut self) -> Option<(String, PathBuf)> {
        let item = self.items.get(self.next)?;
        self.next += 1;
        let name = self.entries.get(item.entry as usize).name;
        let listed = match item.form {
            Form::Directory => names::listed_directory(name),
            Form::Plain => names::listed_name(name),
            Form::Version(version) => {
                let mut listed = names::listed_name(split_version(name).0);
                let _ = write!(listed, ";{version}");
                listed
            }
        };
        Some((listed, join(&self.directory, name)))
    }
}

fn is_directory(volume: &mut dyn Volume, directory: &PathBuf, entries: &Entries, index: usize) -> bool {
    let entry = entries.get(index);
    // What the directory calls neither may be a link to either.
    let own = entry.kind.filter(|&kind| kind != Kind::Other);
    own.unwrap_or_else(|| kind(volume, &join(directory, entry.name))) == Kind::Directory
}

/// A list with room for so many.
fn room<T>(count: usize) -> Result<Vec<T>> {
    let mut items = Vec::new();
    items.try_reserve(count).map_err(|_| VolumeError::NoMemory)?;
    Ok(items)
}

fn unix_items(volume: &mut dyn Volume, directory: &PathBuf, entries: &Entries, pattern: &Wanted) -> Result<Vec<Item>> {
    let mut items = room(entries.len())?;
    for index in 0..entries.len() {
        if name_matches(split_version(entries.get(index).name).0, &pattern.name, false) {
            let is_directory = is_directory(volume, directory, entries, index);
            let form = if is_directory { Form::Directory } else { Form::Plain };
            items.push(Item { entry: index as u32, form });
        }
    }
    items.sort_unstable_by_key(|item| entries.get(item.entry as usize).name);
    Ok(items)
}

/// Lists `{DSK}`: without a version in the pattern files that have no number on the volume; `;` the newest of each; `;3`
/// that version; `;*` all. A file without a number that is linked to a version is that version.
fn disk_items(
    volume: &mut dyn Volume,
    directory: &PathBuf,
    entries: &Entries,
    pattern: &Wanted,
    newest: bool,
) -> Result<Vec<Item>> {
    struct Found {
        entry: usize,
        version: u32,
        is_directory: bool,
    }
    let wanted: Option<u32> = pattern.version.parse().ok();
    let all = newest || wanted.is_some() || pattern.version.contains('*');
    let own = |entry: usize| split_version(entries.get(entry).name).0;
    let mut found = room(entries.len())?;
    for entry in 0..entries.len() {
        let (own, digits) = split_version(entries.get(entry).name);
        if name_matches(own, &pattern.name, true) && (all || digits.is_empty()) {
            let is_directory = is_directory(volume, directory, entries, entry);
            found.push(Found { entry, version: digits.parse().unwrap_or(0), is_directory });
        }
    }
    found
        .sort_unstable_by(|a, b| by_name(own(a.entry), own(b.entry)).then(Reverse(a.version).cmp(&Reverse(b.version))));
    let mut items = room(found.len())?;
    for group in found.chunk_by(|a, b| own(a.entry).eq_ignore_ascii_case(own(b.entry))) {
        if wanted.is_none() {
            let directories = group.iter().filter(|found| found.is_directory);
            items.extend(directories.map(|found| Item { entry: found.entry as u32, form: Form::Directory }));
        }
        let mut files: Vec<(usize, u32)> =
            group.iter().filter(|found| !found.is_directory).map(|found| (found.entry, found.version)).collect();
        // The file without a number is the last of them.
        if let Some(&(plain, 0)) = files.last() {
            files.pop();
            let node = entries.get(plain).node;
            if !files.iter().any(|&(entry, _)| entries.get(entry).node == node) {
                let version = files.first().map_or(1, |newest| newest.1.saturating_add(1));
                files.insert(0, (plain, version));
            }
        }
        if newest {
            files.truncate(1);
        }
        let files = files.into_iter().filter(|file| wanted.is_none_or(|wanted| wanted == file.1));
        items.extend(files.map(|(entry, version)| Item { entry: entry as u32, form: Form::Version(version) }));
    }
    Ok(items)
}
