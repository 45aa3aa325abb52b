//! Storage of a stopped machine: types and their cells, the tables of reference counts, the free blocks of array space,
//! and how far the address space is used.

use super::print::type_name;
use crate::address::{AtomIndex, LispPage, LispPtr};
use crate::collector::{blocks, tally};
use crate::layout::{Layout, type_entry};
use crate::machine::Machine;
use crate::storage::TypeDescriptor;
use crate::sysout::interface;

pub use crate::collector::blocks::{ArrayBlock, Contents};
pub use crate::collector::tally::{References, Tables};

/// Says which pages exist: looking must not make any.
pub type Exists<'a> = &'a dyn Fn(LispPage) -> bool;

/// A type of objects.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Type {
    /// Its number.
    pub number: u32,
    /// Its name.
    pub name: AtomIndex,
    /// Words in an object; 0 if they differ.
    pub words: u32,
    /// Objects made so far, as the descriptor counts them.
    pub made: u32,
    /// Units of two pages that hold such objects.
    pub units: u32,
    /// Free cells in the chain of the descriptor; CONS cells are free page by page and not counted here.
    pub free: u32,
    /// Whether references to them are counted.
    pub counted: bool,
}

/// How far storage has grown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Extent {
    /// Pages in the image.
    pub pages: u32,
    /// The next page of array space, which grows upwards.
    pub next_array_page: u32,
    /// The next unit of MDS, which grows downwards.
    pub next_mds_page: u32,
    /// First unit of the chain of free ones, or 0.
    pub free_mds_page: u32,
    /// Objects until the next collection; `None` while the collector is off or at work.
    pub countdown: Option<u32>,
    /// Whether the collector has been switched off for good.
    pub collector_disabled: bool,
    /// Whether storage has moved on to the second part of the address space.
    pub second_part: bool,
}

/// More free cells are not counted.
const MOST_FREE: u32 = 1 << 20;

impl<L: Layout> Machine<L> {
    /// The types that the image has, by number.
    pub fn types(&self, exists: Exists<'_>) -> impl Iterator<Item = Type> {
        let space = self.space;
        let mut units = [0u16; 2048];
        // A word of the type table for each two pages; a page of it at a time.
        let words = L::POINTER_MASK >> 9;
        let mut at = 0;
        while at <= words {
            let word = L::MDS_TYPE_TABLE.plus(at);
            if !exists(word.page()) {
                at += 256;
                continue;
            }
            for at in at..at + 256 {
                let number = space.word(L::MDS_TYPE_TABLE.plus(at)) & 0x7FF;
                units[number as usize] = units[number as usize].saturating_add(1);
            }
            at += 256;
        }
        let most = (space.cell(self.symbols.max_type_number) & 0xFFFF).min(2047);
        (1..=most).map(move |number| {
            let descriptor = TypeDescriptor::<L>::of(number);
            let mut free = 0;
            if number != crate::layout::types::LISTP {
                let mut cell = descriptor.free(space);
                while cell != LispPtr::NIL && cell.0 & 1 == 0 && free < MOST_FREE {
                    free += 1;
                    cell = LispPtr::from_cell::<L>(space.cell(cell));
                }
            }
            Type {
                number,
                name: type_name::<L>(space, number),
                words: descriptor.size(space),
                made: descriptor.made(space),
                units: units[number as usize] as u32,
                free,
                counted: descriptor.type_entry(space) & 0x8000 == 0,
            }
        })
    }

    /// Words in an object of a type; 0 if they differ.
    pub fn words_of_type(&self, number: u32) -> u32 {
        if number == 0 { 0 } else { TypeDescriptor::<L>::of(number).size(self.space) }
    }

    /// How far storage has grown.
    pub fn extent(&self) -> Extent {
        let countdown = self.space.cell(self.symbols.reclaim_countdown);
        Extent {
            pages: self.active_pages(),
            next_array_page: self.counter(self.symbols.next_array_page),
            next_mds_page: self.counter(self.symbols.next_mds_page),
            free_mds_page: self.space.cell(self.symbols.mds_free_page) & 0xFFFF,
            countdown: (countdown != 0).then_some(countdown & 0xFFFF),
            collector_disabled: self.space.cell(self.symbols.gc_disabled) != 0,
            second_part: self.ifpage_word(interface::FULL_SPACE_USED) != 0,
        }
    }

    /// What is in the tables of reference counts.
    pub fn reference_tables(&self) -> Tables {
        tally::tables::<L>(self.space)
    }

    /// The references to an object.
    pub fn references_to(&self, object: LispPtr) -> References {
        if type_entry::<L>(self.space, object.0) & 0x8000 != 0 {
            return References::NotCounted;
        }
        tally::references::<L>(self.space, object)
    }

    /// The blocks on a free list of array space, by its number (0 to 30): how many, and how many cells; false in the end
    /// means that the ring is damaged.
    pub fn free_array_blocks(&self, bucket: u32) -> (u32, u32, bool) {
        blocks::free_list(self, bucket)
    }

    /// The first block of a free list, if there is one.
    pub fn first_free_array_block(&self, bucket: u32) -> Option<LispPtr> {
        blocks::first_free(self, bucket)
    }

    /// The array block whose contents begin at an address.
    pub fn array_block(&self, contents: LispPtr) -> Option<ArrayBlock> {
        blocks::of_contents::<L>(self.space, contents)
    }
}
