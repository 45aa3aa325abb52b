//! What the machine's variables and pages hold in a world that has never run.
//!
//! The machine and the reference emulator look these variables up by name when a world starts; `vm::symbols` has their
//! list. Page counters are FIXPs, because the machine counts in place.
//!
//! ```text
//!   keyboard ring   | read 0 | write 2 | 384 records of 14 words |
//!   free blocks     31 cells, one for each size of free array blocks
//! ```

use super::Linker;
use super::file::interface_word;
use super::places::UNIT;
use super::stack;
use super::symbols::{Package, PackageTable, record, world_hash};
use super::types::{FIRST_FREE, MOST, TYPES, immediate_types};
use vm::address::{AtomIndex, LispPtr};
use vm::isa::{self, OPCODES};
use vm::layout::{Layout, Medley35, SMALL_POSITIVE, types};
use vm::sysout::interface;

/// Lisp space of the world, megabytes: array space and MDS meet in the middle of it.
const MEGABYTES: u32 = 64;
/// Pages of a megabyte.
const MEGABYTE: u32 = 2048;
/// MDS begins so many pages before the end.
const MDS_FROM_END: u32 = 4;
/// The version of Medley whose format this is, and the least emulator that will do.
const VERSION: u16 = 35010;
/// Marks a sysout.
const KEY: u16 = 0x15E3;
/// Storage will not move on: the world is as large as it will be.
const FULLY_SWITCHED: u32 = 4;
/// References that come and go before the collector runs.
const RECLAIM_AFTER: u32 = 12_000;
/// Words of the ring of key events: two, and 384 records.
const KEYBOARD_RING: u32 = 2 + 384 * 14;
/// Lists of free array blocks.
const BUCKETS: u32 = 31;
/// Lists in the world's table of symbols.
const SYMBOL_LISTS: usize = 2048;
/// The function that stands in for opcodes that have none.
const NO_OPCODE: &str = "%UNDEFINED-OPCODE";
/// Package objects: word offsets.
const PACKAGE_INDEX: u32 = 0;
const PACKAGE_NAME: u32 = 4;
const PACKAGE_INTERNAL: u32 = 16;
const PACKAGE_EXTERNAL: u32 = 18;
const PACKAGE_WORDS: u32 = 22;

const T: u32 = AtomIndex::T.0;
const NIL: u32 = 0;

/// Variables that are small numbers, T or NIL.
const SIMPLE: [(&str, u32); 36] = [
    ("\\RECLAIM.COUNTDOWN", SMALL_POSITIVE | RECLAIM_AFTER),
    ("\\RECLAIMMIN", SMALL_POSITIVE | RECLAIM_AFTER),
    ("\\GCDISABLED", NIL),
    ("ARRAYBLOCKCHECKING", NIL),
    ("\\ARRAYMERGING", T),
    ("\\ARRAYSPACE2", NIL),
    ("\\ArrayFrLst2", NIL),
    ("\\HUNKING?", NIL),
    ("SYSTEMBUFFERLIST", NIL),
    ("GCMESS", NIL),
    ("*PACKAGE-FROM-NAME*", NIL),
    ("\\STORAGEFULLSTATE", SMALL_POSITIVE | FULLY_SWITCHED),
    ("\\STORAGEFULL", NIL),
    ("\\PENDINGINTERRUPT", NIL),
    ("\\SYSTEMCACHEVARS", NIL),
    ("\\MACHINETYPE", SMALL_POSITIVE | 3),
    ("\\VMEM.FULL.STATE", NIL),
    ("\\MDSFREELISTPAGE", NIL),
    ("\\MaxTypeNumber", SMALL_POSITIVE | (FIRST_FREE - 1)),
    ("\\STACKOVERFLOW", NIL),
    ("\\GuardStackAddr", SMALL_POSITIVE | stack::GUARD_ADDRESS),
    ("\\LastStackAddr", SMALL_POSITIVE | stack::LAST),
    ("\\NEED.HARDRESET.CLEANUP", NIL),
    ("\\CURSORDESTHEIGHT", SMALL_POSITIVE | 768),
    ("\\CURSORDESTWIDTH", SMALL_POSITIVE | 1024),
    ("\\CURSORHOTSPOTX", SMALL_POSITIVE),
    ("\\CURSORHOTSPOTY", SMALL_POSITIVE),
    ("\\SOFTCURSORUPP", NIL),
    ("\\SOFTCURSORWIDTH", SMALL_POSITIVE | 16),
    ("\\SOFTCURSORHEIGHT", SMALL_POSITIVE | 16),
    ("\\CURRENTCURSOR", NIL),
    ("\\KEYBUFFERING", NIL),
    ("\\MOUSECHORDTICKS", SMALL_POSITIVE),
    ("\\PERIODIC.INTERRUPT", NIL),
    ("\\PERIODIC.INTERRUPT.FREQUENCY", SMALL_POSITIVE | 60),
    ("\\TOPWDS", NIL),
];

