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

/// Random changes, by way of the inlined and of the outlined code, always say what a model says.
fn changes_match_the_model<L: Layout>(seed: u64) {
    let mut m = empty::<L>();
    let m = &mut *m;
    let objects = objects::<L>();
    let mut model: HashMap<u32, (u32, bool)> = objects.iter().map(|object| (*object, (1, false))).collect();
    let mut random = Random(seed);
    for step in 0..60_000 {
        let object = objects[random.below(objects.len() as u32) as usize];
        let state = model.get_mut(&object).unwrap();
        let start = m.space.cell(m.symbols.reclaim_countdown);
        let had = *state != (1, false);
        // More are added than deleted in every other stretch, so that counts go up and come down.
        let bias = if step / 5000 % 2 == 0 { 5 } else { 2 };
        match random.below(8) {
            7 => {
                assert!(!count(m, object, Case::Stack));
                state.1 = true;
            }
            n if n < bias => {
                add_reference(m, object | (random.below(2) * !L::POINTER_MASK));
                state.0 += 1;
            }
            _ if state.0 == 0 => {}
            n if n % 2 == 0 => {
                delete_reference(m, object);
                state.0 -= 1;
            }
            _ => {
                let is_new = *state == (1, false);
                assert_eq!(count(m, object, Case::Delete), is_new);
                state.0 -= 1;
            }
        }
        let state = *state;
        assert_eq!(counted(m, object), state, "step {step}, object {object:#x}");
        let stack_only = state.1 && !had;
        let moved = had as i64 - (state != (1, false) && !stack_only) as i64;
        if !state.1 {
            assert_eq!(m.space.cell(m.symbols.reclaim_countdown) as i64, start as i64 + moved);
        }
        m.space.set_cell(m.symbols.reclaim_countdown, SMALL_POSITIVE | 50_000);
    }
    for (object, state) in &model {
        assert_eq!(counted(m, *object), *state);
    }
    reclaim::unmark(m);
    for (object, (references, _)) in model {
        assert_eq!(counted(m, object), (references, false));
        for _ in 1..references {
            delete_reference(m, object);
        }
        if references == 0 {
            add_reference(m, object);
        }
    }
    assert_eq!(m.exit, None);
    assert_empty(m);
}

#[test]
fn changes_match_the_model_in_medley_2() {
    changes_match_the_model::<Medley2>(1);
    changes_match_the_model::<Medley2>(2);
}

#[test]
fn changes_match_the_model_in_medley_35() {
    changes_match_the_model::<Medley35>(3);
}

/// Entries and links are where the reference puts them.
fn chains_grow_at_the_front<L: Layout>() {
    let mut m = empty::<L>();
    let m = &mut *m;
    let [a, b, c] = [0x21_1000, 0x22_1000, 0x23_1000];
    let at = L::main_entry(a);
    add_reference(m, a);
    assert_eq!(L::load(m.space, at), 0x42 | (2 * L::ONE));
    add_reference(m, b);
    add_reference(m, c);
    let load = |m: &Machine<L>, offset| L::load(m.space, L::collision_entry(offset));
    // b took link 2 and moved a to link 4; c came in front.
    assert_eq!(L::load(m.space, at), 6 | COLLISION);
    let chain: Vec<u32> = (2..8).map(|offset| load(m, offset)).collect();
    let entry = |segment: u32| segment << 1 | (2 * L::ONE);
    assert_eq!(chain, [entry(0x22), 4, entry(0x21), 0, entry(0x23), 2]);
    // The middle one goes, then the first: what is left returns to HTmain.
    delete_reference(m, b);
    assert_eq!((load(m, 0), load(m, 7)), (2, 4));
    delete_reference(m, c);
    assert_eq!(L::load(m.space, at), entry(0x21));
    assert_eq!((load(m, 0), load(m, 5), load(m, 7), load(m, 3)), (4, 6, 2, 0));
    delete_reference(m, a);
    assert_empty(m);
}

#[test]
fn chains_grow_at_the_front_in_both_layouts() {
    chains_grow_at_the_front::<Medley2>();
    chains_grow_at_the_front::<Medley35>();
}

