//! The machine's disk, seen from the host.
//!
//! ```text
//!   boot import SYSOUT DISK [--fresh] [--size MEGABYTES]      a new disk that holds the world of SYSOUT
//!   boot export DISK SYSOUT [--generation N] [--force]        the world on the disk, as a file for any Medley
//!   boot list DISK                                            the generations on it
//!   boot check DISK                                           reads everything; exit status 1 if something is wrong
//! ```
//! A new file is made beside its place, written, flushed and then renamed, so that at no moment half a disk or half a
//! sysout bears its name.

mod calendar;
mod commands;
mod disk;

use lexopt::prelude::*;
use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "usage: boot import SYSOUT DISK [--fresh] [--size MEGABYTES]
       boot export DISK SYSOUT [--generation N] [--force]
       boot list DISK
       boot check DISK";

/// What the command line asks for.
pub enum Order {
    /// Make a disk of a sysout.
    Import {
        /// The sysout.
        sysout: PathBuf,
        /// The disk.
        disk: PathBuf,
        /// Replace what is there.
        fresh: bool,
        /// Size of the disk in MB.
        megabytes: Option<u64>,
    },
    /// Make a sysout of a disk.
    Export {
        /// The disk.
        disk: PathBuf,
        /// The sysout.
        sysout: PathBuf,
        /// Which generation; the newest one if none is named.
        generation: Option<u64>,
        /// Replace what is there.
        force: bool,
    },
    /// Show the generations.
    List(PathBuf),
    /// Read everything.
    Check(PathBuf),
}

fn order() -> Result<Order, lexopt::Error> {
    let mut parser = lexopt::Parser::from_env();
    let mut words = Vec::new();
    let (mut fresh, mut force, mut megabytes, mut generation) = (false, false, None, None);
    while let Some(argument) = parser.next()? {
        match argument {
            Value(word) => words.push(PathBuf::from(word)),
            Long("fresh") => fresh = true,
            Long("force") => force = true,
            Long("size") => megabytes = Some(parser.value()?.parse()?),
            Long("generation") => generation = Some(parser.value()?.parse()?),
            Short('h') | Long("help") => return Err(USAGE.into()),
            _ => return Err(argument.unexpected()),
        }
    }
    let mut words = words.into_iter();
    let command = words.next().ok_or(USAGE)?;
    let mut word = || words.next().ok_or(USAGE);
    let order = match command.to_str() {
        Some("import") => Order::Import { sysout: word()?, disk: word()?, fresh, megabytes },
        Some("export") => Order::Export { disk: word()?, sysout: word()?, generation, force },
        Some("list") => Order::List(word()?),
        Some("check") => Order::Check(word()?),
        _ => return Err(USAGE.into()),
    };
    let (is_import, is_export) = (matches!(order, Order::Import { .. }), matches!(order, Order::Export { .. }));
    let stray = (fresh || megabytes.is_some()) && !is_import || (force || generation.is_some()) && !is_export;
    if stray || words.next().is_some() { Err(USAGE.into()) } else { Ok(order) }
}

fn main() -> ExitCode {
    let order = match order() {
        Ok(order) => order,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    match commands::run(&order) {
        Ok(lines) => {
            print!("{lines}");
            ExitCode::SUCCESS
        }
        Err(sentence) => {
            eprintln!("boot: {sentence}.");
            ExitCode::FAILURE
        }
    }
}
