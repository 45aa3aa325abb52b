//! When the space behind the running frame is used up: finding more, and what happens when there is none.
//!
//! Frames of many processes share the stack segment, so the free space behind a frame ends where another process
//! begins. A frame that runs out of it is moved:
//!
//! ```text
//!   | args BF | FX ...        | other process |  ...  | 32 free | residual BF | FX ... | at least 768 free |
//!               becomes free                                      the frame, moved
//! ```
//!
//! At the end of the stack the segment is extended, a page at a time, up to \LastStackAddr. The first page taken
//! beyond \GuardStackAddr makes Lisp's stack overflow interrupt (it opens a break, or reaches a handler), which runs in
//! the 4094 words that are left. That is what Lisp's own \MOVEFRAME says, and two things more are needed to make it
//! work:
//!
//! - \MOVEFRAME searches the whole stack for a free block before it crosses the guard. So the runaway computation
//!   takes the space behind every other process, and as soon as those run they eat the reserve. Here it goes straight
//!   into the reserve, unless much is free elsewhere ([`PLENTY`]).
//! - Lisp is told once, until a hard reset (\STACKOVERFLOW stays T, and the stack never shrinks). AUTOHARDRESETFLG
//!   makes every exit from the break or the handler such a reset, so that no THROW ever arrives. Here, as soon as much
//!   space is free again, \STACKOVERFLOW becomes NIL, and the last words of the space that a frame has are kept from it
//!   as the new reserve ([`Machine::keep_reserve`]). So the machine needs no hard reset, and turns the flag off when
//!   the stack overflows. Lisp is told again when a frame comes to that reserve, or has been moved to where there was
//!   no room for one, and not much is free elsewhere ([`FreeSpace::is_scarce`]).
//!
//! When the reserve is used up too, the stack is reset.

use crate::address::{AtomIndex, LispPtr, StackOffset, WORDS_PER_PAGE};
use crate::context::{alignment, copy_frame, hard};
use crate::dispatch::Flow;
use crate::error::MachineError;
use crate::frames::{
    Frame, basic_frame_from, block_flag, block_size, end_of_free, flag, is_free, make_free, make_guard,
};
use crate::layout::{Layout, STACK};
use crate::machine::{Machine, Regs};
use crate::platform::LogLevel;

/// Words that a moved frame gets behind it at least.
const AREA: u32 = 768;
/// Words left free before a moved frame, for the frame before it to grow a little.
const LITTLE: u32 = 32;
/// Words beyond the guard, for the break or the handler.
const RESERVE: u32 = 4096;
/// Words of a block at least that counts as free space: most frames fit, with [`AREA`] behind them.
const USEFUL: u32 = AREA + 256;
/// So many free words mean that an overflow is over, and that there is none while they are free elsewhere: the other
/// processes need them while somebody looks at what has filled the rest.
const PLENTY: u32 = 2 * RESERVE;
/// Words of a guard block at the end of the stack.
const GUARD: u32 = 2;
/// Interface page: stack offset of the first block after the hard contexts.
pub(crate) const STACK_BASE: u32 = 30;
/// Interface page: stack offset of the guard block at the end.
const END_OF_STACK: u32 = 7;
/// Bit of the interrupt state that says that the stack has overflowed.
const STACK_OVERFLOW: u32 = 0x0400_0000;

impl<L: Layout> Machine<L> {
    /// Where the stack ends now.
    pub(crate) fn end_of_stack(&self) -> LispPtr {
        StackOffset(self.ifpage_word(END_OF_STACK)).ptr()
    }

    /// Whether the stack has grown into its reserve, now or some time ago.
    fn is_beyond_guard(&self) -> bool {
        self.end_of_stack().low() > self.space.cell(self.symbols.guard_stack_addr) as u16
    }

    /// Whether Lisp will be told of an overflow, or has been.
    fn is_armed(&self) -> bool {
        self.space.cell(self.symbols.stack_overflow) == 0
    }

