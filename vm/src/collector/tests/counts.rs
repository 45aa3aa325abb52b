//! The tables of counts: against a model, at their limits.

use super::*;

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
