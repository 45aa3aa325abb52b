//! Changing frames other than by call and fast return: hard contexts, and returning to a frame that others refer to.
//!
//! The first words of the interface page hold frames that wait for their turn (the reset handler, the stack overflow
//! handler, the keyboard handler, the collector ...). CONTEXTSWITCH exchanges the running frame with one of them. A
//! frame that is left so has its top of stack pushed and the flag "no push", and a free block behind it:
//!
//! ```text
//!   | frame ... temporaries | top | A000 size | free ...
//!                                 ^ next block, before and after
//! ```
//!
//! A slow frame returns by looking first. The returnee must be referred to by nobody else, or it is copied, so that
//! the others keep it as it is; and there must be free space behind it to run in.

use crate::address::LispPtr;
use crate::dispatch::Flow;
use crate::error::MachineError;
use crate::frames::{BasicFrame, Frame, decrement_use_count, end_of_free, increment_use_count, is_free, make_free};
use crate::layout::{Layout, STACK};
use crate::machine::{Machine, Regs, attempt};
use crate::memory::Space;
use crate::overflow::{free_stack_block, hard_reset};

/// Contexts: words of the interface page.
pub(crate) mod hard {
    /// Resets the stack.
    pub const RESET: u32 = 1;
}

impl<L: Layout> Machine<L> {
    /// Stops the machine because the stack is damaged.
    #[cold]
    pub(crate) fn bad_stack(&mut self, what: &'static str, at: LispPtr) -> Flow {
        self.fatal(MachineError::BadStack { what, at })
    }

    /// Passes on what went wrong in a function that does not know the machine.
    #[inline(always)]
    pub(crate) fn sound<T>(&mut self, result: Result<T, MachineError>) -> Result<T, Flow> {
        result.map_err(|error| self.fatal(error))
    }

    /// Ends the running frame at `next`: what is behind becomes a free block.
    pub(crate) fn close_frame(&mut self, r: &Regs, next: u32) -> Result<(), Flow> {
        let size = self.stack_end.0.wrapping_sub(next);
        if size as i32 <= 0 {
            if size == 0 {
                Frame::of_pvar(self.space, r.pvar).set_next_block(next as u16);
                return Ok(());
            }
            return Err(self.fatal(MachineError::StackExhausted));
        }
        Frame::of_pvar(self.space, r.pvar).set_next_block(next as u16);
        let made = make_free(self.space, LispPtr(next), size);
        self.sound(made)
    }

    /// Gives the frame at `r.pvar` all free space behind it; its next block.
    pub(crate) fn open_frame(&mut self, r: &Regs) -> Result<LispPtr, Flow> {
        let next = Frame::of_pvar(self.space, r.pvar).next();
        let end = end_of_free(self.space, next);
        let end = self.sound(end)?;
        self.stack_end = self.keep_reserve(next, end)?;
        Ok(next)
    }

    /// Goes on in `frame`, which was left in order: free space, stack pointer, arguments, function and pc.
    pub(crate) fn enter_frame(&mut self, r: &mut Regs, frame: Frame) -> Result<(), Flow> {
        if !frame.is_frame() {
            return Err(self.bad_stack("no frame where one should go on", frame.at));
        }
        if frame.in_call() {
            return Err(self.bad_stack("a frame that was interrupted within a call", frame.at));
        }
        r.pvar = frame.first_pvar().0;
        let next = self.open_frame(r)?;
        r.sp = next.0;
        if frame.no_push() {
            frame.set_no_push(false);
            r.sp = r.sp.wrapping_sub(2);
            r.tos = self.space.cell(LispPtr(r.sp));
        }
        self.resume_frame(r);
        Ok(())
    }

