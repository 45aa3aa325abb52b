//! CONS pages: which cells of a page are free, and how the right one is taken.
//!
//! ```text
//!              old coding                                       new coding
//!   header     cell 0: | free cells 8 | first 8 | next page 16 |  cell 4: | free cells 8 | first 8 | unused 16 |
//!                                                                 cell 6: | next page 32 |
//!   cells      2 .. 254, chained downwards                       8 .. 254 XOR 6, chained downwards:
//!                                                                 248 250 252 254 240 242 .. 8 10 12 14
//!   free cell  | next free 8 | 0 |
//! ```
//!
//! Cells are named by their word offset in the page; 0 ends the chain of free cells. Pages with free cells are chained
//! from LISTP's type descriptor by page number; 0 ends that chain, and a page that is not in it has all ones there.
//!
//! With the old coding any two cells of a page reach each other, so the first free cell will do. With the new coding a
//! cell reaches only the seven cells after it, so one has to look: this is why the chain keeps neighbours together.

use super::coding::CdrCoding;
use crate::address::LispPtr;
use crate::memory::Space;
use core::marker::PhantomData;

/// Maps of the free cells of some pages, a bit a cell, for as long as cells are put back and none is taken: a collection
/// returns many cells to a page, and each has its place in the chain.
pub(crate) struct FreeMaps([FreeMap; 64]);

#[derive(Clone, Copy)]
struct FreeMap {
    /// The first word of the page; all ones if this is not in use.
    page: LispPtr,
    /// Nothing if the page's chain is in no order.
    free: Option<u128>,
}

impl FreeMaps {
    const NONE: FreeMap = FreeMap { page: LispPtr(u32::MAX), free: None };

    /// No maps yet.
    pub(crate) fn new() -> FreeMaps {
        FreeMaps([Self::NONE; 64])
    }

    /// Forgets all.
    pub(crate) fn forget(&mut self) {
        self.0.fill(Self::NONE);
    }

    fn of<C: CdrCoding>(&mut self, page: ConsPage<C>) -> Option<&mut u128> {
        let number = page.base.0 >> 8;
        let map = &mut self.0[((number ^ number >> 8) & 63) as usize];
        if map.page != page.base {
            *map = FreeMap { page: page.base, free: page.map() };
        }
        map.free.as_mut()
    }
}

/// How far the new coding reaches, in words.
const REACH: u32 = 14;

/// A CONS page.
#[derive(Clone, Copy)]
pub(crate) struct ConsPage<C> {
    space: Space,
    base: LispPtr,
    coding: PhantomData<C>,
}

impl<C: CdrCoding> ConsPage<C> {
    /// The page at this page number.
    #[inline(always)]
    pub(crate) fn numbered(space: Space, page: u32) -> Self {
        ConsPage { space, base: LispPtr(page << 8), coding: PhantomData }
    }

    /// The page that a cell is on.
    #[inline(always)]
    pub(crate) fn of(space: Space, cell: LispPtr) -> Self {
        ConsPage { space, base: cell.page_base(), coding: PhantomData }
    }

    #[inline(always)]
    fn header(self) -> u32 {
        self.space.cell(self.base.plus(C::HEADER))
    }

    /// How many cells are free.
    #[inline(always)]
    pub(crate) fn free_cells(self) -> u32 {
        self.header() >> 24
    }

    /// The first free cell, or 0.
    #[inline(always)]
    fn first(self) -> u32 {
        self.header() >> 16 & 0xFF
    }

    /// Sets the header: fewer free cells, and another first one.
    #[inline(always)]
    fn take(self, cells: u32, first: u32) {
        let header = self.header();
        let free = (header >> 24).wrapping_sub(cells) & 0xFF;
        self.space.set_cell(self.base.plus(C::HEADER), free << 24 | first << 16 | header & 0xFFFF);
    }

    /// The free cell behind this one, or 0.
    #[inline(always)]
    fn next(self, offset: u32) -> u32 {
        self.space.cell(self.base.plus(offset)) >> 24
    }

    fn set_next(self, offset: u32, next: u32) {
        let at = self.base.plus(offset);
        self.space.set_cell(at, next << 24 | self.space.cell(at) & 0xFF_FFFF);
    }

    /// Chains `next` behind `before`, or makes it the first one.
    fn link(self, before: u32, next: u32, taken: u32) {
        if before == 0 {
            self.take(taken, next);
        } else {
            self.set_next(before, next);
            self.take(taken, self.first());
        }
    }

    /// The next page in the chain of pages with free cells.
    #[inline(always)]
    pub(crate) fn next_page(self) -> u32 {
        if C::NARROW_REACH { self.space.cell(self.base.plus(6)) } else { self.header() & 0xFFFF }
    }

