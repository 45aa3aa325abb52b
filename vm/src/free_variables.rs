//! Free variables: looking up bindings along the call chain, and remembering where they were.
//!
//! A function that uses a variable freely has an FVAR slot for it among the PVARs of its frame. At first the slot is
//! all ones; the first use searches the callers' name tables, innermost first, and leaves the binding's address there:
//!
//! ```text
//!   FVAR slot    | low half of the address | high half |     low bit of the first word set: not looked up yet
//!
//!   header       need, arguments ... | 7: locals (8 bits), offset of FVAR names in words (8 bits) | names | offsets
//!   name table   n cells with symbols, then n cells that say where each lives:
//!                0000'0000 + k   IVAR k        8000'0000 + k   PVAR k        C000'0000 + k   FVAR slot k
//! ```
//!
//! An interpreted frame has a name table of its own (flag `names`, words 6-7 of the frame extension) in place of its
//! function's. Where the chain ends, the binding is the symbol's top-level value cell.

use crate::address::{AtomIndex, LispPtr, WORDS_PER_PAGE};
use crate::collector::{add_quickly, add_reference, delete_quickly, delete_reference};
use crate::dispatch::Flow;
use crate::error::MachineError;
use crate::frames::Frame;
use crate::layout::{Layout, STACK};
use crate::machine::{Machine, Regs};
use crate::memory::Space;

/// The bit of an FVAR slot that says it has not been looked up.
const NOT_LOOKED_UP: u32 = 0x1_0000;
/// Words of a function header before the names.
const HEADER_WORDS: u32 = 8;
/// More frames than the stack has room for.
const MOST_FRAMES: u32 = 0x1_0000 / crate::calls::FRAME_WORDS;
/// An alink that ends the chain.
const END_OF_CHAIN: u16 = 11;

/// What kind of slot an entry of a name table's second half names (top byte), and which one (the rest).
const KIND: u32 = 0xFF00_0000;
const KIND_IVAR: u32 = 0;
const KIND_PVAR: u32 = 0x8000_0000;
const KIND_FVAR: u32 = 0xC000_0000;
const WHICH: u32 = 0x0FFF_FFFF;

/// The address in an FVAR slot.
#[inline(always)]
fn slot_pointer<L: Layout>(slot: u32) -> LispPtr {
    LispPtr(slot.rotate_left(16) & L::POINTER_MASK)
}

/// How an FVAR slot holds an address.
fn slot_of(pointer: LispPtr) -> u32 {
    pointer.0.rotate_left(16)
}

/// Searches the frames from the caller of `frame` outwards for a binding of `name`; what an FVAR slot would hold then.
pub(crate) fn look_up<L: Layout>(space: Space, frame: Frame, name: AtomIndex) -> Result<u32, MachineError> {
    let mut frame = frame;
    for _ in 0..MOST_FRAMES {
        match frame.raw_alink() {
            0 => return Err(MachineError::BadStack { what: "a frame without a caller", at: frame.at }),
            END_OF_CHAIN => return Ok(slot_of(L::value_cell(name))),
            _ => frame = frame.access_parent(),
        }
        if may_bind::<L>(space, frame, name)
            && let Some(slot) = look_in::<L>(space, frame, name)?
        {
            return Ok(slot);
        }
    }
    Err(MachineError::BadStack { what: "a chain of callers without an end", at: frame.at })
}

/// The value that `name` has for code that runs in `frame`.
pub(crate) fn value_in<L: Layout>(space: Space, frame: Frame, name: AtomIndex) -> Result<u32, MachineError> {
    let slot = match look_in::<L>(space, frame, name)? {
        Some(slot) => slot,
        None => look_up::<L>(space, frame, name)?,
    };
    Ok(space.cell(slot_pointer::<L>(slot)))
}

/// False if this frame certainly has no binding of `name`: so it is with almost all. Tables differ in length, which a
/// processor cannot foresee; so four names are compared at once, even if there are fewer and code is behind them.
#[inline(always)]
fn may_bind<L: Layout>(space: Space, frame: Frame, name: AtomIndex) -> bool {
    const NAMES: u32 = 4;
    let table = frame.name_table::<L>();
    if table.low() & 0xFF > WORDS_PER_PAGE as u16 - (HEADER_WORDS + 2 * NAMES) as u16 {
        // There may be no next page.
        return true;
    }
    let names = table.0.wrapping_add(HEADER_WORDS);
    let [a, b] = [space.cell_pair(LispPtr(names)), space.cell_pair(LispPtr(names.wrapping_add(4)))];
    let found =
        (a as u32 == name.0) | ((a >> 32) as u32 == name.0) | (b as u32 == name.0) | ((b >> 32) as u32 == name.0);
    found | (space.word_near(table, 6) as u32 > 2 * NAMES)
}

/// The binding of `name` that this frame makes or has looked up.
#[inline(never)]
fn look_in<L: Layout>(space: Space, frame: Frame, name: AtomIndex) -> Result<Option<u32>, MachineError> {
    let table = frame.name_table::<L>();
    let names = table.plus(HEADER_WORDS);
    let words = space.word(table.plus(6)) as u32 & !1;
    let mut at = 0;
    loop {
        // This loop is what the machine does most of when it looks for a variable.
        while at < words && space.cell(names.plus(at)) != name.0 {
            at += 2;
        }
        if at >= words {
            return Ok(None);
        }
        let place = space.cell(names.plus(words + at));
        let which = 2 * (place & WHICH);
        match place & KIND {
            KIND_PVAR => {
                let variable = frame.first_pvar().plus(which);
                // All ones, or any other cell with the top bit set, is no binding now.
                if space.cell(variable) as i32 >= 0 {
                    return Ok(Some(slot_of(variable)));
                }
            }
            KIND_FVAR => {
                let slot = space.cell(frame.first_pvar().plus(which));
                return Ok((slot & NOT_LOOKED_UP == 0).then_some(slot));
            }
            KIND_IVAR => {
                let first = space.word(frame.at.offset(-1)) as u32;
                return Ok(Some(slot_of(STACK.plus((first + which) & 0xFFFF))));
            }
            _ => {
                return Err(MachineError::BadStack {
                    what: "a name table with an unknown kind of variable",
                    at: table,
                });
            }
        }
        at += 2;
    }
}