    /// Exchanges the running frame with the one in a word of the interface page. The running frame will go on
    /// `length` bytes behind `r.pc`.
    pub(crate) fn switch_context(&mut self, r: &mut Regs, context: u32, length: u32) -> Result<(), Flow> {
        let frame = Frame::of_pvar(self.space, r.pvar);
        let other = Frame::at_offset(self.space, self.ifpage_word(context));
        if !other.is_frame() {
            return Err(self.bad_stack("no frame in a context of the interface page", other.at));
        }
        self.space.set_cell(LispPtr(r.sp), context);
        self.close_frame(r, r.sp.wrapping_add(2))?;
        frame.set_no_push(true);
        frame.set_pc(r.pc.wrapping_sub(self.func.byte().0).wrapping_add(length) as u16);
        self.set_ifpage_word(context, frame.offset());
        self.enter_frame(r, other)
    }
}

/// CONTEXTSWITCH: exchanges the running frame with the context whose number is on top.
#[inline(always)]
pub(crate) fn context_switch<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.slow(context_switch_slow)
}

fn context_switch_slow<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    attempt!(m.switch_context(r, r.tos & 0xFFFF, 1));
    // Requests for attention are forgotten here; those that matter are made again.
    m.reset_limit();
    Flow::Jump
}

/// Returns from a slow frame: leaves `r` as a fast return does.
pub(crate) fn slow_return<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Result<(), Flow> {
    let space = m.space;
    let returner = Frame::of_pvar(space, r.pvar);
    let mut returnee = Frame::at_offset(space, returner.clink());
    if returner.alink() != returner.clink() {
        let alink = returner.access_parent();
        returner.set_alink(returner.clink());
        let counted = decrement_use_count(alink);
        m.sound(counted)?;
    }
    if !returnee.is_frame() {
        return Err(m.bad_stack("a return from the outermost frame", returner.at));
    }
    let arguments = returner.basic_frame();
    if returnee.use_count() != 0 || !has_space(space, r, returnee, arguments) {
        returnee = copy_returnee(m, r, returnee)?;
    }
    let released = release_returner(m, r, returner, arguments);
    m.sound(released)?;
    m.enter_frame(r, returnee)
}

/// Whether there is free space behind the returnee, or will be once the returner is gone.
fn has_space(space: Space, r: &Regs, returnee: Frame, arguments: BasicFrame) -> bool {
    let next = returnee.next();
    is_free(space, next) || next.0 == r.ivar && arguments.use_count() == 0
}

/// Frees what the returner does not need any more: its frame, and its arguments unless another frame has them too.
fn release_returner<L: Layout>(
    m: &mut Machine<L>,
    r: &Regs,
    returner: Frame,
    arguments: BasicFrame,
) -> Result<(), MachineError> {
    let shared = arguments.use_count() != 0;
    let mut from = returner.at;
    if returner.neighbour().is_residual() {
        from = returner.neighbour().at;
        arguments.release()?;
    } else if shared {
        arguments.set_use_count(arguments.use_count() - 1);
    } else {
        from = LispPtr(r.ivar);
    }
    make_free(m.space, from, m.stack_end.0.wrapping_sub(from.0))
}

/// Copies the returnee to a place with space behind it, and has the running frame return there.
fn copy_returnee<L: Layout>(m: &mut Machine<L>, r: &mut Regs, returnee: Frame) -> Result<Frame, Flow> {
    let space = m.space;
    let returner = Frame::of_pvar(space, r.pvar);
    m.close_frame(r, r.sp)?;
    let size = returnee.size() + 2;
    let Some(block) = free_stack_block(m, size, returner, alignment::<L>(returnee))? else {
        return Err(hard_reset(m, r));
    };
    let copy = copy_frame::<L>(m, returnee, block);
    copy.set_use_count(0);
    let arguments = copy.basic_frame();
    arguments.set_use_count(arguments.use_count() + 1);
    returnee.make_slow();
    let counted = count_links(returnee);
    m.sound(counted)?;
    returner.set_both_links(copy.offset());
    m.open_frame(r)?;
    Ok(copy)
}

