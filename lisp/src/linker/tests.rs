//! A world by hand, in a few instructions, and that it is the same each time.

use super::Linker;
use crate::code::{Code, Fixup, Name, NameKind, Target};
use crate::host::value::{Symbols, Value};
use std::cell::RefCell;
use vm::isa::{OPCODES, Operand};
use vm::layout::{DISPLAY, Layout, Medley35};
use vm::machine::Exit;
use vm::startup::Session;
use vm::testing::{Fixture, image_of};

/// Instructions after which a program is taken to be in a loop.
const PATIENCE: u64 = 1_000_000;

thread_local! {
    static SYMBOLS: RefCell<Symbols> = RefCell::default();
}

fn symbol(name: &str) -> Value {
    SYMBOLS.with_borrow_mut(|symbols| symbols.intern(name))
}

/// Assembles a function: opcodes by name, each with its operands; a label ends with a colon.
fn function(name: &str, arguments: u32, locals: u32, free: &[&str], text: &str) -> Code {
    let mut bytes: Vec<u8> = Vec::new();
    let mut fixups = Vec::new();
    let mut labels = std::collections::HashMap::new();
    let mut jumps = Vec::new();
    let mut tokens = text.split_whitespace();
    while let Some(token) = tokens.next() {
        if let Some(label) = token.strip_suffix(':') {
            labels.insert(label, bytes.len());
            continue;
        }
        let row = OPCODES.iter().find(|row| row.name == token).unwrap_or_else(|| panic!("{token} is no opcode"));
        let start = bytes.len();
        bytes.push(row.number);
        for operand in row.operands {
            let written = tokens.next().expect("an operand");
            let number = || written.parse::<u32>().expect("a number");
            match operand {
                Operand::Byte => bytes.push(number() as u8),
                Operand::Word => bytes.extend((number() as u16).to_be_bytes()),
                Operand::Signed => {
                    jumps.push((start, bytes.len(), written));
                    bytes.push(0);
                }
                Operand::Atom => {
                    fixups.push(Fixup { offset: bytes.len() as u32, target: Target::Symbol(symbol(written)) });
                    bytes.extend([0; 4]);
                }
                Operand::Pointer => {
                    fixups.push(Fixup { offset: bytes.len() as u32, target: Target::Constant(Value::text(written)) });
                    bytes.extend([0; 4]);
                }
            }
        }
    }
    for (start, at, label) in jumps {
        bytes[at] = (labels[label] as i32 - start as i32) as u8;
    }
    let names = free.iter().enumerate().map(|(i, name)| Name {
        kind: NameKind::Free,
        slot: locals + i as u32,
        symbol: symbol(name),
    });
    Code {
        name: symbol(name),
        arguments: Some(arguments),
        locals,
        stack: 16,
        names: names.collect(),
        bytes,
        fixups,
        debug: Value::Nil,
    }
}

/// A world that starts with this function.
fn world(start: &[Code]) -> Vec<u8> {
    let mut linker = Linker::new();
    for name in ["%RESET-CONTEXT", "%UNUSED-CONTEXT", "%SYSTEM-CONTEXT", "%UNDEFINED-OPCODE", "\\INTERPRETER"] {
        linker.define(&function(name, 0, 0, &[], "SUBRCALL 15 0 RETURN")).unwrap();
    }
    for code in start {
        linker.define(code).unwrap();
    }
    linker.finish().unwrap()
}

fn start(bytes: &[u8]) -> Fixture<Medley35> {
    let mut m = image_of::<Medley35>(bytes);
    m.start(&Session::default()).unwrap();
    m
}

#[test]
fn a_few_instructions_draw_and_log_out() {
    // Two words of the display, a list made and taken apart, a number in a box.
    let main = function(
        "%START",
        0,
        2,
        &["*FREE*"],
        "SIC 18 SIC 0 VAG2 SICX 43690 PUTBASE_N 3 POP
         ONE NIL CONS PVAR_0 CAR SICX 65535 IPLUS2 PVAR_1 POP
         SIC 18 SIC 0 VAG2 PVAR1 ZERO IPLUS2 GETBASE_N 0 PUTBASE_N 4 POP
         GCONST text FN1 LENGTH POP FVAR2 POP
         SUBRCALL 13 0 RETURN",
    );
    let length = function("LENGTH", 1, 0, &[], "IVAR0 GETBASEPTR_N 4 RETURN");
    let bytes = world(&[main, length]);
    let mut m = start(&bytes);
    assert_eq!(m.run_stepping(PATIENCE), Exit::Logout);
    assert_eq!(m.space.word(DISPLAY.plus(3)), 43690);
    // One and 65535 do not fit a word: the sum has a box, whose first word is the high half.
    assert_eq!(m.space.word(DISPLAY.plus(4)), 1);
}

#[test]
fn the_same_world_is_the_same_bytes() {
    let main = || function("%START", 0, 0, &[], "GCONST hello POP SUBRCALL 13 0 RETURN");
    assert!(world(&[main()]) == world(&[main()]), "linking is reproducible");
}

#[test]
fn symbols_are_found_by_the_machine() {
    let m = start(&world(&[function("%START", 0, 0, &[], "SUBRCALL 13 0 RETURN")]));
    for name in ["%START", "T", "\\MVLIST", "SI::*CLOSURE-CACHE*", "LISP::NOTHING"] {
        assert_eq!(vm::symbols::find::<Medley35>(m.space, name).is_ok(), name != "LISP::NOTHING", "{name}");
    }
    let keyword = vm::symbols::find_in_package::<Medley35>(m.space, "KEYWORD", "BYTE").expect("a keyword");
    assert_eq!(m.space.cell(Medley35::value_cell(keyword)), keyword.0);
    assert_eq!(vm::symbols::name::<Medley35>(m.space, keyword).to_string(), ":BYTE");
}
