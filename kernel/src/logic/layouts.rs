//! Keyboard layouts: from raw PC key events to D-machine key transitions.
//!
//! Lisp's key actions assume a US board. With the US layout a PC key simply becomes the D-machine key at its position.
//! With another layout the key's *character* decides: the D-machine key that types it in US key actions is pressed,
//! and where that needs another shift state than the typist holds, shift transitions are put around it.
//!
//! ```text
//!   German board, Shift+7 = '/':    LSHIFT down, [LSHIFT up, '/' down, LSHIFT down], ..., '/' up, LSHIFT up
//! ```
//! Characters that no US key types (ä, é) fall back to the key at their position.

use crate::keys::{KeyNumber, LEFT_SHIFT, RIGHT_SHIFT, key_for_character, key_number};
use pc_keyboard::layouts::{AnyLayout, Azerty, De105Key, Dvorak104Key, Uk105Key};
use pc_keyboard::{DecodedKey, HandleControl, KeyCode, KeyEvent, KeyState, KeyboardLayout, Modifiers};

/// A D-machine key going down or up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    /// Which key.
    pub key: KeyNumber,
    /// Down or up.
    pub down: bool,
}

/// Names that `keyboard=` takes.
pub const LAYOUT_NAMES: &str = "us, uk, de, fr, dvorak";

/// How many physical keys can be held down at once and still be released rightly.
const HELD: usize = 16;

/// Follows the keyboard's state and turns events into transitions.
pub struct Translator {
    /// `None`: the US board, keys by position.
    layout: Option<AnyLayout>,
    shift: [bool; 2],
    alt_graph: bool,
    /// A Pause key is on its way: it comes as a control key of its own, then Num Lock.
    pause: bool,
    /// Physical keys that are down and what they pressed.
    held: [Option<(KeyCode, KeyNumber)>; HELD],
}

impl Translator {
    /// A translator for the layout of that name, `None` for a name not in [`LAYOUT_NAMES`].
    pub fn new(name: &str) -> Option<Self> {
        let layout = match name {
            "us" => None,
            "uk" => Some(AnyLayout::Uk105Key(Uk105Key)),
            "de" => Some(AnyLayout::De105Key(De105Key)),
            "fr" => Some(AnyLayout::Azerty(Azerty)),
            "dvorak" => Some(AnyLayout::Dvorak104Key(Dvorak104Key)),
            _ => return None,
        };
        Some(Self { layout, shift: [false; 2], alt_graph: false, pause: false, held: [None; HELD] })
    }

    /// Feeds one event; `emit` gets the transitions in order.
    pub fn feed(&mut self, event: KeyEvent, mut emit: impl FnMut(Transition)) {
        let code = match event.code {
            KeyCode::RControl2 => {
                self.pause |= event.state == KeyState::Down;
                return;
            }
            KeyCode::NumpadLock if self.pause => {
                self.pause = event.state != KeyState::Up;
                KeyCode::PauseBreak
            }
            code => code,
        };
        match event.state {
            KeyState::Down => self.press(code, &mut emit),
            KeyState::Up => self.release(code, &mut emit),
            KeyState::SingleShot => {
                self.press(code, &mut emit);
                self.release(code, &mut emit);
            }
        }
    }

    fn press(&mut self, code: KeyCode, emit: &mut impl FnMut(Transition)) {
        // The keyboard repeats held keys; a D-machine's does not, Lisp does that itself.
        if self.held.iter().flatten().any(|&(held, _)| held == code) {
            return;
        }
        match code {
            KeyCode::LShift => self.shift[0] = true,
            KeyCode::RShift => self.shift[1] = true,
            KeyCode::RAltGr if self.layout.is_some() => {
                // AltGr only selects characters here.
                self.alt_graph = true;
                return;
            }
            _ => {}
        }
        let shifted = self.shift != [false; 2];
        let by_character = self.character(code).and_then(key_for_character);
        let Some((key, wants_shift)) = by_character.or(key_number(code).map(|key| (key, shifted))) else { return };
        if wants_shift == shifted {
            emit(Transition { key, down: true });
        } else {
            self.shift_transitions(shifted, wants_shift, emit);
            emit(Transition { key, down: true });
            self.shift_transitions(wants_shift, shifted, emit);
        }
        if let Some(place) = self.held.iter_mut().find(|place| place.is_none()) {
            *place = Some((code, key));
        } else {
            // Sixteen keys held down is a cat; do not leave the seventeenth down for ever.
            emit(Transition { key, down: false });
        }
    }

