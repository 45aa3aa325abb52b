//! Why there are no files on a disk, one sentence each.

use core::fmt;
use store::{DeviceError, StoreError};

/// Why the files of a disk cannot be had.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FilesError {
    /// The disk failed.
    Device(DeviceError),
    /// It cannot be said where the files begin.
    Store(StoreError),
    /// Behind the worlds there is no place for files.
    NoPlace {
        /// Blocks behind the worlds.
        has: u32,
    },
    /// There is a place, and nothing was ever put there.
    Blank,
    /// What is there is no file system.
    NotFiles,
    /// Another version of the format.
    Version {
        /// Its version.
        found: u64,
    },
    /// The place was larger when it was made.
    Shrunk {
        /// Blocks it has.
        has: u64,
        /// Blocks it had.
        had: u64,
    },
    /// The newest state cannot be read.
    Damaged,
    /// The machine's own memory is too small.
    NoMemory,
}

impl From<DeviceError> for FilesError {
    fn from(error: DeviceError) -> Self {
        Self::Device(error)
    }
}

impl From<StoreError> for FilesError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl fmt::Display for FilesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Device(error) => write!(f, "{error}; check the disk, or the file system that its file is on"),
            Self::Store(error) => write!(f, "{error}"),
            Self::NoPlace { .. } => {
                write!(f, "the disk has no place for files behind its worlds; `boot files DISK` gives it one")
            }
            Self::Blank => write!(f, "the disk's place for files is empty; `boot files DISK` makes it ready"),
            Self::NotFiles => write!(
                f,
                "what lies behind the worlds on the disk are no files, or their headers are all damaged; use another copy \
                 of the disk"
            ),
            Self::Version { found } => write!(
                f,
                "the files on the disk have format {found}, and this program knows format {}; use the one that wrote them",
                redoxfs::VERSION
            ),
            Self::Shrunk { has, had } => write!(
                f,
                "there are {has} blocks of 4 KiB for files, but {had} when the disk was made: it was cut off; use another \
                 copy of it"
            ),
            Self::Damaged => {
                write!(f, "the files on the disk are damaged and cannot be opened; use another copy of the disk")
            }
            Self::NoMemory => write!(f, "there is no memory for files; give the machine more"),
        }
    }
}

impl core::error::Error for FilesError {}
