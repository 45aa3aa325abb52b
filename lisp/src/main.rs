//! Builds the starter world.
//!
//! ```text
//!   lisp build [-o FILE]      compiles lisp/world and links it; FILE is target/starter.sysout unless said otherwise
//! ```

use std::process::ExitCode;

fn main() -> ExitCode {
    eprintln!("usage: lisp build [-o FILE]");
    ExitCode::FAILURE
}
