//! Running out of address space.
//!
//! Array space grows up and MDS grows down until they meet. What happens then is Lisp's `\\STORAGEFULLSTATE`, a small
//! integer or NIL:
//!
//! ```text
//!   NIL                not asked yet; the machine finds out which of the next two
//!   1 not switchable   there is nowhere to go
//!   2 switchable       there is a second part of the address space
//!   3 array switched   array space grows in the second part; MDS uses up the first
//!   4 fully switched   both are in the second part, and meet there
//! ```
//!
//! In states 1 and 4, 128 pages before the end Lisp gets an interrupt, once; from 64 pages on it is a warning in the
//! log; at the end the machine stops. `\\STORAGEFULL` is NIL before, T after the interrupt and 0 after the warning.

use crate::address::LispPtr;
use crate::dispatch::Flow;
use crate::error::MachineError;
use crate::layout::{Layout, SMALL_POSITIVE, type_number, types};
use crate::lists;
use crate::machine::Machine;
use crate::platform::LogLevel;
use crate::sysout::interface;

const NOT_SWITCHABLE: u16 = 1;
const SWITCHABLE: u16 = 2;
pub(super) const ARRAY_SWITCHED: u16 = 3;
pub(super) const FULLY_SWITCHED: u16 = 4;

/// With less than so many pages between the spaces something has to happen.
const GUARD_PAGES: i32 = 128;
/// With so many pages it becomes urgent.
const LAST_GUARD_PAGES: i32 = 64;
/// Cells of the smallest free block of array space.
const LEAST_BLOCK: u32 = 4;
/// More variables than the system has to reset.
const MOST_VARIABLES: u32 = 1 << 16;
/// Cells in a page.
const PAGE_CELLS: u32 = 128;

/// Looks how much space is left, and acts on it, before `pages` pages of array space, or with 0 a unit of MDS, are taken.
pub(crate) fn check_storage_full<L: Layout>(m: &mut Machine<L>, pages: u32) -> Result<(), Flow> {
    let symbols = m.symbols;
    let next_mds = m.counter(symbols.next_mds_page);
    let next_array = m.counter(symbols.next_array_page);
    let left = next_mds.wrapping_sub(next_array).wrapping_sub(super::UNIT_PAGES) as i32;
    if left >= GUARD_PAGES && pages == 0 {
        return Ok(());
    }
    if m.space.cell(symbols.storage_full_state) == 0 {
        find_state(m)?;
    }
    match m.space.cell(symbols.storage_full_state) as u16 {
        NOT_SWITCHABLE | FULLY_SWITCHED => nowhere_to_go(m, left),
        SWITCHABLE if pages == 0 && left <= 0 => {
            m.set_counter(symbols.least_mds_page, next_array);
            let second = m.counter(symbols.second_mds_page);
            m.set_counter(symbols.next_mds_page, second);
            advance_state(m, FULLY_SWITCHED)?;
            switch_array_space(m);
            Ok(())
        }
        SWITCHABLE if pages != 0 && pages as i32 > left => {
            m.set_counter(symbols.least_mds_page, next_array);
            advance_state(m, ARRAY_SWITCHED)?;
            switch_array_space(m);
            Ok(())
        }
        ARRAY_SWITCHED if next_mds < m.counter(symbols.least_mds_page) => {
            let second = m.counter(symbols.second_mds_page);
            m.set_counter(symbols.next_mds_page, second);
            advance_state(m, FULLY_SWITCHED)
        }
        SWITCHABLE | ARRAY_SWITCHED => Ok(()),
        _ => {
            let what = "\\STORAGEFULLSTATE is none of 1, 2, 3 and 4";
            Err(m.fatal(MachineError::BadStorage { what, at: symbols.storage_full_state }))
        }
    }
}

fn nowhere_to_go<L: Layout>(m: &mut Machine<L>, left: i32) -> Result<(), Flow> {
    let variable = m.symbols.storage_full;
    let told = m.space.cell(variable);
    if left < 0 {
        return Err(m.fatal(MachineError::StorageFull));
    }
    if told == 0 {
        m.space.set_cell(variable, crate::address::AtomIndex::T.0);
        m.post_interrupt(super::STORAGE_FULL_INTERRUPT);
    } else if left <= LAST_GUARD_PAGES && told != SMALL_POSITIVE {
        m.space.set_cell(variable, SMALL_POSITIVE);
        m.platform
            .log(LogLevel::Warning, format_args!("Lisp's address space is getting very full: save and restart soon"));
    }
    Ok(())
}

