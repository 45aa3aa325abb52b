//! Whole programs, tried: a small world without an image, and an assembler over the ISA table.
//!
//! A [`Workbench`] is a machine with storage, collector, type table, a few types and one stack frame; it is the same
//! world in both layouts. Functions are written as text:
//!
//! ```text
//!   w.define(Function { name: "FACT", arguments: &["N"], .. }, "
//!       IVAR0  NIL  EQ  TJUMPX end
//!       IVAR0  IVAR0  SIC 1  IDIFFERENCE  FN1 FACT  ITIMES2  RETURN
//!     end: ONE  RETURN
//!   ");
//! ```
//!
//! An opcode is written by its name in the table, then its operands: a number, the name of a symbol (for atoms), of a
//! variable (for slots of IVARX, PVARX, FVARX: words), of an object (for pointers), or a label (for distances).
//!
//! ```text
//!   12000 stack    1E000 its guard    600000 code    700000 blocks    720000 NEW-ATOM records    ..7FFE00 MDS
//! ```

use crate::address::{AtomIndex, LispPtr};
use crate::calls::{BASIC_FRAME, FRAME_EXTENSION, FRAME_WORDS};
use crate::frames::{Frame, make_free, make_guard};
use crate::isa::{OPCODES, Operand};
use crate::layout::{CHARACTERS, Layout, SMALL_NEGATIVE, SMALL_POSITIVE, type_number, types};
use crate::lists::{ConsPage, ListIter, car_of, cdr_of, make_cons};
use crate::machine::{Exit, Regs};
use crate::startup::Session;
use crate::storage::TypeDescriptor;
use crate::storage::tests::{FIRST_MDS_PAGE, with_storage};
use crate::sysout::interface;
use crate::testing::Fixture;
use core::sync::atomic::Ordering;
use std::collections::HashMap;
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

const STACK_START: u32 = 0x1_2000;
const STACK_END: u32 = 0x1_E000;
const CODE: u32 = 0x60_0000;
const BLOCKS: u32 = 0x70_0000;
const RECORDS: u32 = 0x72_0000;
/// Everything below is not counted.
const UNCOUNTED: u32 = 0x74_0000;
/// Words of a function header.
const HEADER_WORDS: u32 = 8;
/// Words of stack that a function asks for.
const STACK_NEED: u16 = 200;
/// Of a type-table word: not counted, number, integer.
const NOT_COUNTED: u16 = 0x8000;
const NUMBER: u16 = 0x1000;
const INTEGER: u16 = 0x3000;
/// An alink behind which there is no frame.
const NO_FRAME: u32 = 11;
/// Instructions after which a program is taken to be in a loop.
const PATIENCE: u64 = 1_000_000;
/// The first symbol number that is free for tests.
const FIRST_SYMBOL: u32 = 3000;

/// What symbols a program gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SymbolKind {
    /// Numbers.
    Numbered,
    /// NEW-ATOM records.
    Records,
}

/// A function's frame. A UFN's name begins with `\UFN`, for such symbols must have numbers.
#[derive(Clone, Copy, Default)]
pub(crate) struct Function<'a> {
    pub(crate) name: &'a str,
    /// Arguments. Those whose names begin with `*` can be found by other functions.
    pub(crate) arguments: &'a [&'a str],
    /// Takes any number of arguments.
    pub(crate) any_number: bool,
    /// PVARs; the same goes for their names.
    pub(crate) locals: &'a [&'a str],
    /// Free variables.
    pub(crate) free: &'a [&'a str],
}

/// A small world.
pub(crate) struct Workbench<L: Layout> {
    pub(crate) m: Fixture<L>,
    kind: SymbolKind,
    symbols: HashMap<String, u32>,
    objects: HashMap<String, u32>,
    next_symbol: u32,
    next_code: u32,
    next_block: u32,
    next_record: u32,
    next_type: u32,
}

