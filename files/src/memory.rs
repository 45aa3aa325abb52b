//! A volume in memory: gone when the power is. In tests also a strict fake, with what goes wrong on real ones.
//!
//! ```text
//!   nodes   0  root      ("out" -> 1, "x.lisp" -> 2)
//!           1  directory ("y" -> 2)                      two names of one file
//!           2  file      bytes: a loader's, until they are first written to
//! ```

use crate::volume::*;
use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// What goes wrong with a volume.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Nothing can be changed.
    pub read_only: bool,
    /// Nothing answers any more.
    pub gone: bool,
    /// There are no hard links.
    pub no_links: bool,
    /// Bytes that all files together may have.
    pub capacity: Option<u64>,
    /// After so many more operations one fails, with that error.
    pub after: Option<(u32, VolumeError)>,
}

enum Content {
    Directory(BTreeMap<String, usize>),
    File(Cow<'static, [u8]>),
}

struct Node {
    content: Content,
    written: i64,
    read: i64,
    mode: u32,
    /// Names that it has.
    names: u32,
    /// How often it is open.
    open: u32,
}

#[derive(Clone, Copy)]
struct Open {
    node: usize,
    write: bool,
}

/// Mode bits of what Lisp makes.
const FILE_MODE: u32 = 0o644;
const DIRECTORY_MODE: u32 = 0o755;
/// Mode bits that say what something is.
const IS_FILE: u32 = 0o100_000;
const IS_DIRECTORY: u32 = 0o040_000;
/// Bytes of a block, for [`Space`].
const BLOCK: u32 = 512;

/// See the module.
pub struct MemoryVolume {
    /// A node without names that nobody has open is free.
    nodes: Vec<Node>,
    open: Vec<Option<Open>>,
    /// Unix seconds now.
    now: fn() -> i64,
    /// What goes wrong.
    pub faults: Faults,
    /// Operations so far.
    pub operations: u64,
}

impl MemoryVolume {
    /// An empty volume. `now` gives Unix seconds.
    pub fn new(now: fn() -> i64) -> Self {
        let mut volume = Self { nodes: Vec::new(), open: Vec::new(), now, faults: Faults::default(), operations: 0 };
        let root = volume.add(Content::Directory(BTreeMap::new()), DIRECTORY_MODE);
        volume.nodes[root].names = 1;
        volume
    }

    /// Puts a file there with its directories, or gives a file that is there new bytes. They are copied when they are
    /// first written to.
    pub fn provide(&mut self, path: &Path, bytes: Cow<'static, [u8]>) -> Result<()> {
        check_path(path)?;
        let (name, directories) = path.split_last().ok_or(VolumeError::IsDirectory)?;
        let mut directory = 0;
        for name in directories {
            directory = match self.names(directory)?.get(name) {
                Some(&there) => there,
                None => self.make(directory, name, Content::Directory(BTreeMap::new()), DIRECTORY_MODE)?,
            };
        }
        match self.names(directory)?.get(name).copied() {
            None => self.make(directory, name, Content::File(bytes), FILE_MODE).map(drop),
            Some(node) => {
                *self.bytes(node)? = bytes;
                Ok(())
            }
        }
    }

    /// Every operation begins here.
    fn begin(&mut self, changes: bool) -> Result<()> {
        self.operations += 1;
        if self.faults.gone {
            return Err(VolumeError::Gone);
        }
        if let Some((left, error)) = &mut self.faults.after {
            if *left == 0 {
                let error = *error;
                self.faults.after = None;
                return Err(error);
            }
            *left -= 1;
        }
        if changes && self.faults.read_only { Err(VolumeError::ReadOnly) } else { Ok(()) }
    }

