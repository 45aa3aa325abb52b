//! Frames and blocks of the stack segment: their format, links, use counts and free space.
//!
//! The stack segment from `stackbase` to `endofstack` is a row of blocks; each says in the top three bits of its first
//! word what it is.
//!
//! ```text
//!   free block       A000 | size in words (itself included)                     flag 5
//!   guard block      E000 | size: the end of the stack, or space being taken    flag 7
//!   arguments        cells with flag 0 ..., then
//!   basic frame      flag 4 | residual 0200 | padding 0100 | use count  | stack offset of the first argument
//!   frame extension  flag 6 | nopush 0100 | names 0200 | incall 0400 | use count
//!     word  0 flags      1 alink + 10, low bit set: "slow", 8 and 9 are valid
//!           2-3 function header         4 stack offset of the next block     5 pc, bytes from the header
//!           6-7 name table if "names"   8 blink: the basic frame             9 clink + 10
//!           10 first PVAR ...
//! ```
//!
//! alink is where free variables are looked up and returns go, clink the caller; while a frame is fast both are the
//! same and its basic frame stands right before it. Anything unusual makes a frame slow. A basic frame before a
//! frame extension is *residual* if the arguments are elsewhere: the frame was moved or copied, and the word pair only
//! repeats where they are. Use counts count one less than the references to a frame, or to a basic frame.

use crate::address::{LispPtr, StackOffset};
use crate::calls::FRAME_WORDS;
use crate::error::MachineError;
use crate::layout::{Layout, STACK};
use crate::memory::Space;

#[cfg(test)]
pub(crate) mod by_hand;

/// What a block of the stack is, from the top three bits of its first word.
pub(crate) mod flag {
    /// An argument.
    pub const NONE: u16 = 0;
    /// A basic frame.
    pub const BASIC_FRAME: u16 = 4;
    /// A free block.
    pub const FREE: u16 = 5;
    /// A frame extension.
    pub const FRAME: u16 = 6;
    /// A guard block.
    pub const GUARD: u16 = 7;
}

/// First word of a free block.
const FREE_WORD: u16 = 0xA000;
/// First word of a guard block.
const GUARD_WORD: u16 = 0xE000;

/// Frame flags: returning here pops what was pushed when the frame was interrupted instead of pushing a value.
const NO_PUSH: u16 = 0x0100;
/// Frame flags: the frame has a name table of its own.
const HAS_NAMES: u16 = 0x0200;
/// Frame flags: interrupted within a call, which never happens in this machine.
const IN_CALL: u16 = 0x0400;
/// Basic frame flags: the arguments are elsewhere.
const RESIDUAL: u16 = 0x0200;
/// The low byte of a frame's and a basic frame's flags.
const USE_COUNT: u16 = 0x00FF;
/// No frame may be used more often than this.
const MAX_USE_COUNT: u16 = 200;

/// Links end at stack offset 0, where no frame is.
fn is_frame_offset(offset: u16) -> bool {
    offset != 0
}

/// A frame extension.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    space: Space,
    /// Its first word.
    pub(crate) at: LispPtr,
}

impl Frame {
    /// The frame extension at an address.
    pub(crate) fn at(space: Space, at: LispPtr) -> Frame {
        Frame { space, at }
    }
    /// The frame extension at a stack offset.
    pub(crate) fn at_offset(space: Space, offset: u16) -> Frame {
        Frame { space, at: StackOffset(offset).ptr() }
    }
    /// The frame extension whose first PVAR is at a word address.
    pub(crate) fn of_pvar(space: Space, pvar: u32) -> Frame {
        Frame { space, at: LispPtr(pvar.wrapping_sub(FRAME_WORDS)) }
    }
    /// Its stack offset.
    pub(crate) fn offset(self) -> u16 {
        self.at.low()
    }
    /// Its first PVAR.
    pub(crate) fn first_pvar(self) -> LispPtr {
        self.at.plus(FRAME_WORDS)
    }
    fn word(self, at: u32) -> u16 {
        self.space.word(self.at.plus(at))
    }
    fn set_word(self, at: u32, value: u16) {
        self.space.set_word(self.at.plus(at), value)
    }
    /// Whether there is a frame extension here at all.
    pub(crate) fn is_frame(self) -> bool {
        is_frame_offset(self.offset()) && block_flag(self.space, self.at) == flag::FRAME
    }

