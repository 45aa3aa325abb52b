//! Files in memory: what a boot module brought, and what Lisp writes. They are gone when the power is.
//!
//! ```text
//!   boot module (tar)             Files
//!   out/            --+
//!   visible.lisp      +-->        VISIBLE.LISP;1   bytes of the module, copied when they are first written to
//!                                 OUT>VISIBLE.OUT;1, ;2 ...   what Lisp made
//! ```
//! Names are kept as Lisp writes them, quotes and all, and ignore case. A directory is there as long as a file is in it,
//! and making a file makes its directory. `{UNIX}` is the same, without versions in names.

extern crate alloc;

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use tar_no_std::TarArchiveRef;
use vm::platform::{FileAccess, FileDevice, FileError, FileInfo, Files, Recognition};

/// It did not work, and there is no more to say.
const NO: FileError = FileError(0);
const BAD_HANDLE: FileError = FileError(9);
const BUSY: FileError = FileError(16);
const NO_SPACE: FileError = FileError(28);
const NAME_TOO_LONG: FileError = FileError(36);
/// Mode bits of a plain file that everybody may read and write.
const PLAIN_FILE: u32 = 0o100_666;

struct File {
    /// Directory with `>` at its end, or nothing; name with a dot in it.
    name: String,
    version: u32,
    bytes: Cow<'static, [u8]>,
    /// Unix seconds.
    written: i64,
    read: i64,
    number: u64,
    deleted: bool,
}

/// A file that Lisp has open.
#[derive(Clone, Copy)]
struct Open {
    /// Index of the file.
    file: usize,
    changed: bool,
}

/// A file that was written to and is closed now.
pub struct Written<'a> {
    /// Its full name.
    pub name: String,
    /// What is in it.
    pub bytes: &'a [u8],
}

/// All the files.
pub struct MemoryFiles {
    files: Vec<File>,
    open: Vec<Option<Open>>,
    lists: Vec<Option<alloc::vec::IntoIter<(String, FileInfo)>>>,
    /// Unix seconds now.
    now: fn() -> i64,
    /// Is told of every file that was written to, when it is closed.
    closed: fn(Written<'_>),
}

/// A name taken apart.
struct Name {
    /// As [`File::name`].
    name: String,
    version: Option<u32>,
}

/// Takes Lisp's (or tar's) name apart.
fn parse(device: FileDevice, name: &[u8]) -> Result<Name, FileError> {
    let text = core::str::from_utf8(name).map_err(|_| NO)?;
    let mut parts = alloc::vec![String::new()];
    let mut version = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let part = parts.last_mut().expect("there is always one");
        match (character, &mut version) {
            ('\'', _) => part.extend(core::iter::once('\'').chain(characters.next())),
            (';', version @ None) if device == FileDevice::Disk => *version = Some(String::new()),
            (digit, Some(version)) => version.push(digit),
            ('>' | '/' | '<', None) => parts.push(String::new()),
            (other, None) => part.push(other),
        }
    }
    let own = parts.pop().expect("there is always one");
    let mut name = String::new();
    for part in parts.iter().filter(|part| !part.is_empty() && !matches!(part.as_str(), "." | "~")) {
        if part == ".." {
            let above = name.trim_end_matches('>').rfind('>').map_or(0, |at| at + 1);
            name.truncate(above);
        } else {
            name.push_str(part);
            name.push('>');
        }
    }
    name.push_str(&own);
    if !own.is_empty() && !own.contains('.') {
        name.push('.');
    }
    Ok(Name { name, version: version.and_then(|digits| digits.parse().ok()) })
}

/// Whether a text matches a pattern with `*`; case does not matter.
fn matches(text: &str, pattern: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return text.eq_ignore_ascii_case(pattern) };
    let Some(start) = text.get(..head.len()).filter(|start| start.eq_ignore_ascii_case(head)) else { return false };
    let text = &text[start.len()..];
    text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| matches(&text[at..], rest))
}

fn fill(text: &str, buffer: &mut [u8]) -> Result<usize, FileError> {
    buffer.get_mut(..text.len()).ok_or(NAME_TOO_LONG)?.copy_from_slice(text.as_bytes());
    Ok(text.len())
}

/// Puts something into the first free place; its number.
fn keep<T>(places: &mut Vec<Option<T>>, value: T) -> Result<u16, FileError> {
    let place = places.iter().position(Option::is_none).unwrap_or(places.len());
    if place == places.len() {
        places.push(None);
    }
    places[place] = Some(value);
    u16::try_from(place).map_err(|_| BUSY)
}

