//! Looking at a machine that has stopped: where Lisp was, who called whom, what the code says.
//!
//! For panic screens, traces and the monitor. Everything here reads through [`crate::memory::Space`] and believes
//! nothing: a damaged stack ends the walk instead of the program.

use crate::address::{AtomIndex, ByteAddr, LispPtr, StackOffset};
use crate::isa::{self, Operand};
use crate::layout::{Layout, STACK};
use crate::machine::Machine;
use crate::memory::Space;
use core::fmt;

pub mod code;
pub mod print;
pub mod stack;
pub mod storage;

/// A frame of the call chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame {
    /// Where its frame extension is.
    pub at: StackOffset,
    /// The function's header.
    pub header: LispPtr,
    /// The function's name.
    pub name: AtomIndex,
    /// Bytes from the header to the next instruction (for the running frame: to the current one).
    pub pc: u32,
}

/// The call chain, innermost frame first.
#[derive(Clone, Copy, Debug)]
pub struct Frames<L: Layout> {
    space: Space,
    next: Option<Frame>,
    left: u32,
    layout: core::marker::PhantomData<L>,
}

/// Words in a frame extension.
const FRAME_WORDS: u16 = 10;

/// The name in a function's header (words 4 and 5, below the flags).
pub fn function_name<L: Layout>(space: Space, header: LispPtr) -> AtomIndex {
    AtomIndex(space.cell(header.plus(4)) & L::POINTER_MASK)
}

impl<L: Layout> Iterator for Frames<L> {
    type Item = Frame;

    fn next(&mut self) -> Option<Frame> {
        let frame = self.next?;
        self.left = self.left.checked_sub(1)?;
        // The alink is the stack offset of the caller's PVARs; its low bit says that links were spread.
        let alink = self.space.word(frame.at.ptr().plus(1)) & !1;
        self.next = alink.checked_sub(FRAME_WORDS).filter(|at| *at != 0).and_then(|at| {
            let at = StackOffset(at);
            let is_frame = self.space.word(at.ptr()) >> 13 == 6;
            is_frame.then(|| {
                let header = L::frame_pointer(self.space.cell(at.ptr().plus(2)));
                let pc = self.space.word(at.ptr().plus(5)) as u32;
                Frame { at, header, name: function_name::<L>(self.space, header), pc }
            })
        });
        Some(frame)
    }
}

impl<L: Layout> Machine<L> {
    /// Puts `regs` right as far as possible after a fault in the middle of an instruction, when Lisp's registers are only
    /// in the processor's. `candidates` are those, the likeliest first: the first that lies in the running function's
    /// code is taken for the PC, the first behind a frame of that function for the PVARs.
    pub fn recover_registers(&mut self, candidates: &[u64]) {
        let code = self.func.byte().0;
        let values = || candidates.iter().filter_map(|&value| u32::try_from(value).ok());
        if let Some(pc) = values().find(|pc| (code + 16..code + 0x1_0000).contains(pc)) {
            self.regs.pc = pc;
        }
        let is_frame = |pvar: &u32| {
            let Some(at) = pvar.checked_sub(STACK.0 + FRAME_WORDS as u32) else { return false };
            let Ok(offset) = u16::try_from(at) else { return false };
            let at = StackOffset(offset).ptr();
            offset & 1 == 0
                && self.space.word(at) >> 13 == 6
                && L::frame_pointer(self.space.cell(at.plus(2))) == self.func
        };
        if let Some(pvar) = values().find(is_frame) {
            self.regs.pvar = pvar;
        }
    }

    /// The call chain from the running function outwards, at most 1000 frames.
    pub fn frames(&self) -> Frames<L> {
        let running = Frame {
            at: StackOffset(self.regs.pvar.wrapping_sub(FRAME_WORDS as u32) as u16),
            header: self.func,
            name: function_name::<L>(self.space, self.func),
            pc: self.regs.pc.wrapping_sub(self.func.byte().0),
        };
        Frames { space: self.space, next: Some(running), left: 1000, layout: core::marker::PhantomData }
    }
}

/// One instruction, printed as name and operands.
#[derive(Clone, Copy, Debug)]
pub struct Instruction<L: Layout> {
    space: Space,
    /// Byte address of the opcode.
    pub at: ByteAddr,
    layout: core::marker::PhantomData<L>,
}

impl<L: Layout> Instruction<L> {
    /// The instruction at a byte address.
    pub fn at(space: Space, at: ByteAddr) -> Self {
        Instruction { space, at, layout: core::marker::PhantomData }
    }

    /// Its first byte.
    pub fn opcode(&self) -> u8 {
        self.space.byte(self.at)
    }

    /// Bytes with operands. An opcode without machine code takes as many as its UFN entry says.
    pub fn length(&self) -> u32 {
        match isa::opcode(self.opcode()) {
            Some(row) => row.length::<L>(),
            None => 1 + (self.space.cell(L::UFN_TABLE.plus(2 * self.opcode() as u32)) >> 8 & 0xFF),
        }
    }
}

impl<L: Layout> Instruction<L> {
    /// Its name, unless it only has a UFN.
    pub fn name(&self) -> Option<&'static str> {
        isa::opcode(self.opcode()).map(|row| row.name)
    }

    /// What follows the opcode: kinds and values.
    pub fn operands(&self) -> impl Iterator<Item = (Operand, u32)> {
        let (space, mut at) = (self.space, self.at.plus(1));
        isa::opcode(self.opcode()).map_or(&[][..], |row| row.operands).iter().map(move |&operand| {
            let length = operand.length::<L>();
            let value = (0..length).fold(0u32, |value, i| value << 8 | space.byte(at.plus(i)) as u32);
            at = at.plus(length);
            (operand, value)
        })
    }
}

impl<L: Layout> fmt::Display for Instruction<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(row) = isa::opcode(self.opcode()) else {
            return write!(f, "UFN {:#o}", self.opcode());
        };
        write!(f, "{}", row.name)?;
        for (operand, value) in self.operands() {
            match operand {
                Operand::Signed => write!(f, " {}", value as u8 as i8)?,
                Operand::Byte | Operand::Word => write!(f, " {value}")?,
                Operand::Atom => write!(f, " symbol {value:#x}")?,
                Operand::Pointer => write!(f, " {:?}", LispPtr(value))?,
            }
        }
        Ok(())
    }
}
