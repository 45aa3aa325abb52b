//! Adding and deleting references: what every store of a pointer into the heap does.
//!
//! ```text
//!   in the tables      add                 delete              seen from the stack
//!   nothing (one)      new: 2              new: 0              new: 1, stack bit
//!   0                  gone                (damage)            0, stack bit
//!   n                  n + 1               n - 1, gone at 1    n, stack bit
//! ```
//!
//! An object that gets an entry counts towards the next collection (`\RECLAIM.COUNTDOWN` goes down, and at zero
//! attention is asked for); one that loses its entry counts back. The countdown is NIL while the collector runs and when
//! it is switched off. Types that are not counted have a bit in the type table.
//!
//! References are counted at each RPLPTR, CONS and so on, so the common cases are written to be inlined: no entry, or
//! the object's own entry in HTmain, with a count that stays small.

use super::tables::{COLLISION, Entries, Link, extend_chain, remove_link, start_chain};
use super::{big_counts, disable};
use crate::address::{AtomIndex, LispPtr};
use crate::dispatch::Flow;
use crate::error::MachineError;
use crate::layout::{Layout, SMALL_POSITIVE, type_entry};
use crate::machine::{Machine, Regs};
use crate::memory::Space;

/// The bit of a type-table word that says: not counted.
pub(super) const NOT_COUNTED: u16 = 0x8000;

/// What happens to a count. The numbers are GCREF's operands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Case {
    /// One more reference.
    Add = 0,
    /// One reference less.
    Delete = 1,
    /// A frame on the stack refers to the object.
    Stack = 2,
}

/// One more pointer to this object, if it is counted at all.
#[inline(always)]
pub(crate) fn add_reference<L: Layout>(m: &mut Machine<L>, cell: u32) {
    if !add_quickly(m, cell) {
        add_slowly(m, cell)
    }
}

/// One pointer less to this object, if it is counted at all.
#[inline(always)]
pub(crate) fn delete_reference<L: Layout>(m: &mut Machine<L>, cell: u32) {
    if !delete_quickly(m, cell) {
        delete_slowly(m, cell)
    }
}

#[cold]
#[inline(never)]
fn add_slowly<L: Layout>(m: &mut Machine<L>, cell: u32) {
    count(m, cell, Case::Add);
}

#[cold]
#[inline(never)]
fn delete_slowly<L: Layout>(m: &mut Machine<L>, cell: u32) {
    count(m, cell, Case::Delete);
}

/// Whether references to an object like this are counted.
#[inline(always)]
pub(crate) fn is_counted<L: Layout>(space: Space, cell: u32) -> bool {
    type_entry::<L>(space, cell) & NOT_COUNTED == 0
}

/// The common cases of [`add_reference`]; false if nothing has been done.
#[inline(always)]
pub(crate) fn add_quickly<L: Layout>(m: &Machine<L>, cell: u32) -> bool {
    if type_entry::<L>(m.space, cell) & NOT_COUNTED != 0 {
        return true;
    }
    let at = L::main_entry(cell);
    let segment = L::segment_bits(cell);
    let entry = L::load(m.space, at);
    if !is_enabled(m) {
        return true;
    }
    if entry == 0 {
        let quick = count_down_quickly(m);
        if quick {
            L::store(m.space, at, segment | (2 * L::ONE));
        }
        return quick;
    }
    if (entry ^ segment) & (L::SEGMENT | COLLISION) != 0 || entry >= L::MAX_COUNT - L::ONE {
        return false;
    }
    let entry = entry + L::ONE;
    if entry & L::USES == L::ONE {
        L::store(m.space, at, 0);
        count_up(m);
    } else {
        L::store(m.space, at, entry);
    }
    true
}

/// The common cases of [`delete_reference`]; false if nothing has been done.
#[inline(always)]
pub(crate) fn delete_quickly<L: Layout>(m: &Machine<L>, cell: u32) -> bool {
    if type_entry::<L>(m.space, cell) & NOT_COUNTED != 0 {
        return true;
    }
    let at = L::main_entry(cell);
    let segment = L::segment_bits(cell);
    let entry = L::load(m.space, at);
    if !is_enabled(m) {
        return true;
    }
    if entry == 0 {
        let quick = count_down_quickly(m);
        if quick {
            L::store(m.space, at, segment);
        }
        return quick;
    }
    if (entry ^ segment) & (L::SEGMENT | COLLISION) != 0 || entry >= L::MAX_COUNT || entry < L::ONE {
        return false;
    }
    let entry = entry - L::ONE;
    if entry & L::USES == L::ONE {
        L::store(m.space, at, 0);
        count_up(m);
    } else {
        L::store(m.space, at, entry);
    }
    true
}

/// Notes a change of references. True if this leaves the object without any: it is in the tables now and will be
/// reclaimed by the next collection unless a reference is added before.
pub(crate) fn count<L: Layout>(m: &mut Machine<L>, cell: u32, case: Case) -> bool {
    if type_entry::<L>(m.space, cell) & NOT_COUNTED != 0 || !is_enabled(m) {
        return false;
    }
    let object = LispPtr::from_cell::<L>(cell);
    let segment = L::segment_bits(cell);
    let at = L::main_entry(cell);
    let entry = L::load(m.space, at);
    if entry == 0 {
        return new_entry(m, at, segment, case);
    }
    if entry & COLLISION == 0 {
        if entry & L::SEGMENT == segment {
            if change_entry(m, at, object, case) {
                L::store(m.space, at, 0);
            }
            return false;
        }
        return match start_chain::<L>(m.space, at) {
            Some(room) => new_entry(m, room, segment, case),
            None => {
                disable(m);
                false
            }
        };
    }
    let mut link = Link::first(entry);
    for _ in 0..L::MOST_LINKS {
        if L::load(m.space, link.entry::<L>()) & L::SEGMENT == segment {
            if change_entry(m, link.entry::<L>(), object, case) {
                remove_link::<L>(m.space, at, link);
            }
            return false;
        }
        match link.next::<L>(m.space) {
            Some(next) => link = next,
            None => {
                return match extend_chain::<L>(m.space, at) {
                    Some(room) => new_entry(m, room, segment, case),
                    None => {
                        disable(m);
                        false
                    }
                };
            }
        }
    }
    m.fail(MachineError::BadCount { what: "its chain in the collision table has no end", at: object });
    false
}

