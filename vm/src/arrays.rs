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
use crate::error::MachineError;
use crate::layout::{Layout, type_number, types};
use crate::machine::{Machine, Regs};
use crate::memory::Space;
use crate::symbols::Characters;

/// Element types, by their code in the header.
mod elements {
    /// Characters of 16 bits.
    pub(super) const FAT_CHARACTER: u32 = 68;
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

/// Not built yet.
#[inline(always)]
pub(crate) fn aref1<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "arrays::aref1" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn aset1<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "arrays::aset1" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn aref2<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "arrays::aref2" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn aset2<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "arrays::aset2" })
}
