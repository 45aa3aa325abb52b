//! [`Files`] over a [`Volume`]: names and versions translated, the rest handed on.

use crate::listing::List;
use crate::names::{self, Places, Wanted, from_lisp};
use crate::resolve::{kind, make_directory, true_directory, true_path};
use crate::versions::Versions;
use crate::volume::*;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use vm::platform::{FileAccess, FileDevice, FileError, FileInfo, Files, Recognition};

mod moving;
#[cfg(test)]
mod tests;

/// The first handle Lisp gets: those before are taken on a Unix host.
const FIRST_HANDLE: u16 = 3;

/// Is told of every file that was written to, before it is closed: full name, where it is.
pub type Watcher<V> = fn(&str, &mut V, FileId);

struct Open {
    file: FileId,
    path: PathBuf,
    changed: bool,
}

/// Lisp's files on a volume.
pub struct LispFiles<V> {
    volume: V,
    current: PathBuf,
    home: Option<PathBuf>,
    author: String,
    open: Vec<Option<Open>>,
    lists: Vec<Option<List>>,
    watcher: Option<Watcher<V>>,
}

fn info_of(attributes: Attributes) -> FileInfo {
    FileInfo {
        length: attributes.length,
        written: attributes.written,
        read: attributes.read,
        protection: attributes.mode,
        inode: attributes.node,
        special: attributes.kind == Kind::Other,
    }
}

fn fill(text: &str, buffer: &mut [u8]) -> Result<usize> {
    buffer.get_mut(..text.len()).ok_or(VolumeError::NameTooLong)?.copy_from_slice(text.as_bytes());
    Ok(text.len())
}

fn numbered<T>(places: &mut Vec<Option<T>>, value: T) -> Result<u16> {
    u16::try_from(keep(places, value))
        .ok()
        .filter(|&place| place < u16::MAX - FIRST_HANDLE)
        .ok_or(VolumeError::TooManyOpen)
}

impl<V: Volume> LispFiles<V> {
    /// The files of a volume. Relative names begin in `current`, those with `~` in `home`; `author` owns all files.
    pub fn new(volume: V, current: PathBuf, home: Option<PathBuf>, author: &str) -> Self {
        let author = author.to_string();
        Self { volume, current, home, author, open: Vec::new(), lists: Vec::new(), watcher: None }
    }

    /// Has a function told of every file that was written to, before it is closed.
    pub fn watch(&mut self, watcher: Watcher<V>) {
        self.watcher = Some(watcher);
    }

    /// The volume.
    pub fn volume(&mut self) -> &mut V {
        &mut self.volume
    }

    fn wanted(&self, device: FileDevice, name: &[u8], pattern: bool) -> Result<Wanted> {
        let versions = device == FileDevice::Disk || pattern;
        from_lisp(name, versions, pattern, Places { current: &self.current, home: self.home.as_deref() })
    }

    /// That a file is not there is nothing to tell Lisp about, but that a directory on the way is not there under exactly
    /// that name is (even if it is found under another case of letters).
    fn missing(&mut self, name: &Wanted) -> VolumeError {
        match self.volume.attributes(&name.directory) {
            Ok(_) => VolumeError::Unknown,
            Err(VolumeError::NotDirectory) => VolumeError::NotFound,
            Err(error) => error,
        }
    }

    /// The true name of a directory that a name is in.
    fn directory(&mut self, name: &Wanted) -> Result<PathBuf> {
        match true_directory(&mut self.volume, &name.directory)? {
            Some(directory) => Ok(directory),
            None => Err(self.missing(name)),
        }
    }

    fn versions(&mut self, name: &Wanted) -> Result<Versions> {
        Versions::find(&mut self.volume, &name.directory, &name.name)
    }

    /// The path a name means to those who only look.
    fn path_of(&mut self, device: FileDevice, name: &[u8]) -> Result<PathBuf> {
        let mut name = self.wanted(device, name, false)?;
        if device == FileDevice::Unix {
            return Ok(name.path());
        }
        let missing = self.missing(&name);
        name.directory = self.directory(&name)?;
        if name.name.is_empty() {
            return Ok(name.directory);
        }
        self.versions(&name)?.resolve(&name, Recognition::Old).map(|resolved| resolved.path).ok_or(missing)
    }

