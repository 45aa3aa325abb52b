//! A texture into a rectangle: a pattern 16 pixels wide and 1 to 16 rows high, repeated.
//!
//! ```text
//!   shade number   8 4 2 1 (hex)    four rows of four pixels, repeated to the right
//!   bitmap         16 pixels wide   its first 16 rows
//! ```
//!
//! **Which row is first.** The reference, on a little-endian processor, takes the words of a pattern in the order of
//! native memory: rows come in exchanged pairs, 1 0 3 2 and so on. Every picture that Medley has drawn since then shows
//! it, and the conformance tests ask for it, so it is the rule here too. A last row without a partner stays itself (the
//! reference reads whatever lies behind the bitmap).

use super::{Extent, Pixel, with_operation};
use crate::address::LispPtr;
use crate::memory::Space;

/// Rows that a texture can have.
const MOST_ROWS: usize = 16;

/// A pattern of rows of 16 pixels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Texture {
    rows: [u16; MOST_ROWS],
    height: u32,
}

impl Texture {
    /// All rows the same.
    const fn uniform(row: u16) -> Texture {
        Texture { rows: [row; MOST_ROWS], height: 1 }
    }

    /// No pixel set.
    pub(super) const WHITE: Texture = Texture::uniform(0);

    /// The shade of a number: 0 is white, 65535 black, all others are four rows of four pixels.
    pub(super) fn of_number(shade: u16) -> Texture {
        let mut texture = Texture::uniform(shade);
        if shade != 0 && shade != u16::MAX {
            texture.height = 4;
            for (line, row) in texture.rows.iter_mut().enumerate().take(4) {
                *row = (shade >> (12 - 4 * (line ^ 1)) & 15) * 0x1111;
            }
        }
        texture
    }

    /// The first rows of the words at `base`.
    pub(super) fn of_words(space: Space, base: LispPtr, height: u32) -> Texture {
        let height = height.clamp(1, MOST_ROWS as u32);
        let mut texture = Texture { rows: [0; MOST_ROWS], height };
        for line in 0..height {
            let at = base.plus(line);
            let partner = LispPtr(at.0 ^ 1);
            let inside = partner >= base && partner < base.plus(height);
            texture.rows[line as usize] = space.word(if inside { partner } else { at });
        }
        texture
    }

    /// Rows before the pattern begins again.
    pub(super) fn height(&self) -> u32 {
        self.height
    }
}

/// One BITBLT from a texture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shade {
    /// Leftmost pixel of the first row to write.
    pub destination: Pixel,
    /// Pixels from one row to the next.
    pub step: i64,
    /// Pixels in a row, at least 1.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// The pattern.
    pub texture: Texture,
    /// The pattern's row that the first row takes.
    pub line: u32,
    /// The pattern's column that the leftmost pixels take; only the low four bits count.
    pub column: u32,
    /// See [`crate::memory::operation`].
    pub operation: u32,
    /// Complement the texture first.
    pub complement: bool,
}

impl Shade {
    /// Fills the rectangle.
    pub(super) fn run(&self, space: Space) {
        with_operation!(self.operation, OPERATION => self.fill::<OPERATION>(space))
    }

    fn fill<const OPERATION: u32>(&self, space: Space) {
        let flip = if self.complement { u16::MAX } else { 0 };
        let mut destination = self.destination;
        let mut extent = Extent::of(destination, self.width);
        let mut line = self.line % self.texture.height;
        for _ in 0..self.height {
            if self.step & 31 != 0 {
                extent = Extent::of(destination, self.width);
            }
            extent.first = destination.cell();
            let turn = self.column.wrapping_sub(destination.place()) & 15;
            let row = (self.texture.rows[line as usize] ^ flip).rotate_left(turn);
            let pattern = row as u32 * 0x1_0001;
            space.combine_cell::<OPERATION>(extent.first, pattern, extent.head);
            if extent.tail != 0 {
                space.combine_pattern::<OPERATION>(extent.first.plus(2), extent.between, pattern);
                space.combine_cell::<OPERATION>(extent.last(), pattern, extent.tail);
            }
            line = if line + 1 < self.texture.height { line + 1 } else { 0 };
            destination = destination.plus(self.step);
        }
    }
}
