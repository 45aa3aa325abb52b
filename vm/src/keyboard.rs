//! The keyboard and the mouse as Lisp sees them.
//!
//! Each key and button is a bit in the I/O page, clear while it is down; the first bit of a word is its highest:
//!
//! ```text
//!   word 61     keys 64-79: mouse buttons 77 left, 78 right, 79 middle; wheel 72 away, 73 towards the user
//!   word 62-65  keys 0-63
//!   word 66-67  keys 80-111
//! ```
//!
//! A PC's arrow keys have the numbers 129 to 132, for which no word has a bit: for Medley they do nothing, here as on the
//! reference (where they change a word that nobody reads). A world that has the symbol \ARROWKEYS gets them as four keys
//! that a PC's board lacks:
//!
//! ```text
//!   129 left -> 109     130 up -> 110     131 down -> 111     132 right -> 103
//! ```
//!
//! A change is also noted in a ring, so that none is lost when Lisp is busy. The ring is an array at the value of
//! \KEYBOARDEVENTQUEUE: word 0 is where Lisp reads next (0: the ring is empty), word 1 where the machine writes next,
//! both counted in words from the ring's start; then 384 records of 14 words:
//!
//! ```text
//!   0-3 keys 0-63 | 4 buttons | 5-6 keys 80-111 | 7-8 time | 9 shift state | 10-11 mouse | 12-13 accents
//! ```
//!
//! The machine fills words 0 to 6. Then it asks for attention, and Lisp's \DOBUFFEREDTRANSITIONS takes the records out.

use crate::address::{AtomIndex, LispPtr};
use crate::layout::{IOPAGE, Layout};
use crate::machine::{Exit, Machine};
use crate::platform::{InputEvent, MouseButton};
use crate::startup::iopage;
use crate::sysout::interface;

/// Words of the ring before its first record.
const RING_FIRST: u16 = 2;
/// Words of a record.
const RECORD_WORDS: u16 = 14;
/// Where the last record begins.
const RING_LAST: u16 = RING_FIRST + 383 * RECORD_WORDS;

const LEFT: u8 = 77;
const RIGHT: u8 = 78;
const MIDDLE: u8 = 79;
const WHEEL_AWAY: u8 = 72;
const WHEEL_TOWARDS: u8 = 73;

/// What the machine knows of the cursor.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Keyboard {
    /// Column of the cursor's hot spot: Lisp's mouse is the cursor's top left corner.
    pub(crate) hot_x: u16,
    /// Row of the hot spot.
    pub(crate) hot_y: u16,
}

/// Takes what people did from the platform.
pub(crate) fn poll<L: Layout>(m: &mut Machine<L>) {
    while let Some(event) = m.platform.poll_input() {
        m.apply_input(event);
    }
    m.platform.refresh_screen();
}

/// The key as which a world that knows arrow keys gets one.
fn arrow_key(key: u8) -> u8 {
    match key {
        129 => 109,
        130 => 110,
        131 => 111,
        132 => 103,
        _ => key,
    }
}

impl<L: Layout> Machine<L> {
    /// Shows Lisp something that a person did.
    pub fn apply_input(&mut self, event: InputEvent) {
        self.idleness.note_activity();
        match event {
            InputEvent::KeyDown(key) => self.key(key, true),
            InputEvent::KeyUp(key) => self.key(key, false),
            InputEvent::Button { button, down } => {
                let key = match button {
                    MouseButton::Left => LEFT,
                    MouseButton::Middle => MIDDLE,
                    MouseButton::Right => RIGHT,
                };
                self.button(key, down);
            }
            InputEvent::Wheel(notches) => {
                let key = if notches > 0 { WHEEL_AWAY } else { WHEEL_TOWARDS };
                for _ in 0..notches.unsigned_abs() {
                    self.button(key, true);
                    self.button(key, false);
                }
            }
            InputEvent::MouseMove { x, y } => self.mouse(x, y),
            InputEvent::PowerButton => {
                if self.symbols.log_out.is_some() {
                    self.wishes.log_out = true;
                } else {
                    self.exit = Some(Exit::Logout);
                }
                self.attention.request();
            }
            InputEvent::PowerDeadline => {
                self.wishes.out_of_time = true;
                self.attention.request();
            }
            InputEvent::Checkpoint => {
                self.wishes.checkpoint = true;
                self.attention.request();
            }
            InputEvent::Stop => {
                self.exit.get_or_insert(Exit::Stopped);
                self.attention.request();
            }
        }
    }