    fn opened(&mut self, handle: u16) -> Result<&mut Open> {
        let place = handle.checked_sub(FIRST_HANDLE).ok_or(VolumeError::NotOpen)?;
        self.open.get_mut(place as usize).and_then(Option::as_mut).ok_or(VolumeError::NotOpen)
    }

    /// Opens what is there, or makes it.
    fn open_path(&mut self, path: PathBuf, access: FileAccess, may_create: bool) -> Result<(u16, FileInfo)> {
        let there = match self.volume.attributes(&path) {
            Ok(attributes) if attributes.kind != Kind::File => return Err(VolumeError::NotPlain),
            Ok(_) => true,
            Err(VolumeError::NotFound) if may_create => false,
            Err(error) => return Err(error),
        };
        let volume = &mut self.volume;
        let file = if there { volume.open(&path, access != FileAccess::Input)? } else { volume.create(&path)? };
        let emptied = if there && access == FileAccess::Output { volume.set_length(file, 0) } else { Ok(()) };
        let info = match emptied.and_then(|()| volume.attributes_of_open(file)) {
            Ok(attributes) => info_of(attributes),
            Err(error) => {
                let _ = volume.close(file);
                return Err(error);
            }
        };
        // An empty file that is made and closed has been written, too.
        let changed = !there || access == FileAccess::Output;
        let handle = numbered(&mut self.open, Open { file, path, changed })?;
        Ok((FIRST_HANDLE + handle, info))
    }

    fn open_file(
        &mut self,
        device: FileDevice,
        name: &[u8],
        recognition: Recognition,
        access: FileAccess,
    ) -> Result<(u16, FileInfo)> {
        let mut name = self.wanted(device, name, false)?;
        let may_create = match recognition {
            Recognition::Old | Recognition::Oldest => false,
            Recognition::New if access == FileAccess::Input => return Err(VolumeError::Unknown),
            Recognition::New | Recognition::OldOrNew => access != FileAccess::Input,
            Recognition::AsNamed => return Err(VolumeError::Unknown),
        };
        if may_create {
            if name.name.is_empty() {
                return Err(VolumeError::IsDirectory);
            }
            name.directory = make_directory(&mut self.volume, &name.directory)?;
        }
        if device == FileDevice::Unix {
            return self.open_path(name.path(), access, may_create);
        }
        let missing = self.missing(&name);
        name.directory = self.directory(&name)?;
        if name.name.is_empty() {
            return Err(missing);
        }
        let versions = self.versions(&name)?;
        let path = versions.resolve(&name, recognition).ok_or(missing)?.path;
        if may_create && self.volume.attributes(&path) == Err(VolumeError::NotFound) {
            versions.maintain(&mut self.volume, true)?;
        }
        let opened = self.open_path(path, access, may_create)?;
        if may_create {
            let maintained = self.versions(&name).and_then(|versions| versions.maintain(&mut self.volume, false));
            if let Err(error) = maintained {
                // Lisp gets no handle that it could close.
                let _ = self.close_file(opened.0, None);
                return Err(error);
            }
        }
        Ok(opened)
    }

    fn set_length_of(&mut self, handle: u16, length: u64) -> Result<()> {
        let file = self.opened(handle)?.file;
        if self.volume.attributes_of_open(file)?.length != length {
            self.opened(handle)?.changed = true;
            self.volume.set_length(file, length)?;
            self.volume.sync(file)?;
        }
        Ok(())
    }

    fn close_file(&mut self, handle: u16, written: Option<i64>) -> Result<()> {
        self.opened(handle)?;
        let Some(open) = self.open[(handle - FIRST_HANDLE) as usize].take() else { return Err(VolumeError::NotOpen) };
        if let (true, Some(watcher)) = (open.changed, self.watcher) {
            watcher(&names::lisp_name(&open.path, true), &mut self.volume, open.file);
        }
        let dated = match written {
            Some(_) => self.volume.change_open(open.file, Change { written, mode: None }),
            None => Ok(()),
        };
        self.volume.close(open.file).and(dated)
    }

