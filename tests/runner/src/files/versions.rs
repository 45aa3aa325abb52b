//! Versions of files, as `{DSK}` has them on a host that knows none.
//!
//! ```text
//!   foo.lisp              the newest version, without its number, and usually a hard link to ...
//!   foo.lisp.~3~          ... this one
//!   foo.lisp.~2~          older ones
//! ```
//!
//! A file without a number that is linked to no version counts as one version more than the newest, and as version 1 if
//! it is alone. Names ignore case.

use super::names::{HostName, split_version, versioned};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use vm::platform::Recognition;

/// What a path turned out to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A directory.
    Directory,
    /// A plain file.
    File,
    /// Nothing, or something else.
    Other,
}

/// The kind of what is at a path.
pub fn kind(path: &Path) -> Kind {
    match fs::metadata(path) {
        Ok(data) if data.is_dir() => Kind::Directory,
        Ok(data) if data.is_file() => Kind::File,
        _ => Kind::Other,
    }
}

/// The path with the case of letters that it really has.
pub fn true_path(path: &Path) -> Option<(PathBuf, Kind)> {
    let mut found = PathBuf::from("/");
    for part in path.components().skip(1) {
        let part = part.as_os_str().to_string_lossy();
        let exact = [part.to_string(), part.to_ascii_lowercase(), part.to_ascii_uppercase()];
        let next = exact.iter().map(|name| found.join(name)).find(|path| kind(path) != Kind::Other).or_else(|| {
            let entries = fs::read_dir(&found).ok()?;
            let mut same = entries.flatten().filter(|entry| {
                let name = entry.file_name();
                name.to_string_lossy().eq_ignore_ascii_case(&part)
            });
            same.find(|entry| kind(&entry.path()) != Kind::Other).map(|entry| entry.path())
        })?;
        found = next;
    }
    let kind = kind(&found);
    Some((found, kind))
}

/// A directory's true path.
pub fn true_directory(path: &Path) -> Option<PathBuf> {
    true_path(path).filter(|(_, kind)| *kind == Kind::Directory).map(|(path, _)| path)
}

/// One version of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Version {
    number: u32,
    /// Where its bytes are.
    path: PathBuf,
    /// Its path with its number.
    numbered: PathBuf,
}

/// All versions of a file.
#[derive(Debug)]
pub struct Versions {
    directory: PathBuf,
    /// The name they share, with the case it has on the disk.
    name: String,
    /// Newest first.
    versions: Vec<Version>,
    /// The file without a number, if there is one.
    plain: Option<PathBuf>,
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

impl Versions {
    /// Looks for the versions of a name in a directory.
    pub fn find(directory: &Path, name: &str) -> io::Result<Versions> {
        let mut plain: Option<(PathBuf, u64, u64)> = None;
        let mut versions = Vec::new();
        let mut shared = name.to_string();
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let file = entry.file_name();
            let file = file.to_string_lossy();
            let (own, digits) = split_version(&file);
            if !own.eq_ignore_ascii_case(name) {
                continue;
            }
            shared = own.to_string();
            let path = entry.path();
            match digits.parse() {
                Ok(number) if number > 0 => versions.push(Version { number, path: path.clone(), numbered: path }),
                _ => {
                    let (links, inode) = fs::metadata(&path).map_or((1, 0), |data| (data.nlink(), data.ino()));
                    plain = Some((path, links, inode));
                }
            }
        }
        versions.sort_by_key(|version| std::cmp::Reverse(version.number));
        let mut linked = None;
        if let Some((path, links, inode)) = &plain {
            if *links > 1 {
                let same = |version: &&Version| fs::metadata(&version.path).is_ok_and(|data| data.ino() == *inode);
                linked = versions.iter().find(same).map(|version| version.number);
            }
            if linked.is_none() {
                let number = versions.first().map_or(1, |newest| newest.number.saturating_add(1));
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let numbered = directory.join(versioned(&name, &number.to_string()));
                versions.insert(0, Version { number, path: path.clone(), numbered });
            }
        }
        let plain = plain.map(|(path, ..)| path);
        Ok(Versions { directory: directory.to_path_buf(), name: shared, versions, plain, linked })
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.versions.is_empty()
    }

