//! A 9P2000.L server over a volume in memory, for tests: as strict as QEMU's, with symbolic links.

use super::client::Channel;
use super::message::{Reply, Request, kind};
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use files::{Change, FileId, Kind, MemoryVolume, PathBuf, Volume, VolumeError};

/// See the module.
pub struct Server {
    pub volume: MemoryVolume,
    /// Symbolic links by their path.
    pub links: BTreeMap<PathBuf, String>,
    fids: BTreeMap<u32, (PathBuf, Option<FileId>)>,
    /// Messages so far.
    pub messages: u64,
    /// Spoils a reply on its way.
    pub spoil: Option<fn(u64, &mut Vec<u8>)>,
}

type Body = Vec<u8>;

fn qid(kind: u8, node: u64) -> [u8; 13] {
    let mut bytes = [0; 13];
    bytes[0] = kind;
    bytes[5..].copy_from_slice(&node.to_le_bytes());
    bytes
}

impl Server {
    pub fn new(volume: MemoryVolume) -> Self {
        Self { volume, links: BTreeMap::new(), fids: BTreeMap::new(), messages: 0, spoil: None }
    }

    /// How many files' numbers are in use.
    pub fn fids(&self) -> usize {
        self.fids.len()
    }

    fn qid_of(&mut self, path: &PathBuf) -> Result<[u8; 13], VolumeError> {
        if self.links.contains_key(path) {
            return Ok(qid(0x02, 9999));
        }
        let attributes = self.volume.attributes(path)?;
        Ok(qid(if attributes.kind == Kind::Directory { 0x80 } else { 0 }, attributes.node))
    }

    fn fid(&self, fid: u32) -> Result<(PathBuf, Option<FileId>), VolumeError> {
        self.fids.get(&fid).cloned().ok_or(VolumeError::NotOpen)
    }

    fn path(&self, directory: u32, name: &[u8]) -> Result<PathBuf, VolumeError> {
        let mut path = self.fid(directory)?.0;
        let name = core::str::from_utf8(name).unwrap();
        files::check_name(name)?;
        path.push(name.to_string());
        Ok(path)
    }

