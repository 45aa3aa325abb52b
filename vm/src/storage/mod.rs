//! Storage: cells of a type, the pages they come from, new pages of the virtual memory, and running out.
//!
//! ```text
//!   low addresses                                                              high addresses
//!   | array space, grows up --> \NxtArrayPage ...     ... \NxtMDSPage <-- MDS, grows down, 2 pages a time |
//! ```
//!
//! MDS ("main data space") is made of units of two pages whose objects are all of one type; the type table has a word
//! for each unit. Free objects of a type are chained through their first cells, from the type's descriptor
//! ([`TypeDescriptor`]). When the two spaces meet, both may move on to a second part of the address space: see
//! [`full`].
//!
//! A page that is new to the virtual memory gets the next page of the sysout file, and an entry in FPtoVP, the table of
//! the Lisp page that each file page holds. FPtoVP itself must stay contiguous in the file, so when it needs another
//! page, that page takes the file page right behind the table's last one, and the page that was there goes to the end.

mod full;
#[cfg(test)]
pub(crate) mod tests;
mod types;

use crate::address::{AtomIndex, LispPage, LispPtr};
use crate::dispatch::Flow;
use crate::error::MachineError;
use crate::layout::{Layout, SMALL_NEGATIVE, SMALL_POSITIVE, type_number, types as numbers};
use crate::machine::{Exit, Machine};
use crate::platform::LogLevel;
use crate::sysout::{self, interface};
pub(crate) use full::{check_storage_full, note_full_state};
pub(crate) use types::TypeDescriptor;

/// Words in a unit of MDS: two pages.
const UNIT_WORDS: u32 = 512;
/// Pages in a unit of MDS.
const UNIT_PAGES: u32 = 2;
/// Words in a page.
const PAGE_WORDS: u32 = 256;

/// A new, zeroed object of a type, with no references to it. [`Flow::Ufn`] if the type has no objects of a fixed size.
pub(crate) fn create_cell<L: Layout>(m: &mut Machine<L>, type_number: u32) -> Result<LispPtr, Flow> {
    let space = m.space;
    let descriptor = TypeDescriptor::<L>::of(type_number);
    let size = descriptor.size(space);
    if size == 0 {
        return Err(Flow::Ufn);
    }
    let mut cell = descriptor.free(space);
    if cell == LispPtr::NIL {
        cell = refill(m, descriptor, size)?;
    }
    let next = LispPtr::from_cell::<L>(space.cell(cell));
    if next.0 & 1 != 0 {
        return Err(m.fatal(MachineError::BadStorage { what: "a free cell's link is odd", at: cell }));
    }
    descriptor.set_free(space, next);
    descriptor.count(space);
    space.fill_cells(cell, size.div_ceil(2), 0);
    crate::collector::delete_reference(m, cell.0);
    Ok(cell)
}

/// Gives a type a unit of MDS; its first free cell.
#[cold]
fn refill<L: Layout>(m: &mut Machine<L>, descriptor: TypeDescriptor<L>, size: u32) -> Result<LispPtr, Flow> {
    let unit = allocate_unit(m, descriptor.type_entry(m.space))?;
    let first = chain_unit(m, unit, size);
    if first == LispPtr::NIL {
        return Err(m.fatal(MachineError::BadStorage { what: "objects of a type do not fit its pages", at: unit }));
    }
    descriptor.set_free(m.space, first);
    Ok(first)
}

/// Chains the cells of a unit, the last one first. Objects cross the boundary between the two pages only if that saves
/// more than half an object a page, or if they are longer than a page.
fn chain_unit<L: Layout>(m: &Machine<L>, unit: LispPtr, size: u32) -> LispPtr {
    let rest = PAGE_WORDS % size;
    let (pages, words) =
        if rest != 0 && rest < size / 2 && size < PAGE_WORDS { (2, PAGE_WORDS) } else { (1, UNIT_WORDS) };
    let mut previous = LispPtr::NIL;
    for page in 0..pages {
        for i in 0..words / size {
            let cell = unit.plus(page * PAGE_WORDS + i * size);
            m.space.set_cell(cell, previous.0);
            previous = cell;
        }
    }
    previous
}

/// A unit of MDS for objects with this type-table entry: from the chain of free units, or new.
pub(crate) fn allocate_unit<L: Layout>(m: &mut Machine<L>, entry: u16) -> Result<LispPtr, Flow> {
    let space = m.space;
    let free_page = space.cell(m.symbols.mds_free_page) & 0xFFFF;
    let unit = if free_page != 0 {
        let unit = LispPtr(free_page << 8);
        let link = space.cell(unit);
        if link & 0xFFFF != 0 && type_number::<L>(space, link) != numbers::SMALLP {
            return Err(m.fatal(MachineError::BadStorage { what: "the chain of free MDS pages is damaged", at: unit }));
        }
        space.set_cell(m.symbols.mds_free_page, SMALL_POSITIVE | link & 0xFFFF);
        unit
    } else {
        check_storage_full(m, 0)?;
        let page = m.counter(m.symbols.next_mds_page);
        m.set_counter(m.symbols.next_mds_page, page.wrapping_sub(UNIT_PAGES));
        let unit = LispPtr(page << 8);
        new_page(m, LispPage(page))?;
        new_page(m, LispPage(page + 1))?;
        unit
    };
    space.set_word(LispPtr(L::MDS_TYPE_TABLE.0 + (unit.0 >> 9)), entry);
    Ok(unit)
}