    /// Prepares Lisp's stack overflow interrupt, because of what runs in `frame`.
    fn tell_overflow(&mut self, frame: Frame) {
        let space = self.space;
        if let Ok(FreeSpace { behind, elsewhere, beyond, .. }) = survey(self, frame) {
            let level = LogLevel::Debug;
            let line = format_args!("the stack is nearly full: {behind} + {elsewhere} + {beyond} words are left");
            self.platform.log(level, line);
        }
        self.interrupts.overflowed = true;
        self.interrupts.overflow_at = frame.at;
        self.attention.request();
        let state = LispPtr::from_cell::<L>(space.cell(self.symbols.interrupt_state));
        space.set_cell(state, space.cell(state) | STACK_OVERFLOW);
        space.set_cell(self.symbols.stack_overflow, AtomIndex::T.0);
        space.set_cell(self.symbols.pending_interrupt, AtomIndex::T.0);
        if let Some(symbol) = self.symbols.automatic_hard_reset {
            let flag = L::value_cell(symbol);
            if space.cell(flag) == AtomIndex::T.0 {
                space.set_cell(flag, 0);
            }
        }
    }

    /// An overflow is over: Lisp will be told of the next.
    fn rearm(&mut self) {
        self.space.set_cell(self.symbols.stack_overflow, 0);
        self.interrupts.overflow_at = LispPtr::NIL;
    }

    /// Whether Lisp has yet to begin with the overflow that it was told of.
    fn overflow_is_pending(&self) -> bool {
        let state = LispPtr::from_cell::<L>(self.space.cell(self.symbols.interrupt_state));
        self.space.cell(state) & STACK_OVERFLOW != 0
    }

    /// Adds a page to the stack for `frame`, if there may be more; the new end.
    fn extend_stack(&mut self, frame: Frame) -> Result<Option<LispPtr>, Flow> {
        let space = self.space;
        let end = self.end_of_stack();
        let last = space.cell(self.symbols.last_stack_addr) as u16;
        let new_end = end.plus(WORDS_PER_PAGE);
        if end.low() >= last || new_end.high() != STACK.high() {
            return Ok(None);
        }
        if self.is_beyond_guard() && self.is_armed() {
            self.tell_overflow(frame);
        }
        let more = end.plus(GUARD);
        crate::storage::ensure_page(self, more.page())?;
        self.set_ifpage_word(END_OF_STACK, new_end.low());
        let made = make_free(space, more, WORDS_PER_PAGE - GUARD)
            .and_then(|()| make_guard(space, new_end, GUARD))
            .and_then(|()| make_free(space, end, GUARD));
        self.sound(made)?;
        Ok(Some(new_end))
    }

    /// Where the running frame's space ends: the free space from `next` to `end`, less the reserve if the stack cannot
    /// grow a reserve any more.
    pub(crate) fn keep_reserve(&mut self, next: LispPtr, end: LispPtr) -> Result<LispPtr, Flow> {
        self.interrupts.soft_end = LispPtr::NIL;
        if !self.is_beyond_guard() {
            return Ok(end);
        }
        let size = end.0 - next.0;
        let culprit = self.interrupts.overflow_at;
        // With so much space it does not matter whether the frame that caused it is still somewhere else.
        let is_gone = size >= PLENTY || next <= culprit && culprit < end;
        if !self.is_armed() && is_gone && !self.overflow_is_pending() {
            self.rearm();
        }
        if !self.is_armed() || size < RESERVE + AREA {
            return Ok(end);
        }
        let soft_end = end.offset(-(RESERVE as i32));
        let split = make_free(self.space, soft_end, RESERVE).and_then(|()| make_free(self.space, next, size - RESERVE));
        self.sound(split)?;
        self.interrupts.soft_end = soft_end;
        Ok(soft_end)
    }

    /// After `frame` has got more space from a stack that has grown into its reserve: whether Lisp must be told, or an
    /// overflow is over. It is if the frame that caused it is gone: `replaced` if this one now stands there, and else
    /// free space does.
    fn judge_space(&mut self, frame: Frame, replaced: bool) -> Result<(), Flow> {
        if !self.is_beyond_guard() {
            return Ok(());
        }
        let found = survey(self, frame);
        let free = self.sound(found)?;
        if self.is_armed() {
            if free.is_scarce() {
                self.tell_overflow(frame);
            }
        } else if free.words() >= PLENTY && (replaced || free.has_culprit) && !self.overflow_is_pending() {
            self.rearm();
        }
        Ok(())
    }
}

