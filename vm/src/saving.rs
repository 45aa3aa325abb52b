//! Saving: from a running world to a sysout that goes on where Lisp asked for it.
//!
//! Lisp does the larger part itself. `\FLUSHVM` switches to the context for everything else and calls `\DOFLUSHVM`
//! there; the frame that asked is then in order, as every frame is that waits, and the interface page has its number
//! twice:
//!
//! ```text
//!   LOGOUT SAVEVM SYSOUT MAKESYS --> \FLUSHVM --> \MISCAPPLY* --- context switch ---> \DOFLUSHVM --> VMEMSAVE
//!                                                  ^  waits                            CurrentFXP := MiscFXP
//!                                                  |                                   MISCSTACKRESULT := T
//!                  the saved world goes on here: --+  \FLUSHVM's value is T there, and NIL in the one that saved
//! ```
//!
//! So the machine has no register to save. What is left for it is what only an emulator knows: that the world is one
//! of an emulator's and valid, and how far its storage has run out. The file has as many pages as the interface page
//! says, each where FPtoVP has it; file page 1 is the interface page.
//!
//! # Checkpoints
//! A checkpoint saves in the same way, but nobody in Lisp asked for it: the machine calls `\FLUSHVM` between two
//! instructions, when Lisp may be interrupted. Devices and processes are not told, so the user sees nothing of it. They
//! have to be told when such a world comes up again, because it is another day on another machine: the machine then
//! calls `SAVEVM` and answers its VMEMSAVE with T, "this is the saved world", and `SAVEVM` does what is to be done.

use crate::address::{AtomIndex, BYTES_PER_PAGE, FilePage, LispPage};
use crate::dispatch::Flow;
use crate::frames::Frame;
use crate::free_variables::value_in;
use crate::layout::Layout;
use crate::machine::{Machine, Regs};
use crate::memory::Space;
use crate::platform::{LogLevel, SaveError, SavePlace, World};
use crate::startup::MACHINE_TYPE;
use crate::storage;
use crate::sysout::{INTERFACE_PAGE_OFFSET, KEY, interface};
use core::marker::PhantomData;

/// The world as it stands in memory.
struct Standing<L> {
    space: Space,
    pages: u32,
    layout: PhantomData<L>,
}

/// File page of the interface page.
const INTERFACE_FILE_PAGE: FilePage = FilePage((INTERFACE_PAGE_OFFSET / BYTES_PER_PAGE as u64) as u32);

impl<L: Layout> World for Standing<L> {
    fn pages(&self) -> u32 {
        self.pages
    }

    fn lisp_page(&self, file: FilePage) -> Option<LispPage> {
        if file == INTERFACE_FILE_PAGE {
            return Some(L::IFPAGE.page());
        }
        if file.0 >= self.pages {
            return None;
        }
        // Entries are counted from 1.
        let number = file.0 + 1;
        let (value, empty) = if L::BIG {
            let value = self.space.cell(L::FPTOVP.plus(2 * number));
            (value, value >> 16 == 0xFFFF)
        } else {
            let value = self.space.word(L::FPTOVP.plus(number)) as u32;
            (value, value == 0xFFFF)
        };
        (!empty && value < L::MAX_PAGES).then_some(LispPage(value))
    }

    fn copy(&self, file: FilePage, to: &mut [u8; BYTES_PER_PAGE]) {
        let Some(page) = self.lisp_page(file) else { return to.fill(0) };
        for (cell, bytes) in to.as_chunks_mut::<4>().0.iter_mut().enumerate() {
            *bytes = self.space.cell(page.base().plus(2 * cell as u32)).to_be_bytes();
        }
    }
}

/// What the machine wants Lisp to do as soon as it may be interrupted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wishes {
    /// Log out.
    pub(crate) log_out: bool,
    /// Save without anybody noticing.
    pub(crate) checkpoint: bool,
    /// Take notice that the world has just come up.
    pub(crate) restart: bool,
    /// The next VMEMSAVE is a checkpoint's.
    pub(crate) checkpointing: bool,
    /// The next VMEMSAVE answers that this is the saved world.
    pub(crate) restarting: bool,
}

impl<L: Layout> Machine<L> {
    /// Has Lisp take notice that it comes from a checkpoint. Call it before the machine runs.
    pub fn came_from_checkpoint(&mut self) {
        self.wishes.restart = true;
        self.attention.request();
    }
}

/// The function that Lisp shall be called with now, if one is wished for and Lisp may be interrupted.
pub(crate) fn granted<L: Layout>(m: &mut Machine<L>, r: &Regs) -> Result<Option<AtomIndex>, Flow> {
    let Wishes { log_out, checkpoint, restart, .. } = m.wishes;
    if !(log_out || checkpoint || restart) {
        return Ok(None);
    }
    if let Some(interruptable) = m.symbols.interruptable {
        let value = value_in::<L>(m.space, Frame::of_pvar(m.space, r.pvar), interruptable);
        if m.sound(value)? == 0 {
            return Ok(None);
        }
    }
    let wishes = &mut m.wishes;
    Ok(if restart {
        (wishes.restart, wishes.restarting) = (false, m.symbols.save_vm.is_some());
        m.symbols.save_vm
    } else if log_out {
        wishes.log_out = false;
        m.symbols.log_out
    } else {
        (wishes.checkpoint, wishes.checkpointing) = (false, m.symbols.flush_vm.is_some());
        m.symbols.flush_vm
    })
}