/// Whether a page counter has been moved to a FIXP. Before the first one has, at the start, a unit of MDS may be needed to
/// make FIXPs from.
fn has_own_fixp<L: Layout>(counter: u32) -> bool {
    L::BIG && counter >= SMALL_NEGATIVE | 0xFFFF
}

impl<L: Layout> Machine<L> {
    /// The value of a page counter, by the value cell of its variable: a small integer, or a FIXP's value.
    pub(crate) fn counter(&self, variable: LispPtr) -> u32 {
        let cell = self.space.cell(variable);
        if has_own_fixp::<L>(cell) { self.space.cell(LispPtr::from_cell::<L>(cell)) } else { cell & 0xFFFF }
    }

    /// Sets a page counter. Medley 3.5 counts in place, in the FIXP that [`start`] made.
    pub(crate) fn set_counter(&mut self, variable: LispPtr, value: u32) {
        let cell = self.space.cell(variable);
        if has_own_fixp::<L>(cell) {
            self.space.set_cell(LispPtr::from_cell::<L>(cell), value);
        } else {
            self.space.set_cell(variable, SMALL_POSITIVE | value & 0xFFFF);
        }
    }

    /// Pages in the image.
    pub(crate) fn active_pages(&self) -> u32 {
        if L::BIG {
            self.space.cell(L::IFPAGE.plus(interface::PAGES_35))
        } else {
            self.ifpage_word(interface::PAGES_2) as u32
        }
    }

    pub(crate) fn set_active_pages(&mut self, pages: u32) {
        if L::BIG {
            self.space.set_cell(L::IFPAGE.plus(interface::PAGES_35), pages);
        } else {
            self.set_ifpage_word(interface::PAGES_2, pages as u16);
        }
    }

    /// The numbers of the image's file pages.
    pub(crate) fn file_pages(&self) -> core::ops::RangeInclusive<u32> {
        1..=self.active_pages().min(L::MAX_PAGES)
    }

    /// The Lisp page that FPtoVP has for a file page, counted from 1.
    pub(crate) fn page_of_file(&self, file_page: u32) -> u32 {
        if L::BIG {
            self.space.cell(L::FPTOVP.plus(file_page.wrapping_mul(2)))
        } else {
            self.space.word(L::FPTOVP.plus(file_page)) as u32
        }
    }

    pub(crate) fn set_page_of_file(&mut self, file_page: u32, page: u32) {
        if L::BIG {
            self.space.set_cell(L::FPTOVP.plus(file_page.wrapping_mul(2)), page);
        } else {
            self.space.set_word(L::FPTOVP.plus(file_page), page as u16);
        }
    }

    /// Asks the world for a page of memory.
    fn supply_page(&mut self, page: LispPage) -> Result<(), Flow> {
        if page.0 >= L::MAX_PAGES {
            let what = "a page beyond the address space is wanted";
            return Err(self.fatal(MachineError::BadStorage { what, at: page.base() }));
        }
        self.platform.new_page(page).map_err(|_| self.fatal(MachineError::OutOfMemory))
    }

    /// Tells Lisp of something through a bit of the interrupt state, and that there is something to be told.
    pub(crate) fn post_interrupt(&mut self, bit: u32) {
        let state = LispPtr::from_cell::<L>(self.space.cell(self.symbols.interrupt_state));
        self.space.set_cell(state, self.space.cell(state) | bit);
        self.space.set_cell(self.symbols.pending_interrupt, AtomIndex::T.0);
        self.attention.request();
    }
}

/// Bits of the cell at \INTERRUPTSTATE.
const STORAGE_FULL_INTERRUPT: u32 = 1 << 25;
const VMEM_FULL_INTERRUPT: u32 = 1 << 27;

/// So many pages before the last one Lisp is told that the virtual memory is full.
const VMEM_GUARD: u32 = 500;

/// Adds a page to the virtual memory, zeroed, with its entry in FPtoVP.
pub(crate) fn new_page<L: Layout>(m: &mut Machine<L>, page: LispPage) -> Result<(), Flow> {
    m.supply_page(page)?;
    let mut active = m.active_pages().wrapping_add(1);
    let (entries_per_page, entry_words) = if L::BIG { (128, 2) } else { (256, 1) };
    if active.is_multiple_of(entries_per_page) {
        // The entry is on a page of FPtoVP that does not exist yet.
        let LispPage(table_page) = L::FPTOVP.plus(active.wrapping_mul(entry_words)).page();
        m.supply_page(LispPage(table_page))?;
        let file_page = m.ifpage_word(interface::MAP_START) as u32 + table_page.wrapping_sub(L::FPTOVP.page().0);
        if m.page_of_file(file_page.wrapping_sub(1)) != table_page - 1 {
            m.platform.log(
                LogLevel::Warning,
                format_args!("FPtoVP is not contiguous: file page {file_page} should follow the table"),
            );
        }
        let moved = m.page_of_file(file_page);
        m.set_page_of_file(active, moved);
        m.set_page_of_file(file_page, table_page);
        active = active.wrapping_add(1);
    }
    m.set_page_of_file(active, page.0);
    m.set_active_pages(active);

    let last = m.counter(m.symbols.last_vmem_file_page);
    if active > last.wrapping_sub(VMEM_GUARD) {
        let state = m.symbols.vmem_full_state;
        if m.space.cell(state) == 0 {
            m.post_interrupt(VMEM_FULL_INTERRUPT);
        }
        let value = if active < last {
            SMALL_POSITIVE
        } else if m.ifpage_word(interface::KEY) == sysout::KEY {
            AtomIndex::T.0
        } else {
            m.symbols.dirty.unwrap_or(AtomIndex::T).0
        };
        m.space.set_cell(state, value);
    }
    Ok(())
}

