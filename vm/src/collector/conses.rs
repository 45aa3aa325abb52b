//! Free cells on CONS pages.
//!
//! ```text
//!   Medley 2.0, cell 0    | free cells, 8 | first free, 8 | next page, 16 |
//!   Medley 3.5, cell 4    | free cells, 8 | first free, 8 | unused, 16    |   cell 6: | next page, 32 |
//!   a free cell           | next free, 8  | what was there, 24            |
//! ```
//!
//! Free cells and pages are chained by word offset within the page and by page number; 0 ends a chain of cells, and a
//! page whose next is FFFF (or FFFFFFFF) is not in the chain of pages with room, which starts in LISTP's descriptor.
//! Cells are kept in order, so that neighbours are taken one after the other: downwards in Medley 2.0; in 3.5 in the order
//! of their offsets XOR 6, downwards.

use crate::address::LispPtr;
use crate::error::MachineError;
use crate::layout::{Layout, types};
use crate::machine::Machine;
use crate::memory::Space;

/// Free cells that bring a page back into the chain of pages with room.
const ENOUGH: u32 = 32;
/// Cells on a page, with those of the header.
const CELLS: u32 = 128;

/// Puts a cell back among the free ones of its page.
pub(super) fn free<L: Layout>(m: &mut Machine<L>, cell: LispPtr) {
    let page = cell.page_base();
    let offset = cell.0 & 0xFF;
    if L::BIG && offset < 8 {
        return m.fail(MachineError::BadStorage { what: "the header of a CONS page is freed as a cell", at: cell });
    }
    let space = m.space;
    let header = if L::BIG { page.plus(4) } else { page };
    let head = space.cell(header);
    let free_cells = head >> 24;
    let mut first = head >> 16 & 0xFF;
    if free_cells == 0 {
        first = offset;
        set_next(space, page, offset, 0);
    } else {
        let flip = if L::BIG { 6 } else { 0 };
        let mut previous = 0;
        let mut next = first;
        // Lisp's own collector did not keep them in order: any smaller one will do. No chain is longer than a page.
        for _ in 0..CELLS {
            if next == 0 || next ^ flip < offset ^ flip {
                break;
            }
            previous = next;
            next = space.cell(page.plus(next)) >> 24;
        }
        match previous {
            0 => first = offset,
            previous => set_next(space, page, previous, offset),
        }
        set_next(space, page, offset, next);
    }
    let free_cells = (free_cells + 1) & 0xFF;
    space.set_cell(header, free_cells << 24 | first << 16 | head & 0xFFFF);
    if free_cells > ENOUGH {
        chain_page::<L>(space, page);
    }
}

fn set_next(space: Space, page: LispPtr, offset: u32, next: u32) {
    let cell = page.plus(offset);
    space.set_cell(cell, next << 24 | space.cell(cell) & 0xFF_FFFF);
}

/// Puts a page in front of the chain of pages with room, if it is not in it.
fn chain_page<L: Layout>(space: Space, page: LispPtr) {
    if L::BIG {
        let pages = L::DTD.plus(18 * types::LISTP + 14);
        if space.cell(page.plus(6)) == 0xFFFF_FFFF {
            space.set_cell(page.plus(6), space.cell(pages));
            space.set_cell(pages, page.page().0);
        }
    } else {
        let pages = L::DTD.plus(16 * types::LISTP + 13);
        if space.word(page.plus(1)) == 0xFFFF {
            space.set_word(page.plus(1), space.word(pages));
            space.set_word(pages, page.page().0 as u16);
        }
    }
}
