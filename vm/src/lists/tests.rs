//! Lists against a model that has two pointers in each cell.

use super::*;
use crate::layout::{Medley2, Medley35, SMALL_POSITIVE};
use crate::storage::TypeDescriptor;
use crate::storage::tests::{FIRST_MDS_PAGE, with_storage};
use core::sync::atomic::Ordering;
use pages::ConsPage;
use std::collections::{HashMap, HashSet};
use std::vec::Vec;

/// Numbers that look random.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % limit as u64) as usize
    }
}

/// Cells of a CONS page that are free, by word offset.
fn free_cells<L: Layout>(m: &Machine<L>, page: u32) -> Vec<u32> {
    let header = m.space.cell(LispPtr((page << 8) + L::Cdr::HEADER));
    let next = |offset: u32| m.space.cell(LispPtr((page << 8) + offset)) >> 24;
    let first = Some(header >> 16 & 0xFF).filter(|first| *first != 0);
    let cells: Vec<u32> =
        core::iter::successors(first, |offset| Some(next(*offset)).filter(|next| *next != 0)).take(200).collect();
    assert_eq!(cells.len() as u32, header >> 24, "page {page:#x} has as many free cells as it counts");
    cells
}

/// All CONS pages so far.
fn cons_pages<L: Layout>(m: &Machine<L>) -> Vec<u32> {
    (m.counter(m.symbols.next_mds_page) + 2..FIRST_MDS_PAGE + 2)
        .filter(|page| is_list::<L>(m.space, page << 8))
        .collect()
}

/// Every cell holds what the model says, free counts are right, and no cell is used twice.
fn check<L: Layout>(m: &Machine<L>, model: &HashMap<u32, (u32, u32)>) {
    let mut used = HashSet::new();
    let mut in_use = |cell: LispPtr| {
        assert!(used.insert(cell.0), "{cell:?} is used once");
    };
    for (cell, (car, cdr)) in model {
        let cell = LispPtr(*cell);
        assert_eq!(car_of::<L>(m.space, cell), *car, "CAR of {cell:?}");
        assert_eq!(cdr_of::<L>(m.space, cell), *cdr, "CDR of {cell:?}");
        in_use(cell);
        let mut holder = cell;
        let mut raw = m.space.cell(holder);
        if raw >> L::Cdr::SHIFT == 0 {
            holder = LispPtr::from_cell::<L>(raw);
            in_use(holder);
            raw = m.space.cell(holder);
        }
        let code = raw >> L::Cdr::SHIFT;
        assert_ne!(code, 0, "an indirect cell leads to one that is not");
        if code < L::Cdr::NIL {
            in_use(L::Cdr::origin(holder).plus(2 * code));
        }
    }
    let mut cells = 0;
    for page in cons_pages(m) {
        for offset in free_cells(m, page) {
            assert!(!used.contains(&((page << 8) + offset)), "a used cell is not free");
            cells += 1;
        }
    }
    let all = cons_pages(m).len() as u32 * L::Cdr::PAGE_CELLS;
    assert_eq!(cells + used.len() as u32, all, "every cell is free or used");
}

