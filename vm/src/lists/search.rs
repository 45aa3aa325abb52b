//! Opcodes that search lists: FMEMB, ASSOC, their Common Lisp siblings, LISTGET.
//!
//! A list may be long, or circular. So each step looks whether attention is asked for; if it is, the rest of the list is
//! left on the stack in place of the whole, and the same opcode goes on with it after the interrupt.

use super::{car_of, cdr_of, is_list};
use crate::address::LispPtr;
use crate::dispatch::Flow;
use crate::layout::{CHARACTERS, Layout, SMALL_NEGATIVE, SMALL_POSITIVE};
use crate::machine::{Machine, Regs};
use core::sync::atomic::Ordering;

impl<L: Layout> Machine<L> {
    /// True if attention is asked for.
    #[inline(always)]
    fn is_interrupted(&self) -> bool {
        self.attention.end.load(Ordering::Relaxed) == 0
    }
}

/// True if EQL is EQ for this object, so that the machine may compare by address.
fn is_compared_by_address<L: Layout>(cell: u32) -> bool {
    matches!(cell & L::SEGMENT_MASK, 0 | CHARACTERS | SMALL_POSITIVE | SMALL_NEGATIVE)
}

/// FMEMB: the tail of the list on top that begins with the object below.
#[inline(always)]
pub(crate) fn fmemb<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.slow(search_member)
}

/// CL:MEMBER with EQL, for objects that it compares by address.
#[inline(always)]
pub(crate) fn cl_fmemb<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.slow(search_cl_member)
}

fn search_cl_member<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    if is_compared_by_address::<L>(m.below(r, 1)) { search_member(m, r) } else { Flow::Ufn }
}

fn search_member<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let space = m.space;
    let wanted = m.below(r, 1);
    let mut rest = r.tos;
    while is_list::<L>(space, rest) {
        let cell = LispPtr::from_cell::<L>(rest);
        if car_of::<L>(space, cell) == wanted {
            m.replace(r, 1, rest);
            return Flow::Next;
        }
        rest = cdr_of::<L>(space, cell);
        if m.is_interrupted() {
            r.tos = rest;
            return Flow::Interrupt;
        }
    }
    if rest != 0 {
        // Lisp complains of the tail, not of the whole list.
        r.tos = rest;
        return Flow::Ufn;
    }
    m.replace(r, 1, 0);
    Flow::Next
}

/// ASSOC: the first element of the list on top whose CAR is the object below.
#[inline(always)]
pub(crate) fn assoc<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.slow(search_association)
}

/// CL:ASSOC with EQL, for objects that it compares by address.
#[inline(always)]
pub(crate) fn cl_assoc<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.slow(search_cl_association)
}

fn search_cl_association<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    if is_compared_by_address::<L>(m.below(r, 1)) { search_association(m, r) } else { Flow::Ufn }
}

fn search_association<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let space = m.space;
    let key = m.below(r, 1);
    let mut rest = r.tos;
    while is_list::<L>(space, rest) {
        let cell = LispPtr::from_cell::<L>(rest);
        let element = car_of::<L>(space, cell);
        if is_list::<L>(space, element) && car_of::<L>(space, LispPtr(element)) == key {
            m.replace(r, 1, element);
            return Flow::Next;
        }
        rest = cdr_of::<L>(space, cell);
        if m.is_interrupted() {
            // A tail that is no list ends the search like NIL.
            r.tos = if is_list::<L>(space, rest) { rest } else { 0 };
            return Flow::Interrupt;
        }
    }
    m.replace(r, 1, 0);
    Flow::Next
}

/// LISTGET: what follows the object on top in the property list below.
#[inline(always)]
pub(crate) fn list_get<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.slow(search_property)
}

fn search_property<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let space = m.space;
    let below = LispPtr(r.sp.wrapping_sub(2));
    let mut rest = space.cell(below);
    while rest != 0 {
        if !is_list::<L>(space, rest) {
            space.set_cell(below, rest);
            return Flow::Ufn;
        }
        let cell = LispPtr::from_cell::<L>(rest);
        let value = cdr_of::<L>(space, cell);
        if car_of::<L>(space, cell) == r.tos {
            if value != 0 && !is_list::<L>(space, value) {
                space.set_cell(below, rest);
                return Flow::Ufn;
            }
            let found = if value == 0 { 0 } else { car_of::<L>(space, LispPtr(value)) };
            m.replace(r, 1, found);
            return Flow::Next;
        }
        if !is_list::<L>(space, value) {
            break;
        }
        rest = cdr_of::<L>(space, LispPtr(value));
        if m.is_interrupted() {
            space.set_cell(below, rest);
            return Flow::Interrupt;
        }
    }
    m.replace(r, 1, 0);
    Flow::Next
}
