//! Jumps. A jump that is taken is where a loop can be interrupted: it compares the stack pointer with the limit, which
//! stack overflow and everyone who wants attention share.

use crate::dispatch::Flow;
use crate::layout::Layout;
use crate::machine::{Machine, Regs};
use core::sync::atomic::Ordering;

impl<L: Layout> Machine<L> {
    /// Whether calls and taken jumps have to look for interrupts now.
    #[inline(always)]
    pub(crate) fn needs_attention(&self, r: &Regs) -> bool {
        r.sp > self.attention.limit.load(Ordering::Relaxed)
    }
}

#[inline(always)]
fn go<L: Layout>(m: &Machine<L>, r: &mut Regs, distance: i32, pop: bool) -> Flow {
    if m.needs_attention(r) {
        return Flow::Interrupt;
    }
    if pop {
        m.pop(r);
    }
    r.pc = r.pc.wrapping_add_signed(distance);
    Flow::Jump
}

/// JUMP: by 2 to 17 bytes.
#[inline(always)]
pub(crate) fn jump<L: Layout, const DISTANCE: i32>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    go(m, r, DISTANCE, false)
}

/// FJUMP: pops; jumps if it was NIL.
#[inline(always)]
pub(crate) fn jump_if_nil<L: Layout, const DISTANCE: i32>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    if r.tos != 0 {
        m.pop(r);
        return Flow::Next;
    }
    go(m, r, DISTANCE, true)
}

/// TJUMP: pops; jumps unless it was NIL.
#[inline(always)]
pub(crate) fn jump_unless_nil<L: Layout, const DISTANCE: i32>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    if r.tos == 0 {
        m.pop(r);
        return Flow::Next;
    }
    go(m, r, DISTANCE, true)
}

/// JUMPX: by a signed byte.
#[inline(always)]
pub(crate) fn jump_x<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let distance = m.operand_signed(r);
    go(m, r, distance, false)
}

/// JUMPXX: by a signed word.
#[inline(always)]
pub(crate) fn jump_xx<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let distance = m.operand_word(r, 1) as u16 as i16 as i32;
    go(m, r, distance, false)
}

/// FJUMPX: pops; jumps by a signed byte if it was NIL.
#[inline(always)]
pub(crate) fn jump_x_if_nil<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    if r.tos != 0 {
        m.pop(r);
        return Flow::Next;
    }
    let distance = m.operand_signed(r);
    go(m, r, distance, true)
}

/// TJUMPX: pops; jumps by a signed byte unless it was NIL.
#[inline(always)]
pub(crate) fn jump_x_unless_nil<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    if r.tos == 0 {
        m.pop(r);
        return Flow::Next;
    }
    let distance = m.operand_signed(r);
    go(m, r, distance, true)
}

/// NFJUMPX: jumps and keeps the value if it is NIL, else pops it.
#[inline(always)]
pub(crate) fn jump_x_if_nil_keep<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    if r.tos != 0 {
        m.pop(r);
        return Flow::Next;
    }
    let distance = m.operand_signed(r);
    go(m, r, distance, false)
}

/// NTJUMPX: jumps and keeps the value unless it is NIL, else pops it.
#[inline(always)]
pub(crate) fn jump_x_unless_nil_keep<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    if r.tos == 0 {
        m.pop(r);
        return Flow::Next;
    }
    let distance = m.operand_signed(r);
    go(m, r, distance, false)
}