/// The stack's free space, words.
#[derive(Default)]
struct FreeSpace {
    /// Behind the running frame.
    behind: u32,
    /// In blocks that a frame can be moved to.
    elsewhere: u32,
    /// Not yet part of the stack.
    beyond: u32,
    /// Whether the place of the frame that overflowed the stack is in a block: that frame is no more.
    has_culprit: bool,
}

impl FreeSpace {
    fn words(&self) -> u32 {
        self.behind + self.elsewhere + self.beyond
    }

    /// Whether the running frame has come to its last space: it has no reserve of its own before which to look again.
    fn is_scarce(&self) -> bool {
        self.behind < RESERVE + AREA && self.elsewhere + self.beyond < PLENTY
    }
}

/// Walks through the stack's blocks, while `frame` runs.
fn survey<L: Layout>(m: &Machine<L>, frame: Frame) -> Result<FreeSpace, MachineError> {
    let space = m.space;
    let end = m.end_of_stack();
    let culprit = m.interrupts.overflow_at;
    let next = frame.next();
    let mut at = StackOffset(m.ifpage_word(STACK_BASE)).ptr();
    let beyond = (space.cell(m.symbols.last_stack_addr) & 0xFFFF).saturating_sub(end.low() as u32);
    let mut free = FreeSpace { beyond, ..FreeSpace::default() };
    while at < end {
        let block = at;
        match block_flag(space, at) {
            flag::FREE => {
                at = end_of_free(space, at)?;
                let size = at.0 - block.0;
                if block == next {
                    free.behind = size;
                } else if size >= USEFUL {
                    free.elsewhere += size;
                }
                free.has_culprit |= block <= culprit && culprit < at;
            }
            flag::GUARD => at = at.plus(block_size(space, at)?),
            flag::FRAME => at = Frame::at(space, at).next(),
            _ => at = basic_frame_from(space, at)?.at.plus(2),
        }
        if at <= block {
            return Err(MachineError::BadStack { what: "a block that ends before it begins", at: block });
        }
    }
    Ok(free)
}

/// Whether much is free that is not behind `frame`.
fn has_plenty<L: Layout>(m: &mut Machine<L>, frame: Frame) -> Result<bool, Flow> {
    let free = survey(m, frame);
    Ok(m.sound(free)?.elsewhere >= PLENTY)
}

/// Finds or makes a guard block of `size` words that has [`AREA`] words free behind it and begins at `align` within a
/// quadword; the search begins at the frame `start`. `None` if the stack cannot grow any more.
pub(crate) fn free_stack_block<L: Layout>(
    m: &mut Machine<L>,
    size: u32,
    start: Frame,
    align: Option<u32>,
) -> Result<Option<LispPtr>, Flow> {
    loop {
        let found = search(m, size, start.at, align);
        if let Some(block) = m.sound(found)? {
            return Ok(Some(block));
        }
        if m.extend_stack(start)?.is_none() {
            return Ok(None);
        }
    }
}

/// One round through the stack's blocks from `start` on.
fn search<L: Layout>(
    m: &Machine<L>,
    size: u32,
    start: LispPtr,
    align: Option<u32>,
) -> Result<Option<LispPtr>, MachineError> {
    let space = m.space;
    let end = m.end_of_stack();
    let free = |at: LispPtr| match block_flag(space, at) {
        flag::FREE => true,
        flag::GUARD => at < end,
        _ => false,
    };
    let mut at = start;
    let mut wrapped = false;
    loop {
        let block = at;
        match block_flag(space, at) {
            flag::GUARD if at >= end => {
                if wrapped {
                    return Ok(None);
                }
                wrapped = true;
                at = StackOffset(m.ifpage_word(STACK_BASE)).ptr();
                continue;
            }
            flag::FREE | flag::GUARD => {
                let mut words = 0;
                while free(at) && at.high() == STACK.high() {
                    words += block_size(space, at)?;
                    at = block.plus(words);
                }
                if words >= size + AREA + LITTLE {
                    let aligned = align.is_none_or(|align| align == block.0 % 4);
                    let before = if aligned { LITTLE } else { LITTLE + 2 };
                    let taken = block.plus(before);
                    make_guard(space, taken, size)?;
                    make_free(space, block, before)?;
                    make_free(space, taken.plus(size), words - before - size)?;
                    return Ok(Some(taken));
                }
                make_free(space, block, words)?;
            }
            flag::FRAME => at = Frame::at(space, at).next(),
            _ => at = basic_frame_from(space, at)?.at.plus(2),
        }
        if at == start || at.high() != STACK.high() {
            return Ok(None);
        }
        if at <= block {
            return Err(MachineError::BadStack { what: "a block that ends before it begins", at: block });
        }
    }
}