    /// A key of the board changes.
    fn key(&mut self, key: u8, down: bool) {
        let key = if self.symbols.arrow_keys.is_some() { arrow_key(key) } else { key };
        match key {
            0..64 => self.set_bit(IOPAGE.plus(iopage::KEYS), key, down),
            64..80 => {
                self.set_bit(IOPAGE.plus(iopage::BUTTONS), key - 64, down);
                self.set_bit(L::IFPAGE.plus(interface::FAKE_BUTTONS), key - 64, down);
            }
            80..112 => self.set_bit(IOPAGE.plus(iopage::KEYS), key - 16, down),
            // No word has a bit for it.
            _ => return,
        }
        self.note_change();
    }

    /// A button of the mouse changes.
    fn button(&mut self, key: u8, down: bool) {
        self.set_bit(IOPAGE.plus(iopage::BUTTONS), key - 64, down);
        self.note_change();
    }

    fn set_bit(&mut self, words: LispPtr, bit: u8, down: bool) {
        let at = words.plus(bit as u32 / 16);
        let mask = 0x8000 >> (bit % 16);
        let old = self.space.word(at);
        self.space.set_word(at, if down { old & !mask } else { old | mask });
    }

    /// Puts the state of all keys into the ring and tells Lisp.
    fn note_change(&mut self) {
        let space = self.space;
        let ring = LispPtr::from_cell::<L>(space.cell(self.symbols.keyboard_event_queue));
        // Before Lisp has made the ring there is nobody to tell.
        if ring != LispPtr::NIL {
            let (read, write) = (space.word(ring), space.word(ring.plus(1)));
            // A full ring drops the change. One that is damaged must not lead the machine elsewhere.
            if read != write && (RING_FIRST..=RING_LAST).contains(&write) {
                let record = ring.plus(write as u32);
                let keys = [0, 1, 2, 3].map(|i| iopage::KEYS + i);
                let words = keys.into_iter().chain([iopage::BUTTONS, iopage::KEYS + 4, iopage::KEYS + 5]);
                for (i, word) in words.enumerate() {
                    space.set_word(record.plus(i as u32), space.word(IOPAGE.plus(word)));
                }
                if read == 0 {
                    space.set_word(ring, write);
                }
                space.set_word(ring.plus(1), if write >= RING_LAST { RING_FIRST } else { write + RECORD_WORDS });
            }
        }
        if space.cell(self.symbols.key_buffering) == 0 {
            space.set_cell(self.symbols.key_buffering, AtomIndex::T.0);
        }
        self.interrupts.key_events += 1;
        self.attention.request();
    }

