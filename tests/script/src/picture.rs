//! One-bit pictures, and their PNG files.

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::Path;

/// A rectangle, pixels from the top left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Area {
    /// First column.
    pub x: u16,
    /// First row.
    pub y: u16,
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

impl Area {
    fn contains(&self, x: u16, y: u16) -> bool {
        x >= self.x && x - self.x < self.width && y >= self.y && y - self.y < self.height
    }
}

/// A picture: rows of bytes from the top, leftmost pixel in the top bit, 1 is black.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Picture {
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
    /// `height` rows of `width / 8` bytes, rounded up.
    pub bits: Vec<u8>,
}

impl Picture {
    /// A white picture.
    pub fn new(width: u16, height: u16) -> Picture {
        Picture { width, height, bits: vec![0; (width as usize).div_ceil(8) * height as usize] }
    }

    /// Whether a pixel inside is black.
    pub fn black(&self, x: u16, y: u16) -> bool {
        let row = (self.width as usize).div_ceil(8) * y as usize;
        self.bits[row + x as usize / 8] & 0x80 >> (x % 8) != 0
    }

    /// Makes a pixel inside black.
    pub fn set_black(&mut self, x: u16, y: u16) {
        let row = (self.width as usize).div_ceil(8) * y as usize;
        self.bits[row + x as usize / 8] |= 0x80 >> (x % 8);
    }

    /// A part of it; what lies outside of the picture is left out.
    pub fn part(&self, area: Area) -> Picture {
        let (left, top) = (area.x.min(self.width), area.y.min(self.height));
        let mut part = Picture::new(area.width.min(self.width - left), area.height.min(self.height - top));
        for y in 0..part.height {
            for x in 0..part.width {
                if self.black(left + x, top + y) {
                    part.set_black(x, y);
                }
            }
        }
        part
    }

    /// The smallest area outside of which two pictures of one size are equal, and how many pixels differ, not counting
    /// those in the masks or outside of the region.
    pub fn difference(&self, other: &Picture, region: Option<Area>, masks: &[Area]) -> Option<(Area, usize)> {
        let (mut left, mut top, mut right, mut bottom, mut count) = (u16::MAX, u16::MAX, 0, 0, 0);
        let row_bytes = (self.width as usize).div_ceil(8);
        for y in 0..self.height {
            let row = row_bytes * y as usize..row_bytes * (y as usize + 1);
            if self.bits[row.clone()] == other.bits[row] {
                continue;
            }
            for x in 0..self.width {
                let counts = self.black(x, y) != other.black(x, y)
                    && region.is_none_or(|region| region.contains(x, y))
                    && !masks.iter().any(|mask| mask.contains(x, y));
                if counts {
                    (left, top, right, bottom) = (left.min(x), top.min(y), right.max(x), bottom.max(y));
                    count += 1;
                }
            }
        }
        (count > 0).then(|| (Area { x: left, y: top, width: right - left + 1, height: bottom - top + 1 }, count))
    }

    /// Reads a PNG file of any kind; what is darker than middle grey is black.
    pub fn load(path: &Path) -> Result<Picture, String> {
        let wrong = |error: &dyn std::fmt::Display| format!("cannot read {}: {error}", path.display());
        let file = File::open(path).map_err(|error| wrong(&error))?;
        let mut decoder = png::Decoder::new(BufReader::new(file));
        decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::STRIP_16);
        let mut reader = decoder.read_info().map_err(|error| wrong(&error))?;
        let size = reader.output_buffer_size().ok_or_else(|| wrong(&"the picture is too large"))?;
        let mut bytes = vec![0; size];
        let frame = reader.next_frame(&mut bytes).map_err(|error| wrong(&error))?;
        let (width, height) = match (u16::try_from(frame.width), u16::try_from(frame.height)) {
            (Ok(width), Ok(height)) => (width, height),
            _ => return Err(wrong(&"the picture is too large")),
        };
        let samples = frame.color_type.samples();
        let mut picture = Picture::new(width, height);
        for y in 0..height {
            for x in 0..width {
                if bytes[y as usize * frame.line_size + x as usize * samples] < 128 {
                    picture.set_black(x, y);
                }
            }
        }
        Ok(picture)
    }

    /// Writes a one-bit PNG file.
    pub fn save(&self, path: &Path) -> Result<(), String> {
        let wrong = |error: &dyn std::fmt::Display| format!("cannot write {}: {error}", path.display());
        let file = File::create(path).map_err(|error| wrong(&error))?;
        let mut encoder = png::Encoder::new(BufWriter::new(file), self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::One);
        let mut writer = encoder.write_header().map_err(|error| wrong(&error))?;
        let white: Vec<u8> = self.bits.iter().map(|byte| !byte).collect();
        writer.write_image_data(&white).map_err(|error| wrong(&error))?;
        writer.finish().map_err(|error| wrong(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_keep_pictures() {
        let mut picture = Picture::new(20, 3);
        picture.bits.copy_from_slice(&[0x80, 0, 0x10, 0xFF, 0x55, 0xA0, 0, 1, 0]);
        let path = std::env::temp_dir().join(format!("script-picture-{}.png", std::process::id()));
        picture.save(&path).unwrap();
        assert_eq!(Picture::load(&path).unwrap().difference(&picture, None, &[]), None);
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn parts() {
        let mut picture = Picture::new(20, 3);
        picture.set_black(9, 1);
        let part = picture.part(Area { x: 8, y: 1, width: 100, height: 100 });
        assert_eq!((part.width, part.height, &part.bits[..]), (12, 2, &[0x40, 0, 0, 0][..]));
    }

    #[test]
    fn differences_are_found_and_masked() {
        let (a, mut b) = (Picture::new(32, 4), Picture::new(32, 4));
        b.bits[4 + 1] = 0b0010_0000;
        b.bits[8 + 2] = 0b0000_0001;
        let all = Area { x: 10, y: 1, width: 14, height: 2 };
        assert_eq!(a.difference(&b, None, &[]), Some((all, 2)));
        let one = Area { x: 23, y: 2, width: 1, height: 1 };
        assert_eq!(a.difference(&b, None, &[Area { x: 8, y: 0, width: 4, height: 4 }]), Some((one, 1)));
        assert_eq!(a.difference(&b, Some(Area { x: 0, y: 3, width: 32, height: 1 }), &[]), None);
    }
}