impl<L: Layout> Workbench<L> {
    pub(crate) fn new(kind: SymbolKind) -> Self {
        let m = with_storage::<L>();
        let space = m.space;
        for at in (0..UNCOUNTED).step_by(512) {
            space.set_word(L::MDS_TYPE_TABLE.plus(at >> 9), NOT_COUNTED);
        }
        for (segment, entry) in [
            (0, types::LITATOM as u16),
            (CHARACTERS, types::CHARACTERP as u16),
            (SMALL_POSITIVE, types::SMALLP as u16 | INTEGER),
            (SMALL_NEGATIVE, types::SMALLP as u16 | INTEGER),
        ] {
            for at in (segment..segment + 0x1_0000).step_by(512) {
                space.set_word(L::MDS_TYPE_TABLE.plus(at >> 9), entry | NOT_COUNTED);
            }
        }
        space.set_cell(m.symbols.gc_disabled, 0);
        // The first link of HTcoll that was never used.
        if L::BIG {
            space.set_cell(L::HTCOLL.plus(2), 2);
        } else {
            space.set_word(L::HTCOLL.plus(1), 2);
        }
        for countdown in [m.symbols.reclaim_countdown, m.symbols.reclaim_min] {
            space.set_cell(countdown, SMALL_POSITIVE | 50_000);
        }
        let mut w = Workbench {
            m,
            kind,
            symbols: HashMap::from([("NIL".to_string(), 0), ("T".to_string(), AtomIndex::T.0)]),
            objects: HashMap::new(),
            next_symbol: FIRST_SYMBOL,
            next_code: CODE,
            next_block: BLOCKS,
            next_record: RECORDS,
            next_type: 80,
        };
        w.symbols.insert("\\INTERPRETER".to_string(), 256);
        w.symbols.insert("EVALFORM".to_string(), 248);
        w.symbols.insert("\\MVLIST".to_string(), w.m.symbols.mv_list.0);
        w.declare(types::FIXP, 2, INTEGER, &[]);
        w.declare(types::FLOATP, 2, NUMBER, &[]);
        w.declare(types::COMPILED_CLOSURE, 4, 0, &[0, 2]);
        w.declare(types::ONED_ARRAY, 8, 0, &[0]);
        w
    }

    /// Makes a type of objects with pointers at these words.
    fn declare(&mut self, number: u32, words: u16, flags: u16, pointers: &[u32]) {
        let name = self.symbol(&format!("TYPE-{number}"));
        let descriptor = TypeDescriptor::<L>::of(number);
        descriptor.declare(self.m.space, name, words, number as u16 | flags, 0);
        let offsets: Vec<u32> = pointers.iter().map(|at| SMALL_POSITIVE | at).collect();
        let list = self.list(&offsets);
        crate::collector::add_reference(&mut self.m, list);
        self.m.space.set_cell(L::DTD.plus(if L::BIG { 18 * number + 10 } else { 16 * number + 8 }), list);
    }

    /// A new type with the name of a symbol; its number.
    pub(crate) fn new_type(&mut self, name: &str, words: u16) -> u32 {
        let number = self.next_type;
        self.next_type += 1;
        let name = self.symbol(name);
        TypeDescriptor::<L>::of(number).declare(self.m.space, name, words, number as u16, 0);
        number
    }

    /// A new object.
    pub(crate) fn object(&mut self, type_number: u32) -> LispPtr {
        crate::storage::create_cell(&mut self.m, type_number).unwrap()
    }

    /// A list.
    pub(crate) fn list(&mut self, elements: &[u32]) -> u32 {
        elements.iter().rev().fold(0, |list, element| make_cons(&mut self.m, *element, list).unwrap())
    }

    /// Words of memory that are no object.
    pub(crate) fn block(&mut self, words: u32) -> LispPtr {
        self.next_block += words.next_multiple_of(2);
        LispPtr(self.next_block - words.next_multiple_of(2))
    }

    /// The symbol of this name.
    pub(crate) fn symbol(&mut self, name: &str) -> u32 {
        if let Some(symbol) = self.symbols.get(name) {
            return *symbol;
        }
        let symbol = if self.kind == SymbolKind::Numbered || name.starts_with("\\UFN") {
            self.next_symbol += 1;
            self.next_symbol
        } else {
            self.next_record += 10;
            let at = self.next_record;
            self.m.space.set_word(L::MDS_TYPE_TABLE.plus(at >> 9), types::NEW_ATOM as u16 | NOT_COUNTED);
            at
        };
        self.m.space.set_cell(L::value_cell(AtomIndex(symbol)), AtomIndex::NOBIND.0);
        self.symbols.insert(name.to_string(), symbol);
        symbol
    }

