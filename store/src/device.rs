//! What the store asks of a disk.
//!
//! ```text
//!   submit_write ... submit_write   |  poll -> 3, 1, 0  |   submit_flush   |  poll -> 1, 0
//!   under way, in any order         |  done, but where? |                  |  everything done before is durable
//! ```
//! A write that is done may still lie in the disk's cache: a power cut loses it, or any of its 512-byte sectors. Only a
//! flush that is done makes durable what was done before the flush was submitted. Disks that do everything at once are
//! simple: `room` is always large and `poll` always 0.

use core::fmt;

/// Bytes of a block, the unit in which the store reads and writes.
pub const BLOCK: usize = 4096;
/// Bytes of a sector, the unit in which a disk may tear a write.
pub const SECTOR: usize = 512;
/// Sectors of a block.
pub const SECTORS: u64 = (BLOCK / SECTOR) as u64;

/// The contents of a block.
pub type Block = [u8; BLOCK];

/// A disk.
pub trait Device {
    /// How many blocks it has.
    fn blocks(&self) -> u64;

    /// Can it be told to make writes durable? If not, every write that is done is taken to be durable.
    fn has_flush(&self) -> bool;

    /// Reads blocks from `first` on, as many as fill `buffer` (a multiple of [`BLOCK`] bytes), and waits for them. Gives
    /// what was last written there, durable or not. May be called while writes are under way, but not for their blocks.
    fn read(&mut self, first: u32, buffer: &mut [u8]) -> Result<(), DeviceError>;

    /// How many writes or flushes can be submitted now without waiting.
    fn room(&mut self) -> usize;

    /// Starts writing a block. `data` may be reused as soon as this returns. Only called when there is room, and never
    /// for a block that has a write under way.
    fn submit_write(&mut self, block: u32, data: &Block) -> Result<(), DeviceError>;

    /// Starts making durable what is done by now. Only called when there is room, and if [`has_flush`](Self::has_flush).
    fn submit_flush(&mut self) -> Result<(), DeviceError>;

    /// How many writes and flushes are still under way; never waits. A write or flush that failed is reported once, as
    /// an error, and is under way no more.
    fn poll(&mut self) -> Result<usize, DeviceError>;
}

impl<D: Device + ?Sized> Device for &mut D {
    fn blocks(&self) -> u64 {
        (**self).blocks()
    }

    fn has_flush(&self) -> bool {
        (**self).has_flush()
    }

    fn read(&mut self, first: u32, buffer: &mut [u8]) -> Result<(), DeviceError> {
        (**self).read(first, buffer)
    }

    fn room(&mut self) -> usize {
        (**self).room()
    }

    fn submit_write(&mut self, block: u32, data: &Block) -> Result<(), DeviceError> {
        (**self).submit_write(block, data)
    }

    fn submit_flush(&mut self) -> Result<(), DeviceError> {
        (**self).submit_flush()
    }

    fn poll(&mut self) -> Result<usize, DeviceError> {
        (**self).poll()
    }
}

/// Why a disk did not do what it was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DeviceError {
    /// It could not read.
    Read {
        /// First sector of the request.
        sector: u64,
    },
    /// It could not write, or not all.
    Write {
        /// First sector of the request.
        sector: u64,
    },
    /// It could not make durable what it has.
    Flush,
    /// It has no room behind the sectors that it promised.
    NoSpace {
        /// First sector of the request.
        sector: u64,
    },
    /// It ends before that.
    PastEnd {
        /// First sector of the request.
        sector: u64,
        /// Sectors it has.
        sectors: u64,
    },
    /// It does not answer any more.
    Gone,
}

impl fmt::Display for DeviceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Read { sector } => write!(f, "the disk failed to read sector {sector}"),
            Self::Write { sector } => write!(f, "the disk failed to write sector {sector}"),
            Self::Flush => write!(f, "the disk failed to make its writes durable"),
            Self::NoSpace { sector } => write!(f, "there is no space behind the disk for sector {sector}"),
            Self::PastEnd { sector, sectors } => {
                write!(f, "sector {sector} was wanted from a disk that has {sectors}")
            }
            Self::Gone => write!(f, "the disk does not answer"),
        }
    }
}

impl core::error::Error for DeviceError {}
