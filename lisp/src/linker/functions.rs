//! Compiled functions in memory.
//!
//! ```text
//!   array block header: password 13, kind 2 (code), in use 1 | cells of the block
//!   0 stack need | 1 arguments, -1 any | 2 PVAR pairs - 1 | 3 start of code, bytes from 0
//!   4-5 name     | 6 words of the names, which are half of the name table | 7 locals 8, word offset of FVAR names 8
//!   name table: cells with symbols, one more of zeros, made even; as many cells that say where each one is
//!   code, a zero byte, padding
//!   array block trailer, like the header
//! ```
//!
//! A function that is compiled in the world is laid out in the same way (world/machine/code.lisp), so that both are equal
//! byte for byte. The format is Medley's; see `vm`'s `calls` and `free_variables`.

use super::Linker;
use crate::code::{Code, NameKind, Target};
use crate::host::value::Value;
use vm::address::{AtomIndex, LispPtr};
use vm::layout::{Layout, Medley35};

/// Words of a function header.
const HEADER: u32 = 8;
/// An array block's header and trailer: password, kind "code", in use.
const CODE_BLOCK: u32 = 0xAAA8 | 2 << 1 | 1;
/// In a definition cell: what the pointer leads to is compiled code.
const COMPILED: u32 = 0x8000_0000;
/// What an entry of a name table says besides the slot.
const LOCAL: u32 = 0x8000_0000;
const FREE: u32 = 0xC000_0000;
/// Words of stack that a call needs besides arguments, variables and temporaries: frame, basic frame, and a margin for
/// what instructions push.
const FRAME_NEED: u32 = 48;

/// What goes into the first eight words of a function and its name table.
pub(super) fn stack_need(arguments: u32, pairs: u32, temporaries: u32) -> u32 {
    2 * arguments + 4 * pairs + 2 * temporaries + FRAME_NEED
}

/// Whether the operand at an offset is the function of a call: FN0 to FN4, or FNX, which has a count in between.
fn is_call(bytes: &[u8], offset: usize) -> bool {
    let before = |back: usize| offset.checked_sub(back).and_then(|at| bytes.get(at));
    matches!(before(1), Some(0o010..=0o014)) || before(2) == Some(&0o015)
}

impl Linker {
    /// Lays out a function; its header.
    pub fn function(&mut self, code: &Code) -> Result<LispPtr, String> {
        let free = code.names.iter().filter(|name| name.kind == NameKind::Free).count() as u32;
        let named = code.names.len() as u32 - free;
        // A name table has an even number of cells, for quadwords, and ends with a zero.
        let table_words = if code.names.is_empty() { 0 } else { 2 * (code.names.len() as u32 + 1).next_multiple_of(2) };
        let start = 2 * (HEADER + 2 * table_words);
        let length = start + code.bytes.len() as u32 + 1;
        if length > 0xFFFF || code.locals > 0xFF || HEADER + 2 * named > 0xFF {
            return Err(format!("the function {:?} is too large", code.name));
        }
        let words = length.div_ceil(2).next_multiple_of(4);
        let block = self.places.block(&mut self.memory, 2 + words + 2 + 2);
        // The header of the block is in the second cell of a quadword, so that the function begins a quadword.
        let at = block.plus(4);
        let cells = words / 2 + 2;
        self.memory.set_cell(at.offset(-2), CODE_BLOCK << 16 | cells);
        self.memory.set_cell(at.plus(words), CODE_BLOCK << 16 | cells);

        let name = self.constant(code.name)?;
        let pairs = (code.locals + free).div_ceil(2);
        let need = stack_need(code.arguments.unwrap_or(0), pairs, code.stack);
        self.memory.set_word(at, need as u16);
        self.memory.set_word(at.plus(1), code.arguments.map_or(0xFFFF, |count| count as u16));
        self.memory.set_word(at.plus(2), (pairs as u16).wrapping_sub(1));
        self.memory.set_word(at.plus(3), start as u16);
        self.memory.set_cell(at.plus(4), name);
        self.memory.set_word(at.plus(6), table_words as u16);
        let names_at = if free == 0 { 0 } else { HEADER + 2 * named };
        self.memory.set_word(at.plus(7), (code.locals << 8 | names_at) as u16);
        for (i, name) in code.names.iter().enumerate() {
            let symbol = self.constant(name.symbol)?;
            let kind = match name.kind {
                NameKind::Argument => 0,
                NameKind::Local => LOCAL,
                NameKind::Free => FREE,
            };
            let entry = at.plus(HEADER + 2 * i as u32);
            self.memory.set_cell(entry, symbol);
            self.memory.set_cell(entry.plus(table_words), kind | name.slot);
        }
        for (i, byte) in code.bytes.iter().enumerate() {
            self.memory.set_byte(at, start + i as u32, *byte);
        }
        for fixup in &code.fixups {
            if let Target::Symbol(Value::Symbol(callee)) = &fixup.target
                && is_call(&code.bytes, fixup.offset as usize)
            {
                self.calls.entry(callee.name.clone()).or_insert(name);
            }
            let cell = match &fixup.target {
                Target::Symbol(value @ (Value::Symbol(_) | Value::Nil)) | Target::Constant(value) => {
                    self.constant(*value)?
                }
                Target::Symbol(other) => return Err(format!("{other:?} is no symbol, in {:?}", code.name)),
                Target::Code(inner) => self.function(inner)?.0,
                Target::Function(inner) => {
                    let inner = self.function(inner)?;
                    self.closure(inner)
                }
            };
            for (i, byte) in cell.to_be_bytes().into_iter().enumerate() {
                self.memory.set_byte(at, start + fixup.offset + i as u32, byte);
            }
        }
        Ok(at)
    }

    /// Lays out a function and makes it the definition of its name.
    pub fn define(&mut self, code: &Code) -> Result<LispPtr, String> {
        let at = self.function(code)?;
        let name = self.constant(code.name)?;
        self.set_definition(name, COMPILED | at.0);
        Ok(at)
    }

    /// What a symbol's definition cell holds.
    pub(super) fn set_definition(&mut self, symbol: u32, cell: u32) {
        self.memory.set_cell(Medley35::definition_cell(AtomIndex(symbol)), cell);
    }

    /// Functions that are called and that nobody has defined, each with one that calls it.
    pub fn undefined(&mut self) -> Vec<(String, String)> {
        let calls = std::mem::take(&mut self.calls);
        let undefined = calls.into_iter().filter(|(callee, _)| self.definition(callee).is_err());
        undefined.collect::<Vec<_>>().into_iter().map(|(callee, caller)| (callee, self.name_of(caller))).collect()
    }

    fn name_of(&self, symbol: u32) -> String {
        let found = self.symbols.iter().find(|it| it.number == symbol);
        found.map_or_else(|| "?".to_string(), |it| it.name.clone())
    }

    /// The code that is the definition of a symbol.
    pub(super) fn definition(&mut self, name: &str) -> Result<LispPtr, String> {
        let symbol = self.symbol(name);
        match self.memory.cell(Medley35::definition_cell(AtomIndex(symbol))) {
            cell if cell & COMPILED != 0 => Ok(LispPtr::from_cell::<Medley35>(cell)),
            _ => Err(format!("the world has no function {name}")),
        }
    }
}