    fn release(&mut self, code: KeyCode, emit: &mut impl FnMut(Transition)) {
        match code {
            KeyCode::LShift => self.shift[0] = false,
            KeyCode::RShift => self.shift[1] = false,
            KeyCode::RAltGr => self.alt_graph = false,
            _ => {}
        }
        for place in &mut self.held {
            if let Some((held, key)) = *place
                && held == code
            {
                emit(Transition { key, down: false });
                *place = None;
            }
        }
    }

    /// The character this key types now, when a layout other than US is in force.
    fn character(&self, code: KeyCode) -> Option<char> {
        let layout = self.layout.as_ref()?;
        let keypad = matches!(
            code,
            KeyCode::NumpadDivide
                | KeyCode::NumpadMultiply
                | KeyCode::NumpadSubtract
                | KeyCode::NumpadAdd
                | KeyCode::NumpadPeriod
        );
        if keypad {
            return None;
        }
        let modifiers =
            Modifiers { lshift: self.shift[0], rshift: self.shift[1], ralt: self.alt_graph, ..Modifiers::default() };
        match layout.map_keycode(code, &modifiers, HandleControl::Ignore) {
            DecodedKey::Unicode(character) => Some(character),
            DecodedKey::RawKey(_) => None,
        }
    }

    fn shift_transitions(&self, now: bool, wanted: bool, emit: &mut impl FnMut(Transition)) {
        if now == wanted {
            return;
        }
        if self.shift == [false; 2] {
            emit(Transition { key: LEFT_SHIFT, down: wanted });
            return;
        }
        for (held, key) in self.shift.into_iter().zip([LEFT_SHIFT, RIGHT_SHIFT]) {
            if held {
                emit(Transition { key, down: wanted });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    fn type_keys(layout: &str, events: &[(KeyCode, KeyState)]) -> Vec<(KeyNumber, bool)> {
        let mut translator = Translator::new(layout).unwrap();
        let mut out = Vec::new();
        for &(code, state) in events {
            translator.feed(KeyEvent::new(code, state), |transition| out.push((transition.key, transition.down)));
        }
        out
    }

    use KeyState::{Down, Up};

    #[test]
    fn us_is_by_position_and_does_not_repeat() {
        let out = type_keys("us", &[(KeyCode::A, Down), (KeyCode::A, Down), (KeyCode::A, Up)]);
        assert_eq!(out, [(21, true), (21, false)]);
        assert_eq!(type_keys("us", &[(KeyCode::RAltGr, Down)]), [(93, true)]);
    }

    #[test]
    fn pause_comes_in_two_pieces() {
        let pause = [
            (KeyCode::RControl2, Down),
            (KeyCode::NumpadLock, Down),
            (KeyCode::RControl2, Up),
            (KeyCode::NumpadLock, Up),
        ];
        assert_eq!(type_keys("us", &pause), [(61, true), (61, false)]);
        assert_eq!(
            type_keys("us", &[(KeyCode::NumpadLock, Down), (KeyCode::NumpadLock, Up)]),
            [(73, true), (73, false)]
        );
    }

    #[test]
    fn german_y_is_z() {
        assert_eq!(type_keys("de", &[(KeyCode::Y, Down), (KeyCode::Y, Up)]), [(40, true), (40, false)]);
    }

    #[test]
    fn german_shift_seven_is_an_unshifted_slash() {
        let out = type_keys(
            "de",
            &[(KeyCode::LShift, Down), (KeyCode::Key7, Down), (KeyCode::LShift, Up), (KeyCode::Key7, Up)],
        );
        assert_eq!(out, [(41, true), (41, false), (12, true), (41, true), (41, false), (12, false)]);
    }

    #[test]
    fn french_top_row_gets_a_shift() {
        // AZERTY: the unshifted key 5 is '(', a shifted 9 in US.
        let out = type_keys("fr", &[(KeyCode::Key5, Down), (KeyCode::Key5, Up)]);
        assert_eq!(out, [(41, true), (22, true), (41, false), (22, false)]);
    }

    #[test]
    fn unknown_names_are_refused() {
        assert!(Translator::new("klingon").is_none());
        for name in LAYOUT_NAMES.split(", ") {
            assert!(Translator::new(name).is_some(), "{name}");
        }
    }

    #[test]
    fn function_keys_pass_in_every_layout() {
        for name in LAYOUT_NAMES.split(", ") {
            let out = type_keys(
                name,
                &[(KeyCode::F1, Down), (KeyCode::Return, Down), (KeyCode::LAlt, Down), (KeyCode::Delete, Down)],
            );
            assert_eq!(out, [(97, true), (44, true), (31, true), (46, true)], "{name}");
        }
    }
}