    /// The pointer is at this pixel now.
    fn mouse(&mut self, x: u16, y: u16) {
        let (x, y) = (x.wrapping_sub(self.keyboard.hot_x), y.wrapping_sub(self.keyboard.hot_y));
        for (word, value) in [(iopage::MOUSE_X, x), (iopage::MOUSE_Y, y), (iopage::CURSOR_X, x), (iopage::CURSOR_Y, y)]
        {
            self.space.set_word(IOPAGE.plus(word), value);
        }
        let last_action = LispPtr::from_cell::<L>(self.space.cell(self.symbols.last_user_action));
        if last_action != LispPtr::NIL {
            self.space.set_cell(last_action, self.statistics_seconds());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{Medley2, Medley35};
    use crate::testing::{self, Fixture};

    const RING: u32 = 0x4000;

    fn ready<L: Layout>() -> Fixture<L> {
        let m = testing::machine::<L>();
        m.space.set_cell(m.symbols.keyboard_event_queue, RING);
        m.space.set_word(LispPtr(RING + 1), RING_FIRST);
        for word in iopage::BUTTONS..iopage::KEYS + 6 {
            m.space.set_word(IOPAGE.plus(word), 0xFFFF);
        }
        m
    }

    #[test]
    fn a_key_goes_into_page_and_ring() {
        let mut m = ready::<Medley2>();
        m.world().input.extend([InputEvent::KeyDown(44), InputEvent::KeyDown(105), InputEvent::KeyUp(44)]);
        poll(&mut m);
        // Key 44 is bit 12 of the third word, 105 bit 9 of the sixth.
        assert_eq!(m.space.word(IOPAGE.plus(64)), 0xFFFF);
        assert_eq!(m.space.word(IOPAGE.plus(67)), !0x0040);
        assert_eq!((m.space.word(LispPtr(RING)), m.space.word(LispPtr(RING + 1))), (2, 2 + 3 * 14));
        assert_eq!(m.space.word(LispPtr(RING + 2 + 2)), !0x0008);
        assert_eq!(m.space.word(LispPtr(RING + 16 + 6)), !0x0040);
        assert_eq!(m.space.word(LispPtr(RING + 30 + 2)), 0xFFFF);
        assert_eq!(m.space.cell(m.symbols.key_buffering), AtomIndex::T.0);
        assert_eq!(m.interrupts.key_events, 3);
    }

    #[test]
    fn arrows_are_keys_only_where_they_are_known() {
        let mut m = ready::<Medley35>();
        m.apply_input(InputEvent::KeyDown(129));
        m.apply_input(InputEvent::KeyDown(132));
        // Keys 109 and 103 are bits 13 and 7 of the sixth word.
        assert_eq!(m.space.word(IOPAGE.plus(67)), !0x0104);
        assert_eq!(m.interrupts.key_events, 2);
        drop(m);

        let mut m = ready::<Medley2>();
        m.symbols.arrow_keys = None;
        (128..=u8::MAX).for_each(|key| m.apply_input(InputEvent::KeyDown(key)));
        assert!((61..68).all(|word| m.space.word(IOPAGE.plus(word)) == 0xFFFF));
        assert_eq!(m.interrupts.key_events, 0);
    }

    #[test]
    fn a_full_ring_drops() {
        let mut m = ready::<Medley35>();
        for _ in 0..383 + 10 {
            m.apply_input(InputEvent::KeyDown(0));
        }
        assert_eq!((m.space.word(LispPtr(RING)), m.space.word(LispPtr(RING + 1))), (2, 2));
        assert_eq!(m.space.word(LispPtr(RING + RING_LAST as u32)), 0x7FFF);
        assert_eq!(m.space.word(LispPtr(RING + RING_LAST as u32 + 14)), 0);
    }

    #[test]
    fn buttons_wheel_and_mouse() {
        let mut m = ready::<Medley2>();
        m.apply_input(InputEvent::Button { button: MouseButton::Right, down: true });
        assert_eq!(m.space.word(IOPAGE.plus(iopage::BUTTONS)), !2);
        m.apply_input(InputEvent::Wheel(-2));
        assert_eq!(m.interrupts.key_events, 5);
        m.space.set_cell(m.symbols.last_user_action, 0x6000);
        m.start_clock();
        m.apply_input(InputEvent::MouseMove { x: 7, y: 300 });
        assert_eq!(m.space.word(IOPAGE.plus(59)), 7);
        assert_eq!(m.space.word(IOPAGE.plus(239)), 300);
        assert_eq!(m.space.cell(LispPtr(0x6000)), 2_895_955_200);
    }
}