/// Random lists: cells are made and changed, through the opcodes, and always say what the model says.
fn lists_match_the_model<L: Layout>(seed: u64) {
    let mut m = with_storage::<L>();
    let m = &mut *m;
    let mut random = Random(seed);
    let mut model: HashMap<u32, (u32, u32)> = HashMap::new();
    let mut cells: Vec<u32> = Vec::new();
    let datum = |cells: &[u32], random: &mut Random| match random.below(6) {
        0 => 0,
        1 => SMALL_POSITIVE | random.below(1000) as u32,
        2 if !cells.is_empty() => cells[cells.len() - 1],
        _ if !cells.is_empty() => cells[random.below(cells.len())],
        _ => 76,
    };
    for step in 0..6000 {
        let (first, second) = (datum(&cells, &mut random), datum(&cells, &mut random));
        let mut r = m.regs;
        let cell = cells.get(random.below(cells.len().max(1))).copied();
        let (flow, made) = match (random.below(8), cell) {
            (0..=3, _) | (_, None) => {
                m.push(&mut r, first);
                m.push(&mut r, second);
                (cons_slow(m, &mut r), Some((first, second)))
            }
            (4 | 5, Some(cell)) => {
                m.push(&mut r, cell);
                m.push(&mut r, first);
                model.get_mut(&cell).unwrap().1 = first;
                (rplacd_slow(m, &mut r), None)
            }
            (6, Some(cell)) => {
                m.push(&mut r, cell);
                m.push(&mut r, first);
                model.get_mut(&cell).unwrap().0 = first;
                (rplaca_slow(m, &mut r), None)
            }
            (_, Some(cell)) => {
                m.push(&mut r, cell);
                m.push(&mut r, first);
                let flow = rplcons_slow(m, &mut r);
                model.get_mut(&cell).unwrap().1 = r.tos;
                (flow, Some((first, 0)))
            }
        };
        assert_eq!(flow, Flow::Next);
        assert_eq!(r.sp, m.regs.sp + 2, "two operands became one");
        match made {
            Some(contents) => {
                assert!(is_list::<L>(m.space, r.tos));
                assert_eq!(model.insert(r.tos, contents), None, "a new cell is new");
                cells.push(r.tos);
            }
            None => assert_eq!(Some(r.tos), cell),
        }
        if step % 500 == 0 {
            check(m, &model);
        }
    }
    check(m, &model);
    let descriptor = TypeDescriptor::<L>::of(types::LISTP);
    let listed: Vec<u32> = core::iter::successors(Some(descriptor.next_page(m.space)), |page| {
        Some(ConsPage::<L::Cdr>::numbered(m.space, *page).next_page())
    })
    .take_while(|page| *page != 0)
    .take(1000)
    .collect();
    let pages = cons_pages(m);
    assert!(listed.len() < 1000 && listed.iter().all(|page| pages.contains(page)), "the chain of pages is sound");
}

#[test]
fn lists_of_both_codings_match_the_model() {
    for seed in 1..4 {
        lists_match_the_model::<Medley2>(seed);
        lists_match_the_model::<Medley35>(seed);
    }
}

/// A fresh page: all cells but the header's, in the order of the chain.
#[test]
fn fresh_pages() {
    let m = with_storage::<Medley2>();
    ConsPage::<OldCoding>::numbered(m.space, 0x5000).initialise(0x1234);
    let cells = free_cells::<Medley2>(&m, 0x5000);
    assert_eq!(cells, (1..128).rev().map(|i| 2 * i).collect::<Vec<_>>());
    assert_eq!(m.space.cell(LispPtr(0x50_0000)), 0x7FFE_1234);
    drop(m);
    let m = with_storage::<Medley35>();
    ConsPage::<NewCoding>::numbered(m.space, 0x5000).initialise(0x1_2345);
    let cells = free_cells::<Medley35>(&m, 0x5000);
    assert_eq!(cells, (4..128).rev().map(|i| (2 * i) ^ 6).collect::<Vec<_>>());
    assert_eq!(m.space.cell(LispPtr(0x50_0004)), 0x7CF8_0000);
    assert_eq!(m.space.cell(LispPtr(0x50_0006)), 0x1_2345);
}

