//! The host's files for Lisp: names and versions translated, the rest handed on.

mod names;
mod versions;

use names::HostName;
use std::ffi::CString;
use std::fs::{self, File, FileTimes, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use versions::{Kind, Versions, kind, true_directory, true_path};
use vm::platform::{FileAccess, FileDevice, FileError, FileInfo, Files, Recognition};

/// The first handle Lisp gets: those before are taken on a Unix host.
const FIRST_HANDLE: u16 = 3;

/// A list of files that Lisp goes through.
type List = std::vec::IntoIter<(String, FileInfo)>;

/// The host's files.
#[derive(Default)]
pub struct HostFiles {
    open: Vec<Option<File>>,
    lists: Vec<Option<List>>,
}

fn failed(error: io::Error) -> FileError {
    FileError(error.raw_os_error().unwrap_or(libc::EIO) as u32)
}

/// It did not work, and there is no more to say.
const NO: FileError = FileError(0);

/// Puts something into the first free place; its number.
fn keep<T>(places: &mut Vec<Option<T>>, value: T) -> Result<u16, FileError> {
    let place = places.iter().position(Option::is_none).unwrap_or(places.len());
    if place == places.len() {
        places.push(None);
    }
    places[place] = Some(value);
    u16::try_from(place).map_err(|_| FileError(libc::EMFILE as u32))
}

fn info_of(data: &fs::Metadata) -> FileInfo {
    FileInfo {
        length: data.len(),
        written: data.mtime(),
        read: data.atime(),
        protection: data.mode(),
        inode: data.ino(),
        special: !data.is_file() && !data.is_dir(),
    }
}

fn fill(text: &str, buffer: &mut [u8]) -> Result<usize, FileError> {
    let to = buffer.get_mut(..text.len()).ok_or(FileError(libc::ENAMETOOLONG as u32))?;
    to.copy_from_slice(text.as_bytes());
    Ok(text.len())
}

fn host_name(device: FileDevice, name: &[u8], pattern: bool) -> Result<HostName, FileError> {
    // Lisp's characters are bytes here; what is no UTF-8 cannot be a name that was made from one.
    let name = str::from_utf8(name).map_err(|_| NO)?;
    let current = std::env::current_dir().map_err(failed)?;
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let versions = device == FileDevice::Disk || pattern;
    names::to_host(name, versions, pattern, &current, home.as_deref()).ok_or(NO)
}

/// That a file is not there is nothing to tell Lisp about, but that a directory on the way is not there under exactly
/// that name is (even if it is found under another case of letters).
fn missing(name: &HostName) -> FileError {
    if name.directory.exists() { NO } else { FileError(libc::ENOENT as u32) }
}

/// The file that a name on `{DSK}` means, in its true directory.
fn existing(name: &HostName, recognition: Recognition) -> Result<PathBuf, FileError> {
    let directory = true_directory(&name.directory).ok_or_else(|| missing(name))?;
    if name.name.is_empty() {
        return Ok(directory);
    }
    let resolved = Versions::find(&directory, &name.name).map_err(failed)?.resolve(name, recognition);
    resolved.map(|resolved| resolved.path).ok_or_else(|| missing(name))
}

/// The path a name means to those who only look.
fn path_of(device: FileDevice, name: &[u8]) -> Result<PathBuf, FileError> {
    let name = host_name(device, name, false)?;
    match device {
        FileDevice::Unix => Ok(name.path()),
        FileDevice::Disk => existing(&name, Recognition::Old),
    }
}

/// The path of a sysout: its name has no version, whatever the device.
pub fn sysout_path(name: &[u8]) -> Option<PathBuf> {
    let name = host_name(FileDevice::Unix, name, false).ok()?;
    (!name.name.is_empty()).then(|| name.path())
}

/// Makes a directory with those above it; its true path.
fn make_directory(path: &Path) -> Result<PathBuf, FileError> {
    if let Some((found, found_kind)) = true_path(path) {
        return if found_kind == Kind::Directory { Ok(found) } else { Err(NO) };
    }
    let above = make_directory(path.parent().ok_or(NO)?)?;
    let made = above.join(path.file_name().ok_or(NO)?);
    fs::create_dir(&made).map_err(failed)?;
    Ok(made)
}

fn unix_time(seconds: i64) -> SystemTime {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 { UNIX_EPOCH - distance } else { UNIX_EPOCH + distance }
}

impl HostFiles {
    fn file(&mut self, handle: u16) -> Result<&mut Option<File>, FileError> {
        let bad = FileError(libc::EBADF as u32);
        let place = handle.checked_sub(FIRST_HANDLE).ok_or(bad)?;
        self.open.get_mut(place as usize).filter(|file| file.is_some()).ok_or(bad)
    }

    fn opened(&mut self, file: File) -> Result<(u16, FileInfo), FileError> {
        let info = info_of(&file.metadata().map_err(failed)?);
        Ok((FIRST_HANDLE + keep(&mut self.open, file)?, info))
    }
}

impl Files for HostFiles {
    fn open(
        &mut self,
        device: FileDevice,
        name: &[u8],
        recognition: Recognition,
        access: FileAccess,
    ) -> Result<(u16, FileInfo), FileError> {
        let mut name = host_name(device, name, false)?;
        let may_create = match recognition {
            Recognition::Old | Recognition::Oldest => false,
            Recognition::New if access == FileAccess::Input => return Err(NO),
            Recognition::New | Recognition::OldOrNew => access != FileAccess::Input,
            Recognition::AsNamed => return Err(NO),
        };
        let mut options = OpenOptions::new();
        options.read(true).write(access != FileAccess::Input).create(may_create);
        options.truncate(access == FileAccess::Output);
        if may_create {
            name.directory = make_directory(&name.directory)?;
        }
        if device == FileDevice::Unix {
            return self.opened(options.open(name.path()).map_err(failed)?);
        }
        let missing = missing(&name);
        name.directory = true_directory(&name.directory).ok_or(missing)?;
        if name.name.is_empty() {
            return Err(missing);
        }
        let versions = Versions::find(&name.directory, &name.name).map_err(failed)?;
        let path = versions.resolve(&name, recognition).ok_or(missing)?.path;
        match fs::metadata(&path) {
            Ok(data) if !data.is_file() => return Err(FileError(libc::ENFILE as u32)),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound && may_create => {
                versions.maintain(true).map_err(failed)?;
            }
            Err(error) => return Err(failed(error)),
        }
        let file = options.open(&path).map_err(failed)?;
        if may_create {
            let versions = Versions::find(&name.directory, &name.name).map_err(failed)?;
            versions.maintain(false).map_err(failed)?;
        }
        self.opened(file)
    }

    fn close(&mut self, handle: u16, written: Option<i64>) -> Result<(), FileError> {
        let Some(file) = self.file(handle)?.take() else { return Err(NO) };
        if let Some(written) = written {
            file.set_times(FileTimes::new().set_modified(unix_time(written))).map_err(failed)?;
        }
        Ok(())
    }

    fn read(&mut self, handle: u16, at: u64, buffer: &mut [u8]) -> Result<usize, FileError> {
        let Some(file) = self.file(handle)? else { return Err(NO) };
        let mut done = 0;
        while done < buffer.len() {
            match file.read_at(&mut buffer[done..], at + done as u64) {
                Ok(0) => break,
                Ok(count) => done += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(done)
    }

    fn write(&mut self, handle: u16, at: u64, bytes: &[u8]) -> Result<(), FileError> {
        let Some(file) = self.file(handle)? else { return Err(NO) };
        file.write_all_at(bytes, at).map_err(failed)
    }

    fn set_length(&mut self, handle: u16, length: u64) -> Result<(), FileError> {
        let Some(file) = self.file(handle)? else { return Err(NO) };
        let data = file.metadata().map_err(failed)?;
        if data.is_file() && data.len() != length {
            file.set_len(length).and_then(|()| file.sync_all()).map_err(failed)?;
        }
        Ok(())
    }

    fn full_name(
        &mut self,
        device: FileDevice,
        name: &[u8],
        recognition: Recognition,
        full: &mut [u8],
    ) -> Result<usize, FileError> {
        let mut name = host_name(device, name, false)?;
        let old = matches!(recognition, Recognition::Old | Recognition::Oldest);
        if device == FileDevice::Unix {
            let path = name.path();
            if old {
                fs::metadata(&path).map_err(failed)?;
            }
            return fill(&names::lisp_name(&path, false), full);
        }
        let missing = missing(&name);
        let Some(directory) = true_directory(&name.directory) else {
            let new = matches!(recognition, Recognition::New | Recognition::OldOrNew);
            return if new { fill(&names::lisp_name(&name.path(), true), full) } else { Err(missing) };
        };
        name.directory = directory;
        if recognition == Recognition::AsNamed {
            let path = name.directory.join(&name.name);
            return match true_path(&path) {
                Some((path, Kind::Directory)) => fill(&names::lisp_directory(&path), full),
                Some((path, _)) => fill(&names::lisp_name(&path, false), full),
                None => fill(&names::lisp_name(&path, false), full),
            };
        }
        let whole = true_path(&name.directory.join(&name.name));
        let is_directory = whole.is_some_and(|(_, kind)| kind == Kind::Directory);
        if name.name.is_empty() || (!old && is_directory) {
            return Err(missing);
        }
        let versions = Versions::find(&name.directory, &name.name).map_err(failed)?;
        let resolved = versions.resolve(&name, recognition).ok_or(missing)?;
        if old && kind(&resolved.path) != Kind::File {
            return Err(missing);
        }
        fill(&names::lisp_name(&resolved.numbered, true), full)
    }

    fn directory_name(&mut self, device: FileDevice, name: &[u8], full: &mut [u8]) -> Result<usize, FileError> {
        let path = host_name(device, name, false)?.path();
        let path = match device {
            FileDevice::Disk => true_directory(&path)
                .ok_or_else(|| missing(&HostName { directory: path, name: String::new(), version: String::new() }))?,
            FileDevice::Unix => {
                if !fs::metadata(&path).map_err(failed)?.is_dir() {
                    return Err(NO);
                }
                path
            }
        };
        fill(&names::lisp_directory(&path), full)
    }

    fn delete(&mut self, device: FileDevice, name: &[u8]) -> Result<(), FileError> {
        let name = host_name(device, name, false)?;
        if device == FileDevice::Unix {
            let path = name.path();
            let is_directory = fs::metadata(&path).map_err(failed)?.is_dir();
            return if is_directory { fs::remove_dir(path) } else { fs::remove_file(path) }.map_err(failed);
        }
        let directory = true_directory(&name.directory).ok_or_else(|| missing(&name))?;
        let versions = Versions::find(&directory, &name.name).map_err(failed)?;
        let oldest = versions.resolve(&name, Recognition::Oldest).ok_or_else(|| missing(&name))?;
        versions.delete(&oldest.path).map_err(failed)
    }

    fn rename(&mut self, device: FileDevice, from: &[u8], to: &[u8]) -> Result<(), FileError> {
        let (mut from, mut to) = (host_name(device, from, false)?, host_name(device, to, false)?);
        if device == FileDevice::Unix {
            return fs::rename(from.path(), to.path()).map_err(failed);
        }
        let find = |name: &HostName| Versions::find(&name.directory, &name.name).map_err(failed);
        to.directory = make_directory(&to.directory)?;
        find(&to)?.maintain(false).map_err(failed)?;
        let versions = find(&to)?;
        let target = versions.resolve(&to, Recognition::New).ok_or(NO)?.path;
        if !target.exists() {
            versions.maintain(true).map_err(failed)?;
        }
        versions.unlink_twin(&target).map_err(failed)?;

        from.directory = true_directory(&from.directory).ok_or(NO)?;
        let versions = find(&from)?;
        let source = versions.resolve(&from, Recognition::Old).ok_or(NO)?.path;
        let had_twin = versions.unlink_twin(&source).map_err(failed)?;
        fs::rename(&source, &target).map_err(failed)?;
        find(&to)?.maintain(false).map_err(failed)?;
        if had_twin {
            find(&from)?.maintain(false).map_err(failed)?;
        }
        Ok(())
    }

    fn info(&mut self, device: FileDevice, name: &[u8]) -> Result<FileInfo, FileError> {
        Ok(info_of(&fs::metadata(path_of(device, name)?).map_err(failed)?))
    }

    fn author(&mut self, device: FileDevice, name: &[u8], author: &mut [u8]) -> Result<usize, FileError> {
        // Whoever else's file it is, this process has no list of users.
        fs::metadata(path_of(device, name)?).map_err(failed)?;
        fill("user", author)
    }

    fn set_written(&mut self, device: FileDevice, name: &[u8], written: i64) -> Result<(), FileError> {
        let file = File::open(path_of(device, name)?).map_err(failed)?;
        file.set_times(FileTimes::new().set_modified(unix_time(written))).map_err(failed)
    }

    fn set_protection(&mut self, device: FileDevice, name: &[u8], protection: u32) -> Result<(), FileError> {
        let permissions = fs::Permissions::from_mode(protection & 0o7777);
        fs::set_permissions(path_of(device, name)?, permissions).map_err(failed)
    }

    fn change_directory(&mut self, device: FileDevice, name: &[u8]) -> Result<(), FileError> {
        let path = host_name(device, name, false)?.path();
        let path = if device == FileDevice::Disk { true_directory(&path).ok_or(NO)? } else { path };
        std::env::set_current_dir(path).map_err(failed)
    }

    fn free_blocks(&mut self, device: FileDevice, name: &[u8]) -> Result<u32, FileError> {
        let name = host_name(device, name, false)?;
        let directory = match device {
            FileDevice::Disk => true_directory(&name.directory).ok_or(NO)?,
            FileDevice::Unix => name.directory,
        };
        let path = CString::new(directory.as_os_str().as_bytes()).map_err(|_| NO)?;
        // SAFETY: a zeroed statvfs is a valid one, and the path ends with a zero.
        let (done, data) = unsafe {
            let mut data: libc::statvfs = std::mem::zeroed();
            (libc::statvfs(path.as_ptr(), &mut data), data)
        };
        if done != 0 {
            return Err(failed(io::Error::last_os_error()));
        }
        Ok(u32::try_from(data.f_bavail).unwrap_or(i32::MAX as u32).min(i32::MAX as u32))
    }

    fn list(&mut self, device: FileDevice, pattern: &[u8]) -> Result<(u16, u32), FileError> {
        let pattern_text = String::from_utf8_lossy(pattern).into_owned();
        let name = host_name(device, pattern, true)?;
        let directory = match device {
            FileDevice::Disk => true_directory(&name.directory).ok_or_else(|| missing(&name))?,
            FileDevice::Unix => name.directory.clone(),
        };
        let mut entries: Vec<(String, FileInfo, bool)> = Vec::new();
        for entry in fs::read_dir(&directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let data = fs::metadata(entry.path());
            let is_directory = data.as_ref().is_ok_and(fs::Metadata::is_dir);
            let info = data.map_or(FileInfo::default(), |data| info_of(&data));
            entries.push((entry.file_name().to_string_lossy().into_owned(), info, is_directory));
        }
        let listed = match device {
            FileDevice::Unix => unix_list(entries, &name),
            FileDevice::Disk => disk_list(entries, &name, pattern_text.ends_with(';') && !pattern_text.ends_with("';")),
        };
        let count = listed.len() as u32;
        Ok((keep(&mut self.lists, listed.into_iter())?, count))
    }

    fn next_listed(&mut self, list: u16, name: &mut [u8]) -> Result<Option<(usize, FileInfo)>, FileError> {
        let list = self.lists.get_mut(list as usize).and_then(Option::as_mut).ok_or(NO)?;
        match list.next() {
            Some((text, info)) => Ok(Some((fill(&text, name)?, info))),
            None => Ok(None),
        }
    }

    fn end_list(&mut self, list: u16) -> bool {
        self.lists.get_mut(list as usize).is_some_and(|list| list.take().is_some())
    }
}

/// Whether a name without a version matches a pattern: name and extension each for itself.
fn name_matches(own: &str, pattern: &str) -> bool {
    let ((name, extension), (name_pattern, extension_pattern)) =
        (names::split_extension(own), names::split_extension(pattern));
    names::matches(name, name_pattern) && names::matches(extension, extension_pattern)
}

fn unix_list(entries: Vec<(String, FileInfo, bool)>, pattern: &HostName) -> Vec<(String, FileInfo)> {
    let mut listed: Vec<(String, FileInfo)> = entries
        .into_iter()
        .filter(|(name, ..)| name_matches(names::split_version(name).0, &pattern.name))
        .map(|(name, info, is_directory)| {
            let name = if is_directory { names::listed_directory(&name) } else { names::listed_name(&name) };
            (name, info)
        })
        .collect();
    listed.sort_by(|a, b| a.0.cmp(&b.0));
    listed
}

/// Lists `{DSK}`: without a version in the pattern files that have no number on the disk; `;` the newest of each; `;3`
/// that version; `;*` all. A file without a number that is linked to a version is that version.
fn disk_list(entries: Vec<(String, FileInfo, bool)>, pattern: &HostName, newest: bool) -> Vec<(String, FileInfo)> {
    let wanted: Option<u32> = pattern.version.parse().ok();
    let all = newest || wanted.is_some() || pattern.version.contains('*');
    let own_pattern = pattern.name.to_ascii_lowercase();
    let mut groups: std::collections::BTreeMap<String, Vec<(u32, String, FileInfo, bool)>> = Default::default();
    for (name, info, is_directory) in entries {
        let (own, digits) = names::split_version(&name);
        let key = own.to_ascii_lowercase();
        if name_matches(&key, &own_pattern) && (all || digits.is_empty()) {
            let version = digits.parse().unwrap_or(0);
            groups.entry(key).or_default().push((version, name, info, is_directory));
        }
    }
    let mut listed = Vec::new();
    for (_, mut group) in groups {
        group.sort_by_key(|(version, ..)| std::cmp::Reverse(*version));
        for (_, name, info, _) in group.iter().filter(|entry| entry.3) {
            if wanted.is_none() {
                listed.push((names::listed_directory(name), *info));
            }
        }
        let mut files: Vec<(u32, String, FileInfo)> =
            group.into_iter().filter(|entry| !entry.3).map(|(version, name, info, _)| (version, name, info)).collect();
        if let Some(at) = files.iter().position(|(version, ..)| *version == 0) {
            let mut plain = files.remove(at);
            if !files.iter().any(|(_, _, info)| info.inode == plain.2.inode) {
                plain.0 = files.first().map_or(1, |newest| newest.0.saturating_add(1));
                files.insert(0, plain);
            }
        }
        if newest {
            files.truncate(1);
        }
        for (version, name, info) in files {
            if wanted.is_none_or(|wanted| wanted == version) {
                let own = names::split_version(&name).0;
                listed.push((format!("{};{version}", names::listed_name(own)), info));
            }
        }
    }
    listed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(files: &mut HostFiles, name: &str) -> Vec<u8> {
        let (handle, info) =
            files.open(FileDevice::Disk, name.as_bytes(), Recognition::Old, FileAccess::Input).unwrap();
        let mut bytes = vec![0; info.length as usize];
        assert_eq!(files.read(handle, 0, &mut bytes), Ok(bytes.len()));
        files.close(handle, None).unwrap();
        bytes
    }

    fn write_all(files: &mut HostFiles, name: &str, bytes: &[u8]) {
        let (handle, _) = files.open(FileDevice::Disk, name.as_bytes(), Recognition::New, FileAccess::Output).unwrap();
        files.write(handle, 0, bytes).unwrap();
        files.set_length(handle, bytes.len() as u64).unwrap();
        files.close(handle, Some(718_502_400)).unwrap();
    }

    fn list(files: &mut HostFiles, pattern: &str) -> Vec<String> {
        let (list, count) = files.list(FileDevice::Disk, pattern.as_bytes()).unwrap();
        let mut names = Vec::new();
        let mut name = [0; 100];
        while let Some((length, _)) = files.next_listed(list, &mut name).unwrap() {
            names.push(String::from_utf8_lossy(&name[..length]).into_owned());
        }
        assert_eq!(names.len() as u32, count);
        assert!(files.end_list(list) && !files.end_list(list));
        names
    }

    #[test]
    fn a_life_of_a_file() {
        let folder = std::env::temp_dir().join(format!("runner-files-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        let lisp = folder.to_string_lossy().trim_start_matches('/').replace('/', ">");
        let at = |name: &str| format!("{lisp}>{name}");
        let mut files = HostFiles::default();
        for text in [&b"one"[..], b"two", b"three"] {
            write_all(&mut files, &at("Deep>Foo.Lisp"), text);
        }
        assert_eq!(read_all(&mut files, &at("DEEP>FOO.LISP")), b"three");
        assert_eq!(read_all(&mut files, &at("deep>foo.lisp;1")), b"one");
        assert_eq!(list(&mut files, &at("deep>*.*;*")), ["Foo.Lisp;3", "Foo.Lisp;2", "Foo.Lisp;1"]);
        assert_eq!(list(&mut files, &at("deep>*.*;")), ["Foo.Lisp;3"]);
        assert_eq!(list(&mut files, &at("deep>*.*;2")), ["Foo.Lisp;2"]);
        let mut full = [0; 200];
        let mut full_name = |files: &mut HostFiles, name: &str, recognition| {
            let length = files.full_name(FileDevice::Disk, name.as_bytes(), recognition, &mut full)?;
            Ok::<_, FileError>(String::from_utf8_lossy(&full[..length]).into_owned())
        };
        let expected = |name: &str| Ok(format!("<{lisp}>{name}"));
        assert_eq!(full_name(&mut files, &at("deep>foo.lisp"), Recognition::Old), expected("Deep>Foo.Lisp;3"));
        assert_eq!(full_name(&mut files, &at("deep>foo.lisp"), Recognition::New), expected("Deep>Foo.Lisp;4"));
        // As in the reference the error number tells whether the directory is there under exactly that name.
        assert_eq!(full_name(&mut files, &at("Deep>bar"), Recognition::Old), Err(NO));
        let missing = Err(FileError(libc::ENOENT as u32));
        assert_eq!(full_name(&mut files, &at("deep>bar"), Recognition::Old), missing);
        assert_eq!(full_name(&mut files, &at("deep>bar"), Recognition::New), expected("Deep>bar.;1"));
        files.rename(FileDevice::Disk, at("deep>foo.lisp").as_bytes(), at("deep>bar").as_bytes()).unwrap();
        assert_eq!(read_all(&mut files, &at("deep>bar.")), b"three");
        assert_eq!(read_all(&mut files, &at("deep>foo.lisp")), b"two");
        files.delete(FileDevice::Disk, at("deep>foo.lisp").as_bytes()).unwrap();
        assert_eq!(list(&mut files, &at("deep>*.*;*")), ["bar.;1", "Foo.Lisp;2"]);
        assert_eq!(files.info(FileDevice::Disk, at("deep>bar").as_bytes()).unwrap().written, 718_502_400);
        fs::remove_dir_all(&folder).unwrap();
    }
}
