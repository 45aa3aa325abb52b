//! Versions of files, as `{DSK}` has them on a volume that knows none.
//!
//! ```text
//!   foo.lisp              the newest version, without its number, and usually a hard link to ...
//!   foo.lisp.~3~          ... this one
//!   foo.lisp.~2~          older ones
//! ```
//!
//! A file without a number that is linked to no version counts as one version more than the newest, and as version 1 if
//! it is alone. Names ignore case. On a volume without hard links only numbered names are made, the first version apart.
//!
//! A directory, a device or a link that leads nowhere may have such a name, too. It takes its number, so that no file gets
//! it, and is left alone: a file that would push it aside cannot be made.

use crate::names::{Wanted, join, split_version, versioned};
use crate::volume::{Entry, Kind, Path, PathBuf, Result, Volume, VolumeError};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use vm::platform::Recognition;

/// One version of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Version {
    number: u32,
    /// Where its bytes are.
    path: PathBuf,
    /// Its path with its number.
    numbered: PathBuf,
    kind: Kind,
}

/// All versions of a file.
#[derive(Debug)]
pub struct Versions {
    directory: PathBuf,
    /// The name they share, with the case it has on the volume.
    name: String,
    /// Newest first.
    versions: Vec<Version>,
    /// The file without a number, if there is one.
    plain: Option<(PathBuf, Kind)>,
    /// The version that the plain file is linked to.
    linked: Option<u32>,
}

/// What a name with a recognition means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Resolved {
    /// Where the bytes are or will be.
    pub path: PathBuf,
    /// The path with a version.
    pub numbered: PathBuf,
}

/// Takes a volume without hard links for one that has done its best.
fn if_possible(outcome: Result<()>) -> Result<()> {
    match outcome {
        Err(VolumeError::Unsupported | VolumeError::NotPermitted) => Ok(()),
        outcome => outcome,
    }
}

/// What an entry of a directory leads to, and that file's number: a symbolic link is what it leads to.
fn target(volume: &mut dyn Volume, path: &Path, entry: Entry<'_>) -> (Kind, u64) {
    match entry.kind {
        Some(kind @ (Kind::File | Kind::Directory)) => (kind, entry.node),
        _ => match volume.attributes(path) {
            Ok(found) => (found.kind, found.node),
            Err(_) => (Kind::Other, entry.node),
        },
    }
}

impl Versions {
    /// Looks for the versions of a name in a directory.
    pub fn find(volume: &mut dyn Volume, directory: &Path, name: &str) -> Result<Versions> {
        let mut plain: Option<(PathBuf, Kind, u64)> = None;
        let mut versions: Vec<(Version, u64)> = Vec::new();
        let mut shared = name.to_string();
        for entry in volume.entries(directory)?.iter() {
            let (own, digits) = split_version(entry.name);
            if !own.eq_ignore_ascii_case(name) {
                continue;
            }
            shared = own.to_string();
            let path = join(directory, entry.name);
            let (kind, node) = target(volume, &path, entry);
            match digits.parse() {
                Ok(number) if number > 0 => {
                    versions.push((Version { number, path: path.clone(), numbered: path, kind }, node));
                }
                _ => plain = Some((path, kind, node)),
            }
        }
        versions.sort_by_key(|(version, _)| core::cmp::Reverse(version.number));
        let mut linked = None;
        if let Some((path, kind, node)) = &plain {
            let same = versions.iter().find(|(_, other)| other == node);
            linked = same.map(|(version, _)| version.number);
            if linked.is_none() {
                let number = versions.first().map_or(1, |(newest, _)| newest.number.saturating_add(1));
                let name = path.last().map_or("", |name| name);
                let numbered = join(directory, &versioned(name, &number.to_string()));
                versions.insert(0, (Version { number, path: path.clone(), numbered, kind: *kind }, *node));
            }
        }
        let plain = plain.map(|(path, kind, _)| (path, kind));
        let versions = versions.into_iter().map(|(version, _)| version).collect();
        Ok(Versions { directory: directory.to_vec(), name: shared, versions, plain, linked })
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.versions.is_empty()
    }

