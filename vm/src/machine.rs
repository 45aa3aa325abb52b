//! The machine: its registers, what it knows of the image, and the world it runs in.
//!
//! ```text
//!   stack segment, words up
//!   ... | IVAR 0 IVAR 1 ... | BF | FX (10 words) | PVAR 0 ... FVAR slots | temporaries ... |  free block
//!         ^ ivar                                   ^ pvar                              ^ sp: where tos would go
//! ```
//!
//! `tos`, the top of stack, lives in a register. `push` stores it at `sp` and moves `sp` up a cell; `pop` moves `sp`
//! down and loads it.

use crate::address::{AtomIndex, ByteAddr, LispPtr, StackOffset};
use crate::dispatch::{Flow, Handler};
use crate::error::MachineError;
use crate::interrupts::Interrupts;
use crate::layout::Layout;
use crate::memory::Space;
use crate::platform::Platform;
use crate::symbols::Symbols;
use core::sync::atomic::{AtomicU32, Ordering};

/// The registers that opcodes work with. Word and byte addresses are Lisp's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Regs {
    /// Byte address of the opcode being executed.
    pub pc: u32,
    /// Word address of the cell where `tos` would be stored.
    pub sp: u32,
    /// The top of the stack, a cell.
    pub tos: u32,
    /// Word address of the frame's first PVAR, right behind its frame extension.
    pub pvar: u32,
    /// Word address of the frame's first argument.
    pub ivar: u32,
}

/// Takes the value out of a `Result<_, Flow>` or returns the flow from the opcode.
macro_rules! attempt {
    ($result:expr) => {
        match $result {
            Ok(value) => value,
            Err(flow) => return flow,
        }
    };
}
pub(crate) use attempt;

/// Why the machine stopped running.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// The steps asked for are done.
    Steps,
    /// Lisp logged out.
    Logout,
    /// Somebody asked for it ([`crate::platform::InputEvent::Stop`], [`Machine::stop_soon`]); running goes on as if
    /// nothing had been.
    Stopped,
    /// Something is wrong; `machine.regs` says where.
    Fatal(MachineError),
}

/// What an interrupt handler of the host may touch while Lisp runs: it sets both to zero to be noticed.
///
/// Calls and jumps compare the stack pointer with `limit` anyway, so asking for attention costs running code nothing.
#[derive(Debug, Default)]
pub struct Attention {
    /// Word address beyond which the running function may not push; 0 asks for attention.
    pub limit: AtomicU32,
    /// Word address of the end of the stack's free space; 0 asks for attention.
    pub end: AtomicU32,
}

impl Attention {
    /// Makes the machine look for interrupts at its next call, return or jump.
    pub fn request(&self) {
        self.end.store(0, Ordering::Relaxed);
        self.limit.store(0, Ordering::Relaxed);
    }
}

/// A Medley Interlisp computer.
pub struct Machine<L: Layout> {
    /// The native code of each opcode; see [`crate::dispatch`].
    pub(crate) dispatch: [Handler<L>; 256],
    /// The rest of the opcode being executed; see [`Machine::slow`].
    pub(crate) rest: Handler<L>,
    /// The same as a function of its own.
    #[cfg(test)]
    pub(crate) slow_path: fn(&mut Self, &mut Regs) -> Flow,
    /// The registers, whenever no opcode is being executed.
    pub regs: Regs,
    /// Header of the function that runs.
    pub func: LispPtr,
    /// End of the free stack space behind the running frame.
    pub stack_end: LispPtr,
    /// Stack limit and requests for attention.
    pub attention: Attention,
    /// Lisp's memory.
    pub space: Space,
    /// Why the run loop has to end.
    pub(crate) exit: Option<Exit>,
    /// Where the image keeps the variables that the machine shares with it.
    pub symbols: Symbols,
    /// The world outside.
    pub platform: &'static mut dyn Platform,
    /// When Lisp started.
    pub(crate) clock: crate::clock::Clock,
    /// Where the last instruction that was broken off stands; see [`Machine::run_watched`].
    pub(crate) broken_off: Option<(u32, LispPtr)>,
    /// What the machine knows of the cursor.
    pub(crate) keyboard: crate::keyboard::Keyboard,
    /// Where freed CONS cells belong, while a collection is under way.
    pub(crate) free_maps: crate::lists::FreeMaps,
    /// Missing subrs that Lisp has called.
    pub(crate) logged: crate::subrs::Logged,
    /// LOOPS' symbols, once they have been used.
    pub(crate) loops: crate::loops::Loops,
    /// What interrupts wait for.
    pub(crate) interrupts: Interrupts,
    /// What the machine wants Lisp to do.
    pub(crate) wishes: crate::saving::Wishes,
    /// Whether the scheduler's present round does anything.
    pub idleness: crate::idle::Idleness,
}

