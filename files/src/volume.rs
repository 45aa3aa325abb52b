//! What Lisp's files are kept on.
//!
//! A volume knows files with one exact name, as Unix does: no versions, case matters. It may be slow to answer (a
//! device, a host), full, read-only or gone; it never panics because of that.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use vm::platform::FileError;

/// Most bytes of one name in a directory.
pub const LONGEST_NAME: usize = 255;

/// Names from the root of a volume on; none for the root itself.
pub type Path = [String];
/// A path of one's own.
pub type PathBuf = Vec<String>;

/// Why a volume did not do what it was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VolumeError {
    /// There is nothing of that name, and no more to say.
    Unknown,
    /// The user may not do that.
    NotPermitted,
    /// There is nothing of that name.
    NotFound,
    /// The device failed.
    Device,
    /// No file is open under that number.
    NotOpen,
    /// The permissions of the file or its directory forbid it.
    Access,
    /// No memory is left for it.
    NoMemory,
    /// It is in use.
    Busy,
    /// There is something of that name already.
    Exists,
    /// The two names are on different volumes.
    CrossVolume,
    /// The volume is not there any more.
    Gone,
    /// A directory was wanted.
    NotDirectory,
    /// A file was wanted.
    IsDirectory,
    /// No volume can do that, or has files of such names.
    Invalid,
    /// What is there is no plain file.
    NotPlain,
    /// Too many files are open.
    TooManyOpen,
    /// No room is left.
    NoSpace,
    /// Nothing can be written there.
    ReadOnly,
    /// The name is too long.
    NameTooLong,
    /// The directory has files in it.
    NotEmpty,
    /// Symbolic links lead round in circles.
    Loop,
    /// This volume cannot do that.
    Unsupported,
    /// Something else, by its Unix number.
    Other(u32),
}

/// Each error with its Unix number and its sentence.
const ERRORS: [(VolumeError, u32, &str); 22] = [
    (VolumeError::Unknown, 0, "there is no such file"),
    (VolumeError::NotPermitted, 1, "that is not permitted"),
    (VolumeError::NotFound, 2, "there is no such file or directory"),
    (VolumeError::Device, 5, "the device failed"),
    (VolumeError::NotOpen, 9, "no file is open under that number"),
    (VolumeError::NoMemory, 12, "there is no memory for that"),
    (VolumeError::Access, 13, "permission is denied"),
    (VolumeError::Busy, 16, "it is in use"),
    (VolumeError::Exists, 17, "there is a file of that name already"),
    (VolumeError::CrossVolume, 18, "the names are on different volumes"),
    (VolumeError::Gone, 19, "the volume is not there any more"),
    (VolumeError::NotDirectory, 20, "it is no directory"),
    (VolumeError::IsDirectory, 21, "it is a directory"),
    (VolumeError::Invalid, 22, "no file can have that name"),
    (VolumeError::NotPlain, 23, "it is no plain file"),
    (VolumeError::TooManyOpen, 24, "too many files are open"),
    (VolumeError::NoSpace, 28, "no space is left"),
    (VolumeError::ReadOnly, 30, "the volume is read-only"),
    (VolumeError::NameTooLong, 36, "the name is too long"),
    (VolumeError::NotEmpty, 39, "the directory is not empty"),
    (VolumeError::Loop, 40, "there are too many symbolic links"),
    (VolumeError::Unsupported, 95, "this volume cannot do that"),
];

impl VolumeError {
    /// The error of a Unix number.
    pub fn from_number(number: u32) -> Self {
        let known = ERRORS.iter().find(|&&(_, known, _)| known == number);
        known.map_or(Self::Other(number), |&(error, ..)| error)
    }

    /// Its Unix number; 0 if Lisp needs to know no more than that it did not work.
    pub fn number(self) -> u32 {
        match self {
            Self::Other(number) => number,
            known => ERRORS.iter().find(|&&(error, ..)| error == known).map_or(0, |&(_, number, _)| number),
        }
    }
}

impl fmt::Display for VolumeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match ERRORS.iter().find(|(error, ..)| error == self) {
            Some((.., sentence)) => f.write_str(sentence),
            None => write!(f, "Unix error {}", self.number()),
        }
    }
}

