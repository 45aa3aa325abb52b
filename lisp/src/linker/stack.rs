//! The stack of a world that has never run.
//!
//! ```text
//!   10000  unused
//!   10010  a frame for each hard context, with some space behind it
//!   11600  STACK_BASE: the frame where Lisp starts | free space |
//!   1A7FE  guard block: the end, for now; the machine adds pages for the frame before it, up to 1FFFE if need be
//!
//!   frame  | basic frame: 8000, itself | C000, 11: no caller | function | next block, pc | unused | blink, 10 |
//!          | PVARs | a cell | free block
//! ```
//!
//! A context is a function that waits in CONTEXTSWITCH for its turn and never returns.

use super::Linker;
use super::file::interface_word;
use vm::address::LispPtr;
use vm::layout::STACK;
use vm::sysout::interface;

/// Where the first context's frame is.
const FIRST: u32 = 0x10;
/// Words for each context.
const CONTEXT_WORDS: u32 = 0x2F0;
/// Where the frames of Lisp begin.
pub(super) const BASE: u32 = 0x1600;
/// Where the stack ends in a new world: the last words of a page, as the machine, which adds pages, keeps it.
const END: u32 = 0xEFFE;
/// Words of the frame at the end, which nobody returns to.
const SENTINEL_WORDS: u32 = 0x80;
/// Beyond this the stack is said to overflow.
pub(super) const GUARD_ADDRESS: u32 = 0xF000;
/// The last address the stack may have.
pub(super) const LAST: u32 = 0xFFFE;
/// A free block, a guard block.
const FREE: u32 = 0xA000 << 16;
const GUARD: u32 = 0xE000 << 16;
/// Words of a guard block.
const GUARD_WORDS: u32 = 2;
/// Words of a frame extension.
const FRAME_WORDS: u32 = 10;
/// An alink behind which there is no frame.
const NO_FRAME: u32 = 11;

/// The contexts, by their words of the interface page, and their functions.
const CONTEXTS: [(u32, &str); 7] = [
    (interface::RESET_FRAME, "%RESET-CONTEXT"),
    (interface::STACK_OVERFLOW_FRAME, "%UNUSED-CONTEXT"),
    (interface::KEYBOARD_FRAME, "%UNUSED-CONTEXT"),
    (interface::HARD_RETURN_FRAME, "%UNUSED-CONTEXT"),
    (interface::COLLECTOR_FRAME, "%UNUSED-CONTEXT"),
    (interface::FAULT_FRAME, "%UNUSED-CONTEXT"),
    (interface::MISC_FRAME, "%SYSTEM-CONTEXT"),
];

/// Where Lisp starts.
const START: &str = "%START";

impl Linker {
    /// Lays out the stack.
    pub(super) fn make_stack(&mut self) -> Result<(), String> {
        self.memory.supply(STACK, END + GUARD_WORDS);
        let mut at = FIRST;
        for (word, function) in CONTEXTS {
            self.make_frame(at, at + CONTEXT_WORDS, function)?;
            self.memory.set_word(interface_word(word), (at + 2) as u16);
            at += CONTEXT_WORDS;
        }
        assert!(at <= BASE);
        self.make_frame(BASE, END - SENTINEL_WORDS, START)?;
        // The machine lets a frame at the stack's end grow into the reserve rather than look for space elsewhere. So
        // the last frame is one that never runs, and the whole stack is used before it is full.
        self.make_frame(END - SENTINEL_WORDS, END, "%UNUSED-CONTEXT")?;
        self.memory.set_word(interface_word(interface::CURRENT_FRAME), (BASE + 2) as u16);
        self.memory.set_word(interface_word(interface::STACK_BASE), BASE as u16);
        self.memory.set_word(interface_word(interface::END_OF_STACK), END as u16);
        self.memory.set_cell(STACK.plus(END), GUARD | GUARD_WORDS);
        Ok(())
    }

    /// A frame at a stack offset, about to run a function from its first instruction, and free space up to `end`.
    fn make_frame(&mut self, offset: u32, end: u32, function: &str) -> Result<(), String> {
        let code = self.definition(function)?;
        let frame = STACK.plus(offset + 2);
        let variables = frame.plus(FRAME_WORDS);
        let pairs = self.memory.word(code.plus(2)).wrapping_add(1) as u32;
        let next = variables.plus(4 * pairs + 2);
        self.memory.set_cell(STACK.plus(offset), 0x8000_0000 | offset);
        self.memory.set_cell(frame, 0xC000_0000 | NO_FRAME);
        self.memory.set_cell(frame.plus(2), code.0);
        self.memory.set_word(frame.plus(4), next.low());
        self.memory.set_word(frame.plus(5), self.memory.word(code.plus(3)));
        self.memory.set_cell(frame.plus(8), offset << 16 | (NO_FRAME - 1));
        for i in 0..2 * pairs {
            self.memory.set_cell(variables.plus(2 * i), u32::MAX);
        }
        let size = STACK.plus(end).0 - next.0;
        self.memory.set_cell(next, FREE | size);
        debug_assert_eq!(LispPtr(next.0 & 0xFFFF_0000), STACK);
        Ok(())
    }
}
