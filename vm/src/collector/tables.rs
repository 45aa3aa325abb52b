//! The tables of reference counts.
//!
//! Almost every object has exactly one reference, so only the others are written down. HTmain has one entry for each
//! even 16-bit offset (`LOLOC / 2`), so objects collide when they are at the same offset of different segments:
//!
//! ```text
//!                    31 (15)                                  0
//!   an object        | count      | stack | segment      | 0 |   fields of 15, 1, 15, 1 bits; in Medley 2.0 6, 1, 8, 1
//!   a chain          | offset of its first link in HTcoll| 1 |
//!   empty            | 0                                     |   every object here has one reference
//!
//!   HTcoll   0: first free link   1: first link never used   2..: links, two entries each
//!
//!   link     | an object (as above) | offset of the next link, or 0 |
//!   free     | 0                    | offset of the next free link  |
//! ```
//!
//! An entry with no references and no stack bit is garbage. A chain has at least two links: when one is left it moves
//! back into HTmain. Links freed last are used first. A count at its maximum continues in HTbig; see
//! [`super::big_counts`]. Offsets count entries. The format is the D-machine microcode's; the 32-bit entries came with
//! Medley 3.5.

use crate::address::LispPtr;
use crate::layout::Layout;
use crate::memory::Space;

/// Entries in HTmain: one for each even offset in a segment.
pub(super) const MAIN_ENTRIES: u32 = 0x8000;
/// Marks a chain.
pub(super) const COLLISION: u32 = 1;
/// Where HTcoll keeps its first free link.
const FREE_LINKS: u32 = 0;
/// Where HTcoll keeps its first link that was never used.
const UNUSED_LINKS: u32 = 1;

/// The shape of an entry in each layout.
pub(super) trait Entries: Layout {
    /// Words in an entry.
    const ENTRY_WORDS: u32;
    /// One reference.
    const ONE: u32;
    /// The greatest count, shifted into place; an entry that has it continues in HTbig.
    const MAX_COUNT: u32;
    /// Set while a stack frame refers to the object.
    const STACK_BIT: u32;
    /// The bits that hold the segment, which is shifted up by one.
    const SEGMENT: u32;
    /// HTcoll is full when its first unused link is here.
    const COLLISION_LIMIT: u32;

    /// Links that a chain can have: its objects are at the same offset of different segments.
    const MOST_LINKS: u32 = (Self::SEGMENT >> 1) + 1;

    /// Count and stack bit.
    const USES: u32 = Self::MAX_COUNT | Self::STACK_BIT;

    /// The segment of a pointer as an entry has it.
    #[inline(always)]
    fn segment_bits(cell: u32) -> u32 {
        cell >> 15 & Self::SEGMENT
    }

    /// Where the entry of a pointer is in HTmain.
    #[inline(always)]
    fn main_entry(cell: u32) -> LispPtr {
        LispPtr(Self::HTMAIN.0 + ((cell & 0xFFFF) >> 1) * Self::ENTRY_WORDS)
    }

    /// Where an offset is in HTcoll.
    #[inline(always)]
    fn collision_entry(offset: u32) -> LispPtr {
        LispPtr(Self::HTCOLL.0.wrapping_add(offset.wrapping_mul(Self::ENTRY_WORDS)))
    }

    /// The object that an entry is about, which hangs on HTmain's entry number `probe`.
    #[inline(always)]
    fn object(entry: u32, probe: u32) -> LispPtr {
        LispPtr((entry & Self::SEGMENT) << 15 | probe << 1)
    }

    /// Reads an entry.
    #[inline(always)]
    fn load(space: Space, at: LispPtr) -> u32 {
        if Self::ENTRY_WORDS == 2 { space.cell(at) } else { space.word(at) as u32 }
    }

    /// Writes an entry.
    #[inline(always)]
    fn store(space: Space, at: LispPtr, entry: u32) {
        if Self::ENTRY_WORDS == 2 { space.set_cell(at, entry) } else { space.set_word(at, entry as u16) }
    }
}

impl<L: Layout> Entries for L {
    const ENTRY_WORDS: u32 = if L::BIG { 2 } else { 1 };
    const ONE: u32 = if L::BIG { 1 << 17 } else { 1 << 10 };
    const MAX_COUNT: u32 = if L::BIG { 0x7FFF << 17 } else { 0x3F << 10 };
    const STACK_BIT: u32 = if L::BIG { 1 << 16 } else { 1 << 9 };
    const SEGMENT: u32 = if L::BIG { 0x1FFE } else { 0x1FE };
    const COLLISION_LIMIT: u32 = if L::BIG { 0x8_0000 - 16 } else { 0x1_0000 - 16 };
}

/// A place on a chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Link {
    /// Where the link is in HTcoll.
    pub(super) at: u32,
    /// The link before it, if it is not the first.
    pub(super) previous: Option<u32>,
}