    fn add(&mut self, content: Content, mode: u32) -> usize {
        let now = (self.now)();
        let node = Node { content, written: now, read: now, mode, names: 0, open: 0 };
        // The root is never free.
        match self.nodes.iter().skip(1).position(|node| node.names == 0 && node.open == 0) {
            Some(place) => {
                self.nodes[place + 1] = node;
                place + 1
            }
            None => {
                self.nodes.push(node);
                self.nodes.len() - 1
            }
        }
    }

    fn names(&mut self, directory: usize) -> Result<&mut BTreeMap<String, usize>> {
        match &mut self.nodes[directory].content {
            Content::Directory(names) => Ok(names),
            Content::File(_) => Err(VolumeError::NotDirectory),
        }
    }

    fn bytes(&mut self, file: usize) -> Result<&mut Cow<'static, [u8]>> {
        match &mut self.nodes[file].content {
            Content::File(bytes) => Ok(bytes),
            Content::Directory(_) => Err(VolumeError::IsDirectory),
        }
    }

    /// The node of a path.
    fn find(&mut self, path: &Path) -> Result<usize> {
        check_path(path)?;
        path.iter().try_fold(0, |node, name| self.names(node)?.get(name).copied().ok_or(VolumeError::NotFound))
    }

    /// The node of a path's directory, and its last name.
    fn find_place<'a>(&mut self, path: &'a Path) -> Result<(usize, &'a String)> {
        check_path(path)?;
        let (name, directory) = path.split_last().ok_or(VolumeError::Busy)?;
        let directory = self.find(directory)?;
        self.names(directory)?;
        Ok((directory, name))
    }

    fn make(&mut self, directory: usize, name: &str, content: Content, mode: u32) -> Result<usize> {
        if self.names(directory)?.contains_key(name) {
            return Err(VolumeError::Exists);
        }
        let node = self.add(content, mode);
        self.nodes[node].names = 1;
        self.names(directory)?.insert(name.to_string(), node);
        Ok(node)
    }

    /// Takes a name away.
    fn drop_name(&mut self, directory: usize, name: &str) -> Result<()> {
        let node = self.names(directory)?.remove(name).ok_or(VolumeError::NotFound)?;
        self.nodes[node].names -= 1;
        self.free(node);
        Ok(())
    }

    /// Gives the bytes of a file back that nobody can reach any more.
    fn free(&mut self, node: usize) {
        let node = &mut self.nodes[node];
        if node.names == 0 && node.open == 0 {
            node.content = Content::File(Cow::Borrowed(&[]));
        }
    }

    fn opened(&self, file: FileId) -> Result<Open> {
        self.open.get(file.0 as usize).copied().flatten().ok_or(VolumeError::NotOpen)
    }

    fn keep_open(&mut self, node: usize, write: bool) -> FileId {
        self.nodes[node].open += 1;
        FileId(keep(&mut self.open, Open { node, write }) as u32)
    }

    fn used(&self) -> u64 {
        let bytes = self.nodes.iter().map(|node| match &node.content {
            Content::File(bytes) => bytes.len() as u64,
            Content::Directory(_) => 0,
        });
        bytes.sum()
    }

    /// An open file's bytes, its own, at least or exactly so many.
    fn resize(&mut self, file: FileId, length: u64, shrink: bool) -> Result<&mut Vec<u8>> {
        let open = self.opened(file)?;
        if !open.write {
            return Err(VolumeError::NotOpen);
        }
        let before = self.bytes(open.node)?.len();
        let length = usize::try_from(length).map_err(|_| VolumeError::NoSpace)?;
        let length = if shrink { length } else { length.max(before) };
        let more = length.saturating_sub(before) as u64;
        if self.faults.capacity.is_some_and(|capacity| more > 0 && self.used() + more > capacity) {
            return Err(VolumeError::NoSpace);
        }
        self.nodes[open.node].written = (self.now)();
        let bytes = self.bytes(open.node)?;
        if let Cow::Borrowed(before) = *bytes {
            let mut own = Vec::new();
            own.try_reserve(before.len().max(length)).map_err(|_| VolumeError::NoSpace)?;
            own.extend_from_slice(before);
            *bytes = Cow::Owned(own);
        }
        let own = bytes.to_mut();
        own.try_reserve(length.saturating_sub(own.len())).map_err(|_| VolumeError::NoSpace)?;
        own.resize(length, 0);
        Ok(own)
    }

    fn attributes_of(&self, number: usize) -> Attributes {
        let node = &self.nodes[number];
        let (kind, length, is) = match &node.content {
            Content::Directory(_) => (Kind::Directory, 0, IS_DIRECTORY),
            Content::File(bytes) => (Kind::File, bytes.len() as u64, IS_FILE),
        };
        Attributes {
            kind,
            length,
            written: node.written,
            read: node.read,
            mode: node.mode | is,
            // Nodes are used again, and 0 is no number of a file.
            node: number as u64 + 1,
        }
    }

    fn change_node(&mut self, node: usize, change: Change) {
        let node = &mut self.nodes[node];
        node.written = change.written.unwrap_or(node.written);
        node.mode = change.mode.map_or(node.mode, |mode| mode & 0o7777);
    }
}

