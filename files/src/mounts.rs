//! Several volumes in one tree: a root, and others under names in it.
//!
//! ```text
//!   {DSK}           root
//!   {DSK}<share>    another volume's root
//! ```
//! A name in the root that is a mounted volume's hides whatever the root itself has under it.

use crate::volume::*;
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Bits of a [`FileId`] that are the volume's own.
const OWN_BITS: u32 = 24;

/// See the module.
pub struct Mounts {
    /// The root first.
    volumes: Vec<Box<dyn Volume>>,
    /// Names of the others.
    names: Vec<String>,
}

impl Mounts {
    /// A tree of one volume.
    pub fn new(root: Box<dyn Volume>) -> Self {
        Self { volumes: [root].into_iter().collect(), names: Vec::new() }
    }

    /// Puts a volume under a name in the root.
    pub fn mount(&mut self, name: &str, volume: Box<dyn Volume>) -> Result<()> {
        check_name(name)?;
        if self.names.iter().any(|known| known == name) || self.volumes.len() == 1 << (32 - OWN_BITS) {
            return Err(VolumeError::Exists);
        }
        self.names.push(name.to_string());
        self.volumes.push(volume);
        Ok(())
    }

    /// Which volume a path is on, and its path there.
    fn place<'a>(&self, path: &'a Path) -> (usize, &'a Path) {
        let mounted = path.first().and_then(|first| self.names.iter().position(|name| name == first));
        mounted.map_or((0, path), |index| (index + 1, &path[1..]))
    }

    fn at<'a>(&mut self, path: &'a Path) -> (&mut dyn Volume, &'a Path) {
        let (volume, path) = self.place(path);
        (&mut *self.volumes[volume], path)
    }

    /// The same for what must not be done to the root of a volume.
    fn below<'a>(&mut self, path: &'a Path) -> Result<(&mut dyn Volume, &'a Path)> {
        let (volume, path) = self.at(path);
        if path.is_empty() { Err(VolumeError::Busy) } else { Ok((volume, path)) }
    }

    fn both<'a>(&mut self, a: &'a Path, b: &'a Path) -> Result<(&mut dyn Volume, &'a Path, &'a Path)> {
        let ((volume, a), (other, b)) = (self.place(a), self.place(b));
        if a.is_empty() || b.is_empty() {
            return Err(VolumeError::Busy);
        }
        if volume == other { Ok((&mut *self.volumes[volume], a, b)) } else { Err(VolumeError::CrossVolume) }
    }

    fn keep(&mut self, path: &Path, opened: impl FnOnce(&mut dyn Volume, &Path) -> Result<FileId>) -> Result<FileId> {
        let (index, path) = self.place(path);
        let volume = &mut *self.volumes[index];
        let file = opened(volume, path)?;
        if file.0 >> OWN_BITS != 0 {
            let _ = volume.close(file);
            return Err(VolumeError::TooManyOpen);
        }
        Ok(FileId((index as u32) << OWN_BITS | file.0))
    }

    fn file(&mut self, file: FileId) -> Result<(&mut dyn Volume, FileId)> {
        let volume = self.volumes.get_mut((file.0 >> OWN_BITS) as usize).ok_or(VolumeError::NotOpen)?;
        Ok((&mut **volume, FileId(file.0 & ((1 << OWN_BITS) - 1))))
    }
}

impl Volume for Mounts {
    fn attributes(&mut self, path: &Path) -> Result<Attributes> {
        let (volume, path) = self.at(path);
        volume.attributes(path)
    }

    fn entries(&mut self, directory: &Path) -> Result<Entries> {
        let (volume, path) = self.at(directory);
        let own = volume.entries(path)?;
        if !directory.is_empty() || self.names.is_empty() {
            return Ok(own);
        }
        let mut entries = Entries::default();
        for entry in own.iter().filter(|entry| !self.names.iter().any(|name| name == entry.name)) {
            entries.add(entry)?;
        }
        for name in &self.names {
            entries.add(Entry { name, kind: Some(Kind::Directory), node: 0 })?;
        }
        Ok(entries)
    }

