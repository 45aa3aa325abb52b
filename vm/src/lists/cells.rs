//! Making and changing CONS cells.

use super::coding::{CdrCoding, car_of, cdr_of, code_for, coded};
use super::pages::ConsPage;
use crate::address::LispPtr;
use crate::collector::{add_reference, delete_reference};
use crate::dispatch::Flow;
use crate::error::MachineError;
use crate::layout::{Layout, type_number, types};
use crate::machine::Machine;
use crate::memory::Space;
use crate::storage::{self, TypeDescriptor};

/// LISTP's descriptor, which has the chain of pages with free cells.
#[inline(always)]
fn descriptor<L: Layout>() -> TypeDescriptor<L> {
    TypeDescriptor::of(types::LISTP)
}

/// A new CONS cell; nothing refers to it yet, and it refers to `car` and `cdr`.
pub(crate) fn make_cons<L: Layout>(m: &mut Machine<L>, car: u32, cdr: u32) -> Result<u32, Flow> {
    let space = m.space;
    let cdr = cdr & L::POINTER_MASK;
    add_reference(m, cdr);
    add_reference(m, car);
    let cell = if cdr == 0 {
        let cell = match take_any::<L>(space) {
            Some(cell) => {
                descriptor::<L>().count_at_once(space);
                cell
            }
            None => {
                let page = page_with_room(m)?;
                descriptor::<L>().count(space);
                page.take_first().ok_or_else(|| damaged(m))?
            }
        };
        space.set_cell(cell, coded::<L>(car, L::Cdr::NIL));
        cell
    } else {
        let before = if type_number::<L>(space, cdr) == types::LISTP {
            ConsPage::<L::Cdr>::of(space, LispPtr(cdr)).take_before(LispPtr(cdr))
        } else {
            None
        };
        if let Some(cell) = before {
            descriptor::<L>().count_at_once(space);
            space.set_cell(cell, coded::<L>(car, L::Cdr::NIL | code_for::<L>(cell, LispPtr(cdr))));
            cell
        } else {
            let cell = make_pair(m, car, cdr)?;
            descriptor::<L>().count(space);
            cell
        }
    };
    delete_reference(m, cell.0);
    Ok(cell.0)
}

/// A cell whose CDR is stored in another cell.
fn make_pair<L: Layout>(m: &mut Machine<L>, car: u32, cdr: u32) -> Result<LispPtr, Flow> {
    let (first, second) = take_pair(m)?;
    m.space.set_cell(second, cdr & L::POINTER_MASK);
    m.space.set_cell(first, coded::<L>(car, code_for::<L>(first, second)));
    Ok(first)
}

/// Makes `car` the CAR of a CONS cell.
#[inline(always)]
pub(crate) fn replace_car<L: Layout>(m: &mut Machine<L>, cell: LispPtr, car: u32) {
    let space = m.space;
    delete_reference(m, car_of::<L>(space, cell));
    add_reference(m, car);
    let mut at = cell;
    let mut raw = space.cell(at);
    if raw >> L::Cdr::SHIFT == 0 {
        at = LispPtr::from_cell::<L>(raw);
        raw = space.cell(at);
    }
    space.set_cell(at, coded::<L>(car, raw >> L::Cdr::SHIFT));
}

/// Makes `cdr` the CDR of a CONS cell. Where the new CDR cannot be coded in the cell, a free cell nearby stores it, and if
/// there is none the cell becomes indirect: a pair elsewhere holds both its CAR and its CDR.
pub(crate) fn replace_cdr<L: Layout>(m: &mut Machine<L>, cell: LispPtr, cdr: u32) -> Result<(), Flow> {
    let space = m.space;
    let cdr = cdr & L::POINTER_MASK;
    delete_reference(m, cdr_of::<L>(space, cell));
    add_reference(m, cdr);
    let raw = space.cell(cell);
    let code = raw >> L::Cdr::SHIFT;
    if code < L::Cdr::NIL {
        // Stored somewhere already.
        let (from, code) = if code == 0 {
            let pair = LispPtr::from_cell::<L>(raw);
            (pair, space.cell(pair) >> L::Cdr::SHIFT)
        } else {
            (cell, code)
        };
        space.set_cell(L::Cdr::origin(from).plus(2 * code), cdr);
    } else if cdr == 0 {
        space.set_cell(cell, coded::<L>(raw, L::Cdr::NIL));
    } else if L::Cdr::reaches(cell, LispPtr(cdr)) {
        space.set_cell(cell, coded::<L>(raw, L::Cdr::NIL | code_for::<L>(cell, LispPtr(cdr))));
    } else if let Some(store) = ConsPage::<L::Cdr>::of(space, cell).take_after(cell) {
        space.set_cell(store, cdr);
        space.set_cell(cell, coded::<L>(raw, code_for::<L>(cell, store)));
    } else {
        let pair = make_pair(m, raw, cdr)?;
        space.set_cell(cell, coded::<L>(pair.0, 0));
    }
    Ok(())
}