/// Free chains in any order at all: what is taken is in reach, and everything else stays in the chain.
#[test]
fn cells_are_taken_within_reach_from_any_chain() {
    let m = with_storage::<Medley35>();
    let page = ConsPage::<NewCoding>::numbered(m.space, 0x5000);
    let base = LispPtr(0x50_0000);
    let mut random = Random(7);
    for _ in 0..3000 {
        let mut cells: Vec<u32> = (4..128).map(|i| 2 * i).filter(|_| random.below(4) == 0).collect();
        for i in (1..cells.len()).rev() {
            cells.swap(i, random.below(i + 1));
        }
        let first = cells.first().copied().unwrap_or(0);
        m.space.set_cell(base.plus(4), (cells.len() as u32) << 24 | first << 16);
        for (i, cell) in cells.iter().enumerate() {
            m.space.set_cell(base.plus(*cell), cells.get(i + 1).copied().unwrap_or(0) << 24);
        }
        let target = base.plus(8 + 2 * random.below(124) as u32);
        let taken: Vec<LispPtr> = match random.below(3) {
            0 => {
                let cell = page.take_before(target);
                let some = cells.iter().any(|cell| *cell < target.0 & 0xFF && cell + 14 >= target.0 & 0xFF);
                assert_eq!(cell.is_some(), some && target.0 & 0xFF >= 14);
                assert!(cell.is_none_or(|cell| NewCoding::reaches(cell, target)));
                cell.into_iter().collect()
            }
            1 => {
                let cell = page.take_after(target);
                let some = cells.iter().any(|cell| *cell > target.0 & 0xFF && *cell <= (target.0 & 0xFF) + 14);
                assert_eq!(cell.is_some(), some);
                assert!(cell.is_none_or(|cell| NewCoding::reaches(target, cell)));
                cell.into_iter().collect()
            }
            _ => match page.take_pair() {
                Some((first, second)) => {
                    assert!(NewCoding::reaches(first, second));
                    [first, second].into_iter().collect()
                }
                None => {
                    let near = |pair: &[u32]| pair[0].abs_diff(pair[1]) <= 14;
                    assert!(!cells.windows(2).any(near), "neighbours in the chain that reach each other are found");
                    Vec::new()
                }
            },
        };
        let left: HashSet<u32> = free_cells::<Medley35>(&m, 0x5000).into_iter().collect();
        assert!(taken.iter().all(|cell| cells.contains(&(cell.0 & 0xFF)) && !left.contains(&(cell.0 & 0xFF))));
        assert_eq!(left.len() + taken.len(), cells.len());
        assert!(left.iter().all(|cell| cells.contains(cell)));
    }
}

/// The representation is the reference's where it is easy to say what that is.
#[test]
fn cells_are_coded_as_expected() {
    let mut m = with_storage::<Medley2>();
    let first = make_cons(&mut m, 76, 0).unwrap();
    let page = FIRST_MDS_PAGE << 8;
    assert_eq!(first, page + 254);
    assert_eq!(m.space.cell(LispPtr(first)), 0x8000_004C);
    let second = make_cons(&mut m, 77, first).unwrap();
    assert_eq!((second, m.space.cell(LispPtr(second))), (page + 252, 0xFF00_004D));
    // A stored CDR takes the first cell of the page for the CDR, the second one for the CAR.
    let third = make_cons(&mut m, 78, SMALL_POSITIVE).unwrap();
    assert_eq!((third, m.space.cell(LispPtr(third))), (page + 248, 0x7D00_004E));
    assert_eq!(m.space.cell(LispPtr(page + 250)), SMALL_POSITIVE);
    drop(m);

    let mut m = with_storage::<Medley35>();
    let first = make_cons(&mut m, 76, 0).unwrap();
    assert_eq!((first, m.space.cell(LispPtr(first))), (page + 248, 0x8000_004C));
    let second = make_cons(&mut m, 77, first).unwrap();
    assert_eq!((second, m.space.cell(LispPtr(second))), (page + 246, 0x9000_004D), "one cell before");
    let third = make_cons(&mut m, 78, SMALL_POSITIVE).unwrap();
    assert_eq!((third, m.space.cell(LispPtr(third))), (page + 250, 0x1000_004E), "stored one cell on");
    assert_eq!(m.space.cell(LispPtr(page + 252)), SMALL_POSITIVE);
}

/// A list of small numbers.
fn list<L: Layout>(m: &mut Machine<L>, elements: &[u32]) -> u32 {
    elements.iter().rev().fold(0, |rest, element| make_cons(m, *element, rest).unwrap())
}

fn run<L: Layout>(
    m: &mut Machine<L>,
    search: fn(&mut Machine<L>, &mut Regs) -> Flow,
    below: u32,
    top: u32,
) -> (Flow, Regs) {
    let mut r = m.regs;
    m.push(&mut r, below);
    m.push(&mut r, top);
    let flow = search(m, &mut r);
    if flow == Flow::Slow {
        let rest = m.slow_path;
        return (rest(m, &mut r), r);
    }
    (flow, r)
}

