//! Instructions as text.

use crate::{Answer, Monitor, Problem, Session, Verdict, arguments};
use core::fmt;
use vm::address::{AtomIndex, ByteAddr, LispPtr};
use vm::inspect::print::{Limits, Printed};
use vm::inspect::{Instruction, code, function_name};
use vm::isa::Operand;
use vm::layout::Layout;

/// Instructions shown if nothing else is said.
const FEW: u32 = 12;
/// Instructions shown before the current one.
const BEFORE: usize = 4;

/// An instruction with the names of its symbols.
struct Named<L: Layout>(Instruction<L>, vm::memory::Space);

impl<L: Layout> fmt::Display for Named<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(name) = self.0.name() else { return write!(f, "UFN {:#o}", self.0.opcode()) };
        write!(f, "{name}")?;
        for (operand, value) in self.0.operands() {
            match operand {
                Operand::Signed => write!(f, " {}", value as u8 as i8)?,
                Operand::Byte | Operand::Word => write!(f, " {value}")?,
                Operand::Atom => write!(f, " {}", vm::symbols::name::<L>(self.1, AtomIndex(value)))?,
                Operand::Pointer => {
                    let limits = Limits { depth: 1, elements: 4, characters: 40 };
                    write!(f, " {}", Printed::<L>::new(self.1, value, limits))?
                }
            }
        }
        Ok(())
    }
}

impl<L: Layout> Session<'_, L> {
    /// `FUNCTION + OFFSET  INSTRUCTION`.
    pub(crate) fn instruction_line(&mut self, function: LispPtr, pc: u32) -> fmt::Result {
        let space = self.m.space;
        let name = self.name(function_name::<L>(space, function));
        let named = Named(Instruction::<L>::at(space, ByteAddr(pc)), space);
        writeln!(self.out, "{name}+{:#o}  {named}", pc.wrapping_sub(function.byte().0))
    }

    /// Prints instructions from `at` on.
    fn list(&mut self, header: LispPtr, at: ByteAddr, instructions: u32) -> fmt::Result {
        let space = self.m.space;
        let end = code::end::<L>(space, header);
        let first = at;
        let mut at = at;
        for _ in 0..instructions {
            if end.is_some_and(|end| at >= end) || !self.world.has(at.word().page()) {
                break;
            }
            // No instruction has the number 0: that is behind the last one.
            if at != first && space.byte(at) == 0 {
                break;
            }
            let instruction = Instruction::<L>::at(space, at);
            let length = instruction.length();
            let mark = if at.0 == self.m.regs.pc { '>' } else { ' ' };
            write!(self.out, "{mark} {:5o}  ", at.0.wrapping_sub(header.byte().0))?;
            for i in 0..5 {
                if i < length {
                    write!(self.out, "{:02x} ", space.byte(at.plus(i)))?;
                } else {
                    write!(self.out, "   ")?;
                }
            }
            writeln!(self.out, " {}", Named(instruction, space))?;
            at = at.plus(length);
        }
        Ok(())
    }
}

/// The start of an instruction a few before `pc`, in code that begins at `first`.
fn a_few_before<L: Layout>(space: vm::memory::Space, first: ByteAddr, pc: ByteAddr) -> ByteAddr {
    if pc <= first || pc.0 - first.0 > 0x1_0000 {
        return pc;
    }
    let mut recent = [first; BEFORE];
    let (mut at, mut n) = (first, 0);
    while at < pc {
        recent[n % BEFORE] = at;
        n += 1;
        at = at.plus(Instruction::<L>::at(space, at).length());
    }
    // Code that does not lead to the pc is no code, or the pc is none.
    if at != pc { pc } else { recent[if n < BEFORE { 0 } else { n % BEFORE }] }
}

impl Monitor {
    /// `code [FUNCTION[+OFFSET]] [COUNT]`
    pub(crate) fn code<'t, L: Layout>(&mut self, s: &mut Session<'_, L>, words: &[&'t str]) -> Answer<'t> {
        let space = s.m.space;
        let (header, at, instructions) = match *words {
            [] | [_] if words.first().is_none_or(|word| arguments::count(word).is_ok()) => {
                let header = s.m.func;
                let first = code::first_instruction(space, header);
                let at = a_few_before::<L>(space, first, ByteAddr(s.m.regs.pc));
                (header, at, words.first().map_or(Ok(FEW), |word| arguments::count(word))?)
            }
            [place] => {
                let (header, at) = s.instruction(place)?;
                (header, ByteAddr(at), if place.contains('+') { FEW } else { u32::MAX })
            }
            [place, count] => {
                let (header, at) = s.instruction(place)?;
                (header, ByteAddr(at), arguments::count(count)?)
            }
            _ => return Err(Problem::Usage),
        };
        s.check(header)?;
        let signature = code::signature(space, header);
        write!(s.out, "{} at {header:?}: ", s.name(function_name::<L>(space, header)))?;
        match signature.arguments {
            any if any < 0 => write!(s.out, "any arguments")?,
            count => write!(s.out, "{count} argument{}", crate::plural(count as u32))?,
        }
        let (variables, need) = (signature.variables, signature.stack);
        writeln!(s.out, ", {variables} variable{}, {need} words of stack", crate::plural(variables as u32))?;
        // Without an end of its own, code goes on for ever.
        let instructions = if code::end::<L>(space, header).is_none() { instructions.min(100) } else { instructions };
        s.list(header, at, instructions)?;
        Ok(Verdict::Stay)
    }
}
