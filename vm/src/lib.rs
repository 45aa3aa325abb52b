//! The D-machine: everything of Duralumin that is Lisp and nothing that is PC.
//!
//! A Medley Interlisp image is a computer's memory and this crate is the processor: bytecode, stack, storage,
//! reference-counting collector, display operations, and the subroutines ("subrs") that Lisp calls below itself. It
//! needs no operating system, no allocator and no clock of its own; what it wants from outside it asks of a
//! [`platform::Platform`].
//!
//! | module | what |
//! |---|---|
//! | [`address`], [`memory`], [`layout`] | Lisp's address space, and the two memory maps |
//! | [`isa`], `dispatch` | the table of instructions, and how they are run |
//! | [`machine`], [`startup`] | registers and state; from an image to its first instruction |
//! | `variables`, `jumps`, `compare`, `integers`, `floats`, `lists`, `arrays`, `bases`, `misc` ... | what instructions do |
//! | `calls`, `frames`, `context`, `overflow`, `binding`, `free_variables`, `values` | calls, and the stack segment |
//! | `storage`, `objects`, `collector` | where objects come from and where they go |
//! | `interrupts`, `keyboard`, `clock`, [`idle`], `display` | what Lisp sees of devices |
//! | `subrs`, `saving` | what Lisp asks of the machine by number |
//! | [`platform`] | what the machine asks of the world around it |
//! | [`sysout`], [`symbols`], [`inspect`] | the file format; names; looking at a world from outside |
#![no_std]
#![deny(unsafe_code)]

#[cfg(any(test, feature = "testing"))]
extern crate std;

pub mod address;
pub mod error;
pub mod inspect;
pub mod isa;
pub mod layout;
pub mod machine;
#[expect(unsafe_code, reason = "the one place that reads and writes Lisp memory")]
pub mod memory;
pub mod platform;
pub mod startup;
pub mod symbols;
pub mod sysout;
#[cfg(any(test, feature = "testing"))]
#[expect(unsafe_code, reason = "takes the address space for Lisp")]
pub mod testing;

mod arrays;
mod bases;
mod binding;
mod calls;
mod clock;
mod collector;
mod compare;
mod context;
#[expect(
    unsafe_code,
    reason = "instructions go on to the next one through a table of functions, and an interrupt stops them"
)]
mod dispatch;
mod display;
mod elements;
mod floats;
mod frames;
mod free_variables;
pub mod idle;
mod integers;
mod interrupts;
mod jumps;
mod keyboard;
mod lists;
mod loops;
mod misc;
mod objects;
mod overflow;
#[cfg(test)]
mod programs;
mod saving;
mod storage;
mod subrs;
mod sxhash;
#[cfg(test)]
mod trial;
mod values;
mod variables;
#[cfg(test)]
mod workbench;