    /// Sets the next page in the chain.
    pub(crate) fn set_next_page(self, page: u32) {
        if C::NARROW_REACH {
            self.space.set_cell(self.base.plus(6), page);
        } else {
            self.space.set_word(self.base.plus(1), page as u16);
        }
    }

    /// Marks the page as not in the chain.
    pub(crate) fn unchain(self) {
        self.set_next_page(u32::MAX);
    }

    /// Makes all cells free. Cell 0 of the old coding is the header, not the end of the chain.
    pub(crate) fn initialise(self, next_page: u32) {
        let last = 256 - 2 * C::PAGE_CELLS;
        let mut cell = 254;
        let mut first = cell ^ C::FLIP;
        self.space.set_cell(self.base.plus(C::HEADER), C::PAGE_CELLS << 24 | first << 16);
        while cell > last {
            cell -= 2;
            let next = cell ^ C::FLIP;
            self.space.set_cell(self.base.plus(first), next << 24);
            first = next;
        }
        self.space.set_cell(self.base.plus(first), 0);
        self.set_next_page(next_page);
    }

    /// Makes a cell free again, in its place in the order of the chain; returns how many are free now.
    pub(crate) fn put_back(self, cell: LispPtr, maps: &mut FreeMaps) -> u32 {
        let offset = cell.0 & 0xFF;
        let header = self.header();
        let mut first = self.first();
        let map = maps.of(self);
        if self.free_cells() == 0 {
            first = offset;
            self.set_next(offset, 0);
        } else {
            let before = match &map {
                Some(free) => Self::nearest_before(**free, offset),
                None => self.walk_to(offset),
            };
            let next = match before {
                0 => core::mem::replace(&mut first, offset),
                before => self.next(before),
            };
            if before != 0 {
                self.set_next(before, offset);
            }
            self.set_next(offset, next);
        }
        if let Some(free) = map {
            *free |= Self::map_bit(offset);
        }
        let free = (self.free_cells() + 1) & 0xFF;
        self.space.set_cell(self.base.plus(C::HEADER), free << 24 | first << 16 | header & 0xFFFF);
        free
    }

    /// The cell of the chain behind which a cell belongs, or 0.
    fn walk_to(self, offset: u32) -> u32 {
        let mut before = 0;
        let mut next = self.first();
        for _ in 0..C::PAGE_CELLS {
            if next == 0 || next ^ C::FLIP < offset ^ C::FLIP {
                break;
            }
            before = next;
            next = self.next(next);
        }
        before
    }

    /// The bit of a cell in the map of a page's free cells.
    fn map_bit(offset: u32) -> u128 {
        1 << ((offset ^ C::FLIP) >> 1)
    }

    /// What [`Self::walk_to`] finds, by the map.
    fn nearest_before(free: u128, offset: u32) -> u32 {
        let bit = Self::map_bit(offset);
        let above = free & !(bit | (bit - 1));
        if above == 0 { 0 } else { above.trailing_zeros() << 1 ^ C::FLIP }
    }

    /// The map of the free cells, if they are chained in order.
    fn map(self) -> Option<u128> {
        let mut free = 0;
        let mut lowest = u32::MAX;
        let mut next = if self.free_cells() == 0 { 0 } else { self.first() };
        while next != 0 {
            // Lisp's own collector put cells in front.
            if next & 1 != 0 || next ^ C::FLIP >= lowest {
                return None;
            }
            lowest = next ^ C::FLIP;
            free |= Self::map_bit(next);
            next = self.next(next);
        }
        Some(free)
    }

    /// True if the page is in the chain of pages with free cells.
    pub(crate) fn is_chained(self) -> bool {
        self.next_page() != if C::NARROW_REACH { u32::MAX } else { 0xFFFF }
    }

    /// True if a cell there would be part of the header.
    pub(crate) fn has_header_at(self, cell: LispPtr) -> bool {
        cell.0 & 0xFF < 256 - 2 * C::PAGE_CELLS
    }

    /// The first free cell.
    #[inline(always)]
    pub(crate) fn take_first(self) -> Option<LispPtr> {
        let first = self.first();
        if first == 0 || self.free_cells() == 0 {
            return None;
        }
        self.take(1, self.next(first));
        Some(self.base.plus(first))
    }

    /// A free cell from which `cell` can be named as its CDR.
    #[inline(always)]
    pub(crate) fn take_before(self, cell: LispPtr) -> Option<LispPtr> {
        if !C::NARROW_REACH {
            return self.take_first();
        }
        let target = cell.0 & 0xFF;
        if self.free_cells() == 0 || target < REACH {
            return None;
        }
        let mut before = 0;
        let mut at = self.first();
        for _ in 0..self.free_cells() {
            if at == 0 {
                break;
            }
            if at < target && at >= target - REACH {
                // Go on while the chain comes closer.
                loop {
                    let next = self.next(at);
                    if next <= at || next >= target {
                        break;
                    }
                    before = at;
                    at = next;
                }
                self.link(before, self.next(at), 1);
                return Some(self.base.plus(at));
            }
            before = at;
            at = self.next(at);
        }
        None
    }

