//! Storage over memory laid out by hand.

use super::full::{ARRAY_SWITCHED, FULLY_SWITCHED};
use super::*;
use crate::layout::{Medley2, Medley35};
use crate::testing::{Fixture, machine};
use std::collections::HashSet;
use std::vec::Vec;

/// The first page of MDS, counted down.
pub(crate) const FIRST_MDS_PAGE: u32 = 0x7FFE;
/// The next page of array space.
const ARRAY_PAGE: u32 = 0x4000;
/// Pages in the image.
const PAGES: u32 = 3000;
/// Where FPtoVP is in the file.
const MAP_START: u32 = 400;

/// A machine whose storage works, without a collector.
pub(crate) fn with_storage<L: Layout>() -> Fixture<L> {
    let mut m = machine::<L>();
    let space = m.space;
    let symbols = m.symbols;
    space.set_cell(symbols.gc_disabled, AtomIndex::T.0);
    space.set_cell(symbols.interrupt_state, 0x3_0000);
    let counters = [
        (symbols.next_mds_page, FIRST_MDS_PAGE),
        (symbols.next_array_page, ARRAY_PAGE),
        (symbols.least_mds_page, FIRST_MDS_PAGE),
        (symbols.second_mds_page, 0xFFFC),
        (symbols.second_array_page, 0x8000),
        (symbols.last_vmem_file_page, 0xFFFF),
    ];
    for (i, (variable, value)) in counters.into_iter().enumerate() {
        if L::BIG {
            space.set_cell(variable, 0x5F_F000 + 2 * i as u32);
        }
        m.set_counter(variable, value);
    }
    space.set_cell(symbols.mds_free_page, SMALL_POSITIVE);
    m.set_ifpage_word(interface::KEY, sysout::KEY);
    m.set_ifpage_word(interface::MAP_START, MAP_START as u16);
    m.set_ifpage_word(interface::WIDE_POINTERS, 0xFFFF);
    m.set_active_pages(PAGES);
    // The file holds pages from 0x1000 on, but where it holds its own map.
    for file_page in 1..=PAGES {
        m.set_page_of_file(file_page, 0x1000 + file_page);
    }
    let entries = if L::BIG { 128 } else { 256 };
    for i in 0..=PAGES / entries {
        m.set_page_of_file(MAP_START + i, L::FPTOVP.page().0 + i);
    }
    TypeDescriptor::<L>::of(numbers::LISTP).declare(space, 5, 4, numbers::LISTP as u16, 0);
    m
}

/// The map stays contiguous in the file, every page is in it once, and memory was asked for all new ones.
fn map_grows<L: Layout>() {
    let mut m = with_storage::<L>();
    let before: Vec<u32> = (1..=PAGES).map(|file_page| m.page_of_file(file_page)).collect();
    for i in 0..1000 {
        new_page(&mut m, LispPage(0x9000 + i)).unwrap();
    }
    let entries = if L::BIG { 128 } else { 256 };
    let active = m.active_pages();
    let tables = active / entries - PAGES / entries;
    assert_eq!(active, PAGES + 1000 + tables);
    assert_eq!(m.world().new_pages.len() as u32, 1000 + tables);
    assert!(m.world().log.is_empty(), "the map is contiguous");
    let first = L::FPTOVP.page().0;
    for i in 0..=active / entries {
        assert_eq!(m.page_of_file(MAP_START + i), first + i);
    }
    let now: HashSet<u32> = (1..=active).map(|file_page| m.page_of_file(file_page)).collect();
    assert_eq!(now.len() as u32, active, "no page is there twice");
    assert!(before.iter().all(|page| now.contains(page)), "no page is lost");
    assert!((0..1000).all(|i| now.contains(&(0x9000 + i))));
}

#[test]
fn the_map_of_file_pages_grows() {
    map_grows::<Medley2>();
    map_grows::<Medley35>();
}

/// Cells of a unit: each inside, none overlapping, as many as fit.
fn cells_of_a_type<L: Layout>(size: u32, expected: usize) {
    const TYPE: u32 = 100;
    let mut m = with_storage::<L>();
    let descriptor = TypeDescriptor::<L>::of(TYPE);
    descriptor.declare(m.space, 77, size as u16, 0x1000 | TYPE as u16, 0);
    let mut cells = Vec::new();
    loop {
        let cell = create_cell(&mut m, TYPE).unwrap();
        if cell.page().0 < FIRST_MDS_PAGE {
            break;
        }
        for word in 0..size {
            assert_eq!(m.space.word(cell.plus(word)), 0, "a new object is zero");
            m.space.set_word(cell.plus(word), 0xFFFF);
        }
        cells.push(cell.0);
    }
    assert_eq!(cells.len(), expected, "objects of {size} words");
    cells.sort_unstable();
    assert!(cells.windows(2).all(|pair| pair[1] - pair[0] >= size));
    assert!(cells.last().unwrap() + size <= (FIRST_MDS_PAGE + 2) << 8);
    assert!(cells.iter().all(|cell| type_number::<L>(m.space, *cell) == TYPE));
    assert_eq!(m.counter(m.symbols.next_mds_page), FIRST_MDS_PAGE - 4, "the next unit is the one below");
}

