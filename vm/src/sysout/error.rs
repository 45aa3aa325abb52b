//! What can be wrong with a sysout.

use super::KEY;
use crate::address::{FilePage, LispPage};
use core::fmt;

/// Why a file is no sysout that this machine can run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SysoutError {
    /// The file has not even an interface page.
    TooShort {
        /// Its length.
        bytes: u64,
    },
    /// The file ends within a page.
    PartialPage {
        /// Its length.
        bytes: u64,
    },
    /// The file is longer than any image.
    TooLong {
        /// Its length.
        bytes: u64,
    },
    /// The key is not that of a sysout.
    BadKey {
        /// What stands there.
        found: u16,
    },
    /// Neither layout's page count is the file's.
    WrongLength {
        /// Pages by the count of Medley 2.0.
        medley_2: u32,
        /// Pages by the count of Medley 3.5.
        medley_35: u32,
        /// Pages of the file.
        actual: u32,
    },
    /// The image asks for a newer emulator.
    TooNew {
        /// The least version it wants.
        wanted: u16,
        /// The version this machine is, for images of this layout.
        have: u16,
    },
    /// The interface page's idea of the stack is impossible.
    BadStack {
        /// What is wrong, in a few words.
        what: &'static str,
        /// The number in question.
        value: u16,
    },
    /// The map is said to be where the file has no room for it.
    MapOutsideFile {
        /// First file page of the map.
        start: u32,
        /// Pages of the map.
        pages: u32,
        /// Pages of the file.
        file: u32,
    },
    /// Fewer bytes of the map were read than it has.
    MapNotRead {
        /// Bytes wanted.
        wanted: usize,
        /// Bytes given.
        given: usize,
    },
    /// An entry names a page beyond Lisp's space.
    PageOutside {
        /// The entry.
        file: FilePage,
        /// What it names.
        lisp: LispPage,
        /// The layout's pages.
        limit: u32,
    },
    /// Two entries name the same page.
    DuplicatePage {
        /// The page.
        lisp: LispPage,
        /// The first entry.
        first: FilePage,
        /// The second entry.
        second: FilePage,
    },
    /// The map does not list its own pages where they are.
    MapNotInMap {
        /// The entry.
        file: FilePage,
        /// What it should name.
        wanted: LispPage,
    },
    /// A page without which no Lisp can run is not in the image.
    MissingPage {
        /// The page.
        lisp: LispPage,
        /// What it is.
        what: &'static str,
    },
}

impl fmt::Display for SysoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DAMAGED: &str = "the image is damaged; use another copy of it";
        match *self {
            Self::TooShort { bytes } => {
                write!(f, "a file of {bytes} bytes is too short for a Medley image; give the path of a sysout")
            }
            Self::PartialPage { bytes } => write!(
                f,
                "the file's {bytes} bytes are no whole number of 512-byte pages, so it was cut off or is no Medley \
                 image; copy it again, in binary"
            ),
            Self::TooLong { bytes } => {
                write!(f, "a file of {bytes} bytes is too long for a Medley image; give the path of a sysout")
            }
            Self::BadKey { found } => write!(
                f,
                "this is no Medley image: where a sysout has the key {KEY:#06x} this file has {found:#06x}; give the \
                 path of a sysout, unpacked if it was compressed"
            ),
            Self::WrongLength { medley_2, medley_35, actual } => write!(
                f,
                "the file has {actual} pages, but by its interface page it should have {medley_2} (if Medley 2.0) or \
                 {medley_35} (if Medley 3.5): it was cut off or is damaged; copy it again"
            ),
            Self::TooNew { wanted, have } => write!(
                f,
                "the image wants an emulator of version {wanted} and this machine is version {have}; use an image \
                 of Medley 2.0 or 3.5"
            ),
            Self::BadStack { what, value } => {
                write!(f, "the interface page says that {what} is {value:#x}, which cannot be: {DAMAGED}")
            }
            Self::MapOutsideFile { start, pages, file } => write!(
                f,
                "the map of pages should be {pages} pages from page {start} on, but the file has {file} pages: {DAMAGED}"
            ),
            Self::MapNotRead { wanted, given } => {
                write!(f, "only {given} of the {wanted} bytes of the map of pages could be read; check the disk")
            }
            Self::PageOutside { file, lisp, limit } => write!(
                f,
                "file page {} claims to hold Lisp page {:#x}, but there are only {limit:#x}: {DAMAGED}",
                file.0, lisp.0
            ),
            Self::DuplicatePage { lisp, first, second } => write!(
                f,
                "file pages {} and {} both claim to hold Lisp page {:#x}: {DAMAGED}",
                first.0, second.0, lisp.0
            ),
            Self::MapNotInMap { file, wanted } => write!(
                f,
                "file page {} is part of the map of pages, but the map does not say that it holds Lisp page {:#x}: \
                 {DAMAGED}",
                file.0, wanted.0
            ),
            Self::MissingPage { lisp, what } => {
                write!(f, "{what} (Lisp page {:#x}) is not in the image: {DAMAGED}", lisp.0)
            }
        }
    }
}

impl core::error::Error for SysoutError {}