    /// What a version text and a recognition mean.
    pub fn resolve(&self, wanted: &Wanted, recognition: Recognition) -> Option<Resolved> {
        let resolved = |version: &Version| Resolved { path: version.path.clone(), numbered: version.numbered.clone() };
        let named: Option<u32> = wanted.version.parse().ok();
        if let Some(number) = named
            && let Some(version) = self.versions.iter().find(|version| version.number == number)
        {
            return Some(resolved(version));
        }
        let none_named = wanted.version.is_empty();
        match recognition {
            Recognition::Old if none_named => self.versions.first().map(resolved),
            Recognition::Oldest if none_named => self.versions.last().map(resolved),
            Recognition::OldOrNew if none_named && !self.is_empty() => self.versions.first().map(resolved),
            Recognition::Old | Recognition::Oldest => None,
            Recognition::New | Recognition::OldOrNew | Recognition::AsNamed => {
                let next = self.versions.first().map_or(1, |newest| newest.number.saturating_add(1));
                let version = if none_named { next.to_string() } else { wanted.version.clone() };
                let name = if self.is_empty() { &wanted.name } else { &self.name };
                let numbered = join(&self.directory, &versioned(name, &version));
                // The first version of a file has no number on the volume.
                let first = self.is_empty() && version == "1";
                let path = if first { join(&self.directory, name) } else { numbered.clone() };
                Some(Resolved { path, numbered })
            }
        }
    }

    /// Brings the file without a number into order: linked to the newest version, or alone. `before_new`: another
    /// version is about to be made, so that even a lone file needs a number. It is an error if what has the name without
    /// a number is no file then.
    pub fn maintain(&self, volume: &mut dyn Volume, before_new: bool) -> Result<()> {
        let Some(newest) = self.versions.first() else { return Ok(()) };
        let own = join(&self.directory, &self.name);
        match (&self.plain, self.linked) {
            (Some((_, Kind::Directory)), _) if before_new => Err(VolumeError::IsDirectory),
            (Some((_, Kind::Other)), _) if before_new => Err(VolumeError::NotPlain),
            (Some((_, kind)), _) if *kind != Kind::File => Ok(()),
            _ if newest.kind != Kind::File => Ok(()),
            (None, _) => if_possible(volume.link(&newest.path, &own)),
            (Some((plain, _)), None) if self.versions.len() > 1 || before_new => {
                match volume.link(plain, &newest.numbered) {
                    // Without links its name has to become one with a number.
                    Err(VolumeError::Unsupported | VolumeError::NotPermitted) => volume.rename(plain, &newest.numbered),
                    outcome => outcome,
                }
            }
            (Some(_), None) => Ok(()),
            (Some(_), Some(number)) if number == newest.number => Ok(()),
            (Some((plain, _)), Some(_)) => {
                volume.remove(plain)?;
                if_possible(volume.link(&newest.path, &own))
            }
        }
    }

    /// The version that the file without a number is a second name of, if `path` is it, under either name.
    fn twin(&self, path: &Path) -> Option<(&Path, &Path)> {
        let (plain, _) = self.plain.as_ref()?;
        let version = self.versions.iter().find(|version| Some(version.number) == self.linked)?;
        (path == plain || path == version.path).then_some((plain, &version.path))
    }

    /// An error if what is at a path is a directory: on `{DSK}` that is no file to delete or to rename.
    pub fn check_no_directory(&self, path: &Path) -> Result<()> {
        let directory = self.versions.iter().any(|version| version.path == path && version.kind == Kind::Directory);
        if directory { Err(VolumeError::IsDirectory) } else { Ok(()) }
    }

    /// Deletes one version.
    pub fn delete(&self, volume: &mut dyn Volume, path: &Path) -> Result<()> {
        self.check_no_directory(path)?;
        match self.twin(path) {
            None => volume.remove(path),
            Some((plain, version)) => {
                volume.remove(plain)?;
                volume.remove(version)?;
                Versions::find(volume, &self.directory, &self.name)?.maintain(volume, false)
            }
        }
    }