/// Symbols that must exist besides those in the tables above.
const OTHERS: [&str; 24] = [
    "\\MVLIST",
    "TEXTURE",
    "MERGE",
    "INPUT",
    "INVERT",
    "ERASE",
    "PAINT",
    "REPLACE",
    "STARTED",
    "DIRTY",
    "\\DOBUFFEREDTRANSITIONS",
    "\\INTERRUPTFRAME",
    "\\PERIODIC.INTERRUPTFRAME",
    "\\DORECLAIM",
    "\\MAIKO.PUNTBLTCHAR",
    "\\TEDIT.BLTCHAR",
    "\\PUNT.SLOWBLTCHAR",
    "\\PUNT.BITBLT.BITMAP",
    "\\PUNT.BLTSHADE.BITMAP",
    "\\SCREENBITMAPS",
    "\\COLORSCREEN",
    "PROMPTWINDOW",
    "LASTSCREEN",
    "\\GC.HANDLEOVERFLOW",
];

impl Linker {
    /// What does not depend on the world's functions.
    pub(super) fn machine_variables(&mut self) {
        for (name, cell) in SIMPLE {
            self.set_value(name, cell);
        }
        for name in OTHERS {
            self.symbol(name);
        }
        for (package, name, cell) in [
            (Package::System, "*CLOSURE-CACHE-ENABLED*", NIL),
            (Package::System, "*CLOSURE-CACHE*", NIL),
            (Package::Xerox, "*DELETED-IMPLICIT-HASH-SLOT*", T),
        ] {
            let symbol = self.symbol_in(package, name);
            self.memory.set_cell(Medley35::value_cell(AtomIndex(symbol)), cell);
        }
        for (name, words) in [
            ("\\INTERRUPTSTATE", 2),
            ("\\MAIKO.IO-INTERRUPT-FLAGS", 2),
            ("\\LASTUSERACTION", 2),
            ("\\FREEBLOCKBUCKETS", 2 * BUCKETS),
            ("\\KEYBOARDEVENTQUEUE", KEYBOARD_RING),
        ] {
            let block = self.places.block(&mut self.memory, words);
            self.set_value(name, block.0);
            if name == "\\KEYBOARDEVENTQUEUE" {
                self.memory.set_word(block.plus(1), 2);
            }
        }
        self.descriptors();
        for (table, words) in [
            (Medley35::MISCSTATS, 0x200),
            (Medley35::HTMAIN, 0x1_0000),
            (Medley35::HTOVERFLOW, 0x100),
            (Medley35::HTBIG, 0x100),
            (Medley35::HTCOLL, 0x10_0000),
        ] {
            self.memory.supply(table, words);
        }
        // The first link of the collision table that was never used.
        self.memory.set_cell(Medley35::HTCOLL.plus(2), 2);
    }

    fn descriptors(&mut self) {
        immediate_types(&mut self.memory, MEGABYTES);
        self.memory.supply(Medley35::DTD, 18 * MOST);
        for it in &TYPES {
            let name = self.symbol(it.name);
            let offsets: Vec<u32> = it.pointers.iter().map(|at| SMALL_POSITIVE | at).collect();
            let pointers = self.list_of(&offsets);
            it.describe(&mut self.memory, name, pointers);
        }
    }

    /// The opcodes' stand-ins: for all the same function, until the world says otherwise.
    fn stand_ins(&mut self) {
        let symbol = self.symbol(NO_OPCODE);
        for opcode in 0..=255u32 {
            let operands = isa::opcode(opcode as u8).map_or(0, |row| row.length::<Medley35>() - 1);
            self.memory.set_cell(Medley35::UFN_TABLE.plus(2 * opcode), symbol << 16 | operands << 8);
        }
    }

    /// The table of instructions, for the compiler in the world: (name number (operand ..) pops pushes).
    fn instructions(&mut self) {
        let count = |n: Option<u8>| n.map_or(NIL, |n| SMALL_POSITIVE | n as u32);
        let rows: Vec<u32> = OPCODES
            .iter()
            .map(|row| {
                let operands: Vec<u32> = row
                    .operands
                    .iter()
                    .map(|it| self.symbol_in(Package::Keyword, &format!("{it:?}").to_uppercase()))
                    .collect();
                let name = self.symbol(row.name);
                let operands = self.list_of(&operands);
                let number = SMALL_POSITIVE | row.number as u32;
                self.list_of(&[name, number, operands, count(row.pops), count(row.pushes)])
            })
            .collect();
        let all = self.list_of(&rows);
        self.set_value("%OPCODES", all);
    }

