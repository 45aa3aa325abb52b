//! Lisp's one-bit screen on the framebuffer.
//!
//! ```text
//!   Lisp space, DISPLAY region              shadow                   framebuffer
//!   rows of 16-bit words        --+         one 32-bit cell     -->  32 pixels of 1, 3 or 4 bytes
//!   dirty bits of its pages  --> which ->   for each 32 pixels,
//!   the cursor over it       -----+         as shown now
//! ```
//! Dirty bits say which pages Lisp wrote since the last frame; the shadow says which cells of them really look
//! different. Only those are converted. Rows are looked at in the frames behind them, so drawing never faults.

use crate::clock;
use crate::memory::exclusive::Exclusive;
use crate::memory::frames::FRAME;
use crate::memory::{direct, paging, permanent_frames};
use crate::{devices::text, pager};
use kernel_logic::handoff::{Framebuffer, PixelFormat};
use kernel_logic::pixels::{CELL, Cursor, expand_8, expand_24, expand_32};

/// Word address of Lisp's screen, in both memory layouts.
pub const DISPLAY_WORDS: u32 = 0x12_0000;
/// Shortest time between two frames: sixty a second.
const FRAME_MICROSECONDS: u64 = 16_600;

/// The screen.
struct Display {
    framebuffer: Framebuffer,
    address: u64,
    /// Pixels of Lisp's screen; both fit the framebuffer.
    width: u32,
    height: u32,
    /// Upper left corner of Lisp's screen on the framebuffer.
    left: u32,
    top: u32,
    shadow: &'static mut [u32],
    cursor: Cursor,
    shown_cursor: Cursor,
    /// All ones for white on black.
    inverse: u32,
    last_frame: u64,
    frames: u64,
    cells: u64,
    /// Has a picture of Lisp's been shown?
    shown: bool,
    /// Does something else have the framebuffer?
    held: bool,
}

static DISPLAY: Exclusive<Option<Display>> = Exclusive::new(None);

/// Maps the framebuffer, so that text (and the panic screen) can be shown.
pub fn map_framebuffer(framebuffer: Framebuffer) -> u64 {
    let address = paging::map_device(framebuffer.physical, framebuffer.length(), paging::WRITE_COMBINING);
    text::set_screen(framebuffer, address);
    address
}

/// Starts showing a Lisp screen of that size, in the middle of the framebuffer; what is around it stays black.
///
/// The Lisp screen must fit the framebuffer and its width be a multiple of 32.
pub fn start(framebuffer: Framebuffer, address: u64, width: u32, height: u32) {
    assert!(width <= framebuffer.width && height <= framebuffer.height && width.is_multiple_of(CELL));
    let cells = (width / CELL * height) as usize;
    let frames = permanent_frames((cells as u64 * 4).div_ceil(FRAME));
    // SAFETY: zeroed frames of our own for ever; the framebuffer is mapped and of that length.
    let (shadow, bytes) = unsafe {
        (
            core::slice::from_raw_parts_mut(direct::<u32>(frames), cells),
            core::slice::from_raw_parts_mut(address as *mut u8, framebuffer.length() as usize),
        )
    };
    bytes.fill(0);
    // The shadow says all black, as the screen now is.
    shadow.fill(u32::MAX);
    let display = Display {
        framebuffer,
        address,
        width,
        height,
        left: (framebuffer.width - width) / 2,
        top: (framebuffer.height - height) / 2,
        shadow,
        cursor: Cursor::default(),
        shown_cursor: Cursor::default(),
        inverse: 0,
        last_frame: 0,
        frames: 0,
        cells: 0,
        shown: false,
        held: false,
    };
    DISPLAY.with(|place| *place = Some(display));
}

/// Sets the cursor's picture and place; it is drawn with the next frame.
pub fn set_cursor(cursor: Cursor) {
    DISPLAY.with(|display| {
        if let Some(display) = display {
            display.cursor = cursor;
        }
    });
}

/// White on black, or black on white; shown at once.
pub fn set_inverse(inverse: bool) {
    DISPLAY.with(|display| {
        if let Some(display) = display {
            display.inverse = if inverse { u32::MAX } else { 0 };
            if !display.held {
                display.draw_cells(0, display.shadow.len());
            }
        }
    });
}

/// Shows Lisp's screen again where a line of text was drawn over it.
pub fn uncover() {
    DISPLAY.with(|display| {
        let Some(display) = display else { return };
        let covered = text::COVERED.min(display.framebuffer.height);
        let bytes = covered as usize * display.framebuffer.stride_bytes as usize;
        // SAFETY: the first lines of the framebuffer, which is mapped for ever.
        unsafe { (display.address as *mut u8).write_bytes(0, bytes.min(display.framebuffer.length() as usize)) };
        let lines = covered.saturating_sub(display.top).min(display.height);
        let cells = (display.width / CELL * lines) as usize;
        // They are all black now.
        display.shadow[..cells].fill(u32::MAX);
        display.draw_cells(0, cells);
    });
}

/// Leaves the framebuffer to something else, or shows Lisp's screen again as it is then.
pub fn hold(on: bool) {
    // After a panic in the display there is nothing to hold.
    let _ = DISPLAY.try_with(|display| {
        if let Some(display) = display {
            display.held = on;
            if !on {
                display.draw_anew();
            }
        }
    });
}

