//! Lisp data on the host.
//!
//! A [`Value`] is two words: a tag, and a number or a reference. Everything a reference leads to lives until the process
//! ends: a build is a short run, and what it makes (source lists, code objects) is needed to its end anyway.
//!
//! ```text
//!   Value   tag | integer, float, character, or reference --> Symbol | Cons | Text | Vector | Table | Structure | Function
//! ```

use super::function::Function;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::hash::{Hash, Hasher};

/// Any Lisp datum.
#[derive(Clone, Copy, Debug)]
pub enum Value {
    /// The symbol NIL, the empty list.
    Nil,
    /// Any other symbol.
    Symbol(&'static Symbol),
    /// An integer.
    Integer(i64),
    /// A single float, as the machine has.
    Float(f32),
    /// A character.
    Character(char),
    /// A pair.
    Cons(&'static Cons),
    /// A string.
    Text(&'static RefCell<String>),
    /// A simple vector.
    Vector(&'static RefCell<Vec<Value>>),
    /// A hash table.
    Table(&'static RefCell<HashMap<Value, Value>>),
    /// An instance of a structure.
    Structure(&'static Structure),
    /// A function of the host.
    Function(&'static Function),
    /// What `values` yields unless it is one value: only between a form and whoever takes several values.
    Multiple(&'static [Value]),
}

/// A symbol.
#[derive(Debug)]
pub struct Symbol {
    /// Its print name.
    pub name: String,
    /// Belongs to the package KEYWORD.
    pub keyword: bool,
    /// Its value.
    pub value: Cell<Option<Value>>,
    /// Its function on the host.
    pub function: Cell<Option<&'static Function>>,
    /// A form that makes its function when it is first called.
    pub definition: Cell<Option<Value>>,
    /// Its macro expander: a function of the form's arguments as a list.
    pub expander: Cell<Option<Value>>,
    /// Is a dynamic variable.
    pub special: Cell<bool>,
    /// Its property list.
    pub properties: Cell<Value>,
}

/// A pair, and where it was read.
#[derive(Debug)]
pub struct Cons {
    /// First part.
    pub car: Cell<Value>,
    /// Second part.
    pub cdr: Cell<Value>,
    /// Where its opening parenthesis stood.
    pub position: Cell<Position>,
}

/// A file and a line, in 32 bits: number of the file, and the line in the low 20 bits, from 1; all zero if not known.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Position(u32);

impl Position {
    /// Line `line` of file number `file`.
    pub fn new(file: usize, line: u32) -> Position {
        Position((file as u32) << 20 | line & 0xF_FFFF)
    }
    /// Number of the file.
    pub fn file(self) -> usize {
        (self.0 >> 20) as usize
    }
    /// Line, from 1; 0 if not known.
    pub fn line(self) -> u32 {
        self.0 & 0xF_FFFF
    }
}

/// An instance of a structure.
#[derive(Debug)]
pub struct Structure {
    /// The structure's name.
    pub kind: &'static Symbol,
    /// Its slots, those of included structures first.
    pub slots: RefCell<Vec<Value>>,
}

/// Puts something where it stays.
pub(crate) fn keep<T>(it: T) -> &'static T {
    Box::leak(Box::new(it))
}

impl Value {
    /// A pair.
    pub fn cons(car: Value, cdr: Value) -> Value {
        Value::Cons(keep(Cons { car: Cell::new(car), cdr: Cell::new(cdr), position: Cell::default() }))
    }
    /// A list.
    pub fn list(elements: &[Value]) -> Value {
        elements.iter().rev().fold(Value::Nil, |list, element| Value::cons(*element, list))
    }
    /// A string.
    pub fn text(text: impl Into<String>) -> Value {
        Value::Text(keep(RefCell::new(text.into())))
    }
    /// A simple vector.
    pub fn vector(elements: Vec<Value>) -> Value {
        Value::Vector(keep(RefCell::new(elements)))
    }
    /// Whether it is NIL.
    pub fn is_nil(self) -> bool {
        matches!(self, Value::Nil)
    }
    /// Whether it is anything but NIL.
    pub fn is_true(self) -> bool {
        !self.is_nil()
    }
    /// First part of a pair, of NIL NIL.
    pub fn car(self) -> Option<Value> {
        match self {
            Value::Cons(cons) => Some(cons.car.get()),
            Value::Nil => Some(Value::Nil),
            _ => None,
        }
    }
    /// Second part of a pair, of NIL NIL.
    pub fn cdr(self) -> Option<Value> {
        match self {
            Value::Cons(cons) => Some(cons.cdr.get()),
            Value::Nil => Some(Value::Nil),
            _ => None,
        }
    }
    /// The elements of a list; whatever its last CDR is, it is not among them.
    pub fn elements(self) -> Elements {
        Elements(self)
    }
    /// The symbol, if it is one other than NIL.
    pub fn symbol(self) -> Option<&'static Symbol> {
        match self {
            Value::Symbol(symbol) => Some(symbol),
            _ => None,
        }
    }
    /// Whether it is the symbol of this name, not a keyword.
    pub fn is_named(self, name: &str) -> bool {
        matches!(self, Value::Symbol(symbol) if symbol.name == name && !symbol.keyword)
    }
    /// Whether it is the keyword of this name.
    pub fn is_keyword(self, name: &str) -> bool {
        matches!(self, Value::Symbol(symbol) if symbol.name == name && symbol.keyword)
    }
    /// Where it was read, if it is a list from a file.
    pub fn position(self) -> Position {
        match self {
            Value::Cons(cons) => cons.position.get(),
            _ => Position::default(),
        }
    }
    /// EQL: the same object, or the same number.
    pub fn eql(self, other: Value) -> bool {
        self == other
    }
    /// What stands behind this value of a property list's indicator.
    pub fn property(self, indicator: &str) -> Option<Value> {
        let mut list = self;
        while let Value::Cons(cons) = list {
            let rest = cons.cdr.get();
            if cons.car.get().is_keyword(indicator) {
                return rest.car();
            }
            list = rest.cdr()?;
        }
        None
    }
}

/// EQL.
impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        match (*self, *other) {
            (Value::Nil, Value::Nil) => true,
            (Value::Symbol(a), Value::Symbol(b)) => std::ptr::eq(a, b),
            (Value::Integer(a), Value::Integer(b)) => a == b,
            (Value::Float(a), Value::Float(b)) => a.to_bits() == b.to_bits(),
            (Value::Character(a), Value::Character(b)) => a == b,
            (Value::Cons(a), Value::Cons(b)) => std::ptr::eq(a, b),
            (Value::Text(a), Value::Text(b)) => std::ptr::eq(a, b),
            (Value::Vector(a), Value::Vector(b)) => std::ptr::eq(a, b),
            (Value::Table(a), Value::Table(b)) => std::ptr::eq(a, b),
            (Value::Structure(a), Value::Structure(b)) => std::ptr::eq(a, b),
            (Value::Function(a), Value::Function(b)) => std::ptr::eq(a, b),
            _ => false,
        }
    }
}

impl Eq for Value {}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match *self {
            Value::Nil => 0usize.hash(state),
            Value::Symbol(it) => std::ptr::from_ref(it).addr().hash(state),
            Value::Integer(n) => n.hash(state),
            Value::Float(x) => x.to_bits().hash(state),
            Value::Character(c) => c.hash(state),
            Value::Cons(it) => std::ptr::from_ref(it).addr().hash(state),
            Value::Text(it) => std::ptr::from_ref(it).addr().hash(state),
            Value::Vector(it) => std::ptr::from_ref(it).addr().hash(state),
            Value::Table(it) => std::ptr::from_ref(it).addr().hash(state),
            Value::Structure(it) => std::ptr::from_ref(it).addr().hash(state),
            Value::Function(it) => std::ptr::from_ref(it).addr().hash(state),
            Value::Multiple(it) => it.as_ptr().addr().hash(state),
        }
    }
}

/// See [`Value::elements`].
#[derive(Clone, Copy, Debug)]
pub struct Elements(Value);

impl Elements {
    /// What has not been delivered yet.
    pub fn rest(self) -> Value {
        self.0
    }
}

impl Iterator for Elements {
    type Item = Value;
    fn next(&mut self) -> Option<Value> {
        let Value::Cons(cons) = self.0 else { return None };
        self.0 = cons.cdr.get();
        Some(cons.car.get())
    }
}

/// All symbols that have been read or made.
#[derive(Debug, Default)]
pub struct Symbols {
    table: HashMap<(bool, String), &'static Symbol>,
    uninterned: u64,
}

impl Symbols {
    /// The symbol of this name; NIL is [`Value::Nil`].
    pub fn intern(&mut self, name: &str) -> Value {
        if name == "NIL" { Value::Nil } else { Value::Symbol(self.symbol(name)) }
    }
    /// The symbol of this name, which is not NIL.
    pub fn symbol(&mut self, name: &str) -> &'static Symbol {
        self.find(name, false)
    }
    /// The symbol of this name, if there is one.
    pub fn known(&self, name: &str) -> Option<&'static Symbol> {
        self.table.get(&(false, name.to_string())).copied()
    }
    /// The keyword of this name.
    pub fn keyword(&mut self, name: &str) -> Value {
        Value::Symbol(self.find(name, true))
    }
    fn find(&mut self, name: &str, keyword: bool) -> &'static Symbol {
        self.table.entry((keyword, name.to_string())).or_insert_with(|| make_symbol(name, keyword))
    }
    /// A new symbol that cannot be read.
    pub fn make(&mut self, prefix: &str) -> Value {
        self.uninterned += 1;
        Value::Symbol(make_symbol(&format!("{prefix}{}", self.uninterned), false))
    }
}

fn make_symbol(name: &str, keyword: bool) -> &'static Symbol {
    let symbol = keep(Symbol {
        name: name.to_string(),
        keyword,
        value: Cell::new(None),
        function: Cell::new(None),
        definition: Cell::new(None),
        expander: Cell::new(None),
        special: Cell::new(false),
        properties: Cell::new(Value::Nil),
    });
    if keyword || name == "T" {
        symbol.value.set(Some(Value::Symbol(symbol)));
    }
    symbol
}
