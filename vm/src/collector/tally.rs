//! Counting what is in the tables of reference counts; the format is in [`super::tables`].

use super::tables::{COLLISION, Entries, Link, MAIN_ENTRIES};
use crate::address::{AtomIndex, LispPtr};
use crate::layout::Layout;
use crate::memory::Space;

/// What is in the tables.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tables {
    /// Entries of HTmain about one object.
    pub single: u32,
    /// Entries of HTmain with a chain.
    pub chains: u32,
    /// Objects on chains.
    pub chained: u32,
    /// Objects on the longest chain.
    pub longest: u32,
    /// Objects without references: garbage, unless the stack refers to them.
    pub unreferenced: u32,
    /// Objects with a mark for a reference from the stack.
    pub from_stack: u32,
    /// Links of HTcoll that were used and are free now.
    pub free_links: u32,
    /// Links of HTcoll that were ever used.
    pub used_links: u32,
    /// Objects with counts too large for an entry.
    pub large: u32,
    /// Chains that do not end where they should.
    pub damaged: u32,
}

/// References to an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum References {
    /// Nobody counts them.
    NotCounted,
    /// So many; true: also marked as referred to from the stack.
    Count(u32, bool),
}

/// Goes through all tables.
pub(crate) fn tables<L: Layout>(space: Space) -> Tables {
    let mut t = Tables::default();
    let note = |t: &mut Tables, entry: u32| {
        if entry & L::MAX_COUNT == 0 {
            t.unreferenced += 1;
        }
        if entry & L::STACK_BIT != 0 {
            t.from_stack += 1;
        }
        if entry & L::MAX_COUNT == L::MAX_COUNT {
            t.large += 1;
        }
    };
    for probe in 0..MAIN_ENTRIES {
        let entry = L::load(space, LispPtr(L::HTMAIN.0 + probe * L::ENTRY_WORDS));
        if entry == 0 {
            continue;
        }
        if entry & COLLISION == 0 {
            t.single += 1;
            note(&mut t, entry);
            continue;
        }
        t.chains += 1;
        let mut links = 0;
        let mut link = Some(Link::first(entry));
        while let Some(place) = link
            && links <= L::MOST_LINKS
        {
            links += 1;
            note(&mut t, L::load(space, place.entry::<L>()));
            link = place.next::<L>(space);
        }
        t.chained += links;
        t.longest = t.longest.max(links);
        t.damaged += u32::from(link.is_some() || links < 2);
    }
    t.used_links = L::load(space, L::collision_entry(1)).saturating_sub(2) / 2;
    let mut free = L::load(space, L::collision_entry(0));
    while free != 0 && t.free_links <= t.used_links {
        t.free_links += 1;
        free = L::load(space, L::collision_entry(free.wrapping_add(1)));
    }
    t
}

/// The references to an object that is counted.
pub(crate) fn references<L: Layout>(space: Space, object: LispPtr) -> References {
    let segment = L::segment_bits(object.0);
    let count = |entry: u32| {
        let count = (entry & L::MAX_COUNT) / L::ONE;
        let large = entry & L::MAX_COUNT == L::MAX_COUNT;
        let count = if large { large_count::<L>(space, object).unwrap_or(count) } else { count };
        References::Count(count, entry & L::STACK_BIT != 0)
    };
    let entry = L::load(space, L::main_entry(object.0));
    // An object that is in no table has one reference.
    let one = References::Count(1, false);
    if entry == 0 {
        return one;
    }
    if entry & COLLISION == 0 {
        return if entry & L::SEGMENT == segment { count(entry) } else { one };
    }
    let mut link = Some(Link::first(entry));
    for _ in 0..=L::MOST_LINKS {
        let Some(place) = link else { break };
        let entry = L::load(space, place.entry::<L>());
        if entry & L::SEGMENT == segment {
            return count(entry);
        }
        link = place.next::<L>(space);
    }
    one
}

/// A count that is too large for an entry.
fn large_count<L: Layout>(space: Space, object: LispPtr) -> Option<u32> {
    let rows = (0..0x1000).map(|row| L::HTBIG.plus(4 * row)).take_while(|row| space.cell(*row) != 0);
    let mut rows = rows.filter(|row| space.cell(*row) != AtomIndex::T.0);
    rows.find(|row| space.cell(*row) == object.0 & !1).map(|row| space.cell(row.plus(2)))
}
