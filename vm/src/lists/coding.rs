//! CDR coding: how a CONS cell of 32 bits holds two pointers.
//!
//! ```text
//!                 31        24 23                     0
//!   old           | CDR code  | CAR, 24 bits          |      a code counts cells from the start of the page
//!                 31 28 27                            0
//!   new           |code| CAR, 28 bits                 |      a code counts cells forward from this cell
//!
//!   code          old          new
//!   indirect      0            0         this cell's CAR is the address of another cell, which holds both
//!   stored        1..127       1..7      the CDR is any pointer; it is stored in the cell that the code names
//!   NIL           128          8         the CDR is NIL
//!   adjacent      129..255     9..15     the CDR is the CONS cell that the code (less the top bit) names
//! ```

use crate::address::LispPtr;
use crate::layout::{Layout, type_number, types};
use crate::memory::Space;
use core::marker::PhantomData;

/// What differs between the two CDR codings.
pub trait CdrCoding: Copy + 'static {
    /// How far the code is shifted up in a cell.
    const SHIFT: u32;
    /// The code for NIL, which is also the bit that marks a CDR that is a cell nearby.
    const NIL: u32 = 1 << (31 - Self::SHIFT);

    /// True if a cell reaches only a few others, so that one has to look for a suitable one.
    const NARROW_REACH: bool;
    /// Word offset of the header in a CONS page.
    const HEADER: u32;
    /// What turns the place of a cell in the order of the free chain into its word offset, by exclusive or.
    const FLIP: u32;
    /// Cells of a page that can be used.
    const PAGE_CELLS: u32;

    /// The address that the codes of a cell count from.
    fn origin(cell: LispPtr) -> LispPtr;
    /// True if `cell` can name the CONS cell `cdr` by a code.
    fn reaches(cell: LispPtr, cdr: LispPtr) -> bool;
}

/// Medley 2.0's coding: 8 bits, within the page.
#[derive(Clone, Copy, Debug)]
pub struct OldCoding;

/// Medley 3.5's coding: 4 bits, forward from the cell.
#[derive(Clone, Copy, Debug)]
pub struct NewCoding;

impl CdrCoding for OldCoding {
    const SHIFT: u32 = 24;
    const NARROW_REACH: bool = false;
    const HEADER: u32 = 0;
    const FLIP: u32 = 0;
    const PAGE_CELLS: u32 = 127;

    #[inline(always)]
    fn origin(cell: LispPtr) -> LispPtr {
        cell.page_base()
    }

    #[inline(always)]
    fn reaches(cell: LispPtr, cdr: LispPtr) -> bool {
        cell.page() == cdr.page()
    }
}

impl CdrCoding for NewCoding {
    const SHIFT: u32 = 28;
    const NARROW_REACH: bool = true;
    const HEADER: u32 = 4;
    const FLIP: u32 = 6;
    const PAGE_CELLS: u32 = 124;

    #[inline(always)]
    fn origin(cell: LispPtr) -> LispPtr {
        cell
    }

    #[inline(always)]
    fn reaches(cell: LispPtr, cdr: LispPtr) -> bool {
        cell.page() == cdr.page() && cdr.0 > cell.0 && cdr.0 <= cell.0 + 14
    }
}

/// The CAR of a CONS cell.
#[inline(always)]
pub(crate) fn car_of<L: Layout>(space: Space, cell: LispPtr) -> u32 {
    let raw = space.cell(cell);
    if raw >> L::Cdr::SHIFT == 0 {
        return space.cell(LispPtr::from_cell::<L>(raw)) & L::POINTER_MASK;
    }
    raw & L::POINTER_MASK
}

/// The CDR of a CONS cell.
#[inline(always)]
pub(crate) fn cdr_of<L: Layout>(space: Space, mut cell: LispPtr) -> u32 {
    let mut raw = space.cell(cell);
    let mut code = raw >> L::Cdr::SHIFT;
    if code == 0 {
        cell = LispPtr::from_cell::<L>(raw);
        raw = space.cell(cell);
        code = raw >> L::Cdr::SHIFT;
    }
    let place = L::Cdr::origin(cell).plus(2 * (code & (L::Cdr::NIL - 1)));
    if code > L::Cdr::NIL {
        place.0
    } else if code == L::Cdr::NIL {
        0
    } else {
        space.cell(place) & L::POINTER_MASK
    }
}

/// The code with which `cell` names the cell `other`: as its CDR, or as where its CDR is stored.
#[inline(always)]
pub(super) fn code_for<L: Layout>(cell: LispPtr, other: LispPtr) -> u32 {
    other.0.wrapping_sub(L::Cdr::origin(cell).0) / 2
}

/// A CONS cell's content.
#[inline(always)]
pub(super) fn coded<L: Layout>(car: u32, code: u32) -> u32 {
    code << L::Cdr::SHIFT | car & L::POINTER_MASK
}

/// More elements than any list has that the machine itself goes through.
const MOST_ELEMENTS: u32 = 1 << 16;

/// The elements of a list, up to the first tail that is no CONS cell. A list that is a circle ends too, some time.
#[derive(Clone, Copy)]
pub(crate) struct ListIter<L> {
    space: Space,
    rest: u32,
    left: u32,
    layout: PhantomData<L>,
}

impl<L: Layout> ListIter<L> {
    /// The elements of this list.
    pub(crate) fn new(space: Space, list: u32) -> Self {
        ListIter { space, rest: list & L::POINTER_MASK, left: MOST_ELEMENTS, layout: PhantomData }
    }
}

impl<L: Layout> Iterator for ListIter<L> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        if type_number::<L>(self.space, self.rest) != types::LISTP {
            return None;
        }
        self.left = self.left.checked_sub(1)?;
        let cell = LispPtr(self.rest);
        self.rest = cdr_of::<L>(self.space, cell);
        Some(car_of::<L>(self.space, cell))
    }
}