/// Finds out whether there is a second part of the address space, and has Lisp reset the answer when the image starts
/// anew.
fn find_state<L: Layout>(m: &mut Machine<L>) -> Result<(), Flow> {
    let beyond = m.ifpage_word(interface::WIDE_POINTERS) != 0;
    let state = if beyond { SWITCHABLE } else { NOT_SWITCHABLE };
    m.space.set_cell(m.symbols.storage_full_state, SMALL_POSITIVE | state as u32);
    let variables = m.symbols.system_cache_vars;
    let old = m.space.cell(variables);
    let list = lists::make_cons(m, m.symbols.storage_full_state_name.0, old)?;
    m.space.set_cell(variables, list);
    crate::collector::add_reference(m, list);
    Ok(())
}

/// Notes in the interface page how far storage has run out, for the time after a save. A world that could not switch may
/// be able to when it starts with more space, so it has to ask again.
pub(crate) fn note_full_state<L: Layout>(m: &mut Machine<L>) {
    let variable = m.symbols.storage_full_state;
    if m.space.cell(variable) as u16 == NOT_SWITCHABLE {
        m.space.set_cell(variable, 0);
    }
    m.set_ifpage_word(interface::STORAGE_FULL_STATE, m.space.cell(variable) as u16);
}

/// Sets a state that stays with the image.
fn advance_state<L: Layout>(m: &mut Machine<L>, state: u16) -> Result<(), Flow> {
    m.space.set_cell(m.symbols.storage_full_state, SMALL_POSITIVE | state as u32);
    m.set_ifpage_word(interface::FULL_SPACE_USED, 0xFFFF);
    let variables = m.symbols.system_cache_vars;
    let list = remove(m, m.symbols.storage_full_state_name.0, m.space.cell(variables))?;
    m.space.set_cell(variables, list);
    Ok(())
}

/// The list without an element, by changing its cells.
fn remove<L: Layout>(m: &mut Machine<L>, element: u32, list: u32) -> Result<u32, Flow> {
    let space = m.space;
    let is_list = |cell: u32| type_number::<L>(space, cell) == types::LISTP;
    if !is_list(list) {
        return Ok(0);
    }
    let list = LispPtr::from_cell::<L>(list);
    // The bound is for a damaged list that is a circle.
    let mut left = MOST_VARIABLES;
    while lists::car_of::<L>(space, list) == element && left != 0 {
        left -= 1;
        let rest = lists::cdr_of::<L>(space, list);
        if !is_list(rest) {
            return Ok(0);
        }
        let rest = LispPtr(rest);
        lists::replace_car(m, list, lists::car_of::<L>(space, rest));
        lists::replace_cdr(m, list, lists::cdr_of::<L>(space, rest))?;
    }
    let mut at = list;
    for _ in 0..left {
        let rest = lists::cdr_of::<L>(space, at);
        if !is_list(rest) {
            return Ok(list.0);
        }
        let rest = LispPtr(rest);
        if lists::car_of::<L>(space, rest) == element {
            lists::replace_cdr(m, at, lists::cdr_of::<L>(space, rest))?;
        } else {
            at = rest;
        }
    }
    Err(m.fatal(MachineError::BadStorage { what: "the list of system variables has no end", at: list }))
}

/// Moves array space to the second part, and gives what is left of the first to the free blocks.
fn switch_array_space<L: Layout>(m: &mut Machine<L>) {
    let symbols = m.symbols;
    let space = m.space;
    let free = LispPtr::from_cell::<L>(space.cell(symbols.array_free_list));
    let next_array = m.counter(symbols.next_array_page);
    let cells =
        next_array.wrapping_sub(free.page().0 + 1).wrapping_mul(PAGE_CELLS) + (PAGE_CELLS - (free.0 & 0xFF) / 2);
    if cells >= LEAST_BLOCK {
        crate::collector::add_free_block(m, free, cells);
        space.set_cell(symbols.array_free_list_2, m.counter(symbols.least_mds_page) << 8);
    } else {
        space.set_cell(symbols.array_free_list_2, free.0);
    }
    let second = m.counter(symbols.second_array_page);
    m.set_counter(symbols.next_array_page, second);
    space.set_cell(symbols.array_free_list, second << 8);
    space.set_cell(symbols.array_space_2, second << 8);
}
