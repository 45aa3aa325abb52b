//! Arrays: elements of Common Lisp's one- and two-dimensional arrays.
//!
//! ```text
//!   ONED-ARRAY     Medley 2.0                          Medley 3.5
//!   word 0-1       base of the elements                base of the elements
//!   word 2         8 bits of flags, 8 bits of element type (kind and size)
//!   word 3         offset, in elements
//!   word 4         fill pointer, 16 bits               4-5: fill pointer
//!   word 5         total size, 16 bits                 6-7: total size
//!
//!   TWOD-ARRAY
//!   word 3         first bound                         4-5: first bound
//!   word 4         second bound                        6-7: total size
//!   word 5         total size                          8-9: second bound
//! ```

use crate::address::{ByteAddr, LispPtr};
use crate::collector::{add_reference, delete_reference};
use crate::dispatch::Flow;
use crate::integers::{integer_value, make_integer};
use crate::layout::{CHARACTERS, Layout, SMALL_NEGATIVE, SMALL_POSITIVE, type_number, types};
use crate::machine::{Machine, Regs, attempt};
use crate::memory::Space;
use crate::symbols::Characters;

/// Element types, by their code in the header: the kind in the high nibble, the size in the low one.
mod elements {
    /// Bits, the first one leftmost in its byte.
    pub(super) const BIT: u32 = 0;
    /// Unsigned, 8 bits.
    pub(super) const BYTE: u32 = 3;
    /// Unsigned, 16 bits.
    pub(super) const WORD: u32 = 4;
    /// Signed, 16 bits.
    pub(super) const SIGNED_WORD: u32 = 20;
    /// Signed, 32 bits.
    pub(super) const SIGNED_CELL: u32 = 22;
    /// Counted pointers.
    pub(super) const POINTER: u32 = 38;
    /// Single floats.
    pub(super) const FLOAT: u32 = 54;
    /// Characters of 8 bits.
    pub(super) const THIN_CHARACTER: u32 = 67;
    /// Characters of 16 bits.
    pub(super) const FAT_CHARACTER: u32 = 68;
    /// Pointers that are not counted.
    pub(super) const XPOINTER: u32 = 86;
}

/// A one-dimensional array.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Vector {
    base: LispPtr,
    offset: u32,
    /// The code of the element type.
    pub(crate) element: u32,
    /// Elements up to the fill pointer.
    pub(crate) fill: u32,
    /// Elements in all.
    pub(crate) length: u32,
}

impl Vector {
    /// The header of a one-dimensional array, or nothing if this is none.
    #[inline(always)]
    pub(crate) fn read<L: Layout>(space: Space, cell: u32) -> Option<Vector> {
        let at = LispPtr::from_cell::<L>(cell);
        if type_number::<L>(space, at.0) != types::ONED_ARRAY {
            return None;
        }
        let second = space.cell(at.plus(2));
        let third = space.cell(at.plus(4));
        let (fill, length) = if L::BIG { (third, space.cell(at.plus(6))) } else { (third >> 16, third & 0xFFFF) };
        Some(Vector {
            base: LispPtr::from_cell::<L>(space.cell(at)),
            offset: second & 0xFFFF,
            element: second >> 16 & 0xFF,
            fill,
            length,
        })
    }

    /// Where a 32-bit element is.
    pub(crate) fn pointer_at(&self, index: u32) -> LispPtr {
        self.base.plus(2 * (self.offset + index))
    }

    /// Where an 8-bit element is.
    pub(crate) fn byte_at(&self, index: u32) -> ByteAddr {
        self.base.byte().plus(self.offset + index)
    }

    /// The characters of a string.
    pub(crate) fn characters(&self, space: Space) -> Characters<'static> {
        if self.element == elements::FAT_CHARACTER {
            Characters::Fat(space, self.base.plus(self.offset), self.fill)
        } else {
            Characters::Thin(space, self.byte_at(0), self.fill)
        }
    }
}

/// A place in an array's storage.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element {
    /// The first word of the storage.
    pub(crate) base: LispPtr,
    /// The element's number, from the first one of the storage.
    pub(crate) index: u32,
    /// The code of its type.
    pub(crate) kind: u32,
}

impl Element {
    #[inline(always)]
    fn cell_at(self) -> LispPtr {
        self.base.plus(2 * self.index)
    }

    #[inline(always)]
    fn word_at(self) -> LispPtr {
        self.base.plus(self.index)
    }

