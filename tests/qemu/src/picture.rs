//! Pictures of a screen, as QEMU takes them (PPM) and as people look at them (PNG).

use crate::{QemuError, Result};
use std::fs::File;
use std::io::BufWriter;
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
        let file = BufWriter::new(File::create(file)?);
        let mut encoder = png::Encoder::new(file, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Rgb);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&self.pixels)?;
        Ok(writer.finish()?)
    }
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
    fn png() {
        let picture = Picture { width: 2, height: 1, pixels: vec![1, 2, 3, 4, 5, 6] };
        let file = std::env::temp_dir().join(format!("duralumin-picture-{}.png", std::process::id()));
        picture.write_png(&file).unwrap();
        let mut reader = png::Decoder::new(std::io::BufReader::new(File::open(&file).unwrap())).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let frame = reader.next_frame(&mut pixels).unwrap();
        std::fs::remove_file(file).unwrap();
        assert_eq!((frame.width, frame.height, frame.color_type), (2, 1, png::ColorType::Rgb));
        assert_eq!(pixels, picture.pixels);
    }
}