impl Volume for MemoryVolume {
    fn attributes(&mut self, path: &Path) -> Result<Attributes> {
        self.begin(false)?;
        let node = self.find(path)?;
        Ok(self.attributes_of(node))
    }

    fn entries(&mut self, directory: &Path) -> Result<Entries> {
        self.begin(false)?;
        let node = self.find(directory)?;
        let mut entries = Entries::default();
        let names: Vec<(String, usize)> = self.names(node)?.iter().map(|(name, &node)| (name.clone(), node)).collect();
        for (name, node) in names {
            let attributes = self.attributes_of(node);
            entries.add(Entry { name: &name, kind: Some(attributes.kind), node: attributes.node })?;
        }
        Ok(entries)
    }

    fn open(&mut self, path: &Path, write: bool) -> Result<FileId> {
        self.begin(write)?;
        let node = self.find(path)?;
        self.bytes(node)?;
        self.nodes[node].read = (self.now)();
        Ok(self.keep_open(node, write))
    }

    fn create(&mut self, path: &Path) -> Result<FileId> {
        self.begin(true)?;
        let (directory, name) = self.find_place(path)?;
        let node = self.make(directory, name, Content::File(Cow::Borrowed(&[])), FILE_MODE)?;
        Ok(self.keep_open(node, true))
    }

    fn close(&mut self, file: FileId) -> Result<()> {
        let open = self.opened(file)?;
        self.open[file.0 as usize] = None;
        self.nodes[open.node].open -= 1;
        self.free(open.node);
        self.begin(false)
    }

