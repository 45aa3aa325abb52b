//! The host's files, as a volume for Lisp; and the machine's own doings as files, as on the bare machine.

use files::{
    Attributes, Change, Entries, Entry, FileId, Kind, LispFiles, MachineFiles, Mounts, Path, PathBuf, Result, Space,
    Volume, VolumeError, check_path, keep,
};
use std::ffi::CString;
use std::fs::{self, File, FileTimes, OpenOptions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirEntryExt, FileExt, MetadataExt, PermissionsExt};
use std::path;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Lisp's files on the host.
pub type HostFiles = LispFiles<Mounts>;

/// The status that Lisp wants this process to end with.
static STATUS: AtomicU8 = AtomicU8::new(0);

/// The status that this process ends with, if all else went well.
pub fn status() -> i32 {
    i32::from(STATUS.load(Ordering::Relaxed) != 0)
}

/// What of the host's files is Lisp's `{DSK}`.
#[derive(Clone)]
pub struct Root {
    folder: path::PathBuf,
    current: PathBuf,
    home: Option<PathBuf>,
}

impl Root {
    /// All files of the host, connected to where this process is; or those of one folder.
    pub fn new(folder: Option<&path::Path>) -> Root {
        let names = |path: &path::Path| -> PathBuf {
            path.components().skip(1).map(|part| part.as_os_str().to_string_lossy().into_owned()).collect()
        };
        match folder {
            Some(folder) => Root { folder: folder.into(), current: PathBuf::new(), home: Some(PathBuf::new()) },
            None => Root {
                folder: "/".into(),
                current: std::env::current_dir().map_or(PathBuf::new(), |path| names(&path)),
                home: std::env::var_os("HOME").map(|home| names(path::Path::new(&home))),
            },
        }
    }

    /// The path of a sysout: its name has no version, whatever the device.
    pub fn sysout_path(&self, name: &[u8]) -> Option<path::PathBuf> {
        let names = files::unix_path(name, &self.current, self.home.as_deref()).ok()?;
        (!names.is_empty() && !name.ends_with(b">"))
            .then(|| names.iter().fold(self.folder.clone(), |path: path::PathBuf, name| path.join(name)))
    }
}

/// Lisp's files. `{DSK}<machine>` is as the kernel has it.
pub fn host_files(root: Root) -> HostFiles {
    let mut volumes = Mounts::new(Box::new(HostVolume::new(root.folder)));
    let machine = MachineFiles::new(
        |bytes| {
            let _ = io::stdout().write_all(bytes);
        },
        |status| STATUS.store(status, Ordering::Relaxed),
        || {
            let _ = io::stdout().flush();
            std::process::exit(status())
        },
    );
    volumes.mount("machine", Box::new(machine)).expect("nothing else is mounted");
    LispFiles::new(volumes, root.current, root.home, "user")
}

/// A folder of the host with all that is below it.
pub struct HostVolume {
    root: path::PathBuf,
    open: Vec<Option<File>>,
}

fn failed(error: io::Error) -> VolumeError {
    error.raw_os_error().map_or(VolumeError::Device, |number| VolumeError::from_number(number as u32))
}

fn attributes_of(data: &fs::Metadata) -> Attributes {
    Attributes {
        kind: kind_of(data.file_type()).unwrap_or(Kind::Other),
        length: data.len(),
        written: data.mtime(),
        read: data.atime(),
        mode: data.mode(),
        node: data.ino(),
    }
}

/// `None` for a symbolic link: it is what it leads to.
fn kind_of(kind: fs::FileType) -> Option<Kind> {
    if kind.is_dir() {
        Some(Kind::Directory)
    } else if kind.is_file() {
        Some(Kind::File)
    } else if kind.is_symlink() {
        None
    } else {
        Some(Kind::Other)
    }
}

fn unix_time(seconds: i64) -> SystemTime {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 { UNIX_EPOCH - distance } else { UNIX_EPOCH + distance }
}

fn change(file: &File, change: Change) -> Result<()> {
    if let Some(written) = change.written {
        file.set_times(FileTimes::new().set_modified(unix_time(written))).map_err(failed)?;
    }
    if let Some(mode) = change.mode {
        file.set_permissions(fs::Permissions::from_mode(mode)).map_err(failed)?;
    }
    Ok(())
}

