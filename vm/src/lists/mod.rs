//! Lists: CAR, CDR and their like, and searches.
//!
//! How a cell holds its CDR is in `coding`, where free cells come from in `pages`, how cells are made and changed in
//! `cells`, the opcodes that search lists in `search`.

use crate::address::{AtomIndex, LispPtr};
use crate::dispatch::Flow;
use crate::layout::{Layout, type_number, types};
use crate::machine::{Machine, Regs, attempt};
use crate::memory::Space;

mod cells;
mod coding;
mod pages;
mod search;
#[cfg(test)]
mod tests;

pub(crate) use cells::{make_cons, replace_car, replace_cdr};
pub use coding::{CdrCoding, NewCoding, OldCoding};
pub(crate) use coding::{ListIter, car_of, cdr_of};
pub(crate) use pages::{ConsPage, FreeMaps};
pub(crate) use search::{assoc, cl_assoc, cl_fmemb, fmemb, list_get};

/// True for a CONS cell.
#[inline(always)]
pub(crate) fn is_list<L: Layout>(space: Space, cell: u32) -> bool {
    type_number::<L>(space, cell) == types::LISTP
}

/// CAR: of a CONS cell; of NIL and T themselves.
#[inline(always)]
pub(crate) fn car<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    if is_list::<L>(m.space, r.tos) {
        r.tos = car_of::<L>(m.space, LispPtr::from_cell::<L>(r.tos));
        Flow::Next
    } else if r.tos == AtomIndex::NIL.0 || r.tos == AtomIndex::T.0 {
        Flow::Next
    } else {
        Flow::Ufn
    }
}

/// CDR: of a CONS cell; of NIL itself.
#[inline(always)]
pub(crate) fn cdr<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    if is_list::<L>(m.space, r.tos) {
        r.tos = cdr_of::<L>(m.space, LispPtr::from_cell::<L>(r.tos));
        Flow::Next
    } else if r.tos == AtomIndex::NIL.0 {
        Flow::Next
    } else {
        Flow::Ufn
    }
}

/// What RPLACA and RPLACD do where the first argument is no CONS cell: NIL's parts may be set to NIL.
fn replace_in_no_list<L: Layout>(m: &mut Machine<L>, r: &mut Regs, cell: u32) -> Flow {
    if cell != 0 || r.tos != 0 {
        return Flow::Ufn;
    }
    m.replace(r, 1, cell);
    Flow::Next
}

/// RPLACA: the list below, the new CAR on top.
#[inline(always)]
pub(crate) fn rplaca<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.slow(rplaca_slow)
}

fn rplaca_slow<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let cell = m.below(r, 1);
    if !is_list::<L>(m.space, cell) {
        return replace_in_no_list(m, r, cell);
    }
    replace_car(m, LispPtr::from_cell::<L>(cell), r.tos);
    m.replace(r, 1, cell);
    Flow::Next
}

/// RPLACD: the list below, the new CDR on top.
#[inline(always)]
pub(crate) fn rplacd<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.slow(rplacd_slow)
}

fn rplacd_slow<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let cell = m.below(r, 1);
    if !is_list::<L>(m.space, cell) {
        return replace_in_no_list(m, r, cell);
    }
    attempt!(replace_cdr(m, LispPtr::from_cell::<L>(cell), r.tos));
    m.replace(r, 1, cell);
    Flow::Next
}

/// CONS: the CAR below, the CDR on top.
#[inline(always)]
pub(crate) fn cons<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.slow(cons_slow)
}

fn cons_slow<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let car = m.below(r, 1);
    let cell = attempt!(make_cons(m, car, r.tos));
    m.replace(r, 1, cell);
    Flow::Next
}

/// RPLCONS: puts a new cell with the top of stack behind the cell below it; leaves the new one.
#[inline(always)]
pub(crate) fn rplcons<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.slow(rplcons_slow)
}

fn rplcons_slow<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let list = m.below(r, 1);
    if !is_list::<L>(m.space, list) {
        return Flow::Ufn;
    }
    let cell = attempt!(cells::append(m, LispPtr::from_cell::<L>(list), r.tos));
    m.replace(r, 1, cell);
    Flow::Next
}