impl Link {
    /// The first link of the chain on an entry.
    #[inline]
    pub(super) fn first(entry: u32) -> Link {
        Link { at: entry & !COLLISION, previous: None }
    }

    /// The link behind this one.
    #[inline]
    pub(super) fn next<L: Layout>(self, space: Space) -> Option<Link> {
        match L::load(space, L::collision_entry(self.at.wrapping_add(1))) {
            0 => None,
            at => Some(Link { at, previous: Some(self.at) }),
        }
    }

    /// Where the object of this link is.
    #[inline]
    pub(super) fn entry<L: Layout>(self) -> LispPtr {
        L::collision_entry(self.at)
    }
}

/// Takes a link from the free ones; `None` if HTcoll is full.
pub(super) fn take_link<L: Layout>(space: Space) -> Option<u32> {
    let free = L::load(space, L::collision_entry(FREE_LINKS));
    if free != 0 {
        let next = L::load(space, L::collision_entry(free.wrapping_add(1)));
        L::store(space, L::collision_entry(FREE_LINKS), next);
        return Some(free);
    }
    let unused = L::load(space, L::collision_entry(UNUSED_LINKS));
    if unused >= L::COLLISION_LIMIT {
        return None;
    }
    L::store(space, L::collision_entry(UNUSED_LINKS), unused + 2);
    Some(unused)
}

/// Puts a link back among the free ones.
fn free_link<L: Layout>(space: Space, at: u32) {
    let free = L::load(space, L::collision_entry(FREE_LINKS));
    L::store(space, L::collision_entry(at), 0);
    L::store(space, L::collision_entry(at.wrapping_add(1)), free);
    L::store(space, L::collision_entry(FREE_LINKS), at);
}

/// Makes a chain of the one object that HTmain has at `entry`, with room for another in front; says where the room
/// is, or `None` if HTcoll is full.
pub(super) fn start_chain<L: Layout>(space: Space, entry: LispPtr) -> Option<LispPtr> {
    let link = take_link::<L>(space)?;
    let old = take_link::<L>(space)?;
    L::store(space, L::collision_entry(old + 1), 0);
    L::store(space, L::collision_entry(old), L::load(space, entry));
    L::store(space, L::collision_entry(link + 1), old);
    L::store(space, entry, link | COLLISION);
    Some(L::collision_entry(link))
}

/// Makes room in front of the chain on `entry`; says where the room is, or `None` if HTcoll is full.
pub(super) fn extend_chain<L: Layout>(space: Space, entry: LispPtr) -> Option<LispPtr> {
    let link = take_link::<L>(space)?;
    L::store(space, L::collision_entry(link + 1), L::load(space, entry) & !COLLISION);
    L::store(space, entry, link | COLLISION);
    Some(L::collision_entry(link))
}

/// Takes a link off the chain on `entry`, and the chain itself apart if one object is left.
pub(super) fn remove_link<L: Layout>(space: Space, entry: LispPtr, link: Link) {
    let next = L::load(space, L::collision_entry(link.at.wrapping_add(1)));
    match link.previous {
        Some(previous) => L::store(space, L::collision_entry(previous.wrapping_add(1)), next),
        None => L::store(space, entry, next | COLLISION),
    }
    free_link::<L>(space, link.at);
    let first = L::load(space, entry) & !COLLISION;
    if L::load(space, L::collision_entry(first.wrapping_add(1))) == 0 {
        L::store(space, entry, L::load(space, L::collision_entry(first)));
        free_link::<L>(space, first);
    }
}

/// The nearest entry of HTmain below `probe` that may have garbage: an object without references, or a chain.
pub(super) fn scan_for_garbage<L: Layout>(space: Space, probe: u32) -> Option<u32> {
    scan::<L>(space, probe, |entry| entry != 0 && (entry & COLLISION != 0 || entry & L::USES == 0))
}

/// The nearest entry of HTmain below `probe` that may have a stack bit: an object that has, or a chain.
pub(super) fn scan_for_stack_bits<L: Layout>(space: Space, probe: u32) -> Option<u32> {
    scan::<L>(space, probe, |entry| entry & (L::STACK_BIT | COLLISION) != 0)
}

#[inline(always)]
fn scan<L: Layout>(space: Space, probe: u32, wanted: impl Fn(u32) -> bool) -> Option<u32> {
    let wanted = |probe: u32| wanted(L::load(space, LispPtr(L::HTMAIN.0 + probe * L::ENTRY_WORDS)));
    let mut probe = probe;
    while probe != 0 {
        // Most of the time there is nothing for long: look at eight at once, without a jump between them.
        if probe.is_multiple_of(8) && !(1..=8).fold(false, |found, back| found | wanted(probe - back)) {
            probe -= 8;
            continue;
        }
        probe -= 1;
        if wanted(probe) {
            return Some(probe);
        }
    }
    None
}
