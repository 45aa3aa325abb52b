//! From Lisp's one-bit screen to the pixels of a framebuffer, a span of a line at a time.
//!
//! Lisp's screen is `height` lines of `width / 16` words, bit 1 black, the most significant bit leftmost. A line is
//! handed over as 32-bit cells (two words), in memory already native: bit 31 is the leftmost of 32 pixels.
//!
//! The cursor is 16 words of 16 pixels laid over the picture; Lisp draws it as "paint": black where either is black.

/// Pixels in a cell.
pub const CELL: u32 = 32;

/// The mouse cursor: its bits and where its upper left corner is (it may stick out of the screen on any side).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cursor {
    /// Column of the leftmost pixel.
    pub x: i32,
    /// Line of the topmost pixel.
    pub y: i32,
    /// Sixteen lines, bit 15 leftmost.
    pub bits: [u16; 16],
}

impl Cursor {
    /// Which bits of the cell `cell` of line `line` the cursor blackens.
    pub fn cover(&self, line: u32, cell: u32) -> u32 {
        let row = line as i32 - self.y;
        if !(0..16).contains(&row) {
            return 0;
        }
        // The 16 bits at the left end of a 64-bit window, moved to their column.
        let wide = u64::from(self.bits[row as usize]) << 48;
        match self.x - (cell * CELL) as i32 {
            offset @ 0..=31 => ((wide >> offset) >> 32) as u32,
            offset @ -15..=-1 => ((wide << -offset) >> 32) as u32,
            _ => 0,
        }
    }

    /// Does the cursor touch this line?
    pub fn touches(&self, line: u32) -> bool {
        (self.y..self.y + 16).contains(&(line as i32))
    }
}

/// Writes 32 pixels of 4 bytes: white `paper` for 0 bits, black for 1 bits.
pub fn expand_32(cell: u32, to: &mut [u32; 32], paper: u32) {
    for (index, pixel) in to.iter_mut().enumerate() {
        // All ones where the bit is 0: no branch, so the compiler can use wide moves.
        *pixel = paper & ((cell << index) >> 31).wrapping_sub(1);
    }
}

/// Writes 32 pixels of 3 bytes.
pub fn expand_24(cell: u32, to: &mut [u8; 96]) {
    for (index, pixel) in to.chunks_exact_mut(3).enumerate() {
        let value = ((cell << index) >> 31).wrapping_sub(1) as u8;
        pixel.fill(value);
    }
}

/// Writes 32 pixels of 1 byte.
pub fn expand_8(cell: u32, to: &mut [u8; 32]) {
    for (index, pixel) in to.iter_mut().enumerate() {
        *pixel = ((cell << index) >> 31).wrapping_sub(1) as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn black_is_one_and_left_is_high() {
        let mut line = [7; 32];
        expand_32(0x8000_0001, &mut line, 0x00ff_ffff);
        assert_eq!((line[0], line[1], line[30], line[31]), (0, 0x00ff_ffff, 0x00ff_ffff, 0));
        let mut line = [7; 96];
        expand_24(0x4000_0000, &mut line);
        assert_eq!(line[..9], [255, 255, 255, 0, 0, 0, 255, 255, 255]);
        let mut line = [7; 32];
        expand_8(0x4000_0000, &mut line);
        assert_eq!(line[..3], [255, 0, 255]);
    }

    #[test]
    fn cursor_across_two_cells_and_off_the_edges() {
        let cursor = Cursor { x: 24, y: 10, bits: [0xffff; 16] };
        assert_eq!(cursor.cover(10, 0), 0x0000_00ff);
        assert_eq!(cursor.cover(10, 1), 0xff00_0000);
        assert_eq!((cursor.cover(9, 0), cursor.cover(26, 0), cursor.cover(25, 2)), (0, 0, 0));
        let cursor = Cursor { x: -8, y: -15, bits: [0x00f1; 16] };
        assert_eq!((cursor.cover(0, 0), cursor.cover(1, 0)), (0xf100_0000, 0));
        assert!(cursor.touches(0) && !cursor.touches(1));
    }
}
