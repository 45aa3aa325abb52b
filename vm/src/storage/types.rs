//! Data type descriptors: what the image knows of each type of object.
//!
//! ```text
//!        Medley 2.0, 16 words                        Medley 3.5, 18 words
//!    0   name, low 16 bits                      0    flags (29 obsolete, 28 finalizable), name, 28 bits
//!    1   size in words                          2    cells allocated at once since the last count (CONS only)
//!    2   free chain: first free cell            3    size in words
//!    4   flags (28 finalizable, 27 locked,      4    free chain: first free cell
//!        26 hunk, 25-24 GC type), descriptors   6    flags (31 locked, 30 hunk, 29-28 GC type), descriptors
//!    6   name, high 8 bits; type specifiers     8    type specifiers
//!    8   list of pointer offsets               10    list of pointer offsets
//!   10   cells allocated                       12    cells allocated
//!   12   cells allocated at once (CONS only)   14    CONS: first page with free cells
//!   13   CONS: first page with free cells
//!   14   type-table entry                      16    type-table entry
//!   15   supertype                             17    supertype
//! ```
//!
//! Numbers at the left are word offsets; bits are those of the cell.

use crate::address::LispPtr;
use crate::layout::Layout;
use crate::memory::Space;
use core::marker::PhantomData;

/// The descriptor of a type.
#[derive(Clone, Copy)]
pub(crate) struct TypeDescriptor<L> {
    at: LispPtr,
    layout: PhantomData<L>,
}

/// One word offset for each layout.
#[inline(always)]
const fn pick<L: Layout>(medley2: u32, medley35: u32) -> u32 {
    if L::BIG { medley35 } else { medley2 }
}

impl<L: Layout> TypeDescriptor<L> {
    /// The descriptor of a type, by number.
    #[inline(always)]
    pub(crate) fn of(type_number: u32) -> Self {
        TypeDescriptor { at: L::DTD.plus(pick::<L>(16, 18) * type_number), layout: PhantomData }
    }

    /// The symbol that names the type.
    #[inline(always)]
    pub(crate) fn name(self, space: Space) -> u32 {
        if L::BIG {
            space.cell(self.at) & L::POINTER_MASK
        } else {
            space.cell(self.at) >> 16 | space.cell(self.at.plus(6)) >> 24 << 16
        }
    }

    /// Words in an object of this type; 0 if such objects cannot be made.
    #[inline(always)]
    pub(crate) fn size(self, space: Space) -> u32 {
        space.word(self.at.plus(pick::<L>(1, 3))) as u32
    }

    /// The first free cell, or NIL.
    #[inline(always)]
    pub(crate) fn free(self, space: Space) -> LispPtr {
        LispPtr::from_cell::<L>(space.cell(self.at.plus(pick::<L>(2, 4))))
    }

    /// Sets the first free cell.
    #[inline(always)]
    pub(crate) fn set_free(self, space: Space, cell: LispPtr) {
        space.set_cell(self.at.plus(pick::<L>(2, 4)), cell.0);
    }

    /// The list of the word offsets of the pointers in an object.
    pub(crate) fn pointers(self, space: Space) -> u32 {
        space.cell(self.at.plus(pick::<L>(8, 10)))
    }

    /// Counts one more object made.
    #[inline(always)]
    pub(crate) fn count(self, space: Space) {
        let at = self.at.plus(pick::<L>(10, 12));
        space.set_cell(at, space.cell(at).wrapping_add(1));
    }

    /// Objects made so far.
    pub(crate) fn made(self, space: Space) -> u32 {
        let at_once = space.word(self.at.plus(pick::<L>(12, 2))) as u32;
        space.cell(self.at.plus(pick::<L>(10, 12))).wrapping_add(at_once)
    }

    /// Counts one more CONS cell made from a page at hand.
    #[inline(always)]
    pub(crate) fn count_at_once(self, space: Space) {
        let at = self.at.plus(pick::<L>(12, 2));
        space.set_word(at, space.word(at).wrapping_add(1));
    }

    /// The first page in the chain of CONS pages with free cells, or 0.
    #[inline(always)]
    pub(crate) fn next_page(self, space: Space) -> u32 {
        if L::BIG { space.cell(self.at.plus(14)) } else { space.word(self.at.plus(13)) as u32 }
    }

    /// Sets the first page in that chain.
    #[inline(always)]
    pub(crate) fn set_next_page(self, space: Space, page: u32) {
        if L::BIG {
            space.set_cell(self.at.plus(14), page);
        } else {
            space.set_word(self.at.plus(13), page as u16);
        }
    }

    /// What the type table holds for pages of this type.
    pub(crate) fn type_entry(self, space: Space) -> u16 {
        space.word(self.at.plus(pick::<L>(14, 16)))
    }

    /// The number of the type that this one extends, or 0.
    #[inline(always)]
    pub(crate) fn supertype(self, space: Space) -> u32 {
        space.word(self.at.plus(pick::<L>(15, 17))) as u32
    }

    /// Makes up a descriptor, for tests.
    #[cfg(test)]
    pub(crate) fn declare(self, space: Space, name: u32, size: u16, type_entry: u16, supertype: u16) {
        if L::BIG {
            space.set_cell(self.at, name);
        } else {
            space.set_word(self.at, name as u16);
            space.set_cell(self.at.plus(6), name >> 16 << 24);
        }
        space.set_word(self.at.plus(pick::<L>(1, 3)), size);
        space.set_word(self.at.plus(pick::<L>(14, 16)), type_entry);
        space.set_word(self.at.plus(pick::<L>(15, 17)), supertype);
    }
}
