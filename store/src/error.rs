//! What can go wrong with the machine's disk, one sentence each.

use crate::device::DeviceError;
use crate::sysout::SysoutProblem;
use core::fmt;

/// Why the store cannot do what was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StoreError {
    /// The disk failed.
    Device(DeviceError),
    /// Neither copy of the superblock is one, and the disk is not all zero there.
    NotAStore,
    /// The disk is new.
    Blank,
    /// The disk has another version of the format.
    Version {
        /// Its version.
        found: u32,
    },
    /// The disk was longer when it was made.
    Shrunk {
        /// Blocks it has.
        has: u64,
        /// Blocks it had.
        had: u32,
    },
    /// A disk that is too small for the store.
    TooSmall {
        /// Blocks it has.
        has: u64,
        /// Blocks it should have.
        needed: u64,
    },
    /// Nothing was ever saved on the disk.
    NoWorld,
    /// There are commit records, or what is left of them, but no generation is complete.
    NoCompleteGeneration,
    /// There is no such generation on the disk.
    NoSuchGeneration {
        /// Its number.
        generation: u64,
    },
    /// A generation's map does not check out.
    MapDamaged {
        /// Its number.
        generation: u64,
        /// The block that is wrong.
        block: u32,
        /// What it should be.
        what: &'static str,
    },
    /// A page is not what was saved.
    PageDamaged {
        /// The generation that was read.
        generation: u64,
        /// The page.
        page: u32,
        /// Where it is on the disk.
        block: u32,
    },
    /// The page is beyond the world's address space.
    PageOutside {
        /// The page.
        page: u32,
        /// How many there are.
        pages: u32,
    },
    /// Even without the older generation there are too few free blocks for what has changed.
    Full {
        /// Blocks wanted.
        needed: u32,
        /// Blocks free.
        free: u32,
    },
    /// The machine's own memory is too small for the tables.
    NoMemory {
        /// Bytes wanted.
        bytes: usize,
    },
    /// A save is under way already.
    SaveUnderWay,
    /// No save is under way.
    NoSave,
    /// The page that should be saved could not be had.
    Source {
        /// The page.
        page: u32,
    },
    /// The world of a generation is no sysout.
    Sysout(SysoutProblem),
}

impl From<DeviceError> for StoreError {
    fn from(error: DeviceError) -> Self {
        Self::Device(error)
    }
}

impl From<SysoutProblem> for StoreError {
    fn from(problem: SysoutProblem) -> Self {
        Self::Sysout(problem)
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Device(error) => write!(f, "{error}; check the disk, or the file system that its file is on"),
            Self::NotAStore => write!(f, "the disk holds something, but no Lisp machine; give another one"),
            Self::Blank => write!(f, "the disk is empty; import a sysout first"),
            Self::Version { found } => write!(
                f,
                "the disk has format {found}, and this program knows format {}; use the one that wrote it",
                crate::format::VERSION
            ),
            Self::Shrunk { has, had } => write!(
                f,
                "the disk has {has} blocks of 4 KiB, but {had} when it was made: it was cut off; use another copy of it"
            ),
            Self::TooSmall { has, needed } => write!(
                f,
                "the disk has {} MiB and must have at least {}, twice the world; make a larger one",
                has >> 8,
                needed.div_ceil(256)
            ),
            Self::NoWorld => write!(f, "nothing has been saved on the disk yet; import a sysout first"),
            Self::NoCompleteGeneration => {
                write!(
                    f,
                    "no generation on the disk is complete; use another copy of the disk, or import a sysout again"
                )
            }
            Self::NoSuchGeneration { generation } => {
                write!(f, "the disk has no generation {generation}; `boot list` says which it has")
            }
            Self::MapDamaged { generation, block, what } => write!(
                f,
                "generation {generation} is damaged: block {block} should be {what} and is not; use the generation before"
            ),
            Self::PageDamaged { generation, page, block } => write!(
                f,
                "page {page:#x} of generation {generation} (sector {}) is not what was saved; use the generation before",
                u64::from(block) * crate::device::SECTORS
            ),
            Self::PageOutside { page, pages } => {
                write!(f, "page {page:#x} was named in a world of {pages:#x}; this is a defect of the program")
            }
            Self::Full { needed, free } => write!(
                f,
                "the disk is full: {} KiB are wanted and {} are free; export the world and import it on a larger disk",
                u64::from(needed) * 4,
                u64::from(free) * 4
            ),
            Self::NoMemory { bytes } => {
                write!(f, "there is no memory for {} KiB of tables; give the machine more", bytes >> 10)
            }
            Self::SaveUnderWay => write!(f, "a save is under way; wait for its end"),
            Self::NoSave => write!(f, "no save is under way; begin one first"),
            Self::Source { page } => write!(f, "page {page:#x}, which should be saved, could not be read; try again"),
            Self::Sysout(problem) => write!(f, "{problem}"),
        }
    }
}

impl core::error::Error for StoreError {}
