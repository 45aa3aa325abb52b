//! What has to be read to fill one 4 KiB page of Lisp space, and how file bytes become memory.
//!
//! An x86-64 page holds eight Lisp pages of 512 bytes, which may lie anywhere in the sysout file:
//!
//! ```text
//!   4 KiB page  | 0   | 1   | 2   | 3   | 4   | 5   | 6   | 7   |     slots
//!   file page     812   813    -    814   97    -     -    96         from FPtoVP
//!   requests      812..815 -> slots 0, 1, 3        96..98 -> slots 7, 4
//! ```
//!
//! Files hold 16-bit words most significant byte first. In memory each 32-bit cell is native (little-endian), so the
//! conversion is a byte swap of every 32-bit group.

/// Bytes of a Lisp page and of a disk sector.
pub const LISP_PAGE: usize = 512;
/// Lisp pages in a 4 KiB page.
pub const SLOTS: usize = 8;

/// Table entry of a Lisp page that does not exist.
pub const ABSENT: u32 = u32::MAX;
/// Table entry of a Lisp page that the allocator made and no file has: zeroes.
pub const NEW: u32 = u32::MAX - 1;

/// One request to the disk: `count` neighbouring file pages from `first`, for the slots in `slots[..count]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Run {
    /// First file page (sector).
    pub first: u32,
    /// How many.
    pub count: usize,
    /// Which slot each of them belongs to.
    pub slots: [u8; SLOTS],
}

/// The requests that fill one 4 KiB page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Plan {
    runs: [Run; SLOTS],
    length: usize,
    /// Lisp pages that exist, in the file or new.
    pub existing: usize,
}

impl Plan {
    /// Plans the page whose eight table entries are `entries` (a file page, [`ABSENT`] or [`NEW`]).
    pub fn new(entries: &[u32; SLOTS]) -> Self {
        let mut order: [(u32, u8); SLOTS] = core::array::from_fn(|slot| (entries[slot], slot as u8));
        order.sort_unstable();
        let mut plan = Self { existing: entries.iter().filter(|&&entry| entry != ABSENT).count(), ..Self::default() };
        for (page, slot) in order {
            if page >= NEW {
                break;
            }
            let joins = plan.length > 0 && {
                let last = plan.runs[plan.length - 1];
                last.first + last.count as u32 == page
            };
            if !joins {
                plan.runs[plan.length].first = page;
                plan.length += 1;
            }
            let run = &mut plan.runs[plan.length - 1];
            run.slots[run.count] = slot;
            run.count += 1;
        }
        plan
    }

    /// The requests, by rising file page.
    pub fn runs(&self) -> &[Run] {
        &self.runs[..self.length]
    }

    /// File pages to read.
    pub fn file_pages(&self) -> usize {
        self.runs().iter().map(|run| run.count).sum()
    }
}

/// Turns bytes in file order into memory order, or back.
///
/// # Panics
/// When the lengths differ or are no multiple of four.
pub fn swap_groups(from: &[u8], to: &mut [u8]) {
    assert_eq!(from.len(), to.len());
    assert_eq!(from.len() % 4, 0);
    for (from, to) in from.chunks_exact(4).zip(to.chunks_exact_mut(4)) {
        to.copy_from_slice(&[from[3], from[2], from[1], from[0]]);
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    #[test]
    fn the_picture_above() {
        let plan = Plan::new(&[812, 813, ABSENT, 814, 97, ABSENT, ABSENT, 96]);
        let runs: Vec<_> = plan.runs().iter().map(|run| (run.first, run.slots[..run.count].to_vec())).collect();
        assert_eq!(runs, [(96, [7, 4].to_vec()), (812, [0, 1, 3].to_vec())]);
        assert_eq!((plan.existing, plan.file_pages()), (5, 5));
    }

    #[test]
    fn nothing_and_new() {
        let plan = Plan::new(&[ABSENT; SLOTS]);
        assert_eq!((plan.existing, plan.runs().len()), (0, 0));
        let plan = Plan::new(&[NEW, ABSENT, 5, NEW, NEW, NEW, NEW, NEW]);
        assert_eq!((plan.existing, plan.file_pages()), (7, 1));
    }

    #[test]
    fn two_slots_of_one_file_page_are_two_requests() {
        // Only a damaged FPtoVP does that; both slots must still be filled.
        let plan = Plan::new(&[7, 7, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, 8]);
        let mut slots: Vec<u8> = plan.runs().iter().flat_map(|run| run.slots[..run.count].to_vec()).collect();
        slots.sort_unstable();
        assert_eq!(slots, [0, 1, 7]);
    }

    #[test]
    fn words_land_where_the_machine_looks() {
        // Words 0x0102 and 0x0304, byte by byte as in the file.
        let mut memory = [0; 4];
        swap_groups(&[1, 2, 3, 4], &mut memory);
        assert_eq!(u32::from_le_bytes(memory), 0x0102_0304);
        let word = |w: usize| u16::from_le_bytes([memory[2 * (w ^ 1)], memory[2 * (w ^ 1) + 1]]);
        assert_eq!((word(0), word(1)), (0x0102, 0x0304));
        let bytes: Vec<u8> = (0..4).map(|b| memory[b ^ 3]).collect();
        assert_eq!(bytes, [1, 2, 3, 4]);
    }
}
