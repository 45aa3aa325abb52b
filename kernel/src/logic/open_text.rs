//! What Lisp has written on the serial line and not ended: the prompt, and what is being typed behind it.
//!
//! A line of the log would cut into that. So it is taken away first, and comes back behind the log's line:
//!
//! ```text
//!   12> (defun f (x)            [  300.113] INFO  saving: generation 7
//!     (* x_ x))          -->    12> (defun f (x)
//!                                 (* x_ x))
//! ```
//! Only its last lines are known, and of each the beginning; more than people type. What was above the cursor's line stays
//! above the log's. Lisp moves the cursor by an ANSI terminal's sequences: `ESC [ 2 A` is two lines up, B down, C right,
//! D left, `ESC [ J` erases all behind the cursor.

use core::fmt::{self, Write};

/// Lines that are known.
const LINES: usize = 12;
/// Characters that are known of a line.
const COLUMNS: usize = 200;

/// The Escape character.
const ESCAPE: u8 = 0x1b;

/// The last lines of the terminal, as far as Lisp wrote them.
#[derive(Debug)]
pub struct OpenText {
    lines: [Line; LINES],
    /// How many there are, the one that was written last included.
    count: usize,
    /// Where the cursor is.
    row: usize,
    column: usize,
    state: State,
}

#[derive(Clone, Copy, Debug)]
struct Line {
    bytes: [u8; COLUMNS],
    length: usize,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Characters,
    Escape,
    /// The number of a sequence, so far.
    Sequence(usize),
}

impl Default for OpenText {
    fn default() -> Self {
        Self::new()
    }
}

impl OpenText {
    /// Nothing written yet.
    pub const fn new() -> Self {
        let lines = [Line { bytes: [b' '; COLUMNS], length: 0 }; LINES];
        Self { lines, count: 1, row: 0, column: 0, state: State::Characters }
    }

    /// Is there something that the next line of the log would cut into?
    pub fn is_open(&self) -> bool {
        self.column > 0 || self.lines[self.row..self.count].iter().any(|line| line.length > 0)
    }

    /// Lisp writes a byte.
    pub fn feed(&mut self, byte: u8) {
        match (self.state, byte) {
            (State::Characters, ESCAPE) => self.state = State::Escape,
            (State::Characters, _) => self.character(byte),
            (State::Escape, b'[') => self.state = State::Sequence(0),
            (State::Sequence(number), b'0'..=b'9') => {
                self.state = State::Sequence(number.saturating_mul(10).saturating_add(usize::from(byte - b'0')));
            }
            (State::Sequence(number), _) => {
                self.state = State::Characters;
                self.sequence(byte, number);
            }
            (State::Escape, _) => self.state = State::Characters,
        }
    }

    fn character(&mut self, byte: u8) {
        match byte {
            b'\n' => self.new_line(),
            b'\r' => self.column = 0,
            8 => self.column = self.column.saturating_sub(1),
            b' '..=b'~' => {
                let line = &mut self.lines[self.row];
                if self.column < COLUMNS {
                    line.bytes[self.column] = byte;
                    line.length = line.length.max(self.column + 1);
                }
                self.column += 1;
            }
            _ => {}
        }
    }

    fn new_line(&mut self) {
        self.column = 0;
        if self.row + 1 < self.count {
            self.row += 1;
            return;
        }
        if self.count == LINES {
            self.lines.rotate_left(1);
        } else {
            self.count += 1;
            self.row += 1;
        }
        self.lines[self.row] = Line { bytes: [b' '; COLUMNS], length: 0 };
    }

    fn sequence(&mut self, last: u8, number: usize) {
        let count = number.max(1);
        match last {
            b'A' => self.row = self.row.saturating_sub(count),
            b'B' => self.row = self.row.saturating_add(count).min(self.count - 1),
            b'C' => self.column = self.column.saturating_add(count),
            b'D' => self.column = self.column.saturating_sub(count),
            b'J' if number == 0 => {
                self.count = self.row + 1;
                let line = &mut self.lines[self.row];
                line.length = line.length.min(self.column);
                line.bytes[line.length..].fill(b' ');
            }
            _ => {}
        }
    }

    /// Takes the cursor's line, and those behind it, from the terminal.
    pub fn withdraw(&self, out: &mut dyn Write) -> fmt::Result {
        if self.is_open() { out.write_str("\r\x1b[J") } else { Ok(()) }
    }

    /// Writes them once more, where the terminal's cursor is now.
    pub fn restore(&self, out: &mut dyn Write) -> fmt::Result {
        for (n, line) in self.lines[self.row..self.count].iter().enumerate() {
            if n > 0 {
                out.write_str("\r\n")?;
            }
            line.bytes[..line.length].iter().try_for_each(|byte| out.write_char(char::from(*byte)))?;
        }
        let last = self.count - 1;
        if self.row < last {
            write!(out, "\x1b[{}A", last - self.row)?;
        }
        let at = self.lines[last].length;
        match self.column {
            column if column < at => write!(out, "\x1b[{}D", at - column),
            column if column > at => write!(out, "\x1b[{}C", column - at),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::String;

    fn written(text: &str) -> OpenText {
        let mut open = OpenText::new();
        text.bytes().for_each(|byte| open.feed(byte));
        open
    }

    fn restored(text: &str) -> String {
        let mut out = String::new();
        written(text).restore(&mut out).unwrap();
        out
    }

    #[test]
    fn a_prompt_and_what_is_typed() {
        assert_eq!(restored("Hello.\n12> (list 3"), "12> (list 3");
        // A character is deleted as the exec does it.
        assert_eq!(restored("12> (list 3\u{8} \u{8}4"), "12> (list 4");
        assert_eq!(restored("12> (list 34)\u{1b}[8D\u{1b}[Jvector 34)\u{1b}[3D"), "12> (vector 34)\u{1b}[3D");
    }

    #[test]
    fn nothing_is_open_behind_a_line() {
        for text in ["", "Hello.\n", "1> x\n", "1> x\u{1b}[1D\u{1b}[3D\u{1b}[J"] {
            let mut out = String::new();
            written(text).withdraw(&mut out).unwrap();
            assert_eq!((written(text).is_open(), out.as_str()), (false, ""), "{text:?}");
        }
        assert!(written("1> ").is_open());
        assert!(written("1> x\ny\u{1b}[1A\u{1b}[1D").is_open());
    }

    #[test]
    fn a_form_of_several_lines() {
        let form = "1> (defun f (x)\n  (* x\n    x))";
        assert_eq!(restored(form), "    x))");
        // Up to the first line, behind the name.
        let up = std::format!("{form}\u{1b}[2A\u{1b}[4C");
        assert_eq!(restored(&up), "1> (defun f (x)\r\n  (* x\r\n    x))\u{1b}[2A\u{1b}[4C");
        // Erased from the end of the second line on, and gone on from there.
        let erased = std::format!("{form}\u{1b}[1A\u{1b}[1D\u{1b}[Jy)\u{1b}[1A");
        assert_eq!(restored(&erased), "1> (defun f (x)\r\n  (* xy)\u{1b}[1A");
    }

    #[test]
    fn longer_than_what_is_known() {
        let many = "\n".repeat(40) + "1> " + &"x".repeat(300) + "\n" + "yy";
        assert_eq!(restored(&many), "yy");
        let long = restored(&(String::from("1> ") + &"x".repeat(300)));
        assert_eq!(long, String::from("1> ") + &"x".repeat(197) + "\u{1b}[103C");
        // More ups than lines are known: the first of them.
        assert!(written(&(many + "\u{1b}[99A")).is_open());
    }
}