/// Moves a frame, or finds that there is more space behind it by now. `None` if there is none anywhere.
fn move_frame<L: Layout>(m: &mut Machine<L>, frame: Frame) -> Result<Option<Frame>, Flow> {
    let space = m.space;
    let next = frame.next();
    if is_free(space, next) {
        let size = block_size(space, next);
        let behind = next.plus(m.sound(size)?);
        if is_free(space, behind) {
            let end = end_of_free(space, next);
            let end = m.sound(end)?;
            let merged = make_free(space, next, end.0 - next.0);
            m.sound(merged)?;
            return Ok(Some(frame));
        }
        // The reserve that was kept from it.
        if next == m.interrupts.soft_end {
            return Ok(Some(frame));
        }
        // Extending the stack is quick and searching it is not; but the reserve is kept for when it is really full.
        let may_extend = behind == m.end_of_stack() && !(m.is_beyond_guard() && has_plenty(m, frame)?);
        if may_extend && m.extend_stack(frame)?.is_some() {
            return Ok(Some(frame));
        }
    }
    let Some(block) = free_stack_block(m, frame.size() + 2, frame, alignment::<L>(frame))? else {
        return Ok(None);
    };
    let copy = copy_frame::<L>(m, frame, block);
    let size = frame.size();
    let freed = if frame.neighbour().is_residual() {
        make_free(space, frame.neighbour().at, size + 2)
    } else {
        make_free(space, frame.at, size)
    };
    m.sound(freed)?;
    Ok(Some(copy))
}

/// Gets the running frame, whose temporaries end at `next`, more space; where they end then.
pub(crate) fn make_room<L: Layout>(m: &mut Machine<L>, r: &mut Regs, next: u32) -> Result<u32, Flow> {
    let frame = Frame::of_pvar(m.space, r.pvar);
    m.close_frame(r, next)?;
    let Some(moved) = move_frame(m, frame)? else {
        return Err(hard_reset(m, r));
    };
    r.pvar = moved.first_pvar().0;
    let culprit = m.interrupts.overflow_at;
    let replaced = moved.at != frame.at && culprit != frame.at && moved.at <= culprit && culprit < moved.next();
    m.judge_space(moved, replaced)?;
    if m.interrupts.overflow_at == frame.at {
        m.interrupts.overflow_at = moved.at;
    }
    Ok(m.open_frame(r)?.0)
}

impl<L: Layout> Machine<L> {
    /// Throws the stack away, as Lisp does itself when it is full, and lets Lisp begin anew; between two instructions.
    /// False if the image has no context for that.
    pub fn reset_hard(&mut self) -> bool {
        let mut r = self.regs;
        let done = self.ifpage_word(hard::RESET) != 0 && self.switch_context(&mut r, hard::RESET, 0).is_ok();
        if done {
            self.regs = r;
            self.reset_limit();
        }
        done
    }
}