    #[inline(always)]
    fn byte_at(self) -> ByteAddr {
        self.base.byte().plus(self.index)
    }

    /// The byte that a bit is in, and how far the bit is shifted in it.
    #[inline(always)]
    fn bit_at(self) -> (ByteAddr, u32) {
        (self.base.byte().plus(self.index >> 3), 7 - (self.index & 7))
    }

    /// The element as Lisp has it, unless an object must be made for it.
    #[inline(always)]
    fn fetch_immediate(self, space: Space) -> Option<u32> {
        Some(match self.kind {
            elements::POINTER | elements::XPOINTER => space.cell(self.cell_at()),
            elements::WORD => SMALL_POSITIVE | space.word(self.word_at()) as u32,
            elements::SIGNED_WORD => {
                let word = space.word(self.word_at()) as u32;
                word | if word & 0x8000 != 0 { SMALL_NEGATIVE } else { SMALL_POSITIVE }
            }
            elements::FAT_CHARACTER => CHARACTERS | space.word(self.word_at()) as u32,
            elements::THIN_CHARACTER => CHARACTERS | space.byte(self.byte_at()) as u32,
            elements::BYTE => SMALL_POSITIVE | space.byte(self.byte_at()) as u32,
            elements::BIT => {
                let (at, shift) = self.bit_at();
                SMALL_POSITIVE | (space.byte(at) as u32 >> shift & 1)
            }
            _ => return None,
        })
    }

    /// The element as Lisp has it; [`Flow::Ufn`] if its type is unknown.
    pub(crate) fn fetch<L: Layout>(self, m: &mut Machine<L>) -> Result<u32, Flow> {
        if let Some(cell) = self.fetch_immediate(m.space) {
            return Ok(cell);
        }
        let raw = m.space.cell(self.cell_at());
        match self.kind {
            elements::SIGNED_CELL => make_integer(m, raw as i32),
            elements::FLOAT => {
                let float = crate::storage::create_cell(m, types::FLOATP)?;
                m.space.set_cell(float, raw);
                Ok(float.0)
            }
            _ => Err(Flow::Ufn),
        }
    }

    /// Stores an element; [`Flow::Ufn`] if its type is unknown or the datum is not of that type.
    #[inline(always)]
    pub(crate) fn store<L: Layout>(self, m: &mut Machine<L>, datum: u32) -> Result<(), Flow> {
        let space = m.space;
        let low = datum & 0xFFFF;
        let segment = datum & L::SEGMENT_MASK;
        match self.kind {
            elements::POINTER => {
                delete_reference(m, space.cell(self.cell_at()));
                add_reference(m, datum);
                space.set_cell(self.cell_at(), datum);
            }
            elements::XPOINTER => space.set_cell(self.cell_at(), datum),
            elements::SIGNED_WORD => {
                let sign = if low & 0x8000 != 0 { SMALL_NEGATIVE } else { SMALL_POSITIVE };
                if segment != sign {
                    return Err(Flow::Ufn);
                }
                space.set_word(self.word_at(), low as u16);
            }
            elements::THIN_CHARACTER => {
                if segment != CHARACTERS || low > 0xFF {
                    return Err(Flow::Ufn);
                }
                space.set_byte(self.byte_at(), low as u8);
            }
            elements::FAT_CHARACTER => {
                if segment != CHARACTERS {
                    return Err(Flow::Ufn);
                }
                space.set_word(self.word_at(), low as u16);
            }
            elements::BYTE => space.set_byte(self.byte_at(), natural_to(m, datum, 0xFF)? as u8),
            elements::WORD => space.set_word(self.word_at(), natural_to(m, datum, 0xFFFF)? as u16),
            elements::BIT => {
                let bit = natural_to(m, datum, 1)? as u8;
                let (at, shift) = self.bit_at();
                space.set_byte(at, space.byte(at) & !(1 << shift) | bit << shift);
            }
            elements::SIGNED_CELL => {
                let value = integer_value(m, datum).ok_or(Flow::Ufn)?;
                space.set_cell(self.cell_at(), value as u32);
            }
            elements::FLOAT => {
                if type_number::<L>(space, datum) != types::FLOATP {
                    return Err(Flow::Ufn);
                }
                space.set_cell(self.cell_at(), space.cell(LispPtr::from_cell::<L>(datum)));
            }
            _ => return Err(Flow::Ufn),
        }
        Ok(())
    }
}