    fn serve(&mut self, kind: u8, mut body: Reply<'_>) -> Result<Body, VolumeError> {
        let mut out = Body::new();
        macro_rules! get {
            ($what:ident) => {
                body.$what().expect("the client's requests are whole")
            };
        }
        match kind {
            kind::VERSION => {
                out.extend(get!(u32).min(8192).to_le_bytes());
                assert_eq!(get!(text), b"9P2000.L");
                out.extend(b"\x08\x009P2000.L");
            }
            kind::ATTACH => {
                self.fids.insert(get!(u32), (PathBuf::new(), None));
                out.extend(qid(0x80, 1));
            }
            kind::WALK => {
                let (from, to, count) = (get!(u32), get!(u32), get!(u16));
                let (mut path, open) = self.fid(from)?;
                assert!(open.is_none() && count <= 16 || self.spoil.is_some());
                if from != to && self.fids.contains_key(&to) {
                    assert!(self.spoil.is_some(), "file number {to} is taken");
                    return Err(VolumeError::Invalid);
                }
                let mut qids = Vec::new();
                for index in 0..count {
                    // Nothing is behind a link: the server follows none.
                    if self.links.contains_key(&path) {
                        break;
                    }
                    let name = core::str::from_utf8(get!(text)).unwrap();
                    path.push(name.to_string());
                    match self.qid_of(&path) {
                        Ok(qid) => qids.push(qid),
                        Err(error) if index == 0 => return Err(error),
                        Err(_) => break,
                    }
                }
                if qids.len() == usize::from(count) {
                    self.fids.insert(to, (path, None));
                }
                out.extend((qids.len() as u16).to_le_bytes());
                qids.iter().for_each(|qid| out.extend(qid));
            }
            kind::CLUNK => {
                if let Some((_, Some(file))) = self.fids.remove(&get!(u32)) {
                    self.volume.close(file)?;
                }
            }
            kind::GETATTR => {
                let (path, open) = self.fid(get!(u32))?;
                let attributes = match open {
                    Some(file) => self.volume.attributes_of_open(file)?,
                    None => self.volume.attributes(&path)?,
                };
                out.extend(0x7ffu64.to_le_bytes());
                out.extend(qid(0, attributes.node));
                out.extend(attributes.mode.to_le_bytes());
                out.extend([0; 8]);
                // A volume in memory does not tell; that a name is there, it does.
                out.extend(u64::from(self.volume.attributes(&path).is_ok()).to_le_bytes());
                out.extend([0; 8]);
                out.extend(attributes.length.to_le_bytes());
                out.extend([0; 16]);
                out.extend(attributes.read.to_le_bytes());
                out.extend([0; 8]);
                out.extend(attributes.written.to_le_bytes());
                out.extend([0; 8 + 16 + 16 + 16]);
            }
            kind::SETATTR => {
                let (path, open) = self.fid(get!(u32))?;
                let (valid, mode) = (get!(u32), get!(u32));
                (get!(u32), get!(u32));
                let size = get!(u64);
                (get!(u64), get!(u64));
                let written = get!(u64) as i64;
                if valid & 8 != 0 {
                    let file = open.expect("a length is set on an open file");
                    self.volume.set_length(file, size)?;
                }
                let change = Change {
                    mode: (valid & 1 != 0).then_some(mode),
                    written: (valid & 0x120 == 0x120).then_some(written),
                };
                match open {
                    Some(file) => self.volume.change_open(file, change)?,
                    None => self.volume.change(&path, change)?,
                }
            }
            kind::LOPEN => {
                let (number, flags) = (get!(u32), get!(u32));
                let (path, _) = self.fid(number)?;
                let qid = self.qid_of(&path)?;
                if qid[0] & 0x80 == 0 {
                    let file = self.volume.open(&path, flags & 3 != 0)?;
                    self.fids.insert(number, (path, Some(file)));
                }
                out.extend(qid);
                out.extend([0; 4]);
            }
            kind::LCREATE => {
                let number = get!(u32);
                let path = self.path(number, get!(text))?;
                let file = self.volume.create(&path)?;
                let qid = self.qid_of(&path)?;
                self.fids.insert(number, (path, Some(file)));
                out.extend(qid);
                out.extend([0; 4]);
            }
            kind::READLINK => {
                let path = self.fid(get!(u32))?.0;
                let target = self.links.get(&path).ok_or(VolumeError::Invalid)?;
                out.extend((target.len() as u16).to_le_bytes());
                out.extend(target.as_bytes());
            }
            kind::READ => {
                let (number, at, count) = (get!(u32), get!(u64), get!(u32));
                let mut bytes = std::vec![0; count as usize];
                let file = self.fid(number)?.1.ok_or(VolumeError::NotOpen)?;
                let count = self.volume.read(file, at, &mut bytes)?;
                out.extend((count as u32).to_le_bytes());
                out.extend(&bytes[..count]);
            }
            kind::WRITE => {
                let (number, at) = (get!(u32), get!(u64));
                let bytes = body.data(8192).unwrap();
                let file = self.fid(number)?.1.ok_or(VolumeError::NotOpen)?;
                // Not all at once, as a server may.
                let some = &bytes[..bytes.len().min(3000)];
                self.volume.write(file, at, some)?;
                out.extend((some.len() as u32).to_le_bytes());
            }
            kind::READDIR => {
                let (number, offset, count) = (get!(u32), get!(u64), get!(u32));
                let path = self.fid(number)?.0;
                let entries = self.volume.entries(&path)?;
                let mut data = Body::new();
                for (index, entry) in entries.iter().enumerate().skip(offset as usize) {
                    if data.len() + 24 + entry.name.len() > count as usize {
                        break;
                    }
                    data.extend(qid(0, entry.node));
                    data.extend((index as u64 + 1).to_le_bytes());
                    // A server may know the kinds or not.
                    let kind = if entry.kind == Some(Kind::Directory) { 4 } else { 8 };
                    data.push(if index % 2 == 0 { kind } else { 0 });
                    data.extend((entry.name.len() as u16).to_le_bytes());
                    data.extend(entry.name.as_bytes());
                }
                out.extend((data.len() as u32).to_le_bytes());
                out.extend(data);
            }
            kind::FSYNC => {
                let file = self.fid(get!(u32))?.1.ok_or(VolumeError::NotOpen)?;
                self.volume.sync(file)?;
            }
            kind::LINK => {
                let (directory, file) = (get!(u32), get!(u32));
                let new = self.path(directory, get!(text))?;
                let existing = self.fid(file)?.0;
                self.volume.link(&existing, &new)?;
            }
            kind::MKDIR => {
                let directory = get!(u32);
                let path = self.path(directory, get!(text))?;
                self.volume.create_directory(&path)?;
                out.extend(self.qid_of(&path)?);
            }
            kind::RENAMEAT => {
                let from = get!(u32);
                let from = self.path(from, get!(text))?;
                let to = get!(u32);
                let to = self.path(to, get!(text))?;
                self.volume.rename(&from, &to)?;
            }
            kind::UNLINKAT => {
                let directory = get!(u32);
                let path = self.path(directory, get!(text))?;
                let is_directory = self.volume.attributes(&path)?.kind == Kind::Directory;
                match (is_directory, get!(u32) & 0x200 != 0) {
                    (true, false) => return Err(VolumeError::IsDirectory),
                    (false, true) => return Err(VolumeError::NotDirectory),
                    _ => self.volume.remove(&path)?,
                }
            }
            kind::STATFS => {
                let path = self.fid(get!(u32))?.0;
                let space = self.volume.space(&path)?;
                out.extend([0; 4]);
                out.extend(space.block.to_le_bytes());
                out.extend([0; 16]);
                out.extend(space.free.to_le_bytes());
                out.extend([0; 28]);
            }
            other => panic!("a message of kind {other}"),
        }
        Ok(out)
    }
}

impl Channel for Server {
    fn exchange(&mut self, request: &[u8], reply: &mut [u8]) -> Result<usize, VolumeError> {
        self.messages += 1;
        if self.volume.faults.gone {
            return Err(VolumeError::Gone);
        }
        let mut body = Reply::of(request);
        assert_eq!(body.u32().unwrap() as usize, request.len());
        let (kind, tag) = (body.u8().unwrap(), body.u16().unwrap());
        let mut out = Vec::new();
        match self.serve(kind, body) {
            Ok(body) => drop(Request::new(&mut out, kind + 1, tag).bytes(&body)),
            Err(error) => drop(Request::new(&mut out, kind::RLERROR, tag).u32(error.number())),
        }
        if let Some(spoil) = self.spoil {
            spoil(self.messages, &mut out);
        }
        let count = out.len().min(reply.len());
        reply[..count].copy_from_slice(&out[..count]);
        Ok(count)
    }
}
