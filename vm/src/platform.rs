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

use crate::address::{BYTES_PER_PAGE, FilePage, LispPage};
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
    /// The power button: Lisp should log out.
    PowerButton,
    /// Lisp had time enough to log out after [`InputEvent::PowerButton`]: the world is saved wherever it is, as
    /// [`SavePlace::Farewell`], unless Lisp has taken the log out back ([`Platform::stays_on`]).
    PowerDeadline,
    /// It is time to save the world while Lisp goes on: see [`SavePlace::Checkpoint`].
    Checkpoint,
    /// Somebody wants to look into the machine: it stops, and can go on.
    Stop,
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

/// The two ways in which Lisp names files of a host.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileDevice {
    /// `{DSK}`: names ignore case and have versions.
    Disk,
    /// `{UNIX}`: names are the host's.
    Unix,
}

/// Which file a name means when there are several versions, or none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Recognition {
    /// The newest version there is.
    Old,
    /// The oldest version there is.
    Oldest,
    /// A version that is not there yet.
    New,
    /// The newest version there is, or the first.
    OldOrNew,
    /// Whatever the name says.
    AsNamed,
}

/// What a file is opened for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileAccess {
    /// Reading.
    Input,
    /// Writing from scratch.
    Output,
    /// Reading and writing.
    Both,
    /// Writing behind what is there.
    Append,
}

/// Why something with a file did not work: a Unix error number, 0 if there is nothing more to say than that.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FileError(pub u32);

/// What is known about a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FileInfo {
    /// Bytes.
    pub length: u64,
    /// Unix seconds of the last change.
    pub written: i64,
    /// Unix seconds of the last use.
    pub read: i64,
    /// Unix mode bits.
    pub protection: u32,
    /// The host's number for the file.
    pub inode: u64,
    /// Is it neither a file nor a directory?
    pub special: bool,
}

/// Files, as Lisp's file system asks for them. Names are Lisp's without the device: `<tmp>FOO.LISP;3` comes as
/// `tmp>FOO.LISP;3`; a quote takes the meaning from the character behind it. Where a name or text goes into a buffer the
/// result is its length.
pub trait Files {
    /// Opens a file: a handle, and what is known about it then.
    fn open(
        &mut self,
        device: FileDevice,
        name: &[u8],
        recognition: Recognition,
        access: FileAccess,
    ) -> Result<(u16, FileInfo), FileError>;
    /// Closes a file; `written` becomes its time of change.
    fn close(&mut self, handle: u16, written: Option<i64>) -> Result<(), FileError>;
    /// Reads from a place in a file; fewer bytes than asked for mean the end.
    fn read(&mut self, handle: u16, at: u64, buffer: &mut [u8]) -> Result<usize, FileError>;
    /// Writes to a place in a file.
    fn write(&mut self, handle: u16, at: u64, bytes: &[u8]) -> Result<(), FileError>;
    /// Makes a file this long.
    fn set_length(&mut self, handle: u16, length: u64) -> Result<(), FileError>;
    /// The full name of the file that a name means.
    fn full_name(
        &mut self,
        device: FileDevice,
        name: &[u8],
        recognition: Recognition,
        full: &mut [u8],
    ) -> Result<usize, FileError>;
    /// The full name of a directory.
    fn directory_name(&mut self, device: FileDevice, name: &[u8], full: &mut [u8]) -> Result<usize, FileError>;
    /// Deletes a file: the oldest version, if the name has none.
    fn delete(&mut self, device: FileDevice, name: &[u8]) -> Result<(), FileError>;
    /// Renames a file; the new name is of a new version.
    fn rename(&mut self, device: FileDevice, from: &[u8], to: &[u8]) -> Result<(), FileError>;
    /// What is known about a file.
    fn info(&mut self, device: FileDevice, name: &[u8]) -> Result<FileInfo, FileError>;
    /// The name of a file's owner.
    fn author(&mut self, device: FileDevice, name: &[u8], author: &mut [u8]) -> Result<usize, FileError>;
    /// Sets a file's time of change, Unix seconds.
    fn set_written(&mut self, device: FileDevice, name: &[u8], written: i64) -> Result<(), FileError>;
    /// Sets a file's mode bits.
    fn set_protection(&mut self, device: FileDevice, name: &[u8], protection: u32) -> Result<(), FileError>;
    /// Where relative names begin from now on.
    fn change_directory(&mut self, device: FileDevice, name: &[u8]) -> Result<(), FileError>;
    /// Blocks that are free where a name is.
    fn free_blocks(&mut self, device: FileDevice, name: &[u8]) -> Result<u32, FileError>;
    /// Begins to list the files that a pattern with `*` names: a handle for the list, and how many there are.
    fn list(&mut self, device: FileDevice, pattern: &[u8]) -> Result<(u16, u32), FileError>;
    /// The next name of a list (without its directory) and, if that is wanted, what is known about the file; `None` at the
    /// end.
    fn next_listed(
        &mut self,
        list: u16,
        name: &mut [u8],
        with_info: bool,
    ) -> Result<Option<(usize, FileInfo)>, FileError>;
    /// Ends a list; false if there is no such list.
    fn end_list(&mut self, list: u16) -> bool;
}