/// Shows what changed, unless the last frame was just now. Says whether it drew.
pub fn refresh() -> bool {
    let now = clock::microseconds();
    DISPLAY.with(|display| {
        let Some(display) = display else { return false };
        if display.held || now - display.last_frame < FRAME_MICROSECONDS && display.frames > 0 {
            return false;
        }
        display.last_frame = now;
        display.frames += 1;
        let before = display.cells;
        display.draw_changes();
        if !display.shown && display.cells > before {
            display.shown = true;
            log::info!("first picture");
        }
        true
    })
}

/// Frames drawn and cells converted since the start.
pub fn counters() -> (u64, u64) {
    DISPLAY.with(|display| display.as_ref().map_or((0, 0), |display| (display.frames, display.cells)))
}

impl Display {
    fn words(&self) -> u32 {
        self.width / 16 * self.height
    }

    fn draw_changes(&mut self) {
        let cells = self.shadow.len();
        let cells_per_page = FRAME as usize / 4;
        pager::take_dirty(DISPLAY_WORDS, self.words(), |page| {
            let first = page * cells_per_page;
            self.draw_cells(first.min(cells), (first + cells_per_page).min(cells));
        });
        if self.cursor != self.shown_cursor {
            for cursor in [self.shown_cursor, self.cursor] {
                self.draw_cursor_place(cursor);
            }
            self.shown_cursor = self.cursor;
        }
    }

    /// Shows all of it, whatever the framebuffer holds; what is around it becomes black, as it was.
    fn draw_anew(&mut self) {
        // SAFETY: the framebuffer is mapped and of that length, and nobody else is drawing.
        unsafe { (self.address as *mut u8).write_bytes(0, self.framebuffer.length() as usize) };
        self.shadow.fill(u32::MAX);
        self.shown_cursor = self.cursor;
        self.draw_cells(0, self.shadow.len());
    }

    /// Looks at the cells around a cursor.
    fn draw_cursor_place(&mut self, cursor: Cursor) {
        let per_line = (self.width / CELL) as usize;
        let columns = |x: i32| (x.clamp(0, self.width as i32 - 1) / CELL as i32) as usize;
        let (first, last) = (columns(cursor.x), columns(cursor.x + 15));
        let lines = cursor.y.clamp(0, self.height as i32)..(cursor.y + 16).clamp(0, self.height as i32);
        for line in lines {
            let start = line as usize * per_line;
            self.draw_cells(start + first, start + last + 1);
        }
    }

    /// Looks at cells `first..end` and shows those that differ from the shadow.
    fn draw_cells(&mut self, first: usize, end: usize) {
        let per_line = (self.width / CELL) as usize;
        let cells_per_page = FRAME as usize / 4;
        let mut index = first;
        while index < end {
            let page_end = (index / cells_per_page + 1) * cells_per_page;
            let stop = page_end.min(end);
            let Some(frame) = pager::frame_of(DISPLAY_WORDS + (index / cells_per_page * cells_per_page * 2) as u32)
            else {
                index = stop;
                continue;
            };
            for index in index..stop {
                // SAFETY: inside a resident frame of Lisp's screen. Volatile, because Lisp writes there as it likes.
                let bits = unsafe { direct::<u32>(frame).add(index % cells_per_page).read_volatile() };
                let (line, column) = ((index / per_line) as u32, (index % per_line) as u32);
                let seen = if self.cursor.touches(line) { bits | self.cursor.cover(line, column) } else { bits }
                    ^ self.inverse;
                if self.shadow[index] != seen {
                    self.shadow[index] = seen;
                    self.cells += 1;
                    self.put(line, column, seen);
                }
            }
            index = stop;
        }
    }

    /// Writes 32 pixels.
    fn put(&mut self, line: u32, column: u32, cell: u32) {
        let framebuffer = &self.framebuffer;
        let bytes = framebuffer.bytes_per_pixel;
        let offset = u64::from(self.top + line) * u64::from(framebuffer.stride_bytes)
            + u64::from((self.left + column * CELL) * bytes);
        let place = self.address + offset;
        // SAFETY: 32 pixels inside the framebuffer: line and column are of Lisp's screen, which fits it.
        unsafe {
            match bytes {
                4 => {
                    let mut pixels = [0; 32];
                    expand_32(cell, &mut pixels, 0x00ff_ffff);
                    (place as *mut [u32; 32]).write_unaligned(pixels);
                }
                3 => {
                    let mut pixels = [0; 96];
                    expand_24(cell, &mut pixels);
                    (place as *mut [u8; 96]).write(pixels);
                }
                _ => {
                    let mut pixels = [0; 32];
                    expand_8(cell, &mut pixels);
                    (place as *mut [u8; 32]).write(pixels);
                }
            }
        }
    }
}

/// Can pictures be shown in this format?
pub fn is_supported(framebuffer: &Framebuffer) -> bool {
    matches!(
        (framebuffer.bytes_per_pixel, framebuffer.format),
        (3 | 4, PixelFormat::Rgb | PixelFormat::Bgr) | (1, PixelFormat::Grey)
    )
}
