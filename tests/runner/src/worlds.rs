//! Sysouts as files of the host.
//!
//! ```text
//!   FILE.saving    written, its content forced to the disk
//!        |
//!        +-- renamed over --> FILE         then the directory is forced to the disk too
//! ```
//!
//! At every moment FILE is a whole world: the old one or the new one.

use crate::files::Root;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use vm::address::{BYTES_PER_PAGE, FilePage};
use vm::platform::{SaveError, SavePlace, World, Worlds};

/// The host's files as a place for worlds.
pub struct HostWorlds {
    own: Option<PathBuf>,
    root: Root,
}

impl HostWorlds {
    /// `own` is the file that LOGOUT and SAVEVM save to; names that SYSOUT is given are below `root`.
    pub fn new(own: Option<PathBuf>, root: Root) -> HostWorlds {
        HostWorlds { own, root }
    }
}

impl Worlds for HostWorlds {
    fn save(&mut self, place: SavePlace<'_>, world: &dyn World) -> Result<(), SaveError> {
        let path = match place {
            SavePlace::Own | SavePlace::Checkpoint | SavePlace::Farewell => match &self.own {
                Some(path) => path.clone(),
                None => {
                    eprintln!("runner: warning: the world was not saved: start the runner with --save FILE to keep it");
                    return Ok(());
                }
            },
            SavePlace::File(_, name) => self.root.sysout_path(name).ok_or(SaveError::BadName)?,
        };
        match replace(&path, world) {
            Ok(()) => {
                eprintln!("runner: {} pages saved to {}", world.pages(), path.display());
                Ok(())
            }
            Err((error, what)) => {
                eprintln!("runner: error: the world was not saved to {}: {what}", path.display());
                Err(error)
            }
        }
    }
}

/// Puts a world in the place of a file, or of none.
fn replace(path: &Path, world: &dyn World) -> Result<(), (SaveError, io::Error)> {
    let cannot_open = |error| (SaveError::CannotOpen, error);
    // A link stays a link; what it leads to is replaced.
    let path = match fs::canonicalize(path) {
        Ok(path) => path,
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_path_buf(),
        Err(error) => return Err(cannot_open(error)),
    };
    match fs::metadata(&path) {
        Ok(data) if !data.is_file() => return Err(cannot_open(io::Error::other("it is no file"))),
        // Renaming would not ask whether the file may be written.
        Ok(_) => drop(File::options().write(true).open(&path).map_err(cannot_open)?),
        Err(_) => {}
    }
    let mut name = path.file_name().map_or_else(OsString::new, OsString::from);
    name.push(".saving");
    let beside = path.with_file_name(name);
    let written = write(&beside, world).and_then(|()| {
        let place = || -> io::Result<()> {
            fs::rename(&beside, &path)?;
            let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
            File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
        };
        place().map_err(failed)
    });
    if written.is_err() {
        // Half a world is of no use; if there was none it does not matter.
        let _ = fs::remove_file(&beside);
    }
    written
}

fn failed(error: io::Error) -> (SaveError, io::Error) {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            (SaveError::NoSpace, error)
        }
        _ => (SaveError::CannotWrite, error),
    }
}

/// Writes a sysout and waits until the disk has it.
fn write(path: &Path, world: &dyn World) -> Result<(), (SaveError, io::Error)> {
    let file = File::create(path).map_err(|error| (SaveError::CannotOpen, error))?;
    let all = || -> io::Result<()> {
        let mut out = BufWriter::with_capacity(1 << 20, file);
        let mut page = [0; BYTES_PER_PAGE];
        for number in 0..world.pages() {
            world.copy(FilePage(number), &mut page);
            out.write_all(&page)?;
        }
        out.into_inner()?.sync_all()
    };
    all().map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vm::address::LispPage;
    use vm::platform::FileDevice;

    /// Page `n` is full of `first + n`.
    struct Numbered {
        pages: u32,
        first: u8,
    }

    impl World for Numbered {
        fn pages(&self) -> u32 {
            self.pages
        }
        fn lisp_page(&self, file: FilePage) -> Option<LispPage> {
            Some(LispPage(file.0))
        }
        fn copy(&self, file: FilePage, to: &mut [u8; BYTES_PER_PAGE]) {
            to.fill(self.first + file.0 as u8);
        }
    }

    fn directory(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("duralumin-worlds-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        path
    }

    #[test]
    fn the_new_world_takes_the_place_of_the_old() {
        let directory = directory("replace");
        let path = directory.join("w.sysout");
        fs::write(&path, "an older one").unwrap();
        std::os::unix::fs::symlink("w.sysout", directory.join("link")).unwrap();
        let mut worlds = HostWorlds::new(Some(directory.join("link")), Root::new(None));
        for first in [1, 9] {
            worlds.save(SavePlace::Own, &Numbered { pages: 3, first }).unwrap();
            let bytes = fs::read(&path).unwrap();
            assert_eq!((bytes.len(), bytes[0], bytes[1535]), (1536, first, first + 2));
        }
        let name =
            format!("{}>named.sysout", directory.display().to_string().trim_start_matches('/').replace('/', ">"));
        worlds.save(SavePlace::File(FileDevice::Disk, name.as_bytes()), &Numbered { pages: 2, first: 5 }).unwrap();
        assert_eq!(fs::read(directory.join("named.sysout")).unwrap()[512], 6);
        let mut names: Vec<_> = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["link", "named.sysout", "w.sysout"]);
        // With a folder for Lisp's files the name is below it.
        let mut worlds = HostWorlds::new(None, Root::new(Some(&directory)));
        let place = SavePlace::File(FileDevice::Disk, b"inside.sysout");
        assert_eq!(worlds.save(place, &Numbered { pages: 2, first: 5 }), Ok(()));
        assert!(directory.join("inside.sysout").exists());
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn what_cannot_be_is_refused_and_nothing_is_left_behind() {
        let directory = directory("refuse");
        let world = Numbered { pages: 3, first: 1 };
        let mut worlds = HostWorlds::new(None, Root::new(None));
        assert_eq!(worlds.save(SavePlace::Own, &world), Ok(()));
        assert_eq!(worlds.save(SavePlace::File(FileDevice::Unix, b"tmp>"), &world), Err(SaveError::BadName));
        let save =
            |path: &Path| HostWorlds::new(Some(path.to_path_buf()), Root::new(None)).save(SavePlace::Own, &world);
        assert_eq!(save(&directory), Err(SaveError::CannotOpen));
        assert_eq!(save(&directory.join("none/w")), Err(SaveError::CannotOpen));
        // A device that is always full.
        std::os::unix::fs::symlink("/dev/full", directory.join("full.saving")).unwrap();
        fs::write(directory.join("full"), b"old").unwrap();
        assert_eq!(save(&directory.join("full")), Err(SaveError::NoSpace));
        assert_eq!(fs::read(directory.join("full")).unwrap(), b"old");
        assert!(!directory.join("full.saving").exists());
        fs::remove_dir_all(directory).unwrap();
    }
}
