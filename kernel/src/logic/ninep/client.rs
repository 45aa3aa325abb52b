//! See [`super`].

use super::message::{Answer, FileAttributes, Malformed, QID_DIRECTORY, QID_LINK, Qid, Reply, Request, answer, kind};
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use files::{
    Attributes, Change, Entries, Entry, FileId, Kind, Path, PathBuf, Result, Space, Volume, VolumeError, check_path,
    keep,
};

/// The way to a server.
pub trait Channel {
    /// Sends a request and waits for the reply; how many bytes of `reply` it has. An error is for ever.
    fn exchange(&mut self, request: &[u8], reply: &mut [u8]) -> Result<usize>;
}

/// Most bytes of a message that we can take.
pub const MESSAGE: u32 = 128 << 10;
/// The least that a server must take.
const LEAST_MESSAGE: u32 = 4 << 10;
/// Bytes of a message that are not a file's, at most.
const OVERHEAD: u32 = 24;
/// Most bytes that are read ahead or gathered.
const CHUNK: usize = 64 << 10;
/// Most names in one walk, by the protocol.
const WALK: usize = 16;
/// Most symbolic links on one way.
const LINKS: usize = 16;
const VERSION: &str = "9P2000.L";
/// The tag of the first message, and of all others: there is one at a time.
const NO_TAG: u16 = u16::MAX;
const TAG: u16 = 0;
/// No file.
const NO_FID: u32 = u32::MAX;
/// The root of the share.
const ROOT: u32 = 0;

/// Linux's flags for opening.
mod open_flag {
    pub const READ: u32 = 0;
    pub const READ_WRITE: u32 = 0o2;
    pub const CREATE: u32 = 0o100;
    pub const NEW: u32 = 0o200;
    pub const DIRECTORY: u32 = 0o200_000;
}
/// Modes of what Lisp makes.
const FILE_MODE: u32 = 0o644;
const DIRECTORY_MODE: u32 = 0o755;
/// Attributes to get: all of the first eleven.
const BASIC: u64 = 0x7ff;
/// Attributes to set.
mod set {
    pub const MODE: u32 = 1;
    pub const SIZE: u32 = 8;
    pub const WRITTEN: u32 = 0x20;
    /// Written: as given, not now.
    pub const WRITTEN_GIVEN: u32 = 0x100;
}
/// In an UNLINKAT: it is a directory.
const REMOVE_DIRECTORY: u32 = 0x200;
/// Unix's kinds in a mode.
const MODE_KIND: u32 = 0o170_000;
const MODE_DIRECTORY: u32 = 0o040_000;
const MODE_FILE: u32 = 0o100_000;
/// Linux's kinds of directory entries.
const ENTRY_UNKNOWN: u8 = 0;
const ENTRY_DIRECTORY: u8 = 4;
const ENTRY_FILE: u8 = 8;
const ENTRY_LINK: u8 = 10;

/// An open file.
struct Open {
    fid: u32,
    /// Which file it is.
    node: u64,
    write: bool,
    /// What has been read already, from `ahead_at` on.
    ahead: Vec<u8>,
    ahead_at: u64,
    /// Was it written to?
    written: bool,
    /// Why gathered bytes could not be written.
    failed: Option<VolumeError>,
}

/// Bytes on their way into a file.
struct Gathered {
    file: usize,
    at: u64,
    bytes: Vec<u8>,
}

/// What to change with a SETATTR.
#[derive(Default)]
struct Setting {
    valid: u32,
    mode: u32,
    size: u64,
    written: i64,
}

impl From<Change> for Setting {
    fn from(change: Change) -> Self {
        let mut setting = Self::default();
        if let Some(mode) = change.mode {
            (setting.valid, setting.mode) = (setting.valid | set::MODE, mode);
        }
        if let Some(written) = change.written {
            (setting.valid, setting.written) = (setting.valid | set::WRITTEN | set::WRITTEN_GIVEN, written);
        }
        setting
    }
}

/// A server's files.
pub struct Client<C> {
    channel: C,
    request: Vec<u8>,
    reply: Vec<u8>,
    /// Bytes of a file that fit in a message.
    chunk: usize,
    /// Which numbers of files are in use; the root's is the first.
    fids: Vec<Option<()>>,
    open: Vec<Option<Open>>,
    gathered: Option<Gathered>,
}

