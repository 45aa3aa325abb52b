//! From an image in memory to its first instruction.
//!
//! The machine writes what only it knows into the pages through which Lisp talks to hardware, and takes up the frame
//! that ran when the image was saved:
//!
//! ```text
//!   interface page   machine type, serial number, user's name, display and keyboard type, sizes
//!   I/O page         256 words: keyboard bits 62-67, mouse buttons 61 (all ones: nothing pressed), mouse 59-60,
//!                    cursor's place 238-239, cursor's shape 240-255
//!   statistics       the clocks
//!   display          one bit a pixel from word 120000 (hex) on
//! ```

use crate::address::{ByteAddr, LispPage, LispPtr, WORDS_PER_PAGE};
use crate::error::MachineError;
use crate::layout::{DISPLAY, IOPAGE, Layout};
use crate::machine::Machine;
use crate::platform::HostString;
use crate::sysout::interface;
use core::sync::atomic::Ordering;

/// Words of the I/O page, by number.
pub(crate) mod iopage {
    /// Mouse, column.
    pub const MOUSE_X: u32 = 59;
    /// Mouse, row.
    pub const MOUSE_Y: u32 = 60;
    /// Mouse buttons, and keys 64 to 79.
    pub const BUTTONS: u32 = 61;
    /// Keys 0 to 63 and 80 to 111; six words.
    pub const KEYS: u32 = 62;
    /// Cursor, column.
    pub const CURSOR_X: u32 = 238;
    /// Cursor, row.
    pub const CURSOR_Y: u32 = 239;
    /// Cursor, 16 rows.
    pub const CURSOR: u32 = 240;
}

/// The kind of machine Lisp thinks it runs on: an emulator.
pub(crate) const MACHINE_TYPE: u16 = 3;
/// A black and white display of any size, in the bits of `DEVICES`.
const BLACK_AND_WHITE: u16 = 2 << 3;
/// Where Lisp reserves room for the user's name.
const USER_NAME: LispPtr = LispPtr(0xDA01);
/// The longest name, bytes.
const LONGEST_NAME: usize = 63;
/// Buffers of the fault handler and the page before: Lisp uses them without ever allocating them.
const BUFFERS: LispPage = LispPage(0xDA);
const BUFFER_PAGES: u32 = 6;
/// What a free block of the stack begins with.
const FREE_BLOCK: u16 = 0xA000;
/// Words in a frame extension.
const FRAME_WORDS: u32 = 10;

/// Bits of the cell at \INTERRUPTSTATE that mean events of the world before: log, network, input and output, waiting;
/// and the character of a waiting interrupt.
const STALE_INTERRUPTS: u32 = 0b1110_0001 << 24 | 0xFFFF;

/// What a user may choose for a session.
#[derive(Clone, Copy, Debug, Default)]
pub struct Session {
    /// Megabytes of Lisp space; `None` for as many as the image had.
    pub megabytes: Option<u32>,
}

impl<L: Layout> Machine<L> {
    /// Prepares an image that has just been brought in, up to its first instruction.
    pub fn start(&mut self, session: &Session) -> Result<(), MachineError> {
        self.supply(IOPAGE.page(), 1)?;
        self.supply(BUFFERS, BUFFER_PAGES)?;
        let (width, height) = self.platform.screen_size();
        let words = width as u32 / 16 * height as u32;
        self.supply(DISPLAY.page(), words.div_ceil(WORDS_PER_PAGE))?;

        self.set_ifpage_word(interface::MACHINE_TYPE, MACHINE_TYPE);
        self.set_ifpage_word(interface::SERIAL_NUMBER, 0);
        self.set_ifpage_word(interface::EMULATOR_VERSION, 0);
        // Keyboard type 0 is a board whose keys the machine has already turned into D-machine keys.
        let devices = self.ifpage_word(interface::DEVICES) & !0x7F;
        self.set_ifpage_word(interface::DEVICES, devices | BLACK_AND_WHITE);
        self.set_user();
        for word in iopage::BUTTONS..iopage::KEYS + 6 {
            self.space.set_word(IOPAGE.plus(word), 0xFFFF);
        }
        self.start_clock();
        crate::storage::start(self, session.megabytes)?;

        let state = LispPtr::from_cell::<L>(self.space.cell(self.symbols.interrupt_state));
        self.space.set_cell(state, self.space.cell(state) & !STALE_INTERRUPTS);
        self.look_for_checkpoint();
        self.take_up_frame()
    }

    /// Gives Lisp pages that no image lists, because on a D-machine they were hardware.
    fn supply(&mut self, first: LispPage, pages: u32) -> Result<(), MachineError> {
        for page in 0..pages {
            self.platform.new_page(LispPage(first.0 + page)).map_err(|_| MachineError::BadStorage {
                what: "no memory for a page that the machine needs",
                at: LispPage(first.0 + page).base(),
            })?;
        }
        Ok(())
    }

    /// The user's name, with its length in front.
    fn set_user(&mut self) {
        let mut buffer = [0; LONGEST_NAME];
        let length = self.platform.host_string(HostString::UserName, &mut buffer).unwrap_or(0);
        let name = &buffer[..length.min(LONGEST_NAME)];
        let at = USER_NAME.byte();
        self.space.set_byte(at, name.len() as u8);
        for (i, &byte) in name.iter().enumerate() {
            self.space.set_byte(ByteAddr(at.0 + 1 + i as u32), byte);
        }
        self.set_ifpage_word(interface::USER_NAME, USER_NAME.low());
    }

    /// Goes on in the frame that the interface page names.
    fn take_up_frame(&mut self) -> Result<(), MachineError> {
        let frame = self.stack(self.ifpage_word(interface::CURRENT_FRAME));
        let next = self.stack(self.space.word(frame.plus(4)));
        if self.space.word(frame) >> 13 != 6 {
            return Err(MachineError::BadStack { what: "no frame where Lisp was saved", at: frame });
        }
        let mut end = next;
        while self.space.word(end) == FREE_BLOCK {
            let size = self.space.word(end.plus(1)) as u32;
            if size == 0 || size & 1 != 0 || end.0 + size >= 0x2_0000 {
                return Err(MachineError::BadStack { what: "a free block of impossible size", at: end });
            }
            end = end.plus(size);
        }
        if end == next {
            return Err(MachineError::BadStack {
                what: "no free block behind the frame where Lisp was saved",
                at: next,
            });
        }
        let mut r = self.regs;
        r.pvar = frame.0 + FRAME_WORDS;
        r.sp = next.0;
        r.tos = 0;
        self.resume_frame(&mut r);
        self.regs = r;
        self.stack_end = end;
        self.attention.end.store(end.0, Ordering::Relaxed);
        let limit = end.0 as i32 - i32::from(self.space.word(self.func));
        self.attention.limit.store(limit.max(0) as u32, Ordering::Relaxed);
        Ok(())
    }
}
