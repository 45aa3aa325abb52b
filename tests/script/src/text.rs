//! Reading text off the screen, by comparing it with pictures of the characters of a fixed-pitch font.
//!
//! ```text
//!   font picture: one cell a character, side by side      page: where lines of text begin at its left edge
//!   +---+---+---+---+--                                    |(A "12")            |  every cell is a known character:
//!   | a | b | c | d | ...                                  |2> (list 'a "12")   |  a line; in another font: no line
//!   +---+---+---+---+--                                    |                    |
//! ```

use crate::{Area, Picture};
use std::collections::HashMap;

/// Stands for a character that cannot be seen.
pub const HIDDEN: char = '\0';

/// Whether the last lines of a page say what is expected, as far as they can be seen.
pub fn end_with(lines: &[String], expected: &[String]) -> bool {
    let seen = |line: &String, expected: &String| {
        let length = line.chars().count().max(expected.chars().count());
        let padded = |text: &str| text.chars().chain(std::iter::repeat(' ')).take(length).collect::<Vec<char>>();
        padded(line).into_iter().zip(padded(expected)).all(|(is, wanted)| is == wanted || is == HIDDEN)
    };
    lines.len() >= expected.len()
        && lines[lines.len() - expected.len()..].iter().zip(expected).all(|(line, expected)| seen(line, expected))
}

/// Widest cell, pixels: a row of a cell is a word.
const WIDEST: usize = 32;

/// Pictures of characters, all of one size.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Font {
    width: u16,
    height: u16,
    /// Rows of a cell from the top, leftmost pixel in the highest of `width` bits.
    glyphs: HashMap<Vec<u32>, char>,
}

impl Font {
    /// Learns characters from a picture of them side by side. A font learns from several pictures of one cell size.
    pub fn learn(&mut self, picture: &Picture, characters: &str) -> Result<(), String> {
        let count = characters.chars().count();
        if count == 0 || !(picture.width as usize).is_multiple_of(count) || picture.width as usize / count > WIDEST {
            return Err(format!("a picture {} pixels wide cannot hold {count} characters side by side", picture.width));
        }
        let (width, height) = (picture.width / count as u16, picture.height);
        if !self.glyphs.is_empty() && (width, height) != (self.width, self.height) {
            return Err(format!("cells of {width} by {height} pixels in a font of {} by {}", self.width, self.height));
        }
        (self.width, self.height) = (width, height);
        for (i, character) in characters.chars().enumerate() {
            let before = self.glyphs.insert(self.cell(picture, i as u16 * width, 0), character);
            if let Some(before) = before.filter(|&before| before != character) {
                return Err(format!("{before:?} and {character:?} look the same"));
            }
        }
        Ok(())
    }

    /// The lines of text on a page, from the top, without trailing blanks. What is not wholly in this font is no line;
    /// characters that cannot be seen, because something is in front of them, are [`HIDDEN`].
    pub fn lines(&self, screen: &Picture, page: Area, hidden: Option<Area>) -> Vec<String> {
        let mut lines = Vec::new();
        if self.glyphs.is_empty() {
            return lines;
        }
        let bottom = (page.y + page.height).min(screen.height);
        let right = (page.x + page.width).min(screen.width);
        let mut y = page.y;
        while y + self.height <= bottom {
            let cells = (right.saturating_sub(page.x)) / self.width;
            let line: Option<String> =
                (0..cells).map(|i| self.character(screen, page.x + i * self.width, y, hidden)).collect();
            match line.as_deref().map(str::trim_end) {
                Some(line) if line.contains(|c| c != ' ' && c != HIDDEN) => {
                    lines.push(line.into());
                    y += self.height;
                }
                _ => y += 1,
            }
        }
        lines
    }

    /// The character in a cell.
    fn character(&self, screen: &Picture, x: u16, y: u16, hidden: Option<Area>) -> Option<char> {
        let is_hidden = |area: Area| {
            x < area.x + area.width && area.x < x + self.width && y < area.y + area.height && area.y < y + self.height
        };
        if hidden.is_some_and(is_hidden) {
            return Some(HIDDEN);
        }
        self.glyphs.get(&self.cell(screen, x, y)).copied()
    }

    fn cell(&self, picture: &Picture, x: u16, y: u16) -> Vec<u32> {
        let row = |y| (x..x + self.width).fold(0, |bits, x| bits << 1 | u32::from(picture.black(x, y)));
        (y..y + self.height).map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture of rows of `#` and blanks.
    fn drawn(rows: &[&str]) -> Picture {
        let mut picture = Picture::new(rows[0].len() as u16, rows.len() as u16);
        for (y, row) in rows.iter().enumerate() {
            for (x, _) in row.bytes().enumerate().filter(|&(_, byte)| byte == b'#') {
                picture.set_black(x as u16, y as u16);
            }
        }
        picture
    }

    fn font() -> Font {
        let mut font = Font::default();
        font.learn(&drawn(&[" # ##    ", "# # #    ", " # ###   "]), "o1 ").unwrap();
        font
    }

    #[test]
    fn lines_are_found_at_any_height() {
        let screen = drawn(&[
            "         ",
            " # ##  # ",
            "# # # # #",
            " # ### # ",
            "##       ",
            " # ##    ",
            "# # #    ",
            " # ###   ",
        ]);
        let page = Area { x: 0, y: 0, width: 9, height: 8 };
        assert_eq!(font().lines(&screen, page, None), ["o1o", "o1"]);
        let first = Area { height: 4, ..page };
        assert_eq!(font().lines(&screen, first, None), ["o1o"]);
        let shifted = Area { x: 1, ..page };
        assert!(font().lines(&screen, shifted, None).is_empty());
    }

    #[test]
    fn what_is_hidden_may_be_anything() {
        let screen = drawn(&[" # ##  ##", "# # # ###", " # ### ##"]);
        let page = Area { x: 0, y: 0, width: 9, height: 3 };
        assert!(font().lines(&screen, page, None).is_empty());
        let lines = font().lines(&screen, page, Some(Area { x: 7, y: 1, width: 9, height: 9 }));
        assert_eq!(lines, ["o1\0"]);
        let says =
            |expected: &[&str]| end_with(&lines, &expected.iter().map(|line| line.to_string()).collect::<Vec<_>>());
        assert!(says(&["o1o"]) && says(&["o1"]) && says(&[]));
        assert!(!says(&["oo1"]) && !says(&["o1oo"]) && !says(&["o1", "o1"]));
    }

    #[test]
    fn mistakes_are_named() {
        let mut font = font();
        assert!(font.learn(&drawn(&["    ", "    ", "    "]), "x").unwrap_err().contains("cells of 4 by 3"));
        assert!(font.learn(&drawn(&["   ", "   ", "   "]), "x").unwrap_err().contains("look the same"));
    }
}