/// The numbers that Lisp makes a condition of. Any other it takes for a file that is not there: it answers NIL and goes on.
const HEARD: [u32; 14] = [1, 5, 13, 21, 23, 24, 27, 28, 29, 30, 60, 62, 66, 100];

impl VolumeError {
    /// The number for something that goes wrong with a file that is open: whatever it is, Lisp has to hear of it.
    pub fn about_open_file(self) -> FileError {
        let error = FileError::from(self);
        if HEARD.contains(&error.0) { error } else { FileError(Self::Device.number()) }
    }
}

impl From<VolumeError> for FileError {
    /// The number that Lisp knows; its table is older than Linux.
    fn from(error: VolumeError) -> Self {
        FileError(match error {
            VolumeError::NotOpen | VolumeError::NoMemory | VolumeError::Gone => VolumeError::Device.number(),
            VolumeError::Busy => VolumeError::NotPermitted.number(),
            VolumeError::Loop => 62,
            VolumeError::NotEmpty => 66,
            other => other.number(),
        })
    }
}

/// The result of everything here.
pub type Result<T> = core::result::Result<T, VolumeError>;

/// What something in a directory is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A directory.
    Directory,
    /// A plain file.
    File,
    /// A device, a link that leads nowhere.
    Other,
}

/// What is known about a file or directory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attributes {
    /// What it is.
    pub kind: Kind,
    /// Bytes.
    pub length: u64,
    /// Unix seconds of the last change.
    pub written: i64,
    /// Unix seconds of the last use.
    pub read: i64,
    /// Unix mode bits, with those of the kind.
    pub mode: u32,
    /// The volume's number for the file: two names of one file have one number.
    pub node: u64,
}

/// What to change about a file; `None` leaves it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Change {
    /// Unix seconds of the last change.
    pub written: Option<i64>,
    /// Unix mode bits, without those of the kind.
    pub mode: Option<u32>,
}

/// How much room there is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Space {
    /// Bytes of a block.
    pub block: u32,
    /// Blocks that are free.
    pub free: u64,
}

/// The number of an open file, good until it is closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FileId(pub u32);

/// Something in a directory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it is, where the directory itself says so.
    pub kind: Option<Kind>,
    /// As [`Attributes::node`].
    pub node: u64,
}

/// What is in a directory; ten thousand names take four allocations and not thirty thousand.
#[derive(Clone, Default, Debug)]
pub struct Entries {
    text: String,
    items: Vec<Item>,
}

#[derive(Clone, Copy, Debug)]
struct Item {
    start: u32,
    length: u16,
    kind: Option<Kind>,
    node: u64,
}

impl Entries {
    /// Adds one. A name that no path can have is left out.
    pub fn add(&mut self, entry: Entry<'_>) -> Result<()> {
        if check_name(entry.name).is_err() {
            return Ok(());
        }
        // Whoever fills a directory with a million files gets an error, not a stopped machine.
        let room = self.text.try_reserve(entry.name.len()).and_then(|()| self.items.try_reserve(1));
        room.map_err(|_| VolumeError::NoMemory)?;
        let (start, length) = (self.text.len() as u32, entry.name.len() as u16);
        self.text.push_str(entry.name);
        self.items.push(Item { start, length, kind: entry.kind, node: entry.node });
        Ok(())
    }

    /// Takes one away.
    pub fn remove(&mut self, name: &str) {
        let text = &self.text;
        self.items.retain(|item| &text[item.start as usize..item.start as usize + item.length as usize] != name);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// One of them.
    ///
    /// # Panics
    /// When there are not that many.
    pub fn get(&self, index: usize) -> Entry<'_> {
        let Item { start, length, kind, node } = self.items[index];
        Entry { name: &self.text[start as usize..start as usize + length as usize], kind, node }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Entry<'_>> {
        (0..self.len()).map(|index| self.get(index))
    }
}

/// Is that a name that something in a directory can have?
pub fn check_name(name: &str) -> Result<()> {
    if name.len() > LONGEST_NAME {
        return Err(VolumeError::NameTooLong);
    }
    let bad = matches!(name, "" | "." | "..") || name.contains(['/', '\0']);
    if bad { Err(VolumeError::Invalid) } else { Ok(()) }
}

/// Does a path stay below the root?
pub fn check_path(path: &Path) -> Result<()> {
    path.iter().try_for_each(|name| check_name(name))
}

