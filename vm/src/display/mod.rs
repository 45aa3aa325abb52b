//! Pictures: bits moved, painted and drawn in Lisp's bitmaps, of which the screen is one.
//!
//! ```text
//!   bitmap   +0 base (pointer) | +2 raster width, in words | +3 height | +4 width | +5 bits a pixel
//!   base     row 0 (the top): raster words of 16 pixels, leftmost pixel in the top bit
//!            row 1 ...
//! ```
//!
//! | module | what |
//! |---|---|
//! | [`transfer`] | a rectangle of pixels onto another |
//! | [`shade`] | a texture into a rectangle |
//! | [`bitblt`] | the PILOTBITBLT opcode and the subrs behind BITBLT and BLTSHADE |
//! | [`characters`] | the subrs that put characters on the screen |
//! | [`drawing`] | the DRAWLINE opcode |
//!
//! Nobody is told that the screen has changed: it is memory like any other, and whoever shows it watches its pages.

use crate::address::{AtomIndex, LispPtr};
use crate::layout::Layout;
use crate::memory::Space;

pub(crate) mod bitblt;
pub(crate) mod characters;
pub(crate) mod drawing;
mod shade;
mod transfer;

#[cfg(test)]
mod bench;
#[cfg(test)]
mod tests;

/// A subr leaves its work to this Lisp function, which gets the same arguments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Punt(pub(crate) AtomIndex);

/// What a subr returns to Lisp, or who does its work instead.
pub(crate) type Outcome = Result<u32, Punt>;

/// Leaves the work to Lisp; NIL if the image has no such function.
#[cold]
fn punt(function: Option<AtomIndex>) -> Outcome {
    function.map_or(Ok(AtomIndex::NIL.0), |function| Err(Punt(function)))
}

/// The `n`th argument of a subr; NIL if it was not given.
#[inline(always)]
fn argument(arguments: &[u32], n: usize) -> u32 {
    arguments.get(n).copied().unwrap_or(0)
}

/// The result of a subr that has none: what was on top of the stack stays there.
#[inline(always)]
fn no_result(arguments: &[u32]) -> Outcome {
    Ok(arguments.last().copied().unwrap_or(0))
}

/// A bitmap's record, in pixels unless it says words.
#[derive(Clone, Copy, Debug)]
struct Bitmap {
    base: LispPtr,
    raster_words: i32,
    width: i32,
    height: i32,
    bits_per_pixel: i32,
}

impl Bitmap {
    fn read<L: Layout>(space: Space, cell: u32) -> Bitmap {
        let at = LispPtr::from_cell::<L>(cell);
        let (rows, columns) = (space.cell(at.plus(2)), space.cell(at.plus(4)));
        Bitmap {
            base: LispPtr::from_cell::<L>(space.cell(at)),
            raster_words: (rows >> 16) as i32,
            height: (rows & 0xFFFF) as i32,
            width: (columns >> 16) as i32,
            bits_per_pixel: (columns & 0xFFFF) as i32,
        }
    }

    /// Pixels from one row to the next.
    fn step(&self) -> i64 {
        self.raster_words as i64 * 16
    }

    /// Where a pixel is; rows count from the top.
    fn pixel(&self, x: i32, y: i32) -> Pixel {
        Pixel::new(self.base, x).rows(y as i64, self.step())
    }
}

/// A pixel of Lisp's memory: 16 times its word address plus its place in the word, leftmost first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Pixel(i64);

impl Pixel {
    /// `x` pixels to the right of the first one of a word.
    #[inline(always)]
    fn new(base: LispPtr, x: i32) -> Pixel {
        Pixel(base.0 as i64 * 16 + x as i64)
    }

    /// So many pixels further.
    #[inline(always)]
    fn plus(self, pixels: i64) -> Pixel {
        Pixel(self.0 + pixels)
    }

    /// So many rows further.
    #[inline(always)]
    fn rows(self, rows: i64, step: i64) -> Pixel {
        Pixel(self.0 + rows * step)
    }

    /// The cell it is in.
    #[inline(always)]
    fn cell(self) -> LispPtr {
        LispPtr(((self.0 >> 5) as u32) << 1)
    }

    /// Its place in the cell; 0 is leftmost.
    #[inline(always)]
    fn place(self) -> u32 {
        self.0 as u32 & 31
    }
}

/// How a run of pixels lies in cells: ragged at both ends, whole between.
#[derive(Clone, Copy, Debug)]
struct Extent {
    /// The first cell.
    first: LispPtr,
    /// Cells between the first and the last one.
    between: u32,
    /// The run's pixels in the first cell.
    head: u32,
    /// The run's pixels in the last cell; 0 if that is the first one too.
    tail: u32,
}

impl Extent {
    #[inline(always)]
    fn of(start: Pixel, width: u32) -> Extent {
        let end = start.place() + width;
        let head = u32::MAX >> start.place();
        let tail = u32::MAX << (31 - ((end - 1) & 31));
        if end <= 32 {
            Extent { first: start.cell(), between: 0, head: head & tail, tail: 0 }
        } else {
            Extent { first: start.cell(), between: ((end + 31) >> 5) - 2, head, tail }
        }
    }

    /// The last cell of a run of at least two.
    #[inline(always)]
    fn last(&self) -> LispPtr {
        self.first.plus(2 * (self.between + 1))
    }
}

/// Turns the number of an operation into a constant, so that the loops inside are compiled once for each.
macro_rules! with_operation {
    ($number:expr, $OPERATION:ident => $body:expr) => {{
        use crate::memory::operation;
        match $number {
            operation::REPLACE => {
                const $OPERATION: u32 = operation::REPLACE;
                $body
            }
            operation::ERASE => {
                const $OPERATION: u32 = operation::ERASE;
                $body
            }
            operation::PAINT => {
                const $OPERATION: u32 = operation::PAINT;
                $body
            }
            _ => {
                const $OPERATION: u32 = operation::INVERT;
                $body
            }
        }
    }};
}
use with_operation;
