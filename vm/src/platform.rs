//! What the Lisp machine asks of the world around it: small traits with a real driver in the kernel, a Linux one in
//! the host runner and a fake in tests.
//!
//! ```text
//!   vm  --- Platform ---  kernel:  TSC, RTC, framebuffer, PS/2, pager, ACPI
//!                         runner:  Linux clock, a bitmap in memory, a script, mmap
//!                         tests:   numbers that stand still
//! ```
//!
//! Nothing here may touch Lisp memory except through the addresses it is given.

use crate::address::LispPage;
use core::fmt;

/// How important a line of the log is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum LogLevel {
    /// Something is wrong and work may be lost.
    Error,
    /// Something is unusual.
    Warning,
    /// A milestone.
    Info,
    /// For people who look for a fault in the machine.
    Debug,
}

/// Something that a person did. Key numbers are the D-machine's (0..=127 in the keyboard words of the I/O page).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InputEvent {
    /// A key went down.
    KeyDown(u8),
    /// A key came up.
    KeyUp(u8),
    /// The mouse is at this pixel, from the top left.
    MouseMove {
        /// Column.
        x: u16,
        /// Row.
        y: u16,
    },
    /// A mouse button changed.
    Button {
        /// Which.
        button: MouseButton,
        /// Down or up.
        down: bool,
    },
    /// The wheel turned by so many notches; positive is away from the user.
    Wheel(i8),
    /// The power button.
    PowerButton,
}

/// The three buttons of Lisp's mouse.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MouseButton {
    /// Red.
    Left,
    /// Yellow.
    Middle,
    /// Blue.
    Right,
}

/// A 16 by 16 cursor, one bit a pixel, leftmost pixel in the top bit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cursor {
    /// Rows from the top.
    pub rows: [u16; 16],
    /// Column of the hot spot from the left.
    pub hot_x: u8,
    /// Row of the hot spot from the top.
    pub hot_y: u8,
}

/// Something Lisp may ask about the computer and its user.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HostString {
    /// The user's login name.
    UserName,
    /// The user's name among people.
    FullName,
    /// The computer's name.
    HostName,
}

/// No memory is left for a new page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OutOfMemory;

/// The world around the machine.
pub trait Platform {
    /// Microseconds since some fixed moment; never goes back.
    fn microseconds(&mut self) -> u64;
    /// Seconds since 1 January 1970, UTC.
    fn unix_seconds(&mut self) -> i64;
    /// Seconds that local time is ahead of UTC.
    fn utc_offset_seconds(&mut self) -> i32 {
        0
    }

    /// A line for the log (serial line, standard error).
    fn log(&mut self, level: LogLevel, line: fmt::Arguments<'_>);
    /// Bytes that Lisp prints to the console.
    fn console(&mut self, bytes: &[u8]);

    /// The next thing a person did, if anything.
    fn poll_input(&mut self) -> Option<InputEvent>;

    /// Width and height of the screen in pixels. The width is a multiple of 32.
    fn screen_size(&mut self) -> (u16, u16);
    /// A chance to bring the screen up to date; called often, must be cheap when it is too soon.
    fn refresh_screen(&mut self) {}
    /// The cursor has this shape now.
    fn set_cursor(&mut self, cursor: &Cursor);
    /// Lisp has put the mouse at this pixel.
    fn warp_mouse(&mut self, x: u16, y: u16);
    /// White on black instead of black on white.
    fn set_inverse(&mut self, inverse: bool);
    /// A tone of so many hertz, or silence with `None`.
    fn tone(&mut self, hertz: Option<u32>);

    /// Gives Lisp this page: zeroed if it is new, as it is if Lisp has it already.
    fn new_page(&mut self, page: LispPage) -> Result<(), OutOfMemory>;

    /// Copies something about computer or user into a buffer; its length.
    fn host_string(&mut self, what: HostString, buffer: &mut [u8]) -> Option<usize> {
        let text: &[u8] = match what {
            HostString::UserName => b"user",
            HostString::FullName => b"User",
            HostString::HostName => b"duralumin",
        };
        buffer.get_mut(..text.len())?.copy_from_slice(text);
        Some(text.len())
    }
    /// Copies the value of an environment variable into a buffer; its length. A computer without any has none.
    fn environment(&mut self, _name: &[u8], _buffer: &mut [u8]) -> Option<usize> {
        None
    }

    /// Nothing to do: rest until the next event or for at most so many microseconds.
    fn idle(&mut self, microseconds: u32);
    /// The machine is finished: power off. Returns if that is not possible.
    fn power_off(&mut self);
}