impl File {
    fn info(&self) -> FileInfo {
        FileInfo {
            length: self.bytes.len() as u64,
            written: self.written,
            read: self.read,
            protection: PLAIN_FILE,
            inode: self.number,
            special: false,
        }
    }

    fn full_name(&self, device: FileDevice) -> String {
        match device {
            FileDevice::Disk => format!("<{};{}", self.name, self.version),
            FileDevice::Unix => format!("<{}", self.name),
        }
    }

    /// Makes it so long; new bytes are zero.
    fn resize(&mut self, length: u64) -> Result<(), FileError> {
        let length = usize::try_from(length).map_err(|_| NO_SPACE)?;
        let bytes = match &mut self.bytes {
            Cow::Owned(bytes) => bytes,
            Cow::Borrowed(before) => {
                let mut own = Vec::new();
                own.try_reserve(before.len()).map_err(|_| NO_SPACE)?;
                own.extend_from_slice(before);
                self.bytes = Cow::Owned(own);
                self.bytes.to_mut()
            }
        };
        bytes.try_reserve(length.saturating_sub(bytes.len())).map_err(|_| NO_SPACE)?;
        bytes.resize(length, 0);
        Ok(())
    }
}

impl MemoryFiles {
    /// No files yet. `now` gives Unix seconds; `closed` is told of every file that was written to, when it is closed.
    pub fn new(now: fn() -> i64, closed: fn(Written<'_>)) -> Self {
        Self { files: Vec::new(), open: Vec::new(), lists: Vec::new(), now, closed }
    }

    /// Adds the files of a tar archive; how many. What it says about a damaged archive is its last word.
    pub fn add_archive(&mut self, archive: &'static [u8]) -> Result<usize, tar_no_std::CorruptDataError> {
        let archive = TarArchiveRef::new(archive)?;
        let before = self.files.len();
        for entry in archive.entries() {
            let name = entry.filename();
            if let Ok(name) = parse(FileDevice::Unix, name.as_str().unwrap_or_default().as_bytes())
                && !name.name.is_empty()
            {
                self.add(name.name, 1, Cow::Borrowed(entry.data()));
            }
        }
        Ok(self.files.len() - before)
    }

    fn add(&mut self, name: String, version: u32, bytes: Cow<'static, [u8]>) -> usize {
        let (written, number) = ((self.now)(), self.files.len() as u64 + 1);
        self.files.push(File { name, version, bytes, written, read: written, number, deleted: false });
        self.files.len() - 1
    }

    /// Files of that name, any version.
    fn versions<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (usize, &'a File)> {
        let same = move |(_, file): &(usize, &File)| !file.deleted && file.name.eq_ignore_ascii_case(name);
        self.files.iter().enumerate().filter(same)
    }

    /// The file that a name means, or the version that a new one would have.
    fn find(&self, name: &Name, recognition: Recognition) -> Result<usize, Option<u32>> {
        let versions = || self.versions(&name.name);
        let newest = versions().max_by_key(|(_, file)| file.version);
        let next = newest.map_or(1, |(_, file)| file.version + 1);
        if let Some(wanted) = name.version.filter(|&version| version > 0) {
            let exact = versions().find(|(_, file)| file.version == wanted);
            let may_be_new = !matches!(recognition, Recognition::Old | Recognition::Oldest);
            return exact.map(|(index, _)| index).ok_or(may_be_new.then_some(wanted));
        }
        match recognition {
            Recognition::Old => newest.map(|(index, _)| index).ok_or(None),
            Recognition::Oldest => versions().min_by_key(|(_, file)| file.version).map(|(index, _)| index).ok_or(None),
            Recognition::OldOrNew | Recognition::AsNamed => newest.map(|(index, _)| index).ok_or(Some(next)),
            Recognition::New => Err(Some(next)),
        }
    }

    fn existing(&self, device: FileDevice, name: &[u8]) -> Result<usize, FileError> {
        self.find(&parse(device, name)?, Recognition::Old).map_err(|_| NO)
    }

    fn opened(&mut self, handle: u16) -> Result<&mut Open, FileError> {
        self.open.get_mut(handle as usize).and_then(Option::as_mut).ok_or(BAD_HANDLE)
    }

    fn changed(&mut self, handle: u16) -> Result<&mut File, FileError> {
        let now = (self.now)();
        let open = self.opened(handle)?;
        open.changed = true;
        let index = open.file;
        let file = &mut self.files[index];
        file.written = now;
        Ok(file)
    }
}

impl Files for MemoryFiles {
    fn open(
        &mut self,
        device: FileDevice,
        name: &[u8],
        recognition: Recognition,
        access: FileAccess,
    ) -> Result<(u16, FileInfo), FileError> {
        let name = parse(device, name)?;
        let recognition = match (device, recognition) {
            (FileDevice::Unix, Recognition::New) => Recognition::OldOrNew,
            _ => recognition,
        };
        let index = match self.find(&name, recognition) {
            Ok(index) => index,
            Err(Some(version)) if access != FileAccess::Input && !name.name.ends_with('>') => {
                self.add(name.name, version, Cow::Borrowed(&[]))
            }
            Err(_) => return Err(NO),
        };
        let now = (self.now)();
        let file = &mut self.files[index];
        file.read = now;
        if access == FileAccess::Output {
            file.bytes = Cow::Borrowed(&[]);
        }
        let info = file.info();
        // An empty file that is made and closed has been written, too.
        let open = Open { file: index, changed: access == FileAccess::Output };
        Ok((keep(&mut self.open, open)?, info))
    }