/// The first entry of an object; true if the object has no reference.
fn new_entry<L: Layout>(m: &mut Machine<L>, at: LispPtr, segment: u32, case: Case) -> bool {
    let uses = match case {
        Case::Add => 2 * L::ONE,
        Case::Delete => 0,
        Case::Stack => L::ONE | L::STACK_BIT,
    };
    L::store(m.space, at, segment | uses);
    if case != Case::Stack {
        count_down(m);
    }
    case == Case::Delete
}

/// Changes an object's entry; true if the entry has to go, because it says no more than none would.
fn change_entry<L: Layout>(m: &mut Machine<L>, at: LispPtr, object: LispPtr, case: Case) -> bool {
    let entry = L::load(m.space, at);
    if entry & L::MAX_COUNT == L::MAX_COUNT {
        big_counts::change(m, at, object, case);
        return false;
    }
    let entry = match case {
        Case::Add => entry + L::ONE,
        Case::Delete if entry & L::MAX_COUNT == 0 => {
            m.fail(MachineError::BadCount { what: "a reference is dropped that was never there", at: object });
            return false;
        }
        Case::Delete => entry - L::ONE,
        Case::Stack => entry | L::STACK_BIT,
    };
    L::store(m.space, at, entry);
    if case == Case::Add && entry & L::MAX_COUNT == L::MAX_COUNT {
        big_counts::enter(m, object);
    }
    let gone = case != Case::Stack && entry & L::USES == L::ONE;
    if gone {
        count_up(m);
    }
    gone
}

/// False once the collector has been switched off for good.
#[inline(always)]
fn is_enabled<L: Layout>(m: &Machine<L>) -> bool {
    m.space.cell(m.symbols.gc_disabled) != AtomIndex::T.0
}

/// One entry more, unless that would end the countdown or there is none; then false and nothing has been done.
#[inline(always)]
fn count_down_quickly<L: Layout>(m: &Machine<L>) -> bool {
    let countdown = m.space.cell(m.symbols.reclaim_countdown);
    let quick = countdown > SMALL_POSITIVE + 1;
    if quick {
        m.space.set_cell(m.symbols.reclaim_countdown, countdown - 1);
    }
    quick
}

/// One entry more: a step towards the next collection.
fn count_down<L: Layout>(m: &Machine<L>) {
    let countdown = m.space.cell(m.symbols.reclaim_countdown);
    if countdown == 0 {
        return;
    }
    let countdown = countdown - 1;
    if countdown <= SMALL_POSITIVE {
        m.attention.request();
    }
    m.space.set_cell(m.symbols.reclaim_countdown, countdown.max(SMALL_POSITIVE));
}

/// One entry less.
#[inline(always)]
fn count_up<L: Layout>(m: &Machine<L>) {
    let countdown = m.space.cell(m.symbols.reclaim_countdown);
    if countdown != 0 {
        m.space.set_cell(m.symbols.reclaim_countdown, countdown.wrapping_add(1));
    }
}

/// Where RPLPTR stores: below the top, the operand counts words.
#[inline(always)]
fn slot<L: Layout>(m: &Machine<L>, r: &Regs) -> LispPtr {
    LispPtr::from_cell::<L>(m.below(r, 1)).plus(m.operand(r, 1))
}

/// Stores the pointer part of a cell; what stands above it stays.
#[inline(always)]
fn store_pointer<L: Layout>(m: &Machine<L>, r: &mut Regs, slot: LispPtr, old: u32) -> Flow {
    m.space.set_cell(slot, old & !L::POINTER_MASK | r.tos & L::POINTER_MASK);
    m.pop(r);
    Flow::Next
}

/// RPLPTR: replaces a pointer in an object.
#[inline(always)]
pub(crate) fn rplptr<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let slot = slot(m, r);
    let old = m.space.cell(slot);
    if !add_quickly(m, r.tos) {
        return m.slow(rplptr_slow);
    }
    if !delete_quickly(m, old) {
        return m.slow(rplptr_half);
    }
    store_pointer(m, r, slot, old)
}

fn rplptr_slow<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    count(m, r.tos, Case::Add);
    rplptr_half(m, r)
}

/// RPLPTR after the new reference has been added.
fn rplptr_half<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let slot = slot(m, r);
    let old = m.space.cell(slot);
    count(m, old, Case::Delete);
    store_pointer(m, r, slot, old)
}

/// GCREF: counts a reference by hand; leaves the object if it has none now, else NIL.
#[inline(always)]
pub(crate) fn gcref<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.slow(gcref_slow)
}

fn gcref_slow<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let case = match m.operand(r, 1) {
        0 => Case::Add,
        1 => Case::Delete,
        2 => Case::Stack,
        _ => return Flow::Ufn,
    };
    if !count(m, r.tos, case) {
        r.tos = 0;
    }
    Flow::Next
}
