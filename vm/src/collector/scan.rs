//! Marking what the stack refers to.
//!
//! The stack segment is a chain of pieces from the interface page's `stackbase` to its `endofstack`; the top bits of
//! a piece's first word tell which it is:
//!
//! ```text
//!   0..3 or 4  arguments, then a basic frame 8000,ivar   (arguments are pointers, whose top bits are less than 4)
//!   6          frame extension, up to its next block:
//!                | 10 words | PVARs | padding | temporaries | [name table | more temporaries] |
//!   5          free block, with its length
//!   7          guard block, with its length; at the end of the stack, the end
//! ```
//!
//! Of a frame extension count its function, its name table (or, if that is on the stack itself, the function's name), its
//! PVARs and its temporaries. A cell whose top 8 bits (4 in Medley 3.5) are set is no pointer but an unbound PVAR, a
//! binding mark and so on. The slots of free variables are skipped.

use super::references::{Case, count};
use crate::address::{LispPtr, StackOffset};
use crate::calls::FRAME_WORDS;
use crate::error::MachineError;
use crate::layout::{Layout, STACK};
use crate::machine::Machine;

/// Interface page word: the first word of the stack in use.
const STACK_BASE: u32 = 30;
/// Interface page word: the end of the stack.
const END_OF_STACK: u32 = 7;
/// Words in a function or name table header.
const HEADER_WORDS: u32 = 8;
/// Words between the variables of a frame and its temporaries.
const PADDING: u32 = 4;
/// In the first word of a frame extension: words 6 and 7 are its name table.
const VALID_NAME_TABLE: u16 = 0x0200;

/// Gives everything the stack refers to a stack bit. False if the stack is damaged.
pub(super) fn mark_stack<L: Layout>(m: &mut Machine<L>) -> bool {
    let mut at = m.stack(m.ifpage_word(STACK_BASE));
    let end = m.stack(m.ifpage_word(END_OF_STACK));
    loop {
        let word = m.space.word(at);
        let next = match word >> 13 {
            7 if at >= end => return true,
            5 | 7 => at.plus(m.space.word(at.plus(1)) as u32),
            6 => mark_frame(m, at),
            _ => mark_arguments(m, at, end),
        };
        if next <= at || next.high() != STACK.high() || next.0 & 1 != 0 {
            m.fail(MachineError::BadStack { what: "the collector finds no end of this piece", at });
            return false;
        }
        at = next;
    }
}

/// Marks a basic frame's arguments; returns where it ends.
fn mark_arguments<L: Layout>(m: &mut Machine<L>, mut at: LispPtr, end: LispPtr) -> LispPtr {
    while at < end {
        let cell = m.space.cell(at);
        if cell >> 29 == 4 {
            return at.plus(2);
        }
        count(m, cell, Case::Stack);
        at = at.plus(2);
    }
    // Not a piece of stack: the caller sees that there is no progress.
    LispPtr::NIL
}

/// Marks what a frame extension refers to; returns where it ends.
fn mark_frame<L: Layout>(m: &mut Machine<L>, at: LispPtr) -> LispPtr {
    let header = L::frame_pointer(m.space.cell(at.plus(2)));
    count(m, header.0, Case::Stack);
    let locals = (m.space.word(header.plus(7)) >> 8) as u32;
    mark_cells(m, at.plus(FRAME_WORDS), at.plus(FRAME_WORDS + 2 * locals));

    let next = m.stack(m.space.word(at.plus(4)));
    let mut end = next;
    let mut rest = next;
    if m.space.word(at) & VALID_NAME_TABLE != 0 {
        let names = L::frame_pointer(m.space.cell(at.plus(6)));
        if names.high() == STACK.high() {
            let name = m.space.cell(header.plus(4)) & L::POINTER_MASK;
            count(m, name, Case::Stack);
            end = StackOffset::of(names).ptr();
            rest = names.plus(HEADER_WORDS + 2 * m.space.word(names.plus(6)) as u32);
        } else {
            count(m, names.0, Case::Stack);
        }
    }
    let pairs = m.space.word(header.plus(2)) as i16 as i32 + 1;
    let temporaries = at.plus(FRAME_WORDS + PADDING).offset(4 * pairs);
    mark_cells(m, temporaries, end);
    mark_cells(m, rest, next);
    next
}

/// Marks each cell that is a pointer.
fn mark_cells<L: Layout>(m: &mut Machine<L>, mut at: LispPtr, end: LispPtr) {
    while at < end {
        let cell = m.space.cell(at);
        if cell & !L::POINTER_MASK == 0 {
            count(m, cell, Case::Stack);
        }
        at = at.plus(2);
    }
}
