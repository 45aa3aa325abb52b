//! What the monitor asks of the world around the machine.

use core::fmt;
use vm::address::{ByteAddr, LispPage, LispPtr};

/// Most addresses that are watched at a time.
pub const MOST_WATCHES: usize = 8;
/// Words of Lisp in a page of the processor.
pub const PAGE_WORDS: u32 = 2048;

/// A page of the processor, 4 KiB: eight Lisp pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PageState {
    /// How many of the eight Lisp has.
    pub pages: u8,
    /// It is in memory.
    pub resident: bool,
    /// It has been written to since it was read.
    pub written: bool,
}

/// Words that are watched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Watched {
    /// The first.
    pub at: LispPtr,
    /// How many.
    pub words: u32,
}

/// A watched word was written to and now holds something else.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hit {
    /// Which of those that were given to [`Surroundings::arm`].
    pub watch: usize,
    /// The instruction, as far as that can be told.
    pub pc: ByteAddr,
    /// The function that ran.
    pub function: LispPtr,
}

/// The world around the machine, as the monitor sees it.
pub trait Surroundings {
    /// Does Lisp have this page?
    fn has(&self, page: LispPage) -> bool;
    /// A page of the processor, by its number from the start of Lisp's space.
    fn page(&self, number: u32) -> PageState;
    /// Makes pages that Lisp does not have read as zeroes instead of being an error, or no longer.
    fn forgive(&mut self, on: bool);
    /// What paging has cost so far.
    fn paging(&mut self, out: &mut dyn fmt::Write) -> fmt::Result;
    /// What the devices are doing, a line each.
    fn devices(&mut self, out: &mut dyn fmt::Write) -> fmt::Result;
    /// Notices changes of these words while Lisp runs at full speed, and stops it then. False if that cannot be done
    /// here: then every instruction is looked at.
    fn arm(&mut self, _watched: &[Watched]) -> bool {
        false
    }
    /// No longer.
    fn disarm(&mut self) {}
    /// The change that was noticed since [`Self::arm`], if there was one.
    fn take_hit(&mut self) -> Option<Hit> {
        None
    }
}
