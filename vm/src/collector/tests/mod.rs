//! The collector against a model that counts every reference, and over heaps built by hand.

use super::arrays;
use super::references::{Case, count};
use super::tables::{COLLISION, Entries, Link, MAIN_ENTRIES};
use super::*;
use crate::layout::{Medley2, Medley35, types};
use crate::lists::{CdrCoding, ListIter};
use crate::machine::Exit;
use crate::testing::{Fixture, machine};
use std::collections::HashMap;
use std::vec::Vec;

mod array_space;
mod counts;
mod heaps;
mod instructions;
mod whole_image;

/// Free links per link never used at the start.
const FIRST_LINK: u32 = 2;

/// A machine with empty tables, and a collection so far away that none is asked for.
fn empty<L: Layout>() -> Fixture<L> {
    let m = machine::<L>();
    L::store(m.space, L::collision_entry(1), FIRST_LINK);
    m.space.set_cell(m.symbols.reclaim_countdown, SMALL_POSITIVE | 50_000);
    m.space.set_cell(m.symbols.reclaim_min, SMALL_POSITIVE | 50_000);
    m
}

/// Numbers that look random.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % limit as u64) as u32
    }
}

/// What the tables say of an object: references and stack bit.
fn counted<L: Layout>(m: &Machine<L>, object: u32) -> (u32, bool) {
    let mut entry = L::load(m.space, L::main_entry(object));
    if entry & COLLISION != 0 {
        let links = core::iter::successors(Some(Link::first(entry)), |link| link.next::<L>(m.space));
        let mut entries = links.map(|link| L::load(m.space, link.entry::<L>()));
        entry = entries.find(|entry| entry & L::SEGMENT == L::segment_bits(object)).unwrap_or(0);
    }
    if entry == 0 || entry & L::SEGMENT != L::segment_bits(object) {
        return (1, false);
    }
    let mut references = (entry & L::MAX_COUNT) / L::ONE;
    if entry & L::MAX_COUNT == L::MAX_COUNT {
        let mut row = L::HTBIG;
        while m.space.cell(row) != object {
            assert_ne!(m.space.cell(row), 0, "a large count has a row");
            row = row.plus(4);
        }
        references = m.space.cell(row.plus(2));
    }
    (references, entry & L::STACK_BIT != 0)
}

/// Links in the list of free ones.
fn free_links<L: Layout>(m: &Machine<L>) -> u32 {
    let free = |at: u32| L::load(m.space, L::collision_entry(at));
    core::iter::successors(Some(free(0)), |at| Some(free(at + 1))).take_while(|at| *at != 0).count() as u32
}

/// Asserts that nothing is in the tables and that every link that was ever used is free.
fn assert_empty<L: Layout>(m: &Machine<L>) {
    for probe in 0..MAIN_ENTRIES {
        assert_eq!(L::load(m.space, L::main_entry(2 * probe)), 0, "entry {probe:#x}");
    }
    let unused = L::load(m.space, L::collision_entry(1));
    assert_eq!(free_links(m), (unused - FIRST_LINK) / 2, "every link is free");
}

/// Objects of which many collide.
fn objects<L: Layout>() -> Vec<u32> {
    let segments = if L::BIG { [0x20, 0x21, 0x7F, 0x123, 0xFFE, 0xFFF] } else { [0x20, 0x21, 0x22, 0x7F, 0x80, 0xFF] };
    let offsets = [0x0000, 0x0002, 0x1234, 0xFFFE];
    segments.iter().flat_map(|segment| offsets.map(|offset| segment << 16 | offset)).collect()
}

/// A heap: a CONS page, objects of a made-up type, and an empty stack.
struct Heap<L: Layout> {
    m: Fixture<L>,
}

/// The made-up type: 40 cells, pointers in cells 1, 2, 20 and 39.
const RECORD: u32 = 200;
const RECORD_CELLS: u32 = 40;
const POINTERS: [u32; 4] = [1, 2, 20, 39];
/// Where its objects and the CONS cells are.
const RECORDS: u32 = 0x50_0000;
const CONSES: u32 = 0x40_0000;
/// Where the list of its pointers is, on pages that are not counted.
const LIST: u32 = 0x41_0000;

