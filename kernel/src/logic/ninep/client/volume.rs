//! The client as a volume.

use super::super::message::{QID_DIRECTORY, kind};
use super::{Channel, Client, Gathered, Setting, attributes_of, set};
use alloc::vec::Vec;
use files::{Attributes, Change, Entries, FileId, Path, Result, Space, Volume, VolumeError};

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
/// In an UNLINKAT: it is a directory.
const REMOVE_DIRECTORY: u32 = 0x200;

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