/// The stack and its reserve are used up: throws the stack away and lets Lisp begin anew, with all else it has. Lisp
/// does that in its reset context, and runs the cleanup forms of what was going on first.
pub(crate) fn hard_reset<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let (sp, end) = (r.sp, m.stack_end);
    m.platform.log(LogLevel::Warning, format_args!("Lisp's stack is full at {:?} of {end:?}: hard reset", LispPtr(sp)));
    if m.ifpage_word(hard::RESET) == 0 {
        return m.fatal(MachineError::StackExhausted);
    }
    match m.switch_context(r, hard::RESET, 0) {
        Ok(()) => {
            m.reset_limit();
            Flow::Jump
        }
        Err(flow) => flow,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frames::by_hand::{BASE, END, Stack, check};
    use crate::layout::{Medley2, Medley35};
    use crate::testing::machine;

    fn move_up<L: Layout>() {
        let mut m = machine::<L>();
        let space = m.space;
        let mut stack = Stack::new(&mut m);
        let outer = stack.call(&[1], &[]);
        let running = stack.call(&[2, 3], &[10, 11]);
        stack.free(8);
        stack.other_process();
        let other = stack.call(&[], &[12]);
        stack.run(other, 0);
        let mut r = Regs { pvar: running.first_pvar().0, sp: running.next().0, tos: 13, ..Regs::default() };
        m.resume_frame(&mut r);
        m.stack_end = running.next().plus(8);
        space.set_cell(LispPtr(r.sp), r.tos);
        let next = make_room(&mut m, &mut r, running.next().0 + 2).unwrap();
        let moved = Frame::of_pvar(space, r.pvar);
        assert!(moved.at > other.at);
        assert_eq!(moved.at.0, other.next().0 + LITTLE + 2);
        assert_eq!([6, 4, 2].map(|back| space.cell(LispPtr(next - back))), [10, 11, 13]);
        assert_eq!((moved.clink(), moved.use_count()), (outer.offset(), 0));
        assert_eq!(moved.basic_frame().at, running.at.offset(-2));
        assert!(moved.neighbour().is_residual() && is_free(space, running.at));
        assert_eq!(m.stack_end.0, END);
        check(space, BASE, END);
        // A second move leaves nothing behind.
        let second = move_frame(&mut m, moved).unwrap().unwrap();
        assert_eq!(second.at, moved.at, "enough space now");
    }

    #[test]
    fn move_up_in_both_layouts() {
        move_up::<Medley2>();
        move_up::<Medley35>();
    }

    #[test]
    fn free_blocks_are_merged_first() {
        let mut m = machine::<Medley2>();
        let space = m.space;
        let mut stack = Stack::new(&mut m);
        let running = stack.call(&[2, 3], &[10]);
        stack.free(6);
        stack.free(300);
        stack.other_process();
        let other = stack.call(&[], &[12]);
        stack.run(other, 0);
        let mut r = Regs { pvar: running.first_pvar().0, sp: running.next().0, tos: 13, ..Regs::default() };
        m.resume_frame(&mut r);
        m.stack_end = running.next().plus(6);
        make_room(&mut m, &mut r, running.next().0 + 2).unwrap();
        assert_eq!(Frame::of_pvar(space, r.pvar).at, running.at);
        assert_eq!(m.stack_end, other.at.offset(-2));
        check(space, BASE, END);
    }

    #[test]
    fn names_keep_their_place_in_a_quadword() {
        for extra in [0, 2] {
            let mut m = machine::<Medley2>();
            let space = m.space;
            let mut stack = Stack::new(&mut m);
            let running = stack.call(&[2, 3], &[10, 11, 12, 13]);
            stack.free(4 + extra);
            stack.other_process();
            let other = stack.call(&[], &[12]);
            stack.run(other, 0);
            let names = running.first_pvar().plus(8);
            space.set_word(running.at, 0xC200);
            space.set_cell(running.at.plus(6), Medley2::frame_cell(names));
            m.stack_end = running.next().plus(4 + extra);
            let moved = move_frame(&mut m, running).unwrap().unwrap();
            let distance = moved.at.0 - running.at.0;
            assert_eq!(distance % 4, 0);
            assert_eq!(moved.name_table::<Medley2>(), names.plus(distance));
            check(space, BASE, END);
        }
    }

    #[test]
    fn a_full_stack_switches_to_the_reset_context() {
        let mut m = machine::<Medley2>();
        let mut stack = Stack::new(&mut m);
        let reset = stack.call(&[], &[]);
        stack.free(20);
        stack.other_process();
        // All but 8 words: 2 of basic frame, 10 of frame extension, 8 of PVARs.
        let temporaries = (END - reset.next().0 - 20 - 2 - 10 - 8 - 8) as usize / 2;
        let running = stack.call(&[], &std::vec![10; temporaries]);
        assert_eq!(running.next().0, END - 8);
        let mut r = stack.run(running, 5);
        m.space.set_cell(m.symbols.last_stack_addr, 0xE_0000 | END & 0xFFFF);
        m.set_ifpage_word(hard::RESET, reset.offset());
        let next = r.sp + 2;
        assert_eq!(make_room(&mut m, &mut r, next), Err(Flow::Jump));
        assert_eq!(r.pvar, reset.first_pvar().0);
        assert_eq!(m.ifpage_word(hard::RESET), running.offset());
    }

    /// A frame that has filled the stack up to the first page of the reserve, but for 8 words.
    fn fill(m: &mut Machine<Medley2>) -> (Regs, Frame, u32) {
        let end = 0x1_F0FE;
        let mut stack = Stack::new_until(m, end);
        let outer = stack.call(&[], &[1]);
        let temporaries = (end - outer.next().0 - 2 - 10 - 8 - 8) as usize / 2;
        let running = stack.call(&[], &std::vec![10; temporaries]);
        (stack.run(running, 5), outer, end)
    }

    #[test]
    fn the_first_page_of_the_reserve_tells_lisp() {
        let mut m = machine::<Medley2>();
        let (mut r, _, end) = fill(&mut m);
        let space = m.space;
        let running = r.pvar;
        let next = r.sp + 2;
        assert_eq!(make_room(&mut m, &mut r, next), Ok(next));
        assert_eq!((r.pvar, m.stack_end.0), (running, end + 0x100));
        assert_eq!(m.ifpage_word(END_OF_STACK), 0xF1FE);
        assert!(m.interrupts.overflowed);
        assert_eq!(space.cell(m.symbols.stack_overflow), AtomIndex::T.0);
        assert_eq!(space.cell(LispPtr(0x30_0000)), STACK_OVERFLOW);
        check(space, BASE, end + 0x100);
        // Once.
        m.interrupts.overflowed = false;
        make_room(&mut m, &mut r, end + 0xFC).unwrap();
        assert!(!m.interrupts.overflowed);
        assert_eq!(m.stack_end.0, end + 0x200);
    }

    #[test]
    fn an_overflow_that_is_over_can_happen_again() {
        let mut m = machine::<Medley2>();
        let (mut r, outer, _) = fill(&mut m);
        let space = m.space;
        let next = r.sp + 2;
        make_room(&mut m, &mut r, next).unwrap();
        // Lisp has begun with the interrupt, and throws.
        space.set_cell(LispPtr(0x30_0000), 0);
        m.interrupts.overflowed = false;
        let end = m.stack_end;
        make_free(space, outer.next(), end.0 - outer.next().0).unwrap();
        m.enter_frame(&mut r, outer).unwrap();
        assert_eq!(space.cell(m.symbols.stack_overflow), 0);
        assert_eq!(m.stack_end, end.offset(-(RESERVE as i32)));
        check(space, BASE, end.0);
        // The new reserve is reached.
        let next = m.stack_end.0 - 8;
        make_room(&mut m, &mut r, next).unwrap();
        assert!(m.interrupts.overflowed);
        assert_eq!(m.stack_end, end);
        check(space, BASE, end.0);
    }
    /// The space of the frame that overflowed the stack is the next that a frame is moved to, before anybody looks.
    #[test]
    fn an_overflow_is_over_when_another_frame_is_where_it_was() {
        let mut m = machine::<Medley2>();
        let space = m.space;
        let end = 0x1_F1FE;
        let mut stack = Stack::new_until(&mut m, end);
        let running = stack.call(&[2, 3], &[10, 11]);
        stack.free(8);
        stack.other_process();
        let other = stack.call(&[], &[12]);
        stack.run(other, 0);
        let mut r = Regs { pvar: running.first_pvar().0, sp: running.next().0, tos: 13, ..Regs::default() };
        m.resume_frame(&mut r);
        space.set_cell(m.symbols.stack_overflow, AtomIndex::T.0);
        m.interrupts.overflow_at = other.next().plus(LITTLE + 2);
        m.stack_end = running.next().plus(8);
        space.set_cell(LispPtr(r.sp), r.tos);
        make_room(&mut m, &mut r, running.next().0 + 2).unwrap();
        assert_eq!(Frame::of_pvar(space, r.pvar).at, other.next().plus(LITTLE + 2));
        assert_eq!(space.cell(m.symbols.stack_overflow), 0);
        check(space, BASE, end);
    }
    /// Beyond the guard a frame goes where much is free rather than take more of the reserve.
    #[test]
    fn the_reserve_waits_while_much_is_free() {
        for (words, stays) in [(PLENTY, false), (PLENTY - 2, true)] {
            let mut m = machine::<Medley2>();
            let space = m.space;
            let end = 0x1_F1FE;
            let mut stack = Stack::new_until(&mut m, end);
            // All but 8 words of the stack. Two frames have 2 words of basic frame, 10 of frame extension, 8 of PVARs.
            let temporaries = (end - BASE - words - 2 * (2 + 10 + 8) - 8) as usize / 2;
            stack.call(&[], &std::vec![10; temporaries]);
            stack.free(words);
            stack.other_process();
            let running = stack.call(&[], &[]);
            let mut r = stack.run(running, 5);
            let next = r.sp + 2;
            make_room(&mut m, &mut r, next).unwrap();
            assert_eq!(Frame::of_pvar(space, r.pvar).at == running.at, stays, "{words}");
            assert_eq!(m.interrupts.overflowed, stays, "{words}");
            check(space, BASE, m.end_of_stack().0);
        }
    }
    /// A throw leads back to a frame with much space; the one that overflowed the stack was elsewhere.
    #[test]
    fn an_overflow_is_over_where_there_is_much_space() {
        for (words, over) in [(PLENTY, true), (PLENTY - 2, false)] {
            let mut m = machine::<Medley2>();
            let space = m.space;
            let end = 0x1_F1FE;
            let mut stack = Stack::new_until(&mut m, end);
            let outer = stack.call(&[], &[1]);
            stack.free(words);
            stack.other_process();
            let other = stack.call(&[], &[12]);
            let mut r = stack.run(other, 0);
            space.set_cell(m.symbols.stack_overflow, AtomIndex::T.0);
            m.interrupts.overflow_at = other.next().plus(100);
            m.enter_frame(&mut r, outer).unwrap();
            assert_eq!(space.cell(m.symbols.stack_overflow) == 0, over, "{words}");
            check(space, BASE, end);
        }
    }
    /// In a stack that many processes share no block is large. A frame that has come to its reserve takes it and moves on,
    /// until little is left in all blocks together.
    #[test]
    fn small_blocks_count_together() {
        for (words, told) in [(PLENTY / 2, false), (PLENTY / 2 - 2, true)] {
            let mut m = machine::<Medley2>();
            let space = m.space;
            let end = 0x1_F1FE;
            let mut stack = Stack::new_until(&mut m, end);
            // What the two blocks, the running frame's and three frames leave.
            let own = RESERVE + AREA;
            let temporaries = (end - BASE - 2 * words - own - 3 * (2 + 10 + 8)) as usize / 2;
            stack.call(&[], &std::vec![10; temporaries]);
            stack.free(words);
            stack.other_process();
            stack.call(&[], &[]);
            stack.free(words);
            stack.other_process();
            let running = stack.call(&[], &[]);
            let mut r = stack.run(running, 5);
            make_free(space, running.next(), own).unwrap();
            space.set_cell(m.symbols.last_stack_addr, 0xE_0000 | end & 0xFFFF);
            m.enter_frame(&mut r, running).unwrap();
            assert_eq!(m.stack_end.0, end - RESERVE);
            let next = m.stack_end.0;
            make_room(&mut m, &mut r, next).unwrap();
            assert_eq!((m.interrupts.overflowed, m.stack_end.0), (told, end), "{words}");
            check(space, BASE, end);
        }
    }
}