    fn close(&mut self, handle: u16, written: Option<i64>) -> Result<(), FileError> {
        let open = *self.opened(handle)?;
        self.open[handle as usize] = None;
        let file = &mut self.files[open.file];
        file.written = written.unwrap_or(file.written);
        if open.changed {
            (self.closed)(Written { name: file.full_name(FileDevice::Disk), bytes: &file.bytes });
        }
        Ok(())
    }

    fn read(&mut self, handle: u16, at: u64, buffer: &mut [u8]) -> Result<usize, FileError> {
        let index = self.opened(handle)?.file;
        let bytes = &self.files[index].bytes;
        let rest = usize::try_from(at).ok().and_then(|at| bytes.get(at..)).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn write(&mut self, handle: u16, at: u64, bytes: &[u8]) -> Result<(), FileError> {
        let file = self.changed(handle)?;
        let end = at.checked_add(bytes.len() as u64).ok_or(NO_SPACE)?;
        file.resize(end.max(file.bytes.len() as u64))?;
        file.bytes.to_mut()[at as usize..end as usize].copy_from_slice(bytes);
        Ok(())
    }

    fn set_length(&mut self, handle: u16, length: u64) -> Result<(), FileError> {
        let index = self.opened(handle)?.file;
        if self.files[index].bytes.len() as u64 == length {
            return Ok(());
        }
        self.changed(handle)?.resize(length)
    }

    fn full_name(
        &mut self,
        device: FileDevice,
        name: &[u8],
        recognition: Recognition,
        full: &mut [u8],
    ) -> Result<usize, FileError> {
        let name = parse(device, name)?;
        if name.name.is_empty() || name.name.ends_with('>') {
            return Err(NO);
        }
        match self.find(&name, recognition) {
            Ok(index) => fill(&self.files[index].full_name(device), full),
            Err(Some(version)) if device == FileDevice::Disk => fill(&format!("<{};{version}", name.name), full),
            Err(Some(_)) => fill(&format!("<{}", name.name), full),
            Err(None) => Err(NO),
        }
    }

    fn directory_name(&mut self, device: FileDevice, name: &[u8], full: &mut [u8]) -> Result<usize, FileError> {
        let name = parse(device, name)?.name;
        let directory = name.strip_suffix('.').unwrap_or(&name);
        let directory = match directory {
            "" => String::new(),
            _ => format!("{}>", directory.trim_end_matches('>')),
        };
        let inside = |file: &File| {
            let start = file.name.get(..directory.len());
            !file.deleted && start.is_some_and(|start| start.eq_ignore_ascii_case(&directory))
        };
        let found = directory.is_empty() || self.files.iter().any(inside);
        if found { fill(&format!("<{directory}"), full) } else { Err(NO) }
    }

    fn delete(&mut self, device: FileDevice, name: &[u8]) -> Result<(), FileError> {
        let index = self.find(&parse(device, name)?, Recognition::Oldest).map_err(|_| NO)?;
        if self.open.iter().flatten().any(|open| open.file == index) {
            return Err(BUSY);
        }
        // Its number stays taken: handles and inodes are indices.
        self.files[index].deleted = true;
        self.files[index].bytes = Cow::Borrowed(&[]);
        Ok(())
    }

    fn rename(&mut self, device: FileDevice, from: &[u8], to: &[u8]) -> Result<(), FileError> {
        let index = self.existing(device, from)?;
        let to = parse(device, to)?;
        let version = match self.find(&to, Recognition::New) {
            Err(Some(version)) => version,
            _ => return Err(NO),
        };
        self.files[index].name = to.name;
        self.files[index].version = version;
        Ok(())
    }

    fn info(&mut self, device: FileDevice, name: &[u8]) -> Result<FileInfo, FileError> {
        Ok(self.files[self.existing(device, name)?].info())
    }

    fn author(&mut self, device: FileDevice, name: &[u8], author: &mut [u8]) -> Result<usize, FileError> {
        self.existing(device, name)?;
        fill("user", author)
    }

    fn set_written(&mut self, device: FileDevice, name: &[u8], written: i64) -> Result<(), FileError> {
        let index = self.existing(device, name)?;
        self.files[index].written = written;
        Ok(())
    }

    fn set_protection(&mut self, device: FileDevice, name: &[u8], _protection: u32) -> Result<(), FileError> {
        self.existing(device, name).map(drop)
    }

    fn change_directory(&mut self, _device: FileDevice, _name: &[u8]) -> Result<(), FileError> {
        Err(NO)
    }

    fn free_blocks(&mut self, _device: FileDevice, _name: &[u8]) -> Result<u32, FileError> {
        Err(NO)
    }

    fn list(&mut self, device: FileDevice, pattern: &[u8]) -> Result<(u16, u32), FileError> {
        let text = core::str::from_utf8(pattern).map_err(|_| NO)?;
        let all = text.ends_with(";*");
        let pattern = parse(FileDevice::Disk, pattern)?;
        let (directory, own) = pattern.name.split_at(pattern.name.rfind('>').map_or(0, |at| at + 1));
        let mut listed: Vec<(String, FileInfo)> = Vec::new();
        for file in self.files.iter().filter(|file| !file.deleted) {
            let (in_directory, name) = file.name.split_at(file.name.rfind('>').map_or(0, |at| at + 1));
            let newest = || self.versions(&file.name).all(|(_, other)| other.version <= file.version);
            let version = pattern.version.map_or_else(|| all || newest(), |version| version == file.version);
            if in_directory.eq_ignore_ascii_case(directory) && matches(name, own) && version {
                let name = match device {
                    FileDevice::Disk => format!("{name};{}", file.version),
                    FileDevice::Unix => name.to_string(),
                };
                listed.push((name, file.info()));
            }
        }
        listed.sort_by(|a, b| a.0.cmp(&b.0));
        let count = listed.len() as u32;
        Ok((keep(&mut self.lists, listed.into_iter())?, count))
    }

    fn next_listed(
        &mut self,
        list: u16,
        name: &mut [u8],
        _with_info: bool,
    ) -> Result<Option<(usize, FileInfo)>, FileError> {
        let list = self.lists.get_mut(list as usize).and_then(Option::as_mut).ok_or(NO)?;
        list.next().map(|(text, info)| Ok((fill(&text, name)?, info))).transpose()
    }

    fn end_list(&mut self, list: u16) -> bool {
        self.lists.get_mut(list as usize).is_some_and(|list| list.take().is_some())
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::sync::Mutex;

    static CLOSED: Mutex<Vec<(String, Vec<u8>)>> = Mutex::new(Vec::new());

    fn none() -> MemoryFiles {
        MemoryFiles::new(|| 1000, |written| CLOSED.lock().unwrap().push((written.name, written.bytes.to_vec())))
    }

    fn write(files: &mut MemoryFiles, name: &str, bytes: &[u8]) {
        let (handle, _) = files.open(FileDevice::Disk, name.as_bytes(), Recognition::New, FileAccess::Output).unwrap();
        files.write(handle, 0, bytes).unwrap();
        files.close(handle, None).unwrap();
    }

    fn read(files: &mut MemoryFiles, name: &str) -> Result<Vec<u8>, FileError> {
        let (handle, info) = files.open(FileDevice::Disk, name.as_bytes(), Recognition::Old, FileAccess::Input)?;
        let mut bytes = std::vec![0; info.length as usize + 9];
        let count = files.read(handle, 0, &mut bytes)?;
        files.close(handle, None)?;
        bytes.truncate(count);
        Ok(bytes)
    }

    fn full(files: &mut MemoryFiles, name: &str, recognition: Recognition) -> Result<String, FileError> {
        let mut buffer = [0; 100];
        let length = files.full_name(FileDevice::Disk, name.as_bytes(), recognition, &mut buffer)?;
        Ok(core::str::from_utf8(&buffer[..length]).unwrap().to_string())
    }

    #[test]
    fn names() {
        let name = |text: &str| parse(FileDevice::Disk, text.as_bytes()).map(|name| (name.name, name.version)).unwrap();
        assert_eq!(name("out>X.lisp;3"), ("out>X.lisp".to_string(), Some(3)));
        assert_eq!(name("/out/./a/../b"), ("out>b.".to_string(), None));
        assert_eq!(name("a';b>c.d;"), ("a';b>c.d".to_string(), None));
        assert_eq!(name("<").0, "");
        assert!(matches("VISIBLE.OUT", "vis*.*") && !matches("VISIBLE.OUT", "vis*.l*") && matches("x.", "*.*"));
    }

    #[test]
    fn versions_and_case() {
        let mut files = none();
        assert_eq!(full(&mut files, "out>a.l", Recognition::Old), Err(NO));
        assert_eq!(full(&mut files, "out>a.l", Recognition::New).unwrap(), "<out>a.l;1");
        write(&mut files, "out>a.l", b"one");
        write(&mut files, "OUT>A.L", b"two");
        assert_eq!(full(&mut files, "out>a.L", Recognition::Old).unwrap(), "<OUT>A.L;2");
        assert_eq!(read(&mut files, "out>a.l;1").unwrap(), b"one");
        assert_eq!(read(&mut files, "out>a.l").unwrap(), b"two");
        files.delete(FileDevice::Disk, b"out>a.l").unwrap();
        assert_eq!(read(&mut files, "out>a.l;1"), Err(NO));
        assert_eq!(read(&mut files, "out>a.l").unwrap(), b"two");
        let (list, count) = files.list(FileDevice::Disk, b"out>*.*;*").unwrap();
        let mut name = [0; 20];
        let (length, info) = files.next_listed(list, &mut name, true).unwrap().unwrap();
        assert_eq!((count, &name[..length], info.length), (1, &b"A.L;2"[..], 3));
        assert!(
            files.next_listed(list, &mut name, true).unwrap().is_none()
                && files.end_list(list)
                && !files.end_list(list)
        );
        assert!(files.directory_name(FileDevice::Disk, b"out", &mut name).is_ok());
        assert!(files.directory_name(FileDevice::Disk, b"in", &mut name).is_err());
    }

    #[test]
    fn written_files_are_told_of() {
        let mut files = none();
        let (handle, _) = files.open(FileDevice::Disk, b"told", Recognition::New, FileAccess::Both).unwrap();
        files.write(handle, 2, b"cd").unwrap();
        files.set_length(handle, 3).unwrap();
        files.close(handle, None).unwrap();
        assert!(files.close(handle, None).is_err());
        read(&mut files, "told").unwrap();
        let closed = CLOSED.lock().unwrap();
        let told: Vec<_> = closed.iter().filter(|(name, _)| name.contains("told")).collect();
        assert_eq!(told, [&("<told.;1".to_string(), b"\0\0c".to_vec())]);
    }

    /// A tar archive of one file, by the rules of POSIX ustar.
    fn archive(name: &str, bytes: &[u8]) -> Vec<u8> {
        let mut header = [0u8; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        for (at, text) in [(100, "0000644\0"), (108, "0000000\0"), (116, "0000000\0"), (136, "00000000000\0")] {
            header[at..at + text.len()].copy_from_slice(text.as_bytes());
        }
        header[124..136].copy_from_slice(format!("{:011o}\0", bytes.len()).as_bytes());
        header[148..156].fill(b' ');
        header[156] = b'0';
        header[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        let mut archive = [&header[..], bytes].concat();
        archive.resize(archive.len().next_multiple_of(512) + 1024, 0);
        archive
    }

    #[test]
    fn an_archive_is_read() {
        let mut files = none();
        let bytes = archive("in/Hello.lisp", b"(print 1)").leak();
        assert_eq!(files.add_archive(bytes).unwrap(), 1);
        assert_eq!(read(&mut files, "IN>hello.LISP").unwrap(), b"(print 1)");
        let (handle, _) = files.open(FileDevice::Disk, b"in>hello.lisp", Recognition::Old, FileAccess::Append).unwrap();
        files.write(handle, 9, b"!").unwrap();
        files.close(handle, None).unwrap();
        assert_eq!(read(&mut files, "in>hello.lisp").unwrap(), b"(print 1)!");
        assert!(files.add_archive(&[1; 2048]).is_err());
    }
}
