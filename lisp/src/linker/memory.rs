//! The pages of the world that is being built.
//!
//! ```text
//!   page number -> 256 words      a page comes into being when it is asked for, or written to
//! ```
//!
//! Addresses are the machine's: words, and bytes with the more significant one of a word first.

use std::collections::BTreeMap;
use vm::address::{LispPage, LispPtr, WORDS_PER_PAGE};

/// Words of a page.
pub(super) type Page = [u16; WORDS_PER_PAGE as usize];

/// Lisp's memory, as far as there is any.
#[derive(Default)]
pub(super) struct Memory {
    pages: BTreeMap<u32, Box<Page>>,
}

impl Memory {
    fn page(&mut self, page: LispPage) -> &mut Page {
        self.pages.entry(page.0).or_insert_with(|| Box::new([0; WORDS_PER_PAGE as usize]))
    }

    /// Makes sure that the pages of these words exist.
    pub(super) fn supply(&mut self, at: LispPtr, words: u32) {
        for page in at.page().0..=at.plus(words.max(1) - 1).page().0 {
            self.page(LispPage(page));
        }
    }

    /// All pages, by number.
    pub(super) fn pages(&self) -> impl Iterator<Item = (LispPage, &Page)> {
        self.pages.iter().map(|(number, page)| (LispPage(*number), &**page))
    }

    /// A word; 0 where there is no page.
    pub(super) fn word(&self, at: LispPtr) -> u16 {
        self.pages.get(&at.page().0).map_or(0, |page| page[(at.0 % WORDS_PER_PAGE) as usize])
    }

    /// Stores a word.
    pub(super) fn set_word(&mut self, at: LispPtr, word: u16) {
        self.page(at.page())[(at.0 % WORDS_PER_PAGE) as usize] = word;
    }

    /// A cell.
    pub(super) fn cell(&self, at: LispPtr) -> u32 {
        (self.word(at) as u32) << 16 | self.word(at.plus(1)) as u32
    }

    /// Stores a cell.
    pub(super) fn set_cell(&mut self, at: LispPtr, cell: u32) {
        self.set_word(at, (cell >> 16) as u16);
        self.set_word(at.plus(1), cell as u16);
    }

    /// Stores a byte, `byte` bytes behind the first one of a word.
    pub(super) fn set_byte(&mut self, at: LispPtr, byte: u32, value: u8) {
        let at = at.plus(byte / 2);
        let shift = if byte.is_multiple_of(2) { 8 } else { 0 };
        self.set_word(at, self.word(at) & !(0xFF << shift) | (value as u16) << shift);
    }
}