    /// Takes the second name from a version that is about to be renamed; whether there was one. `path` may be either.
    pub fn unlink_twin(&self, volume: &mut dyn Volume, path: &Path) -> Result<bool> {
        match self.twin(path) {
            None => Ok(false),
            Some((plain, version)) => volume.remove(if path == plain { version } else { plain }).map(|()| true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MemoryVolume;

    struct Folder(MemoryVolume);

    fn at(name: &str) -> PathBuf {
        [name.to_string()].to_vec()
    }

    impl Folder {
        fn new() -> Folder {
            Folder(MemoryVolume::new(|| 0))
        }

        fn make(&mut self, name: &str) {
            let file = self.0.create(&at(name)).unwrap();
            self.0.write(file, 0, name.as_bytes()).unwrap();
            self.0.close(file).unwrap();
        }

        fn read(&mut self, name: &str) -> String {
            let file = self.0.open(&at(name), false).unwrap();
            let mut bytes = [0; 20];
            let count = self.0.read(file, 0, &mut bytes).unwrap();
            self.0.close(file).unwrap();
            String::from_utf8_lossy(&bytes[..count]).into_owned()
        }

        fn find(&mut self, name: &str) -> Versions {
            Versions::find(&mut self.0, &[], name).unwrap()
        }

        fn maintain(&mut self, name: &str, before_new: bool) -> Result<()> {
            self.find(name).maintain(&mut self.0, before_new)
        }

        /// What a name means.
        fn resolve(&mut self, name: &str, version: &str, recognition: Recognition) -> Option<(String, String)> {
            let wanted = Wanted { directory: PathBuf::new(), name: name.into(), version: version.into() };
            let resolved = self.find(name).resolve(&wanted, recognition)?;
            Some((resolved.path.join("/"), resolved.numbered.join("/")))
        }

        fn names(&mut self) -> Vec<String> {
            let mut names: Vec<_> = self.0.entries(&[]).unwrap().iter().map(|entry| entry.name.to_string()).collect();
            names.sort();
            names
        }
    }

    fn pair(a: &str, b: &str) -> Option<(String, String)> {
        Some((a.into(), b.into()))
    }

    #[test]
    fn a_lone_file_is_version_one() {
        let mut folder = Folder::new();
        assert_eq!(folder.resolve("x.l", "", Recognition::Old), None);
        assert_eq!(folder.resolve("x.l", "", Recognition::New), pair("x.l", "x.l.~1~"));
        folder.make("X.l");
        assert_eq!(folder.resolve("x.L", "", Recognition::Old), pair("X.l", "X.l.~1~"));
        assert_eq!(folder.resolve("x.L", "1", Recognition::Old), pair("X.l", "X.l.~1~"));
        assert_eq!(folder.resolve("x.L", "2", Recognition::Old), None);
        assert_eq!(folder.resolve("x.l", "", Recognition::New), pair("X.l.~2~", "X.l.~2~"));
        assert_eq!(folder.resolve("x.l", "99999999999", Recognition::Old), None);
    }

    #[test]
    fn new_versions_are_linked() {
        let mut folder = Folder::new();
        folder.make("x");
        folder.maintain("x", true).unwrap();
        folder.make("x.~2~");
        folder.maintain("x", false).unwrap();
        assert_eq!(folder.names(), ["x", "x.~1~", "x.~2~"]);
        assert_eq!(folder.read("x"), "x.~2~");
        assert_eq!(folder.resolve("x", "", Recognition::Old), pair("x.~2~", "x.~2~"));
        assert_eq!(folder.resolve("x", "", Recognition::Oldest), pair("x.~1~", "x.~1~"));
        folder.find("x").delete(&mut folder.0, &at("x.~2~")).unwrap();
        assert_eq!(folder.names(), ["x", "x.~1~"]);
        assert_eq!(folder.read("x"), "x");
    }

    #[test]
    fn without_links() {
        let mut folder = Folder::new();
        folder.0.faults.no_links = true;
        folder.make("x");
        folder.maintain("x", true).unwrap();
        folder.make("x.~2~");
        folder.maintain("x", false).unwrap();
        assert_eq!(folder.names(), ["x.~1~", "x.~2~"]);
        assert_eq!(folder.resolve("x", "", Recognition::Old), pair("x.~2~", "x.~2~"));
        assert_eq!(folder.read("x.~1~"), "x");
        folder.find("x").delete(&mut folder.0, &at("x.~2~")).unwrap();
        assert_eq!(folder.names(), ["x.~1~"]);
    }

    #[test]
    fn a_full_volume_is_no_success() {
        let mut folder = Folder::new();
        folder.make("x");
        folder.0.faults.read_only = true;
        assert_eq!(folder.maintain("x", true), Err(VolumeError::ReadOnly));
    }
}
