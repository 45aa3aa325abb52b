//! The disk's files as a volume.
//!
//! ```text
//!   path --> names in directories --> node (a number) --> Live: length, date, pieces          while it is open
//!                                                     --> the node on the disk                otherwise
//! ```
//! Each change of names, dates or modes of files that are not open is one transaction, durable when the function returns.
//! What is written to an open file is gathered ([`crate::buffers`]) and goes to the disk in one transaction: all of it or
//! nothing, when the file is synced or closed, or when there is much of it. A change that fails leaves everything as it
//! was. Some of what RedoxFS 0.9.0 does not do is done here: new bytes of a file that was cut and grows again are zero,
//! the last record of a file that goes is given back, and there is always room to remove something.

use crate::buffers::{LONGEST, Live, PIECE, RECORD_LEVEL, piece};
use crate::error::FilesError;
use crate::format;
use crate::listings::Listings;
use crate::names;
use crate::nodes::{
    Tried, Tx, change_node, cut, find, find_place, is_empty, kind, look_up, no, seconds, told, unlink, whole_records,
};
use crate::region::{Counts, Region};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use files::{
    Attributes, Change, Entries, Entry, FileId, Kind, Path, Result, Space, Volume, VolumeError, check_path, keep,
};
use redoxfs::{DirEntry, FileSystem, Node, TreeData, TreePtr};
use store::{BLOCK, Device, DeviceError};
use syscall::error::{EINVAL, ENOTDIR, Error};

/// Blocks that only removing may use: what a transaction needs for tree, directory and list of free blocks.
const RESERVE: u64 = 64;
/// Blocks that a changed piece can need.
const PIECE_BLOCKS: u64 = (PIECE / BLOCK) as u64;
/// Mode bits of what Lisp makes.
const FILE_MODE: u16 = Node::MODE_FILE | 0o644;
const DIRECTORY_MODE: u16 = Node::MODE_DIR | 0o755;
/// How many kinds of files are remembered.
const MOST_KINDS: usize = 20_000;
/// Pieces that are read at once when somebody reads on and on.
const AHEAD: u64 = 4;

/// How a volume is to be kept.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Unix seconds now.
    pub now: fn() -> i64,
    /// Nothing may be written; not even what an open that was cut off left behind is tidied up.
    pub read_only: bool,
    /// Bytes of memory for blocks of the disk.
    pub cache: usize,
    /// Bytes of memory for what is in open files.
    pub buffers: usize,
}

impl Options {
    /// Four megabytes, half of it for open files.
    pub fn new(now: fn() -> i64) -> Options {
        Options { now, read_only: false, cache: 2 << 20, buffers: 2 << 20 }
    }
}

/// A file for [`DiskVolume::put`].
#[derive(Clone, Copy, Debug)]
pub struct NewFile<'a> {
    /// Its name.
    pub name: &'a str,
    /// All it holds.
    pub bytes: &'a [u8],
    /// Unix seconds of its last change.
    pub date: i64,
    /// Unix mode bits, without those of the kind.
    pub mode: u32,
}

#[derive(Clone, Copy)]
struct Open {
    node: u32,
    write: bool,
}

/// See the module.
pub struct DiskVolume<D: Device> {
    fs: FileSystem<Region<D>>,
    options: Options,
    open: Vec<Option<Open>>,
    live: BTreeMap<u32, Live>,
    /// What nodes are that some directory has named. Directories do not say, and Lisp lists one for each file that it makes.
    kinds: BTreeMap<u32, Kind>,
    listings: Listings,
    /// Counts uses of pieces.
    clock: u64,
}

impl<D: Device> DiskVolume<D> {
    /// Opens the files of a disk: the newest whole state. Gives back what files that were open, and had no name any more,
    /// had when the power went.
    pub fn open(mut device: D, options: Options) -> core::result::Result<Self, FilesError> {
        let (first, blocks) = format::place(&mut device)?;
        let mut region = Region::new(device, first, blocks, options.cache / BLOCK);
        let newest = format::newest(&mut region)?;
        let mut fs = FileSystem::open(region, None, Some(newest), false).map_err(|_| FilesError::Damaged)?;
        fs.tx(|tx| tx.read_tree(TreePtr::<Node>::root())).map_err(|_| FilesError::Damaged)?;
        if !options.read_only && !{ fs.header.release }.is_null() {
            // On a full disk it must be possible to go on and remove something; the next open tries again.
            let _ = fs.tx(|tx| tx.release_unused_nodes());
        }
        Ok(Self {
            fs,
            options,
            open: Vec::new(),
            live: BTreeMap::new(),
            kinds: BTreeMap::new(),
            listings: Listings::default(),
            clock: 0,
        })
    }

