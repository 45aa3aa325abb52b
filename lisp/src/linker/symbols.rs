//! Symbols: their records, and the tables in which the machine, the reference emulator and the world find them by name.
//!
//! ```text
//!   record, 10 words at 2C0000 + 10 n
//!     0-1 print name | 2-3 value | 4-5 definition | 6-7 properties | 8 package number (8 bits), flags (8 bits)
//!
//!   print name   | length | character | character ..     bytes, from a word on
//!
//!   number       0 NIL | 1 NOBIND | 2..247 one character each, but digits | 248..266 known to the machine | 267 ..
//! ```
//!
//! The atom hash table has all symbols of the package INTERLISP, the one that the world's symbols are in. Packages
//! as objects exist for the machine's sake: it looks some symbols up in them by name. The world itself looks symbols up
//! in a table of its own (see world/machine/symbols.lisp), a vector of lists, by a hash that is a machine instruction.

use super::memory::Memory;
use super::places::Places;
use std::collections::HashMap;
use vm::address::{AtomIndex, LispPtr};
use vm::layout::{Layout, Medley35};

/// The packages that there are; the number is what a symbol's record has.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Package {
    /// All symbols but those below.
    Interlisp = 1,
    /// Symbols that are their own values.
    Keyword = 2,
    /// Some that the machine knows.
    System = 3,
    /// Some that the machine knows.
    Xerox = 4,
    /// For the machine, which thinks of Common Lisp's package by this name.
    Lisp = 5,
}

impl Package {
    /// All, by number.
    pub(super) const ALL: [(Package, &'static str); 5] = [
        (Package::Interlisp, "INTERLISP"),
        (Package::Keyword, "KEYWORD"),
        (Package::System, "SYSTEM"),
        (Package::Xerox, "XEROX-COMMON-LISP"),
        (Package::Lisp, "LISP"),
    ];
}

/// The value of a symbol that has none.
const NO_VALUE: u32 = AtomIndex::NOBIND.0;
/// The first of the symbols with one character, whose codes leave out the digits.
const FIRST_CHARACTER: u32 = 2;
/// The first symbol after those with numbers that are known.
const FIRST_FREE: u32 = 267;
/// Records that there is room for.
const MOST: u32 = 12288;
/// Symbols whose numbers the machine or the reference emulator knows.
const KNOWN: [(u32, &str); 14] = [
    (0, "NIL"),
    (1, "NOBIND"),
    (248, "EVALFORM"),
    (249, "\\GC.HANDLEOVERFLOW"),
    (256, "\\INTERPRETER"),
    (257, "SMALLP"),
    (258, "FIXP"),
    (259, "FLOATP"),
    (260, "LITATOM"),
    (261, "LISTP"),
    (262, "ARRAYP"),
    (263, "STRINGP"),
    (264, "STACKP"),
    (265, "CHARACTER"),
];

/// A symbol.
pub(super) struct Symbol {
    pub(super) number: u32,
    pub(super) package: Package,
    pub(super) name: String,
}

/// All symbols so far.
pub(super) struct Symbols {
    numbers: HashMap<(Package, String), u32>,
    all: Vec<Symbol>,
    next: u32,
}

/// The hash of a name that the atom hash table and packages start from.
pub(super) fn name_hash(name: &str) -> u16 {
    let mut bytes = name.bytes();
    let first = (bytes.next().unwrap_or(0) as u16) << 8;
    bytes.fold(first, |hash, byte| {
        let hash = hash.wrapping_add((hash & 0xFFF) << 2);
        hash.wrapping_add(hash << 8).wrapping_add(byte as u16)
    })
}

/// The hash of a name that the world's own table uses: the machine's for STRING=, MISCN 4.
pub(super) fn world_hash(name: &str) -> u16 {
    name.bytes().fold(0u16, |hash, byte| {
        let hash = hash.wrapping_add((hash & 0xFFF) << 2);
        hash.wrapping_add(byte as u16).wrapping_add((hash & 0xFF) << 8)
    })
}

impl Symbols {
    /// The known ones.
    pub(super) fn new(memory: &mut Memory, places: &mut Places) -> Symbols {
        memory.supply(Medley35::pname_cell(AtomIndex(0)), 10 * MOST);
        memory.supply(Medley35::ATOM_HASH_TABLE, 0x1_0000);
        let mut symbols = Symbols { numbers: HashMap::new(), all: Vec::new(), next: FIRST_FREE };
        for (number, name) in KNOWN {
            symbols.enter(memory, places, number, Package::Interlisp, name);
        }
        for code in (0x21..0x30).chain(0x3A..0x7F) {
            let number = FIRST_CHARACTER + if code > 0x39 { code - 10 } else { code };
            let name = char::from(code as u8).to_string();
            symbols.enter(memory, places, number, Package::Interlisp, &name);
        }
        for constant in [AtomIndex::NIL, AtomIndex::T] {
            memory.set_cell(Medley35::value_cell(constant), constant.0);
        }
        symbols
    }

