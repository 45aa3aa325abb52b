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

    /// The lines of text on a page, from the top, without trailing blanks. What is not wholly in this font is no line.
    pub fn lines(&self, screen: &Picture, page: Area) -> Vec<String> {
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
                (0..cells).map(|i| self.glyphs.get(&self.cell(screen, page.x + i * self.width, y)).copied()).collect();
            match line.as_deref().map(str::trim_end) {
                Some(line) if !line.is_empty() => {
                    lines.push(line.into());
                    y += self.height;
                }
                _ => y += 1,
            }
        }
        lines
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
        assert_eq!(font().lines(&screen, page), ["o1o", "o1"]);
        let first = Area { height: 4, ..page };
        assert_eq!(font().lines(&screen, first), ["o1o"]);
        let shifted = Area { x: 1, ..page };
        assert!(font().lines(&screen, shifted).is_empty());
    }

    #[test]
    fn mistakes_are_named() {
        let mut font = font();
        assert!(font.learn(&drawn(&["    ", "    ", "    "]), "x").unwrap_err().contains("cells of 4 by 3"));
        assert!(font.learn(&drawn(&["   ", "   ", "   "]), "x").unwrap_err().contains("look the same"));
    }
}
