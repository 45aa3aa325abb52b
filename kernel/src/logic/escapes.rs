//! What a terminal sends for keys that are no characters: escape sequences.
//!
//! ```text
//!   Esc [ A  or  Esc O A     up, B down, C right, D left, H home, F end
//!   Esc [ 3 ~                delete; 1 and 7 home, 2 insert, 4 and 8 end, 5 page up, 6 page down
//!   Esc [ 1 ; 5 C            the same with Shift, Control or Alt held: the key counts
//! ```
//! A sequence that means nothing here is dropped as a whole. Escape alone is a key, too; what follows at once, or does
//! not, tells it from the beginning of a sequence.

use crate::keys::{KeyNumber, key_number};
use pc_keyboard::KeyCode;

/// How long the second byte of a sequence may take, in microseconds: a person is slower than that.
const PATIENCE: u64 = 50_000;

/// The Escape character.
const ESCAPE: u8 = 0x1b;

/// What came of a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typed {
    /// A character.
    Byte(u8),
    /// A D-machine key.
    Key(KeyNumber),
}

/// Follows the bytes that a terminal sends.
#[derive(Debug, Default)]
pub struct Escapes {
    state: State,
    /// When the Escape came, in microseconds.
    since: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Characters,
    /// Escape has come.
    Escape,
    /// And a bracket or an O; the first number so far, and whether it has ended.
    Sequence { number: u8, closed: bool },
}

impl Escapes {
    /// Takes a byte that came at `now` (microseconds); `emit` gets what has been typed.
    pub fn feed(&mut self, byte: u8, now: u64, mut emit: impl FnMut(Typed)) {
        match (self.state, byte) {
            (State::Characters, ESCAPE) => {
                self.state = State::Escape;
                self.since = now;
            }
            (State::Escape, b'[' | b'O') => self.state = State::Sequence { number: 0, closed: false },
            (State::Escape, ESCAPE) => {
                emit(Typed::Byte(ESCAPE));
                self.since = now;
            }
            (State::Escape, _) => {
                // Alt and a letter, or Escape and then a letter: both keys.
                self.state = State::Characters;
                emit(Typed::Byte(ESCAPE));
                emit(Typed::Byte(byte));
            }
            (State::Characters, _) => emit(Typed::Byte(byte)),
            (State::Sequence { number, closed: false }, b'0'..=b'9') => {
                let number = number.saturating_mul(10).saturating_add(byte - b'0');
                self.state = State::Sequence { number, closed: false };
            }
            // Further parameters, and what else a sequence has before its last byte.
            (State::Sequence { number, .. }, b' '..=b'?') => self.state = State::Sequence { number, closed: true },
            (State::Sequence { number, .. }, _) => {
                self.state = State::Characters;
                if let Some(key) = sequence_key(byte, number).and_then(key_number) {
                    emit(Typed::Key(key));
                }
            }
        }
    }

    /// Says what time it is when no byte waits: an Escape that nothing has followed was the key.
    pub fn rest(&mut self, now: u64, mut emit: impl FnMut(Typed)) {
        if self.state == State::Escape && now.saturating_sub(self.since) > PATIENCE {
            self.state = State::Characters;
            emit(Typed::Byte(ESCAPE));
        }
    }
}

/// The key of a sequence with that last byte and first number.
fn sequence_key(last: u8, number: u8) -> Option<KeyCode> {
    Some(match (last, number) {
        (b'A', _) => KeyCode::ArrowUp,
        (b'B', _) => KeyCode::ArrowDown,
        (b'C', _) => KeyCode::ArrowRight,
        (b'D', _) => KeyCode::ArrowLeft,
        (b'H', _) | (b'~', 1 | 7) => KeyCode::Home,
        (b'F', _) | (b'~', 4 | 8) => KeyCode::End,
        (b'~', 2) => KeyCode::Insert,
        (b'~', 3) => KeyCode::Delete,
        (b'~', 5) => KeyCode::PageUp,
        (b'~', 6) => KeyCode::PageDown,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    /// What bytes come to that arrive a microsecond after each other.
    fn typed(bytes: &[u8]) -> Vec<Typed> {
        let mut escapes = Escapes::default();
        let mut out = Vec::new();
        for (now, &byte) in bytes.iter().enumerate() {
            escapes.feed(byte, now as u64, |typed| out.push(typed));
        }
        escapes.rest(bytes.len() as u64 + PATIENCE, |typed| out.push(typed));
        out
    }

    fn key(code: KeyCode) -> Typed {
        Typed::Key(key_number(code).unwrap())
    }

    #[test]
    fn characters_pass() {
        assert_eq!(typed(b"(a)\r"), b"(a)\r".map(Typed::Byte));
    }

    #[test]
    fn arrows_and_the_keys_above_them() {
        let keys = [KeyCode::ArrowUp, KeyCode::ArrowDown, KeyCode::ArrowRight, KeyCode::ArrowLeft];
        assert_eq!(typed(b"\x1b[A\x1b[B\x1b[C\x1b[D"), keys.map(key));
        assert_eq!(typed(b"\x1bOA\x1bOB\x1bOC\x1bOD"), keys.map(key));
        assert_eq!(typed(b"\x1b[H\x1bOH\x1b[1~\x1b[7~"), [key(KeyCode::Home); 4]);
        assert_eq!(typed(b"\x1b[F\x1bOF\x1b[4~\x1b[8~"), [key(KeyCode::End); 4]);
        let keys = [KeyCode::Insert, KeyCode::Delete, KeyCode::PageUp, KeyCode::PageDown];
        assert_eq!(typed(b"\x1b[2~\x1b[3~\x1b[5~\x1b[6~"), keys.map(key));
    }

    #[test]
    fn modifiers_do_not_count() {
        assert_eq!(typed(b"\x1b[1;5Cx"), [key(KeyCode::ArrowRight), Typed::Byte(b'x')]);
        assert_eq!(typed(b"\x1b[3;2~"), [key(KeyCode::Delete)]);
    }

    #[test]
    fn what_is_unknown_is_dropped_whole() {
        assert_eq!(typed(b"a\x1b[15~\x1b[?1;2c\x1b[999999999~b"), [Typed::Byte(b'a'), Typed::Byte(b'b')]);
    }

    #[test]
    fn escape_is_a_key() {
        assert_eq!(typed(b"\x1b"), [Typed::Byte(ESCAPE)]);
        assert_eq!(typed(b"\x1b\x1b[A"), [Typed::Byte(ESCAPE), key(KeyCode::ArrowUp)]);
        assert_eq!(typed(b"\x1bx"), [Typed::Byte(ESCAPE), Typed::Byte(b'x')]);
        // Escape, and a bracket that somebody types later.
        let (mut escapes, mut out) = (Escapes::default(), Vec::new());
        escapes.feed(ESCAPE, 0, |typed| out.push(typed));
        escapes.rest(PATIENCE, |typed| out.push(typed));
        assert_eq!(out, []);
        escapes.rest(PATIENCE + 1, |typed| out.push(typed));
        escapes.feed(b'[', PATIENCE + 2, |typed| out.push(typed));
        assert_eq!(out, b"\x1b[".map(Typed::Byte));
    }
}