    /// A free cell that can store the CDR of `cell`.
    pub(crate) fn take_after(self, cell: LispPtr) -> Option<LispPtr> {
        if !C::NARROW_REACH {
            return self.take_first();
        }
        let source = cell.0 & 0xFF;
        if self.free_cells() == 0 {
            return None;
        }
        let mut before = 0;
        let mut at = self.first();
        for _ in 0..self.free_cells() {
            if at == 0 {
                break;
            }
            if at > source && at <= source + REACH {
                self.link(before, self.next(at), 1);
                return Some(self.base.plus(at));
            }
            before = at;
            at = self.next(at);
        }
        None
    }

    /// Two free cells, the second of which can store the CDR of the first.
    pub(crate) fn take_pair(self) -> Option<(LispPtr, LispPtr)> {
        if self.free_cells() < 2 {
            return None;
        }
        if !C::NARROW_REACH {
            let second = self.take_first()?;
            return Some((self.take_first()?, second));
        }
        let (mut before, mut previous) = (0, 0);
        let mut at = self.first();
        for _ in 0..self.free_cells() {
            if at == 0 {
                break;
            }
            if previous != 0 {
                if at < previous && previous <= at + REACH {
                    return Some(self.take_descending_pair(before, previous, at));
                }
                if at > previous && at <= previous + REACH {
                    self.link(before, self.next(at), 2);
                    return Some((self.base.plus(previous), self.base.plus(at)));
                }
            }
            before = previous;
            previous = at;
            at = self.next(at);
        }
        None
    }

    /// The pair of a cell and, of those behind it in the chain but before it in the page, the closest.
    fn take_descending_pair(self, before: u32, upper: u32, mut lower: u32) -> (LispPtr, LispPtr) {
        let mut skipped = 0;
        // What follows `before` when both are gone: the cells between them in the chain, if there are any.
        let mut rest_from = lower;
        loop {
            let next = self.next(lower);
            if next <= lower || next >= upper {
                break;
            }
            skipped = lower;
            rest_from = upper;
            lower = next;
        }
        self.link(before, self.next(rest_from), 2);
        if skipped != 0 {
            self.set_next(skipped, self.next(lower));
        }
        (self.base.plus(lower), self.base.plus(upper))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{Medley2, Medley35};
    use crate::lists::{NewCoding, OldCoding};
    use crate::testing::machine;
    use std::vec::Vec;

    fn chain<C: CdrCoding>(page: ConsPage<C>) -> Vec<u32> {
        let mut cells = Vec::new();
        let mut at = page.first();
        while at != 0 {
            cells.push(at);
            at = page.next(at);
        }
        cells
    }

    /// All cells come back in an order of no order, and each finds its place.
    fn cells_come_back<C: CdrCoding>(space: Space) {
        let page = ConsPage::<C>::of(space, LispPtr(0x30_0000));
        page.initialise(0);
        let whole = chain(page);
        assert_eq!(whole.len() as u32, C::PAGE_CELLS);
        while page.take_first().is_some() {}
        let mut maps = FreeMaps::new();
        for i in 0..C::PAGE_CELLS {
            let cell = whole[(i * 53 % C::PAGE_CELLS) as usize];
            assert_eq!(page.put_back(page.base.plus(cell), &mut maps), i + 1);
            let order: Vec<u32> = chain(page).iter().map(|cell| cell ^ C::FLIP).collect();
            assert_eq!(order.len() as u32, i + 1);
            assert!(order.is_sorted_by(|a, b| a > b));
            if i % 10 == 0 {
                maps.forget();
            }
        }
        assert_eq!(chain(page), whole);
    }

    #[test]
    fn cells_come_back_in_order() {
        cells_come_back::<OldCoding>(machine::<Medley2>().space);
        cells_come_back::<NewCoding>(machine::<Medley35>().space);
    }

    #[test]
    fn a_chain_without_order_is_walked() {
        let m = machine::<Medley2>();
        let page = ConsPage::<OldCoding>::of(m.space, LispPtr(0x30_0000));
        page.initialise(0);
        // 10 before 50 before 30.
        page.take(124, 10);
        page.set_next(10, 50);
        page.set_next(50, 30);
        page.set_next(30, 0);
        let mut maps = FreeMaps::new();
        for (cell, expected) in [(40, &[40, 10, 50, 30][..]), (8, &[40, 10, 50, 30, 8]), (20, &[40, 20, 10, 50, 30, 8])]
        {
            page.put_back(page.base.plus(cell), &mut maps);
            assert_eq!(chain(page), expected);
        }
    }
}