impl<L: Layout> Machine<L> {
    /// Looks up the FVAR slot `words` behind the first PVAR of the running frame, if that has not happened yet; the
    /// address of the binding.
    fn bound_at(&mut self, r: &Regs, words: u32) -> Result<LispPtr, Flow> {
        let space = self.space;
        let chain = LispPtr(r.pvar.wrapping_add(words));
        let mut slot = space.cell(chain);
        if slot & NOT_LOOKED_UP != 0 {
            let locals_and_names = space.word(self.func.plus(7)) as u32;
            let index = (words >> 1).wrapping_sub(locals_and_names >> 8);
            let name = self.func.plus(locals_and_names & 0xFF).plus(index.wrapping_mul(2));
            let name = AtomIndex(space.cell(name));
            slot = match look_up::<L>(space, Frame::of_pvar(space, r.pvar), name) {
                Ok(slot) => slot,
                Err(error) => return Err(self.fatal(error)),
            };
            space.set_cell(chain, slot);
        }
        Ok(slot_pointer::<L>(slot))
    }
}

/// FVAR0 to FVAR6: the value of a free variable.
#[inline(always)]
pub(crate) fn fvar<L: Layout, const WORDS: u32>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let slot = m.space.cell(LispPtr(r.pvar.wrapping_add(WORDS)));
    if slot & NOT_LOOKED_UP != 0 {
        return m.slow(fvar_slow::<L, WORDS>);
    }
    m.push(r, m.space.cell(slot_pointer::<L>(slot)));
    Flow::Next
}

fn fvar_slow<L: Layout, const WORDS: u32>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    push_bound(m, r, WORDS)
}

fn push_bound<L: Layout>(m: &mut Machine<L>, r: &mut Regs, words: u32) -> Flow {
    match m.bound_at(r, words) {
        Ok(variable) => {
            m.push(r, m.space.cell(variable));
            Flow::Next
        }
        Err(flow) => flow,
    }
}

/// FVARX: the operand counts words.
#[inline(always)]
pub(crate) fn fvar_x<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let words = m.operand(r, 1);
    let slot = m.space.cell(LispPtr(r.pvar.wrapping_add(words)));
    if slot & NOT_LOOKED_UP != 0 {
        return m.slow(fvar_x_slow::<L>);
    }
    m.push(r, m.space.cell(slot_pointer::<L>(slot)));
    Flow::Next
}

fn fvar_x_slow<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let words = m.operand(r, 1);
    push_bound(m, r, words)
}

/// FVARX_: stores into the binding and keeps the value. Bindings on the stack are not reference counted.
#[inline(always)]
pub(crate) fn set_fvar_x<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let words = m.operand(r, 1);
    let slot = m.space.cell(LispPtr(r.pvar.wrapping_add(words)));
    let variable = slot_pointer::<L>(slot);
    if slot & NOT_LOOKED_UP != 0 || variable.high() != STACK.high() {
        return m.slow(set_fvar_x_slow::<L>);
    }
    m.space.set_cell(variable, r.tos);
    Flow::Next
}

fn set_fvar_x_slow<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let words = m.operand(r, 1);
    let variable = match m.bound_at(r, words) {
        Ok(variable) => variable,
        Err(flow) => return flow,
    };
    if variable.high() != STACK.high() {
        let old = m.space.cell(variable);
        delete_reference(m, old);
        add_reference(m, r.tos);
    }
    m.space.set_cell(variable, r.tos);
    Flow::Next
}

/// GVAR_: stores a symbol's top-level value and keeps it on the stack.
#[inline(always)]
pub(crate) fn set_gvar<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let cell = L::value_cell(m.operand_atom(r, 1));
    let old = m.space.cell(cell);
    if !add_quickly(m, r.tos) {
        return m.slow(set_gvar_slow::<L>);
    }
    if !delete_quickly(m, old) {
        return m.slow(set_gvar_half::<L>);
    }
    replace_value(m, r, cell, old)
}

fn set_gvar_slow<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    add_reference(m, r.tos);
    set_gvar_half(m, r)
}

/// GVAR_ after the new reference has been added.
fn set_gvar_half<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let cell = L::value_cell(m.operand_atom(r, 1));
    let old = m.space.cell(cell);
    delete_reference(m, old);
    replace_value(m, r, cell, old)
}

/// What stands above the pointer in a value cell stays.
#[inline(always)]
fn replace_value<L: Layout>(m: &Machine<L>, r: &Regs, cell: LispPtr, old: u32) -> Flow {
    m.space.set_cell(cell, old & !L::POINTER_MASK | r.tos & L::POINTER_MASK);
    Flow::Next
}

/// STKSCAN: the address of the binding of the symbol on top, as the running function would find it.
#[inline(always)]
pub(crate) fn stk_scan<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.slow(stk_scan_slow::<L>)
}

fn stk_scan_slow<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let name = AtomIndex(r.tos & L::POINTER_MASK);
    match look_up::<L>(m.space, Frame::of_pvar(m.space, r.pvar), name) {
        Ok(slot) => {
            r.tos = slot.rotate_left(16);
            Flow::Next
        }
        Err(error) => m.fatal(error),
    }
}
