//! BITBLT: the PILOTBITBLT opcode and the subrs that do whole BITBLTs between bitmaps, clipping included.
//!
//! The opcode takes a PILOTBBT, a block of words that says everything about one transfer:
//!
//! ```text
//!   0 destination, low half | 1 high half | 2 first pixel | 3 pixels from row to row (signed)
//!   4 source, low half      | 5 high half | 6 first pixel | 7 pixels from row to row (signed)
//!   8 width                 | 9 height    | 10 flags: 15 backward, 14 disjoint, 13 disjoint items, 12 texture,
//!                                             11 complement the source, 10-9 operation
//!   word 7 for a texture: 11-8 row to begin with, 7-4 width in words - 1, 3-0 height - 1
//! ```
//!
//! The subrs get bitmaps and coordinates with the origin at the lower left, as Lisp's BITBLT has them, while memory
//! begins with the upper left. What they do not do themselves (colour, MERGE, textures that are lists or names) they
//! leave to Lisp functions with the same arguments; see [`super::Punt`].

use super::shade::{Shade, Texture};
use super::transfer::Transfer;
use super::{Bitmap, Outcome, Pixel, argument, no_result, punt};
use crate::address::{AtomIndex, LispPtr};
use crate::dispatch::Flow;
use crate::integers::integer_value;
use crate::layout::{Layout, type_entry, type_number, types};
use crate::machine::{Machine, Regs};
use crate::memory::{Space, operation};

/// The flag of a type-table word that says its objects are numbers.
const NUMBER: u16 = 0x1000;

/// A PILOTBBT, as far as the machine reads it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table {
    pub destination: LispPtr,
    pub destination_bit: u16,
    pub destination_step: i16,
    pub source: LispPtr,
    pub source_bit: u16,
    pub source_step: i16,
    pub width: u16,
    pub height: u16,
    flags: u16,
}

impl Table {
    #[inline(always)]
    pub(super) fn read<L: Layout>(space: Space, at: LispPtr) -> Table {
        let pointer = |words: u32| LispPtr::from_cell::<L>(space.cell(at.plus(words)).rotate_left(16));
        let line = |words: u32| {
            let cell = space.cell(at.plus(words));
            ((cell >> 16) as u16, cell as i16)
        };
        let (destination_bit, destination_step) = line(2);
        let (source_bit, source_step) = line(6);
        let size = space.cell(at.plus(8));
        Table {
            destination: pointer(0),
            destination_bit,
            destination_step,
            source: pointer(4),
            source_bit,
            source_step,
            width: (size >> 16) as u16,
            height: size as u16,
            flags: space.word(at.plus(10)),
        }
    }

    fn backward(&self) -> bool {
        self.flags & 0x8000 != 0
    }
    fn is_texture(&self) -> bool {
        self.flags & 0x1000 != 0
    }
    #[inline(always)]
    pub(super) fn complement(&self) -> bool {
        self.flags & 0x0800 != 0
    }
    #[inline(always)]
    pub(super) fn operation(&self) -> u32 {
        (self.flags >> 9 & 3) as u32
    }
    /// The texture's first row to use and its height.
    fn texture_rows(&self) -> (u32, u32) {
        let word = self.source_step as u16 as u32;
        (word >> 8 & 15, (word & 15) + 1)
    }
}

/// PILOTBITBLT: carries out the transfer that the PILOTBBT below the top of the stack describes, and leaves it.
#[inline(always)]
pub(crate) fn pilot_bitblt<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.slow(pilot_bitblt_slow)
}

fn pilot_bitblt_slow<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let cell = m.below(r, 1);
    let table = Table::read::<L>(m.space, LispPtr::from_cell::<L>(cell));
    if table.width > 0 && table.height > 0 {
        carry_out(m.space, &table);
    }
    m.replace(r, 1, cell);
    Flow::Next
}

