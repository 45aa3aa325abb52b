//! Variables, constants and the top of the stack.
//!
//! IVARs are arguments, PVARs are locals, both cells counted from a register. GVARs are top-level values of symbols.
//! Free variables are in [`crate::free_variables`].

use crate::address::{AtomIndex, LispPtr};
use crate::dispatch::Flow;
use crate::layout::{Layout, SMALL_NEGATIVE, SMALL_POSITIVE};
use crate::machine::{Machine, Regs};

/// IVAR0 to IVAR6.
#[inline(always)]
pub(crate) fn ivar<L: Layout, const N: u32>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    m.push(r, m.space.cell(LispPtr(r.ivar.wrapping_add(2 * N))));
    Flow::Next
}

/// IVARX: the operand counts words.
#[inline(always)]
pub(crate) fn ivar_x<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let words = m.operand(r, 1);
    m.push(r, m.space.cell(LispPtr(r.ivar.wrapping_add(words))));
    Flow::Next
}

/// IVARX_: stores and keeps the value.
#[inline(always)]
pub(crate) fn set_ivar_x<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let words = m.operand(r, 1);
    m.space.set_cell(LispPtr(r.ivar.wrapping_add(words)), r.tos);
    Flow::Next
}

/// PVAR0 to PVAR6.
#[inline(always)]
pub(crate) fn pvar<L: Layout, const N: u32>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    m.push(r, m.space.cell(LispPtr(r.pvar.wrapping_add(2 * N))));
    Flow::Next
}

/// PVARX: the operand counts words.
#[inline(always)]
pub(crate) fn pvar_x<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let words = m.operand(r, 1);
    m.push(r, m.space.cell(LispPtr(r.pvar.wrapping_add(words))));
    Flow::Next
}

/// PVAR_0 to PVAR_6: store and keep the value.
#[inline(always)]
pub(crate) fn set_pvar<L: Layout, const N: u32>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    m.space.set_cell(LispPtr(r.pvar.wrapping_add(2 * N)), r.tos);
    Flow::Next
}

/// PVARX_: stores and keeps the value.
#[inline(always)]
pub(crate) fn set_pvar_x<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let words = m.operand(r, 1);
    m.space.set_cell(LispPtr(r.pvar.wrapping_add(words)), r.tos);
    Flow::Next
}

/// PVARSETPOP0 to PVARSETPOP6: store and drop the value.
#[inline(always)]
pub(crate) fn set_pvar_pop<L: Layout, const N: u32>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    m.space.set_cell(LispPtr(r.pvar.wrapping_add(2 * N)), r.tos);
    m.pop(r);
    Flow::Next
}

/// GVAR: a symbol's top-level value.
#[inline(always)]
pub(crate) fn gvar<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let cell = L::value_cell(AtomIndex(m.operand_pointer(r, 1)));
    m.push(r, m.space.cell(cell));
    Flow::Next
}

/// ACONST: a symbol.
#[inline(always)]
pub(crate) fn atom_constant<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    m.push(r, m.operand_pointer(r, 1));
    Flow::Next
}

/// GCONST: a pointer.
#[inline(always)]
pub(crate) fn pointer_constant<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    m.push(r, m.operand_pointer(r, 1));
    Flow::Next
}

/// NIL, T, 0 and 1.
#[inline(always)]
pub(crate) fn constant<L: Layout, const CELL: u32>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    m.push(r, CELL);
    Flow::Next
}

/// SIC: a small integer 0..=255.
#[inline(always)]
pub(crate) fn small_constant<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    m.push(r, SMALL_POSITIVE | m.operand(r, 1));
    Flow::Next
}

/// SNIC: a small integer -256..=-1.
#[inline(always)]
pub(crate) fn small_negative_constant<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    m.push(r, SMALL_NEGATIVE | 0xFF00 | m.operand(r, 1));
    Flow::Next
}

/// SICX: a small integer 0..=65535.
#[inline(always)]
pub(crate) fn word_constant<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    m.push(r, SMALL_POSITIVE | m.operand_word(r, 1));
    Flow::Next
}

/// COPY: the top of the stack once more.
#[inline(always)]
pub(crate) fn copy<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    m.push(r, r.tos);
    Flow::Next
}

/// SWAP: exchanges the top two.
#[inline(always)]
pub(crate) fn swap<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let below = LispPtr(r.sp.wrapping_sub(2));
    let old = m.space.cell(below);
    m.space.set_cell(below, r.tos);
    r.tos = old;
    Flow::Next
}

/// POP: drops the top.
#[inline(always)]
pub(crate) fn pop<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    m.pop(r);
    Flow::Next
}

/// POPN: drops one more than the operand.
#[inline(always)]
pub(crate) fn pop_n<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    r.sp = r.sp.wrapping_sub(2 * (m.operand(r, 1) + 1));
    r.tos = m.space.cell(LispPtr(r.sp));
    Flow::Next
}

/// STOREN: stores into the stack; the operand counts words.
#[inline(always)]
pub(crate) fn store_n<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let cells = (m.operand(r, 1) + 2) >> 1;
    m.space.set_cell(LispPtr(r.sp.wrapping_sub(2 * cells)), r.tos);
    Flow::Next
}

/// COPYN: copies out of the stack; the operand counts words down from the top, so that 0 copies the top itself. (Two less
/// than STOREN counts: in the reference, whose results count, the top is pushed before the place is looked for.)
#[inline(always)]
pub(crate) fn copy_n<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let cells = m.operand(r, 1) >> 1;
    m.space.set_cell(LispPtr(r.sp), r.tos);
    m.push(r, m.below(r, cells));
    Flow::Next
}

/// NOP.
#[inline(always)]
pub(crate) fn nop<L: Layout>(_m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    Flow::Next
}
