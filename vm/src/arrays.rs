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
use crate::dispatch::Flow;
use crate::elements::{self, index_value};
use crate::layout::{Layout, SMALL_POSITIVE, type_number, types};
use crate::machine::{Machine, Regs, attempt};
use crate::memory::Space;
use crate::symbols::Characters;

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
#[derive(Clone, Copy)]
struct Element {
    /// The first word of the storage.
    base: LispPtr,
    /// The element's number, from the first one of the storage.
    index: u32,
    /// The code of its type.
    kind: u32,
}

impl Element {
    /// The element as Lisp has it; [`Flow::Ufn`] if its type is unknown.
    fn fetch<L: Layout>(self, m: &mut Machine<L>) -> Result<u32, Flow> {
        elements::fetch(m, self.kind, self.base, self.index)?.ok_or(Flow::Ufn)
    }

    /// Stores an element; [`Flow::Ufn`] if its type is unknown or the datum is not of that type.
    fn store<L: Layout>(self, m: &mut Machine<L>, datum: u32) -> Result<(), Flow> {
        if elements::store(m, self.kind, self.base, self.index, datum) { Ok(()) } else { Err(Flow::Ufn) }
    }
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
    let (row, column) = (index_value(m, row)?, index_value(m, column)?);
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
        if let Some(cell) = element.and_then(|at| elements::fetch_immediate(m.space, at.kind, at.base, at.index)) {
            m.replace(r, 1, cell);
            return Flow::Next;
        }
    }
    m.slow(aref1_slow)
}

fn aref1_slow<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let Some(index) = index_value(m, r.tos) else {
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
    let Some(index) = index_value(m, r.tos) else {
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
