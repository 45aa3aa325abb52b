//! The bytes of open files, gathered in memory.
//!
//! ```text
//!   a file   | piece 0 | piece 1 | piece 2 | ..          32 KiB each, a record of the disk
//!                 |         |
//!              changed    as on the disk                 others are not in memory
//! ```
//! Lisp reads and writes half a kilobyte at a time; the disk has records, each with a checksum, and every change of one
//! costs two flushes. So pieces are read whole, and changes stay here until the file is synced or closed, or there are too
//! many of them.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use files::{Result, VolumeError};

/// The level of records: 4 KiB << 3. A quarter of what RedoxFS takes by itself, because a machine with little memory
/// reads and writes in all places of a file, and small gaps on a nearly full disk can still be used.
pub const RECORD_LEVEL: u32 = 3;
/// Bytes of a piece.
pub const PIECE: usize = 4096 << RECORD_LEVEL;
/// The longest file.
pub const LONGEST: u64 = 1 << 40;

/// A piece of a file.
pub struct Piece {
    /// Never beyond the end of the file.
    pub bytes: Vec<u8>,
    /// It is not on the disk.
    pub changed: bool,
    /// When it was last used.
    pub used: u64,
}

/// A file that somebody has open.
pub struct Live {
    /// How often it is open.
    pub opens: u32,
    /// Bytes.
    pub length: u64,
    /// So many bytes from the start are on the disk as they should be, but for changed pieces.
    pub on_disk: u64,
    /// The date of the last change, if that is not on the disk yet.
    pub written: Option<i64>,
    /// When it was last opened.
    pub read: i64,
    /// Something is not on the disk.
    pub changed: bool,
    /// It has no name any more.
    pub nameless: bool,
    /// What is in memory.
    pub pieces: BTreeMap<u64, Piece>,
}

impl Live {
    /// A file of that length, all on the disk.
    pub fn new(length: u64) -> Live {
        Live {
            opens: 0,
            length,
            on_disk: length,
            written: None,
            read: 0,
            changed: false,
            nameless: false,
            pieces: BTreeMap::new(),
        }
    }

    /// How long piece `index` is.
    pub fn piece_length(&self, index: u64) -> usize {
        self.length.saturating_sub(index * PIECE as u64).min(PIECE as u64) as usize
    }

    /// Pieces that are not on the disk.
    pub fn changed_pieces(&self) -> usize {
        self.pieces.values().filter(|piece| piece.changed).count()
    }

    /// Makes it this long; new bytes are zero.
    pub fn set_length(&mut self, length: u64, now: i64) {
        if length < self.length {
            self.pieces.split_off(&length.div_ceil(PIECE as u64));
            if let Some(mut last) = self.pieces.last_entry() {
                let keep = length - *last.key() * PIECE as u64;
                last.get_mut().bytes.truncate(keep.min(PIECE as u64) as usize);
            }
            self.on_disk = self.on_disk.min(length);
        }
        self.length = length;
        // A piece that was short because the file was, and is not any more.
        for (&index, piece) in &mut self.pieces {
            let whole = length.saturating_sub(index * PIECE as u64).min(PIECE as u64) as usize;
            piece.bytes.resize(whole, 0);
        }
        (self.changed, self.written) = (true, Some(now));
    }
}

/// Bytes of a new piece.
pub fn piece(length: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(length).map_err(|_| VolumeError::NoMemory)?;
    bytes.resize(length, 0);
    Ok(bytes)
}
