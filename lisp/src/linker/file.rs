//! The file: pages in order, and the map that says which is which.
//!
//! ```text
//!   file page 0   a page of nobody's: its entry in the map is empty
//!             1   the interface page
//!             2.. the map FPtoVP, with room for all entries
//!             ..  all other pages, by their number in Lisp's space
//! ```
//!
//! The map is itself part of Lisp's memory and lists its own pages too. Its first entry, 32 bits, is not used; the
//! next is that of file page 0. Format: `vm::sysout`.

use super::memory::{Memory, Page};
use vm::address::{BYTES_PER_PAGE, LispPage, LispPtr};
use vm::layout::{Layout, Medley35};
use vm::sysout::interface;

/// Entries of the map on a page.
const ENTRIES: u32 = 128;
/// A file page that holds nothing.
const EMPTY: u32 = 0xFFFF_FFFF;
/// The file page where the map begins.
const MAP: u32 = 2;

/// The world as a file. What the interface page says of the file is filled in here.
pub(super) fn write(memory: &mut Memory) -> Vec<u8> {
    let interface_page = Medley35::IFPAGE.page();
    let map_page = Medley35::FPTOVP.page();
    let rest: Vec<LispPage> = memory
        .pages()
        .map(|(number, _)| number)
        .filter(|number| *number != interface_page && !(map_page.0..map_page.0 + 0x400).contains(&number.0))
        .collect();
    // The unused entry counts too, and so do the pages of the map.
    let others = MAP + rest.len() as u32;
    let mut map_pages = 1;
    while (1 + others + map_pages) > map_pages * ENTRIES {
        map_pages += 1;
    }
    let pages = others + map_pages;

    let mut order = vec![None, Some(interface_page)];
    order.extend((0..map_pages).map(|i| Some(LispPage(map_page.0 + i))));
    order.extend(rest.into_iter().map(Some));
    for (i, page) in order.iter().enumerate() {
        let entry = page.map_or(EMPTY, |page| page.0);
        memory.set_cell(Medley35::FPTOVP.plus(2 * (i as u32 + 1)), entry);
    }
    for unused in pages + 1..map_pages * ENTRIES {
        memory.set_cell(Medley35::FPTOVP.plus(2 * unused), EMPTY);
    }
    let word = |number| Medley35::IFPAGE.plus(number);
    memory.set_word(word(interface::MAP_START), MAP as u16 + 1);
    memory.set_cell(word(interface::PAGES_35), pages);

    let mut bytes = Vec::with_capacity(pages as usize * BYTES_PER_PAGE);
    let contents: std::collections::HashMap<LispPage, &Page> = memory.pages().collect();
    for page in order {
        match page.and_then(|page| contents.get(&page)) {
            Some(page) => bytes.extend(page.iter().flat_map(|word| word.to_be_bytes())),
            None => bytes.resize(bytes.len() + BYTES_PER_PAGE, 0),
        }
    }
    bytes
}

/// Where the interface page keeps a word.
pub(super) fn interface_word(number: u32) -> LispPtr {
    Medley35::IFPAGE.plus(number)
}