/// A world as a sysout, while Lisp stands still: what [`Worlds`] keeps.
pub trait World {
    /// Pages of the file.
    fn pages(&self) -> u32;
    /// The Lisp page that a file page holds, if it holds one.
    fn lisp_page(&self, file: FilePage) -> Option<LispPage>;
    /// Copies a file page, in the file's byte order; one that holds nothing is zero.
    fn copy(&self, file: FilePage, to: &mut [u8; BYTES_PER_PAGE]);
}

/// Where a world goes when it is saved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SavePlace<'a> {
    /// The machine's own place, which it comes up from.
    Own,
    /// The same, because of [`InputEvent::Checkpoint`]: the world as it is now, while Lisp goes on. It is enough to have
    /// begun. Lisp is not told of a failure: the user should be.
    Checkpoint,
    /// The same, because of [`InputEvent::PowerDeadline`]: when it is done, the machine can be switched off.
    Farewell,
    /// A file of this name, as [`Files`] have it; versions mean nothing here.
    File(FileDevice, &'a [u8]),
}

/// Why a world was not saved. Lisp has a sentence for each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SaveError {
    /// The name is no file's.
    BadName = 1,
    /// The disk is full.
    NoSpace = 2,
    /// The file, or the place, cannot be opened.
    CannotOpen = 3,
    /// A place in the file cannot be reached.
    CannotSeek = 4,
    /// The disk refused a write, or what was written cannot be relied on.
    CannotWrite = 5,
    /// Nobody answered in time.
    TimedOut = 6,
}

/// Keeps worlds. Until a save is complete whatever was in its place before stays there, whole.
pub trait Worlds {
    /// Saves a world; when this returns, a power cut cannot take it away any more.
    fn save(&mut self, place: SavePlace<'_>, world: &dyn World) -> Result<(), SaveError>;
}

/// No memory is left for a new page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OutOfMemory;

/// Bits of a byte that [`Platform::page_states`] gives.
pub mod page_state {
    /// Lisp has a page there.
    pub const THERE: u8 = 1;
    /// It is in memory.
    pub const RESIDENT: u8 = 2;
    /// It was read or written since somebody asked last.
    pub const TOUCHED: u8 = 4;
    /// It was written since somebody asked last.
    pub const CHANGED: u8 = 8;
    /// It was written since the world was saved.
    pub const UNSAVED: u8 = 16;
}

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

    /// What Lisp's pages of 4 KiB (2048 words) are like, from number `first` on, a byte of [`page_state`]'s bits each. What
    /// happened to a page is told once. False on a computer that does not know.
    fn page_states(&mut self, _first: u32, _states: &mut [u8]) -> bool {
        false
    }

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

    /// The computer's files, if it has any that Lisp may use.
    fn files(&mut self) -> Option<&mut dyn Files> {
        None
    }

    /// Lisp has taken back the log out that [`InputEvent::PowerButton`] asked for.
    fn stays_on(&mut self) {}

    /// Where worlds can be saved, if anywhere.
    fn worlds(&mut self) -> Option<&mut dyn Worlds> {
        None
    }

    /// Nothing to do: rest until the next event or for at most so many microseconds.
    fn idle(&mut self, microseconds: u32);
    /// The machine is finished: power off. Returns if that is not possible.
    fn power_off(&mut self);
}
