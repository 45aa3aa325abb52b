//! Interrupts and the stack limit.
//!
//! Calls, returns and taken jumps compare the stack pointer with `attention.limit`. Whoever wants attention sets it to
//! 0; the comparison fails then as it does when the stack overflows, and [`check`] finds out what it was. Lisp's own
//! interrupts are calls of Lisp functions, put on the stack between two instructions of whatever runs. At most one is
//! made at a time:
//!
//! | condition | function |
//! |---|---|
//! | \PERIODIC.INTERRUPT is on and its time has come | \PERIODIC.INTERRUPTFRAME (and one of the others) |
//! | a key went up or down and Lisp's keyboard process waits | \DOBUFFEREDTRANSITIONS |
//! | enough was allocated | \DORECLAIM |
//! | \PENDINGINTERRUPT (a control character, a full stack, full storage) | \INTERRUPTFRAME |
//! | the power button, a checkpoint (see `saving`), if \INTERRUPTABLE | LOGOUT, \FLUSHVM, SAVEVM |
//!
//! The interrupt state is a cell: pending (8 bits) | being handled (8) | character (16).

use crate::address::{AtomIndex, LispPtr, StackOffset};
use crate::calls::{BASIC_FRAME, FRAME_EXTENSION, FRAME_WORDS, Header, UNBOUND};
use crate::dispatch::Flow;
use crate::error::MachineError;
use crate::frames::{Frame, make_free};
use crate::layout::{Layout, SMALL_POSITIVE};
use crate::machine::{Machine, Regs, attempt};
use crate::overflow::{STACK_BASE, make_room};
use core::sync::atomic::Ordering;

/// What interrupts wait for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Interrupts {
    /// Changes of keys that the ring of key events holds and Lisp has not been told of.
    pub(crate) key_events: u32,
    /// The stack has just grown into its reserve.
    pub(crate) overflowed: bool,
    /// Where the running frame's space ends for now, because the rest is the stack's reserve; 0 otherwise.
    pub(crate) soft_end: LispPtr,
    /// The frame that overflowed the stack last, until that is over.
    pub(crate) overflow_at: LispPtr,
    /// When the next periodic interrupt is due, in the platform's microseconds.
    periodic_due: u64,
}

/// Words that an interrupt's frame needs besides what its function says.
const STACK_SAFE: u32 = 32;

impl<L: Layout> Machine<L> {
    /// Forgets requests for attention, and sets the limit that the stack itself sets.
    pub(crate) fn reset_limit(&self) {
        let need = Header::read(self.space, self.func).stack_need();
        self.attention.end.store(self.stack_end.0, Ordering::Relaxed);
        self.attention.limit.store(self.stack_end.0.saturating_sub(need), Ordering::Relaxed);
    }
}

/// Looks why attention was asked for: stack overflow, keyboard, timer, collector, Lisp's own interrupts. The
/// instruction at `r.pc` is next in any case; if a Lisp function was put in between, that is its first one.
pub(crate) fn check<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    if m.exit.is_some() {
        return Flow::Exit;
    }
    if r.sp > m.stack_end.0 {
        return m.fatal(MachineError::StackExhausted);
    }
    loop {
        let limit = m.attention.limit.load(Ordering::Relaxed);
        let end = m.attention.end.load(Ordering::Relaxed);
        if limit != 0 && end != 0 && r.sp + 2 > limit {
            m.space.set_cell(LispPtr(r.sp), r.tos);
            let next = attempt!(make_room(m, r, r.sp + 2));
            r.sp = next - 2;
            r.tos = m.space.cell(LispPtr(r.sp));
            m.reset_limit();
        }
        crate::keyboard::poll(m);
        if m.exit.is_some() {
            return Flow::Exit;
        }
        let limit = m.attention.limit.load(Ordering::Relaxed);
        let end = m.attention.end.load(Ordering::Relaxed);
        if limit != 0 && end != 0 && !m.interrupts.overflowed {
            return Flow::Jump;
        }
        let interruptable = r.sp > StackOffset(m.ifpage_word(STACK_BASE)).ptr().0;
        if interruptable {
            attempt!(serve(m, r));
            m.interrupts.overflowed = false;
            m.reset_limit();
            return Flow::Jump;
        }
        // In a hard context requests are forgotten. There may be a stack overflow behind one.
        m.interrupts.overflowed = false;
        m.reset_limit();
    }
}

