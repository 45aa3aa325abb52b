//! Heaps built by hand: trees, chains, circles, and what the stack keeps.

use super::*;

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