    /// Names an object for GCONST.
    pub(crate) fn name_object(&mut self, name: &str, cell: u32) {
        self.objects.insert(name.to_string(), cell);
    }

    /// Sets a symbol's top-level value.
    pub(crate) fn set_value(&mut self, name: &str, cell: u32) {
        let symbol = self.symbol(name);
        self.m.space.set_cell(L::value_cell(AtomIndex(symbol)), cell);
    }

    /// A symbol's top-level value.
    pub(crate) fn value(&mut self, name: &str) -> u32 {
        let symbol = self.symbol(name);
        self.m.space.cell(L::value_cell(AtomIndex(symbol)))
    }

    /// Assembles a function and makes it the definition of its symbol; its header.
    pub(crate) fn define(&mut self, function: Function<'_>, text: &str) -> LispPtr {
        let space = self.m.space;
        let symbol = self.symbol(function.name);
        let header = LispPtr(self.next_code);
        let variables = function.locals.len() + function.free.len();

        // The name table: special arguments, special locals, then all free variables.
        let mut entries = Vec::new();
        for (names, kind) in [(function.arguments, 0), (function.locals, 0x8000_0000u32)] {
            for (slot, name) in names.iter().enumerate().filter(|(_, name)| name.starts_with('*')) {
                entries.push((self.symbol(name), kind | slot as u32));
            }
        }
        let first_free = entries.len() as u32;
        for (i, name) in function.free.iter().enumerate() {
            entries.push((self.symbol(name), 0xC000_0000 | (function.locals.len() + i) as u32));
        }
        let table_words = 2 * (entries.len() as u32).next_multiple_of(2);
        for (i, (name, place)) in entries.iter().enumerate() {
            let at = header.plus(HEADER_WORDS + 2 * i as u32);
            space.set_cell(at, *name);
            space.set_cell(at.plus(table_words), *place);
        }
        let start = 2 * (HEADER_WORDS + 2 * table_words);
        let code = self.assemble(&function, text);
        for (i, byte) in code.iter().enumerate() {
            space.set_byte(header.byte().plus(start + i as u32), *byte);
        }
        self.next_code += (start + code.len() as u32 + 2).div_ceil(2).next_multiple_of(4);

        let arguments = if function.any_number { 0xFFFF } else { function.arguments.len() as u16 };
        space.set_word(header, STACK_NEED);
        space.set_word(header.plus(1), arguments);
        space.set_word(header.plus(2), (variables.div_ceil(2) as u16).wrapping_sub(1));
        space.set_word(header.plus(3), start as u16);
        space.set_cell(header.plus(4), symbol);
        space.set_word(header.plus(6), table_words as u16);
        space.set_word(header.plus(7), (function.locals.len() as u16) << 8 | (HEADER_WORDS + 2 * first_free) as u16);
        // Compiled, any arguments evaluated.
        space.set_cell(L::definition_cell(AtomIndex(symbol)), 0x8000_0000 | header.0);
        header
    }

    fn assemble(&mut self, function: &Function<'_>, text: &str) -> Vec<u8> {
        let mut code = Vec::new();
        let mut labels = HashMap::new();
        let mut jumps = Vec::new();
        let mut tokens = text.split_whitespace();
        while let Some(token) = tokens.next() {
            if let Some(label) = token.strip_suffix(':') {
                labels.insert(label, code.len());
                continue;
            }
            let row = OPCODES.iter().find(|row| row.name == token).unwrap_or_else(|| panic!("{token} is no opcode"));
            let start = code.len();
            code.push(row.number);
            for operand in row.operands {
                let written = tokens.next().unwrap_or_else(|| panic!("an operand of {token}"));
                let number = match written.strip_prefix("0o") {
                    Some(octal) => u32::from_str_radix(octal, 8).ok(),
                    None => written.parse().ok(),
                };
                let value = match operand {
                    Operand::Atom => self.symbol(written),
                    Operand::Pointer => self.objects[written],
                    Operand::Signed => {
                        jumps.push((start, code.len(), written));
                        0
                    }
                    Operand::Byte => number.unwrap_or_else(|| 2 * slot(function, row.name, written)),
                    Operand::Word => number.unwrap_or_else(|| panic!("{written} is no number")),
                };
                let bytes = value.to_be_bytes();
                code.extend_from_slice(&bytes[4 - operand.length::<L>() as usize..]);
            }
        }
        for (start, at, label) in jumps {
            let distance = labels[label] as i32 - start as i32;
            code[at] = i8::try_from(distance).unwrap_or_else(|_| panic!("{label} is too far")) as u8;
        }
        code
    }