/// A reply that is no reply.
fn device(_: Malformed) -> VolumeError {
    VolumeError::Device
}

fn attributes_of(attributes: FileAttributes) -> Attributes {
    Attributes {
        kind: match attributes.mode & MODE_KIND {
            MODE_DIRECTORY => Kind::Directory,
            MODE_FILE => Kind::File,
            _ => Kind::Other,
        },
        length: attributes.size,
        written: attributes.written as i64,
        read: attributes.read as i64,
        mode: attributes.mode,
        node: attributes.qid.path,
    }
}

impl<C: Channel> Client<C> {
    /// Makes friends with a server and attaches to what it shares.
    pub fn new(channel: C) -> Result<Self> {
        let mut client = Self {
            channel,
            request: Vec::with_capacity(MESSAGE as usize),
            reply: vec![0; MESSAGE as usize],
            chunk: 0,
            fids: vec![Some(())],
            open: Vec::new(),
            gathered: None,
        };
        let (size, same) = client.exchange(
            kind::VERSION,
            NO_TAG,
            |request| request.u32(MESSAGE).text(VERSION),
            |mut reply| Ok((reply.u32()?, reply.text()? == VERSION.as_bytes())),
        )?;
        if !same || !(LEAST_MESSAGE..=MESSAGE).contains(&size) {
            return Err(VolumeError::Unsupported);
        }
        client.chunk = CHUNK.min((size - OVERHEAD) as usize);
        client.call(
            kind::ATTACH,
            |request| request.u32(ROOT).u32(NO_FID).text("lisp").text("").u32(0),
            |mut reply| reply.qid(),
        )?;
        Ok(client)
    }

    /// The way to the server.
    #[cfg(test)]
    pub fn channel(&mut self) -> &mut C {
        &mut self.channel
    }