    fn read(&mut self, file: FileId, at: u64, buffer: &mut [u8]) -> Result<usize> {
        self.begin(false)?;
        let node = self.opened(file)?.node;
        let bytes = self.bytes(node)?;
        let rest = usize::try_from(at).ok().and_then(|at| bytes.get(at..)).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn write(&mut self, file: FileId, at: u64, bytes: &[u8]) -> Result<()> {
        self.begin(true)?;
        let end = at.checked_add(bytes.len() as u64).ok_or(VolumeError::NoSpace)?;
        self.resize(file, end, false)?[at as usize..end as usize].copy_from_slice(bytes);
        Ok(())
    }

    fn set_length(&mut self, file: FileId, length: u64) -> Result<()> {
        self.begin(true)?;
        self.resize(file, length, true).map(drop)
    }

    fn sync(&mut self, file: FileId) -> Result<()> {
        self.begin(false)?;
        self.opened(file).map(drop)
    }

    fn attributes_of_open(&mut self, file: FileId) -> Result<Attributes> {
        self.begin(false)?;
        Ok(self.attributes_of(self.opened(file)?.node))
    }

    fn change_open(&mut self, file: FileId, change: Change) -> Result<()> {
        self.begin(true)?;
        let node = self.opened(file)?.node;
        self.change_node(node, change);
        Ok(())
    }

    fn change(&mut self, path: &Path, change: Change) -> Result<()> {
        self.begin(true)?;
        let node = self.find(path)?;
        self.change_node(node, change);
        Ok(())
    }

    fn create_directory(&mut self, path: &Path) -> Result<()> {
        self.begin(true)?;
        let (directory, name) = self.find_place(path)?;
        self.make(directory, name, Content::Directory(BTreeMap::new()), DIRECTORY_MODE).map(drop)
    }

    fn remove(&mut self, path: &Path) -> Result<()> {
        self.begin(true)?;
        let (directory, name) = self.find_place(path)?;
        let node = self.find(path)?;
        if self.names(node).is_ok_and(|names| !names.is_empty()) {
            return Err(VolumeError::NotEmpty);
        }
        self.drop_name(directory, name)
    }

    fn rename(&mut self, from: &Path, to: &Path) -> Result<()> {
        self.begin(true)?;
        let ((from_directory, from_name), (to_directory, to_name)) = (self.find_place(from)?, self.find_place(to)?);
        let node = self.find(from)?;
        if to.starts_with(from) {
            return if to.len() == from.len() { Ok(()) } else { Err(VolumeError::Invalid) };
        }
        if let Some(there) = self.names(to_directory)?.get(to_name).copied() {
            if there == node {
                return Ok(());
            }
            match (self.names(node).is_ok(), self.names(there).map(|names| names.is_empty())) {
                (true, Err(_)) => return Err(VolumeError::NotDirectory),
                (false, Ok(_)) => return Err(VolumeError::IsDirectory),
                (true, Ok(false)) => return Err(VolumeError::NotEmpty),
                _ => self.drop_name(to_directory, to_name)?,
            }
        }
        self.names(from_directory)?.remove(from_name);
        self.names(to_directory)?.insert(to_name.clone(), node);
        Ok(())
    }

    fn link(&mut self, existing: &Path, new: &Path) -> Result<()> {
        self.begin(true)?;
        if self.faults.no_links {
            return Err(VolumeError::Unsupported);
        }
        let node = self.find(existing)?;
        self.bytes(node).map_err(|_| VolumeError::NotPermitted)?;
        let (directory, name) = self.find_place(new)?;
        if self.names(directory)?.contains_key(name) {
            return Err(VolumeError::Exists);
        }
        self.names(directory)?.insert(name.clone(), node);
        self.nodes[node].names += 1;
        Ok(())
    }

    fn space(&mut self, path: &Path) -> Result<Space> {
        self.begin(false)?;
        self.find(path)?;
        let free = self.faults.capacity.map_or(u64::MAX, |capacity| capacity.saturating_sub(self.used()));
        Ok(Space { block: BLOCK, free: free / u64::from(BLOCK) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> PathBuf {
        text.split('/').map(str::to_string).collect()
    }

    fn volume() -> MemoryVolume {
        MemoryVolume::new(|| 1000)
    }

    fn make(volume: &mut MemoryVolume, name: &str, bytes: &[u8]) -> Result<()> {
        let file = volume.create(&path(name))?;
        let written = volume.write(file, 0, bytes);
        volume.close(file)?;
        written
    }

    fn read(volume: &mut MemoryVolume, name: &str) -> Result<Vec<u8>> {
        let file = volume.open(&path(name), false)?;
        let mut bytes = std::vec![0; 100];
        let count = volume.read(file, 0, &mut bytes)?;
        volume.close(file)?;
        bytes.truncate(count);
        Ok(bytes)
    }

    #[test]
    fn files_and_directories() {
        let mut volume = volume();
        volume.create_directory(&path("a")).unwrap();
        assert_eq!(volume.create_directory(&path("a")), Err(VolumeError::Exists));
        make(&mut volume, "a/x", b"one").unwrap();
        assert_eq!(make(&mut volume, "a/x", b""), Err(VolumeError::Exists));
        assert_eq!(make(&mut volume, "b/x", b""), Err(VolumeError::NotFound));
        assert_eq!(make(&mut volume, "a/x/y", b""), Err(VolumeError::NotDirectory));
        assert_eq!(read(&mut volume, "a"), Err(VolumeError::IsDirectory));
        assert_eq!(volume.remove(&path("a")), Err(VolumeError::NotEmpty));
        volume.link(&path("a/x"), &path("y")).unwrap();
        assert_eq!(volume.attributes(&path("y")).unwrap().node, volume.attributes(&path("a/x")).unwrap().node);
        volume.remove(&path("a/x")).unwrap();
        assert_eq!(read(&mut volume, "y").unwrap(), b"one");
        make(&mut volume, "a/z", b"two").unwrap();
        volume.rename(&path("a/z"), &path("y")).unwrap();
        assert_eq!(read(&mut volume, "y").unwrap(), b"two");
        assert_eq!(volume.rename(&path("a"), &path("a/b")), Err(VolumeError::Invalid));
        volume.remove(&path("a")).unwrap();
        assert_eq!(volume.entries(&[]).unwrap().len(), 1);
        assert_eq!(volume.remove(&[]), Err(VolumeError::Busy));
        assert_eq!(volume.attributes(&path("..")), Err(VolumeError::Invalid));
    }

    #[test]
    fn a_removed_file_stays_until_it_is_closed() {
        let mut volume = volume();
        make(&mut volume, "x", b"one").unwrap();
        let file = volume.open(&path("x"), true).unwrap();
        volume.remove(&path("x")).unwrap();
        make(&mut volume, "x", b"two").unwrap();
        let mut bytes = [0; 3];
        assert_eq!((volume.read(file, 0, &mut bytes), &bytes), (Ok(3), b"one"));
        volume.close(file).unwrap();
        assert_eq!(volume.close(file), Err(VolumeError::NotOpen));
        assert_eq!(read(&mut volume, "x").unwrap(), b"two");
    }

    #[test]
    fn provided_bytes_are_copied_when_written_to() {
        let mut volume = volume();
        volume.provide(&path("in/x"), Cow::Borrowed(b"(print 1)")).unwrap();
        let file = volume.open(&path("in/x"), true).unwrap();
        volume.write(file, 11, b"!").unwrap();
        assert_eq!(read(&mut volume, "in/x").unwrap(), b"(print 1)\0\0!");
        volume.set_length(file, 2).unwrap();
        assert_eq!(read(&mut volume, "in/x").unwrap(), b"(p");
        let reader = volume.open(&path("in/x"), false).unwrap();
        assert_eq!(volume.write(reader, 0, b"!"), Err(VolumeError::NotOpen));
    }

    #[test]
    fn faults() {
        let mut volume = volume();
        volume.faults.capacity = Some(1000);
        make(&mut volume, "x", &[1; 600]).unwrap();
        assert_eq!(make(&mut volume, "y", &[1; 600]), Err(VolumeError::NoSpace));
        assert_eq!(volume.attributes(&path("y")).unwrap().length, 0);
        assert_eq!(volume.space(&[]), Ok(Space { block: 512, free: 0 }));
        volume.faults = Faults { read_only: true, ..Faults::default() };
        assert_eq!(volume.remove(&path("x")), Err(VolumeError::ReadOnly));
        assert_eq!(read(&mut volume, "x").unwrap().len(), 100);
        volume.faults = Faults { after: Some((1, VolumeError::Device)), ..Faults::default() };
        assert_eq!(read(&mut volume, "x"), Err(VolumeError::Device));
        assert_eq!(read(&mut volume, "x").unwrap().len(), 100);
        volume.faults = Faults { gone: true, ..Faults::default() };
        assert_eq!(volume.entries(&[]).unwrap_err(), VolumeError::Gone);
    }
}
