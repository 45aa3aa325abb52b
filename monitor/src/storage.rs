//! The collector and storage.

use crate::{Answer, Monitor, Problem, Session, Verdict, arguments};
use core::fmt;
use vm::inspect::storage::Type;
use vm::layout::Layout;

/// Free lists of array space.
const BUCKETS: u32 = 31;

impl Monitor {
    /// `storage`
    pub(crate) fn storage<'t, L: Layout>(&mut self, s: &mut Session<'_, L>, _: &[&'t str]) -> Answer<'t> {
        let e = s.m.extent();
        match (e.collector_disabled, e.countdown) {
            (true, _) => writeln!(s.out, "collector: switched off for good")?,
            (false, None) => writeln!(s.out, "collector: at work, or switched off for now")?,
            (false, Some(left)) => writeln!(s.out, "collector: after {left} more objects")?,
        }
        let t = s.m.reference_tables();
        writeln!(
            s.out,
            "counts: {} objects alone in an entry, {} on {} chains (longest {}), {} with large counts",
            t.single, t.chained, t.chains, t.longest, t.large
        )?;
        writeln!(
            s.out,
            "        {} without references, {} marked from the stack, {} links used and {} of them free{}",
            t.unreferenced,
            t.from_stack,
            t.used_links,
            t.free_links,
            if t.damaged > 0 { "; THERE ARE DAMAGED CHAINS" } else { "" }
        )?;
        writeln!(
            s.out,
            "space:  {} pages in the image, arrays up to page {:#x}, objects down to page {:#x}{}",
            e.pages,
            e.next_array_page,
            e.next_mds_page,
            if e.second_part { ", in the second part" } else { "" }
        )?;
        let (mut blocks, mut cells, mut sound) = (0, 0, true);
        for bucket in 0..BUCKETS {
            let list = s.m.free_array_blocks(bucket);
            blocks += list.0;
            cells += list.1;
            sound &= list.2;
        }
        let damage = if sound { "" } else { "; THERE ARE DAMAGED FREE LISTS" };
        writeln!(s.out, "arrays: {cells} cells free in {blocks} blocks{damage}")?;
        Ok(Verdict::Stay)
    }

    /// `types [COUNT]`
    pub(crate) fn types<'t, L: Layout>(&mut self, s: &mut Session<'_, L>, words: &[&'t str]) -> Answer<'t> {
        let most = match *words {
            [] => 20,
            [count] => arguments::count(count)?,
            _ => return Err(Problem::Usage),
        };
        writeln!(s.out, "type                             words  pages  free cells  made so far")?;
        // Without memory to sort in: the largest first, one after the other.
        let mut before = (u32::MAX, 0);
        let world = &*s.world;
        let exists = |page| world.has(page);
        for _ in 0..most {
            let size = |t: &Type| (t.units, u32::MAX - t.number);
            let next = s.m.types(&exists).filter(|t| t.units > 0 && size(t) < before).max_by_key(size);
            let Some(t) = next else { break };
            before = size(&t);
            write!(s.out, "{:3} ", t.number)?;
            padded(s.out, 28, format_args!("{}", vm::symbols::name::<L>(s.m.space, t.name)))?;
            let counted = if t.counted { "" } else { "  not counted" };
            writeln!(s.out, " {:5} {:6} {:11} {:12}{counted}", t.words, 2 * t.units, t.free, t.made)?;
        }
        Ok(Verdict::Stay)
    }

    /// `free [BUCKET]`
    pub(crate) fn free<'t, L: Layout>(&mut self, s: &mut Session<'_, L>, words: &[&'t str]) -> Answer<'t> {
        let chosen = match *words {
            [] => None,
            // As in URaid: the size of a block in cells chooses the list.
            [cells] => Some((u32::BITS - arguments::number(cells)?.leading_zeros()).min(BUCKETS - 1)),
            _ => return Err(Problem::Usage),
        };
        let mut found = false;
        for bucket in (0..BUCKETS).filter(|&bucket| chosen.is_none_or(|chosen| chosen == bucket)) {
            let (blocks, cells, sound) = s.m.free_array_blocks(bucket);
            if let Some(first) = s.m.first_free_array_block(bucket) {
                found = true;
                writeln!(
                    s.out,
                    "from {:5} cells: {blocks} block{}, {cells} cells, first {first:?}{}",
                    1u32 << (bucket.max(1) - 1),
                    crate::plural(blocks),
                    if sound { "" } else { ", DAMAGED" }
                )?;
            }
        }
        if !found {
            writeln!(s.out, "no free blocks{}", if chosen.is_some() { " of that size" } else { "" })?;
        }
        Ok(Verdict::Stay)
    }

    /// `block ADDRESS`
    pub(crate) fn block<'t, L: Layout>(&mut self, s: &mut Session<'_, L>, words: &[&'t str]) -> Answer<'t> {
        let [text] = *words else { return Err(Problem::Usage) };
        let at = s.address(text)?;
        s.check(at)?;
        let Some(block) = s.m.array_block(at).or_else(|| s.m.array_block(at.plus(2))) else {
            return Err(Problem::Because("there is no header of an array block there or right before"));
        };
        writeln!(
            s.out,
            "block from {:?} to {:?}: {} cells, {}, {:?}, trailer {}",
            block.at,
            block.end,
            block.cells,
            if block.in_use { "in use" } else { "free" },
            block.contents,
            if block.sound { "sound" } else { "DIFFERENT FROM THE HEADER" }
        )?;
        Ok(Verdict::Stay)
    }
}

/// Writes something in at least so many columns.
pub(crate) fn padded(out: &mut dyn fmt::Write, columns: usize, what: fmt::Arguments<'_>) -> fmt::Result {
    struct Counting<'a>(&'a mut dyn fmt::Write, usize);
    impl fmt::Write for Counting<'_> {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.1 += text.len();
            self.0.write_str(text)
        }
    }
    let mut counting = Counting(out, 0);
    fmt::Write::write_fmt(&mut counting, what)?;
    let done = counting.1;
    (done..columns).try_for_each(|_| out.write_char(' '))
}
