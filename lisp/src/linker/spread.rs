//! The one function that no compiler can make: it pushes as many arguments as a list has.
//!
//! ```text
//!   (%spread function list)     0  count := 0
//!                               again: unless list is a cons, to end
//!                               push (car list); list := (cdr list); count := count + 1; to again
//!                               end: push count, push function, APPLYFN, return
//! ```
//!
//! The stack grows with each turn; taken jumps look whether there is room.

use crate::code::Code;
use crate::host::value::{Symbols, Value};
use vm::isa::OPCODES;

/// Its instructions: opcodes by name, operands as bytes. The list is the argument whose offset is 2 words; "again" is at
/// byte 3 and "end" at byte 21.
const INSTRUCTIONS: [(&str, &[u8]); 22] = [
    ("ZERO", &[]),
    ("PVAR_0", &[]),
    ("POP", &[]),
    ("IVAR1", &[]),
    ("LISTP", &[]),
    ("FJUMPX", &[21 - 5]),
    ("IVAR1", &[]),
    ("CAR", &[]),
    ("IVAR1", &[]),
    ("CDR", &[]),
    ("IVARX_", &[2]),
    ("POP", &[]),
    ("PVAR0", &[]),
    ("ONE", &[]),
    ("IPLUS2", &[]),
    ("PVAR_0", &[]),
    ("POP", &[]),
    ("JUMPX", &[(3i8 - 19) as u8]),
    ("PVAR0", &[]),
    ("IVAR0", &[]),
    ("APPLYFN", &[]),
    ("RETURN", &[]),
];

/// The function, under the name that the world knows it by.
pub(super) fn spread() -> Code {
    let mut bytes = Vec::new();
    for (opcode, operands) in INSTRUCTIONS {
        let row = OPCODES.iter().find(|row| row.name == opcode).expect("an opcode of the table");
        bytes.push(row.number);
        bytes.extend(operands);
    }
    Code {
        name: Symbols::default().intern("%SPREAD"),
        arguments: Some(2),
        locals: 1,
        stack: 16,
        names: Vec::new(),
        bytes,
        fixups: Vec::new(),
        debug: Value::Nil,
    }
}
