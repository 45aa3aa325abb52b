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

    /// Is this a string?
    pub(crate) fn is_string(&self) -> bool {
        matches!(self.element, elements::THIN_CHARACTER | elements::FAT_CHARACTER)
    }

    /// A character of a string.
    pub(crate) fn character_at(&self, space: Space, index: u32) -> u16 {
        if self.element == elements::FAT_CHARACTER {
            space.word(self.base.plus(self.offset + index))
        } else {
            space.byte(self.byte_at(index)) as u16
        }
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

/// The element of a two-dimensional array at these indices.
#[inline(always)]
fn element_2<L: Layout>(space: Space, array: u32, row: u32, column: u32) -> Option<Element> {
    let at = LispPtr::from_cell::<L>(array);
    if type_number::<L>(space, at.0) != types::TWOD_ARRAY {
        return None;
    }
    let header = space.cell(at.plus(2));
    let third = space.cell(at.plus(4));
    let (rows, columns) = if L::BIG { (third, space.cell(at.plus(8))) } else { (header & 0xFFFF, third >> 16) };
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
pub(crate) fn aset1<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    if r.tos & L::SEGMENT_MASK == SMALL_POSITIVE
        && let Some(at) = element_1::<L>(m.space, m.below(r, 1), r.tos & 0xFFFF)
    {
        let datum = m.below(r, 2);
        if elements::store_immediate::<L>(m.space, at.kind, at.base, at.index, datum) {
            m.replace(r, 2, datum);
            return Flow::Next;
        }
    }
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
pub(crate) fn aref2<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let (row, column) = (m.below(r, 1), r.tos);
    if (row ^ SMALL_POSITIVE) | (column ^ SMALL_POSITIVE) <= 0xFFFF {
        let element = element_2::<L>(m.space, m.below(r, 2), row & 0xFFFF, column & 0xFFFF);
        if let Some(cell) = element.and_then(|at| elements::fetch_immediate(m.space, at.kind, at.base, at.index)) {
            m.replace(r, 2, cell);
            return Flow::Next;
        }
    }
    m.slow(aref2_slow)
}

fn aref2_slow<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let (Some(row), Some(column)) = (index_value(m, m.below(r, 1)), index_value(m, r.tos)) else {
        return Flow::Ufn;
    };
    let Some(element) = element_2::<L>(m.space, m.below(r, 2), row, column) else {
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
    let (Some(row), Some(column)) = (index_value(m, m.below(r, 1)), index_value(m, r.tos)) else {
        return Flow::Ufn;
    };
    let Some(element) = element_2::<L>(m.space, m.below(r, 2), row, column) else {
        return Flow::Ufn;
    };
    let datum = m.below(r, 3);
    attempt!(element.store(m, datum));
    m.replace(r, 3, datum);
    Flow::Next
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{CHARACTERS, Medley2, Medley35, SMALL_NEGATIVE};
    use crate::storage::TypeDescriptor;
    use crate::storage::tests::with_storage;

    const ARRAY: LispPtr = LispPtr(0x40_0000);
    const MATRIX: LispPtr = LispPtr(0x40_0200);
    const BASE: LispPtr = LispPtr(0x50_0000);

    fn run<L: Layout>(
        m: &mut Machine<L>,
        opcode: fn(&mut Machine<L>, &mut Regs) -> Flow,
        stack: &[u32],
    ) -> (Flow, u32) {
        let mut r = m.regs;
        for cell in stack {
            m.push(&mut r, *cell);
        }
        let mut flow = opcode(m, &mut r);
        if flow == Flow::Slow {
            let rest = m.slow_path;
            flow = rest(m, &mut r);
        }
        if flow == Flow::Next {
            assert_eq!(r.sp, m.regs.sp + 2, "one value is left");
        } else {
            assert_eq!((r.sp, r.tos), (m.regs.sp + 2 * stack.len() as u32, stack[stack.len() - 1]));
        }
        (flow, r.tos)
    }

    /// A machine with a vector of 10 elements, 2 of them cut off in front, and a matrix of 3 rows of 5.
    fn with_arrays<L: Layout>(kind: u32) -> crate::testing::Fixture<L> {
        let m = with_storage::<L>();
        for (at, number) in [(ARRAY, types::ONED_ARRAY), (MATRIX, types::TWOD_ARRAY)] {
            m.space.set_word(LispPtr(L::MDS_TYPE_TABLE.0 + (at.0 >> 9)), number as u16);
            m.space.set_cell(at, BASE.0);
        }
        TypeDescriptor::<L>::of(types::FIXP).declare(m.space, 2, 2, types::FIXP as u16, 0);
        TypeDescriptor::<L>::of(types::FLOATP).declare(m.space, 3, 2, types::FLOATP as u16, 0);
        m.space.set_cell(ARRAY.plus(2), kind << 16 | 2);
        if L::BIG {
            m.space.set_cell(ARRAY.plus(4), 5);
            m.space.set_cell(ARRAY.plus(6), 10);
            m.space.set_cell(MATRIX.plus(2), kind << 16);
            m.space.set_cell(MATRIX.plus(4), 3);
            m.space.set_cell(MATRIX.plus(6), 15);
            m.space.set_cell(MATRIX.plus(8), 5);
        } else {
            m.space.set_cell(ARRAY.plus(4), 5 << 16 | 10);
            m.space.set_cell(MATRIX.plus(2), kind << 16 | 3);
            m.space.set_cell(MATRIX.plus(4), 5 << 16 | 15);
        }
        m
    }

    fn small(i: u32) -> u32 {
        SMALL_POSITIVE | i
    }

    /// Every element type: what fits comes back, what does not is for Lisp; nothing else changes.
    fn element_types<L: Layout>() {
        let minus = |i: u32| SMALL_NEGATIVE | (0x1_0000 - i);
        for (kind, good, bad) in [
            (0, [small(1), small(0)].as_slice(), [small(2), minus(1), 76].as_slice()),
            (3, &[small(0), small(255)], &[small(256), minus(1), CHARACTERS]),
            (4, &[small(0), small(65535)], &[minus(1), 0]),
            (20, &[small(32767), minus(1), minus(32768)], &[small(32768), minus(32769), 76]),
            (22, &[small(65535), minus(65536)], &[76, CHARACTERS | 65]),
            (38, &[76, small(5), 0x12_3456], &[]),
            (67, &[CHARACTERS | 65, CHARACTERS | 255], &[CHARACTERS | 256, small(65)]),
            (68, &[CHARACTERS | 65, CHARACTERS | 65535], &[small(65)]),
            (86, &[76, small(5), 0x12_3456], &[]),
            (99, &[], &[76, small(1)]),
        ] {
            let mut m = with_arrays::<L>(kind);
            let m = &mut *m;
            for datum in good {
                assert_eq!(run(m, aset1, &[*datum, ARRAY.0, small(7)]), (Flow::Next, *datum), "type {kind}");
                assert_eq!(run(m, aref1, &[ARRAY.0, small(7)]), (Flow::Next, *datum), "type {kind}");
                // Element 7 behind an offset of 2 is element 9: row 1, column 4.
                assert_eq!(run(m, aref2, &[MATRIX.0, small(1), small(4)]), (Flow::Next, *datum), "type {kind}");
                let zero = run(m, aref1, &[ARRAY.0, small(6)]).1;
                assert_eq!(run(m, aset2, &[*datum, MATRIX.0, small(2), small(0)]), (Flow::Next, *datum));
                assert_eq!(run(m, aref1, &[ARRAY.0, small(8)]), (Flow::Next, *datum));
                assert_eq!(run(m, aref1, &[ARRAY.0, small(6)]).1, zero, "its neighbour is left alone");
                assert_eq!(run(m, aref1, &[ARRAY.0, small(9)]).1, zero, "its neighbour is left alone");
            }
            for datum in bad {
                assert_eq!(run(m, aset1, &[*datum, ARRAY.0, small(7)]).0, Flow::Ufn, "type {kind}, {datum:#x}");
            }
        }
    }

    #[test]
    fn elements_of_all_types() {
        element_types::<Medley2>();
        element_types::<Medley35>();
    }

    #[test]
    fn boxed_elements() {
        let mut m = with_arrays::<Medley35>(22);
        let m = &mut *m;
        m.space.set_cell(BASE.plus(2 * 2), 0x1234_5678);
        let (flow, number) = run(m, aref1, &[ARRAY.0, small(0)]);
        assert_eq!((flow, type_number::<Medley35>(m.space, number)), (Flow::Next, types::FIXP));
        assert_eq!(run(m, aset1, &[number, ARRAY.0, small(1)]), (Flow::Next, number));
        assert_eq!(m.space.cell(BASE.plus(2 * 3)), 0x1234_5678);
        m.space.set_cell(ARRAY.plus(2), 54 << 16);
        assert_eq!(run(m, aset1, &[number, ARRAY.0, small(1)]).0, Flow::Ufn, "an integer is no float");
        let (flow, float) = run(m, aref1, &[ARRAY.0, small(2)]);
        assert_eq!((flow, type_number::<Medley35>(m.space, float)), (Flow::Next, types::FLOATP));
        assert_eq!(run(m, aset1, &[float, ARRAY.0, small(9)]), (Flow::Next, float));
        assert_eq!(m.space.cell(BASE.plus(2 * 9)), 0x1234_5678);
    }

    fn bounds<L: Layout>() {
        let mut m = with_arrays::<L>(38);
        let m = &mut *m;
        let index = crate::storage::create_cell(m, types::FIXP).unwrap();
        m.space.set_cell(index, 9);
        assert_eq!(run(m, aref1, &[ARRAY.0, index.0]).0, Flow::Next, "an index may be a FIXP");
        m.space.set_cell(index, u32::MAX);
        assert_eq!(run(m, aref1, &[ARRAY.0, index.0]).0, Flow::Ufn);
        for at in [small(10), SMALL_NEGATIVE | 0xFFFF, 76] {
            assert_eq!(run(m, aref1, &[ARRAY.0, at]).0, Flow::Ufn);
            assert_eq!(run(m, aset1, &[76, ARRAY.0, at]).0, Flow::Ufn);
        }
        assert_eq!(run(m, aref1, &[MATRIX.0, small(0)]).0, Flow::Ufn);
        assert_eq!(run(m, aref2, &[ARRAY.0, small(0), small(0)]).0, Flow::Ufn);
        for (row, column) in [(3, 0), (0, 5), (3, 5)] {
            assert_eq!(run(m, aref2, &[MATRIX.0, small(row), small(column)]).0, Flow::Ufn);
            assert_eq!(run(m, aset2, &[76, MATRIX.0, small(row), small(column)]).0, Flow::Ufn);
        }
        assert_eq!(run(m, aref2, &[MATRIX.0, small(2), small(4)]).0, Flow::Next);
    }

    #[test]
    fn indices_have_bounds() {
        bounds::<Medley2>();
        bounds::<Medley35>();
    }
}
