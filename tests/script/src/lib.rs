//! Scripts: what a person does at a Lisp machine and what he should see, one step a line.
//!
//! ```text
//!   # comment
//!   limit 20s                             every wait from here on may take so long
//!   wait 500ms                            sleep
//!   wait until 10s                        sleep until so long after the start
//!   wait idle                             until Lisp has nothing to do
//!   wait settled [1s]                     until so long nothing but a caret has changed
//!   wait file "name"                      until Lisp has written a file (only where Lisp has the host's files)
//!   type "(+ 1 2)\n"                      \n Return, \t Tab, \e Escape, \b Backspace, \^x Control-x, \" \\
//!   press control-e                       modifiers shift, control, meta, then a key's name
//!   down shift / up shift
//!   move 100 200                          pixels from the top left
//!   click left|middle|right [100 200]
//!   button left down|up
//!   take "name.png" [region X Y W H]      a picture of the screen
//!   expect "name.png" [region X Y W H] [mask X Y W H]...     until the screen (or region) equals a picture
//!   font "name.png" "abc"                 what the characters a, b, c look like: a picture of them side by side
//!   page X Y W H                          where text is; lines start at the left edge
//!   expect lines "1" "2"                  until these are the last lines on the page, among those in the font
//!   quit                                  the end, well before whatever else the machine would do
//! ```
//!
//! [`parse`] makes [`Step`]s of a text; a [`Player`] acts them out on a [`Stage`]: the host runner, or QEMU.
#![forbid(unsafe_code)]

pub mod keys;
mod parse;
mod picture;
mod player;
mod text;

pub use parse::{ParseError, parse};
pub use picture::{Area, Picture};
pub use player::{Player, Progress, Stage};
pub use text::Font;

use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where a picture is that a script names: beside the script, or with `$MEDLEY/` before it beside the image.
pub fn picture_file(script: &Path, image: &Path, name: &str) -> PathBuf {
    match name.strip_prefix("$MEDLEY/") {
        Some(name) => image.with_file_name(name),
        None => script.with_file_name(name),
    }
}

/// The three buttons of the mouse.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Button {
    /// Selects.
    Left,
    /// Opens a menu.
    Middle,
    /// Opens another, extends a selection.
    Right,
}

/// Something done at the machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// A key goes down or comes up.
    Key(keys::Key, bool),
    /// The mouse moves to a pixel.
    Move(u16, u16),
    /// A mouse button goes down or comes up.
    Button(Button, bool),
}

/// A line of a script.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// Its number, from 1.
    pub line: usize,
    /// What it says.
    pub command: Command,
}

/// What a line says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// How long waits may take from here on.
    Limit(Duration),
    /// Sleeps.
    Wait(Duration),
    /// Sleeps until so long after the start.
    WaitUntil(Duration),
    /// Waits until Lisp rests.
    WaitIdle,
    /// Waits until nothing has changed for so long.
    WaitSettled(Duration),
    /// Waits until a file is there.
    WaitFile(String),
    /// Does these one after the other.
    Act(Vec<Action>),
    /// Saves a picture of the screen or a part of it.
    Take {
        /// The picture's file.
        file: String,
        /// What part; all if there is none.
        region: Option<Area>,
    },
    /// Waits until the screen equals a picture.
    Expect {
        /// The picture's file.
        file: String,
        /// What part; all if there is none.
        region: Option<Area>,
        /// What does not matter.
        masks: Vec<Area>,
    },
    /// Learns what characters look like.
    Font {
        /// The picture's file.
        file: String,
        /// What is on it.
        characters: String,
    },
    /// Text is there.
    Page(Area),
    /// Waits until these are the last lines of text.
    ExpectLines(Vec<String>),
    /// The end.
    Quit,
}
