//! The way to a file; symbolic links on it are followed inside of the share.

use super::super::message::{Malformed, QID_LINK, Qid, kind};
use super::{Channel, Client, ROOT};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use files::{Path, PathBuf, Result, VolumeError, check_path};

/// Most names in one walk, by the protocol.
const WALK: usize = 16;
/// Most symbolic links on one way.
const LINKS: usize = 16;

impl<C: Channel> Client<C> {
    /// Goes a way without symbolic links: a file's number, and what was met. `Ok(Err(()))`: there was a link on it.
    pub(super) fn walk_plain(&mut self, path: &Path) -> Result<core::result::Result<u32, ()>> {
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
    pub(super) fn walk(&mut self, path: &Path) -> Result<u32> {
        check_path(path)?;
        if let Ok(fid) = self.walk_plain(path)? {
            return Ok(fid);
        }
        let path = self.without_links(path)?;
        self.walk_plain(&path)?.map_err(|()| VolumeError::Loop)
    }

    /// The path that is meant, with the symbolic links on it followed. One that leads out of the share is an error: what
    /// it means is the host's business.
    pub(super) fn without_links(&mut self, path: &Path) -> Result<PathBuf> {
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
    pub(super) fn walk_one(&mut self, path: &Path) -> Result<Option<(u32, Qid)>> {
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
    pub(super) fn walk_to_place<'a>(&mut self, path: &'a Path) -> Result<(u32, &'a String)> {
        check_path(path)?;
        let (name, directory) = path.split_last().ok_or(VolumeError::Busy)?;
        Ok((self.walk(directory)?, name))
    }
}