    fn flag(self, bit: u16) -> bool {
        self.word(0) & bit != 0
    }
    fn set_flag(self, bit: u16, on: bool) {
        let others = self.word(0) & !bit;
        self.set_word(0, if on { others | bit } else { others });
    }
    /// Whether returning here restores the top of stack instead of pushing a value.
    pub(crate) fn no_push(self) -> bool {
        self.flag(NO_PUSH)
    }
    pub(crate) fn set_no_push(self, on: bool) {
        self.set_flag(NO_PUSH, on)
    }
    /// Whether it was interrupted within a call.
    pub(crate) fn in_call(self) -> bool {
        self.flag(IN_CALL)
    }
    /// References to this frame but one.
    pub(crate) fn use_count(self) -> u16 {
        self.word(0) & USE_COUNT
    }
    pub(crate) fn set_use_count(self, count: u16) {
        self.set_word(0, self.word(0) & !USE_COUNT | count & USE_COUNT)
    }

    /// The alink word as it is.
    pub(crate) fn raw_alink(self) -> u16 {
        self.word(1)
    }
    /// Whether blink and clink are valid.
    pub(crate) fn is_slow(self) -> bool {
        self.raw_alink() & 1 != 0
    }
    /// Where free variables go on: stack offset of the frame extension.
    pub(crate) fn alink(self) -> u16 {
        (self.raw_alink() & !1).wrapping_sub(FRAME_WORDS as u16)
    }
    /// The frame at the alink.
    pub(crate) fn access_parent(self) -> Frame {
        Frame::at_offset(self.space, self.alink())
    }
    /// The frame at the clink.
    pub(crate) fn caller(self) -> Frame {
        Frame::at_offset(self.space, self.clink())
    }
    /// The caller: stack offset of the frame extension.
    pub(crate) fn clink(self) -> u16 {
        let raw = if self.is_slow() { self.word(9) } else { self.raw_alink() };
        raw.wrapping_sub(FRAME_WORDS as u16)
    }
    /// The basic frame that stands before this frame, real or residual.
    pub(crate) fn neighbour(self) -> BasicFrame {
        BasicFrame { space: self.space, at: self.at.offset(-2) }
    }
    /// The basic frame with this frame's arguments.
    pub(crate) fn basic_frame(self) -> BasicFrame {
        if self.is_slow() {
            BasicFrame { space: self.space, at: StackOffset(self.word(8)).ptr() }
        } else {
            self.neighbour()
        }
    }
    /// Makes blink and clink explicit.
    pub(crate) fn make_slow(self) {
        if !self.is_slow() {
            self.set_word(8, self.neighbour().offset());
            self.set_word(9, self.raw_alink());
            self.set_word(1, self.raw_alink() | 1);
        }
    }
    /// Another place for free variables to go on.
    pub(crate) fn set_alink(self, frame: u16) {
        self.make_slow();
        self.set_word(1, frame.wrapping_add(FRAME_WORDS as u16) | 1);
    }
    /// Another basic frame.
    pub(crate) fn set_basic_frame(self, basic_frame: BasicFrame) {
        self.make_slow();
        self.set_word(8, basic_frame.offset());
    }
    /// Another caller, which is also where free variables go on.
    pub(crate) fn set_both_links(self, frame: u16) {
        self.make_slow();
        let raw = frame.wrapping_add(FRAME_WORDS as u16);
        self.set_word(9, raw);
        self.set_word(1, raw | 1);
    }