fn carry_out(space: Space, table: &Table) {
    let destination = Pixel::new(table.destination, table.destination_bit as i32);
    let (width, height) = (table.width as u32, table.height as u32);
    if table.is_texture() {
        let (line, rows) = table.texture_rows();
        // The source is the row to begin with.
        let base = table.source.offset(-(line as i32));
        Shade {
            destination,
            step: table.destination_step as i64,
            width,
            height,
            texture: Texture::of_words(space, base, rows),
            line,
            column: table.source_bit as u32,
            operation: table.operation(),
            complement: table.complement(),
        }
        .run(space);
    } else {
        Transfer {
            source: Pixel::new(table.source, table.source_bit as i32),
            destination,
            source_step: table.source_step as i64,
            destination_step: table.destination_step as i64,
            width,
            height,
            backward: table.backward(),
            operation: table.operation(),
            complement: table.complement(),
        }
        .run(space);
    }
}

/// The operation of a symbol (REPLACE, PAINT, INVERT, ERASE; anything else is REPLACE), and whether the source is
/// complemented: for the source type INVERT or the operation ERASE, but not for both.
fn rule<L: Layout>(m: &Machine<L>, source_type: u32, name: u32) -> (u32, bool) {
    let erase = name == m.symbols.erase.0;
    let operation = if name == m.symbols.paint.0 {
        operation::PAINT
    } else if erase {
        operation::ERASE
    } else if name == m.symbols.invert.0 {
        operation::INVERT
    } else {
        operation::REPLACE
    };
    (operation, (source_type == m.symbols.invert.0) != erase)
}

/// A rectangle between two bitmaps; rows count from the top.
struct Move {
    from: (u32, Bitmap),
    from_x: i32,
    from_y: i32,
    to: (u32, Bitmap),
    to_x: i32,
    to_y: i32,
    width: i32,
    height: i32,
}

impl Move {
    /// Within one bitmap, moving down or to the right has to begin at the far end. (Of two bitmaps that are not the
    /// same record but share their pixels, the reference knows nothing.)
    fn backward(&self) -> bool {
        self.from.0 == self.to.0
            && self.from_y <= self.to_y
            && self.to_y <= self.from_y.wrapping_add(self.height)
            && (self.from_y != self.to_y || self.from_x < self.to_x && self.to_x < self.from_x.wrapping_add(self.width))
    }

    fn run(&self, space: Space, (operation, complement): (u32, bool)) {
        let backward = self.backward();
        let (first, sign) = if backward { (self.height - 1, -1) } else { (0, 1) };
        Transfer {
            source: self.from.1.pixel(self.from_x, self.from_y.wrapping_add(first)),
            destination: self.to.1.pixel(self.to_x, self.to_y.wrapping_add(first)),
            source_step: sign * self.from.1.step(),
            destination_step: sign * self.to.1.step(),
            width: self.width as u32,
            height: self.height as u32,
            backward,
            operation,
            complement,
        }
        .run(space)
    }
}

/// The texture a cell stands for: NIL is white, a number a shade, anything else a bitmap.
fn texture<L: Layout>(m: &Machine<L>, cell: u32) -> Texture {
    if cell == 0 {
        Texture::WHITE
    } else if type_entry::<L>(m.space, cell) & NUMBER != 0 {
        Texture::of_number(integer_value(m, cell).unwrap_or(0) as u16)
    } else {
        let bitmap = Bitmap::read::<L>(m.space, cell);
        Texture::of_words(m.space, bitmap.base, bitmap.height as u32)
    }
}