/// Makes the interrupts that are due.
fn serve<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Result<(), Flow> {
    let space = m.space;
    m.update_seconds();
    let symbols = m.symbols;
    if space.cell(symbols.periodic_interrupt) != 0 && periodic_is_due(m) {
        call_between(m, r, symbols.periodic_interrupt_frame)?;
    }
    let key_waits = m.interrupts.key_events > 0 && space.cell(symbols.key_buffering) == AtomIndex::T.0;
    let reclaim_waits = space.cell(symbols.reclaim_countdown) == SMALL_POSITIVE;
    let lisp_waits = space.cell(symbols.pending_interrupt) != 0;
    // A computation that has just overflowed the stack must not get to run on: its turn comes first.
    let overflowed = m.interrupts.overflowed && lisp_waits;
    if key_waits && !overflowed {
        space.set_cell(symbols.key_buffering, symbols.started.0);
        call_between(m, r, symbols.do_buffered_transitions)?;
        m.interrupts.key_events -= 1;
    } else if reclaim_waits && !overflowed {
        space.set_cell(symbols.reclaim_countdown, 0);
        call_between(m, r, symbols.do_reclaim)?;
    } else if lisp_waits {
        let state = LispPtr::from_cell::<L>(space.cell(symbols.interrupt_state));
        let pending = space.cell(state) >> 24;
        space.set_cell(state, space.cell(state) | pending << 16);
        space.set_cell(symbols.pending_interrupt, 0);
        call_between(m, r, symbols.interrupt_frame)?;
    } else if let Some(function) = crate::saving::granted(m, r)? {
        call_between(m, r, function)?;
    }
    Ok(())
}

/// Whether the periodic interrupt's time has come; sets the next one. The frequency is in 60ths of a second.
fn periodic_is_due<L: Layout>(m: &mut Machine<L>) -> bool {
    let now = m.platform.microseconds();
    if now < m.interrupts.periodic_due {
        return false;
    }
    let sixtieths = m.space.cell(m.symbols.periodic_interrupt_frequency) & 0xFFFF;
    m.interrupts.periodic_due = now + sixtieths as u64 * 1_000_000 / 60;
    true
}

/// Puts a call of a Lisp function without arguments between two instructions: the running frame will go on at `r.pc`
/// with the stack as it is.
fn call_between<L: Layout>(m: &mut Machine<L>, r: &mut Regs, function: AtomIndex) -> Result<(), Flow> {
    let space = m.space;
    let code = LispPtr::from_cell::<L>(space.cell(L::definition_cell(function)));
    let header = Header::read(space, code);
    let caller = Frame::of_pvar(space, r.pvar);
    caller.set_no_push(true);
    caller.set_pc(r.pc.wrapping_sub(m.func.byte().0) as u16);
    space.set_cell(LispPtr(r.sp), r.tos);
    let mut first = r.sp + 2;
    if r.sp + header.stack_need() + STACK_SAFE > m.stack_end.0 {
        first = make_room(m, r, first)?;
    }
    Frame::of_pvar(space, r.pvar).set_next_block(first as u16);
    let mut sp = LispPtr(first);
    for _ in 0..header.arguments() {
        space.set_cell(sp, 0);
        sp = sp.plus(2);
    }
    space.set_cell(sp, BASIC_FRAME | first & 0xFFFF);
    let frame = Frame::at(space, sp.plus(2));
    space.set_cell(frame.at, FRAME_EXTENSION | r.pvar & 0xFFFF);
    frame.set_header::<L>(code);
    frame.make_slow();
    let end = sp.plus(2 + FRAME_WORDS + 4 * header.pvar_pairs().max(0) as u32);
    space.fill_cells(frame.first_pvar(), (end.0 - frame.first_pvar().0) / 2, UNBOUND);
    frame.set_next_block(end.low());
    let free = make_free(space, end, m.stack_end.0.wrapping_sub(end.0));
    m.sound(free)?;
    r.pvar = frame.first_pvar().0;
    r.ivar = first;
    r.sp = end.0 + 2;
    r.pc = header.start();
    m.func = code;
    Ok(())
}