    /// Gives a symbol a definition that is no code.
    pub(crate) fn define_as(&mut self, name: &str, cell: u32) {
        let symbol = self.symbol(name);
        self.m.space.set_cell(L::definition_cell(AtomIndex(symbol)), cell);
    }

    /// Makes a function the UFN of an opcode.
    pub(crate) fn define_ufn(&mut self, opcode: u8, function: &str, operand_bytes: u32, arguments: u32) {
        let symbol = self.symbol(function);
        assert!(symbol < 0x1_0000, "UFNs are symbols by number");
        self.m.space.set_cell(L::UFN_TABLE.plus(2 * opcode as u32), symbol << 16 | operand_bytes << 8 | arguments);
    }

    /// Makes a frame at the bottom of the stack that will call a function with arguments that are on the stack, and then
    /// log out; the cell where the value will be.
    fn bottom_frame(&mut self, name: &str, arguments: usize) -> LispPtr {
        let opcode = match arguments {
            0..=4 => format!("FN{arguments} {name}"),
            _ => format!("FNX {arguments} {name}"),
        };
        let outermost = Function { name: "outermost", locals: &["result", "unused"], ..Default::default() };
        let header = self.define(outermost, &format!("{opcode} PVAR_0 SUBRCALL 0o15 0"));
        let space = self.m.space;
        let frame = Frame::at(space, LispPtr(STACK_START + 2));
        space.set_cell(LispPtr(STACK_START), BASIC_FRAME | (STACK_START & 0xFFFF));
        space.set_cell(frame.at, FRAME_EXTENSION | NO_FRAME);
        frame.set_header::<L>(header);
        space.set_cell(frame.at.plus(8), (STACK_START & 0xFFFF) << 16 | (NO_FRAME - 1));
        frame.set_pc(space.word(header.plus(3)));
        let result = frame.first_pvar();
        assert_eq!(result, frame.at.plus(FRAME_WORDS));
        space.fill_cells(result, 2, u32::MAX);
        let next = result.plus(4);
        frame.set_next_block(next.low());
        make_free(space, next, STACK_END - next.0).unwrap();
        make_guard(space, LispPtr(STACK_END), 2).unwrap();
        self.m.set_ifpage_word(interface::CURRENT_FRAME, frame.offset());
        self.m.set_ifpage_word(interface::STACK_BASE, STACK_START as u16);
        self.m.set_ifpage_word(interface::END_OF_STACK, STACK_END as u16);
        result
    }

    /// Runs until the function called by [`Self::bottom_frame`] has returned; its value.
    fn run_to_end(&mut self, name: &str, result: LispPtr) -> u32 {
        let exit = self.m.run_stepping(PATIENCE);
        assert_eq!(exit, Exit::Logout, "{name} in {}: {}", L::NAME, self.where_it_is());
        assert_eq!(self.m.regs.pvar, result.0, "{name} returns to the frame it was called from");
        self.m.space.cell(result)
    }

    /// Calls a function; its value.
    pub(crate) fn run(&mut self, name: &str, arguments: &[u32]) -> u32 {
        let result = self.bottom_frame(name, arguments.len());
        let mut r = Regs { pvar: result.0, sp: result.0 + 4, ..Default::default() };
        self.m.resume_frame(&mut r);
        for argument in arguments {
            self.m.push(&mut r, *argument);
        }
        self.m.regs = r;
        self.m.stack_end = LispPtr(STACK_END);
        self.m.attention.end.store(STACK_END, Ordering::Relaxed);
        self.m.attention.limit.store(STACK_END - STACK_NEED as u32, Ordering::Relaxed);
        self.run_to_end(name, result)
    }