/// Subr BITBLTSUB: the innermost part of Lisp's BITBLT and BLTSHADE.
///
/// PILOTBBT (width and height), source bitmap, x, y, destination bitmap, x, y, height, source type, operation, texture,
/// window offsets x and y.
pub(crate) fn bitblt_sub<L: Layout>(m: &mut Machine<L>, arguments: &[u32]) -> Outcome {
    let space = m.space;
    let word = |n: usize| (argument(arguments, n) & 0xFFFF) as i32;
    let table = Table::read::<L>(space, LispPtr::from_cell::<L>(argument(arguments, 0)));
    let (width, height) = (table.width as i32, table.height as i32);
    if width == 0 || height == 0 {
        return no_result(arguments);
    }
    let source_type = argument(arguments, 8);
    let rule = rule(m, source_type, argument(arguments, 9));
    let to = argument(arguments, 4);
    let to = (to & L::POINTER_MASK, Bitmap::read::<L>(space, to));
    let (to_x, to_y) = (word(5), word(6));
    if source_type == m.symbols.texture.0 {
        let texture = texture(m, argument(arguments, 10));
        Shade {
            destination: to.1.pixel(to_x, to_y),
            step: to.1.step(),
            width: width as u32,
            height: height as u32,
            line: (to_y + word(12)) as u32 % texture.height(),
            column: (to_x - word(11)) as u32,
            texture,
            operation: rule.0,
            complement: rule.1,
        }
        .run(space);
    } else {
        let from = argument(arguments, 1);
        let from = (from & L::POINTER_MASK, Bitmap::read::<L>(space, from));
        Move { from, from_x: word(2), from_y: word(3), to, to_x, to_y, width, height }.run(space, rule);
    }
    no_result(arguments)
}

/// Left, bottom, right, top: right and top are just outside.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    left: i32,
    bottom: i32,
    right: i32,
    top: i32,
}

impl Bounds {
    fn intersect(self, other: Bounds) -> Bounds {
        Bounds {
            left: self.left.max(other.left),
            bottom: self.bottom.max(other.bottom),
            right: self.right.min(other.right),
            top: self.top.min(other.top),
        }
    }

    fn sized(left: i32, bottom: i32, width: i32, height: i32) -> Bounds {
        Bounds { left, bottom, right: left.saturating_add(width), top: bottom.saturating_add(height) }
    }

    fn moved(self, x: i32, y: i32) -> Bounds {
        Bounds {
            left: self.left.wrapping_add(x),
            bottom: self.bottom.wrapping_add(y),
            right: self.right.wrapping_add(x),
            top: self.top.wrapping_add(y),
        }
    }

    fn is_empty(&self) -> bool {
        self.right <= self.left || self.top <= self.bottom
    }
}

/// A clipping region, the list (left bottom width height), if it is one.
fn region<L: Layout>(m: &Machine<L>, list: u32) -> Option<Bounds> {
    let mut numbers = crate::lists::ListIter::<L>::new(m.space, list).map(|cell| integer_value(m, cell));
    let mut number = || numbers.next().flatten();
    Some(Bounds::sized(number()?, number()?, number()?, number()?))
}

/// Intersects with a clipping region if there is one; nothing if it is not a list of numbers.
fn clip<L: Layout>(m: &Machine<L>, bounds: Bounds, list: u32) -> Option<Bounds> {
    if list == 0 { Some(bounds) } else { Some(bounds.intersect(region(m, list)?)) }
}

/// Subr BITBLT.BITMAP: BITBLT from bitmap to bitmap. T if anything was to be moved.
///
/// Source bitmap, left, bottom, destination bitmap, left, bottom, width, height, source type, operation, texture,
/// clipping region, clipped source left and bottom.
pub(crate) fn bitblt_bitmap<L: Layout>(m: &mut Machine<L>, arguments: &[u32]) -> Outcome {
    let from = argument(arguments, 0);
    let from = (from & L::POINTER_MASK, Bitmap::read::<L>(m.space, from));
    let to = argument(arguments, 3);
    let to = (to & L::POINTER_MASK, Bitmap::read::<L>(m.space, to));
    let source_type = argument(arguments, 8);
    if from.1.bits_per_pixel != 1 || to.1.bits_per_pixel != 1 || source_type == m.symbols.merge.0 {
        return punt(m.symbols.punt_bitblt_bitmap);
    }
    let rule = rule(m, source_type, argument(arguments, 9));
    let Some(request) = clipped_move(m, arguments, from, to) else {
        return Ok(AtomIndex::NIL.0);
    };
    request.run(m.space, rule);
    Ok(AtomIndex::T.0)
}

