//! Words of a command line as addresses, numbers, symbols and functions.

use crate::{Problem, Session};
use vm::address::{AtomIndex, LispPtr};
use vm::inspect::code;
use vm::layout::{Layout, type_number, types};
use vm::symbols;

/// Words in a unit of storage: all its objects are of one type.
const UNIT_WORDS: u32 = 512;

/// A hexadecimal number, with or without `0x`.
fn hexadecimal(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    u32::from_str_radix(digits, 16).ok()
}

/// A decimal number, or one with `0x` or `0o` before it.
pub(crate) fn number(text: &str) -> Result<u32, Problem<'_>> {
    let parsed = match text.get(..2) {
        Some("0x") => u32::from_str_radix(&text[2..], 16),
        Some("0o") => u32::from_str_radix(&text[2..], 8),
        _ => text.parse(),
    };
    parsed.map_err(|_| Problem::NoNumber(text))
}

/// Two octal halves, in braces or not.
fn halves(text: &str) -> Option<u32> {
    let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
    let (high, low) = inner.split_once(',')?;
    let half = |text: &str| u32::from_str_radix(text, 8).ok().filter(|half| *half <= 0xFFFF);
    Some(half(high)? << 16 | half(low)?)
}

impl<L: Layout> Session<'_, L> {
    /// A word address.
    pub(crate) fn address<'t>(&self, text: &'t str) -> Result<LispPtr, Problem<'t>> {
        let r = &self.m.regs;
        let at = match text {
            "pc" => r.pc >> 1,
            "sp" => r.sp,
            "tos" => r.tos & L::POINTER_MASK,
            "pvar" => r.pvar,
            "ivar" => r.ivar,
            "func" => self.m.func.0,
            _ => match text.strip_prefix('@') {
                Some(name) => self.m.space.cell(L::value_cell(self.symbol(name)?)) & L::POINTER_MASK,
                None => halves(text).or_else(|| hexadecimal(text)).ok_or(Problem::NoAddress(text))?,
            },
        };
        if at > L::POINTER_MASK {
            return Err(Problem::NoAddress(text));
        }
        Ok(LispPtr(at))
    }

    /// An address, or the place of a symbol's value; a quote says that it is a symbol.
    pub(crate) fn place<'t>(&self, text: &'t str) -> Result<LispPtr, Problem<'t>> {
        if let Some(name) = text.strip_prefix('\'') {
            return self.symbol(name).map(L::value_cell);
        }
        match self.address(text) {
            Err(Problem::NoAddress(_)) => self.symbol(text).map(L::value_cell),
            other => other,
        }
    }

    /// A symbol, by name.
    pub(crate) fn symbol<'t>(&self, text: &'t str) -> Result<AtomIndex, Problem<'t>> {
        symbols::look_up::<L>(self.m.space, text).or_else(|| self.search(text)).ok_or(Problem::NoSymbol(text))
    }

    /// A symbol that is in none of the tables that the machine knows: a world may keep its own. All symbols by number, and
    /// then all that are objects.
    fn search(&self, text: &str) -> Option<AtomIndex> {
        let numbers = (0..0x1_0000).map(AtomIndex).take_while(|symbol| self.world.has(L::pname_cell(*symbol).page()));
        let mut named = numbers.filter(|symbol| self.m.space.cell(L::pname_cell(*symbol)) & L::POINTER_MASK != 0);
        let by_number = named.find(|symbol| symbols::has_name::<L>(self.m.space, *symbol, text));
        by_number.or_else(|| self.search_objects(text))
    }

    /// A symbol that is an object of its own.
    fn search_objects(&self, text: &str) -> Option<AtomIndex> {
        let (space, size) = (self.m.space, self.m.words_of_type(types::NEW_ATOM).max(2));
        let units = (0..=L::POINTER_MASK).step_by(UNIT_WORDS as usize).filter(|unit| {
            let entry = LispPtr(L::MDS_TYPE_TABLE.0 + (unit >> 9));
            self.world.has(entry.page()) && type_number::<L>(space, *unit) == types::NEW_ATOM
        });
        // Objects fill a unit, or each of its two pages.
        let starts = |words: u32| (0..words / size).map(move |i| i * size);
        let rest = UNIT_WORDS / 2 % size;
        let by_page = rest != 0 && rest < size / 2;
        let places = units.flat_map(move |unit| {
            let (first, second) = if by_page { (UNIT_WORDS / 2, UNIT_WORDS / 2) } else { (UNIT_WORDS, 0) };
            starts(first).chain(starts(second).map(move |at| first + at)).map(move |at| AtomIndex(unit + at))
        });
        let mut named = places.filter(|symbol| space.cell(L::pname_cell(*symbol)) & L::POINTER_MASK != 0);
        named.find(|symbol| symbols::has_name::<L>(space, *symbol, text))
    }

    /// A function's header, by its symbol or by `{..}` or `0x..`.
    pub(crate) fn function<'t>(&self, text: &'t str) -> Result<LispPtr, Problem<'t>> {
        if let Some(at) = halves(text).or_else(|| text.starts_with("0x").then(|| hexadecimal(text)).flatten()) {
            return Ok(LispPtr(at & L::POINTER_MASK));
        }
        if text == "func" {
            return Ok(self.m.func);
        }
        let symbol = self.symbol(text)?;
        code::definition::<L>(self.m.space, symbol).header().ok_or(Problem::NoCode(text))
    }

    /// An instruction: `FUNCTION`, which is its first one, or `FUNCTION+OFFSET` as the monitor shows it.
    pub(crate) fn instruction<'t>(&self, text: &'t str) -> Result<(LispPtr, u32), Problem<'t>> {
        if let Some((name, offset)) = text.rsplit_once('+')
            && !name.is_empty()
            && let Ok(offset) = number(offset)
        {
            let header = self.function(name)?;
            return Ok((header, header.byte().0.wrapping_add(offset)));
        }
        let header = self.function(text)?;
        Ok((header, code::first_instruction(self.m.space, header).0))
    }
}

/// A small number: for counts of things to show.
pub(crate) fn count(text: &str) -> Result<u32, Problem<'_>> {
    number(text).map(|count| count.min(100_000))
}

/// A hexadecimal number, as URaid wants them.
pub(crate) fn hexadecimal_number(text: &str) -> Result<u32, Problem<'_>> {
    hexadecimal(text).ok_or(Problem::NoNumber(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_addresses() {
        assert_eq!(hexadecimal("0x12aB"), Some(0x12AB));
        assert_eq!(hexadecimal("face"), Some(0xFACE));
        assert_eq!(hexadecimal("faces"), None);
        assert_eq!(halves("{12,34567}"), Some(0xA_3977));
        assert_eq!(halves("12,34567"), Some(0xA_3977));
        assert_eq!(halves("{12,200000}"), None);
        assert_eq!(number("17"), Ok(17));
        assert_eq!(number("0o17"), Ok(15));
        assert_eq!(number("0x17"), Ok(23));
        assert_eq!(number("x"), Err(Problem::NoNumber("x")));
    }
}