    /// What a version text and a recognition mean.
    pub fn resolve(&self, wanted: &HostName, recognition: Recognition) -> Option<Resolved> {
        let resolved = |version: &Version| Resolved { path: version.path.clone(), numbered: version.numbered.clone() };
        let named: Option<u32> = wanted.version.parse().ok();
        if let Some(version) = named.and_then(|number| self.versions.iter().find(|version| version.number == number)) {
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
                let numbered = self.directory.join(versioned(name, &version));
                // The first version of a file has no number on the disk.
                let path = if self.is_empty() && version == "1" { self.directory.join(name) } else { numbered.clone() };
                Some(Resolved { path, numbered })
            }
        }
    }

    /// Brings the file without a number into order: linked to the newest version, or alone. `before_new`: another
    /// version is about to be made, so that even a lone file needs a number.
    pub fn maintain(&self, before_new: bool) -> io::Result<()> {
        let Some(newest) = self.versions.first() else { return Ok(()) };
        match (&self.plain, self.linked) {
            (None, _) => fs::hard_link(&newest.path, self.directory.join(&self.name)),
            (Some(plain), None) if self.versions.len() > 1 || before_new => fs::hard_link(plain, &newest.numbered),
            (Some(_), None) => Ok(()),
            (Some(_), Some(number)) if number == newest.number => Ok(()),
            (Some(plain), Some(_)) => {
                fs::remove_file(plain)?;
                fs::hard_link(&newest.path, self.directory.join(&self.name))
            }
        }
    }

    /// The version that the file without a number is a second name of, if `path` is it, under either name.
    fn twin(&self, path: &Path) -> Option<(PathBuf, PathBuf)> {
        let plain = self.plain.as_ref()?;
        let version = self.versions.iter().find(|version| Some(version.number) == self.linked)?;
        (path == plain || path == version.path).then(|| (plain.clone(), version.path.clone()))
    }

    /// Deletes one version.
    pub fn delete(&self, path: &Path) -> io::Result<()> {
        match self.twin(path) {
            None => fs::remove_file(path),
            Some((plain, version)) => {
                fs::remove_file(plain)?;
                fs::remove_file(version)?;
                Versions::find(&self.directory, &self.name)?.maintain(false)
            }
        }
    }

    /// Takes the second name from a version that is about to be renamed; whether there was one. `path` may be either.
    pub fn unlink_twin(&self, path: &Path) -> io::Result<bool> {
        match self.twin(path) {
            None => Ok(false),
            Some((plain, version)) => fs::remove_file(if path == plain { version } else { plain }).map(|()| true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let path = std::env::temp_dir().join(format!("runner-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir(&path).unwrap();
            Folder(path)
        }

        fn make(&self, name: &str) {
            fs::write(self.0.join(name), name).unwrap();
        }

        /// What a name means, without the folder.
        fn resolve(&self, name: &str, version: &str, recognition: Recognition) -> Option<(String, String)> {
            let wanted = HostName { directory: self.0.clone(), name: name.into(), version: version.into() };
            let resolved = Versions::find(&self.0, name).unwrap().resolve(&wanted, recognition)?;
            let name = |path: PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
            Some((name(resolved.path), name(resolved.numbered)))
        }

        fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(&self.0).unwrap();
            let mut names: Vec<_> =
                entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
            names.sort();
            names
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn pair(a: &str, b: &str) -> Option<(String, String)> {
        Some((a.into(), b.into()))
    }

    #[test]
    fn a_lone_file_is_version_one() {
        let folder = Folder::new("lone");
        assert_eq!(folder.resolve("x.l", "", Recognition::Old), None);
        assert_eq!(folder.resolve("x.l", "", Recognition::New), pair("x.l", "x.l.~1~"));
        folder.make("X.l");
        assert_eq!(folder.resolve("x.L", "", Recognition::Old), pair("X.l", "X.l.~1~"));
        assert_eq!(folder.resolve("x.L", "1", Recognition::Old), pair("X.l", "X.l.~1~"));
        assert_eq!(folder.resolve("x.L", "2", Recognition::Old), None);
        assert_eq!(folder.resolve("x.l", "", Recognition::New), pair("X.l.~2~", "X.l.~2~"));
    }

    #[test]
    fn new_versions_are_linked() {
        let folder = Folder::new("linked");
        folder.make("x");
        Versions::find(&folder.0, "x").unwrap().maintain(true).unwrap();
        folder.make("x.~2~");
        Versions::find(&folder.0, "x").unwrap().maintain(false).unwrap();
        assert_eq!(folder.names(), ["x", "x.~1~", "x.~2~"]);
        assert_eq!(fs::read(folder.0.join("x")).unwrap(), b"x.~2~");
        assert_eq!(folder.resolve("x", "", Recognition::Old), pair("x.~2~", "x.~2~"));
        assert_eq!(folder.resolve("x", "", Recognition::Oldest), pair("x.~1~", "x.~1~"));
        Versions::find(&folder.0, "x").unwrap().delete(&folder.0.join("x.~2~")).unwrap();
        assert_eq!(folder.names(), ["x", "x.~1~"]);
        assert_eq!(fs::read(folder.0.join("x")).unwrap(), b"x");
    }

    #[test]
    fn names_ignore_case() {
        let folder = Folder::new("case");
        fs::create_dir(folder.0.join("MixedCase")).unwrap();
        let (path, kind) = true_path(&folder.0.join("MIXEDCASE")).unwrap();
        assert!(path.ends_with("MixedCase") && kind == Kind::Directory);
        assert_eq!(true_path(&folder.0.join("nothing")), None);
    }
}
