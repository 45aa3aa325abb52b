//! The machine's own doings as files, for jobs that run without a person.
//!
//! ```text
//!   {UNIX}/machine/serial    what is written there goes out on the serial line
//!   {UNIX}/machine/status    a number written there is what the run ends with
//!   {UNIX}/machine/off       whatever is written there switches off, at once and without asking Lisp
//! ```
//! Lisp writes pages, and the page that it is in again and again: only what comes behind everything before is new.

use crate::volume::*;
use alloc::vec::Vec;

/// Mode bits: a device for everybody.
const FILE_MODE: u32 = 0o100_666;
const DIRECTORY_MODE: u32 = 0o040_555;
const NAMES: [&str; 3] = ["serial", "status", "off"];

/// See the module.
pub struct MachineFiles {
    /// Takes bytes for the serial line.
    serial: fn(&[u8]),
    /// Takes the status.
    status: fn(u8),
    /// Switches off.
    off: fn(),
    open: Vec<Option<Open>>,
}

#[derive(Clone, Copy)]
struct Open {
    /// Index of the name.
    file: usize,
    /// Bytes that were written.
    length: u64,
}

fn attributes_of(file: Option<usize>, length: u64) -> Attributes {
    let (kind, mode) = if file.is_some() { (Kind::File, FILE_MODE) } else { (Kind::Directory, DIRECTORY_MODE) };
    Attributes { kind, length, written: 0, read: 0, mode, node: file.map_or(1, |file| file as u64 + 2) }
}

impl MachineFiles {
    /// Files whose bytes go to these functions.
    pub fn new(serial: fn(&[u8]), status: fn(u8), off: fn()) -> Self {
        Self { serial, status, off, open: Vec::new() }
    }

    fn find(path: &Path) -> Result<Option<usize>> {
        check_path(path)?;
        match path {
            [] => Ok(None),
            [name] => NAMES.iter().position(|known| known == name).map(Some).ok_or(VolumeError::NotFound),
            _ => Err(VolumeError::NotFound),
        }
    }

    fn opened(&mut self, file: FileId) -> Result<&mut Open> {
        self.open.get_mut(file.0 as usize).and_then(Option::as_mut).ok_or(VolumeError::NotOpen)
    }
}

impl Volume for MachineFiles {
    fn attributes(&mut self, path: &Path) -> Result<Attributes> {
        Self::find(path).map(|file| attributes_of(file, 0))
    }

    fn entries(&mut self, directory: &Path) -> Result<Entries> {
        if Self::find(directory)?.is_some() {
            return Err(VolumeError::NotDirectory);
        }
        let mut entries = Entries::default();
        for (file, name) in NAMES.iter().enumerate() {
            entries.add(Entry { name, kind: Some(Kind::File), node: attributes_of(Some(file), 0).node })?;
        }
        Ok(entries)
    }

    fn open(&mut self, path: &Path, _write: bool) -> Result<FileId> {
        let file = Self::find(path)?.ok_or(VolumeError::IsDirectory)?;
        Ok(FileId(keep(&mut self.open, Open { file, length: 0 }) as u32))
    }

    fn create(&mut self, path: &Path) -> Result<FileId> {
        Err(Self::find(path).map_or(VolumeError::ReadOnly, |_| VolumeError::Exists))
    }

    fn close(&mut self, file: FileId) -> Result<()> {
        self.opened(file)?;
        self.open[file.0 as usize] = None;
        Ok(())
    }

    fn read(&mut self, file: FileId, _at: u64, _buffer: &mut [u8]) -> Result<usize> {
        self.opened(file).map(|_| 0)
    }

    fn write(&mut self, file: FileId, at: u64, bytes: &[u8]) -> Result<()> {
        let (serial, status, off) = (self.serial, self.status, self.off);
        let open = self.opened(file)?;
        let end = at.saturating_add(bytes.len() as u64);
        if end <= open.length {
            return Ok(());
        }
        let known = open.length.saturating_sub(at).min(bytes.len() as u64) as usize;
        open.length = end;
        match NAMES[open.file] {
            "serial" => serial(&bytes[known..]),
            "status" => {
                let digits = bytes.iter().filter(|byte| byte.is_ascii_digit());
                status(digits.fold(0u8, |number, digit| number.saturating_mul(10).saturating_add(digit - b'0')));
            }
            _ => off(),
        }
        Ok(())
    }

    fn set_length(&mut self, file: FileId, length: u64) -> Result<()> {
        let open = self.opened(file)?;
        open.length = length;
        Ok(())
    }

    fn sync(&mut self, file: FileId) -> Result<()> {
        self.opened(file).map(drop)
    }

    fn attributes_of_open(&mut self, file: FileId) -> Result<Attributes> {
        self.opened(file).map(|open| attributes_of(Some(open.file), open.length))
    }

    fn change_open(&mut self, file: FileId, _change: Change) -> Result<()> {
        self.opened(file).map(drop)
    }

    fn change(&mut self, _path: &Path, _change: Change) -> Result<()> {
        Err(VolumeError::ReadOnly)
    }

    fn create_directory(&mut self, _path: &Path) -> Result<()> {
        Err(VolumeError::ReadOnly)
    }

    fn remove(&mut self, _path: &Path) -> Result<()> {
        Err(VolumeError::ReadOnly)
    }

    fn rename(&mut self, _from: &Path, _to: &Path) -> Result<()> {
        Err(VolumeError::ReadOnly)
    }

    fn link(&mut self, _existing: &Path, _new: &Path) -> Result<()> {
        Err(VolumeError::ReadOnly)
    }

    fn space(&mut self, _path: &Path) -> Result<Space> {
        Ok(Space { block: 512, free: 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LispFiles;
    use std::sync::Mutex;
    use vm::platform::{FileAccess, FileDevice, Files, Recognition};

    static SERIAL: Mutex<Vec<u8>> = Mutex::new(Vec::new());
    static STATUS: Mutex<Vec<u8>> = Mutex::new(Vec::new());

    #[test]
    fn what_lisp_writes_goes_out_once() {
        let volume = MachineFiles::new(
            |bytes| SERIAL.lock().unwrap().extend(bytes),
            |status| STATUS.lock().unwrap().push(status),
            || STATUS.lock().unwrap().push(u8::MAX),
        );
        let mut files = LispFiles::new(volume, PathBuf::new(), None, "user");
        let open = |name: &[u8], files: &mut LispFiles<MachineFiles>| {
            files.open(FileDevice::Unix, name, Recognition::New, FileAccess::Output).map(|(handle, _)| handle)
        };
        let serial = open(b"serial", &mut files).unwrap();
        for text in ["one", "one two", "one two three"] {
            files.write(serial, 0, text.as_bytes()).unwrap();
            files.set_length(serial, text.len() as u64).unwrap();
        }
        files.close(serial, Some(0)).unwrap();
        assert_eq!(*SERIAL.lock().unwrap(), b"one two three");
        let status = open(b"status", &mut files).unwrap();
        files.write(status, 0, b"17\r").unwrap();
        let off = open(b"off", &mut files).unwrap();
        files.write(off, 0, b"x").unwrap();
        assert_eq!(*STATUS.lock().unwrap(), [17, u8::MAX]);
        assert!(open(b"other", &mut files).is_err());
        assert!(files.delete(FileDevice::Unix, b"serial").is_err());
    }
}