/// A new last cell with `car` behind `list`, in place of what its CDR was; the new cell.
pub(super) fn append<L: Layout>(m: &mut Machine<L>, list: LispPtr, car: u32) -> Result<u32, Flow> {
    let space = m.space;
    if !L::Cdr::NARROW_REACH && space.cell(list) >> L::Cdr::SHIFT >= L::Cdr::NIL {
        let page = ConsPage::<L::Cdr>::of(space, list);
        if page.free_cells() != 0 {
            add_reference(m, car);
            delete_reference(m, cdr_of::<L>(space, list));
            let cell = page.take_first().ok_or_else(|| damaged(m))?;
            space.set_cell(cell, coded::<L>(car, L::Cdr::NIL));
            descriptor::<L>().count_at_once(space);
            space.set_cell(list, coded::<L>(space.cell(list), L::Cdr::NIL | code_for::<L>(list, cell)));
            return Ok(cell.0);
        }
    }
    let cell = make_cons(m, car, 0)?;
    replace_cdr(m, list, cell)?;
    Ok(cell)
}

#[cold]
fn damaged<L: Layout>(m: &mut Machine<L>) -> Flow {
    let at = LispPtr(descriptor::<L>().next_page(m.space) << 8);
    m.fatal(MachineError::BadStorage { what: "a CONS page counts free cells that it does not have", at })
}

/// A free cell of the first page that has one. With the new coding, pages without any leave the chain.
#[inline(always)]
fn take_any<L: Layout>(space: Space) -> Option<LispPtr> {
    loop {
        let number = descriptor::<L>().next_page(space);
        if number == 0 {
            return None;
        }
        let page = ConsPage::<L::Cdr>::numbered(space, number);
        if let Some(cell) = page.take_first() {
            return Some(cell);
        }
        if !L::Cdr::NARROW_REACH {
            return None;
        }
        descriptor::<L>().set_next_page(space, page.next_page());
        page.unchain();
    }
}

/// Two free cells, the second of which can store the CDR of the first.
fn take_pair<L: Layout>(m: &mut Machine<L>) -> Result<(LispPtr, LispPtr), Flow> {
    if L::Cdr::NARROW_REACH {
        let mut number = descriptor::<L>().next_page(m.space);
        for _ in 0..L::MAX_PAGES {
            if number == 0 {
                break;
            }
            let page = ConsPage::<L::Cdr>::numbered(m.space, number);
            if let Some(pair) = page.take_pair() {
                return Ok(pair);
            }
            number = page.next_page();
        }
    }
    page_with_room(m)?.take_pair().ok_or_else(|| damaged(m))
}

/// A page with at least two free cells. With the old coding it is the first one of the chain, which loses its poorer
/// pages; with the new coding always a fresh one.
#[cold]
fn page_with_room<L: Layout>(m: &mut Machine<L>) -> Result<ConsPage<L::Cdr>, Flow> {
    let space = m.space;
    if !L::Cdr::NARROW_REACH {
        loop {
            let number = descriptor::<L>().next_page(space);
            if number == 0 {
                break;
            }
            let page = ConsPage::numbered(space, number);
            if page.free_cells() > 1 {
                return Ok(page);
            }
            descriptor::<L>().set_next_page(space, page.next_page());
            page.unchain();
        }
    }
    let LispPtr(unit) = storage::allocate_unit(m, types::LISTP as u16)?;
    let number = unit >> 8;
    let first = ConsPage::numbered(space, number);
    let second = ConsPage::<L::Cdr>::numbered(space, number + 1);
    if L::Cdr::NARROW_REACH {
        second.initialise(0);
        first.initialise(number + 1);
        chain_last::<L>(space, number);
    } else {
        // Finding the unit may have made a list, and so a chain.
        second.initialise(descriptor::<L>().next_page(space));
        first.initialise(number + 1);
        descriptor::<L>().set_next_page(space, number);
    }
    Ok(first)
}

/// Puts a page at the end of the chain.
fn chain_last<L: Layout>(space: Space, number: u32) {
    let mut last = None;
    let mut at = descriptor::<L>().next_page(space);
    // The bound is for damaged chains.
    for _ in 0..L::MAX_PAGES {
        if at == 0 || at == u32::MAX {
            break;
        }
        let page = ConsPage::<L::Cdr>::numbered(space, at);
        last = Some(page);
        at = page.next_page();
    }
    match last {
        Some(page) => page.set_next_page(number),
        None => descriptor::<L>().set_next_page(space, number),
    }
}
