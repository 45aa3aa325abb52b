//! DRAWLINE: the inner loop of Lisp's line drawing, Bresenham's algorithm one pixel wide.
//!
//! ```text
//!   stack, top first:  y steps | x steps | first delta | operation | y extent | words a row (signed: direction of y)
//!                      | x extent | first pixel in its word | address of the first word
//! ```
//!
//! The two extents are the sides of the whole line, the two step counts say how many pixels of it are inside the
//! clipping region. Along its longer side (x only if x is really longer) the line goes one pixel each step; the delta
//! says when to take one along the other. x only ever grows. The line ends when either count is used up.

use crate::address::LispPtr;
use crate::dispatch::Flow;
use crate::layout::{Layout, SMALL_NEGATIVE, SMALL_POSITIVE};
use crate::machine::{Machine, Regs};
use crate::memory::Space;

/// What a line does to its pixels.
mod pen {
    pub(super) const PAINT: u32 = 0;
    pub(super) const ERASE: u32 = 1;
    pub(super) const INVERT: u32 = 2;
}

/// A line to draw.
#[derive(Clone, Copy, Debug)]
struct Line {
    word: LispPtr,
    /// One bit of the word.
    pixel: u32,
    /// Words from row to row.
    raster: i32,
    x_extent: i32,
    y_extent: i32,
    delta: i32,
    x_steps: i32,
    y_steps: i32,
}

/// DRAWLINE: draws, and leaves NIL. Its UFN does what the machine does not understand.
#[inline(always)]
pub(crate) fn draw_line<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.slow(draw_line_slow)
}

fn draw_line_slow<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let number = |depth: u32| (m.below(r, depth) & 0xFFFF) as i32;
    let raster = m.below(r, 5);
    let raster = match raster & L::SEGMENT_MASK {
        SMALL_POSITIVE => (raster & 0xFFFF) as i32,
        SMALL_NEGATIVE => (raster | 0xFFFF_0000) as i32,
        _ => return Flow::Ufn,
    };
    let line = Line {
        word: LispPtr::from_cell::<L>(m.below(r, 8)),
        // A pixel number beyond 15 begins in the next word.
        pixel: 0x8000 >> (number(7) & 31),
        raster,
        x_extent: number(6),
        y_extent: number(4),
        delta: number(2),
        x_steps: number(1),
        y_steps: (r.tos & 0xFFFF) as i32,
    };
    match number(3) as u32 & 3 {
        pen::PAINT => line.draw::<{ pen::PAINT }>(m.space),
        pen::ERASE => line.draw::<{ pen::ERASE }>(m.space),
        pen::INVERT => line.draw::<{ pen::INVERT }>(m.space),
        _ => {}
    }
    m.replace(r, 8, 0);
    Flow::Next
}

#[inline(always)]
fn mark<const PEN: u32>(space: Space, at: LispPtr, pixels: u32) {
    let old = space.word(at);
    let pixels = pixels as u16;
    let new = match PEN {
        pen::PAINT => old | pixels,
        pen::ERASE => old & !pixels,
        _ => old ^ pixels,
    };
    space.set_word(at, new);
}

impl Line {
    fn draw<const PEN: u32>(self, space: Space) {
        if self.x_extent > self.y_extent { self.draw_flat::<PEN>(space) } else { self.draw_steep::<PEN>(space) }
    }

    /// More x than y: the pixels of one word are gathered and marked at once.
    fn draw_flat<const PEN: u32>(self, space: Space) {
        let Line { mut word, mut pixel, mut x_steps, mut y_steps, .. } = self;
        let mut delta = self.x_extent - self.delta - 1;
        let mut gathered = 0;
        while x_steps != 0 && y_steps != 0 {
            if pixel == 0 {
                if gathered != 0 {
                    mark::<PEN>(space, word, gathered);
                    gathered = 0;
                }
                pixel = 0x8000;
                word = word.plus(1);
            }
            gathered |= pixel;
            pixel >>= 1;
            x_steps -= 1;
            delta -= self.y_extent;
            if delta < 0 {
                mark::<PEN>(space, word, gathered);
                gathered = 0;
                y_steps -= 1;
                delta += self.x_extent;
                word = word.offset(self.raster);
            }
        }
        if gathered != 0 {
            mark::<PEN>(space, word, gathered);
        }
    }

    /// At least as much y as x.
    fn draw_steep<const PEN: u32>(self, space: Space) {
        let Line { mut word, mut pixel, mut x_steps, mut y_steps, .. } = self;
        let mut delta = self.y_extent - self.delta - 1;
        while x_steps != 0 && y_steps != 0 {
            mark::<PEN>(space, word, pixel);
            y_steps -= 1;
            delta -= self.x_extent;
            word = word.offset(self.raster);
            if delta < 0 {
                x_steps -= 1;
                delta += self.y_extent;
                pixel >>= 1;
                if pixel == 0 {
                    pixel = 0x8000;
                    word = word.plus(1);
                }
            }
        }
    }
}