    /// Packages as the machine wants them.
    fn packages(&mut self) {
        let mut objects = vec![NIL];
        for (package, name) in Package::ALL {
            let at = self.places.block(&mut self.memory, PACKAGE_WORDS);
            let name = self.string(name);
            self.memory.set_cell(at.plus(PACKAGE_INDEX), SMALL_POSITIVE | package as u32);
            self.memory.set_cell(at.plus(PACKAGE_NAME), name);
            let table = PackageTable::new(self.symbols.iter().filter(|symbol| symbol.package == package));
            let symbols = self.vector(&table.symbols);
            let hashes = self.bytes(&table.hashes);
            let full = self.places.block(&mut self.memory, 10);
            for (i, vector) in [symbols, hashes].into_iter().enumerate() {
                let list = self.list_of(&[vector]);
                self.memory.set_cell(full.plus(2 * i as u32), list);
            }
            self.memory.set_cell(at.plus(PACKAGE_INTERNAL), full.0);
            self.memory.set_cell(at.plus(PACKAGE_EXTERNAL), full.0);
            objects.push(at.0);
        }
        let vector = self.vector(&objects);
        self.set_value("*PACKAGE-FROM-INDEX*", vector);
        self.set_value("*KEYWORD-PACKAGE*", objects[Package::Keyword as usize]);
    }

    /// The world's own table of symbols.
    fn symbol_table(&mut self) {
        let mut lists = vec![Vec::new(); SYMBOL_LISTS];
        for symbol in self.symbols.iter() {
            if matches!(symbol.package, Package::Interlisp | Package::Keyword) {
                lists[world_hash(&symbol.name) as usize % SYMBOL_LISTS].push(symbol.number);
            }
        }
        let lists: Vec<u32> = lists.iter().map(|list| self.list_of(list)).collect();
        let vector = self.vector(&lists);
        self.set_value("%SYMBOL-TABLE", vector);
    }

    /// What depends on how large everything else has become; nothing may be laid out after this.
    pub(super) fn last_variables(&mut self) -> Result<(), String> {
        self.stand_ins();
        self.instructions();
        for name in ["*PACKAGE-FROM-INDEX*", "*KEYWORD-PACKAGE*", "%SYMBOL-TABLE"] {
            self.symbol(name);
        }
        let counters = [
            "\\NxtMDSPage",
            "\\NxtArrayPage",
            "\\LeastMDSPage",
            "\\SecondMDSPage",
            "\\SecondArrayPage",
            "\\LASTVMEMFILEPAGE",
        ];
        let counters = counters.map(|name| {
            let at = self.places.object(&mut self.memory, super::types::entry(types::FIXP), 2);
            self.set_value(name, at.0);
            at
        });
        for name in ["\\ARRAYSPACE", "\\ArrayFrLst"] {
            self.symbol(name);
        }
        self.packages();
        self.symbol_table();

        let array_space = self.places.end();
        debug_assert_eq!(array_space.0 % UNIT, 0);
        for name in ["\\ARRAYSPACE", "\\ArrayFrLst"] {
            self.set_value(name, array_space.0);
        }
        let last = MEGABYTES * MEGABYTE - 1;
        let first_mds = last + 1 - MDS_FROM_END;
        let first_array = array_space.page().0;
        for (at, page) in counters.into_iter().zip([first_mds, first_array, first_array, first_mds, first_array, last])
        {
            self.memory.set_cell(at, page);
        }
        for (word, value) in [
            (8, VERSION),
            (9, 0),
            (interface::LEAST_EMULATOR_VERSION, VERSION),
            (interface::MACHINE_TYPE, 3),
            (interface::KEY, KEY),
            (interface::STORAGE_FULL_STATE, FULLY_SWITCHED as u16),
            (interface::FULL_SPACE_USED, 0xFFFF),
            (interface::WIDE_POINTERS, 0xFFFF),
        ] {
            self.memory.set_word(interface_word(word), value);
        }
        for (word, value) in [(interface::LAST_FILE_PAGE_35, last), (interface::MEGABYTES_35, MEGABYTES)] {
            self.memory.set_cell(interface_word(word), value);
        }
        debug_assert_eq!(record(0), LispPtr(0x2C_0000));
        Ok(())
    }
}
