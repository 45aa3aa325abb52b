//! What the compiler hands to the linker.
//!
//! The compiler is Lisp and makes lists (see world/compiler); this is the same in Rust.
//!
//! ```text
//!   (:name SYM :args N :locals CELLS :stack CELLS :start BYTE :names ((KIND SLOT SYM)...) :bytes (b...)
//!    :fixups ((OFFSET KIND OBJECT)...) :debug (...))
//! ```

use crate::calls::{Call, Definition};
use crate::host::value::Value;

/// A compiled function before it has an address.
#[derive(Clone, Debug)]
pub struct Code {
    /// Its name, a symbol. Functions within others are called OUTER/INNER.
    pub name: Value,
    /// Arguments that a call is fitted to; `None` if it takes any number.
    pub arguments: Option<u32>,
    /// PVAR cells that the frame has before the FVAR slots.
    pub locals: u32,
    /// Cells of stack that its temporaries need at most, marks of BIND included.
    pub stack: u32,
    /// Special variables: those that it binds, innermost first, then (all [`NameKind::Free`] together) those that it
    /// uses freely, in order of their slots.
    pub names: Vec<Name>,
    /// The bytecode, with zeros where fixups go.
    pub bytes: Vec<u8>,
    /// What the linker fills in.
    pub fixups: Vec<Fixup>,
    /// For people: the source, and other things as a property list.
    pub debug: Value,
}

/// An entry of a name table.
#[derive(Clone, Copy, Debug)]
pub struct Name {
    /// What kind of slot it names.
    pub kind: NameKind,
    /// Its number, in cells from the first IVAR or PVAR. FVAR slots are numbered from the first PVAR too.
    pub slot: u32,
    /// The variable.
    pub symbol: Value,
}

/// Where a special variable lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NameKind {
    /// In an argument.
    Argument,
    /// In a PVAR.
    Local,
    /// In a frame or value cell found by name.
    Free,
}

/// An operand that only the linker knows.
#[derive(Clone, Debug)]
pub struct Fixup {
    /// Where in the bytes: the first of 4, most significant first.
    pub offset: u32,
    /// What goes there.
    pub target: Target,
}

/// What goes into an operand.
#[derive(Clone, Debug)]
pub enum Target {
    /// A symbol (`:atom`).
    Symbol(Value),
    /// A constant (`:pointer`), which lives for ever. EQ constants within a file are the same object.
    Constant(Value),
    /// The address of another function's code block (`:code`), from which a closure is made at run time.
    Code(Box<Code>),
    /// A COMPILED-CLOSURE without environment for another function (`:function`), made by the linker.
    Function(Box<Code>),
}

/// A file, compiled.
#[derive(Clone, Debug)]
pub struct Unit {
    /// Its name as order.lisp has it.
    pub file: String,
    /// Functions that are definitions of their names.
    pub functions: Vec<Code>,
    /// Functions without arguments, to be called in this order when the world first starts.
    pub inits: Vec<Code>,
    /// Where its functions are defined, and what they take.
    pub definitions: Vec<Definition>,
    /// What it calls.
    pub calls: Vec<Call>,
}

impl Code {
    /// Reads a code object as the compiler makes it; an error says what is wrong with it.
    pub fn from_list(list: Value) -> Result<Code, String> {
        let get = |key: &str| list.property(key).ok_or_else(|| format!("a code object without :{key}"));
        let number = |key: &str| match get(key)? {
            Value::Integer(n) => Ok(n),
            other => Err(format!("a code object with {other:?} as :{key}")),
        };
        let mut bytes = Vec::new();
        for byte in get("BYTES")?.elements() {
            match byte {
                Value::Integer(n @ 0..=255) => bytes.push(n as u8),
                other => return Err(format!("{other:?} is no byte")),
            }
        }
        Ok(Code {
            name: get("NAME")?,
            arguments: u32::try_from(number("ARGS")?).ok(),
            locals: number("LOCALS")? as u32,
            stack: number("STACK")? as u32,
            names: get("NAMES")?.elements().map(Name::from_list).collect::<Result<_, _>>()?,
            bytes,
            fixups: get("FIXUPS")?.elements().map(Fixup::from_list).collect::<Result<_, _>>()?,
            debug: get("DEBUG").unwrap_or(Value::Nil),
        })
    }
}

impl Name {
    fn from_list(list: Value) -> Result<Name, String> {
        let parts: Vec<Value> = list.elements().collect();
        match parts[..] {
            [kind, Value::Integer(slot), symbol] => {
                let kind = [("IVAR", NameKind::Argument), ("PVAR", NameKind::Local), ("FVAR", NameKind::Free)]
                    .into_iter()
                    .find(|(name, _)| kind.is_keyword(name))
                    .ok_or("an unknown kind of name")?;
                Ok(Name { kind: kind.1, slot: slot as u32, symbol })
            }
            _ => Err("a name table entry that is not (KIND SLOT SYMBOL)".to_string()),
        }
    }
}

impl Fixup {
    fn from_list(list: Value) -> Result<Fixup, String> {
        let parts: Vec<Value> = list.elements().collect();
        let [Value::Integer(offset), Value::Symbol(kind), object] = parts[..] else {
            return Err("a fixup that is not (OFFSET KIND OBJECT)".to_string());
        };
        let target = match kind.name.as_str() {
            "ATOM" => Target::Symbol(object),
            "POINTER" => Target::Constant(object),
            "CODE" => Target::Code(Box::new(Code::from_list(object)?)),
            "FUNCTION" => Target::Function(Box::new(Code::from_list(object)?)),
            other => return Err(format!("a fixup of unknown kind {other}")),
        };
        Ok(Fixup { offset: offset as u32, target })
    }
}

/// The code as text, an instruction after the other, for people and tests.
pub fn listing(code: &Code) -> String {
    use crate::host::printer::show;
    use std::fmt::Write;
    use vm::isa::{Operand, opcode};
    use vm::layout::Medley35;
    let mut out = format!("{}:", show(code.name));
    for name in &code.names {
        write!(out, " {:?} {} {}", name.kind, name.slot, show(name.symbol)).expect("strings take any text");
    }
    let mut inner = Vec::new();
    let mut at = 0;
    while let Some(row) = code.bytes.get(at).and_then(|byte| opcode(*byte)) {
        write!(out, "\n  {at:3} {}", row.name).expect("strings take any text");
        at += 1;
        for operand in row.operands {
            let length = operand.length::<Medley35>() as usize;
            let number = code.bytes[at..at + length].iter().fold(0u32, |n, byte| n << 8 | u32::from(*byte));
            let text = match (operand, code.fixups.iter().find(|fixup| fixup.offset as usize == at)) {
                (_, Some(fixup)) => match &fixup.target {
                    Target::Symbol(it) | Target::Constant(it) => show(*it),
                    Target::Code(code) | Target::Function(code) => {
                        inner.push(listing(code));
                        format!("<{}>", show(code.name))
                    }
                },
                (Operand::Signed, None) => (number as u8 as i8).to_string(),
                _ => number.to_string(),
            };
            write!(out, " {text}").expect("strings take any text");
            at += length;
        }
    }
    for text in inner {
        out.push('\n');
        out.push_str(&text);
    }
    out
}