/// What is left of a BITBLT.BITMAP after clipping, if anything.
fn clipped_move<L: Layout>(m: &Machine<L>, arguments: &[u32], from: (u32, Bitmap), to: (u32, Bitmap)) -> Option<Move> {
    let number = |n: usize| integer_value(m, argument(arguments, n));
    let (source_left, source_bottom) = (number(1)?, number(2)?);
    let (left, bottom) = (number(4)?, number(5)?);
    let (width, height) = (number(6)?, number(7)?);
    let (clipped_left, clipped_bottom) = (number(12)?, number(13)?);
    let (over, up) = (left.wrapping_sub(source_left), bottom.wrapping_sub(source_bottom));
    let in_destination = clip(m, Bounds::sized(0, 0, to.1.width, to.1.height), argument(arguments, 11))?
        .intersect(Bounds::sized(left, bottom, width, height));
    // From here on in the source's coordinates.
    let bounds = in_destination
        .moved(over.wrapping_neg(), up.wrapping_neg())
        .intersect(Bounds::sized(0, 0, from.1.width, from.1.height))
        .intersect(Bounds::sized(clipped_left, clipped_bottom, width, height));
    if bounds.is_empty() {
        return None;
    }
    Some(Move {
        from_x: bounds.left,
        from_y: from.1.height - bounds.top,
        to_x: bounds.left.wrapping_add(over),
        to_y: to.1.height - bounds.top.wrapping_add(up),
        width: bounds.right - bounds.left,
        height: bounds.top - bounds.bottom,
        from,
        to,
    })
}

/// Subr BLTSHADE.BITMAP: fills a rectangle with a texture. T if anything was to be filled.
///
/// Texture, destination bitmap, left, bottom, width or NIL, height or NIL, operation, clipping region.
pub(crate) fn bltshade_bitmap<L: Layout>(m: &mut Machine<L>, arguments: &[u32]) -> Outcome {
    let shade = argument(arguments, 0);
    let bitmap = Bitmap::read::<L>(m.space, argument(arguments, 1));
    let lisp_knows = match type_number::<L>(m.space, shade) {
        types::LITATOM => shade != 0,
        types::NEW_ATOM | types::LISTP => true,
        _ => false,
    };
    if lisp_knows || bitmap.bits_per_pixel != 1 {
        return punt(m.symbols.punt_bltshade_bitmap);
    }
    let Some(bounds) = shaded_bounds(m, arguments, &bitmap) else {
        return Ok(AtomIndex::NIL.0);
    };
    let (operation, complement) = rule(m, 0, argument(arguments, 6));
    let texture = texture(m, shade);
    let row = bitmap.height - bounds.top;
    Shade {
        destination: bitmap.pixel(bounds.left, row),
        step: bitmap.step(),
        width: (bounds.right - bounds.left) as u32,
        height: (bounds.top - bounds.bottom) as u32,
        line: row as u32 % texture.height(),
        column: bounds.left as u32,
        texture,
        operation,
        complement,
    }
    .run(m.space);
    Ok(AtomIndex::T.0)
}

/// What is left of a BLTSHADE.BITMAP after clipping, if anything.
fn shaded_bounds<L: Layout>(m: &Machine<L>, arguments: &[u32], bitmap: &Bitmap) -> Option<Bounds> {
    let number = |n: usize| integer_value(m, argument(arguments, n));
    // A size that is not given is as large as it can be.
    let size = |n: usize| if argument(arguments, n) == 0 { Some(i32::MAX) } else { number(n) };
    let (left, bottom) = (number(2)?, number(3)?);
    let whole = Bounds::sized(0, 0, bitmap.width, bitmap.height);
    let bounds = clip(m, whole, argument(arguments, 7))?.intersect(Bounds::sized(left, bottom, size(4)?, size(5)?));
    if bounds.is_empty() { None } else { Some(bounds) }
}
