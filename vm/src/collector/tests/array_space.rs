//! Array space: blocks that are freed and merged, and what they drop.

use super::*;

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
