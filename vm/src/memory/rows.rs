//! Runs of cells combined with runs of cells: what BITBLT does between the ragged ends of a row of pixels.
//!
//! ```text
//!   cell   31 ... 0 | 31 ... 0 | 31 ... 0      bit 31 is the leftmost pixel
//!   u64             |  low half   high half    two cells at once: a shift must not carry from lane to lane
//! ```
//!
//! The loops are written on two cells at a time without anything carried from one round to the next, so that a
//! compiler that may use vector registers (the host runner) can, and one that may not (the kernel) still moves 64 bits
//! a round. They read and write in ascending order, but reads run ahead of writes: the runs must not overlap, or else
//! pixels are wrong (and no more than that).
//!
//! A run is at most [`MOST_CELLS`] long; what is beyond is left out. Bitmaps are 65535 pixels wide at most, so that is
//! nothing, but it is why these functions are safe: a run may begin at any address and ends in the guard at the latest.

use super::{GUARD, Space};
use crate::address::LispPtr;

/// Cells in the longest run: with the cell behind it that a shifted run reads, half of the guard.
const MOST_CELLS: u32 = (GUARD / 2 / size_of::<u32>() - 1) as u32;

/// How source pixels change destination pixels: the PBTOPERATION field of a PILOTBBT.
pub(crate) mod operation {
    /// Destination becomes source.
    pub(crate) const REPLACE: u32 = 0;
    /// Destination AND source; Lisp's ERASE complements the source first.
    pub(crate) const ERASE: u32 = 1;
    /// Destination OR source.
    pub(crate) const PAINT: u32 = 2;
    /// Destination XOR source.
    pub(crate) const INVERT: u32 = 3;
}

/// What a destination becomes.
#[inline(always)]
fn combine<const OPERATION: u32>(destination: u64, source: u64) -> u64 {
    match OPERATION {
        operation::REPLACE => source,
        operation::ERASE => destination & source,
        operation::PAINT => destination | source,
        _ => destination ^ source,
    }
}

/// The same 32 bits in both lanes.
#[inline(always)]
const fn twice(cell: u32) -> u64 {
    (cell as u64) << 32 | cell as u64
}

impl Space {
    /// Combines the pixels of `mask` in one cell.
    #[inline(always)]
    pub(crate) fn combine_cell<const OPERATION: u32>(self, at: LispPtr, source: u32, mask: u32) {
        let old = self.cell(at);
        self.set_cell(at, Self::masked::<OPERATION>(old as u64, source as u64, mask as u64) as u32);
    }

    /// What a destination becomes where `mask` has ones; elsewhere it stays.
    #[inline(always)]
    pub(crate) fn masked<const OPERATION: u32>(destination: u64, source: u64, mask: u64) -> u64 {
        match OPERATION {
            operation::REPLACE => destination ^ ((destination ^ source) & mask),
            operation::ERASE => destination & (source | !mask),
            operation::PAINT => destination | (source & mask),
            _ => destination ^ (source & mask),
        }
    }

    /// Combines `cells` cells from `to` on with what `two` says of the cells `i` and `i + 1`, or `one` of the cell `i`;
    /// `i` is below MOST_CELLS, for `two` less 1.
    #[inline(always)]
    fn combine_run<const OPERATION: u32>(
        to: LispPtr,
        cells: u32,
        two: impl Fn(usize) -> u64,
        one: impl Fn(usize) -> u32,
    ) {
        let to = Self::at::<u32>(to.0 as usize * 2);
        let cells = cells.min(MOST_CELLS) as usize;
        for pair in 0..cells / 2 {
            // SAFETY: a u32 word address and less than GUARD bytes behind it, which `claim` covers.
            unsafe {
                let place = to.add(2 * pair).cast::<u64>();
                place.write_unaligned(combine::<OPERATION>(place.read_unaligned(), two(2 * pair)));
            }
        }
        if cells & 1 != 0 {
            // SAFETY: the last of MOST_CELLS at most: less than GUARD bytes behind a u32 word address.
            unsafe {
                let place = to.add(cells - 1);
                place
                    .write_unaligned(combine::<OPERATION>(place.read_unaligned() as u64, one(cells - 1) as u64) as u32);
            }
        }
    }

    /// Combines `cells` cells with the same pattern.
    #[inline(always)]
    pub(crate) fn combine_pattern<const OPERATION: u32>(self, to: LispPtr, cells: u32, pattern: u32) {
        Self::combine_run::<OPERATION>(to, cells, |_| twice(pattern), |_| pattern);
    }

    /// Combines `cells` cells with as many others, complemented where `flip` has ones.
    #[inline(always)]
    pub(crate) fn combine_cells<const OPERATION: u32>(self, to: LispPtr, from: LispPtr, cells: u32, flip: u32) {
        let from = Self::at::<u32>(from.0 as usize * 2);
        Self::combine_run::<OPERATION>(
            to,
            cells,
            // SAFETY: `i` and `i + 1` are below MOST_CELLS: less than GUARD bytes behind a u32 word address, which `claim`
            // covers.
            |i| unsafe { from.add(i).cast::<u64>().read_unaligned() } ^ twice(flip),
            // SAFETY: `i` is below MOST_CELLS: less than GUARD bytes behind a u32 word address.
            |i| unsafe { from.add(i).read_unaligned() } ^ flip,
        );
    }

    /// Combines `cells` cells with `32 * cells` pixels that begin `shift` (1..=31) pixels into the cell `from`;
    /// reads one cell more than it writes.
    #[inline(always)]
    pub(crate) fn combine_shifted<const OPERATION: u32>(
        self,
        to: LispPtr,
        from: LispPtr,
        cells: u32,
        shift: u32,
        flip: u32,
    ) {
        debug_assert!((1..32).contains(&shift));
        let from = Self::at::<u32>(from.0 as usize * 2);
        let (up, down) = (shift, 32 - shift);
        let (up_lanes, down_lanes) = (twice(u32::MAX << up), twice(u32::MAX >> down));
        Self::combine_run::<OPERATION>(
            to,
            cells,
            |i| {
                // SAFETY: `i + 2` is at most MOST_CELLS: less than GUARD bytes behind a u32 word address, which `claim`
                // covers.
                let (this, next) = unsafe {
                    (from.add(i).cast::<u64>().read_unaligned(), from.add(i + 1).cast::<u64>().read_unaligned())
                };
                ((this << up) & up_lanes | (next >> down) & down_lanes) ^ twice(flip)
            },
            |i| {
                // SAFETY: `i + 1` is at most MOST_CELLS: less than GUARD bytes behind a u32 word address.
                let (this, next) = unsafe { (from.add(i).read_unaligned(), from.add(i + 1).read_unaligned()) };
                (this << up | next >> down) ^ flip
            },
        );
    }
}
