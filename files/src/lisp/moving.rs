//! A file gets another name: a version of the new name, perhaps on another volume.

use super::LispFiles;
use crate::resolve::{make_directory, true_directory};
use crate::volume::*;
use alloc::vec;
use vm::platform::{FileDevice, Recognition};

/// Bytes that are copied at a time when a file goes from one volume to another.
const COPY: usize = 32 << 10;

impl<V: Volume> LispFiles<V> {
    pub(super) fn rename_file(&mut self, device: FileDevice, from: &[u8], to: &[u8]) -> Result<()> {
        let (mut from, mut to) = (self.wanted(device, from, false)?, self.wanted(device, to, false)?);
        if device == FileDevice::Unix {
            return self.move_file(&from.path(), &to.path());
        }
        from.directory = true_directory(&mut self.volume, &from.directory)?.ok_or(VolumeError::Unknown)?;
        let versions = self.versions(&from)?;
        let source = versions.resolve(&from, Recognition::Old).ok_or(VolumeError::Unknown)?.path;
        versions.check_no_directory(&source)?;

        to.directory = make_directory(&mut self.volume, &to.directory)?;
        self.versions(&to)?.maintain(&mut self.volume, false)?;
        let versions = self.versions(&to)?;
        let target = versions.resolve(&to, Recognition::New).ok_or(VolumeError::Unknown)?.path;
        if self.volume.attributes(&target) == Err(VolumeError::NotFound) {
            versions.maintain(&mut self.volume, true)?;
        }
        versions.unlink_twin(&mut self.volume, &target)?;

        // Both may be versions of one file, and the source has another name by now.
        let versions = self.versions(&from)?;
        let source = versions.resolve(&from, Recognition::Old).ok_or(VolumeError::Unknown)?.path;
        let had_twin = versions.unlink_twin(&mut self.volume, &source)?;
        self.move_file(&source, &target)?;
        self.versions(&to)?.maintain(&mut self.volume, false)?;
        if had_twin {
            self.versions(&from)?.maintain(&mut self.volume, false)?;
        }
        Ok(())
    }

    /// Renames a file, to another volume as well.
    fn move_file(&mut self, from: &Path, to: &Path) -> Result<()> {
        match self.volume.rename(from, to) {
            Err(VolumeError::CrossVolume) => {}
            outcome => return outcome,
        }
        let attributes = self.volume.attributes(from)?;
        if attributes.kind != Kind::File {
            return Err(VolumeError::CrossVolume);
        }
        match self.volume.attributes(to) {
            Ok(there) if there.kind == Kind::File => self.volume.remove(to)?,
            Ok(_) => return Err(VolumeError::IsDirectory),
            Err(VolumeError::NotFound) => {}
            Err(error) => return Err(error),
        }
        let source = self.volume.open(from, false)?;
        let copied = self.volume.create(to).and_then(|target| {
            let copied = self.copy(source, target, attributes.written);
            self.volume.close(target).and(copied)
        });
        let copied = self.volume.close(source).and(copied);
        match copied {
            // The copy is safe: now the original may go.
            Ok(()) => self.volume.remove(from),
            Err(error) => {
                let _ = self.volume.remove(to);
                Err(error)
            }
        }
    }

    fn copy(&mut self, source: FileId, target: FileId, written: i64) -> Result<()> {
        let mut buffer = vec![0; COPY];
        let mut at = 0;
        loop {
            let count = self.volume.read(source, at, &mut buffer)?;
            if count == 0 {
                break;
            }
            self.volume.write(target, at, &buffer[..count])?;
            at += count as u64;
        }
        self.volume.change_open(target, Change { written: Some(written), mode: None })?;
        self.volume.sync(target)
    }
}
