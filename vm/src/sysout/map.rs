//! The map of a sysout: which Lisp page each file page holds.

use super::{LayoutKind, Sysout, SysoutError};
use crate::address::{FilePage, LispPage, StackOffset};

/// Marks a Lisp page that the image does not have, in the table that [`PageMap::invert`] fills.
pub const ABSENT: u32 = u32::MAX;

/// Which Lisp page each file page holds.
#[derive(Clone, Copy, Debug)]
pub struct PageMap<'a> {
    pub(super) sysout: Sysout,
    pub(super) entries: &'a [u8],
}

impl PageMap<'_> {
    /// The Lisp page that a file page holds, if it holds one.
    pub fn entry(&self, page: FilePage) -> Option<LispPage> {
        let entry = |bytes: usize| {
            let at = page.0 as usize * bytes;
            self.entries.get(at..at + bytes)
        };
        match self.sysout.layout {
            LayoutKind::Medley2 => {
                let value = u16::from_be_bytes(entry(2)?.try_into().ok()?);
                (value != 0xFFFF).then_some(LispPage(value as u32))
            }
            LayoutKind::Medley35 => {
                let value = u32::from_be_bytes(entry(4)?.try_into().ok()?);
                (value >> 16 != 0xFFFF).then_some(LispPage(value))
            }
        }
    }

    /// File pages that hold something, and what.
    pub fn pages(&self) -> impl Iterator<Item = (FilePage, LispPage)> + '_ {
        (0..self.sysout.pages).filter_map(|i| Some((FilePage(i), self.entry(FilePage(i))?)))
    }

    /// Checks the whole map and turns it around: `file_pages[lisp page]` becomes a file page or [`ABSENT`]. The table
    /// must have [`LayoutKind::max_pages`] entries.
    pub fn invert(&self, file_pages: &mut [u32]) -> Result<(), SysoutError> {
        let facts = self.sysout.layout.facts();
        assert!(file_pages.len() >= facts.max_pages as usize, "the table has an entry for each Lisp page");
        file_pages.fill(ABSENT);
        for (file, lisp) in self.pages() {
            if lisp.0 >= facts.max_pages {
                return Err(SysoutError::PageOutside { file, lisp, limit: facts.max_pages });
            }
            let slot = &mut file_pages[lisp.0 as usize];
            // The reference lists a stack page again each time the stack grows back over it, and saves the same bytes
            // for each entry; like its loader, we let the last one count.
            let of_stack = StackOffset(0).ptr().page().0..=StackOffset(u16::MAX).ptr().page().0;
            if *slot != ABSENT && !of_stack.contains(&lisp.0) {
                return Err(SysoutError::DuplicatePage { lisp, first: FilePage(*slot), second: file });
            }
            *slot = file.0;
        }
        for i in 0..self.sysout.map_pages() {
            let file = FilePage(self.sysout.map_start + i);
            let wanted = LispPage(facts.map.page().0 + i);
            if self.entry(file) != Some(wanted) {
                return Err(SysoutError::MapNotInMap { file, wanted });
            }
        }
        let stack_end = StackOffset(self.sysout.end_of_stack).ptr().page().0;
        let stack = (StackOffset(0).ptr().page().0..=stack_end).map(|page| (LispPage(page), "a page of the stack"));
        let tables = facts.required.iter().map(|&(at, what)| (at.page(), what));
        for (lisp, what) in tables.chain(stack) {
            if file_pages[lisp.0 as usize] == ABSENT {
                return Err(SysoutError::MissingPage { lisp, what });
            }
        }
        Ok(())
    }
}
