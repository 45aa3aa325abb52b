//! Symbols, values, words: looking at Lisp's objects, and changing them.

use crate::{Answer, Monitor, Problem, Session, Verdict, arguments};
use vm::address::{AtomIndex, LispPtr};
use vm::inspect::code::Definition;
use vm::inspect::print::{Limits, Printed, type_name};
use vm::inspect::storage::References;
use vm::inspect::{code, function_name};
use vm::layout::{Layout, SMALL_NEGATIVE, SMALL_POSITIVE, type_entry, type_number, types};

/// Words shown if nothing else is said: a line.
const LINE_WORDS: u32 = 8;
/// Cells of an object that `show` prints.
const MOST_CELLS: u32 = 24;

impl Monitor {
    /// `symbol NAME`
    pub(crate) fn symbol<'t, L: Layout>(&mut self, s: &mut Session<'_, L>, words: &[&'t str]) -> Answer<'t> {
        let [name] = *words else { return Err(Problem::Usage) };
        let symbol = s.symbol(name)?;
        let (space, cell) = (s.m.space, s.m.space.cell(L::value_cell(symbol)));
        writeln!(s.out, "{}: symbol {:#x}", s.name(symbol), symbol.0)?;
        writeln!(
            s.out,
            "  value       at {:06x}  {cell:08x}  {}",
            L::value_cell(symbol).0,
            self.printed::<L>(s, cell)
        )?;
        let definition = L::definition_cell(symbol);
        write!(s.out, "  definition  at {:06x}  {:08x}  ", definition.0, space.cell(definition))?;
        self.write_definition(s, symbol)?;
        let plist = space.cell(L::plist_cell(symbol));
        writeln!(
            s.out,
            "  properties  at {:06x}  {plist:08x}  {}",
            L::plist_cell(symbol).0,
            self.printed::<L>(s, plist)
        )?;
        Ok(Verdict::Stay)
    }

    fn write_definition<L: Layout>(&self, s: &mut Session<'_, L>, symbol: AtomIndex) -> core::fmt::Result {
        let space = s.m.space;
        match code::definition::<L>(space, symbol) {
            Definition::None => writeln!(s.out, "none"),
            Definition::Code(at) => writeln!(s.out, "code of {} at {at:?}", s.name(function_name::<L>(space, at))),
            Definition::Closure(at, environment) => {
                writeln!(s.out, "closure of {} over {environment:?}", s.name(function_name::<L>(space, at)))
            }
            Definition::Interpreted(cell) => writeln!(s.out, "{}", self.printed::<L>(s, cell)),
        }
    }

    /// `value NAME`
    pub(crate) fn value<'t, L: Layout>(&mut self, s: &mut Session<'_, L>, words: &[&'t str]) -> Answer<'t> {
        let [name] = *words else { return Err(Problem::Usage) };
        let cell = s.m.space.cell(L::value_cell(s.symbol(name)?));
        writeln!(s.out, "{}", self.printed::<L>(s, cell))?;
        Ok(Verdict::Stay)
    }

    /// `definition NAME`
    pub(crate) fn definition<'t, L: Layout>(&mut self, s: &mut Session<'_, L>, words: &[&'t str]) -> Answer<'t> {
        let [name] = *words else { return Err(Problem::Usage) };
        let symbol = s.symbol(name)?;
        self.write_definition(s, symbol)?;
        Ok(Verdict::Stay)
    }

    /// `properties NAME`
    pub(crate) fn properties<'t, L: Layout>(&mut self, s: &mut Session<'_, L>, words: &[&'t str]) -> Answer<'t> {
        let [name] = *words else { return Err(Problem::Usage) };
        let cell = s.m.space.cell(L::plist_cell(s.symbol(name)?));
        writeln!(s.out, "{}", self.printed::<L>(s, cell))?;
        Ok(Verdict::Stay)
    }

    /// `show ADDRESS`
    pub(crate) fn show<'t, L: Layout>(&mut self, s: &mut Session<'_, L>, words: &[&'t str]) -> Answer<'t> {
        let [text] = *words else { return Err(Problem::Usage) };
        let at = s.address(text)?;
        let space = s.m.space;
        let number = type_number::<L>(space, at.0);
        write!(s.out, "{at:?} word {:#x}, page {:#x}: ", at.0, at.page().0)?;
        if number == 0 {
            writeln!(s.out, "of no type")?;
        } else {
            writeln!(s.out, "{}", s.name(type_name::<L>(space, number)))?;
        }
        writeln!(s.out, "  {}", self.printed::<L>(s, at.0))?;
        match s.m.references_to(at) {
            References::NotCounted => writeln!(s.out, "  references are not counted")?,
            References::Count(count, stack) => writeln!(
                s.out,
                "  {count} references{}",
                if stack { ", and marked as seen from the stack" } else { "" }
            )?,
        }
        let immediate = matches!(number, types::SMALLP | types::LITATOM | types::CHARACTERP);
        if !immediate && s.world.has(at.page()) {
            let even = LispPtr(at.0 & !1);
            let words = if number == types::LISTP { 2 } else { s.m.words_of_type(number) };
            for i in 0..words.div_ceil(2).clamp(1, MOST_CELLS) {
                self.write_cell(s, even.plus(2 * i))?;
            }
            if let Some(block) = s.m.array_block(at) {
                writeln!(s.out, "  array block of {} cells, {:?}", block.cells, block.contents)?;
            }
        }
        Ok(Verdict::Stay)
    }

    fn write_cell<L: Layout>(&self, s: &mut Session<'_, L>, at: LispPtr) -> core::fmt::Result {
        let cell = s.m.space.cell(at);
        let limits = Limits { depth: 1, ..self.limits };
        let number = type_number::<L>(s.m.space, cell);
        write!(s.out, "  {:06x}  {:04x} {:04x}  ", at.0, cell >> 16, cell & 0xFFFF)?;
        if number == 0 { writeln!(s.out) } else { writeln!(s.out, "{}", Printed::<L>::new(s.m.space, cell, limits)) }
    }

    /// `type ADDRESS`
    pub(crate) fn type_of<'t, L: Layout>(&mut self, s: &mut Session<'_, L>, words: &[&'t str]) -> Answer<'t> {
        let [text] = *words else { return Err(Problem::Usage) };
        let at = s.address(text)?;
        let entry = type_entry::<L>(s.m.space, at.0);
        let region = crate::pages::region_name::<L>(at);
        match u32::from(entry & 0x7FF) {
            0 => writeln!(s.out, "{at:?} is of no type, in {region}")?,
            number => {
                let name = s.name(type_name::<L>(s.m.space, number));
                writeln!(s.out, "{at:?} is a {name} (type {number}, entry {entry:04x}), in {region}")?
            }
        }
        Ok(Verdict::Stay)
    }

    /// `print ADDRESS`
    pub(crate) fn print<'t, L: Layout>(&mut self, s: &mut Session<'_, L>, words: &[&'t str]) -> Answer<'t> {
        let [text] = *words else { return Err(Problem::Usage) };
        let at = s.address(text)?;
        writeln!(s.out, "{}", self.printed::<L>(s, at.0))?;
        Ok(Verdict::Stay)
    }

    /// `words [ADDRESS [COUNT]]`: hexadecimal, both.
    pub(crate) fn words<'t, L: Layout>(&mut self, s: &mut Session<'_, L>, words: &[&'t str]) -> Answer<'t> {
        let (at, count) = match *words {
            [] => (self.next, LINE_WORDS),
            [at] => (s.address(at)?, LINE_WORDS),
            [at, count] => (s.address(at)?, arguments::hexadecimal_number(count)?.min(0x1_0000)),
            _ => return Err(Problem::Usage),
        };
        s.check(at)?;
        let end = LispPtr((at.0 + count).min(L::POINTER_MASK + 1));
        let mut line = at;
        while line < end {
            if !s.world.has(line.page()) {
                writeln!(s.out, "{:06x}  no page", line.0)?;
                line = line.page_base().plus(256);
                continue;
            }
            write!(s.out, "{:06x} ", line.0)?;
            let stop = line.plus(LINE_WORDS).min(end).min(line.page_base().plus(256));
            let mut text = [b' '; 2 * LINE_WORDS as usize];
            for i in 0..stop.0 - line.0 {
                let word = s.m.space.word(line.plus(i));
                write!(s.out, " {word:04x}")?;
                for (byte, place) in word.to_be_bytes().into_iter().zip(&mut text[2 * i as usize..]) {
                    *place = if (b' '..=b'~').contains(&byte) { byte } else { b'.' };
                }
            }
            for _ in stop.0 - line.0..LINE_WORDS {
                write!(s.out, "     ")?;
            }
            writeln!(s.out, "  {}", core::str::from_utf8(&text).unwrap_or(""))?;
            line = stop;
        }
        self.next = line;
        Ok(Verdict::Stay)
    }

    /// `cells ADDRESS [COUNT]`: each with what it is as a value.
    pub(crate) fn cells<'t, L: Layout>(&mut self, s: &mut Session<'_, L>, words: &[&'t str]) -> Answer<'t> {
        let (at, count) = match *words {
            [at] => (s.address(at)?, LINE_WORDS),
            [at, count] => (s.address(at)?, arguments::count(count)?),
            _ => return Err(Problem::Usage),
        };
        for i in 0..count {
            let at = LispPtr((at.0 & !1) + 2 * i);
            s.check(at)?;
            self.write_cell(s, at)?;
        }
        Ok(Verdict::Stay)
    }

    /// `@ NAME VALUE`: NIL, T or a small integer.
    pub(crate) fn set_value<'t, L: Layout>(&mut self, s: &mut Session<'_, L>, words: &[&'t str]) -> Answer<'t> {
        let [name, value] = *words else { return Err(Problem::Usage) };
        let symbol = s.symbol(name)?;
        let cell = match value {
            "NIL" => AtomIndex::NIL.0,
            "T" => AtomIndex::T.0,
            _ => match value.parse::<i32>().map_err(|_| Problem::NoNumber(value))? {
                number @ 0..=0xFFFF => SMALL_POSITIVE | number as u32,
                number @ -0x1_0000..=-1 => SMALL_NEGATIVE | number as u32 & 0xFFFF,
                _ => return Err(Problem::Because("the number is not between -65536 and 65535")),
            },
        };
        let at = L::value_cell(symbol);
        let old = s.m.space.cell(at);
        // The old value's references stay as they are: as in URaid, this is a last resort.
        s.m.space.set_cell(at, cell);
        writeln!(s.out, "it was {}, and is {}", self.printed::<L>(s, old), self.printed::<L>(s, cell))?;
        Ok(Verdict::Stay)
    }

    /// `< ADDRESS WORD`: hexadecimal, both.
    pub(crate) fn set_word<'t, L: Layout>(&mut self, s: &mut Session<'_, L>, words: &[&'t str]) -> Answer<'t> {
        let [at, value] = *words else { return Err(Problem::Usage) };
        let (at, word) = (s.address(at)?, arguments::hexadecimal_number(value)?);
        let word = u16::try_from(word).map_err(|_| Problem::Because("a word has 16 bits"))?;
        s.check(at)?;
        let old = s.m.space.word(at);
        s.m.space.set_word(at, word);
        writeln!(s.out, "{:06x}: it was {old:04x}, and is {word:04x}", at.0)?;
        Ok(Verdict::Stay)
    }

    /// `move FROM TO`: TO gets FROM's definition.
    pub(crate) fn move_definition<'t, L: Layout>(&mut self, s: &mut Session<'_, L>, words: &[&'t str]) -> Answer<'t> {
        let [from, to] = *words else { return Err(Problem::Usage) };
        let (from, to) = (s.symbol(from)?, s.symbol(to)?);
        let cell = s.m.space.cell(L::definition_cell(from));
        s.m.space.set_cell(L::definition_cell(to), cell);
        writeln!(s.out, "{} has the definition of {} now", s.name(to), s.name(from))?;
        Ok(Verdict::Stay)
    }

    /// `level [N]`
    pub(crate) fn level<'t, L: Layout>(&mut self, s: &mut Session<'_, L>, words: &[&'t str]) -> Answer<'t> {
        self.limits.depth = match *words {
            [] => 2,
            [level] => arguments::number(level)?.min(20),
            _ => return Err(Problem::Usage),
        };
        writeln!(s.out, "lists are printed {} deep", self.limits.depth)?;
        Ok(Verdict::Stay)
    }
}
