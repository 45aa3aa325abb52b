//! Lays out a world as a sysout in the format of Medley 3.5.
//!
//! ```text
//!   memory     pages            places     space for what lives for ever      file    the file and its map
//!   symbols    records, tables  types      type table and descriptors         stack   contexts, first frame
//!   objects    constants        functions  code blocks                        variables   what the machine reads
//! ```
//!
//! Everything that the linker makes lives for ever and is not counted by the collector. A [`Linker`] is filled with
//! functions ([`Linker::unit`]) and then turned into a file ([`Linker::finish`]); the same input gives the same bytes.

mod file;
mod functions;
mod memory;
mod objects;
mod places;
mod spread;
mod stack;
mod symbols;
#[cfg(test)]
mod tests;
mod types;
mod variables;

use crate::code::Unit;
use crate::host::value;
use memory::Memory;
use objects::Objects;
use places::Places;
use std::collections::BTreeMap;
pub use symbols::Package;
use symbols::Symbols;
use vm::address::AtomIndex;
use vm::layout::{Layout, Medley35};

/// Where the world finds the names of the functions that a file wants to be called at the first start.
const INITIALIZERS: &str = "%INITIALIZERS";

/// A world in the making.
pub struct Linker {
    memory: Memory,
    places: Places,
    symbols: Symbols,
    objects: Objects,
    initializers: Vec<u32>,
    /// Functions that are called by name, and one that calls each.
    calls: BTreeMap<String, u32>,
}

impl Default for Linker {
    fn default() -> Self {
        Self::new()
    }
}

impl Linker {
    /// A world without functions.
    pub fn new() -> Linker {
        let mut memory = Memory::default();
        let mut places = Places::new();
        let symbols = Symbols::new(&mut memory, &mut places);
        let mut linker = Linker {
            memory,
            places,
            symbols,
            objects: Objects::default(),
            initializers: Vec::new(),
            calls: BTreeMap::new(),
        };
        linker.machine_variables();
        linker.define(&spread::spread()).expect("a function without constants can be laid out");
        linker
    }

    /// The symbol of this name in the package that the world's symbols are in.
    pub fn symbol(&mut self, name: &str) -> u32 {
        self.symbol_in(Package::Interlisp, name)
    }

    /// The symbol of this name in a package.
    pub fn symbol_in(&mut self, package: Package, name: &str) -> u32 {
        self.symbols.number(&mut self.memory, &mut self.places, package, name)
    }

    fn symbol_of(&mut self, symbol: &value::Symbol) -> u32 {
        let package = if symbol.keyword { Package::Keyword } else { Package::Interlisp };
        self.symbol_in(package, &symbol.name)
    }

    /// Sets the value of a symbol.
    pub fn set_value(&mut self, name: &str, cell: u32) {
        let symbol = self.symbol(name);
        self.memory.set_cell(Medley35::value_cell(AtomIndex(symbol)), cell);
    }

    /// Takes a compiled file: defines its functions, and notes what it wants done at the first start.
    pub fn unit(&mut self, unit: &Unit) -> Result<(), String> {
        let within = |error: String| format!("{}: {error}", unit.file);
        for code in &unit.functions {
            self.define(code).map_err(within)?;
        }
        for code in &unit.inits {
            let at = self.function(code).map_err(within)?;
            let closure = self.closure(at);
            self.initializers.push(closure);
        }
        Ok(())
    }

    /// The world as a file.
    pub fn finish(mut self) -> Result<Vec<u8>, String> {
        let initializers = std::mem::take(&mut self.initializers);
        let list = self.list_of(&initializers);
        self.set_value(INITIALIZERS, list);
        self.last_variables()?;
        self.make_stack()?;
        Ok(file::write(&mut self.memory))
    }
}