#[test]
fn units_are_cut_into_cells() {
    for (size, cells) in [(2, 256), (4, 128), (6, 85), (10, 51), (104, 4), (256, 2), (56, 9), (18, 28), (90, 5)] {
        cells_of_a_type::<Medley2>(size, cells);
        cells_of_a_type::<Medley35>(size, cells);
    }
}

#[test]
fn types_without_a_size_are_for_lisp() {
    let mut m = with_storage::<Medley2>();
    assert_eq!(create_cell(&mut m, 200), Err(Flow::Ufn));
    assert!(m.exit.is_none());
}

#[test]
fn free_units_are_used_first() {
    let mut m = with_storage::<Medley2>();
    m.space.set_cell(m.symbols.mds_free_page, SMALL_POSITIVE | 0x7000);
    m.space.set_cell(LispPtr(0x70_0000), SMALL_POSITIVE | 0x6000);
    m.space.set_word(LispPtr(Medley2::MDS_TYPE_TABLE.0 + (SMALL_POSITIVE >> 9)), numbers::SMALLP as u16);
    m.space.set_word(LispPtr(Medley2::MDS_TYPE_TABLE.0 + ((SMALL_POSITIVE | 0x6000) >> 9)), numbers::SMALLP as u16);
    assert_eq!(allocate_unit(&mut m, 9), Ok(LispPtr(0x70_0000)));
    assert_eq!(allocate_unit(&mut m, 9), Ok(LispPtr(0x60_0000)));
    assert_eq!(allocate_unit(&mut m, 9), Ok(LispPtr(FIRST_MDS_PAGE << 8)));
    assert_eq!(type_number::<Medley2>(m.space, 0x60_01FE), 9);
}

#[test]
fn no_memory_stops_the_machine() {
    let mut m = with_storage::<Medley35>();
    m.world().pages_left = 1;
    assert_eq!(allocate_unit(&mut m, 9), Err(Flow::Exit));
    assert_eq!(m.exit, Some(Exit::Fatal(MachineError::OutOfMemory)));
}

fn state<L: Layout>(m: &Machine<L>) -> u32 {
    m.space.cell(m.symbols.storage_full_state)
}

fn interrupts<L: Layout>(m: &Machine<L>) -> u32 {
    m.space.cell(LispPtr(0x3_0000))
}

/// Units taken until the machine stops: it tells Lisp once, warns once, and gives every page before.
fn no_second_part<L: Layout>() {
    let mut m = with_storage::<L>();
    m.set_ifpage_word(interface::WIDE_POINTERS, 0);
    let symbols = m.symbols;
    m.set_counter(symbols.next_array_page, FIRST_MDS_PAGE - 400);
    let mut told_at = None;
    let mut last = 0;
    while let Ok(unit) = allocate_unit(&mut m, 9) {
        last = unit.page().0;
        if interrupts(&m) != 0 && told_at.is_none() {
            told_at = Some(last);
            assert_eq!(m.space.cell(m.symbols.storage_full), AtomIndex::T.0);
            assert_eq!(m.space.cell(m.symbols.pending_interrupt), AtomIndex::T.0);
        }
    }
    let end = FIRST_MDS_PAGE - 400;
    // The unit before became a CONS page for the list of variables that Lisp resets.
    assert_eq!(told_at, Some(end + 126));
    assert_eq!(last, end + 2, "the last unit ends where array space begins");
    assert_eq!(state(&m), SMALL_POSITIVE | 1);
    assert_eq!(interrupts(&m), STORAGE_FULL_INTERRUPT);
    assert_eq!(m.space.cell(m.symbols.storage_full), SMALL_POSITIVE);
    assert_eq!(m.world().log.len(), 1);
    assert_eq!(m.exit, Some(Exit::Fatal(MachineError::StorageFull)));
}

#[test]
fn storage_runs_out() {
    no_second_part::<Medley2>();
    no_second_part::<Medley35>();
}

/// MDS moves on to the second part, and array space with it.
fn second_part<L: Layout>() {
    let mut m = with_storage::<L>();
    let end = FIRST_MDS_PAGE - 400;
    let symbols = m.symbols;
    m.set_counter(symbols.next_array_page, end);
    // Array space ends exactly at the page: nothing is left over of it.
    m.space.set_cell(m.symbols.array_free_list, ((end - 1) << 8) + 254);
    let cells = m.symbols.storage_full_state_name.0;
    let second = loop {
        let unit = allocate_unit(&mut m, 9).unwrap();
        if unit.page().0 > FIRST_MDS_PAGE {
            break unit.page().0;
        }
        if state(&m) != 0 {
            assert_eq!(state(&m), SMALL_POSITIVE | 2);
            let variables = m.space.cell(m.symbols.system_cache_vars);
            let names: Vec<u32> = crate::lists::ListIter::<L>::new(m.space, variables).collect();
            assert_eq!(names, [cells], "Lisp will reset the state");
        }
    };
    assert_eq!(second, 0xFFFC);
    assert_eq!(state(&m), SMALL_POSITIVE | FULLY_SWITCHED as u32);
    assert_eq!(m.counter(m.symbols.least_mds_page), end);
    assert_eq!(m.counter(m.symbols.next_mds_page), 0xFFFA);
    assert_eq!(m.counter(m.symbols.next_array_page), 0x8000);
    assert_eq!(m.space.cell(m.symbols.array_free_list), 0x80_0000);
    assert_eq!(m.space.cell(m.symbols.array_space_2), 0x80_0000);
    assert_eq!(m.space.cell(m.symbols.array_free_list_2), ((end - 1) << 8) + 254);
    assert_eq!(m.space.cell(m.symbols.system_cache_vars), 0, "the state stays with the image");
    assert_eq!(m.ifpage_word(interface::FULL_SPACE_USED), 0xFFFF);
    assert_eq!(interrupts(&m), 0);
}

