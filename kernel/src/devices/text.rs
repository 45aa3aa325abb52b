//! Text on the framebuffer: boot messages that matter to a user without a serial line, and the panic screen.

use crate::memory::exclusive::Exclusive;
use core::fmt;
use kernel_logic::handoff::Framebuffer;
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};

/// Pixels of a character.
pub const HEIGHT: u32 = 16;
/// As above.
pub const WIDTH: u32 = get_raster_width(FontWeight::Regular, RasterHeight::Size16) as u32;
/// Pixels around the text.
pub const MARGIN: u32 = 16;

/// The framebuffer and where it is mapped.
static SCREEN: Exclusive<Option<(Framebuffer, u64)>> = Exclusive::new(None);

/// Says where the framebuffer is mapped.
pub fn set_screen(framebuffer: Framebuffer, address: u64) {
    SCREEN.with(|place| *place = Some((framebuffer, address)));
}

/// The framebuffer, as a place for characters.
#[derive(Clone, Copy)]
pub struct Screen {
    framebuffer: Framebuffer,
    address: u64,
}

/// The screen, if there is one and nobody is just being told where.
pub fn screen() -> Option<Screen> {
    let (framebuffer, address) = SCREEN.try_with(|place| *place).flatten()?;
    Some(Screen { framebuffer, address })
}

/// Shows a character, white on black; its upper left corner is at (`left`, `top`).
pub fn put_character(screen: &Screen, left: u32, top: u32, character: char) {
    screen.character(left, top, character, |ink| ink);
}

impl Screen {
    /// Pixels in a line.
    pub fn width(&self) -> u32 {
        self.framebuffer.width
    }

    /// Lines.
    pub fn height(&self) -> u32 {
        self.framebuffer.height
    }

    /// Makes all of it that grey.
    pub fn fill(&self, grey: u8) {
        for y in 0..self.height() {
            for x in 0..self.width() {
                self.pixel(x, y, grey);
            }
        }
    }

    fn pixel(&self, x: u32, y: u32, grey: u8) {
        if x >= self.framebuffer.width || y >= self.framebuffer.height {
            return;
        }
        let bytes = self.framebuffer.bytes_per_pixel;
        let at = self.address + u64::from(y) * u64::from(self.framebuffer.stride_bytes) + u64::from(x * bytes);
        for byte in 0..u64::from(bytes.min(3)) {
            // SAFETY: inside the framebuffer, which is mapped for ever.
            unsafe { ((at + byte) as *mut u8).write_volatile(grey) };
        }
    }

    fn character(&self, left: u32, top: u32, character: char, grey: impl Fn(u8) -> u8) {
        let raster = |character| get_raster(character, FontWeight::Regular, RasterHeight::Size16);
        let Some(raster) = raster(character).or_else(|| raster('?')) else { return };
        for (y, row) in raster.rows().enumerate() {
            for (x, ink) in row.iter().enumerate() {
                self.pixel(left + x as u32, top + y as u32, grey(*ink));
            }
        }
    }
}

/// A screen full of text, black on white, from the top; it stops at the bottom.
pub struct TextScreen {
    screen: Screen,
    column: u32,
    line: u32,
}

impl TextScreen {
    /// Clears the screen and takes it from whoever has it; `None` without a framebuffer.
    pub fn by_force() -> Option<Self> {
        let (framebuffer, address) = SCREEN.force(|place| *place)?;
        let screen = Screen { framebuffer, address };
        screen.fill(0xff);
        Some(Self { screen, column: 0, line: 0 })
    }

    fn new_line(&mut self) {
        self.column = 0;
        self.line += 1;
    }

    fn character(&mut self, character: char) {
        let columns = (self.screen.width().saturating_sub(2 * MARGIN) / WIDTH).max(1);
        if character == '\n' {
            self.new_line();
            return;
        }
        if self.column >= columns {
            self.new_line();
        }
        let (left, top) = (MARGIN + self.column * WIDTH, MARGIN + self.line * HEIGHT);
        self.screen.character(left, top, character, |ink| 255 - ink);
        self.column += 1;
    }
}

/// Lines of pixels that [`show_line`] covers.
pub const COVERED: u32 = 2 * MARGIN + 2 * HEIGHT;

/// Shows a line, or two if it is long, at the top of the screen, over whatever is there.
pub fn show_line(text: fmt::Arguments<'_>) {
    let Some(screen) = screen() else { return };
    for y in 0..COVERED {
        for x in 0..screen.width() {
            screen.pixel(x, y, 0xff);
        }
    }
    // There is nowhere to say that a line could not be shown.
    let _ = fmt::Write::write_fmt(&mut TextScreen { screen, column: 0, line: 0 }, text);
}

impl fmt::Write for TextScreen {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().for_each(|character| self.character(character));
        Ok(())
    }
}