/// Large counts go to their own table and come back, and rows are used again.
fn large_counts_come_back<L: Layout>() {
    let mut m = empty::<L>();
    let m = &mut *m;
    let max = L::MAX_COUNT / L::ONE;
    let objects = [0x21_1000, 0x22_1000, 0x30_2000];
    for object in objects {
        for _ in 1..max + 10 {
            add_reference(m, object);
        }
        assert_eq!(counted(m, object), (max + 10, false));
    }
    count(m, objects[0], Case::Stack);
    assert_eq!(counted(m, objects[0]), (max + 10, true));
    for _ in 0..11 {
        delete_reference(m, objects[1]);
    }
    assert_eq!(counted(m, objects[1]), (max - 1, false));
    assert_eq!(m.space.cell(L::HTBIG.plus(4)), AtomIndex::T.0, "its row is free");
    for _ in 1..max {
        add_reference(m, 0x40_4000);
    }
    assert_eq!(m.space.cell(L::HTBIG.plus(4)), 0x40_4000);
    assert_eq!(m.space.cell(L::HTBIG.plus(12)), 0, "no more rows than before");
    for object in [objects[0], objects[1], objects[2], 0x40_4000] {
        for _ in 1..counted(m, object).0 {
            delete_reference(m, object);
        }
    }
    reclaim::unmark(m);
    assert_eq!(m.exit, None);
    assert_empty(m);
}

#[test]
fn large_counts_come_back_in_both_layouts() {
    large_counts_come_back::<Medley2>();
    large_counts_come_back::<Medley35>();
}

#[test]
fn what_is_not_counted_stays_out_of_the_tables() {
    let mut m = empty::<Medley2>();
    m.space.set_word(Medley2::MDS_TYPE_TABLE.plus(0x21_1000 >> 9), references::NOT_COUNTED | 4);
    add_reference(&mut m, 0x21_1000);
    delete_reference(&mut m, 0x21_1000);
    assert!(!count(&mut m, 0x21_1000, Case::Delete));
    assert_empty(&m.machine);
}

#[test]
fn a_reference_too_few_is_damage() {
    let mut m = empty::<Medley35>();
    delete_reference(&mut m, 0x21_1000);
    delete_reference(&mut m, 0x21_1000);
    let at = LispPtr(0x21_1000);
    let what = "a reference is dropped that was never there";
    assert_eq!(m.exit, Some(Exit::Fatal(MachineError::BadCount { what, at })));
}

#[test]
fn the_last_step_of_the_countdown_asks_for_attention() {
    let mut m = empty::<Medley2>();
    m.space.set_cell(m.symbols.reclaim_countdown, SMALL_POSITIVE | 2);
    add_reference(&mut m, 0x21_1000);
    assert_ne!(m.attention.end.load(core::sync::atomic::Ordering::Relaxed), 0);
    delete_reference(&mut m, 0x21_1002);
    assert_eq!(m.attention.end.load(core::sync::atomic::Ordering::Relaxed), 0);
    assert_eq!(m.space.cell(m.symbols.reclaim_countdown), SMALL_POSITIVE);
}

/// When HTcoll is full the collector is switched off, Lisp is told, and nothing is counted any more.
fn full_tables_switch_the_collector_off<L: Layout>() {
    let mut m = empty::<L>();
    let m = &mut *m;
    m.space.set_cell(m.symbols.interrupt_state, 0x30_0000);
    m.set_active_pages(1);
    m.set_page_of_file(1, L::MDS_TYPE_TABLE.page().0);
    L::store(m.space, L::collision_entry(1), L::COLLISION_LIMIT);
    add_reference(m, 0x21_1000);
    add_reference(m, 0x22_1000);
    assert_eq!(m.space.cell(m.symbols.gc_disabled), AtomIndex::T.0);
    assert_eq!(m.space.cell(m.symbols.pending_interrupt), AtomIndex::T.0);
    assert_eq!(m.space.word(LispPtr(0x30_0000)), 0x1000);
    assert_eq!(m.space.cell(m.symbols.reclaim_countdown), 0);
    assert_eq!(m.space.word(L::MDS_TYPE_TABLE), references::NOT_COUNTED);
    add_reference(m, 0x23_2000);
    assert_eq!(L::load(m.space, L::main_entry(0x2000)), 0);
    assert_eq!(m.exit, None);
}

