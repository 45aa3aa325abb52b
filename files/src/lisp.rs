//! [`Files`] over a [`Volume`]: names and versions translated, the rest handed on.

use crate::listing::List;
use crate::names::{self, Places, Wanted, from_lisp};
use crate::resolve::{kind, make_directory, true_directory, true_path};
use crate::versions::Versions;
use crate::volume::*;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use vm::platform::{FileAccess, FileDevice, FileError, FileInfo, Files, Recognition};

/// The first handle Lisp gets: those before are taken on a Unix host.
const FIRST_HANDLE: u16 = 3;
/// Bytes that are copied at a time when a file goes from one volume to another.
const COPY: usize = 32 << 10;

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

    fn rename_file(&mut self, device: FileDevice, from: &[u8], to: &[u8]) -> Result<()> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MemoryVolume;
    use alloc::format;
    use core::result::Result;

    type Memory = LispFiles<MemoryVolume>;
    const DISK: FileDevice = FileDevice::Disk;

    fn files() -> Memory {
        LispFiles::new(MemoryVolume::new(|| 1000), PathBuf::new(), None, "user")
    }

    fn error(error: VolumeError) -> FileError {
        error.into()
    }

    fn write(files: &mut Memory, name: &str, bytes: &[u8]) -> Result<(), FileError> {
        let (handle, _) = files.open(DISK, name.as_bytes(), Recognition::New, FileAccess::Output)?;
        let done = files.write(handle, 0, bytes).and_then(|()| files.set_length(handle, bytes.len() as u64));
        files.close(handle, Some(718_502_400)).and(done)
    }

    fn read(files: &mut Memory, name: &str) -> Result<Vec<u8>, FileError> {
        let (handle, info) = files.open(DISK, name.as_bytes(), Recognition::Old, FileAccess::Input)?;
        let mut bytes = vec![0; info.length as usize + 9];
        let count = files.read(handle, 0, &mut bytes)?;
        files.close(handle, None)?;
        bytes.truncate(count);
        Ok(bytes)
    }

    fn list(files: &mut Memory, device: FileDevice, pattern: &str) -> Vec<String> {
        let (list, count) = files.list(device, pattern.as_bytes()).unwrap();
        let mut names = Vec::new();
        let mut name = [0; 300];
        while let Some((length, info)) = files.next_listed(list, &mut name, true).unwrap() {
            assert!(info.inode != 0);
            names.push(String::from_utf8_lossy(&name[..length]).into_owned());
        }
        assert_eq!(names.len() as u32, count);
        assert!(files.end_list(list) && !files.end_list(list));
        names
    }

    fn full(files: &mut Memory, name: &str, recognition: Recognition) -> Result<String, FileError> {
        let mut buffer = [0; 300];
        let length = files.full_name(DISK, name.as_bytes(), recognition, &mut buffer)?;
        Ok(String::from_utf8_lossy(&buffer[..length]).into_owned())
    }

    #[test]
    fn a_life_of_a_file() {
        let mut files = files();
        for text in [&b"one"[..], b"two", b"three"] {
            write(&mut files, "Top>Deep>Foo.Lisp", text).unwrap();
        }
        assert_eq!(read(&mut files, "top>DEEP>FOO.LISP").unwrap(), b"three");
        assert_eq!(read(&mut files, "top>deep>foo.lisp;1").unwrap(), b"one");
        assert_eq!(list(&mut files, DISK, "top>deep>*.*;*"), ["Foo.Lisp;3", "Foo.Lisp;2", "Foo.Lisp;1"]);
        assert_eq!(list(&mut files, DISK, "top>deep>*.*;"), ["Foo.Lisp;3"]);
        assert_eq!(list(&mut files, DISK, "top>deep>*.*;2"), ["Foo.Lisp;2"]);
        assert_eq!(list(&mut files, DISK, "top>*.*;*"), ["Deep>"]);
        assert_eq!(full(&mut files, "top>deep>foo.lisp", Recognition::Old).unwrap(), "<Top>Deep>Foo.Lisp;3");
        assert_eq!(full(&mut files, "top>deep>foo.lisp", Recognition::Oldest).unwrap(), "<Top>Deep>Foo.Lisp;1");
        assert_eq!(full(&mut files, "top>deep>foo.lisp", Recognition::New).unwrap(), "<Top>Deep>Foo.Lisp;4");
        assert_eq!(full(&mut files, "top>deep>foo.lisp;2", Recognition::OldOrNew).unwrap(), "<Top>Deep>Foo.Lisp;2");
        assert_eq!(full(&mut files, "Top>Deep>bar", Recognition::Old), Err(error(VolumeError::Unknown)));
        assert_eq!(full(&mut files, "nowhere>bar", Recognition::Old), Err(error(VolumeError::NotFound)));
        assert_eq!(full(&mut files, "top>deep>bar", Recognition::New).unwrap(), "<Top>Deep>bar.;1");
        files.rename(DISK, b"top>deep>foo.lisp", b"top>deep>bar").unwrap();
        assert_eq!(read(&mut files, "top>deep>bar.").unwrap(), b"three");
        assert_eq!(read(&mut files, "top>deep>foo.lisp").unwrap(), b"two");
        files.delete(DISK, b"top>deep>foo.lisp").unwrap();
        assert_eq!(list(&mut files, DISK, "top>deep>*.*;*"), ["bar.;1", "Foo.Lisp;2"]);
        let info = files.info(DISK, b"top>deep>bar").unwrap();
        assert_eq!((info.length, info.written, info.protection), (5, 718_502_400, 0o100_644));
        files.set_written(DISK, b"top>deep>bar", 5).unwrap();
        files.set_protection(DISK, b"top>deep>bar", 0o100_600).unwrap();
        let info = files.info(DISK, b"top>deep>bar").unwrap();
        assert_eq!((info.written, info.protection), (5, 0o100_600));
        let mut name = [0; 20];
        assert_eq!(files.author(DISK, b"top>deep>bar", &mut name), Ok(4));
    }

    #[test]
    fn unix_names_are_what_they_are() {
        let mut files = files();
        write(&mut files, "d>Foo.l", b"one").unwrap();
        write(&mut files, "d>Foo.l", b"two").unwrap();
        let unix = FileDevice::Unix;
        assert_eq!(list(&mut files, unix, "d>*.*"), ["Foo.l", "Foo.l.~1~", "Foo.l.~2~"]);
        assert!(files.info(unix, b"d>foo.l").is_err());
        let (handle, _) = files.open(unix, b"d>Foo.l.~1~", Recognition::Old, FileAccess::Both).unwrap();
        files.write(handle, 0, b"ONE").unwrap();
        files.close(handle, None).unwrap();
        assert_eq!(read(&mut files, "d>foo.l;1").unwrap(), b"ONE");
        files.rename(unix, b"d>Foo.l.~1~", b"d>bar").unwrap();
        files.delete(unix, b"d>bar").unwrap();
        assert_eq!(list(&mut files, DISK, "d>*.*;*"), ["Foo.l;2"]);
    }

    #[test]
    fn directories() {
        let mut files = files();
        write(&mut files, "Home>x", b"1").unwrap();
        let mut name = [0; 50];
        let length = files.directory_name(DISK, b"HOME", &mut name).unwrap();
        assert_eq!(&name[..length], b"<Home>");
        assert_eq!(files.directory_name(DISK, b"<", &mut name), Ok(1));
        assert!(files.directory_name(DISK, b"home>x", &mut name).is_err());
        files.change_directory(DISK, b"home").unwrap();
        assert_eq!(files.change_directory(DISK, b"nowhere"), Err(error(VolumeError::Unknown)));
        assert_eq!(read(&mut files, ".>x").unwrap(), b"1");
        assert_eq!(read(&mut files, "..>home>x").unwrap(), b"1");
        assert_eq!(files.free_blocks(DISK, b"home>x"), Ok(i32::MAX as u32));
        assert_eq!(
            files.open(DISK, b"home", Recognition::Old, FileAccess::Input).unwrap_err(),
            error(VolumeError::NotPlain)
        );
    }

    /// Tries whatever could push a directory aside; none of it may work.
    #[test]
    fn a_directory_is_not_pushed_aside() {
        let mut files = files();
        write(&mut files, "Dir>inside", b"1").unwrap();
        write(&mut files, "x", b"one").unwrap();
        for links in [true, false] {
            files.volume().faults.no_links = !links;
            for name in [&b"Dir"[..], b"DIR.", b"dir;1", b"dir;2"] {
                for recognition in [Recognition::New, Recognition::OldOrNew, Recognition::Old] {
                    for access in [FileAccess::Output, FileAccess::Both, FileAccess::Append] {
                        let refused = files.open(DISK, name, recognition, access).unwrap_err();
                        let wanted = [VolumeError::IsDirectory, VolumeError::NotPlain, VolumeError::Unknown];
                        assert!(wanted.map(error).contains(&refused), "{refused:?}");
                    }
                }
                assert!(files.delete(DISK, name).is_err());
                assert!(files.rename(DISK, name, b"y").is_err());
            }
            let is_directory = Err(error(VolumeError::IsDirectory));
            assert_eq!(files.rename(DISK, b"x", b"dir"), is_directory);
            assert_eq!(files.rename(DISK, b"x", b"dir;7"), is_directory);
            assert_eq!(files.rename(DISK, b"dir", b"x"), is_directory);
            assert_eq!(files.rename(DISK, b"dir", b"dir"), is_directory);
            assert_eq!(
                files.open(FileDevice::Unix, b"Dir", Recognition::New, FileAccess::Output).map(drop),
                Err(error(VolumeError::NotPlain))
            );
            assert_eq!(list(&mut files, DISK, "*.*;*"), ["Dir>", "x.;1"]);
            assert_eq!(read(&mut files, "dir>inside").unwrap(), b"1");
        }
        for name in [&b"new>"[..], b"new>er>", b"<"] {
            assert!(files.open(DISK, name, Recognition::New, FileAccess::Output).is_err());
            assert!(files.open(FileDevice::Unix, name, Recognition::New, FileAccess::Output).is_err());
        }
        assert_eq!(list(&mut files, DISK, "*.*;*"), ["Dir>", "x.;1"]);
        // Whoever made such names without Lisp finds them as he left them.
        files.volume().faults.no_links = false;
        for name in ["Dir.~3~", "x.~2~"] {
            files.volume().provide(&[name.to_string()], (&b"given"[..]).into()).unwrap();
        }
        assert!(write(&mut files, "dir", b"new").is_err());
        assert_eq!(read(&mut files, "dir;3").unwrap(), b"given");
        write(&mut files, "dir;3", b"again").unwrap();
        files.rename(DISK, b"dir;3", b"y").unwrap();
        assert_eq!(list(&mut files, DISK, "d*.*;*"), ["Dir>"]);
        files.volume().create_directory(&["x.~9~".to_string()]).unwrap();
        write(&mut files, "x", b"ten").unwrap();
        assert_eq!(
            (read(&mut files, "x").unwrap(), full(&mut files, "x", Recognition::Old).unwrap()),
            (b"ten".to_vec(), "<x.;11".into())
        );
    }

    #[test]
    fn a_file_that_cannot_be_renamed_leaves_the_other_alone() {
        let mut files = files();
        write(&mut files, "x", b"one").unwrap();
        write(&mut files, "x", b"two").unwrap();
        for to in [&b"x;2"[..], b"x", b"new>y"] {
            assert!(files.rename(DISK, b"nothing", to).is_err());
        }
        assert_eq!(list(&mut files, FileDevice::Unix, "*.*"), ["x.", "x.~1~", "x.~2~"]);
    }

    #[test]
    fn what_cannot_be_opened_takes_no_handle() {
        for after in 0..30 {
            let mut files = files();
            write(&mut files, "x", b"one").unwrap();
            files.volume().faults.after = Some((after, VolumeError::Device));
            let opened = files.open(DISK, b"x", Recognition::New, FileAccess::Output);
            files.volume().faults.after = None;
            assert_eq!(files.open.iter().flatten().count(), usize::from(opened.is_ok()), "after {after}");
        }
    }

    #[test]
    fn hostile_names_are_errors() {
        let mut files = files();
        write(&mut files, "x", b"1").unwrap();
        let before = files.volume().operations;
        let long = "x".repeat(300);
        for name in [&b"..>x"[..], b"a>..>..>x", b"'.'.>x", b"x'/y", b"x\0", b"\xff\xfe", long.as_bytes(), b"x;1'/2"] {
            for recognition in [Recognition::Old, Recognition::New, Recognition::OldOrNew, Recognition::AsNamed] {
                assert!(files.open(DISK, name, recognition, FileAccess::Output).is_err());
                assert!(files.full_name(DISK, name, recognition, &mut [0; 400]).is_err());
            }
            assert!(files.delete(DISK, name).is_err() && files.info(DISK, name).is_err());
            assert!(files.rename(DISK, b"x", name).is_err() && files.rename(DISK, name, b"y").is_err());
            assert!(files.directory_name(DISK, name, &mut [0; 400]).is_err());
            assert!(files.change_directory(DISK, name).is_err() && files.free_blocks(DISK, name).is_err());
        }
        assert!(files.list(DISK, b"..>*").is_err());
        assert_eq!(files.volume().operations, before, "the volume was touched");
        assert_eq!(read(&mut files, "x").unwrap(), b"1");
    }

    #[test]
    fn a_full_and_a_read_only_volume() {
        let mut files = files();
        write(&mut files, "x", &[1; 400]).unwrap();
        files.volume().faults.capacity = Some(600);
        assert_eq!(write(&mut files, "x", &[2; 400]), Err(error(VolumeError::NoSpace)));
        assert_eq!(read(&mut files, "x;1").unwrap(), [1; 400], "the old version is whole");
        files.delete(DISK, b"x;2").unwrap();
        files.volume().faults.read_only = true;
        let refused = Err(error(VolumeError::ReadOnly));
        assert_eq!(write(&mut files, "x", b"2"), refused);
        assert_eq!(write(&mut files, "new>y", b"2"), refused);
        assert_eq!(files.delete(DISK, b"x"), refused);
        assert_eq!(files.rename(DISK, b"x", b"y"), refused);
        assert_eq!(read(&mut files, "x").unwrap(), [1; 400]);
    }

    #[test]
    fn a_volume_that_vanishes() {
        let mut files = files();
        write(&mut files, "x", b"1").unwrap();
        let (handle, _) = files.open(DISK, b"x", Recognition::Old, FileAccess::Both).unwrap();
        files.volume().faults.gone = true;
        let gone = error(VolumeError::Gone);
        assert_eq!(files.write(handle, 0, b"2"), Err(gone));
        assert_eq!(files.read(handle, 0, &mut [0]), Err(gone));
        assert_eq!(files.close(handle, Some(0)), Err(gone));
        assert_eq!(files.close(handle, None), Err(error(VolumeError::NotOpen)));
        assert_eq!(read(&mut files, "x"), Err(gone));
        assert_eq!(files.list(DISK, b"*.*"), Err(gone));
        assert_eq!(full(&mut files, "x", Recognition::Old), Err(gone));
        files.volume().faults.gone = false;
        assert_eq!(read(&mut files, "x").unwrap(), b"1");
    }

    #[test]
    fn every_failure_is_told() {
        // Whatever single operation fails: either the call fails, or all is as if nothing had failed.
        for after in 0..40 {
            let mut files = files();
            for text in [b"one", b"two"] {
                write(&mut files, "d>x", text).unwrap();
            }
            files.volume().faults.after = Some((after, VolumeError::Device));
            let written = write(&mut files, "d>x", b"new");
            let failed = files.volume().faults.after.is_none();
            files.volume().faults.after = None;
            assert!(failed || written.is_ok());
            if written.is_ok() {
                assert_eq!(read(&mut files, "d>x").unwrap(), b"new", "after {after}");
            }
            assert_eq!(read(&mut files, "d>x;1").unwrap(), b"one", "after {after}");
            assert_eq!(read(&mut files, "d>x;2").unwrap(), b"two", "after {after}");
        }
    }

    #[test]
    fn written_files_are_told_of() {
        use std::sync::Mutex;
        static TOLD: Mutex<Vec<(String, u64)>> = Mutex::new(Vec::new());
        let mut files = files();
        files.watch(|name, volume, file| {
            let length = volume.attributes_of_open(file).unwrap().length;
            TOLD.lock().unwrap().push((name.to_string(), length));
        });
        write(&mut files, "d>x", b"abc").unwrap();
        read(&mut files, "d>x").unwrap();
        write(&mut files, "d>x", b"").unwrap();
        assert_eq!(*TOLD.lock().unwrap(), [("<d>x.;1".to_string(), 3), ("<d>x.;2".to_string(), 0)]);
    }

    #[test]
    fn ten_thousand_files() {
        let mut files = files();
        for number in 0..10_000 {
            files.volume().provide(&["d".to_string(), format!("f{number:05}.l")], (&b"x"[..]).into()).unwrap();
        }
        let before = files.volume().operations;
        let (list, count) = files.list(DISK, b"D>*.*;").unwrap();
        assert_eq!(count, 10_000);
        let mut name = [0; 20];
        for number in 0..10_000 {
            let (length, _) = files.next_listed(list, &mut name, false).unwrap().unwrap();
            assert_eq!(&name[..length], format!("f{number:05}.l;1").as_bytes());
        }
        assert!(files.volume().operations - before < 10, "without attributes a list takes one look at the directory");
    }
}