    /// The number of the symbol of this name, which is made if it is new.
    pub(super) fn number(&mut self, memory: &mut Memory, places: &mut Places, package: Package, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(&(package, name.to_string())) {
            return *number;
        }
        let number = self.next;
        assert!(number < MOST, "more than {MOST} symbols");
        self.next += 1;
        self.enter(memory, places, number, package, name);
        if package == Package::Keyword {
            memory.set_cell(Medley35::value_cell(AtomIndex(number)), number);
        }
        number
    }

    fn enter(&mut self, memory: &mut Memory, places: &mut Places, number: u32, package: Package, name: &str) {
        assert!(name.len() <= 255 && name.is_ascii(), "the symbol {name} has a name that is too long or no ASCII");
        let print_name = places.block(memory, (name.len() as u32 + 1).div_ceil(2));
        memory.set_byte(print_name, 0, name.len() as u8);
        for (i, byte) in name.bytes().enumerate() {
            memory.set_byte(print_name, i as u32 + 1, byte);
        }
        let atom = AtomIndex(number);
        memory.set_cell(Medley35::pname_cell(atom), print_name.0);
        memory.set_cell(Medley35::value_cell(atom), NO_VALUE);
        memory.set_cell(Medley35::plist_cell(atom).plus(2), (package as u32) << 24);
        if package == Package::Interlisp && name.len() != 1 {
            hash(memory, number, name);
        }
        self.numbers.insert((package, name.to_string()), number);
        self.all.push(Symbol { number, package, name: name.to_string() });
    }

    /// All of them, in the order in which they came.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Symbol> {
        self.all.iter()
    }
}

/// Enters a symbol into the atom hash table.
fn hash(memory: &mut Memory, number: u32, name: &str) {
    let first = name.bytes().next().unwrap_or(0xFF) as u16;
    let mut hash = name_hash(name);
    let step = ((first ^ hash) | 1) & 63;
    let at = |hash: u16| Medley35::ATOM_HASH_TABLE.plus(hash as u32);
    while memory.word(at(hash)) != 0 {
        hash = hash.wrapping_add(step);
    }
    memory.set_word(at(hash), number as u16 + 1);
}

/// What a package's table of symbols is made of: an entry of each vector at each index.
pub(super) struct PackageTable {
    /// Symbols, or 0.
    pub(super) symbols: Vec<u32>,
    /// Second hashes of their names, or 0.
    pub(super) hashes: Vec<u8>,
}

impl PackageTable {
    /// The table with these symbols.
    pub(super) fn new<'a>(members: impl Iterator<Item = &'a Symbol>) -> PackageTable {
        let members: Vec<&Symbol> = members.collect();
        let length = next_prime(2 * members.len().max(4));
        let mut table = PackageTable { symbols: vec![0; length], hashes: vec![0; length] };
        for symbol in members {
            let hash = name_hash(&symbol.name) as usize;
            let second = ((symbol.name.len() ^ hash ^ (hash >> 8)) % 254 + 2) as u8;
            let step = hash % (length - 2) + 1;
            let mut index = hash % length;
            while table.hashes[index] != 0 {
                index = (index + step) % length;
            }
            table.hashes[index] = second;
            table.symbols[index] = symbol.number;
        }
        table
    }
}

/// Any step reaches all of a table whose length is prime.
fn next_prime(at_least: usize) -> usize {
    (at_least..).find(|n| (2..*n).take_while(|d| d * d <= *n).all(|d| n % d != 0)).unwrap_or(at_least)
}

/// Where a symbol's record begins.
pub(super) fn record(number: u32) -> LispPtr {
    Medley35::pname_cell(AtomIndex(number))
}