    /// One request and its reply.
    fn call<T>(
        &mut self,
        kind: u8,
        build: impl FnOnce(Request<'_>) -> Request<'_>,
        read: impl FnOnce(Reply<'_>) -> core::result::Result<T, Malformed>,
    ) -> Result<T> {
        self.exchange(kind, TAG, build, read)
    }

    fn exchange<T>(
        &mut self,
        kind: u8,
        tag: u16,
        build: impl FnOnce(Request<'_>) -> Request<'_>,
        read: impl FnOnce(Reply<'_>) -> core::result::Result<T, Malformed>,
    ) -> Result<T> {
        drop(build(Request::new(&mut self.request, kind, tag)));
        let length = self.channel.exchange(&self.request, &mut self.reply)?;
        let bytes = self.reply.get(..length).ok_or(VolumeError::Device)?;
        match answer(bytes, kind, tag).map_err(device)? {
            // An error that is none would end in a wrong success somewhere.
            Answer::Error(0) => Err(VolumeError::Device),
            Answer::Error(number) => Err(VolumeError::from_number(number)),
            Answer::Done(reply) => read(reply).map_err(device),
        }
    }

    /// A file's number that is free.
    fn new_fid(&mut self) -> u32 {
        keep(&mut self.fids, ()) as u32
    }

    /// Gives a file's number back to the server.
    fn clunk(&mut self, fid: u32) -> Result<()> {
        self.fids[fid as usize] = None;
        self.call(kind::CLUNK, |request| request.u32(fid), |_| Ok(()))
    }

    /// Does something with a file's number that is given back afterwards.
    fn with<T>(&mut self, fid: u32, work: impl FnOnce(&mut Self, u32) -> Result<T>) -> Result<T> {
        let done = work(self, fid);
        let given_back = self.clunk(fid);
        done.and_then(|done| given_back.map(|()| done))
    }

    /// Goes a way without symbolic links: a file's number, and what was met. `Ok(Err(()))`: there was a link on it.
    fn walk_plain(&mut self, path: &Path) -> Result<core::result::Result<u32, ()>> {
        let fid = self.new_fid();
        let mut from = ROOT;
        let mut steps = path.chunks(WALK);
        let mut names: &Path = steps.next().unwrap_or_default();
        loop {
            let walked = self.call(
                kind::WALK,
                |request| {
                    let request = request.u32(from).u32(fid).u16(names.len() as u16);
                    names.iter().fold(request, |request, name| request.text(name))
                },
                |mut reply| {
                    let count = usize::from(reply.u16()?);
                    let qids = (0..count.min(WALK)).map(|_| reply.qid());
                    let mut link = false;
                    for qid in qids {
                        link |= qid?.kind & QID_LINK != 0;
                    }
                    Ok((count, link))
                },
            );
            let problem = match walked {
                Ok((_, true)) => Ok(Err(())),
                Ok((count, false)) if count == names.len() => {
                    from = fid;
                    match steps.next() {
                        Some(next) => names = next,
                        None => return Ok(Ok(fid)),
                    }
                    continue;
                }
                Ok(_) => Err(VolumeError::NotFound),
                Err(error) => Err(error),
            };
            // After a walk that did not get to its end the number is only taken if it was before, or if the end was a
            // link.
            let whole = matches!(walked, Ok((count, _)) if count == names.len());
            if from == fid || whole {
                let _ = self.clunk(fid);
            } else if problem != Err(VolumeError::Device) {
                self.fids[fid as usize] = None;
            }
            // Of a number in a reply that made no sense nobody knows what the server did with it: it stays taken.
            return problem;
        }
    }

    /// Goes a way: a file's number, never a symbolic link's.
    fn walk(&mut self, path: &Path) -> Result<u32> {
        check_path(path)?;
        if let Ok(fid) = self.walk_plain(path)? {
            return Ok(fid);
        }
        let path = self.without_links(path)?;
        self.walk_plain(&path)?.map_err(|()| VolumeError::Loop)
    }

    /// The path that is meant, with the symbolic links on it followed. One that leads out of the share is an error: what
    /// it means is the host's business.
    fn without_links(&mut self, path: &Path) -> Result<PathBuf> {
        let mut found = PathBuf::new();
        let mut rest: Vec<String> = path.iter().rev().cloned().collect();
        let mut links = 0;
        while let Some(name) = rest.pop() {
            match name.as_str() {
                "." | "" => continue,
                ".." => {
                    found.pop().ok_or(VolumeError::NotPermitted)?;
                    continue;
                }
                _ => found.push(name),
            }
            // Whatever is before it has no link in it any more.
            let Some((fid, qid)) = self.walk_one(&found)? else { return Err(VolumeError::NotFound) };
            if qid.kind & QID_LINK == 0 {
                self.clunk(fid)?;
                continue;
            }
            links += 1;
            if links > LINKS {
                let _ = self.clunk(fid);
                return Err(VolumeError::Loop);
            }
            let target = self.with(fid, |client, fid| {
                client.call(
                    kind::READLINK,
                    |request| request.u32(fid),
                    |mut reply| Ok(core::str::from_utf8(reply.text()?).map_err(|_| Malformed)?.to_string()),
                )
            })?;
            if target.starts_with('/') {
                return Err(VolumeError::NotPermitted);
            }
            found.pop();
            rest.extend(target.split('/').rev().map(str::to_string));
        }
        check_path(&found)?;
        Ok(found)
    }

    /// Goes to a file that may be a link itself, by ways without links.
    fn walk_one(&mut self, path: &Path) -> Result<Option<(u32, Qid)>> {
        let (name, directory) = path.split_last().ok_or(VolumeError::Invalid)?;
        let Ok(fid) = self.walk_plain(directory)? else { return Err(VolumeError::Loop) };
        let step = self.call(
            kind::WALK,
            |request| request.u32(fid).u32(fid).u16(1).text(name),
            |mut reply| if reply.u16()? == 1 { reply.qid().map(Some) } else { Ok(None) },
        );
        match step {
            Ok(Some(qid)) => Ok(Some((fid, qid))),
            other => {
                let _ = self.clunk(fid);
                other.map(|_| None)
            }
        }
    }

    /// Goes to the directory of a path; its number, and the last name.
    fn walk_to_place<'a>(&mut self, path: &'a Path) -> Result<(u32, &'a String)> {
        check_path(path)?;
        let (name, directory) = path.split_last().ok_or(VolumeError::Busy)?;
        Ok((self.walk(directory)?, name))
    }

    fn attributes_of_fid(&mut self, fid: u32) -> Result<FileAttributes> {
        self.call(kind::GETATTR, |request| request.u32(fid).u64(BASIC), |mut reply| reply.attributes())
    }

    /// Does an open file still have a name?
    fn check_kept(&mut self, fid: u32) -> Result<()> {
        match self.attributes_of_fid(fid) {
            Ok(attributes) if attributes.links > 0 => Ok(()),
            Ok(_) | Err(VolumeError::NotFound) => Err(VolumeError::Gone),
            Err(error) => Err(error),
        }
    }

    fn open_fid(&mut self, fid: u32, flags: u32) -> Result<Qid> {
        self.call(kind::LOPEN, |request| request.u32(fid).u32(flags), |mut reply| reply.qid())
    }

    fn set(&mut self, fid: u32, setting: &Setting) -> Result<()> {
        if setting.valid == 0 {
            return Ok(());
        }
        self.call(
            kind::SETATTR,
            |request| {
                let request = request.u32(fid).u32(setting.valid).u32(setting.mode).u32(0).u32(0).u64(setting.size);
                request.u64(0).u64(0).u64(setting.written as u64).u64(0)
            },
            |_| Ok(()),
        )
    }

    fn keep(&mut self, fid: u32, node: u64, write: bool) -> FileId {
        let open = Open { fid, node, write, ahead: Vec::new(), ahead_at: 0, written: false, failed: None };
        FileId(keep(&mut self.open, open) as u32)
    }

    fn opened(&mut self, file: FileId) -> Result<&mut Open> {
        self.open.get_mut(file.0 as usize).and_then(Option::as_mut).ok_or(VolumeError::NotOpen)
    }

    /// An open file on which all that was written so far went well.
    fn healthy(&mut self, file: FileId) -> Result<&mut Open> {
        let open = self.opened(file)?;
        match open.failed.take() {
            Some(error) => Err(error),
            None => Ok(open),
        }
    }

    /// Sends off what was gathered. A failure is the file's, not of whoever happens to be here.
    fn flush(&mut self) {
        let Some(Gathered { file, at, bytes }) = self.gathered.take() else { return };
        let Some(fid) = self.open[file].as_ref().map(|open| open.fid) else { return };
        let written = self.write_all(fid, at, &bytes);
        if let (Err(error), Some(open)) = (written, &mut self.open[file]) {
            open.failed = Some(error);
        }
    }

    fn write_all(&mut self, fid: u32, mut at: u64, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let some = &bytes[..bytes.len().min(self.chunk)];
            let count = self.call(
                kind::WRITE,
                |request| request.u32(fid).u64(at).u32(some.len() as u32).bytes(some),
                |mut reply| reply.u32(),
            )? as usize;
            if count == 0 || count > some.len() {
                return Err(VolumeError::Device);
            }
            (at, bytes) = (at + count as u64, &bytes[count..]);
        }
        Ok(())
    }

    /// Forgets what was read ahead of a file that changes.
    fn forget(&mut self, node: u64) {
        for open in self.open.iter_mut().flatten().filter(|open| open.node == node) {
            open.ahead.clear();
        }
    }

    /// Reads ahead from a place; how many bytes there are, 0 at the end.
    fn read_ahead(&mut self, file: FileId, at: u64) -> Result<usize> {
        let chunk = self.chunk;
        let open = self.opened(file)?;
        let fid = open.fid;
        let mut ahead = core::mem::take(&mut open.ahead);
        ahead.clear();
        ahead.try_reserve_exact(chunk).map_err(|_| VolumeError::NoMemory)?;
        let count = self.call(
            kind::READ,
            |request| request.u32(fid).u64(at).u32(chunk as u32),
            |mut reply| {
                ahead.extend_from_slice(reply.data(chunk)?);
                Ok(ahead.len())
            },
        )?;
        let open = self.opened(file)?;
        (open.ahead, open.ahead_at) = (ahead, at);
        Ok(count)
    }

    /// Reads all of a directory that is open.
    fn read_directory(&mut self, fid: u32) -> Result<Entries> {
        let mut entries = Entries::default();
        let mut offset = 0;
        loop {
            let chunk = self.chunk;
            let mut added = Ok(());
            let next = self.call(
                kind::READDIR,
                |request| request.u32(fid).u64(offset).u32(chunk as u32),
                |mut reply| {
                    let mut body = Reply::of(reply.data(chunk)?);
                    let mut next = None;
                    while let Some(entry) = body.entry()? {
                        next = Some(entry.offset);
                        // Lisp could not say a name that is no UTF-8.
                        let Ok(name) = core::str::from_utf8(entry.name) else { continue };
                        let kind = match (entry.kind, entry.qid.kind) {
                            (ENTRY_DIRECTORY, _) => Some(Kind::Directory),
                            (ENTRY_FILE, _) => Some(Kind::File),
                            (ENTRY_UNKNOWN, qid) if qid & QID_DIRECTORY != 0 => Some(Kind::Directory),
                            (ENTRY_UNKNOWN | ENTRY_LINK, _) => None,
                            _ => Some(Kind::Other),
                        };
                        added = added.and(entries.add(Entry { name, kind, node: entry.qid.path }));
                    }
                    Ok(next)
                },
            )?;
            added?;
            match next {
                None => return Ok(entries),
                Some(next) if next == offset => return Err(VolumeError::Device),
                Some(next) => offset = next,
            }
        }
    }
}

impl<C: Channel> Volume for Client<C> {
    fn attributes(&mut self, path: &Path) -> Result<Attributes> {
        self.flush();
        let fid = self.walk(path)?;
        self.with(fid, |client, fid| client.attributes_of_fid(fid).map(attributes_of))
    }

    fn entries(&mut self, directory: &Path) -> Result<Entries> {
        let fid = self.walk(directory)?;
        self.with(fid, |client, fid| {
            client.open_fid(fid, open_flag::READ | open_flag::DIRECTORY)?;
            client.read_directory(fid)
        })
    }

    fn open(&mut self, path: &Path, write: bool) -> Result<FileId> {
        let fid = self.walk(path)?;
        match self.open_fid(fid, if write { open_flag::READ_WRITE } else { open_flag::READ }) {
            Ok(qid) if qid.kind & QID_DIRECTORY == 0 => Ok(self.keep(fid, qid.path, write)),
            other => {
                let _ = self.clunk(fid);
                Err(other.err().unwrap_or(VolumeError::IsDirectory))
            }
        }
    }

    fn create(&mut self, path: &Path) -> Result<FileId> {
        let (fid, name) = self.walk_to_place(path)?;
        let flags = open_flag::READ_WRITE | open_flag::CREATE | open_flag::NEW;
        let created = self.call(
            kind::LCREATE,
            |request| request.u32(fid).text(name).u32(flags).u32(FILE_MODE).u32(0),
            |mut reply| reply.qid(),
        );
        match created {
            Ok(qid) => Ok(self.keep(fid, qid.path, true)),
            Err(error) => {
                let _ = self.clunk(fid);
                Err(error)
            }
        }
    }

    fn close(&mut self, file: FileId) -> Result<()> {
        self.flush();
        let failed = self.healthy(file).map(drop);
        let Some(open) = self.open.get_mut(file.0 as usize).and_then(Option::take) else { return failed };
        // Somebody on the host may have deleted the file, or the whole folder: the server does not mind, but what was
        // written is nowhere.
        let lost = if open.written { self.check_kept(open.fid) } else { Ok(()) };
        let closed = self.clunk(open.fid);
        failed.and(lost).and(closed)
    }

    fn read(&mut self, file: FileId, at: u64, buffer: &mut [u8]) -> Result<usize> {
        self.flush();
        self.healthy(file)?;
        let mut done = 0;
        while done < buffer.len() {
            let place = at.checked_add(done as u64).ok_or(VolumeError::Invalid)?;
            let open = self.opened(file)?;
            let known = place.checked_sub(open.ahead_at).and_then(|skip| open.ahead.get(usize::try_from(skip).ok()?..));
            let known = known.unwrap_or_default();
            if known.is_empty() {
                if self.read_ahead(file, place)? == 0 {
                    break;
                }
                continue;
            }
            let count = known.len().min(buffer.len() - done);
            buffer[done..done + count].copy_from_slice(&known[..count]);
            done += count;
        }
        Ok(done)
    }

    fn write(&mut self, file: FileId, at: u64, bytes: &[u8]) -> Result<()> {
        let open = self.healthy(file)?;
        if !open.write {
            return Err(VolumeError::NotOpen);
        }
        open.written = true;
        let (node, fid) = (open.node, open.fid);
        self.forget(node);
        let index = file.0 as usize;
        if let Some(gathered) = &mut self.gathered
            && gathered.file == index
            && gathered.at + gathered.bytes.len() as u64 == at
            && gathered.bytes.len() + bytes.len() <= self.chunk
        {
            gathered.bytes.extend_from_slice(bytes);
            return Ok(());
        }
        self.flush();
        self.healthy(file)?;
        let mut own = Vec::new();
        if bytes.len() >= self.chunk || own.try_reserve_exact(self.chunk).is_err() {
            return self.write_all(fid, at, bytes);
        }
        own.extend_from_slice(bytes);
        self.gathered = Some(Gathered { file: index, at, bytes: own });
        Ok(())
    }

    fn set_length(&mut self, file: FileId, length: u64) -> Result<()> {
        self.flush();
        let open = self.healthy(file)?;
        let (fid, node) = (open.fid, open.node);
        self.forget(node);
        self.set(fid, &Setting { valid: set::SIZE, size: length, ..Setting::default() })
    }

    fn sync(&mut self, file: FileId) -> Result<()> {
        self.flush();
        let fid = self.healthy(file)?.fid;
        self.call(kind::FSYNC, |request| request.u32(fid).u32(0), |_| Ok(()))
    }

    /// The server has it then; the host's disk is the host's business.
    fn sync_all(&mut self) -> Result<()> {
        self.flush();
        // The error stays for whoever does something with the file next.
        self.open.iter().flatten().find_map(|open| open.failed).map_or(Ok(()), Err)
    }

    fn attributes_of_open(&mut self, file: FileId) -> Result<Attributes> {
        self.flush();
        let fid = self.healthy(file)?.fid;
        self.attributes_of_fid(fid).map(attributes_of)
    }

    fn change_open(&mut self, file: FileId, change: Change) -> Result<()> {
        // Bytes that come later would make the date a new one.
        self.flush();
        let fid = self.healthy(file)?.fid;
        self.set(fid, &change.into())
    }

    fn change(&mut self, path: &Path, change: Change) -> Result<()> {
        self.flush();
        let fid = self.walk(path)?;
        self.with(fid, |client, fid| client.set(fid, &change.into()))
    }

    fn create_directory(&mut self, path: &Path) -> Result<()> {
        let (fid, name) = self.walk_to_place(path)?;
        self.with(fid, |client, fid| {
            client.call(
                kind::MKDIR,
                |request| request.u32(fid).text(name).u32(DIRECTORY_MODE).u32(0),
                |mut reply| reply.qid().map(drop),
            )
        })
    }

    fn remove(&mut self, path: &Path) -> Result<()> {
        self.flush();
        let (fid, name) = self.walk_to_place(path)?;
        self.with(fid, |client, fid| {
            let mut remove =
                |flags| client.call(kind::UNLINKAT, |request| request.u32(fid).text(name).u32(flags), |_| Ok(()));
            match remove(0) {
                // Linux says the first of a directory, other systems the second.
                Err(VolumeError::IsDirectory | VolumeError::NotPermitted) => remove(REMOVE_DIRECTORY),
                outcome => outcome,
            }
        })
    }

    fn rename(&mut self, from: &Path, to: &Path) -> Result<()> {
        self.flush();
        let (source, from) = self.walk_to_place(from)?;
        self.with(source, |client, source| {
            let (target, to) = client.walk_to_place(to)?;
            client.with(target, |client, target| {
                client.call(kind::RENAMEAT, |request| request.u32(source).text(from).u32(target).text(to), |_| Ok(()))
            })
        })
    }

    fn link(&mut self, existing: &Path, new: &Path) -> Result<()> {
        self.flush();
        let file = self.walk(existing)?;
        self.with(file, |client, file| {
            let (directory, name) = client.walk_to_place(new)?;
            client.with(directory, |client, directory| {
                client.call(kind::LINK, |request| request.u32(directory).u32(file).text(name), |_| Ok(()))
            })
        })
    }

    fn space(&mut self, path: &Path) -> Result<Space> {
        self.flush();
        let fid = self.walk(path)?;
        self.with(fid, |client, fid| {
            client.call(
                kind::STATFS,
                |request| request.u32(fid),
                |mut reply| {
                    reply.u32()?; // which file system
                    let block = reply.u32()?;
                    reply.bytes(8 + 8)?; // all blocks, free ones
                    Ok(Space { block, free: reply.u64()? })
                },
            )
        })
    }
}