    /// What has gone to the disk and come from it.
    pub fn counts(&self) -> Counts {
        self.fs.disk.counts
    }

    /// Why the disk failed last, if it did.
    pub fn failure(&self) -> Option<DeviceError> {
        self.fs.disk.failure
    }

    /// The disk. Who writes to where the files are destroys them.
    pub fn device(&mut self) -> &mut D {
        self.fs.disk.device()
    }

    /// The disk again. What was not synced is lost.
    pub fn into_device(self) -> D {
        self.fs.disk.into_device()
    }

    /// Puts whole files into a directory, in one transaction: all of them or none. Files that had one of the names are gone.
    pub fn put(&mut self, directory: &Path, files: &[NewFile<'_>]) -> Result<()> {
        check_path(directory)?;
        let bytes: u64 =
            files.iter().map(|file| file.bytes.len().next_multiple_of(BLOCK) as u64 / BLOCK as u64 + 2).sum();
        if self.fs.allocator().free() < bytes + RESERVE {
            return Err(VolumeError::NoSpace);
        }
        let (id, gone) = self.change_disk(true, |tx| {
            let directory = find(tx, directory)?;
            if !directory.data().is_dir() {
                return Err(Error::new(ENOTDIR));
            }
            let mut gone = Vec::new();
            for file in files {
                let name = names::to_disk(file.name).map_err(no)?;
                if let Some(there) = look_up(tx, directory.ptr(), &name)? {
                    if there.data().is_dir() {
                        return Err(no(VolumeError::IsDirectory));
                    }
                    gone.extend(unlink(tx, directory.ptr(), &name, there)?);
                }
                let mode = Node::MODE_FILE | file.mode as u16 & Node::MODE_PERM;
                let mut node = tx.create_node(directory.ptr(), &name, mode, seconds(file.date), 0)?;
                node.data_mut().record_level = RECORD_LEVEL.into();
                tx.write_node_inner(&mut node, &mut 0, file.bytes)?;
                tx.sync_tree(node)?;
            }
            Ok((directory.id(), gone))
        })?;
        self.listings.forget(id);
        gone.into_iter().for_each(|node| self.forget_name(Some(node)));
        Ok(())
    }

    pub(crate) fn fs(&mut self) -> &mut FileSystem<Region<D>> {
        &mut self.fs
    }

    fn now(&self) -> i64 {
        (self.options.now)()
    }

    /// Looks at something.
    fn look<T>(&mut self, look: impl FnOnce(&mut Tx<'_, D>) -> Tried<T>) -> Result<T> {
        self.fs.tx(look).map_err(told)
    }

    /// Changes something, durably; `more` says that it needs room.
    fn change_disk<T>(&mut self, more: bool, change: impl FnOnce(&mut Tx<'_, D>) -> Tried<T>) -> Result<T> {
        if self.options.read_only {
            return Err(VolumeError::ReadOnly);
        }
        if more && self.fs.allocator().free() < RESERVE {
            return Err(VolumeError::NoSpace);
        }
        self.fs.tx(change).map_err(told)
    }

    fn opened(&self, file: FileId) -> Result<Open> {
        self.open.get(file.0 as usize).copied().flatten().ok_or(VolumeError::NotOpen)
    }

    fn writable(&self, file: FileId) -> Result<u32> {
        let open = self.opened(file)?;
        if open.write { Ok(open.node) } else { Err(VolumeError::NotOpen) }
    }

    /// The state of a node that is open.
    fn live(&mut self, node: u32) -> Result<&mut Live> {
        self.live.get_mut(&node).ok_or(VolumeError::NotOpen)
    }

    fn keep_open(&mut self, node: &TreeData<Node>, write: bool) -> FileId {
        let (id, now) = (node.id(), self.now());
        let live = self.live.entry(id).or_insert_with(|| Live::new(node.data().size()));
        live.opens += 1;
        live.read = now;
        *self.fs.node_usages.entry(id).or_insert(0) += 1;
        FileId(keep(&mut self.open, Open { node: id, write }) as u32)
    }

    fn attributes_of(&self, node: &TreeData<Node>) -> Attributes {
        let (id, node) = (node.id(), node.data());
        let live = self.live.get(&id);
        let kind = kind(node);
        let on_disk = if kind == Kind::Directory { 0 } else { node.size() };
        Attributes {
            kind,
            length: live.map_or(on_disk, |live| live.length),
            written: live.and_then(|live| live.written).unwrap_or(node.mtime().0.cast_signed()),
            read: live.map_or(node.atime().0.cast_signed(), |live| live.read),
            mode: node.mode().into(),
            node: id.into(),
        }
    }

    /// Writes what has changed in a file.
    fn flush(&mut self, id: u32) -> Result<()> {
        let Some(live) = self.live.get(&id) else { return Ok(()) };
        if !live.changed {
            return Ok(());
        }
        if self.options.read_only {
            return Err(VolumeError::ReadOnly);
        }
        let written = self.fs.tx(|tx| {
            let mut node = tx.read_tree(TreePtr::<Node>::new(id))?;
            if live.on_disk < node.data().size() {
                cut(tx, &mut node, live.on_disk)?;
            }
            for (&index, piece) in live.pieces.iter().filter(|(_, piece)| piece.changed) {
                let mut at = index * PIECE as u64;
                tx.write_node_inner(&mut node, &mut at, &piece.bytes)?;
            }
            let length = match live.nameless && !node.data().has_inline_data() {
                true => whole_records(node.data(), live.length),
                false => live.length,
            };
            node.data_mut().set_size(length);
            if let Some(date) = live.written {
                node.data_mut().set_mtime(seconds(date), 0);
            }
            node.data_mut().set_atime(seconds(live.read), 0);
            tx.sync_tree(node)
        });
        written.map_err(told)?;
        if let Some(live) = self.live.get_mut(&id) {
            live.pieces.values_mut().for_each(|piece| piece.changed = false);
            (live.on_disk, live.changed, live.written) = (live.length, false, None);
        }
        Ok(())
    }

    /// Pieces in memory, and how many of them are not on the disk.
    fn pieces(&self) -> (usize, usize) {
        self.live.values().fold((0, 0), |(all, changed), live| {
            (all + live.pieces.len(), changed + if live.changed { live.changed_pieces() } else { 0 })
        })
    }

    /// Sees to it that there is memory for a few more pieces.
    fn make_room(&mut self) -> Result<()> {
        let most = (self.options.buffers / PIECE).max(2 * AHEAD as usize);
        let (mut all, _) = self.pieces();
        while all + AHEAD as usize > most {
            let clean = self.live.iter().flat_map(|(&id, live)| {
                let pieces = live.pieces.iter().filter(|(_, piece)| !piece.changed);
                pieces.map(move |(&index, piece)| (piece.used, id, index))
            });
            match clean.min() {
                Some((_, id, index)) => {
                    self.live(id)?.pieces.remove(&index);
                    all -= 1;
                }
                None => self.sync_all()?,
            }
        }
        Ok(())
    }

    /// Brings pieces into memory, as far as they are on the disk and not there yet.
    fn load(&mut self, id: u32, index: u64) -> Result<()> {
        if self.live(id)?.pieces.contains_key(&index) {
            return Ok(());
        }
        self.make_room()?;
        self.clock += 1;
        let used = self.clock;
        let live = self.live.get(&id).ok_or(VolumeError::NotOpen)?;
        let goes_on = index > 0 && live.pieces.contains_key(&(index - 1));
        let wanted = if goes_on { AHEAD } else { 1 };
        let missing: Vec<u64> = (index..index + wanted)
            .take_while(|next| !live.pieces.contains_key(next) && (*next == index || live.piece_length(*next) > 0))
            .collect();
        let mut loaded = Vec::new();
        for &index in &missing {
            loaded.push(piece(live.piece_length(index))?);
        }
        let on_disk = live.on_disk;
        if index * (PIECE as u64) < on_disk {
            self.look(|tx| {
                let node = tx.read_tree(TreePtr::<Node>::new(id))?;
                for (&index, bytes) in missing.iter().zip(&mut loaded) {
                    let start = index * PIECE as u64;
                    let count = on_disk.saturating_sub(start).min(bytes.len() as u64) as usize;
                    if count > 0 {
                        tx.read_node_inner(&node, start, &mut bytes[..count])?;
                    }
                }
                Ok(())
            })?;
        }
        let live = self.live(id)?;
        for (index, bytes) in missing.into_iter().zip(loaded) {
            live.pieces.insert(index, crate::buffers::Piece { bytes, changed: false, used });
        }
        Ok(())
    }

    /// Is there room on the disk for one more changed piece? If what waits in memory is in the way, it is written.
    fn claim_room(&mut self) -> Result<()> {
        let (_, changed) = self.pieces();
        let fits = |volume: &Self, pieces: usize| {
            volume.fs.allocator().free() >= RESERVE + (pieces as u64 + 1) * (PIECE_BLOCKS + 1)
        };
        if fits(self, changed) {
            return Ok(());
        }
        self.sync_all()?;
        if fits(self, 0) { Ok(()) } else { Err(VolumeError::NoSpace) }
    }

    /// Writes into one piece.
    fn write_piece(&mut self, id: u32, at: u64, bytes: &[u8]) -> Result<()> {
        let (index, start) = (at / PIECE as u64, (at % PIECE as u64) as usize);
        let now = self.now();
        let known = self.live(id)?.pieces.get(&index).is_some_and(|piece| piece.changed);
        if !known {
            self.claim_room()?;
        }
        self.load(id, index)?;
        self.clock += 1;
        let used = self.clock;
        let live = self.live(id)?;
        let end = at + bytes.len() as u64;
        if end > live.length {
            live.set_length(end, now);
        }
        let piece = live.pieces.get_mut(&index).ok_or(VolumeError::Device)?;
        piece.bytes[start..start + bytes.len()].copy_from_slice(bytes);
        (piece.changed, piece.used) = (true, used);
        (live.changed, live.written) = (true, Some(now));
        Ok(())
    }

    /// A directory or plain file with a new name.
    fn add(&mut self, path: &Path, mode: u16) -> Result<TreeData<Node>> {
        check_path(path)?;
        let now = seconds(self.now());
        let (directory, node) = self.change_disk(true, |tx| {
            let (directory, name) = find_place(tx, path)?;
            if look_up(tx, directory, &name)?.is_some() {
                return Err(no(VolumeError::Exists));
            }
            let mut node = tx.create_node(directory, &name, mode, now, 0)?;
            if mode & Node::MODE_TYPE == Node::MODE_FILE {
                node.data_mut().record_level = RECORD_LEVEL.into();
                tx.sync_tree(node)?;
                node = tx.find_node(directory, &name)?;
            }
            Ok((directory.id(), node))
        })?;
        if let Some(name) = path.last() {
            self.listings.add(directory, name, kind(node.data()), node.id());
        }
        Ok(node)
    }

    fn forget_name(&mut self, node: Option<u32>) {
        if let Some(id) = node {
            // The number will be another's.
            self.kinds.remove(&id);
            self.listings.forget(id);
        }
        if let Some(live) = node.and_then(|id| self.live.get_mut(&id)) {
            live.nameless = true;
        }
    }
}

impl<D: Device> Volume for DiskVolume<D> {
    fn attributes(&mut self, path: &Path) -> Result<Attributes> {
        check_path(path)?;
        let node = self.look(|tx| find(tx, path))?;
        Ok(self.attributes_of(&node))
    }

    fn entries(&mut self, directory: &Path) -> Result<Entries> {
        check_path(directory)?;
        let mut kinds = core::mem::take(&mut self.kinds);
        if kinds.len() > MOST_KINDS {
            kinds.clear();
        }
        let listings = &mut self.listings;
        let entries = self.fs.tx(|tx| {
            let directory = find(tx, directory)?;
            if !directory.data().is_dir() {
                return Err(Error::new(ENOTDIR));
            }
            if let Some(known) = listings.get(directory.id()) {
                return Ok(known);
            }
            let mut found: Vec<DirEntry> = Vec::new();
            tx.child_nodes(directory.ptr(), &mut found)?;
            let mut entries = Entries::default();
            for entry in &found {
                let Some(name) = entry.name() else { continue };
                let id = entry.node_ptr().id();
                let kind = match kinds.get(&id) {
                    Some(&known) => known,
                    None => {
                        let found = kind(tx.read_tree(entry.node_ptr())?.data());
                        kinds.insert(id, found);
                        found
                    }
                };
                entries.add(Entry { name: &names::from_disk(name), kind: Some(kind), node: id.into() }).map_err(no)?;
            }
            listings.put(directory.id(), &entries);
            Ok(entries)
        });
        self.kinds = kinds;
        entries.map_err(told)
    }

    fn open(&mut self, path: &Path, write: bool) -> Result<FileId> {
        check_path(path)?;
        let node = self.look(|tx| find(tx, path))?;
        match node.data().mode() & Node::MODE_TYPE {
            Node::MODE_FILE if write && self.options.read_only => Err(VolumeError::ReadOnly),
            Node::MODE_FILE => Ok(self.keep_open(&node, write)),
            Node::MODE_DIR => Err(VolumeError::IsDirectory),
            _ => Err(VolumeError::NotPlain),
        }
    }

    fn create(&mut self, path: &Path) -> Result<FileId> {
        let node = self.add(path, FILE_MODE)?;
        Ok(self.keep_open(&node, true))
    }

    fn close(&mut self, file: FileId) -> Result<()> {
        let Open { node: id, write } = self.opened(file)?;
        self.open[file.0 as usize] = None;
        let live = self.live(id)?;
        live.opens -= 1;
        let (last, nameless) = (live.opens == 0, live.nameless);
        let kept = if write && !nameless { self.flush(id) } else { Ok(()) };
        if last {
            self.live.remove(&id);
        }
        // A transaction only if there is something to give back. If that fails it is tried again with the next one.
        let released = self.fs.tx(|tx| tx.on_close_node(TreePtr::new(id))).map_err(told);
        kept.and(released)
    }

    fn read(&mut self, file: FileId, at: u64, buffer: &mut [u8]) -> Result<usize> {
        let id = self.opened(file)?.node;
        let length = self.live(id)?.length;
        let count = length.saturating_sub(at).min(buffer.len() as u64) as usize;
        let mut done = 0;
        while done < count {
            let (index, start) = ((at + done as u64) / PIECE as u64, ((at + done as u64) % PIECE as u64) as usize);
            self.load(id, index)?;
            self.clock += 1;
            let used = self.clock;
            let piece = self.live(id)?.pieces.get_mut(&index).ok_or(VolumeError::Device)?;
            piece.used = used;
            let run = (PIECE - start).min(count - done);
            buffer[done..done + run].copy_from_slice(&piece.bytes[start..start + run]);
            done += run;
        }
        Ok(count)
    }

    fn write(&mut self, file: FileId, at: u64, bytes: &[u8]) -> Result<()> {
        let id = self.writable(file)?;
        if at.checked_add(bytes.len() as u64).is_none_or(|end| end > LONGEST) {
            return Err(VolumeError::NoSpace);
        }
        let mut done = 0;
        while done < bytes.len() {
            let at = at + done as u64;
            let run = (PIECE - (at % PIECE as u64) as usize).min(bytes.len() - done);
            self.write_piece(id, at, &bytes[done..done + run])?;
            done += run;
        }
        Ok(())
    }

    fn set_length(&mut self, file: FileId, length: u64) -> Result<()> {
        let id = self.writable(file)?;
        if length > LONGEST {
            return Err(VolumeError::NoSpace);
        }
        let now = self.now();
        self.live(id)?.set_length(length, now);
        Ok(())
    }

    fn sync(&mut self, file: FileId) -> Result<()> {
        let id = self.opened(file)?.node;
        self.flush(id)
    }

    fn attributes_of_open(&mut self, file: FileId) -> Result<Attributes> {
        let id = self.opened(file)?.node;
        let node = self.look(|tx| tx.read_tree(TreePtr::<Node>::new(id)))?;
        Ok(self.attributes_of(&node))
    }

    fn change_open(&mut self, file: FileId, change: Change) -> Result<()> {
        let id = self.opened(file)?.node;
        if self.options.read_only {
            return Err(VolumeError::ReadOnly);
        }
        if let Some(mode) = change.mode {
            self.change_disk(false, |tx| {
                let mut node = tx.read_tree(TreePtr::<Node>::new(id))?;
                change_node(&mut node, &Change { written: None, mode: Some(mode) });
                tx.sync_tree(node)
            })?;
        }
        if let Some(date) = change.written {
            let live = self.live(id)?;
            (live.changed, live.written) = (true, Some(date));
        }
        Ok(())
    }

    fn change(&mut self, path: &Path, change: Change) -> Result<()> {
        check_path(path)?;
        let id = self.change_disk(false, |tx| {
            let mut node = find(tx, path)?;
            let id = node.id();
            change_node(&mut node, &change);
            tx.sync_tree(node)?;
            Ok(id)
        })?;
        if let (Some(live), Some(date)) = (self.live.get_mut(&id), change.written) {
            live.written = live.written.map(|_| date);
        }
        Ok(())
    }

    fn create_directory(&mut self, path: &Path) -> Result<()> {
        self.add(path, DIRECTORY_MODE).map(drop)
    }

    fn remove(&mut self, path: &Path) -> Result<()> {
        check_path(path)?;
        let (directory, gone) = self.change_disk(false, |tx| {
            let (directory, name) = find_place(tx, path)?;
            let node = tx.find_node(directory, &name)?;
            if node.data().is_dir() && !is_empty(tx, &node)? {
                return Err(no(VolumeError::NotEmpty));
            }
            Ok((directory.id(), unlink(tx, directory, &name, node)?))
        })?;
        if let Some(name) = path.last() {
            self.listings.remove(directory, name);
        }
        self.forget_name(gone);
        Ok(())
    }

    fn rename(&mut self, from: &Path, to: &Path) -> Result<()> {
        check_path(from)?;
        check_path(to)?;
        let (old, new, gone) = self.change_disk(false, |tx| {
            let ((old, old_name), (new, new_name)) = (find_place(tx, from)?, find_place(tx, to)?);
            let node = tx.find_node(old, &old_name)?;
            if to.starts_with(from) {
                return if to.len() == from.len() { Ok((old.id(), new.id(), None)) } else { Err(Error::new(EINVAL)) };
            }
            let mut gone = None;
            if let Some(there) = look_up(tx, new, &new_name)? {
                if there.id() == node.id() {
                    return Ok((old.id(), new.id(), None));
                }
                match (node.data().is_dir(), there.data().is_dir()) {
                    (true, false) => return Err(Error::new(ENOTDIR)),
                    (false, true) => return Err(no(VolumeError::IsDirectory)),
                    (true, true) if !is_empty(tx, &there)? => return Err(no(VolumeError::NotEmpty)),
                    _ => gone = unlink(tx, new, &new_name, there)?,
                }
            }
            tx.rename_node(old, &old_name, new, &new_name)?;
            Ok((old.id(), new.id(), gone))
        })?;
        self.listings.forget(old);
        self.listings.forget(new);
        self.forget_name(gone);
        Ok(())
    }

    fn link(&mut self, existing: &Path, new: &Path) -> Result<()> {
        check_path(existing)?;
        check_path(new)?;
        let (directory, node) = self.change_disk(true, |tx| {
            let node = find(tx, existing)?;
            if node.data().is_dir() {
                return Err(no(VolumeError::NotPermitted));
            }
            let (directory, name) = find_place(tx, new)?;
            if look_up(tx, directory, &name)?.is_some() {
                return Err(no(VolumeError::Exists));
            }
            tx.link_node(directory, &name, node.ptr())?;
            Ok((directory.id(), node))
        })?;
        if let Some(name) = new.last() {
            self.listings.add(directory, name, kind(node.data()), node.id());
        }
        Ok(())
    }

    fn space(&mut self, path: &Path) -> Result<Space> {
        check_path(path)?;
        self.look(|tx| find(tx, path).map(drop))?;
        Ok(Space { block: BLOCK as u32, free: self.fs.allocator().free().saturating_sub(RESERVE) })
    }

    fn sync_all(&mut self) -> Result<()> {
        let nodes: Vec<u32> = self.live.keys().copied().collect();
        let mut result = Ok(());
        for node in nodes {
            // One that fails must not keep the others from the disk.
            result = result.and(self.flush(node));
        }
        result
    }
}