impl<L: Layout> Machine<L> {
    /// A machine over an image whose pages are (or will be, on demand) in `space`.
    pub fn new(space: Space, platform: &'static mut dyn Platform) -> Result<Self, MachineError> {
        let mut machine = Self::with_symbols(space, platform, Symbols::find::<L>(space)?);
        machine.idleness = crate::idle::Idleness::find::<L>(space);
        Ok(machine)
    }

    /// A machine that has been told where its variables are.
    pub fn with_symbols(space: Space, platform: &'static mut dyn Platform, symbols: Symbols) -> Self {
        Machine {
            dispatch: Self::STEPPING,
            rest: Self::STEPPING[0],
            #[cfg(test)]
            slow_path: crate::calls::call_ufn,
            regs: Regs::default(),
            func: LispPtr::NIL,
            stack_end: LispPtr::NIL,
            attention: Attention::default(),
            space,
            exit: None,
            symbols,
            platform,
            clock: Default::default(),
            broken_off: None,
            keyboard: Default::default(),
            free_maps: crate::lists::FreeMaps::new(),
            logged: Default::default(),
            loops: Default::default(),
            interrupts: Interrupts::default(),
            wishes: Default::default(),
            idleness: crate::idle::Idleness::default(),
        }
    }

    /// Stops the machine with an error.
    #[cold]
    pub(crate) fn fatal(&mut self, error: MachineError) -> Flow {
        self.exit = Some(Exit::Fatal(error));
        Flow::Exit
    }

    /// Stops the machine with an error from a place that cannot return a [`Flow`]: it runs on to the next call, return
    /// or taken jump.
    #[cold]
    pub(crate) fn fail(&mut self, error: MachineError) {
        if self.exit.is_none() {
            self.exit = Some(Exit::Fatal(error));
        }
        self.attention.request();
    }

    /// Pushes a cell.
    #[inline(always)]
    pub(crate) fn push(&self, r: &mut Regs, cell: u32) {
        self.space.set_cell(LispPtr(r.sp), r.tos);
        r.sp = r.sp.wrapping_add(2);
        r.tos = cell;
    }

    /// Drops the top of the stack.
    #[inline(always)]
    pub(crate) fn pop(&self, r: &mut Regs) -> u32 {
        let old = r.tos;
        r.sp = r.sp.wrapping_sub(2);
        r.tos = self.space.cell(LispPtr(r.sp));
        old
    }

    /// The cell `depth` below the top of the stack (1 is the one just below); not far.
    #[inline(always)]
    pub(crate) fn below(&self, r: &Regs, depth: u32) -> u32 {
        self.space.cell_near(LispPtr(r.sp), -2 * depth as i32)
    }

    /// Replaces the top `1 + below` cells by one.
    #[inline(always)]
    pub(crate) fn replace(&self, r: &mut Regs, below: u32, cell: u32) {
        r.sp = r.sp.wrapping_sub(2 * below);
        r.tos = cell;
    }

    /// The operand byte `at` bytes behind the opcode.
    #[inline(always)]
    pub(crate) fn operand(&self, r: &Regs, at: u32) -> u32 {
        self.space.byte(ByteAddr(r.pc.wrapping_add(at))) as u32
    }

    /// The signed operand byte right behind the opcode.
    #[inline(always)]
    pub(crate) fn operand_signed(&self, r: &Regs) -> i32 {
        self.space.byte(ByteAddr(r.pc.wrapping_add(1))) as i8 as i32
    }

    /// The operand word `at` bytes behind the opcode.
    #[inline(always)]
    pub(crate) fn operand_word(&self, r: &Regs, at: u32) -> u32 {
        self.operand(r, at) << 8 | self.operand(r, at + 1)
    }

    /// The symbol or pointer operand `at` bytes behind the opcode.
    #[inline(always)]
    pub(crate) fn operand_pointer(&self, r: &Regs, at: u32) -> u32 {
        self.space.code_bytes(ByteAddr(r.pc.wrapping_add(at))) >> (32 - 8 * L::ATOM_BYTES)
    }

    /// The symbol operand `at` bytes behind the opcode.
    #[inline(always)]
    pub(crate) fn operand_atom(&self, r: &Regs, at: u32) -> AtomIndex {
        AtomIndex(self.operand_pointer(r, at))
    }

    /// A word of the interface page.
    pub(crate) fn ifpage_word(&self, word: u32) -> u16 {
        self.space.word(L::IFPAGE.plus(word))
    }

    /// Stores a word of the interface page.
    pub(crate) fn set_ifpage_word(&self, word: u32, value: u16) {
        self.space.set_word(L::IFPAGE.plus(word), value)
    }

    /// The stack address of an offset that a frame holds.
    #[inline(always)]
    pub(crate) fn stack(&self, offset: u16) -> LispPtr {
        StackOffset(offset).ptr()
    }
}
