//! Functions of a stopped machine: from a symbol to its code.

use crate::address::{AtomIndex, ByteAddr, LispPtr};
use crate::calls::Header;
use crate::layout::{Layout, type_number, types};
use crate::memory::Space;

/// What a symbol's definition cell holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Definition {
    /// Nothing.
    None,
    /// Compiled code, by its header.
    Code(LispPtr),
    /// A compiled closure: header of its code, and environment.
    Closure(LispPtr, LispPtr),
    /// Something for the interpreter.
    Interpreted(u32),
}

impl Definition {
    /// The header of the code, if there is any.
    pub fn header(self) -> Option<LispPtr> {
        match self {
            Definition::Code(header) | Definition::Closure(header, _) => Some(header),
            Definition::None | Definition::Interpreted(_) => None,
        }
    }
}

/// The definition of a symbol. The top bit of the cell marks compiled code.
pub fn definition<L: Layout>(space: Space, symbol: AtomIndex) -> Definition {
    let cell = space.cell(L::definition_cell(symbol));
    let at = LispPtr::from_cell::<L>(cell);
    if at == LispPtr::NIL {
        Definition::None
    } else if cell >> 31 != 0 {
        Definition::Code(at)
    } else if type_number::<L>(space, at.0) == types::COMPILED_CLOSURE {
        let code = LispPtr::from_cell::<L>(space.cell(at));
        Definition::Closure(code, LispPtr::from_cell::<L>(space.cell(at.plus(2))))
    } else {
        Definition::Interpreted(at.0)
    }
}

/// Where a function's instructions begin.
pub fn first_instruction(space: Space, header: LispPtr) -> ByteAddr {
    ByteAddr(Header::read(space, header).start())
}

/// Does an instruction of this function begin at `pc`?
pub fn is_instruction<L: Layout>(space: Space, header: LispPtr, pc: ByteAddr) -> bool {
    let mut at = first_instruction(space, header);
    if pc < at || pc.0 - at.0 > 0x1_0000 || end::<L>(space, header).is_some_and(|end| pc >= end) {
        return false;
    }
    while at < pc {
        at = at.plus(super::Instruction::<L>::at(space, at).length());
    }
    at == pc
}

/// What a function's header says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Signature {
    /// Arguments; negative: any number.
    pub arguments: i32,
    /// Variables of its own, in cells.
    pub variables: i32,
    /// Words of stack that it may need.
    pub stack: u32,
}

/// What a function's header says.
pub fn signature(space: Space, header: LispPtr) -> Signature {
    let header = Header::read(space, header);
    Signature { arguments: header.arguments(), variables: 2 * header.pvar_pairs(), stack: header.stack_need() }
}

/// One past the last byte of a function in array space: the trailer of its block; `None` if it is in no block.
pub fn end<L: Layout>(space: Space, header: LispPtr) -> Option<ByteAddr> {
    crate::collector::blocks::of_contents::<L>(space, header).map(|block| block.end.offset(-2).byte())
}
