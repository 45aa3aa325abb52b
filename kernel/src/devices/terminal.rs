//! A terminal on the framebuffer, for the monitor: it scrolls, and remembers what has gone off at the top.
//!
//! ```text
//!   write --> lines, a ring of the last 400 --> draw(): the characters that differ from what is shown
//! ```
//! Nothing is drawn before [`draw`]: a long output costs one picture.

use super::text::{HEIGHT, MARGIN, WIDTH, put_character, screen};
use crate::memory::exclusive::Exclusive;

/// Lines that are remembered.
const LINES: usize = 400;
/// Characters of the longest line.
const COLUMNS: usize = 160;
/// Lines of the tallest screen.
const ROWS: usize = 80;

struct Terminal {
    lines: [[u8; COLUMNS]; LINES],
    /// Number of the line being written, from the start.
    line: usize,
    column: usize,
    /// How many lines back the user looks.
    back: usize,
    /// What the screen shows; 0 where nothing is known.
    shown: [[u8; COLUMNS]; ROWS],
}

static TERMINAL: Exclusive<Terminal> =
    Exclusive::new(Terminal { lines: [[0; COLUMNS]; LINES], line: 0, column: 0, back: 0, shown: [[0; COLUMNS]; ROWS] });

/// Takes the whole screen, which becomes black.
pub fn open() {
    let Some(screen) = screen() else { return };
    screen.fill(0);
    TERMINAL.with(|terminal| {
        terminal.shown = [[b' '; COLUMNS]; ROWS];
        terminal.back = 0;
    });
}

/// Writes text; backspace goes back a column.
pub fn write(text: &str) {
    TERMINAL.with(|terminal| text.bytes().for_each(|byte| terminal.byte(byte)));
}

/// Shows older lines, or newer ones.
pub fn scroll(lines: isize) {
    TERMINAL.with(|terminal| {
        let most = terminal.line.min(LINES - ROWS);
        terminal.back = terminal.back.saturating_add_signed(lines).min(most);
    });
}

/// Lines that the screen shows.
pub fn rows() -> usize {
    screen().map_or(1, |screen| shape(&screen).1)
}

/// Brings the screen up to date.
pub fn draw() {
    let Some(screen) = screen() else { return };
    let (columns, rows) = shape(&screen);
    TERMINAL.with(|terminal| {
        let last = terminal.line - terminal.back.min(terminal.line);
        let first = (last + 1).saturating_sub(rows);
        for row in 0..rows {
            for column in 0..columns {
                let number = first + row;
                let cursor = number == terminal.line && column == terminal.column && terminal.back == 0;
                let mut byte = if number <= last { terminal.lines[number % LINES][column] } else { b' ' };
                if cursor {
                    byte = b'_';
                }
                if byte == 0 {
                    byte = b' ';
                }
                if terminal.shown[row][column] != byte {
                    terminal.shown[row][column] = byte;
                    let (x, y) = (MARGIN + column as u32 * WIDTH, MARGIN + row as u32 * HEIGHT);
                    put_character(&screen, x, y, char::from(byte));
                }
            }
        }
    });
}

/// Columns and rows that fit.
fn shape(screen: &super::text::Screen) -> (usize, usize) {
    let fit = |pixels: u32, each: u32| (pixels.saturating_sub(2 * MARGIN) / each).max(1) as usize;
    (fit(screen.width(), WIDTH).min(COLUMNS), fit(screen.height(), HEIGHT).min(ROWS))
}

impl Terminal {
    fn byte(&mut self, byte: u8) {
        let columns = screen().map_or(COLUMNS, |screen| shape(&screen).0);
        self.back = 0;
        match byte {
            b'\n' => self.new_line(),
            8 => self.column = self.column.saturating_sub(1),
            b' '..=b'~' => {
                if self.column >= columns {
                    self.new_line();
                }
                self.lines[self.line % LINES][self.column] = byte;
                self.column += 1;
            }
            _ => {}
        }
    }

    fn new_line(&mut self) {
        self.line += 1;
        self.column = 0;
        self.lines[self.line % LINES] = [0; COLUMNS];
    }
}
