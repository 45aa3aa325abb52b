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
//! calls `SAVEVM` and answers its VMEMSAVE with T, "this is the saved world", and `SAVEVM` does what is to be done. That a
//! world is such a one can be seen from its stack: `\FLUSHVM` was called by a frame that called nobody.
//!
//! # The power button
//! The machine calls `LOGOUT` in the same way. When the platform finds that it took too long, either Lisp has taken the
//! log out back (no frame of `LOGOUT` is left): then nothing happens. Or it is still at it (a break inside, a file server
//! that does not answer), or could not be interrupted: then a last checkpoint is made wherever Lisp is.

use crate::address::{AtomIndex, BYTES_PER_PAGE, FilePage, LispPage, LispPtr, StackOffset};
use crate::dispatch::Flow;
use crate::error::MachineError;
use crate::frames::{Frame, basic_frame_from, block_flag, block_size, flag};
use crate::free_variables::value_in;
use crate::layout::Layout;
use crate::machine::{Machine, Regs};
use crate::memory::Space;
use crate::overflow::STACK_BASE;
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
    /// There was no log out in time.
    pub(crate) out_of_time: bool,
    /// Save wherever Lisp is; nothing comes after.
    pub(crate) farewell: bool,
    /// The next VMEMSAVE that was not Lisp's idea is the last one.
    pub(crate) last: bool,
}

/// Who began a save.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Lisp.
    Lisp,
    /// The machine, which called `\FLUSHVM` between two instructions.
    Checkpoint,
    /// The machine, which called `SAVEVM` between two instructions.
    Restart,
}

/// Who began the save in which the interface page's frame waits.
fn origin<L: Layout>(m: &Machine<L>) -> Origin {
    let definition = |function: Option<AtomIndex>| {
        function.map(|function| LispPtr::from_cell::<L>(m.space.cell(L::definition_cell(function))))
    };
    let symbols = m.symbols;
    let (flush, save, log_out) =
        (definition(symbols.flush_vm), definition(symbols.save_vm), definition(symbols.log_out));
    let mut frame = Frame::at_offset(m.space, m.ifpage_word(interface::CURRENT_FRAME));
    // `\FLUSHVM` itself waits, or what it called to change contexts.
    for _ in 0..6 {
        if !frame.is_frame() || frame.clink() == 0 {
            break;
        }
        let (header, caller) = (Some(frame.header::<L>()), frame.caller());
        let between = caller.is_frame() && caller.no_push();
        match header {
            _ if header == flush && between => return Origin::Checkpoint,
            _ if header == save && between => return Origin::Restart,
            // Whoever called these called them for their own reasons.
            _ if header == save || header == log_out => break,
            _ => {}
        }
        frame = caller;
    }
    Origin::Lisp
}

/// Is there a frame of that function anywhere on the stack?
fn is_running<L: Layout>(m: &Machine<L>, r: &Regs, function: AtomIndex) -> Result<bool, MachineError> {
    let space = m.space;
    let definition = LispPtr::from_cell::<L>(space.cell(L::definition_cell(function)));
    let end = m.end_of_stack();
    let mut at = StackOffset(m.ifpage_word(STACK_BASE)).ptr();
    while at < end {
        let block = at;
        match block_flag(space, at) {
            flag::FREE | flag::GUARD => at = at.plus(block_size(space, at)?),
            flag::FRAME if Frame::at(space, at).header::<L>() == definition => return Ok(true),
            // Where the running frame ends is only known to the machine.
            flag::FRAME if at == Frame::of_pvar(space, r.pvar).at => at = m.stack_end,
            flag::FRAME => at = Frame::at(space, at).next(),
            _ => at = basic_frame_from(space, at)?.at.plus(2),
        }
        if at <= block {
            return Err(MachineError::BadStack { what: "a block that ends before it begins", at: block });
        }
    }
    Ok(false)
}

impl<L: Layout> Machine<L> {
    /// Has Lisp take notice if its world was saved by a checkpoint.
    pub(crate) fn look_for_checkpoint(&mut self) {
        self.wishes.restart = origin(self) == Origin::Checkpoint;
    }

    /// There was no log out in time: what now?
    fn give_up_log_out(&mut self, r: &Regs) {
        let waits = core::mem::take(&mut self.wishes.log_out);
        // Who cannot tell saves.
        let runs = self.symbols.log_out.is_some_and(|log_out| is_running(self, r, log_out).unwrap_or(true));
        if waits || runs {
            self.wishes.farewell = true;
        } else {
            self.platform.stays_on();
        }
    }
}

/// The function that Lisp shall be called with now, if one is wished for and Lisp may be interrupted.
pub(crate) fn granted<L: Layout>(m: &mut Machine<L>, r: &Regs) -> Result<Option<AtomIndex>, Flow> {
    let Wishes { log_out, checkpoint, restart, out_of_time, farewell, .. } = m.wishes;
    if !(log_out || checkpoint || restart || out_of_time || farewell) {
        return Ok(None);
    }
    if out_of_time {
        m.wishes.out_of_time = false;
        m.give_up_log_out(r);
    }
    let compiled = |m: &Machine<L>, function: Option<AtomIndex>| {
        function.filter(|&function| (m.space.cell(L::definition_cell(function)) as i32) < 0)
    };
    if m.wishes.farewell {
        (m.wishes.farewell, m.wishes.last) = (false, true);
        return Ok(compiled(m, m.symbols.flush_vm));
    }
    if let Some(interruptable) = m.symbols.interruptable {
        let value = value_in::<L>(m.space, Frame::of_pvar(m.space, r.pvar), interruptable);
        if m.sound(value)? == 0 {
            return Ok(None);
        }
    }
    if checkpoint && !restart && !log_out {
        // In the middle of coming up or of saving, devices and processes are in no state to be found in by a next
        // start: nobody would wake the processes that wait for this save to end.
        for function in [m.symbols.save_vm, m.symbols.log_out].into_iter().flatten() {
            if m.sound(is_running(m, r, function))? {
                return Ok(None);
            }
        }
    }
    let wishes = &mut m.wishes;
    let function = if restart {
        wishes.restart = false;
        m.symbols.save_vm
    } else if log_out {
        wishes.log_out = false;
        let function = compiled(m, m.symbols.log_out);
        // Somebody has redefined it, or there is none: do what can be done without.
        m.wishes.farewell = function.is_none();
        return Ok(function);
    } else if checkpoint {
        wishes.checkpoint = false;
        m.symbols.flush_vm
    } else {
        return Ok(None);
    };
    Ok(compiled(m, function))
}

/// VMEMSAVE to the machine's own place, for whoever wants it: true if this world is to believe that it is the saved one.
pub(crate) fn save_own<L: Layout>(m: &mut Machine<L>) -> Result<bool, SaveError> {
    match origin(m) {
        Origin::Lisp => save(m, SavePlace::Own)?,
        Origin::Restart => return Ok(true),
        Origin::Checkpoint if core::mem::take(&mut m.wishes.last) => save(m, SavePlace::Farewell)?,
        Origin::Checkpoint => {
            // The platform tells the user if it fails; Lisp did not ask, and a break would only be in its way.
            let _ = save(m, SavePlace::Checkpoint);
        }
    }
    Ok(false)
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
        let file = std::fs::read(fixtures::medley().unwrap()).unwrap();
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