    /// The function that runs in it.
    pub(crate) fn header<L: Layout>(self) -> LispPtr {
        L::frame_pointer(self.space.cell(self.at.plus(2)))
    }
    pub(crate) fn set_header<L: Layout>(self, header: LispPtr) {
        self.space.set_cell(self.at.plus(2), L::frame_cell(header))
    }
    /// Stack offset of the block behind it.
    pub(crate) fn next_block(self) -> u16 {
        self.word(4)
    }
    pub(crate) fn set_next_block(self, offset: u16) {
        self.set_word(4, offset)
    }
    /// The block behind it.
    pub(crate) fn next(self) -> LispPtr {
        StackOffset(self.next_block()).ptr()
    }
    /// Bytes from the header to the instruction to go on with.
    pub(crate) fn pc(self) -> u16 {
        self.word(5)
    }
    pub(crate) fn set_pc(self, pc: u16) {
        self.set_word(5, pc)
    }
    /// The header whose name table names the variables of this frame.
    pub(crate) fn name_table<L: Layout>(self) -> LispPtr {
        if self.flag(HAS_NAMES) { self.own_names::<L>() } else { self.header::<L>() }
    }
    /// Rare, and out of line so that looking for it can be predicted: searches go from frame to frame.
    #[cold]
    #[inline(never)]
    fn own_names<L: Layout>(self) -> LispPtr {
        L::frame_pointer(self.space.cell(self.at.plus(6)))
    }
    /// Whether its name table is within the frame itself.
    pub(crate) fn has_names_on_stack<L: Layout>(self) -> bool {
        self.flag(HAS_NAMES) && self.name_table::<L>().high() == STACK.high()
    }
    /// The frame has moved by so many words, and the name table in it too.
    pub(crate) fn shift_names<L: Layout>(self, words: i32) {
        let at = self.at.plus(6);
        let cell = self.space.cell(at);
        let names = L::frame_pointer(cell);
        let moved = LispPtr(names.0 & !0xFFFF | names.offset(words).0 & 0xFFFF);
        let flags = cell ^ L::frame_cell(names);
        self.space.set_cell(at, L::frame_cell(moved) | flags);
    }
    /// Words from its first to the block behind it.
    pub(crate) fn size(self) -> u32 {
        self.next_block().wrapping_sub(self.offset()) as u32
    }
}

/// A basic frame: the end of the arguments.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BasicFrame {
    space: Space,
    /// Its first word; the arguments are below.
    pub(crate) at: LispPtr,
}

impl BasicFrame {
    /// The basic frame at an address.
    pub(crate) fn at(space: Space, at: LispPtr) -> BasicFrame {
        BasicFrame { space, at }
    }
    /// Its stack offset.
    pub(crate) fn offset(self) -> u16 {
        self.at.low()
    }
    /// Whether the arguments are elsewhere.
    pub(crate) fn is_residual(self) -> bool {
        self.space.word(self.at) & RESIDUAL != 0
    }
    pub(crate) fn set_residual(self) {
        self.space.set_word(self.at, self.space.word(self.at) | RESIDUAL)
    }
    /// Frames with these arguments but one.
    pub(crate) fn use_count(self) -> u16 {
        self.space.word(self.at) & USE_COUNT
    }
    pub(crate) fn set_use_count(self, count: u16) {
        self.space.set_word(self.at, self.space.word(self.at) & !USE_COUNT | count & USE_COUNT)
    }
    /// The first argument.
    pub(crate) fn first_argument(self) -> LispPtr {
        StackOffset(self.space.word(self.at.plus(1))).ptr()
    }
    /// Words from the first argument to the end of the basic frame.
    pub(crate) fn size(self) -> u32 {
        self.at.0.wrapping_sub(self.first_argument().0).wrapping_add(2)
    }
    /// One frame less needs these arguments: counts down, or frees them with the last.
    pub(crate) fn release(self) -> Result<(), MachineError> {
        match self.use_count() {
            0 => make_free(self.space, self.first_argument(), self.size()),
            count => {
                self.set_use_count(count - 1);
                Ok(())
            }
        }
    }
}

/// What the block at an address is.
pub(crate) fn block_flag(space: Space, at: LispPtr) -> u16 {
    space.word(at) >> 13
}