#[test]
fn storage_moves_on() {
    second_part::<Medley2>();
    second_part::<Medley35>();
}

#[test]
fn arrays_move_on_before_mds() {
    let mut m = with_storage::<Medley35>();
    let end = FIRST_MDS_PAGE - 100;
    let symbols = m.symbols;
    m.set_counter(symbols.next_array_page, end);
    m.space.set_cell(m.symbols.array_free_list, ((end - 1) << 8) + 254);
    check_storage_full(&mut m, 90).unwrap();
    assert_eq!(state(&m), SMALL_POSITIVE | 2, "there is room for that");
    check_storage_full(&mut m, 200).unwrap();
    assert_eq!(state(&m), SMALL_POSITIVE | ARRAY_SWITCHED as u32);
    assert_eq!(m.counter(m.symbols.next_array_page), 0x8000);
    // Units of the first part until it is used up.
    let units = core::iter::from_fn(|| allocate_unit(&mut m, 9).ok().filter(|unit| unit.page().0 < 0x8000)).count();
    // One of them is the CONS page for the list of variables that was there before.
    assert_eq!(units, 50);
    assert_eq!(state(&m), SMALL_POSITIVE | FULLY_SWITCHED as u32);
}

#[test]
fn a_full_image_file_is_told_to_lisp() {
    for (key, expected) in [(sysout::KEY, AtomIndex::T.0), (0, u32::MAX)] {
        let mut m = with_storage::<Medley2>();
        m.set_ifpage_word(interface::KEY, key);
        let symbols = m.symbols;
        m.set_counter(symbols.last_vmem_file_page, PAGES + 505);
        for i in 0..5 {
            new_page(&mut m, LispPage(0x9000 + i)).unwrap();
        }
        assert_eq!(interrupts(&m), 0);
        new_page(&mut m, LispPage(0x9005)).unwrap();
        assert_eq!(interrupts(&m), VMEM_FULL_INTERRUPT);
        assert_eq!(m.space.cell(m.symbols.vmem_full_state), SMALL_POSITIVE);
        for i in 6..600 {
            new_page(&mut m, LispPage(0x9000 + i)).unwrap();
        }
        let dirty = m.symbols.dirty.unwrap().0;
        assert_eq!(m.space.cell(m.symbols.vmem_full_state), if expected == u32::MAX { dirty } else { expected });
    }
}

#[test]
fn counters_become_fixps() {
    let mut m = with_storage::<Medley35>();
    TypeDescriptor::<Medley35>::of(numbers::FIXP).declare(m.space, 2, 2, numbers::FIXP as u16, 0);
    m.space.set_cell(m.symbols.second_array_page, SMALL_POSITIVE | 0x5000);
    let symbols = m.symbols;
    m.set_counter(symbols.next_mds_page, 0x1_2344);
    start(&mut m, Some(64)).unwrap();
    let cell = m.space.cell(m.symbols.second_array_page);
    assert_eq!(type_number::<Medley35>(m.space, cell), numbers::FIXP);
    assert_eq!(m.counter(m.symbols.second_array_page), 0x5000);
    assert_eq!(m.counter(m.symbols.last_vmem_file_page), 64 * 2048 - 1);
    assert_eq!(m.counter(m.symbols.second_mds_page), 64 * 2048 - 4);
}

#[test]
fn an_image_starts_with_its_own_size() {
    let Some(mut m) = crate::testing::image::<Medley2>() else {
        return;
    };
    start(&mut m, None).unwrap();
    assert_eq!(m.ifpage_word(interface::LAST_FILE_PAGE_2), 0xFFFF);
    assert_eq!(m.counter(m.symbols.second_mds_page), 0xFFFC);
    assert!(m.world().log.is_empty());
    let descriptor = TypeDescriptor::<Medley2>::of(numbers::STREAM);
    assert_eq!(crate::symbols::find::<Medley2>(m.space, "CL::STREAM"), Ok(AtomIndex(descriptor.name(m.space))));
    assert_eq!(descriptor.size(m.space), 56);
    let pages = m.active_pages();
    for _ in 0..5000 {
        let cell = create_cell(&mut m, numbers::STREAM).unwrap();
        assert_eq!(type_number::<Medley2>(m.space, cell.0), numbers::STREAM);
    }
    assert!(m.active_pages() > pages);
    assert!(m.world().log.is_empty());
}