#[test]
fn full_tables_switch_the_collector_off_in_both_layouts() {
    full_tables_switch_the_collector_off::<Medley2>();
    full_tables_switch_the_collector_off::<Medley35>();
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

/// A tree whose root is dropped goes with all its branches, through near and far waiting objects.
fn a_tree_goes_as_a_whole<L: Layout>() {
    let mut heap = Heap::<L>::new();
    let root = heap.new_record(0);
    // A full tree: record n has children 4n+1 ..= 4n+4.
    for number in 0..21 {
        for pointer in 0..4 {
            let child = heap.new_record(4 * number + 1 + pointer);
            let parent = heap.record(number);
            heap.set(parent, pointer as usize, child);
        }
    }
    let listed = heap.new_record(90);
    let list = heap.cons(16, listed, 0);
    let kept = heap.cons(32, root, list);
    add_reference(&mut heap.m, kept);
    // A reference from elsewhere to the last leaf and to the second list.
    let leaf = heap.record(84);
    add_reference(&mut heap.m, leaf);
    heap.collect();
    assert_eq!(heap.free_records(), [], "the list keeps it all");
    delete_reference(&mut heap.m, kept);
    heap.collect();
    let mut free = heap.free_records();
    assert_eq!(free.len(), 85, "84 of the tree and one of the list");
    free.sort();
    free.dedup();
    assert_eq!(free.len(), 85);
    assert!(!free.contains(&leaf));
    let expected: &[u32] = if L::BIG { &[32, 34, 16, 18] } else { &[34, 32, 18, 16] };
    let mut conses = heap.free_conses();
    assert_eq!(conses.len(), 4);
    conses.sort_by_key(|offset| expected.iter().position(|wanted| wanted == offset));
    assert_eq!(conses, expected);
    assert_empty(&heap.m.machine);
}

#[test]
fn a_tree_goes_as_a_whole_in_both_layouts() {
    a_tree_goes_as_a_whole::<Medley2>();
    a_tree_goes_as_a_whole::<Medley35>();
}

/// A long chain of objects goes, without any recursion, from its far end.
fn long_chains_need_no_recursion<L: Layout>() {
    let mut heap = Heap::<L>::new();
    let mut last = heap.new_record(0);
    for number in 1..100 {
        let record = heap.new_record(number);
        // By the first pointer, so that each has three left to drop when the next goes.
        heap.set(record, 0, last);
        last = record;
    }
    heap.collect();
    assert_eq!(heap.free_records().len(), 100);
    assert_eq!(heap.free_records()[99], heap.record(0), "the innermost is freed first");
    assert_empty(&heap.m.machine);
}

#[test]
fn long_chains_need_no_recursion_in_both_layouts() {
    long_chains_need_no_recursion::<Medley2>();
    long_chains_need_no_recursion::<Medley35>();
}

/// An object that is garbage and refers to itself, as only damage makes one, ends the collection and not the test.
fn garbage_in_a_circle_is_an_error<L: Layout>() {
    let mut heap = Heap::<L>::new();
    let record = heap.new_record(0);
    heap.m.space.set_cell(LispPtr(record + 2 * POINTERS[0]), record);
    reclaim::sweep(&mut heap.m);
    let expected = MachineError::BadCount { what: "reclaiming it has no end", at: LispPtr(record) };
    assert_eq!(heap.m.exit, Some(Exit::Fatal(expected)));
}

#[test]
fn garbage_in_a_circle_is_an_error_in_both_layouts() {
    garbage_in_a_circle_is_an_error::<Medley2>();
    garbage_in_a_circle_is_an_error::<Medley35>();
}

/// What frames refer to stays: arguments, function, PVARs, temporaries on both sides of a name table.
fn the_stack_keeps_objects<L: Layout>() {
    let mut heap = Heap::<L>::new();
    let space = heap.m.space;
    let records: Vec<u32> = (0..8).map(|number| heap.new_record(number)).collect();
    // A function: 2 PVARs in one pair, name in its header.
    let header = LispPtr(0x60_0000);
    space.set_word(header.plus(2), 0);
    space.set_cell(header.plus(4), records[7]);
    space.set_word(header.plus(7), 2 << 8);
    let at = LispPtr(0x1_2000);
    space.set_cell(at, records[0]);
    space.set_cell(at.plus(2), 0x8000_2000);
    let frame = at.plus(4);
    space.set_cell(frame, 0xC200_0000);
    space.set_cell(frame.plus(2), L::frame_cell(header));
    let names = frame.plus(22);
    space.set_cell(frame.plus(6), L::frame_cell(names));
    space.set_cell(frame.plus(10), records[1]);
    space.set_cell(frame.plus(12), 0xFFFF_FFFF);
    // One pair of PVARs, padding, a temporary, the name table of 8 + 2 * 1 words, a temporary.
    space.set_cell(frame.plus(14), records[2]);
    space.set_cell(frame.plus(16), records[2]);
    space.set_cell(frame.plus(18), records[3]);
    space.set_cell(frame.plus(20), records[4] | 0x8000_0000);
    space.set_word(names.plus(6), 1);
    space.set_cell(names.plus(8), records[5]);
    space.set_cell(names.plus(10), records[6]);
    let next = names.plus(12);
    space.set_word(frame.plus(4), next.low());
    space.set_cell(next, FREE_STACK | (0x1_3000 - next.0));
    heap.collect();
    let mut free = heap.free_records();
    free.sort();
    assert_eq!(free, [records[2], records[4], records[5]]);
    // They have no counts still, and go when the frame has.
    space.set_cell(at, FREE_STACK | 0x1000);
    heap.collect();
    assert_eq!(heap.free_records().len(), 8);
    assert_empty(&heap.m.machine);
}

#[test]
fn the_stack_keeps_objects_in_both_layouts() {
    the_stack_keeps_objects::<Medley2>();
    the_stack_keeps_objects::<Medley35>();
}

#[test]
fn a_damaged_stack_stops_the_scan() {
    let mut heap = Heap::<Medley2>::new();
    heap.m.space.set_cell(LispPtr(0x1_2000), FREE_STACK);
    assert!(!scan::mark_stack(&mut heap.m));
    assert!(matches!(heap.m.exit, Some(Exit::Fatal(MachineError::BadStack { .. }))));
}

/// Array space from 0x60_0000: blocks of these sizes one behind the other, all in use.
fn blocks<L: Layout>(m: &Machine<L>, sizes: &[u32]) -> Vec<LispPtr> {
    m.space.set_cell(m.symbols.free_block_buckets, 0x2_0000);
    m.space.set_cell(m.symbols.array_merging, AtomIndex::T.0);
    m.space.set_cell(m.symbols.array_block_checking, AtomIndex::T.0);
    let start = 0x60_0000;
    m.space.set_cell(m.symbols.array_space, start);
    let mut at = LispPtr(start);
    let mut blocks = Vec::new();
    for cells in sizes {
        let header = 0xAAA9_0000 | cells;
        m.space.set_cell(at, header);
        m.space.set_cell(at.plus(2 * cells - 2), header);
        blocks.push(at);
        at = at.plus(2 * cells);
    }
    m.space.set_cell(m.symbols.array_free_list, at.0);
    blocks
}

/// Checks all blocks and rings; returns the sizes of the blocks, free ones negative.
fn survey<L: Layout>(m: &Machine<L>) -> Vec<i64> {
    let mut sizes = Vec::new();
    let mut free = Vec::new();
    let mut at = LispPtr(m.space.cell(m.symbols.array_space));
    let end = LispPtr(m.space.cell(m.symbols.array_free_list));
    while at < end {
        // What kind of contents it has does not matter here.
        let header = m.space.cell(at) & !0x6_0000;
        assert_eq!(header >> 16 & !1, 0xAAA8);
        let cells = header & 0xFFFF;
        assert_eq!(m.space.cell(at.plus(2 * cells - 2)) & !0x6_0000, header);
        let in_use = header >> 16 & 1 == 1;
        if !in_use && cells >= 4 {
            free.push(at);
        }
        sizes.push(if in_use { cells as i64 } else { -(cells as i64) });
        at = at.plus(2 * cells);
    }
    assert_eq!(at, end);
    let mut listed = Vec::new();
    for bucket in 0..=30 {
        let first = LispPtr(m.space.cell(LispPtr(0x2_0000 + 2 * bucket)));
        let mut block = first;
        while block != LispPtr::NIL {
            let cells = m.space.cell(block) & 0xFFFF;
            assert_eq!(u32::BITS - cells.leading_zeros(), bucket);
            let next = LispPtr(m.space.cell(block.plus(2)));
            assert_eq!(LispPtr(m.space.cell(next.plus(4))), block);
            listed.push(block);
            block = if next == first { LispPtr::NIL } else { next };
        }
    }
    listed.sort();
    assert_eq!(listed, free, "free blocks are on the free lists, and nothing else");
    sizes
}

#[test]
fn freed_neighbours_become_one_block() {
    let mut m = empty::<Medley2>();
    let m = &mut *m;
    let all = blocks(m, &[10, 20, 3, 30, 2, 40]);
    let free = |m: &mut Machine<Medley2>, block: usize| arrays::reclaim_block(m, all[block].plus(2));
    free(m, 1);
    assert_eq!(survey(m), [10, -20, 3, 30, 2, 40]);
    free(m, 3);
    assert_eq!(survey(m), [10, -20, 3, -30, 2, 40]);
    free(m, 2);
    assert_eq!(survey(m), [10, -53, 2, 40]);
    free(m, 4);
    assert_eq!(survey(m), [10, -55, 40]);
    free(m, 0);
    free(m, 5);
    assert_eq!(survey(m), [-105]);
    assert_eq!(m.exit, None);
}

/// Blocks too large for one are split so that the remainder is useful, forwards and backwards.
fn large_blocks_keep_a_remainder<L: Layout>() {
    for (sizes, order, hunks, expected) in [
        ([65000, 1000], [0, 1], false, [-65535, -465]),
        ([65000, 1000], [1, 0], true, [-65535, -465]),
        ([65000, 545], [0, 1], true, [-65479, -66]),
        ([65535, 10], [0, 1], true, [-65479, -66]),
        ([65535, 2], [1, 0], false, [-65533, -4]),
    ] {
        let mut m = empty::<L>();
        let m = &mut *m;
        let all = blocks(m, &sizes);
        m.space.set_cell(m.symbols.hunking, if hunks { AtomIndex::T.0 } else { 0 });
        for block in order {
            arrays::reclaim_block(m, all[block].plus(2));
        }
        assert_eq!(survey(m), expected, "of {sizes:?} in order {order:?}");
        assert_eq!(m.exit, None);
    }
}

#[test]
fn large_blocks_keep_a_remainder_in_both_layouts() {
    large_blocks_keep_a_remainder::<Medley2>();
    large_blocks_keep_a_remainder::<Medley35>();
}

/// Any order of freeing leaves a sound space, and in the end one block.
fn any_order_of_freeing_is_sound<L: Layout>() {
    for seed in 0..20 {
        let mut random = Random(seed);
        let mut m = empty::<L>();
        let m = &mut *m;
        let sizes: Vec<u32> = (0..60).map(|_| 2 + random.below(300)).collect();
        let total: u32 = sizes.iter().sum();
        let mut left = blocks(m, &sizes);
        while !left.is_empty() {
            let block = left.swap_remove(random.below(left.len() as u32) as usize);
            arrays::reclaim_block(m, block.plus(2));
            let sizes = survey(m);
            assert!(!sizes.windows(2).any(|pair| pair[0] < 0 && pair[1] < 0), "free neighbours are one block");
        }
        assert_eq!(survey(m), [-(total as i64)]);
        assert_eq!(m.exit, None);
    }
}

#[test]
fn any_order_of_freeing_is_sound_in_both_layouts() {
    any_order_of_freeing_is_sound::<Medley2>();
    any_order_of_freeing_is_sound::<Medley35>();
}

#[test]
fn pointers_in_an_array_are_dropped() {
    let mut m = empty::<Medley35>();
    let m = &mut *m;
    let all = blocks(m, &[6]);
    m.space.set_word(all[0], 0xAAAB);
    for cell in 1..=4 {
        m.space.set_cell(all[0].plus(2 * cell), 0x50_0000);
        add_reference(m, 0x50_0000);
    }
    arrays::reclaim_block(m, all[0].plus(2));
    assert_empty(m);
    assert_eq!(survey(m), [-6]);
}

#[test]
fn what_is_no_array_block_is_damage() {
    let mut m = empty::<Medley2>();
    arrays::reclaim_block(&mut m, LispPtr(0x60_0002));
    assert!(matches!(m.exit, Some(Exit::Fatal(MachineError::BadStorage { .. }))));
}

/// A function's constants and name are dropped when it goes, and the cached closure first.
fn functions_drop_their_constants<L: Layout>() {
    let mut m = empty::<L>();
    let m = &mut *m;
    let all = blocks(m, &[20, 30]);
    let function = all[0].plus(2);
    m.space.set_word(all[0], 0xAAAD);
    let constants = [0x50_0000, 0x51_0000, 0x52_0010];
    m.space.set_cell(function.plus(4), constants[0]);
    m.space.set_word(function.plus(3), 16);
    let mut at = function.byte().plus(16);
    let mut emit = |bytes: &[u8]| {
        for byte in bytes {
            m.space.set_byte(at, *byte);
            at = at.plus(1);
        }
    };
    // NIL; SICX, whose operands look like GCONST; two constants; itself; RETURN.
    emit(&[0o150, 0o156, 0o157, 0o157]);
    for constant in [constants[1], constants[2], function.0] {
        emit(&[0o157]);
        emit(&constant.to_be_bytes()[4 - L::ATOM_BYTES as usize..]);
    }
    emit(&[0o020, 0]);
    for constant in constants {
        add_reference(m, constant);
    }

    // The closure cache has it, in a slot that another function's would have had first.
    let (table, base, closure) = (0x54_0000, 0x54_1000, 0x55_0000);
    let deleted = 0x56_0000;
    m.space.set_cell(m.symbols.closure_cache_enabled, AtomIndex::T.0);
    m.space.set_cell(m.symbols.closure_cache, table);
    m.space.set_cell(m.symbols.deleted_implicit_hash_slot, deleted);
    m.space.set_cell(LispPtr(table), base);
    m.space.set_word(LispPtr(table + 2), 15);
    m.space.set_word(LispPtr(table + 4), 1);
    m.space.set_cell(LispPtr(closure), function.0);
    let low = function.low() as u32;
    let hash = function.high() as u32 ^ ((low & 0x1FFF) << 3) ^ (low >> 9);
    let step = ((hash ^ hash >> 8) & 15) | 1;
    m.space.set_cell(LispPtr(base + 2 * (hash & 15)), deleted);
    let slot = LispPtr(base + 2 * ((hash + step) & 15));
    m.space.set_cell(slot, closure);

    arrays::reclaim_block(m, function);
    assert_eq!(survey(m), [20, 30], "the closure goes first");
    assert_eq!(m.space.cell(slot), deleted);
    assert_eq!(m.space.word(LispPtr(table + 4)), 0);
    assert_eq!((counted(m, closure), counted(m, deleted)), ((0, false), (2, false)));
    for constant in constants {
        assert_eq!(counted(m, constant), (2, false));
    }
    arrays::reclaim_block(m, function);
    assert_eq!(survey(m), [-20, 30]);
    add_reference(m, closure);
    delete_reference(m, deleted);
    assert_eq!(m.exit, None);
    assert_empty(m);
}

#[test]
fn functions_drop_their_constants_in_both_layouts() {
    functions_drop_their_constants::<Medley2>();
    functions_drop_their_constants::<Medley35>();
}

#[test]
fn a_buffer_keeps_its_page() {
    let mut m = empty::<Medley2>();
    let m = &mut *m;
    let (first, second, page) = (0x50_0000, 0x50_0010, 0x51_0000);
    m.space.set_cell(m.symbols.system_buffer_list, first);
    m.space.set_cell(LispPtr(first + 6), second);
    m.space.set_cell(LispPtr(second + 2), page);
    assert!(finalize::finalize(m, LispPtr(page), types::VMEMPAGEP));
    assert_eq!(m.space.cell(LispPtr(second + 6)), 0x8000_0000);
    assert!(!finalize::finalize(m, LispPtr(page + 512), types::VMEMPAGEP));
}

/// RPLPTR keeps the flags above a pointer and counts both.
#[test]
fn rplptr_counts_and_keeps_flags() {
    let mut m = empty::<Medley2>();
    let m = &mut *m;
    let object = LispPtr(0x50_0000);
    let mut r = m.regs;
    r.pc = 0x10_0000;
    m.space.set_byte(crate::address::ByteAddr(r.pc + 1), 4);
    // In the second round both collide with others, which is the slow way.
    for round in 0..2 {
        m.space.set_cell(object.plus(4), 0xAB60_1000);
        m.space.set_cell(LispPtr(r.sp - 2), object.0);
        r.tos = 0x61_2000;
        let mut now = r;
        if rplptr(m, &mut now) == Flow::Slow {
            assert_eq!(round, 1);
            let slow = m.slow_path;
            assert_eq!(slow(m, &mut now), Flow::Next);
        }
        assert_eq!((now.tos, now.sp), (object.0, r.sp - 2));
        assert_eq!(m.space.cell(object.plus(4)), 0xAB61_2000);
        assert_eq!(counted(m, 0x61_2000), (2, false));
        assert_eq!(counted(m, 0x60_1000), (0, false));
        delete_reference(m, 0x61_2000);
        add_reference(m, 0x60_1000);
        for other in [0x62_2000, 0x62_1000] {
            add_reference(m, other);
        }
    }
}

#[test]
fn gcref_leaves_what_has_no_reference() {
    let mut m = empty::<Medley35>();
    let m = &mut *m;
    let mut r = Regs { pc: 0x10_0000, tos: 0x51_0000, ..m.regs };
    let mut run = |m: &mut Machine<Medley35>, case: u8| {
        m.space.set_byte(crate::address::ByteAddr(0x10_0001), case);
        assert_eq!(gcref(m, &mut r), Flow::Slow);
        let slow = m.slow_path;
        let flow = slow(m, &mut r);
        let tos = r.tos;
        r.tos = 0x51_0000;
        (flow, tos)
    };
    assert_eq!(run(m, 1), (Flow::Next, 0x51_0000));
    assert_eq!(run(m, 2), (Flow::Next, 0));
    assert_eq!(counted(m, 0x51_0000), (0, true));
    assert_eq!(run(m, 0), (Flow::Next, 0));
    assert_eq!(run(m, 3), (Flow::Ufn, 0x51_0000));
}

/// Garbage made of a real image: some of its functions, property lists and lists in variables.
fn drop_parts(m: &mut Machine<Medley2>, part: u32) {
    let drop = |m: &mut Machine<Medley2>, cell: LispPtr| {
        let pointer = m.space.cell(cell) & Medley2::POINTER_MASK;
        m.space.set_cell(cell, 0);
        count(m, pointer, Case::Delete);
    };
    for symbol in 256..32768 {
        let atom = AtomIndex(symbol);
        if symbol % 5 == part {
            drop(m, Medley2::definition_cell(atom));
        }
        if symbol % 3 == part {
            drop(m, Medley2::plist_cell(atom));
        }
        let value = Medley2::value_cell(atom);
        let is_list = crate::layout::type_number::<Medley2>(m.space, m.space.cell(value)) == types::LISTP;
        if symbol % 2 == part % 2 && is_list {
            drop(m, value);
        }
    }
}

/// A number that tells one content of all of memory from another.
fn fingerprint(m: &Machine<Medley2>) -> u64 {
    (0..0x80_0000).fold(0xCBF2_9CE4_8422_2325, |sum: u64, cell| {
        (sum ^ m.space.cell(LispPtr(2 * cell)) as u64).wrapping_mul(0x100_0000_01B3)
    })
}

/// All of memory after a collection is, bit for bit, what the reference emulator leaves (its release 201, built with
/// -fno-strict-aliasing, whose collector was called on the same memory): first of the image as it is, then with two
/// kinds of garbage made.
#[test]
fn an_image_is_collected_as_by_the_reference() {
    const IMAGE: u64 = 0x1E3D_1FFD_3936_53D3;
    for (part, reference) in [0xF11F_601F_68E9_F2B8, 0x9F02_D81F_1F01_42BB, 0xB49D_2BC3_24F9_25BA].iter().enumerate() {
        let Some(mut m) = crate::testing::image::<Medley2>() else { return };
        let m = &mut *m;
        if fingerprint(m) != IMAGE {
            std::eprintln!("SKIPPED: not the image that the reference has collected");
            return;
        }
        m.space.set_cell(m.symbols.reclaim_countdown, 0);
        if part != 0 {
            drop_parts(m, part as u32);
        }
        assert!(scan::mark_stack(m));
        reclaim::sweep(m);
        reclaim::unmark(m);
        assert_eq!(m.exit, None);
        assert_eq!(fingerprint(m), *reference, "part {part}");
    }
}