/// Saves the world.
pub(crate) fn save<L: Layout>(m: &mut Machine<L>, place: SavePlace<'_>) -> Result<(), SaveError> {
    m.set_ifpage_word(interface::MACHINE_TYPE, MACHINE_TYPE);
    m.set_ifpage_word(interface::KEY, KEY);
    storage::note_full_state(m);
    let world = Standing::<L> { space: m.space, pages: m.active_pages(), layout: PhantomData };
    let Some(worlds) = m.platform.worlds() else {
        m.platform.log(LogLevel::Warning, format_args!("this machine has no place to save a world to"));
        return Err(SaveError::CannotOpen);
    };
    worlds.save(place, &world)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{Medley2, Medley35, SMALL_POSITIVE};
    use crate::testing;
    use std::vec::Vec;

    fn bytes<L: Layout>(m: &Machine<L>) -> Vec<u8> {
        let world = Standing::<L> { space: m.space, pages: m.active_pages(), layout: PhantomData };
        let mut bytes = Vec::new();
        for file in 0..world.pages() {
            let mut page = [0xAA; BYTES_PER_PAGE];
            world.copy(FilePage(file), &mut page);
            bytes.extend_from_slice(&page);
        }
        bytes
    }

    #[test]
    fn an_image_that_did_not_run_is_saved_as_it_was() {
        let Some(m) = testing::image::<Medley2>() else { return };
        let file = std::fs::read(testing::image_path().unwrap()).unwrap();
        let saved = bytes(&m);
        assert_eq!(saved.len(), file.len());
        let differs = (0..file.len() / 512).find(|page| saved[page * 512..][..512] != file[page * 512..][..512]);
        assert_eq!(differs, None, "a file page");
    }

    #[test]
    fn pages_that_came_later_are_saved_too() {
        let Some(mut m) = testing::image::<Medley2>() else { return };
        let before = m.active_pages();
        // Enough for FPtoVP to take two pages more.
        for page in 0..600 {
            storage::new_page(&mut m, LispPage(0xA000 + page)).unwrap();
            m.space.set_cell(LispPage(0xA000 + page).base(), 0x0102_0300 + page);
        }
        let saved = bytes(&m);
        let (sysout, pages) = testing::pages(&saved).unwrap();
        assert!(sysout.pages() >= before + 602);
        for (file, lisp) in pages.iter().filter(|(_, lisp)| (0xA000..0xA258).contains(&lisp.0)) {
            assert_eq!(saved[512 * file..][..4], (0x0102_0300 + lisp.0 - 0xA000).to_be_bytes());
        }
    }

    fn file_pages_that_hold_nothing<L: Layout>() {
        let mut m = testing::machine::<L>();
        let space = m.space;
        let entries: [u32; 5] = [0x30, 0x31, u32::MAX, L::MAX_PAGES, 0x32];
        for (file, entry) in entries.into_iter().enumerate() {
            if L::BIG {
                space.set_cell(L::FPTOVP.plus(2 * (file as u32 + 1)), entry);
            } else {
                space.set_word(L::FPTOVP.plus(file as u32 + 1), entry as u16);
            }
        }
        space.set_cell(LispPage(0x32).base(), 0x1234_5678);
        let pages = if L::BIG { interface::PAGES_35 + 1 } else { interface::PAGES_2 };
        m.set_ifpage_word(pages, 5);
        m.set_ifpage_word(interface::STORAGE_FULL_STATE, 7);
        space.set_cell(m.symbols.storage_full_state, SMALL_POSITIVE | 3);
        assert_eq!(save(&mut m.machine, SavePlace::Own), Err(SaveError::CannotOpen));
        assert_eq!(m.ifpage_word(interface::KEY), KEY);
        assert_eq!(m.ifpage_word(interface::STORAGE_FULL_STATE), 3);
        space.set_cell(m.symbols.storage_full_state, SMALL_POSITIVE | 1);
        let _ = save(&mut m.machine, SavePlace::Own);
        // There may be more room next time.
        assert_eq!((m.ifpage_word(interface::STORAGE_FULL_STATE), space.cell(m.symbols.storage_full_state)), (0, 0));
        let saved = bytes(&m);
        assert_eq!(saved.len(), 5 * 512);
        assert_eq!(saved[512 + 30..][..2], KEY.to_be_bytes());
        assert_eq!(saved[4 * 512..][..4], [0x12, 0x34, 0x56, 0x78]);
        assert!(saved[2 * 512..4 * 512].iter().all(|&byte| byte == 0));
    }

    #[test]
    fn file_pages_that_hold_nothing_in_both_layouts() {
        file_pages_that_hold_nothing::<Medley2>();
        file_pages_that_hold_nothing::<Medley35>();
    }
}
