//! A line that is typed: characters in, echo out.

/// Bytes of the longest line.
const LONGEST: usize = 120;
/// Lines that are remembered.
const REMEMBERED: usize = 8;

/// A key that is no character.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Key {
    /// A printing character, or a control character as a terminal sends it.
    Character(u8),
    /// The line typed before this one.
    Up,
    /// The line typed after this one.
    Down,
}

/// A line being typed, and those before it.
pub struct Editor {
    line: [u8; LONGEST],
    length: usize,
    old: [([u8; LONGEST], usize); REMEMBERED],
    /// Lines typed so far.
    typed: usize,
    /// How many lines back the shown one is.
    back: usize,
    /// Where in an escape sequence of a terminal.
    escape: u8,
    after_return: bool,
}

impl Default for Editor {
    fn default() -> Self {
        Self::new()
    }
}

impl Editor {
    /// An empty line.
    pub const fn new() -> Self {
        Editor {
            line: [0; LONGEST],
            length: 0,
            old: [([0; LONGEST], 0); REMEMBERED],
            typed: 0,
            back: 0,
            escape: 0,
            after_return: false,
        }
    }

    /// Takes a key. True if the line is complete: then it is in [`Editor::line`] until the next key. `echo` gets what a
    /// terminal shows.
    pub fn key(&mut self, key: Key, mut echo: impl FnMut(&str)) -> bool {
        match key {
            Key::Up => self.recall(1, &mut echo),
            Key::Down => self.recall(-1, &mut echo),
            Key::Character(byte) => return self.character(byte, &mut echo),
        }
        false
    }

    /// The line, as far as it has been typed.
    pub fn line(&self) -> &str {
        core::str::from_utf8(&self.line[..self.length]).unwrap_or("")
    }

    /// Begins a new line.
    pub fn clear(&mut self) {
        if self.length > 0 {
            self.old[self.typed % REMEMBERED] = (self.line, self.length);
            self.typed += 1;
        }
        self.length = 0;
        self.back = 0;
    }

    fn character(&mut self, byte: u8, echo: &mut impl FnMut(&str)) -> bool {
        // A terminal sends arrows as ESC [ A and ESC [ B.
        match (self.escape, byte) {
            (0, 0x1B) => self.escape = 1,
            (1, b'[' | b'O') => self.escape = 2,
            (2, b'A') => {
                self.escape = 0;
                self.recall(1, echo);
            }
            (2, b'B') => {
                self.escape = 0;
                self.recall(-1, echo);
            }
            (2, b'0'..=b';') => {}
            (1 | 2, _) => self.escape = 0,
            (_, b'\n') if self.after_return => {}
            (_, b'\r' | b'\n') => {
                self.after_return = byte == b'\r';
                echo("\n");
                return true;
            }
            (_, 8 | 127) => self.rub_out(1, echo),
            (_, 0x15 | 0x18) => self.rub_out(self.length, echo),
            (_, b' '..=b'~') if self.length < LONGEST => {
                self.line[self.length] = byte;
                self.length += 1;
                echo(core::str::from_utf8(&[byte]).unwrap_or(""));
            }
            _ => {}
        }
        self.after_return = false;
        false
    }

    fn rub_out(&mut self, count: usize, echo: &mut impl FnMut(&str)) {
        for _ in 0..count.min(self.length) {
            self.length -= 1;
            echo("\u{8} \u{8}");
        }
    }

    fn recall(&mut self, by: isize, echo: &mut impl FnMut(&str)) {
        let Some(back) = self.back.checked_add_signed(by) else { return };
        if back > self.typed.min(REMEMBERED) {
            return;
        }
        self.rub_out(self.length, echo);
        self.back = back;
        if back > 0 {
            (self.line, self.length) = self.old[(self.typed - back) % REMEMBERED];
            echo(core::str::from_utf8(&self.line[..self.length]).unwrap_or(""));
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::string::String;

    fn type_text(editor: &mut Editor, text: &str) -> (Option<String>, String) {
        let mut echo = String::new();
        for byte in text.bytes() {
            if editor.key(Key::Character(byte), |text| echo.push_str(text)) {
                let line = editor.line().into();
                editor.clear();
                return (Some(line), echo);
            }
        }
        (None, echo)
    }

    #[test]
    fn lines_are_typed_and_remembered() {
        let mut editor = Editor::new();
        assert_eq!(type_text(&mut editor, "go\r"), (Some("go".into()), "go\n".into()));
        // The line feed of a carriage return and line feed is no line.
        assert_eq!(type_text(&mut editor, "\nste\u{7f}\u{7f}op\r").0, Some("sop".into()));
        assert_eq!(type_text(&mut editor, "x\u{1b}[A\u{1b}[A\r").0, Some("go".into()));
        assert_eq!(type_text(&mut editor, "\n").0, None);
        assert_eq!(type_text(&mut editor, "\n").0, Some("".into()));
        assert_eq!(type_text(&mut editor, "wrong\u{15}w\n").0, Some("w".into()));
        let long = "y".repeat(300) + "\n";
        assert_eq!(type_text(&mut editor, &long).0.map(|line| line.len()), Some(LONGEST));
    }
}
