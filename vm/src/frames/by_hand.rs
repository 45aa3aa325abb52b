//! Stacks made by hand, for tests of everything that handles frames.

use super::*;
use crate::machine::{Machine, Regs};
use core::sync::atomic::Ordering;

/// A function header: needs 40 words, any number of arguments, two pairs of PVARs, code at byte 64.
pub(crate) const HEADER: LispPtr = LispPtr(0x20_0000);
/// Where the stack by hand begins and ends.
pub(crate) const BASE: u32 = 0x1_2000;
pub(crate) const END: u32 = 0x1_5000;

/// Frames one behind the other.
pub(crate) struct Stack<'a, L: Layout> {
    pub(crate) m: &'a mut Machine<L>,
    at: u32,
    end: u32,
    top: Option<Frame>,
}

impl<'a, L: Layout> Stack<'a, L> {
    pub(crate) fn new(m: &'a mut Machine<L>) -> Self {
        Self::new_until(m, END)
    }

    /// With the guard block at `end`.
    pub(crate) fn new_until(m: &'a mut Machine<L>, end: u32) -> Self {
        header(m.space, HEADER);
        m.set_ifpage_word(30, BASE as u16);
        m.set_ifpage_word(7, end as u16);
        m.space.set_cell(m.symbols.guard_stack_addr, 0xE_F000);
        m.space.set_cell(m.symbols.last_stack_addr, 0xE_FFFE);
        m.space.set_cell(m.symbols.interrupt_state, 0x30_0000);
        make_guard(m.space, LispPtr(end), 2).unwrap();
        Stack { m, at: BASE, end, top: None }
    }

    /// Another fast frame, called by the one before.
    pub(crate) fn call(&mut self, arguments: &[u32], temporaries: &[u32]) -> Frame {
        let space = self.m.space;
        let first = self.at;
        if let Some(caller) = self.top {
            caller.set_next_block(first as u16);
        }
        for &argument in arguments {
            space.set_cell(LispPtr(self.at), argument);
            self.at += 2;
        }
        space.set_cell(LispPtr(self.at), 0x8000_0000 | first & 0xFFFF);
        let frame = Frame::at(space, LispPtr(self.at + 2));
        let alink = self.top.map_or(10, |caller| caller.first_pvar().low() as u32);
        space.set_cell(frame.at, 0xC000_0000 | alink);
        if self.top.is_none() {
            frame.make_slow();
        }
        frame.set_header::<L>(HEADER);
        frame.set_pc(70);
        space.fill_cells(frame.first_pvar(), 4, 0xFFFF_FFFF);
        self.at = frame.first_pvar().0 + 8;
        for &cell in temporaries {
            space.set_cell(LispPtr(self.at), cell);
            self.at += 2;
        }
        frame.set_next_block(self.at as u16);
        self.top = Some(frame);
        frame
    }

    /// Free words.
    pub(crate) fn free(&mut self, words: u32) {
        make_free(self.m.space, LispPtr(self.at), words).unwrap();
        self.at += words;
    }

    /// Frames from here on belong to another process: the first has no caller.
    pub(crate) fn other_process(&mut self) {
        self.top = None;
    }

    /// The rest is free; `frame` runs, with `tos` on top of what it has.
    pub(crate) fn run(self, frame: Frame, tos: u32) -> Regs {
        if self.at < self.end {
            make_free(self.m.space, LispPtr(self.at), self.end - self.at).unwrap();
        }
        let mut r = Regs { pvar: frame.first_pvar().0, sp: frame.next().0, tos, ..Regs::default() };
        self.m.resume_frame(&mut r);
        self.m.stack_end = end_of_free(self.m.space, frame.next()).unwrap();
        self.m.attention.end.store(self.m.stack_end.0, Ordering::Relaxed);
        r
    }
}

/// Writes a function header as [`HEADER`] describes it.
pub(crate) fn header(space: Space, at: LispPtr) {
    space.set_cell(at, 40 << 16 | 0xFFFF);
    space.set_cell(at.plus(2), 1 << 16 | 64);
    space.set_cell(at.plus(4), 500);
    space.set_cell(at.plus(6), 0);
}

/// Walks the blocks from base to end; panics if they do not follow each other.
pub(crate) fn check(space: Space, base: u32, end: u32) {
    let mut at = LispPtr(base);
    while at.0 < end {
        let before = at;
        match block_flag(space, at) {
            flag::FREE | flag::GUARD => at = at.plus(block_size(space, at).unwrap()),
            flag::FRAME => at = Frame::at(space, at).next(),
            _ => {
                let basic_frame = basic_frame_from(space, at).unwrap();
                if basic_frame.is_residual() {
                    assert_eq!(basic_frame.at, before, "no arguments before a residual basic frame");
                } else {
                    assert_eq!(basic_frame.first_argument(), before, "a basic frame names its arguments");
                }
                at = basic_frame.at.plus(2);
                assert!(matches!(block_flag(space, at), flag::FRAME | flag::FREE), "a frame behind its arguments");
            }
        }
        assert!(at > before, "blocks go up: {before:?} to {at:?}");
    }
    assert_eq!(at.0, end, "the last block ends at the end");
    assert_eq!(block_flag(space, at), flag::GUARD);
}