/// Whether a free block is here.
pub(crate) fn is_free(space: Space, at: LispPtr) -> bool {
    space.word(at) == FREE_WORD
}

/// Words of a free or guard block.
pub(crate) fn block_size(space: Space, at: LispPtr) -> Result<u32, MachineError> {
    match space.word(at.plus(1)) {
        0 => Err(MachineError::BadStack { what: "a free block of no words", at }),
        size => Ok(size as u32),
    }
}

fn make_block(space: Space, at: LispPtr, size: u32, word: u16) -> Result<(), MachineError> {
    if size == 0 || size & 1 != 0 || size > 0xFFFF {
        return Err(MachineError::BadStack { what: "a block of odd size or none", at });
    }
    space.set_cell(at, (word as u32) << 16 | size);
    Ok(())
}

/// Makes `size` words free.
pub(crate) fn make_free(space: Space, at: LispPtr, size: u32) -> Result<(), MachineError> {
    make_block(space, at, size, FREE_WORD)
}

/// Makes a guard block of `size` words.
pub(crate) fn make_guard(space: Space, at: LispPtr, size: u32) -> Result<(), MachineError> {
    make_block(space, at, size, GUARD_WORD)
}

/// The end of the free blocks that follow each other from `at` on, which must be free.
pub(crate) fn end_of_free(space: Space, at: LispPtr) -> Result<LispPtr, MachineError> {
    if !is_free(space, at) {
        return Err(MachineError::BadStack { what: "no free space behind a frame", at });
    }
    let mut end = at;
    while is_free(space, end) && end.high() == STACK.high() {
        end = end.plus(block_size(space, end)?);
    }
    Ok(end)
}

/// The basic frame that ends the arguments which begin at `at`.
pub(crate) fn basic_frame_from(space: Space, at: LispPtr) -> Result<BasicFrame, MachineError> {
    let mut end = at;
    while block_flag(space, end) != flag::BASIC_FRAME {
        end = end.plus(2);
        if end.high() != STACK.high() {
            return Err(MachineError::BadStack { what: "arguments without a basic frame", at });
        }
    }
    Ok(BasicFrame::at(space, end))
}

/// One more reference to a frame. The frame that follows it must look before it returns here.
pub(crate) fn increment_use_count(frame: Frame) -> Result<(), MachineError> {
    if !is_frame_offset(frame.offset()) {
        return Ok(());
    }
    let count = frame.use_count() + 1;
    frame.set_use_count(count);
    if count > MAX_USE_COUNT {
        return Err(MachineError::BadStack { what: "a frame with too many references", at: frame.at });
    }
    let space = frame.space;
    let basic_frame = match block_flag(space, frame.next()) {
        flag::NONE | flag::BASIC_FRAME => basic_frame_from(space, frame.next())?,
        _ => return Ok(()),
    };
    let follower = Frame::at(space, basic_frame.at.plus(2));
    if follower.is_frame() {
        follower.make_slow();
    }
    Ok(())
}

/// Access links differ from callers a few times in a chain at most; so often means that the links are damaged.
const MOST_ACCESS_LINKS: u32 = 100;

/// One reference less to a frame; the last one frees it, its arguments, and counts down its callers.
pub(crate) fn decrement_use_count(frame: Frame) -> Result<(), MachineError> {
    count_down(frame, MOST_ACCESS_LINKS)
}