/// Puts something into the first free place; its number.
pub fn keep<T>(places: &mut Vec<Option<T>>, value: T) -> usize {
    let place = places.iter().position(Option::is_none).unwrap_or(places.len());
    if place == places.len() {
        places.push(None);
    }
    places[place] = Some(value);
    place
}

/// A tree of directories and files. A path that is no path ([`check_path`]) is [`VolumeError::Invalid`].
pub trait Volume {
    /// What is known about a file or directory.
    fn attributes(&mut self, path: &Path) -> Result<Attributes>;
    /// What is in a directory, in no order.
    fn entries(&mut self, directory: &Path) -> Result<Entries>;
    /// Opens a plain file that is there, for reading and perhaps for writing.
    fn open(&mut self, path: &Path, write: bool) -> Result<FileId>;
    /// Makes a file that is not there, and opens it for reading and writing.
    fn create(&mut self, path: &Path) -> Result<FileId>;
    /// Closes a file. It is closed in any case; an error says that something that was written is lost.
    fn close(&mut self, file: FileId) -> Result<()>;
    /// Reads from a place in a file; fewer bytes than asked for mean the end.
    fn read(&mut self, file: FileId, at: u64, buffer: &mut [u8]) -> Result<usize>;
    /// Writes all bytes to a place in a file. A volume may gather writes: then an error may come later, at the latest
    /// with [`Volume::sync`] or [`Volume::close`].
    fn write(&mut self, file: FileId, at: u64, bytes: &[u8]) -> Result<()>;
    /// Makes a file this long; new bytes are zero.
    fn set_length(&mut self, file: FileId, length: u64) -> Result<()>;
    /// Returns when all of a file is where a power cut cannot take it.
    fn sync(&mut self, file: FileId) -> Result<()>;
    /// What is known about an open file.
    fn attributes_of_open(&mut self, file: FileId) -> Result<Attributes>;
    /// Changes something about an open file.
    fn change_open(&mut self, file: FileId, change: Change) -> Result<()>;
    /// Changes something about a file or directory.
    fn change(&mut self, path: &Path, change: Change) -> Result<()>;
    /// Makes a directory that is not there.
    fn create_directory(&mut self, path: &Path) -> Result<()>;
    /// Takes the name of a file away, or an empty directory.
    fn remove(&mut self, path: &Path) -> Result<()>;
    /// Gives a file or directory another name; a file that had this name is gone.
    fn rename(&mut self, from: &Path, to: &Path) -> Result<()>;
    /// Gives a file a second name.
    fn link(&mut self, existing: &Path, new: &Path) -> Result<()>;
    /// How much room there is.
    fn space(&mut self, path: &Path) -> Result<Space>;
    /// As [`Volume::sync`], for all that was written to any file; the first error. For volumes that gather writes.
    fn sync_all(&mut self) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_numbers() {
        for &(error, number, _) in &ERRORS {
            assert_eq!((error.number(), VolumeError::from_number(number)), (number, error));
        }
        assert_eq!(VolumeError::from_number(77), VolumeError::Other(77));
    }

    #[test]
    fn lisp_hears_of_what_would_be_lost() {
        for &(error, ..) in &ERRORS {
            assert!(HEARD.contains(&error.about_open_file().0), "{error:?}");
        }
        assert_eq!(FileError::from(VolumeError::NotFound), FileError(2));
        assert_eq!(FileError::from(VolumeError::Gone), FileError(5));
        assert_eq!(VolumeError::NoSpace.about_open_file(), FileError(28));
    }

    #[test]
    fn names_that_are_none() {
        for name in ["", ".", "..", "a/b", "a\0b"] {
            assert_eq!(check_name(name), Err(VolumeError::Invalid), "{name:?}");
        }
        assert_eq!(check_name(&"x".repeat(256)), Err(VolumeError::NameTooLong));
        assert_eq!(check_name(&"x".repeat(255)), Ok(()));
        let mut entries = Entries::default();
        for name in ["..", "a", "a/b"] {
            entries.add(Entry { name, kind: None, node: 0 }).unwrap();
        }
        assert_eq!(entries.iter().map(|entry| entry.name).collect::<Vec<_>>(), ["a"]);
        entries.remove("a");
        assert!(entries.is_empty());
    }
}