    fn file_name(&mut self, device: FileDevice, name: &[u8], recognition: Recognition) -> Result<String> {
        let mut name = self.wanted(device, name, false)?;
        let old = matches!(recognition, Recognition::Old | Recognition::Oldest);
        if device == FileDevice::Unix {
            let path = name.path();
            if old {
                self.volume.attributes(&path)?;
            }
            return Ok(names::lisp_name(&path, false));
        }
        let missing = self.missing(&name);
        let Some(directory) = true_directory(&mut self.volume, &name.directory)? else {
            let new = matches!(recognition, Recognition::New | Recognition::OldOrNew);
            return if new { Ok(names::lisp_name(&name.path(), true)) } else { Err(missing) };
        };
        name.directory = directory;
        let plain = Wanted { version: String::new(), ..name.clone() }.path();
        let whole = true_path(&mut self.volume, &plain)?;
        if recognition == Recognition::AsNamed {
            return Ok(match whole {
                Some((path, Kind::Directory)) => names::lisp_directory(&path),
                Some((path, _)) => names::lisp_name(&path, false),
                None => names::lisp_name(&plain, false),
            });
        }
        let is_directory = whole.is_some_and(|(_, kind)| kind == Kind::Directory);
        if name.name.is_empty() || (!old && is_directory) {
            return Err(missing);
        }
        let resolved = self.versions(&name)?.resolve(&name, recognition).ok_or(missing)?;
        if old && kind(&mut self.volume, &resolved.path) != Kind::File {
            return Err(missing);
        }
        Ok(names::lisp_name(&resolved.numbered, true))
    }

    fn directory_path(&mut self, device: FileDevice, name: &[u8]) -> Result<PathBuf> {
        let path = self.wanted(device, name, false)?.path();
        if device == FileDevice::Unix {
            let attributes = self.volume.attributes(&path)?;
            return if attributes.kind == Kind::Directory { Ok(path) } else { Err(VolumeError::Unknown) };
        }
        self.directory(&Wanted { directory: path, name: String::new(), version: String::new() })
    }

    fn delete_file(&mut self, device: FileDevice, name: &[u8]) -> Result<()> {
        let mut name = self.wanted(device, name, false)?;
        if device == FileDevice::Unix {
            return self.volume.remove(&name.path());
        }
        let missing = self.missing(&name);
        name.directory = self.directory(&name)?;
        let versions = self.versions(&name)?;
        let oldest = versions.resolve(&name, Recognition::Oldest).ok_or(missing)?;
        versions.delete(&mut self.volume, &oldest.path)
    }

    fn list_files(&mut self, device: FileDevice, pattern: &[u8]) -> Result<(u16, u32)> {
        let newest = pattern.ends_with(b";") && !pattern.ends_with(b"';");
        let mut wanted = self.wanted(device, pattern, true)?;
        if device == FileDevice::Disk {
            wanted.directory = self.directory(&wanted)?;
        }
        let list = List::make(&mut self.volume, device, &wanted, newest)?;
        let count = list.len() as u32;
        Ok((numbered(&mut self.lists, list)?, count))
    }
}

impl<V: Volume> Files for LispFiles<V> {
    fn open(
        &mut self,
        device: FileDevice,
        name: &[u8],
        recognition: Recognition,
        access: FileAccess,
    ) -> core::result::Result<(u16, FileInfo), FileError> {
        Ok(self.open_file(device, name, recognition, access)?)
    }

    fn close(&mut self, handle: u16, written: Option<i64>) -> core::result::Result<(), FileError> {
        self.close_file(handle, written).map_err(VolumeError::about_open_file)
    }

    fn read(&mut self, handle: u16, at: u64, buffer: &mut [u8]) -> core::result::Result<usize, FileError> {
        let file = self.opened(handle)?.file;
        self.volume.read(file, at, buffer).map_err(VolumeError::about_open_file)
    }

    fn write(&mut self, handle: u16, at: u64, bytes: &[u8]) -> core::result::Result<(), FileError> {
        let open = self.opened(handle)?;
        open.changed = true;
        let file = open.file;
        self.volume.write(file, at, bytes).map_err(VolumeError::about_open_file)
    }

