//! Messages of 9P2000.L, written and read.
//!
//! ```text
//!   size  kind  tag   body                       all numbers little-endian; size counts itself
//!   4     1     2     ...
//!   text: length (2 bytes), bytes in UTF-8
//!   qid:  kind (1 byte), version (4), path (8): what a file is, and which
//! ```
//! The format is that of the 9P manual and of the Linux client's extensions. A reply may say anything: whatever is not in
//! it, or does not fit, is [`Malformed`], and nothing is read beyond its end.

use alloc::vec::Vec;

/// Kinds of requests; the reply's is one more.
#[expect(missing_docs, reason = "they are called as in the protocol")]
pub mod kind {
    pub const RLERROR: u8 = 7;
    pub const STATFS: u8 = 8;
    pub const LOPEN: u8 = 12;
    pub const LCREATE: u8 = 14;
    pub const READLINK: u8 = 22;
    pub const GETATTR: u8 = 24;
    pub const SETATTR: u8 = 26;
    pub const READDIR: u8 = 40;
    pub const FSYNC: u8 = 50;
    pub const LINK: u8 = 70;
    pub const MKDIR: u8 = 72;
    pub const RENAMEAT: u8 = 74;
    pub const UNLINKAT: u8 = 76;
    pub const VERSION: u8 = 100;
    pub const ATTACH: u8 = 104;
    pub const WALK: u8 = 110;
    pub const READ: u8 = 116;
    pub const WRITE: u8 = 118;
    pub const CLUNK: u8 = 120;
}

/// In a qid's kind: a directory.
pub const QID_DIRECTORY: u8 = 0x80;
/// In a qid's kind: a symbolic link.
pub const QID_LINK: u8 = 0x02;

/// A reply that is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Malformed;

/// A request that is being written.
pub struct Request<'a>(&'a mut Vec<u8>);

impl<'a> Request<'a> {
    /// Begins a request in a buffer.
    pub fn new(buffer: &'a mut Vec<u8>, kind: u8, tag: u16) -> Self {
        buffer.clear();
        buffer.extend_from_slice(&[0; 4]);
        buffer.push(kind);
        buffer.extend_from_slice(&tag.to_le_bytes());
        Self(buffer)
    }

    /// A number of 16 bits.
    pub fn u16(self, value: u16) -> Self {
        self.bytes(&value.to_le_bytes())
    }

    /// A number of 32 bits.
    pub fn u32(self, value: u32) -> Self {
        self.bytes(&value.to_le_bytes())
    }

    /// A number of 64 bits.
    pub fn u64(self, value: u64) -> Self {
        self.bytes(&value.to_le_bytes())
    }

    /// A text; what is beyond 65,535 bytes is lost (names and targets are shorter).
    pub fn text(self, text: &str) -> Self {
        let bytes = &text.as_bytes()[..text.len().min(usize::from(u16::MAX))];
        self.u16(bytes.len() as u16).bytes(bytes)
    }

    /// Bytes.
    pub fn bytes(self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }
}

impl Drop for Request<'_> {
    fn drop(&mut self) {
        let size = (self.0.len() as u32).to_le_bytes();
        self.0[..4].copy_from_slice(&size);
    }
}

/// What identifies a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Qid {
    /// Directory, link ...
    pub kind: u8,
    /// The file's number; two names of one file have one number.
    pub path: u64,
}

/// The answer to a GETATTR, as far as it is of use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FileAttributes {
    /// Which file.
    pub qid: Qid,
    /// Unix mode.
    pub mode: u32,
    /// Names of it.
    pub links: u64,
    /// Bytes.
    pub size: u64,
    /// Unix seconds of the last use.
    pub read: u64,
    /// Unix seconds of the last change.
    pub written: u64,
}

/// One entry of a directory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DirectoryEntry<'a> {
    /// Which file.
    pub qid: Qid,
    /// Where the next entry is.
    pub offset: u64,
    /// Unix's kind of entry; 0 if it is not known.
    pub kind: u8,
    /// The name; not always UTF-8.
    pub name: &'a [u8],
}

/// What came back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer<'a> {
    /// What was asked for.
    Done(Reply<'a>),
    /// Unix's number of an error.
    Error(u32),
}

/// The body of a reply that is being read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reply<'a>(&'a [u8]);