/// Adds a page to the virtual memory unless it is there already. The stack shrinks and grows again, and its pages stay.
pub(crate) fn ensure_page<L: Layout>(m: &mut Machine<L>, page: LispPage) -> Result<(), Flow> {
    if m.file_pages().any(|file_page| m.page_of_file(file_page) == page.0) {
        return Ok(());
    }
    new_page(m, page)
}

/// Prepares storage when an image starts: the counters' FIXPs, and how far it may grow.
///
/// `megabytes` is the size that the user asks for; without it the image keeps its own, or gets all that its layout can
/// address.
pub(crate) fn start<L: Layout>(m: &mut Machine<L>, megabytes: Option<u32>) -> Result<(), MachineError> {
    start_or_exit(m, megabytes).map_err(|_| match m.exit.take() {
        Some(Exit::Fatal(error)) => error,
        _ => MachineError::BadStorage { what: "the page counters have no memory", at: L::DTD },
    })
}

fn start_or_exit<L: Layout>(m: &mut Machine<L>, megabytes: Option<u32>) -> Result<(), Flow> {
    let symbols = m.symbols;
    if L::BIG {
        for variable in [
            symbols.least_mds_page,
            symbols.second_mds_page,
            symbols.second_array_page,
            symbols.last_vmem_file_page,
            symbols.next_mds_page,
            symbols.next_array_page,
        ] {
            make_counter(m, variable)?;
        }
    }
    let own = if L::BIG {
        m.space.cell(L::IFPAGE.plus(interface::MEGABYTES_35))
    } else {
        m.ifpage_word(interface::MEGABYTES_2) as u32
    };
    let most = (L::MAX_PAGES / PAGES_PER_MEGABYTE).min(MOST_MEGABYTES);
    let default = if own == 0 { most.min(DEFAULT_MEGABYTES) } else { own };
    let size = megabytes.unwrap_or(default).clamp(LEAST_MEGABYTES, most);
    let state = m.ifpage_word(interface::STORAGE_FULL_STATE);
    let switched = state == full::ARRAY_SWITCHED || state == full::FULLY_SWITCHED;
    // Once the second part of the address space is in use its end cannot move.
    let size = if switched { default } else { size };
    if megabytes.is_some_and(|asked| asked != size) {
        m.platform.log(
            LogLevel::Warning,
            format_args!("the image gets {size} megabytes of address space: it cannot have what was asked for"),
        );
    }
    let last = size * PAGES_PER_MEGABYTE - 1;
    m.set_ifpage_word(interface::WIDE_POINTERS, if size == 8 { 0 } else { 0xFFFF });
    if L::BIG {
        m.space.set_cell(L::IFPAGE.plus(interface::LAST_FILE_PAGE_35), last);
        m.space.set_cell(L::IFPAGE.plus(interface::MEGABYTES_35), size);
        m.set_counter(symbols.last_vmem_file_page, last);
    } else {
        m.set_ifpage_word(interface::LAST_FILE_PAGE_2, last as u16);
        m.set_ifpage_word(interface::MEGABYTES_2, size as u16);
    }
    if !switched {
        m.space.set_cell(symbols.storage_full, 0);
    }
    m.set_counter(symbols.second_mds_page, last - UNIT_PAGES - 1);
    Ok(())
}

const PAGES_PER_MEGABYTE: u32 = 2048;
/// An image cannot live in less.
const LEAST_MEGABYTES: u32 = 8;
/// As much as the page counters of Lisp's storage allocator are made for.
const MOST_MEGABYTES: u32 = 256;
/// What an image that has no size of its own gets.
const DEFAULT_MEGABYTES: u32 = 64;

/// Moves a counter that is still a small integer to a FIXP of its own.
fn make_counter<L: Layout>(m: &mut Machine<L>, variable: LispPtr) -> Result<(), Flow> {
    let value = m.space.cell(variable);
    if !has_own_fixp::<L>(value) {
        let fixp = create_cell(m, numbers::FIXP)?;
        m.space.set_cell(fixp, value & 0xFFFF);
        m.space.set_cell(variable, fixp.0);
        crate::collector::add_reference(m, fixp.0);
    }
    Ok(())
}
