//! The starter world's build: Lisp sources in, a sysout out.
//!
//! ```text
//!   world/*.lisp --reader--> forms --host: world/compiler/*.lisp--> code objects --linker--> target/starter.sysout
//! ```
//!
//! [`reader`] reads the sources and remembers where each list began. [`host`] is a small interpreter that runs the
//! compiler, which is itself written in the world's Lisp. [`linker`] lays out what the compiler made as an image in the
//! format of Medley 3.5.

#![forbid(unsafe_code)]

pub mod build;
pub mod calls;
pub mod code;
pub mod compiler;
pub mod host;
pub mod linker;
pub mod reader;
