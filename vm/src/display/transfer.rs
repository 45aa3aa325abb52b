//! A rectangle of pixels onto another, row by row.
//!
//! ```text
//!   source        ...sssss|sssssssssss|ss....      any place in a cell, two cells a window
//!   destination   .......d|ddddddddddd|ddddddd|d   head, whole cells, tail
//! ```
//!
//! Rows are done in the order the caller asks for, first to last by the two steps. Within a row it matters which cell
//! comes first only where source and destination share cells; such a row is done one cell after the other, from the
//! left or from the right, each source cell read once and just before the destination cell that needs it. That is the
//! order of the reference, so that even a picture smeared over itself comes out the same. All other rows go through the
//! loops of [`crate::memory`], which may read ahead.
//!
//! No cell outside of the two rectangles is touched, not even to write it back: it may be on a page that is not there.

use super::{Extent, Pixel, with_operation};
use crate::address::LispPtr;
use crate::memory::Space;

/// One BITBLT from a bitmap.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transfer {
    /// Leftmost pixel of the first row to read.
    pub source: Pixel,
    /// Leftmost pixel of the first row to write.
    pub destination: Pixel,
    /// Pixels from one source row to the next; negative from the bottom up.
    pub source_step: i64,
    /// Pixels from one destination row to the next; negative from the bottom up.
    pub destination_step: i64,
    /// Pixels in a row, at least 1.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Where cells overlap, begin at the right end of a row.
    pub backward: bool,
    /// See [`crate::memory::operation`].
    pub operation: u32,
    /// Complement the source first.
    pub complement: bool,
}

impl Transfer {
    /// Moves the pixels.
    pub(super) fn run(&self, space: Space) {
        with_operation!(self.operation, OPERATION => {
            if self.shares_cells() {
                self.cell_by_cell::<OPERATION>(space);
            } else if self.width <= 32 {
                self.narrow::<OPERATION>(space);
            } else {
                self.wide::<OPERATION>(space);
            }
        })
    }

    /// What a character needs: like [`Transfer::run`], quicker about it.
    #[inline(always)]
    pub(super) fn run_character(&self, space: Space) {
        if self.width <= 32 && !self.shares_cells() {
            with_operation!(self.operation, OPERATION => self.narrow::<OPERATION>(space))
        } else {
            self.run(space)
        }
    }

    #[inline(always)]
    fn flip(&self) -> u32 {
        if self.complement { u32::MAX } else { 0 }
    }

    /// Whether source and destination of one row may have a cell in common.
    #[inline(always)]
    fn shares_cells(&self) -> bool {
        let reach = self.width as i64 + 62;
        let distance = (self.destination.0 - self.source.0).abs();
        if self.source_step == self.destination_step {
            // The distance is the same in every row, and beyond `reach` no two cells can be the same.
            if distance >= reach {
                return false;
            }
            let cells = |start: Pixel| (start.0 >> 5, (start.0 + self.width as i64 - 1) >> 5);
            let (source, destination) = (cells(self.source), cells(self.destination));
            // Where rows do not start at the same place of a cell, the first row does not speak for the others.
            self.source_step & 31 != 0 || source.0 <= destination.1 && destination.0 <= source.1
        } else {
            let rows = self.height as i64 - 1;
            let range = |start: Pixel, step: i64| {
                let other = start.rows(rows, step);
                (start.min(other).0 >> 5, (start.max(other).0 + self.width as i64 - 1) >> 5)
            };
            let source = range(self.source, self.source_step);
            let destination = range(self.destination, self.destination_step);
            source.0 <= destination.1 && destination.0 <= source.1
        }
    }

    /// Rows of at most 32 pixels: at most two cells on either side, without a branch.
    #[inline(always)]
    fn narrow<const OPERATION: u32>(&self, space: Space) {
        let flip = (self.flip() as u64) << 32 | self.flip() as u64;
        let kept = u64::MAX << (64 - self.width);
        let last = self.width as i64 - 1;
        let (mut source, mut destination) = (self.source, self.destination);
        for _ in 0..self.height {
            let two = |first: LispPtr, second: LispPtr| (space.cell(first) as u64) << 32 | space.cell(second) as u64;
            let window = (two(source.cell(), source.plus(last).cell()) ^ flip) << source.place();
            // Where one cell is enough the second is the same one: its share of the mask is 0, and what is stored
            // there first is stored over afterwards.
            let (first, second) = (destination.cell(), destination.plus(last).cell());
            let place = destination.place();
            let new = Space::masked::<OPERATION>(two(first, second), window >> place, kept >> place);
            space.set_cell(second, new as u32);
            space.set_cell(first, (new >> 32) as u32);
            source = source.plus(self.source_step);
            destination = destination.plus(self.destination_step);
        }
    }

    /// Rows of more than 32 pixels, so of at least two destination cells.
    fn wide<const OPERATION: u32>(&self, space: Space) {
        let (mut source, mut destination) = (self.source, self.destination);
        let regular = (self.source_step | self.destination_step) & 31 == 0;
        let mut rows = self.height;
        while rows > 0 {
            // How a row lies in its cells is the same for all of them, or looked at anew for each.
            let alike = if regular { rows } else { 1 };
            rows -= alike;
            let windows = Windows::of(source, destination, self.width);
            for row in 0..alike {
                let to = (2 * row as i64 * (self.destination_step >> 5)) as u32;
                let from = (2 * row as i64 * (self.source_step >> 5)) as u32;
                windows.read_ahead::<OPERATION>(space, to, from, self.flip());
            }
            source = source.rows(alike as i64, self.source_step);
            destination = destination.rows(alike as i64, self.destination_step);
        }
    }