/// Takes the head off a reply to a request of `kind` with `tag`.
pub fn answer(bytes: &[u8], kind: u8, tag: u16) -> Result<Answer<'_>, Malformed> {
    let mut head = Reply(bytes);
    let size = head.u32()? as usize;
    let (own_kind, own_tag) = (head.u8()?, head.u16()?);
    let body = bytes.get(7..size).ok_or(Malformed)?;
    match own_kind {
        _ if own_tag != tag => Err(Malformed),
        kind::RLERROR => Reply(body).u32().map(Answer::Error),
        _ if own_kind == kind + 1 => Ok(Answer::Done(Reply(body))),
        _ => Err(Malformed),
    }
}

impl<'a> Reply<'a> {
    /// So many bytes.
    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (bytes, rest) = self.0.split_at_checked(count).ok_or(Malformed)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn number<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        Ok(self.bytes(N)?.try_into().expect("that many bytes"))
    }

    /// A number of 8 bits.
    pub fn u8(&mut self) -> Result<u8, Malformed> {
        self.number().map(u8::from_le_bytes)
    }

    /// A number of 16 bits.
    pub fn u16(&mut self) -> Result<u16, Malformed> {
        self.number().map(u16::from_le_bytes)
    }

    /// A number of 32 bits.
    pub fn u32(&mut self) -> Result<u32, Malformed> {
        self.number().map(u32::from_le_bytes)
    }

    /// A number of 64 bits.
    pub fn u64(&mut self) -> Result<u64, Malformed> {
        self.number().map(u64::from_le_bytes)
    }

    /// A text's bytes.
    pub fn text(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.u16()?;
        self.bytes(usize::from(length))
    }

    /// A qid.
    pub fn qid(&mut self) -> Result<Qid, Malformed> {
        let kind = self.u8()?;
        self.u32()?;
        Ok(Qid { kind, path: self.u64()? })
    }

    /// Bytes with their count before them, at most so many.
    pub fn data(&mut self, most: usize) -> Result<&'a [u8], Malformed> {
        let count = self.u32()? as usize;
        if count > most { Err(Malformed) } else { self.bytes(count) }
    }

    /// The body of an answer to GETATTR.
    pub fn attributes(&mut self) -> Result<FileAttributes, Malformed> {
        self.u64()?; // which of them are valid: we ask for what every file has
        let qid = self.qid()?;
        let mode = self.u32()?;
        self.bytes(4 + 4)?; // owner, group
        let links = self.u64()?;
        self.u64()?; // device
        let size = self.u64()?;
        self.bytes(8 + 8)?; // block size, blocks
        let read = self.u64()?;
        self.u64()?;
        let written = self.u64()?;
        Ok(FileAttributes { qid, mode, links, size, read, written })
    }

    /// The next entry of a directory; `None` behind the last.
    pub fn entry(&mut self) -> Result<Option<DirectoryEntry<'a>>, Malformed> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let (qid, offset, kind) = (self.qid()?, self.u64()?, self.u8()?);
        Ok(Some(DirectoryEntry { qid, offset, kind, name: self.text()? }))
    }

    /// The same bytes as a reply of their own.
    pub fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_bytes() {
        let mut buffer = Vec::new();
        drop(Request::new(&mut buffer, kind::VERSION, 0xffff).u32(8192).text("9P2000.L"));
        assert_eq!(buffer, b"\x15\0\0\0\x64\xff\xff\0\x20\0\0\x08\x009P2000.L");
    }

    #[test]
    fn replies_are_checked() {
        let good = b"\x0b\0\0\0\x77\x01\0\x05\0\0\0";
        let Ok(Answer::Done(mut body)) = answer(good, kind::WRITE, 1) else { panic!() };
        assert_eq!((body.u32(), body.u8()), (Ok(5), Err(Malformed)));
        assert_eq!(answer(good, kind::WRITE, 2), Err(Malformed));
        assert_eq!(answer(good, kind::READ, 1), Err(Malformed));
        assert_eq!(answer(&good[..10], kind::WRITE, 1), Err(Malformed));
        assert_eq!(answer(b"\x06\0\0\0\x77\x01\0", kind::WRITE, 1), Err(Malformed));
        assert_eq!(answer(b"", kind::WRITE, 1), Err(Malformed));
        assert_eq!(answer(b"\x0b\0\0\0\x07\x01\0\x1c\0\0\0", kind::WRITE, 1), Ok(Answer::Error(28)));
        assert_eq!(Reply(b"\x05\0abc").text(), Err(Malformed));
        assert_eq!(Reply(b"\x03\0\0\0abc").data(2), Err(Malformed));
        assert_eq!(Reply(b"\x01").entry(), Err(Malformed));
    }
}
