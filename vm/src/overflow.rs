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
//! beyond \GuardStackAddr makes Lisp's stack overflow interrupt, which runs in what is left.

use crate::address::{LispPtr, StackOffset, WORDS_PER_PAGE};
use crate::context::{alignment, copy_frame, hard};
use crate::dispatch::Flow;
use crate::error::MachineError;
use crate::frames::{
    Frame, basic_frame_from, block_flag, block_size, end_of_free, flag, free_guard, is_free, make_free, make_guard,
};
use crate::layout::{Layout, STACK};
use crate::machine::{Machine, Regs};
use crate::platform::LogLevel;

/// Words that a moved frame gets behind it at least.
const AREA: u32 = 768;
/// Words left free before a moved frame, for the frame before it to grow a little.
const LITTLE: u32 = 32;
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
    fn end_of_stack(&self) -> LispPtr {
        StackOffset(self.ifpage_word(END_OF_STACK)).ptr()
    }

    /// Whether taking another page means that Lisp must be told.
    fn at_guard(&self) -> bool {
        let guard = self.space.cell(self.symbols.guard_stack_addr) as u16;
        self.end_of_stack().low() > guard && self.space.cell(self.symbols.stack_overflow) == 0
    }

    /// Adds a page to the stack, if there may be more; the new end.
    fn extend_stack(&mut self) -> Result<Option<LispPtr>, Flow> {
        let space = self.space;
        let end = self.end_of_stack();
        let last = space.cell(self.symbols.last_stack_addr) as u16;
        if end.low() >= last {
            return Ok(None);
        }
        if self.at_guard() {
            self.interrupts.overflowed = true;
            let state = LispPtr::from_cell::<L>(space.cell(self.symbols.interrupt_state));
            space.set_cell(state, space.cell(state) | STACK_OVERFLOW);
            space.set_cell(self.symbols.stack_overflow, crate::address::AtomIndex::T.0);
            space.set_cell(self.symbols.pending_interrupt, crate::address::AtomIndex::T.0);
        }
        let more = end.plus(GUARD);
        let new_end = end.plus(WORDS_PER_PAGE);
        if new_end.high() != STACK.high() {
            return Ok(None);
        }
        crate::storage::new_page(self, more.page())?;
        self.set_ifpage_word(END_OF_STACK, new_end.low());
        let made = make_free(space, more, WORDS_PER_PAGE - GUARD)
            .and_then(|()| make_guard(space, new_end, GUARD))
            .and_then(|()| make_free(space, end, GUARD));
        self.sound(made)?;
        Ok(Some(new_end))
    }
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
        if m.extend_stack()?.is_none() {
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
    let mut at_guard = false;
    loop {
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
            if behind == m.end_of_stack() {
                // Extending the stack is quick and searching it is not; but before Lisp must be told that its stack
                // has overflowed, it is searched.
                if m.at_guard() {
                    at_guard = true;
                } else {
                    return Ok(m.extend_stack()?.map(|_| frame));
                }
            }
        }
        let Some(block) = free_stack_block(m, frame.size() + 2, frame, alignment::<L>(frame))? else {
            return Ok(None);
        };
        if at_guard && block > frame.at {
            // The stack was extended after all: use the space where it is.
            free_guard(space, block);
            continue;
        }
        let copy = copy_frame::<L>(m, frame, block);
        let size = frame.size();
        let freed = if frame.neighbour().is_residual() {
            make_free(space, frame.neighbour().at, size + 2)
        } else {
            make_free(space, frame.at, size)
        };
        m.sound(freed)?;
        return Ok(Some(copy));
    }
}

/// Gets the running frame, whose temporaries end at `next`, more space; where they end then.
pub(crate) fn make_room<L: Layout>(m: &mut Machine<L>, r: &mut Regs, next: u32) -> Result<u32, Flow> {
    m.close_frame(r, next)?;
    match move_frame(m, Frame::of_pvar(m.space, r.pvar))? {
        Some(frame) => {
            r.pvar = frame.first_pvar().0;
            Ok(m.open_frame(r)?.0)
        }
        None => Err(hard_reset(m, r)),
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
        m.set_ifpage_word(hard::RESET, reset.offset());
        let next = r.sp + 2;
        assert_eq!(make_room(&mut m, &mut r, next), Err(Flow::Jump));
        assert_eq!(r.pvar, reset.first_pvar().0);
        assert_eq!(m.ifpage_word(hard::RESET), running.offset());
    }
}