fn searches<L: Layout>() {
    let mut m = with_storage::<L>();
    let m = &mut *m;
    let n = |i: u32| SMALL_POSITIVE | i;
    let numbers: Vec<u32> = (0..300).map(n).collect();
    let long = list(m, &numbers);
    let (flow, r) = run(m, fmemb, n(200), long);
    assert_eq!((flow, car_of::<L>(m.space, LispPtr(r.tos))), (Flow::Next, n(200)));
    assert_eq!(run(m, fmemb, n(300), long).1.tos, 0);
    assert_eq!(run(m, cl_fmemb, 0x30_0000, long).0, Flow::Ufn, "only immediate objects are EQL by address");
    let dotted = make_cons(m, n(1), n(2)).unwrap();
    let (flow, r) = run(m, fmemb, n(3), dotted);
    assert_eq!((flow, r.tos), (Flow::Ufn, n(2)), "Lisp complains of the tail");

    let pairs: Vec<u32> = (0..50).map(|i| make_cons(m, n(i), n(1000 + i)).unwrap()).collect();
    let mixed: Vec<u32> = pairs.iter().flat_map(|pair| [n(7), *pair]).collect();
    let associations = list(m, &mixed);
    assert_eq!(run(m, assoc, n(33), associations).1.tos, pairs[33]);
    assert_eq!(run(m, cl_assoc, n(50), associations).1.tos, 0);
    assert_eq!(run(m, assoc, n(33), n(5)), run(m, assoc, n(33), n(5)));
    assert_eq!(run(m, assoc, n(33), n(5)).1.tos, 0, "no list has no associations");

    let properties: Vec<u32> = (0..60).map(n).collect();
    let properties = list(m, &properties);
    assert_eq!(run(m, list_get, properties, n(40)).1.tos, n(41));
    assert_eq!(run(m, list_get, properties, n(41)).1.tos, 0);
    assert_eq!(run(m, list_get, n(3), n(41)).0, Flow::Ufn);

    // Interrupted at every step, each search still comes to the same end.
    for (search, below, top) in [
        (fmemb::<L> as fn(&mut Machine<L>, &mut Regs) -> Flow, n(200), long),
        (cl_fmemb, n(300), long),
        (assoc, n(33), associations),
        (cl_assoc, n(50), associations),
        (list_get, properties, n(40)),
        (list_get, properties, n(41)),
    ] {
        let (_, expected) = run(m, search, below, top);
        let end = m.attention.end.swap(0, Ordering::Relaxed);
        let (mut below, mut top) = (below, top);
        let mut interrupts = 0;
        let found = loop {
            let (flow, r) = run(m, search, below, top);
            if flow == Flow::Next {
                break r;
            }
            assert_eq!(flow, Flow::Interrupt);
            (below, top) = (m.below(&r, 1), r.tos);
            interrupts += 1;
        };
        m.attention.end.store(end, Ordering::Relaxed);
        assert!(interrupts > 10);
        assert_eq!(found, expected);
    }
}

#[test]
fn searches_find_and_go_on_after_interrupts() {
    searches::<Medley2>();
    searches::<Medley35>();
}

#[test]
fn parts_of_no_list() {
    let mut m = with_storage::<Medley2>();
    let m = &mut *m;
    assert_eq!(run(m, rplaca, 0, 0).1.tos, 0);
    assert_eq!(run(m, rplacd, 0, 76).0, Flow::Ufn);
    assert_eq!(run(m, rplacd, 76, 0).0, Flow::Ufn);
    for (tos, flow) in [(0, Flow::Next), (76, Flow::Next), (77, Flow::Ufn)] {
        let mut r = m.regs;
        r.tos = tos;
        assert_eq!((car(m, &mut r), r.tos), (flow, tos));
    }
    let mut r = m.regs;
    r.tos = 76;
    assert_eq!(cdr(m, &mut r), Flow::Ufn);
}
