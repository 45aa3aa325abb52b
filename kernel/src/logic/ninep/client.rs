//! The client: messages and replies, numbers of files, bytes ahead and behind. The way to a file is in `walk`, what a
//! volume does in `volume`.

use super::message::{Answer, FileAttributes, Malformed, QID_DIRECTORY, Qid, Reply, Request, answer, kind};
use alloc::vec;
use alloc::vec::Vec;
use files::{Attributes, Change, Entries, Entry, FileId, Kind, Result, VolumeError, keep};

mod volume;
mod walk;

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
const VERSION: &str = "9P2000.L";
/// The tag of the first message, and of all others: there is one at a time.
const NO_TAG: u16 = u16::MAX;
const TAG: u16 = 0;
/// No file.
const NO_FID: u32 = u32::MAX;
/// The root of the share.
const ROOT: u32 = 0;

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