/// A copy of `frame` refers to its callers too; and one reference to `frame` itself is gone.
fn count_links(frame: Frame) -> Result<(), MachineError> {
    increment_use_count(frame.caller())?;
    if frame.clink() != frame.alink() {
        increment_use_count(frame.access_parent())?;
    }
    decrement_use_count(frame)
}

/// Where within a quadword a copy of this frame has to begin, in words; `None` if it does not matter. A name table
/// within the frame has to keep its place in a quadword.
pub(crate) fn alignment<L: Layout>(frame: Frame) -> Option<u32> {
    frame.has_names_on_stack::<L>().then(|| frame.neighbour().at.0 % 4)
}

/// Copies a frame with a residual basic frame into a block, links and all.
pub(crate) fn copy_frame<L: Layout>(m: &Machine<L>, frame: Frame, block: LispPtr) -> Frame {
    let space = m.space;
    let size = frame.size() + 2;
    let names_too = frame.has_names_on_stack::<L>();
    let from = frame.neighbour().at;
    for at in (0..size).step_by(2) {
        space.set_cell(block.plus(at), space.cell(from.plus(at)));
    }
    BasicFrame::at(space, block).set_residual();
    let copy = Frame::at(space, block.plus(2));
    copy.set_next_block(block.low().wrapping_add(size as u16));
    copy.set_basic_frame(frame.basic_frame());
    if names_too {
        copy.shift_names::<L>(copy.at.0.wrapping_sub(frame.at.0) as i32);
    }
    debug_assert_eq!(copy.at.high(), STACK.high());
    copy
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frames::by_hand::{BASE, END, Stack, check};
    use crate::layout::{Medley2, Medley35};
    use crate::testing::machine;

    fn there_and_back<L: Layout>() {
        let mut m = machine::<L>();
        let mut stack = Stack::new(&mut m);
        let waiting = stack.call(&[], &[7]);
        stack.free(100);
        stack.other_process();
        let running = stack.call(&[1], &[8]);
        let mut r = stack.run(running, 0xE_0003);
        waiting.set_no_push(true);
        m.set_ifpage_word(3, waiting.offset());
        let before = (r, m.func, m.stack_end);
        assert_eq!(context_switch_slow(&mut m, &mut r), Flow::Jump);
        assert_eq!((r.pvar, r.tos, r.sp), (waiting.first_pvar().0, 7, waiting.next().0 - 2));
        assert_eq!(m.stack_end, waiting.next().plus(100));
        assert!(!waiting.no_push() && running.no_push());
        assert_eq!(m.ifpage_word(3), running.offset());
        check(m.space, BASE, END);
        r.tos = 3;
        assert_eq!(context_switch_slow(&mut m, &mut r), Flow::Jump);
        // The context number comes back on top, and the pc is behind the opcode.
        assert_eq!((r.sp, r.tos, r.pvar, r.ivar), (before.0.sp, 3, before.0.pvar, before.0.ivar));
        assert_eq!((r.pc, m.func, m.stack_end), (before.0.pc + 1, before.1, before.2));
        check(m.space, BASE, END);
    }

    #[test]
    fn there_and_back_in_both_layouts() {
        there_and_back::<Medley2>();
        there_and_back::<Medley35>();
    }

    #[test]
    fn links_in_a_circle_are_an_error() {
        let mut m = machine::<Medley2>();
        let space = m.space;
        let mut stack = Stack::new(&mut m);
        let outer = stack.call(&[1], &[8]);
        let inner = stack.call(&[2, 3], &[9]);
        stack.call(&[4], &[]);
        outer.set_both_links(inner.offset());
        let found = crate::free_variables::look_up::<Medley2>(space, inner, crate::address::AtomIndex(1000));
        assert!(matches!(found, Err(MachineError::BadStack { what: "a chain of callers without an end", .. })));
        let counted = decrement_use_count(inner);
        assert!(matches!(counted, Err(MachineError::BadStack { what: "a link to what is no frame", .. })));
    }

    #[test]
    fn a_context_that_is_no_frame_is_an_error() {
        let mut m = machine::<Medley2>();
        let mut stack = Stack::new(&mut m);
        let running = stack.call(&[1], &[8]);
        let mut r = stack.run(running, 0xE_0003);
        assert_eq!(context_switch_slow(&mut m, &mut r), Flow::Exit);
    }

    #[test]
    fn a_slow_return_without_other_references_is_like_a_fast_one() {
        let mut m = machine::<Medley2>();
        let mut stack = Stack::new(&mut m);
        let outer = stack.call(&[1], &[8]);
        let inner = stack.call(&[2, 3], &[9]);
        let mut r = stack.run(inner, 42);
        inner.make_slow();
        slow_return(&mut m, &mut r).unwrap();
        assert_eq!((r.pvar, r.tos), (outer.first_pvar().0, 42));
        assert_eq!(r.sp, inner.at.0 - 6);
        assert_eq!(m.stack_end.0, END);
        check(m.space, BASE, END);
    }

    fn return_to_a_copy<L: Layout>() {
        let mut m = machine::<L>();
        let space = m.space;
        let mut stack = Stack::new(&mut m);
        let outermost = stack.call(&[], &[]);
        let outer = stack.call(&[1], &[8]);
        let inner = stack.call(&[2, 3], &[9]);
        let mut r = stack.run(inner, 42);
        increment_use_count(outer).unwrap();
        slow_return(&mut m, &mut r).unwrap();
        let copy = Frame::of_pvar(space, r.pvar);
        assert!(copy.at > inner.at);
        assert_eq!((outer.use_count(), copy.use_count(), outermost.use_count()), (0, 0, 1));
        assert_eq!(copy.basic_frame().at, outer.basic_frame().at);
        assert_eq!(copy.basic_frame().use_count(), 1);
        assert!(copy.neighbour().is_residual() && copy.is_slow() && outer.is_slow());
        assert_eq!(copy.clink(), outermost.offset());
        assert_eq!(space.cell(LispPtr(r.sp - 2)), 8);
        assert_eq!((r.tos, r.ivar), (42, outer.basic_frame().first_argument().0));
        assert!(is_free(space, LispPtr(outer.next().0)));
        // Returning from the copy copies the outermost frame, and the arguments stay for the original.
        slow_return(&mut m, &mut r).unwrap();
        assert_eq!(outer.basic_frame().use_count(), 0);
        assert!(outer.is_frame() && outermost.is_frame());
        assert_eq!(outermost.use_count(), 0);
        // Nobody needs the original any more: all of its chain goes.
        decrement_use_count(outer).unwrap();
        assert!(is_free(space, outer.at) && is_free(space, outer.at.offset(-4)));
        assert!(is_free(space, outermost.at));
        let now = Frame::of_pvar(space, r.pvar);
        m.close_frame(&r, r.sp).unwrap();
        assert!(now.is_frame() && now.basic_frame().use_count() == 0);
        check(space, BASE, END);
    }

    #[test]
    fn return_to_a_copy_in_both_layouts() {
        return_to_a_copy::<Medley2>();
        return_to_a_copy::<Medley35>();
    }

    #[test]
    fn arguments_that_a_copy_shares_outlive_the_original() {
        let mut m = machine::<Medley2>();
        let space = m.space;
        let mut stack = Stack::new(&mut m);
        let outer = stack.call(&[], &[8]);
        let inner = stack.call(&[2, 3], &[9]);
        let mut r = stack.run(inner, 42);
        inner.make_slow();
        inner.basic_frame().set_use_count(1);
        let arguments = inner.basic_frame();
        slow_return(&mut m, &mut r).unwrap();
        assert_eq!(arguments.use_count(), 0);
        assert_eq!(space.cell(arguments.first_argument()), 2);
        assert_eq!(Frame::of_pvar(space, r.pvar).clink(), 0);
        assert!(is_free(space, outer.at), "the copy took its place");
        m.close_frame(&r, r.sp).unwrap();
        check(space, BASE, END);
    }
}