/// The value of a small integer or FIXP that is not negative.
#[inline(always)]
pub(crate) fn natural<L: Layout>(m: &Machine<L>, cell: u32) -> Option<u32> {
    if cell & L::SEGMENT_MASK == SMALL_POSITIVE {
        return Some(cell & 0xFFFF);
    }
    if type_number::<L>(m.space, cell) != types::FIXP {
        return None;
    }
    let value = m.space.cell(LispPtr::from_cell::<L>(cell));
    (value as i32 >= 0).then_some(value)
}

fn natural_to<L: Layout>(m: &Machine<L>, cell: u32, most: u32) -> Result<u32, Flow> {
    natural(m, cell).filter(|value| *value <= most).ok_or(Flow::Ufn)
}

/// Element `index` of a one-dimensional array.
#[inline(always)]
fn element_1<L: Layout>(space: Space, array: u32, index: u32) -> Option<Element> {
    let array = Vector::read::<L>(space, array)?;
    if index as i32 >= array.length as i32 {
        return None;
    }
    Some(Element { base: array.base, index: array.offset.wrapping_add(index), kind: array.element })
}

/// The element of a two-dimensional array at these indices, as they are on the stack.
#[inline(always)]
fn element_2<L: Layout>(m: &Machine<L>, array: u32, row: u32, column: u32) -> Option<Element> {
    let space = m.space;
    let at = LispPtr::from_cell::<L>(array);
    if type_number::<L>(space, at.0) != types::TWOD_ARRAY {
        return None;
    }
    let header = space.cell(at.plus(2));
    let third = space.cell(at.plus(4));
    let (rows, columns) = if L::BIG { (third, space.cell(at.plus(8))) } else { (header & 0xFFFF, third >> 16) };
    let (row, column) = (natural(m, row)?, natural(m, column)?);
    if row as i32 >= rows as i32 || column as i32 >= columns as i32 {
        return None;
    }
    Some(Element {
        base: LispPtr::from_cell::<L>(space.cell(at)),
        index: row.wrapping_mul(columns).wrapping_add(column),
        kind: header >> 16 & 0xFF,
    })
}

/// AREF1: the array below, the index on top.
#[inline(always)]
pub(crate) fn aref1<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    if r.tos & L::SEGMENT_MASK == SMALL_POSITIVE {
        let element = element_1::<L>(m.space, m.below(r, 1), r.tos & 0xFFFF);
        if let Some(cell) = element.and_then(|element| element.fetch_immediate(m.space)) {
            m.replace(r, 1, cell);
            return Flow::Next;
        }
    }
    m.slow(aref1_slow)
}

fn aref1_slow<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let Some(index) = natural(m, r.tos) else {
        return Flow::Ufn;
    };
    let Some(element) = element_1::<L>(m.space, m.below(r, 1), index) else {
        return Flow::Ufn;
    };
    let cell = attempt!(element.fetch(m));
    m.replace(r, 1, cell);
    Flow::Next
}

/// ASET1: the new element below, then the array, the index on top.
#[inline(always)]
pub(crate) fn aset1<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.slow(aset1_slow)
}

fn aset1_slow<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let Some(index) = natural(m, r.tos) else {
        return Flow::Ufn;
    };
    let Some(element) = element_1::<L>(m.space, m.below(r, 1), index) else {
        return Flow::Ufn;
    };
    let datum = m.below(r, 2);
    attempt!(element.store(m, datum));
    m.replace(r, 2, datum);
    Flow::Next
}

/// AREF2: the array below, then the first index, the second on top.
#[inline(always)]
pub(crate) fn aref2<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.slow(aref2_slow)
}

fn aref2_slow<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let Some(element) = element_2(m, m.below(r, 2), m.below(r, 1), r.tos) else {
        return Flow::Ufn;
    };
    let cell = attempt!(element.fetch(m));
    m.replace(r, 2, cell);
    Flow::Next
}

/// ASET2: the new element below, then the array, then the first index, the second on top.
#[inline(always)]
pub(crate) fn aset2<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.slow(aset2_slow)
}

fn aset2_slow<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let Some(element) = element_2(m, m.below(r, 2), m.below(r, 1), r.tos) else {
        return Flow::Ufn;
    };
    let datum = m.below(r, 3);
    attempt!(element.store(m, datum));
    m.replace(r, 3, datum);
    Flow::Next
}
