//! Constants: quoted lists, strings, numbers and so on, as objects that live for ever.
//!
//! ```text
//!   cons           | code | CAR | CDR |   code 1: the next cell holds the CDR; 8: it is NIL;
//!                                         pages have a header in words 4-7
//!   ONED-ARRAY     | base | flags 8, element type 8, offset 16 | fill pointer | length |
//!   FIXP, FLOATP   | 32 bits |
//!   closure        | code | environment |
//! ```

use super::Linker;
use super::types::entry;
use crate::host::value::{Cons, Value};
use std::collections::HashMap;
use vm::address::{AtomIndex, LispPtr};
use vm::layout::{CHARACTERS, SMALL_NEGATIVE, SMALL_POSITIVE, types};

/// The element type of vectors of any objects.
const POINTERS: u32 = 38;
/// Of strings of characters below 256.
const THIN_CHARACTERS: u32 = 67;
/// Of other strings.
const FAT_CHARACTERS: u32 = 68;
/// Of vectors of bytes.
const BYTES: u32 = 3;
/// In an array's flags: it is a string.
const STRING_FLAG: u32 = 0x10;

/// CDR codes: the next cell holds the CDR; it is NIL.
const STORED: u32 = 1 << 28;
const NIL: u32 = 8 << 28;

/// The first cell and the end of the cells of a cons page.
const FIRST_CELL: u32 = 8;
const END_OF_CELLS: u32 = 256;

/// Where the next cons goes, and what objects have got addresses.
#[derive(Default)]
pub(super) struct Objects {
    next_cons: u32,
    known: HashMap<usize, u32>,
}

fn identity<T>(it: &T) -> usize {
    std::ptr::from_ref(it).addr()
}

impl Linker {
    /// The cell for a constant.
    pub fn constant(&mut self, value: Value) -> Result<u32, String> {
        match value {
            Value::Nil => Ok(0),
            Value::Symbol(symbol) => Ok(self.symbol_of(symbol)),
            Value::Integer(n) => self.integer(n),
            Value::Float(x) => Ok(self.boxed(types::FLOATP, x.to_bits())),
            Value::Character(c) => match u16::try_from(c as u32) {
                Ok(code) => Ok(CHARACTERS | code as u32),
                Err(_) => Err(format!("the character {c:?} has no code of 16 bits")),
            },
            Value::Cons(cons) => self.list(cons),
            Value::Text(text) => self.once(identity(text), |it| it.string(&text.borrow())),
            Value::Vector(vector) => match self.objects.known.get(&identity(vector)) {
                Some(known) => Ok(*known),
                None => self.vector_of(vector.borrow().as_slice(), identity(vector)),
            },
            other => Err(format!("{other:?} cannot be a constant")),
        }
    }

    fn once(&mut self, key: usize, make: impl FnOnce(&mut Self) -> u32) -> Result<u32, String> {
        if let Some(known) = self.objects.known.get(&key) {
            return Ok(*known);
        }
        let cell = make(self);
        self.objects.known.insert(key, cell);
        Ok(cell)
    }

    /// An integer of up to 32 bits.
    pub fn integer(&mut self, n: i64) -> Result<u32, String> {
        match n {
            0..=0xFFFF => Ok(SMALL_POSITIVE | n as u32),
            -0x1_0000..0 => Ok(SMALL_NEGATIVE | n as u32 & 0xFFFF),
            _ => match i32::try_from(n) {
                Ok(n) => Ok(self.boxed(types::FIXP, n as u32)),
                Err(_) => Ok(self.bignum(n)),
            },
        }
    }

    fn boxed(&mut self, number: u32, bits: u32) -> u32 {
        let at = self.object(number, 2);
        self.memory.set_cell(at, bits);
        at.0
    }

    fn object(&mut self, number: u32, words: u32) -> LispPtr {
        self.places.object(&mut self.memory, entry(number), words)
    }

    /// An integer of more than 32 bits: a list of digits of 12 bits, the least first, and T if it is negative; see
    /// world/library/bignums.lisp.
    fn bignum(&mut self, n: i64) -> u32 {
        let mut rest = n.unsigned_abs();
        let mut digits = Vec::new();
        while rest != 0 {
            digits.push(SMALL_POSITIVE | rest as u32 & 0xFFF);
            rest >>= 12;
        }
        let digits = self.list_of(&digits);
        let at = self.object(types::BIGNUM, 4);
        self.memory.set_cell(at, digits);
        self.memory.set_cell(at.plus(2), if n < 0 { AtomIndex::T.0 } else { 0 });
        at.0
    }

