//! Pictures of a screen, as QEMU takes them (PPM) and as people look at them (PNG, written without compression).

use crate::{QemuError, Result};
use std::path::Path;

/// A picture, three bytes (red, green, blue) a pixel.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// Pixels in a line.
    pub width: usize,
    /// Lines.
    pub height: usize,
    pixels: Vec<u8>,
}

impl Picture {
    /// Reads a binary PPM.
    pub fn from_ppm(bytes: &[u8]) -> Result<Self> {
        let broken = || QemuError::Monitor("the screenshot is no PPM picture".into());
        let mut rest = bytes;
        let mut field = || {
            let end = rest.iter().position(u8::is_ascii_whitespace)?;
            let text = std::str::from_utf8(&rest[..end]).ok()?.to_owned();
            rest = &rest[end + 1..];
            Some(text)
        };
        let header: Vec<String> = (0..4).map_while(|_| field()).collect();
        let [kind, width, height, depth] = &header[..] else { return Err(broken()) };
        let (Ok(width), Ok(height)) = (width.parse(), height.parse()) else { return Err(broken()) };
        let pixels: usize = width * height * 3;
        if kind != "P6" || depth != "255" || rest.len() < pixels {
            return Err(broken());
        }
        Ok(Self { width, height, pixels: rest[..pixels].to_vec() })
    }

    /// Red, green and blue of a pixel.
    pub fn pixel(&self, x: usize, y: usize) -> [u8; 3] {
        let at = (y * self.width + x) * 3;
        self.pixels[at..at + 3].try_into().expect("three")
    }

    /// Is the pixel dark, as Lisp's 1 bits are?
    pub fn is_black(&self, x: usize, y: usize) -> bool {
        self.pixel(x, y).iter().map(|&part| u32::from(part)).sum::<u32>() < 3 * 128
    }

    /// Writes it as PNG.
    pub fn write_png(&self, file: &Path) -> std::io::Result<()> {
        let mut lines = Vec::with_capacity(self.pixels.len() + self.height);
        for line in self.pixels.chunks(self.width * 3) {
            lines.push(0); // no filter
            lines.extend_from_slice(line);
        }
        // Deflate with stored blocks only: every PNG reader takes it, and nothing has to be compressed here.
        let mut data = vec![0x78, 1];
        let mut blocks = lines.chunks(0xffff).peekable();
        while let Some(block) = blocks.next() {
            data.push(u8::from(blocks.peek().is_none()));
            let length = block.len() as u16;
            data.extend(length.to_le_bytes());
            data.extend((!length).to_le_bytes());
            data.extend_from_slice(block);
        }
        data.extend(adler32(&lines).to_be_bytes());
        let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
        let mut header = Vec::new();
        header.extend((self.width as u32).to_be_bytes());
        header.extend((self.height as u32).to_be_bytes());
        header.extend([8, 2, 0, 0, 0]); // eight bits, red green blue
        for (kind, content) in [(b"IHDR", &header[..]), (b"IDAT", &data), (b"IEND", &[])] {
            let start = png.len() + 4;
            png.extend((content.len() as u32).to_be_bytes());
            png.extend_from_slice(kind);
            png.extend_from_slice(content);
            png.extend(crc32(&png[start..]).to_be_bytes());
        }
        std::fs::write(file, png)
    }
}

fn adler32(bytes: &[u8]) -> u32 {
    let (mut a, mut b) = (1u32, 0u32);
    for &byte in bytes {
        a = (a + u32::from(byte)) % 65521;
        b = (b + a) % 65521;
    }
    b << 16 | a
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 != 0 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ppm() {
        let picture = Picture::from_ppm(b"P6\n2 1\n255\n\0\0\0\xff\xff\xff").unwrap();
        assert_eq!((picture.width, picture.height), (2, 1));
        assert!(picture.is_black(0, 0) && !picture.is_black(1, 0));
        assert!(Picture::from_ppm(b"P6\n2 1\n255\n\0").is_err());
    }

    #[test]
    fn checksums() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
    }
}