    /// Rows that share cells with themselves.
    fn cell_by_cell<const OPERATION: u32>(&self, space: Space) {
        let (mut source, mut destination) = (self.source, self.destination);
        for _ in 0..self.height {
            let windows = Windows::of(source, destination, self.width);
            if self.backward {
                windows.leftward::<OPERATION>(space, self.flip());
            } else if windows.are_ahead() && windows.extent.tail != 0 {
                windows.read_ahead::<OPERATION>(space, 0, 0, self.flip());
            } else {
                windows.rightward::<OPERATION>(space, self.flip());
            }
            source = source.plus(self.source_step);
            destination = destination.plus(self.destination_step);
        }
    }
}

/// How one row of a source lies under the cells of its destination.
///
/// The window of destination cell `i` is what is left of source cells `begin + i` and `begin + i + 1` after a shift to
/// the left. At the ends a window may reach beyond the source: what is not there is masked away, and never read.
#[derive(Clone, Copy)]
struct Windows {
    /// The destination's cells.
    extent: Extent,
    /// The source's first cell.
    source: LispPtr,
    /// The source's last cell.
    end: LispPtr,
    /// The first window's first cell.
    begin: LispPtr,
    /// Pixels to shift a window, 0 to 31.
    shift: u32,
}

impl Windows {
    #[inline(always)]
    fn of(source: Pixel, destination: Pixel, width: u32) -> Windows {
        Windows {
            extent: Extent::of(destination, width),
            source: source.cell(),
            end: source.plus(width as i64 - 1).cell(),
            begin: source.plus(-(destination.place() as i64)).cell(),
            shift: source.place().wrapping_sub(destination.place()) & 31,
        }
    }

    /// Whether no window needs a cell that was written for an earlier one, if the leftmost is done first.
    fn are_ahead(&self) -> bool {
        self.begin >= self.extent.first
    }

    /// The first cell of the last window; there are at least two.
    #[inline(always)]
    fn last(&self) -> LispPtr {
        self.begin.plus(2 * (self.extent.between + 1))
    }

    /// A row of at least two cells, `to` and `from` words away, from the left; later cells may be read before earlier
    /// ones are written.
    #[inline(always)]
    fn read_ahead<const OPERATION: u32>(&self, space: Space, to: u32, from: u32, flip: u32) {
        let Windows { extent, source, end, begin, shift } = *self;
        let window = |first: LispPtr, second: LispPtr| {
            let both = (space.cell(first.plus(from)) as u64) << 32 | space.cell(second.plus(from)) as u64;
            (both << shift >> 32) as u32 ^ flip
        };
        // A cell beyond the source gives way to its neighbour.
        let head = (source, if shift == 0 { begin } else { begin.plus(2) });
        let tail = (self.last(), if self.last() == end { end } else { self.last().plus(2) });
        space.combine_cell::<OPERATION>(extent.first.plus(to), window(head.0, head.1), extent.head);
        let (to_inner, from_inner) = (extent.first.plus(to).plus(2), begin.plus(from).plus(2));
        if shift == 0 {
            space.combine_cells::<OPERATION>(to_inner, from_inner, extent.between, flip);
        } else {
            space.combine_shifted::<OPERATION>(to_inner, from_inner, extent.between, shift, flip);
        }
        space.combine_cell::<OPERATION>(extent.last().plus(to), window(tail.0, tail.1), extent.tail);
    }

    /// A row from the left, each source cell read once, just before the first destination cell that needs it.
    fn rightward<const OPERATION: u32>(&self, space: Space, flip: u32) {
        let Windows { extent, source, end, begin, shift } = *self;
        // A window without a shift is all in its first cell: seen as one shifted by 32 it is all in its second.
        let (mut next, down) = if shift == 0 { (begin, 0) } else { (begin.plus(2), 32 - shift) };
        let mut carried = if next > source { space.cell(source) } else { 0 };
        let mut window = || {
            let cell = if next <= end { space.cell(next) } else { 0 };
            next = next.plus(2);
            let both = (carried as u64) << 32 | cell as u64;
            carried = cell;
            (both >> down) as u32 ^ flip
        };
        space.combine_cell::<OPERATION>(extent.first, window(), extent.head);
        if extent.tail != 0 {
            for i in 1..=extent.between {
                space.combine_cell::<OPERATION>(extent.first.plus(2 * i), window(), u32::MAX);
            }
            space.combine_cell::<OPERATION>(extent.last(), window(), extent.tail);
        }
    }

    /// A row from the right, each source cell read once, just before the first destination cell that needs it.
    fn leftward<const OPERATION: u32>(&self, space: Space, flip: u32) {
        let Windows { extent, source, end, begin, shift } = *self;
        let beyond = if extent.tail == 0 { begin.plus(2) } else { self.last().plus(2) };
        let mut carried = if beyond <= end { space.cell(beyond) } else { 0 };
        let mut window = |cell: u32| {
            let both = (cell as u64) << 32 | carried as u64;
            carried = cell;
            (both << shift >> 32) as u32 ^ flip
        };
        if extent.tail != 0 {
            space.combine_cell::<OPERATION>(extent.last(), window(space.cell(self.last())), extent.tail);
            for i in (1..=extent.between).rev() {
                let cell = space.cell(begin.plus(2 * i));
                space.combine_cell::<OPERATION>(extent.first.plus(2 * i), window(cell), u32::MAX);
            }
        }
        let cell = if begin >= source { space.cell(begin) } else { 0 };
        space.combine_cell::<OPERATION>(extent.first, window(cell), extent.head);
    }
}