impl HostVolume {
    /// The volume whose root is that folder.
    pub fn new(root: impl Into<path::PathBuf>) -> Self {
        Self { root: root.into(), open: Vec::new() }
    }

    fn path(&self, path: &Path) -> Result<path::PathBuf> {
        check_path(path)?;
        Ok(path.iter().fold(self.root.clone(), |path, name| path.join(name)))
    }

    fn file(&self, file: FileId) -> Result<&File> {
        self.open.get(file.0 as usize).and_then(Option::as_ref).ok_or(VolumeError::NotOpen)
    }

    fn keep(&mut self, file: File) -> FileId {
        FileId(keep(&mut self.open, file) as u32)
    }
}

impl Volume for HostVolume {
    fn attributes(&mut self, path: &Path) -> Result<Attributes> {
        fs::metadata(self.path(path)?).map(|data| attributes_of(&data)).map_err(failed)
    }

    fn entries(&mut self, directory: &Path) -> Result<Entries> {
        let mut entries = Entries::default();
        for entry in fs::read_dir(self.path(directory)?).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            // Lisp could not say a name that is no UTF-8.
            if let Some(name) = entry.file_name().to_str() {
                entries.add(Entry { name, kind: entry.file_type().ok().and_then(kind_of), node: entry.ino() })?;
            }
        }
        Ok(entries)
    }

    fn open(&mut self, path: &Path, write: bool) -> Result<FileId> {
        let file = OpenOptions::new().read(true).write(write).open(self.path(path)?).map_err(failed)?;
        Ok(self.keep(file))
    }

    fn create(&mut self, path: &Path) -> Result<FileId> {
        let path = self.path(path)?;
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path).map_err(failed)?;
        Ok(self.keep(file))
    }

    fn close(&mut self, file: FileId) -> Result<()> {
        self.file(file)?;
        self.open[file.0 as usize] = None;
        Ok(())
    }

    fn read(&mut self, file: FileId, at: u64, buffer: &mut [u8]) -> Result<usize> {
        let file = self.file(file)?;
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

    fn write(&mut self, file: FileId, at: u64, bytes: &[u8]) -> Result<()> {
        self.file(file)?.write_all_at(bytes, at).map_err(failed)
    }

    fn set_length(&mut self, file: FileId, length: u64) -> Result<()> {
        self.file(file)?.set_len(length).map_err(failed)
    }

    fn sync(&mut self, file: FileId) -> Result<()> {
        self.file(file)?.sync_all().map_err(failed)
    }

    fn attributes_of_open(&mut self, file: FileId) -> Result<Attributes> {
        self.file(file)?.metadata().map(|data| attributes_of(&data)).map_err(failed)
    }

    fn change_open(&mut self, file: FileId, wanted: Change) -> Result<()> {
        change(self.file(file)?, wanted)
    }

    fn change(&mut self, path: &Path, wanted: Change) -> Result<()> {
        change(&File::open(self.path(path)?).map_err(failed)?, wanted)
    }

    fn create_directory(&mut self, path: &Path) -> Result<()> {
        fs::create_dir(self.path(path)?).map_err(failed)
    }

    fn remove(&mut self, path: &Path) -> Result<()> {
        let path = self.path(path)?;
        let is_directory = fs::symlink_metadata(&path).map_err(failed)?.is_dir();
        if is_directory { fs::remove_dir(path) } else { fs::remove_file(path) }.map_err(failed)
    }

    fn rename(&mut self, from: &Path, to: &Path) -> Result<()> {
        fs::rename(self.path(from)?, self.path(to)?).map_err(failed)
    }

    fn link(&mut self, existing: &Path, new: &Path) -> Result<()> {
        fs::hard_link(self.path(existing)?, self.path(new)?).map_err(failed)
    }

    fn space(&mut self, path: &Path) -> Result<Space> {
        let path = CString::new(self.path(path)?.as_os_str().as_bytes()).map_err(|_| VolumeError::Invalid)?;
        // SAFETY: a zeroed statvfs is a valid one, and the path ends with a zero.
        let (done, data) = unsafe {
            let mut data: libc::statvfs = std::mem::zeroed();
            (libc::statvfs(path.as_ptr(), &mut data), data)
        };
        if done != 0 {
            return Err(failed(io::Error::last_os_error()));
        }
        Ok(Space { block: data.f_frsize as u32, free: data.f_bavail })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vm::platform::{FileAccess, FileDevice, FileError, Files, Recognition};

    type HostFiles = LispFiles<HostVolume>;

    const DISK: FileDevice = FileDevice::Disk;

    /// A folder of its own, as the root of a volume.
    struct Folder(path::PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let path = std::env::temp_dir().join(format!("runner-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir(&path).unwrap();
            Folder(path)
        }

        fn files(&self) -> HostFiles {
            LispFiles::new(HostVolume::new(&self.0), PathBuf::new(), None, "user")
        }

        fn names(&self, below: &str) -> Vec<String> {
            let entries = fs::read_dir(self.0.join(below)).unwrap();
            let mut names: Vec<_> =
                entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
            names.sort();
            names
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn write(files: &mut HostFiles, name: &str, bytes: &[u8]) -> std::result::Result<(), FileError> {
        let (handle, _) = files.open(DISK, name.as_bytes(), Recognition::New, FileAccess::Output)?;
        files.write(handle, 0, bytes)?;
        files.set_length(handle, bytes.len() as u64)?;
        files.close(handle, Some(718_502_400))
    }

    #[test]
    fn versions_are_links() {
        let folder = Folder::new("versions");
        let mut files = folder.files();
        for text in ["one", "two", "three"] {
            write(&mut files, "Deep>Foo.Lisp", text.as_bytes()).unwrap();
        }
        assert_eq!(folder.names("Deep"), ["Foo.Lisp", "Foo.Lisp.~1~", "Foo.Lisp.~2~", "Foo.Lisp.~3~"]);
        assert_eq!(fs::read_to_string(folder.0.join("Deep/Foo.Lisp")).unwrap(), "three");
        files.rename(DISK, b"deep>foo.lisp", b"deep>bar").unwrap();
        files.delete(DISK, b"deep>foo.lisp").unwrap();
        assert_eq!(folder.names("Deep"), ["Foo.Lisp", "Foo.Lisp.~2~", "bar"]);
        let info = files.info(DISK, b"deep>bar").unwrap();
        assert_eq!((info.length, info.written), (5, 718_502_400));
        files.set_protection(DISK, b"deep>bar", 0o600).unwrap();
        assert_eq!(fs::metadata(folder.0.join("Deep/bar")).unwrap().mode(), 0o100_600);
        assert!(files.free_blocks(DISK, b"deep>bar").unwrap() > 0);
    }

    /// Opens and closes.
    fn open(
        files: &mut HostFiles,
        device: FileDevice,
        name: &str,
        recognition: Recognition,
        access: FileAccess,
    ) -> std::result::Result<(), FileError> {
        let (handle, _) = files.open(device, name.as_bytes(), recognition, access)?;
        files.close(handle, None)
    }

    const WAYS: [(Recognition, FileAccess); 6] = [
        (Recognition::New, FileAccess::Output),
        (Recognition::New, FileAccess::Both),
        (Recognition::OldOrNew, FileAccess::Output),
        (Recognition::OldOrNew, FileAccess::Both),
        (Recognition::OldOrNew, FileAccess::Append),
        (Recognition::Old, FileAccess::Both),
    ];

    #[test]
    fn what_is_no_file_is_not_pushed_aside() {
        let folder = Folder::new("no-file");
        fs::create_dir(folder.0.join("dir")).unwrap();
        fs::create_dir(folder.0.join("elsewhere")).unwrap();
        std::os::unix::fs::symlink("elsewhere", folder.0.join("linked")).unwrap();
        std::os::unix::fs::symlink("nowhere", folder.0.join("dead")).unwrap();
        std::os::unix::fs::symlink("loop", folder.0.join("loop")).unwrap();
        std::os::unix::fs::symlink("/dev/full", folder.0.join("device")).unwrap();
        let pipe = CString::new(folder.0.join("pipe").as_os_str().as_bytes()).unwrap();
        // SAFETY: the path ends with a zero.
        assert_eq!(unsafe { libc::mkfifo(pipe.as_ptr(), 0o600) }, 0);
        fs::write(folder.0.join("x"), "one").unwrap();
        let before = folder.names("");
        let mut files = folder.files();
        for name in ["dir", "linked", "dead", "loop", "device", "pipe"] {
            for (recognition, access) in WAYS {
                for device in [DISK, FileDevice::Unix] {
                    let opened = open(&mut files, device, name, recognition, access);
                    assert!(opened.is_err(), "{name} {recognition:?} {access:?}");
                    assert_eq!(folder.names(""), before, "{name} {recognition:?} {access:?}");
                }
            }
            assert!(files.rename(DISK, b"x", name.as_bytes()).is_err(), "{name}");
            assert_eq!(folder.names(""), before, "{name}");
        }
        for (name, error) in [("dir", 21), ("linked", 21), ("pipe", 23), ("device", 23), ("dead", 23), ("loop", 23)] {
            assert_eq!(write(&mut files, name, b"new"), Err(FileError(error)), "{name}");
        }
        for name in ["dir", "linked"] {
            assert_eq!(files.delete(DISK, name.as_bytes()), Err(FileError(21)), "{name}");
            assert_eq!(files.rename(DISK, name.as_bytes(), b"y"), Err(FileError(21)), "{name}");
        }
        assert_eq!(folder.names(""), before);
        // A link or a pipe that nobody wants any more may be deleted; what a link leads to stays.
        for name in ["dead", "pipe", "device"] {
            files.delete(DISK, name.as_bytes()).unwrap();
        }
        assert_eq!(folder.names(""), ["dir", "elsewhere", "linked", "loop", "x"]);
    }

    #[test]
    fn a_link_to_a_file_is_that_file() {
        let folder = Folder::new("links");
        fs::write(folder.0.join("target"), "one").unwrap();
        std::os::unix::fs::symlink("target", folder.0.join("link")).unwrap();
        let mut files = folder.files();
        // Another version takes the link's name; what the link led to is as it was.
        write(&mut files, "link", b"two").unwrap();
        assert_eq!(fs::read_to_string(folder.0.join("target")).unwrap(), "one");
        assert_eq!(fs::read_to_string(folder.0.join("link")).unwrap(), "two");
        assert_eq!(fs::read_to_string(folder.0.join("link.~1~")).unwrap(), "one");
        std::os::unix::fs::symlink("target", folder.0.join("other")).unwrap();
        for device in [DISK, FileDevice::Unix] {
            open(&mut files, device, "other", Recognition::OldOrNew, FileAccess::Both).unwrap();
            let (handle, _) = files.open(device, b"other", Recognition::Old, FileAccess::Both).unwrap();
            files.write(handle, 0, b"ONE").unwrap();
            files.close(handle, None).unwrap();
        }
        assert_eq!(fs::read_to_string(folder.0.join("target")).unwrap(), "ONE");
        assert_eq!(folder.names(""), ["link", "link.~1~", "link.~2~", "other", "target"]);
    }

    #[test]
    fn nothing_leaves_the_folder() {
        let folder = Folder::new("hostile");
        fs::create_dir(folder.0.join("root")).unwrap();
        fs::write(folder.0.join("secret"), "secret").unwrap();
        let mut files: HostFiles = LispFiles::new(HostVolume::new(folder.0.join("root")), PathBuf::new(), None, "user");
        for name in ["..>secret", "x>..>..>secret", "'.'.>secret", "..'/secret", "x'/..'/..'/secret"] {
            assert!(files.open(DISK, name.as_bytes(), Recognition::Old, FileAccess::Input).is_err(), "{name}");
            assert!(write(&mut files, name, b"overwritten").is_err(), "{name}");
            assert!(files.delete(DISK, name.as_bytes()).is_err(), "{name}");
        }
        assert_eq!((folder.names(""), folder.names("root")), (vec!["root".into(), "secret".into()], vec![]));
        assert_eq!(fs::read_to_string(folder.0.join("secret")).unwrap(), "secret");
    }
}