    fn set_length(&mut self, handle: u16, length: u64) -> core::result::Result<(), FileError> {
        self.set_length_of(handle, length).map_err(VolumeError::about_open_file)
    }

    fn full_name(
        &mut self,
        device: FileDevice,
        name: &[u8],
        recognition: Recognition,
        full: &mut [u8],
    ) -> core::result::Result<usize, FileError> {
        Ok(fill(&self.file_name(device, name, recognition)?, full)?)
    }

    fn directory_name(
        &mut self,
        device: FileDevice,
        name: &[u8],
        full: &mut [u8],
    ) -> core::result::Result<usize, FileError> {
        Ok(fill(&names::lisp_directory(&self.directory_path(device, name)?), full)?)
    }

    fn delete(&mut self, device: FileDevice, name: &[u8]) -> core::result::Result<(), FileError> {
        Ok(self.delete_file(device, name)?)
    }

    fn rename(&mut self, device: FileDevice, from: &[u8], to: &[u8]) -> core::result::Result<(), FileError> {
        Ok(self.rename_file(device, from, to)?)
    }

    fn info(&mut self, device: FileDevice, name: &[u8]) -> core::result::Result<FileInfo, FileError> {
        let path = self.path_of(device, name)?;
        Ok(info_of(self.volume.attributes(&path)?))
    }

    fn author(&mut self, device: FileDevice, name: &[u8], author: &mut [u8]) -> core::result::Result<usize, FileError> {
        // Whoever else's file it is, there is no list of users here.
        let path = self.path_of(device, name)?;
        self.volume.attributes(&path)?;
        Ok(fill(&self.author, author)?)
    }

    fn set_written(&mut self, device: FileDevice, name: &[u8], written: i64) -> core::result::Result<(), FileError> {
        let path = self.path_of(device, name)?;
        Ok(self.volume.change(&path, Change { written: Some(written), mode: None })?)
    }

    fn set_protection(
        &mut self,
        device: FileDevice,
        name: &[u8],
        protection: u32,
    ) -> core::result::Result<(), FileError> {
        let path = self.path_of(device, name)?;
        Ok(self.volume.change(&path, Change { written: None, mode: Some(protection & 0o7777) })?)
    }

    fn change_directory(&mut self, device: FileDevice, name: &[u8]) -> core::result::Result<(), FileError> {
        self.current = match self.directory_path(device, name) {
            Err(VolumeError::NotFound) if device == FileDevice::Disk => return Err(VolumeError::Unknown.into()),
            outcome => outcome?,
        };
        Ok(())
    }

    fn free_blocks(&mut self, device: FileDevice, name: &[u8]) -> core::result::Result<u32, FileError> {
        let name = self.wanted(device, name, false)?;
        let directory = match device {
            FileDevice::Disk => self.directory(&name)?,
            FileDevice::Unix => name.directory,
        };
        let space = self.volume.space(&directory)?;
        Ok(u32::try_from(space.free).unwrap_or(u32::MAX).min(i32::MAX as u32))
    }

    fn list(&mut self, device: FileDevice, pattern: &[u8]) -> core::result::Result<(u16, u32), FileError> {
        Ok(self.list_files(device, pattern)?)
    }

    fn next_listed(
        &mut self,
        list: u16,
        name: &mut [u8],
        with_info: bool,
    ) -> core::result::Result<Option<(usize, FileInfo)>, FileError> {
        let list = self.lists.get_mut(list as usize).and_then(Option::as_mut).ok_or(VolumeError::Unknown)?;
        let Some((text, path)) = list.next() else { return Ok(None) };
        // A file that has gone since is listed all the same, as one that nothing is known about.
        let attributes = if with_info { self.volume.attributes(&path).ok() } else { None };
        Ok(Some((fill(&text, name)?, attributes.map_or(FileInfo::default(), info_of))))
    }

    fn end_list(&mut self, list: u16) -> bool {
        self.lists.get_mut(list as usize).is_some_and(|list| list.take().is_some())
    }
}