    /// Starts the world as a saved image, whose frame is about to call a function without arguments; the function's
    /// value.
    pub(crate) fn start_and_run(&mut self, name: &str, session: &Session) -> u32 {
        let result = self.bottom_frame(name, 0);
        self.m.start(session).unwrap();
        self.run_to_end(name, result)
    }

    /// The function that runs.
    fn where_it_is(&self) -> String {
        let symbol = self.m.space.cell(self.m.func.plus(4)) & L::POINTER_MASK;
        format!("{} at {:?}", self.show(symbol), self.m.regs)
    }

    /// A datum as text that is the same in both layouts.
    pub(crate) fn show(&self, cell: u32) -> String {
        let space = self.m.space;
        let cell = cell & L::POINTER_MASK;
        match type_number::<L>(space, cell) {
            types::SMALLP | types::FIXP => {
                format!("{}", crate::integers::integer_value(&*self.m, cell).unwrap())
            }
            types::FLOATP => format!("{:?}", f32::from_bits(space.cell(LispPtr(cell)))),
            types::CHARACTERP => format!("#\\{}", char::from_u32(cell & 0xFFFF).unwrap()),
            types::LITATOM | types::NEW_ATOM => {
                let named = self.symbols.iter().find(|(_, symbol)| **symbol == cell);
                named.map_or_else(|| format!("symbol {cell}"), |(name, _)| name.clone())
            }
            types::LISTP => {
                let mut text: Vec<String> =
                    ListIter::<L>::new(space, cell).take(10_000).map(|it| self.show(it)).collect();
                let mut last = cell;
                for _ in 0..10_000 {
                    if type_number::<L>(space, last) != types::LISTP {
                        break;
                    }
                    last = cdr_of::<L>(space, LispPtr(last));
                }
                if last != 0 {
                    text.push(format!(". {}", self.show(last)));
                }
                assert_eq!(self.show(car_of::<L>(space, LispPtr(cell))), text[0]);
                format!("({})", text.join(" "))
            }
            number => format!("<{number}>"),
        }
    }

    /// Free cells of all CONS pages.
    pub(crate) fn free_conses(&self) -> u32 {
        let first = self.m.counter(self.m.symbols.next_mds_page) + 2;
        (first..FIRST_MDS_PAGE + 2)
            .filter(|page| type_number::<L>(self.m.space, page << 8) == types::LISTP)
            .map(|page| ConsPage::<L::Cdr>::numbered(self.m.space, page).free_cells())
            .sum()
    }

    /// CONS cells in use: those that hold a CDR for another one count too.
    pub(crate) fn used_conses(&self) -> u32 {
        let first = self.m.counter(self.m.symbols.next_mds_page) + 2;
        let pages =
            (first..FIRST_MDS_PAGE + 2).filter(|page| type_number::<L>(self.m.space, page << 8) == types::LISTP);
        use crate::lists::CdrCoding;
        pages.count() as u32 * L::Cdr::PAGE_CELLS - self.free_conses()
    }
}

/// The slot of a variable, for an opcode on variables.
fn slot(function: &Function<'_>, opcode: &str, name: &str) -> u32 {
    let find = |names: &[&str]| names.iter().position(|it| *it == name);
    let slot = match opcode.as_bytes()[0] {
        b'I' => find(function.arguments),
        b'P' => find(function.locals),
        b'F' => find(function.free).map(|slot| slot + function.locals.len()),
        _ => None,
    };
    slot.unwrap_or_else(|| panic!("{name} is no variable for {opcode}")) as u32
}

/// Runs the same test in both layouts and with both kinds of symbols.
macro_rules! in_all_worlds {
    ($($(#[$attribute:meta])* $name:ident = $test:ident;)*) => {$(
        $(#[$attribute])*
        #[test]
        fn $name() {
            for kind in [$crate::workbench::SymbolKind::Numbered, $crate::workbench::SymbolKind::Records] {
                $test(&mut $crate::workbench::Workbench::<crate::layout::Medley2>::new(kind));
                $test(&mut $crate::workbench::Workbench::<crate::layout::Medley35>::new(kind));
            }
        }
    )*};
}
pub(crate) use in_all_worlds;
