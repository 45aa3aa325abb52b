//! The part of the kernel that is only arithmetic.
//!
//! Nothing here touches a port, a page table or a clock, and nothing is `unsafe`: the kernel proper (`src/main.rs`)
//! feeds these modules with what the hardware said and does to the hardware what they answer. They are a library of
//! their own so that `cargo test -p kernel` reaches them on the host.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod archive;
pub mod calendar;
pub mod command_line;
pub mod environment;
pub mod escapes;
pub mod handoff;
pub mod keys;
pub mod layouts;
pub mod mouse;
pub mod ninep;
pub mod open_text;
pub mod page_plan;
pub mod pixels;
pub mod ring;
pub mod timing;