impl<L: Layout> Heap<L> {
    fn new() -> Heap<L> {
        let m = empty::<L>();
        let space = m.space;
        for address in 0..0x80_0000 >> 9 {
            space.set_word(L::MDS_TYPE_TABLE.plus(address), references::NOT_COUNTED);
        }
        let table = |address: u32, entry: u16| space.set_word(L::MDS_TYPE_TABLE.plus(address >> 9), entry);
        table(CONSES, types::LISTP as u16);
        table(LIST, types::LISTP as u16 | references::NOT_COUNTED);
        for unit in 0..16 {
            table(RECORDS + 512 * unit, RECORD as u16);
        }
        // Each cell of the list, and behind it the cell that stores nothing but room.
        for (i, pointer) in POINTERS.iter().enumerate() {
            let cell = LispPtr(LIST + 16 + 2 * i as u32);
            let next = cell.0 + 2;
            let nearby = if L::BIG { L::Cdr::NIL + 1 } else { L::Cdr::NIL + (next & 0xFF) / 2 };
            let code = if i + 1 == POINTERS.len() { L::Cdr::NIL } else { nearby };
            space.set_cell(cell, code << L::Cdr::SHIFT | SMALL_POSITIVE | (2 * pointer));
        }
        let (words, pointers) = if L::BIG { (18, 10) } else { (16, 8) };
        space.set_cell(L::DTD.plus(words * RECORD + pointers), LIST + 16);
        space.set_word(L::DTD.plus(words * RECORD + if L::BIG { 3 } else { 1 }), 80);
        let offsets: Vec<u32> = ListIter::<L>::new(space, LIST + 16).map(|cell| cell & 0xFFFF).collect();
        assert_eq!(offsets, POINTERS.map(|cell| 2 * cell));
        // The stack: one guard block at its end.
        space.set_word(L::IFPAGE.plus(30), 0x2000);
        space.set_word(L::IFPAGE.plus(7), 0x3000);
        space.set_cell(LispPtr(0x1_2000), FREE_STACK | 0x1000);
        space.set_cell(LispPtr(0x1_3000), 0xE000_0000 | 2);
        Heap { m }
    }

    /// The address of a record.
    fn record(&self, number: u32) -> u32 {
        RECORDS + 2 * RECORD_CELLS * number
    }

    /// Stores a counted pointer in a record.
    fn set(&mut self, record: u32, pointer: usize, value: u32) {
        let cell = LispPtr(record + 2 * POINTERS[pointer]);
        self.m.space.set_cell(cell, value);
        add_reference(&mut self.m, value);
    }

    /// A CONS whose CDR is stored in the next cell.
    fn cons(&mut self, offset: u32, car: u32, cdr: u32) -> u32 {
        let cell = LispPtr(CONSES + offset);
        let code = if L::BIG { 1 } else { (offset & 0xFF) / 2 + 1 };
        self.m.space.set_cell(cell, code << L::Cdr::SHIFT | car);
        self.m.space.set_cell(cell.plus(2), cdr);
        add_reference(&mut self.m, car);
        add_reference(&mut self.m, cdr);
        delete_reference(&mut self.m, cell.0);
        cell.0
    }

    /// A new record: nothing refers to it yet.
    fn new_record(&mut self, number: u32) -> u32 {
        let record = self.record(number);
        delete_reference(&mut self.m, record);
        record
    }

    fn collect(&mut self) {
        let m = &mut *self.m;
        assert!(scan::mark_stack(m));
        m.space.set_cell(m.symbols.reclaim_countdown, 0);
        reclaim::sweep(m);
        reclaim::unmark(m);
        assert_eq!(m.exit, None);
    }

    /// Free records, in the order in which they would be used.
    fn free_records(&self) -> Vec<u32> {
        let (words, free) = if L::BIG { (18, 4) } else { (16, 2) };
        let first = self.m.space.cell(L::DTD.plus(words * RECORD + free));
        let next = |at: &u32| Some(self.m.space.cell(LispPtr(*at)));
        core::iter::successors(Some(first), next).take_while(|at| *at != 0).collect()
    }

    /// Free CONS cells.
    fn free_conses(&self) -> Vec<u32> {
        let page = LispPtr(CONSES);
        let header = self.m.space.cell(page.plus(if L::BIG { 4 } else { 0 }));
        let next = |at: &u32| Some(self.m.space.cell(page.plus(*at)) >> 24);
        let cells: Vec<u32> =
            core::iter::successors(Some(header >> 16 & 0xFF), next).take_while(|at| *at != 0).collect();
        assert_eq!(cells.len() as u32, header >> 24);
        cells
    }
}