    fn open(&mut self, path: &Path, write: bool) -> Result<FileId> {
        self.keep(path, |volume, path| volume.open(path, write))
    }

    fn create(&mut self, path: &Path) -> Result<FileId> {
        self.keep(path, |volume, path| volume.create(path))
    }

    fn close(&mut self, file: FileId) -> Result<()> {
        let (volume, file) = self.file(file)?;
        volume.close(file)
    }

    fn read(&mut self, file: FileId, at: u64, buffer: &mut [u8]) -> Result<usize> {
        let (volume, file) = self.file(file)?;
        volume.read(file, at, buffer)
    }

    fn write(&mut self, file: FileId, at: u64, bytes: &[u8]) -> Result<()> {
        let (volume, file) = self.file(file)?;
        volume.write(file, at, bytes)
    }

    fn set_length(&mut self, file: FileId, length: u64) -> Result<()> {
        let (volume, file) = self.file(file)?;
        volume.set_length(file, length)
    }

    fn sync(&mut self, file: FileId) -> Result<()> {
        let (volume, file) = self.file(file)?;
        volume.sync(file)
    }

    fn attributes_of_open(&mut self, file: FileId) -> Result<Attributes> {
        let (volume, file) = self.file(file)?;
        volume.attributes_of_open(file)
    }

    fn change_open(&mut self, file: FileId, change: Change) -> Result<()> {
        let (volume, file) = self.file(file)?;
        volume.change_open(file, change)
    }

    fn change(&mut self, path: &Path, change: Change) -> Result<()> {
        let (volume, path) = self.at(path);
        volume.change(path, change)
    }

    fn create_directory(&mut self, path: &Path) -> Result<()> {
        let (volume, path) = self.below(path)?;
        volume.create_directory(path)
    }

    fn remove(&mut self, path: &Path) -> Result<()> {
        let (volume, path) = self.below(path)?;
        volume.remove(path)
    }

    fn rename(&mut self, from: &Path, to: &Path) -> Result<()> {
        let (volume, from, to) = self.both(from, to)?;
        volume.rename(from, to)
    }

    fn link(&mut self, existing: &Path, new: &Path) -> Result<()> {
        let (volume, existing, new) = self.both(existing, new)?;
        volume.link(existing, new)
    }

    fn space(&mut self, path: &Path) -> Result<Space> {
        let (volume, path) = self.at(path);
        volume.space(path)
    }

    fn sync_all(&mut self) -> Result<()> {
        let results: Vec<Result<()>> = self.volumes.iter_mut().map(|volume| volume.sync_all()).collect();
        results.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MemoryVolume;

    #[test]
    fn a_tree_of_two() {
        let path = |text: &str| text.split('/').map(str::to_string).collect::<PathBuf>();
        let mut tree = Mounts::new(Box::new(MemoryVolume::new(|| 0)));
        tree.create_directory(&path("share")).unwrap();
        tree.create(&path("share/hidden")).unwrap();
        tree.mount("share", Box::new(MemoryVolume::new(|| 0))).unwrap();
        assert_eq!(tree.mount("share", Box::new(MemoryVolume::new(|| 0))), Err(VolumeError::Exists));
        assert_eq!(tree.entries(&path("share")).unwrap().len(), 0);
        assert_eq!(tree.entries(&[]).unwrap().len(), 1);
        let file = tree.create(&path("share/x")).unwrap();
        tree.write(file, 0, b"abc").unwrap();
        assert_eq!(tree.attributes_of_open(file).unwrap().length, 3);
        tree.close(file).unwrap();
        assert_eq!(tree.close(file), Err(VolumeError::NotOpen));
        assert_eq!(tree.close(FileId(u32::MAX)), Err(VolumeError::NotOpen));
        assert_eq!(tree.rename(&path("share/x"), &path("x")), Err(VolumeError::CrossVolume));
        assert_eq!(tree.remove(&path("share")), Err(VolumeError::Busy));
        tree.rename(&path("share/x"), &path("share/y")).unwrap();
        assert_eq!(tree.attributes(&path("share")).unwrap().kind, Kind::Directory);
    }
}