fn count_down(mut frame: Frame, access_links: u32) -> Result<(), MachineError> {
    while is_frame_offset(frame.offset()) {
        // What has been freed is no frame any more, so links in a circle end here.
        if !frame.is_frame() {
            return Err(MachineError::BadStack { what: "a link to what is no frame", at: frame.at });
        }
        let count = frame.use_count();
        if count != 0 {
            frame.set_use_count(count - 1);
            return Ok(());
        }
        let space = frame.space;
        let (alink, clink, basic_frame) = (frame.alink(), frame.clink(), frame.basic_frame());
        if frame.neighbour().is_residual() {
            make_free(space, frame.neighbour().at, frame.size() + 2)?;
        } else {
            make_free(space, frame.at, frame.size())?;
        }
        basic_frame.release()?;
        if alink != clink {
            let Some(access_links) = access_links.checked_sub(1) else {
                return Err(MachineError::BadStack { what: "access links without an end", at: frame.at });
            };
            count_down(Frame::at_offset(space, alink), access_links)?;
        }
        frame = Frame::at_offset(space, clink);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::by_hand::{BASE, END, HEADER, Stack, check};
    use super::*;
    use crate::layout::{Medley2, Medley35};
    use crate::testing::machine;

    fn links<L: Layout>() {
        let mut m = machine::<L>();
        let space = m.space;
        let mut stack = Stack::new(&mut m);
        let outer = stack.call(&[1, 2], &[3]);
        let inner = stack.call(&[4], &[]);
        assert_eq!((inner.alink(), inner.clink()), (outer.offset(), outer.offset()));
        assert_eq!(inner.basic_frame().at, inner.at.offset(-2));
        assert_eq!(inner.basic_frame().size(), 4);
        assert_eq!((inner.header::<L>(), inner.name_table::<L>()), (HEADER, HEADER));
        inner.make_slow();
        assert_eq!((inner.alink(), inner.clink()), (outer.offset(), outer.offset()));
        assert_eq!(inner.basic_frame().at, inner.at.offset(-2));
        assert!(inner.is_slow());
        assert_eq!(outer.alink(), 0);
        assert!(!Frame::at_offset(space, outer.alink()).is_frame());
        outer.set_use_count(7);
        outer.set_no_push(true);
        assert_eq!((outer.use_count(), outer.no_push(), outer.in_call()), (7, true, false));
        outer.set_no_push(false);
        assert_eq!(space.word(outer.at), 0xC007);
    }

    #[test]
    fn links_in_both_layouts() {
        links::<Medley2>();
        links::<Medley35>();
    }

    #[test]
    fn a_reference_makes_the_next_frame_slow() {
        let mut m = machine::<Medley2>();
        let mut stack = Stack::new(&mut m);
        let outer = stack.call(&[1, 2], &[3]);
        let inner = stack.call(&[4], &[]);
        increment_use_count(outer).unwrap();
        assert_eq!(outer.use_count(), 1);
        assert!(inner.is_slow());
        decrement_use_count(outer).unwrap();
        assert_eq!(outer.use_count(), 0);
    }

    #[test]
    fn the_last_reference_frees_the_chain() {
        let mut m = machine::<Medley35>();
        let space = m.space;
        let mut stack = Stack::new(&mut m);
        let outer = stack.call(&[1, 2], &[3]);
        let middle = stack.call(&[4], &[]);
        let inner = stack.call(&[], &[5]);
        stack.other_process();
        let other = stack.call(&[], &[]);
        outer.set_use_count(1);
        stack.run(other, 0);
        decrement_use_count(inner).unwrap();
        assert!(is_free(space, inner.at) && is_free(space, middle.at));
        assert!(is_free(space, inner.at.offset(-2)) && is_free(space, middle.at.offset(-4)));
        assert_eq!((outer.is_frame(), outer.use_count()), (true, 0));
        check(space, BASE, END);
    }

    #[test]
    fn names_on_the_stack_move_along() {
        fn moved<L: Layout>() {
            let mut m = machine::<L>();
            let space = m.space;
            let mut stack = Stack::new(&mut m);
            let frame = stack.call(&[], &[0; 8]);
            assert!(!frame.has_names_on_stack::<L>());
            frame.set_flag(HAS_NAMES, true);
            let names = frame.first_pvar().plus(8);
            space.set_cell(frame.at.plus(6), L::frame_cell(names));
            assert!(frame.has_names_on_stack::<L>());
            frame.shift_names::<L>(-0x100);
            assert_eq!(frame.name_table::<L>(), names.offset(-0x100));
        }
        moved::<Medley2>();
        moved::<Medley35>();
    }
}
