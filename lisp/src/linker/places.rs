//! Where things go in Lisp's space, and handing that space out.
//!
//! ```text
//!   002E0000  what lives for ever, in units of two pages, each of one type:
//!             code, print names and elements of arrays (type 0, not counted), conses, strings, floats ...
//!   ........  array space, which the world gives out itself and which grows up
//!             ...
//!   ........  MDS, which the machine gives out and which grows down
//!   01FFFC00  its first unit
//! ```
//!
//! The type table has a word for each unit: type number, and flags. Objects that live for ever have the flag "not
//! counted", and then the collector does not look at them.

use super::memory::Memory;
use vm::address::LispPtr;
use vm::layout::{Layout, Medley35};

/// Words in a unit.
pub(super) const UNIT: u32 = 512;
/// Units that are taken at once for what has no type.
const RUN: u32 = 64;
/// Flag of a type-table word: references are not counted.
pub(super) const NOT_COUNTED: u16 = 0x8000;

/// A supply of words of one type.
#[derive(Clone, Copy, Default)]
struct Supply {
    next: u32,
    end: u32,
}

/// Hands out space for what lives for ever.
pub(super) struct Places {
    next_unit: u32,
    untyped: Supply,
    typed: std::collections::BTreeMap<u16, Supply>,
}

impl Places {
    pub(super) fn new() -> Places {
        Places { next_unit: Medley35::ARRAY_SPACE.0, untyped: Supply::default(), typed: Default::default() }
    }

    fn units(&mut self, memory: &mut Memory, count: u32, entry: u16) -> Supply {
        let next = self.next_unit;
        self.next_unit += count * UNIT;
        memory.supply(LispPtr(next), count * UNIT);
        for unit in 0..count {
            memory.set_word(Medley35::MDS_TYPE_TABLE.plus((next + unit * UNIT) >> 9), entry | NOT_COUNTED);
        }
        Supply { next, end: next + count * UNIT }
    }

    /// Words without a type, from a quadword on.
    pub(super) fn block(&mut self, memory: &mut Memory, words: u32) -> LispPtr {
        let words = words.next_multiple_of(4);
        if self.untyped.end - self.untyped.next < words {
            self.untyped = self.units(memory, words.div_ceil(UNIT).max(RUN), 0);
        }
        self.untyped.next += words;
        LispPtr(self.untyped.next - words)
    }

    /// An object of so many words whose unit has this type-table word. Objects do not cross pages.
    pub(super) fn object(&mut self, memory: &mut Memory, entry: u16, words: u32) -> LispPtr {
        let mut supply = self.typed.get(&entry).copied().unwrap_or_default();
        if supply.next & 0xFF != 0 && (supply.next & 0xFF) + words > 0x100 {
            supply.next = (supply.next | 0xFF) + 1;
        }
        if supply.end.saturating_sub(supply.next) < words {
            supply = self.units(memory, 1, entry);
        }
        supply.next += words;
        self.typed.insert(entry, supply);
        LispPtr(supply.next - words)
    }

    /// A page whose unit has this type-table word.
    pub(super) fn page(&mut self, memory: &mut Memory, entry: u16) -> LispPtr {
        self.object(memory, entry, 0x100)
    }

    /// Where array space can begin.
    pub(super) fn end(&self) -> LispPtr {
        LispPtr(self.next_unit)
    }
}