    /// A cons; the conses behind it, as far as they are new, get the cells behind its own.
    fn list(&mut self, first: &'static Cons) -> Result<u32, String> {
        let mut spine: Vec<(&'static Cons, u32)> = Vec::new();
        let mut rest = Value::Cons(first);
        let tail = loop {
            match rest {
                Value::Cons(cons) => {
                    if let Some(known) = self.objects.known.get(&identity(cons)) {
                        break *known;
                    }
                    let at = self.cons_cell();
                    self.objects.known.insert(identity(cons), at);
                    spine.push((cons, at));
                    rest = cons.cdr.get();
                }
                other => break self.constant(other)?,
            }
        };
        for (i, (cons, at)) in spine.iter().enumerate() {
            let car = self.constant(cons.car.get())?;
            let cdr = spine.get(i + 1).map_or(tail, |next| next.1);
            self.fill_cons(*at, car, cdr);
        }
        Ok(self.objects.known[&identity(first)])
    }

    /// Room for a cons: two cells.
    fn cons_cell(&mut self) -> u32 {
        let next = self.objects.next_cons;
        if next == 0 || next & 0xFF == 0 {
            let page = self.places.page(&mut self.memory, entry(types::LISTP));
            // No free cells, and not in the chain of pages that have some.
            self.memory.set_cell(page.plus(4), 0);
            self.memory.set_cell(page.plus(6), u32::MAX);
            self.objects.next_cons = page.0 + FIRST_CELL;
        }
        let at = self.objects.next_cons;
        self.objects.next_cons += 4;
        debug_assert!((at & 0xFF) + 4 <= END_OF_CELLS);
        at
    }

    fn fill_cons(&mut self, at: u32, car: u32, cdr: u32) {
        let code = if cdr == 0 { NIL } else { STORED };
        self.memory.set_cell(LispPtr(at), code | car);
        self.memory.set_cell(LispPtr(at + 2), cdr);
    }

    /// A list of cells.
    pub fn list_of(&mut self, elements: &[u32]) -> u32 {
        elements.iter().rev().fold(0, |list, element| {
            let at = self.cons_cell();
            self.fill_cons(at, *element, list);
            at
        })
    }

    /// A string.
    pub fn string(&mut self, text: &str) -> u32 {
        let codes: Vec<u32> = text.chars().map(|c| c as u32).collect();
        let fat = codes.iter().any(|code| *code > 0xFF);
        let kind = if fat { FAT_CHARACTERS } else { THIN_CHARACTERS };
        let words = if fat { codes.len() } else { codes.len().div_ceil(2) };
        let base = self.places.block(&mut self.memory, words.max(1) as u32);
        for (i, code) in codes.iter().enumerate() {
            match fat {
                true => self.memory.set_word(base.plus(i as u32), *code as u16),
                false => self.memory.set_byte(base, i as u32, *code as u8),
            }
        }
        self.array(base, STRING_FLAG << 8 | kind, codes.len() as u32)
    }

    /// A vector of bytes.
    pub fn bytes(&mut self, bytes: &[u8]) -> u32 {
        let base = self.places.block(&mut self.memory, bytes.len().div_ceil(2).max(1) as u32);
        for (i, byte) in bytes.iter().enumerate() {
            self.memory.set_byte(base, i as u32, *byte);
        }
        self.array(base, BYTES, bytes.len() as u32)
    }

    /// A vector of cells.
    pub fn vector(&mut self, cells: &[u32]) -> u32 {
        let base = self.places.block(&mut self.memory, 2 * cells.len().max(1) as u32);
        for (i, cell) in cells.iter().enumerate() {
            self.memory.set_cell(base.plus(2 * i as u32), *cell);
        }
        self.array(base, POINTERS, cells.len() as u32)
    }

    /// A vector of objects, which may refer to it.
    fn vector_of(&mut self, elements: &[Value], key: usize) -> Result<u32, String> {
        let base = self.places.block(&mut self.memory, 2 * elements.len().max(1) as u32);
        let array = self.array(base, POINTERS, elements.len() as u32);
        self.objects.known.insert(key, array);
        for (i, element) in elements.iter().enumerate() {
            let cell = self.constant(*element)?;
            self.memory.set_cell(base.plus(2 * i as u32), cell);
        }
        Ok(array)
    }

    fn array(&mut self, base: LispPtr, kind: u32, length: u32) -> u32 {
        let at = self.object(types::ONED_ARRAY, 8);
        self.memory.set_cell(at, base.0);
        self.memory.set_cell(at.plus(2), kind << 16);
        self.memory.set_cell(at.plus(4), length);
        self.memory.set_cell(at.plus(6), length);
        at.0
    }

    /// A closure without environment: a function as an object.
    pub(super) fn closure(&mut self, code: LispPtr) -> u32 {
        let at = self.object(types::COMPILED_CLOSURE, 4);
        self.memory.set_cell(at, code.0);
        at.0
    }
}
