//! Lisp's address space, page by page.
//!
//! ```text
//!   region            from     pages    have  resident  written        a page here is 4 KiB, eight of Lisp's
//!   stack            010000      32      32        12        11
//!
//!   01 #######=..                                                      the picture: a character for so many pages
//! ```

use crate::surroundings::PAGE_WORDS;
use crate::{Answer, Monitor, Problem, Session, Verdict};
use vm::address::LispPtr;
use vm::layout::{CHARACTERS, DISPLAY, IOPAGE, Layout, SMALL_NEGATIVE, SMALL_POSITIVE, STACK};

/// Most regions.
const MOST: usize = 24;
/// Characters in a line of the picture.
const LINE: u32 = 64;
/// Lines of the picture.
const LINES: u32 = 32;

/// What a part of Lisp's space is for, by its start. The list is sorted.
fn regions<L: Layout>() -> ([(u32, &'static str); MOST], usize) {
    let symbols = if L::BIG { "symbols" } else { "print names" };
    let mut list = [
        (0, "low memory"),
        (IOPAGE.0, "input and output"),
        (STACK.0, "stack"),
        (L::FPTOVP.0, "map of the file"),
        (L::IFPAGE.0, "interface page"),
        (L::MISCSTATS.0, "statistics"),
        (L::UFN_TABLE.0, "UFN table"),
        (L::DTD.0, "type descriptors"),
        (L::MDS_TYPE_TABLE.0, "type table"),
        (L::ATOM_HASH_TABLE.0, "symbol hash table"),
        (L::pname_cell(vm::address::AtomIndex(0)).0, symbols),
        (L::HTMAIN.0, "reference counts"),
        (L::HTOVERFLOW.0, "large counts"),
        (L::HTCOLL.0, "collision chains"),
        (DISPLAY.0, "screen"),
        (L::ARRAY_SPACE.0, "arrays and objects"),
        (u32::MAX, ""),
        (u32::MAX, ""),
        (u32::MAX, ""),
        (u32::MAX, ""),
        (u32::MAX, ""),
        (u32::MAX, ""),
        (u32::MAX, ""),
        (u32::MAX, ""),
    ];
    let mut count = 16;
    let mut add = |start: u32, name| {
        list[count] = (start, name);
        count += 1;
    };
    if !L::BIG {
        let nil = vm::address::AtomIndex(0);
        add(L::value_cell(nil).0, "values");
        add(L::definition_cell(nil).0, "definitions");
        add(L::plist_cell(nil).0, "property lists");
    }
    add(SMALL_POSITIVE, "small integers");
    add(SMALL_NEGATIVE, "small integers");
    if L::BIG {
        add(CHARACTERS, "characters");
    }
    list.sort_unstable();
    (list, count)
}

/// What a word is part of.
pub(crate) fn region_name<L: Layout>(at: LispPtr) -> &'static str {
    let (list, count) = regions::<L>();
    list[..count].iter().rev().find(|region| region.0 <= at.0).map_or("nothing", |region| region.1)
}

/// Counts of a range of pages.
#[derive(Default)]
struct Sum {
    pages: u32,
    resident: u32,
    written: u32,
    watched: u32,
}

fn sum<L: Layout>(monitor: &Monitor, s: &Session<'_, L>, first: u32, end: u32) -> Sum {
    let watched = monitor.watches.iter().flatten().map(|watch| watch.at.0 / PAGE_WORDS);
    let mut sum = Sum { watched: watched.filter(|page| (first..end).contains(page)).count() as u32, ..Sum::default() };
    for number in first..end {
        let page = s.world.page(number);
        sum.pages += u32::from(page.pages > 0);
        sum.resident += u32::from(page.resident);
        sum.written += u32::from(page.written);
    }
    sum
}

impl Monitor {
    /// `pages`
    pub(crate) fn pages<'t, L: Layout>(&mut self, s: &mut Session<'_, L>, _: &[&'t str]) -> Answer<'t> {
        writeln!(s.out, "region              from   pages of 4 KiB: there  resident   written")?;
        let (list, count) = regions::<L>();
        let mut all = Sum::default();
        for (i, &(start, name)) in list[..count].iter().enumerate() {
            let end = list[..count].get(i + 1).map_or(L::POINTER_MASK + 1, |next| next.0);
            // Several may be in one page: the first has it.
            let (first, end) = (start.div_ceil(PAGE_WORDS), end.div_ceil(PAGE_WORDS));
            let sum = sum(self, s, first, end);
            if sum.pages > 0 {
                writeln!(
                    s.out,
                    "{name:18} {start:06x} {:21} {:9} {:9}{}",
                    sum.pages,
                    sum.resident,
                    sum.written,
                    if sum.watched > 0 { "  watched" } else { "" }
                )?;
            }
            all.pages += sum.pages;
            all.resident += sum.resident;
            all.written += sum.written;
        }
        writeln!(s.out, "{:25} {:21} {:9} {:9}", "all", all.pages, all.resident, all.written)?;
        s.world.paging(s.out)?;
        Ok(Verdict::Stay)
    }

    /// `counters`
    pub(crate) fn counters<'t, L: Layout>(&mut self, s: &mut Session<'_, L>, _: &[&'t str]) -> Answer<'t> {
        s.world.paging(s.out)?;
        Ok(Verdict::Stay)
    }

    /// `map [FIRST [END]]`
    pub(crate) fn map<'t, L: Layout>(&mut self, s: &mut Session<'_, L>, words: &[&'t str]) -> Answer<'t> {
        let (first, end) = match *words {
            [] => (LispPtr(0), LispPtr(L::POINTER_MASK)),
            [first] => (s.address(first)?, LispPtr(L::POINTER_MASK)),
            [first, end] => (s.address(first)?, s.address(end)?),
            _ => return Err(Problem::Usage),
        };
        let (first, end) = (first.0 / PAGE_WORDS, end.0 / PAGE_WORDS + 1);
        if first >= end {
            return Err(Problem::Usage);
        }
        let each = (end - first).div_ceil(LINE * LINES).next_power_of_two();
        writeln!(
            s.out,
            "a character is {each} page{} of 4 KiB ({:#x} words): . none  - on disk  = resident  # written  ! watched",
            crate::plural(each),
            each * PAGE_WORDS
        )?;
        let mut line = first;
        while line < end {
            let line_end = (line + LINE * each).min(end);
            if sum(self, s, line, line_end).pages > 0 {
                write!(s.out, "{:07x} ", line * PAGE_WORDS)?;
                let mut at = line;
                while at < line_end {
                    let sum = sum(self, s, at, (at + each).min(line_end));
                    let mark = match sum {
                        Sum { watched: 1.., .. } => '!',
                        Sum { written: 1.., .. } => '#',
                        Sum { resident: 1.., .. } => '=',
                        Sum { pages: 1.., .. } => '-',
                        _ => '.',
                    };
                    s.out.write_char(mark)?;
                    at += each;
                }
                writeln!(s.out)?;
            }
            line = line_end;
        }
        Ok(Verdict::Stay)
    }

    /// `devices`
    pub(crate) fn devices<'t, L: Layout>(&mut self, s: &mut Session<'_, L>, _: &[&'t str]) -> Answer<'t> {
        s.world.devices(s.out)?;
        let page = |word| s.m.space.word(IOPAGE.plus(word));
        write!(s.out, "Lisp's keys (0: down)")?;
        for word in 61..68 {
            write!(s.out, " {:04x}", page(word))?;
        }
        writeln!(s.out, ", mouse {} {}, cursor {} {}", page(59), page(60), page(238), page(239))?;
        writeln!(s.out, "Lisp has rested {} times", s.m.idleness.rests)?;
        Ok(Verdict::Stay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vm::layout::{Medley2, Medley35};

    #[test]
    fn every_region_has_a_name() {
        for (at, name) in
            [(0x1_2345, "stack"), (0x12_3456, "screen"), (0xC_0004, "values"), (0x50_0000, "arrays and objects")]
        {
            assert_eq!(region_name::<Medley2>(LispPtr(at)), name);
        }
        assert_eq!(region_name::<Medley35>(LispPtr(0x2C_0100)), "symbols");
        assert_eq!(region_name::<Medley35>(LispPtr(0xFFF_FFFF)), "arrays and objects");
    }
}
