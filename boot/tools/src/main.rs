//! The machine's disk, seen from the host.
//!
//! ```text
//!   boot import SYSOUT DISK [--fresh] [--size MEGABYTES]      a new disk that holds the world of SYSOUT, with so many
//!               [--files MEGABYTES]                           megabytes for worlds and for files
//!   boot export DISK SYSOUT [--generation N] [--force]        the world on the disk, as a file for any Medley
//!   boot list DISK                                            the generations on it
//!   boot check DISK                                           reads everything; exit status 1 if something is wrong
//!
//!   boot ls DISK[:PATH]                                       the files on it
//!   boot cp FROM... TO                                        copies files and folders; DISK:PATH is one on a disk
//!   boot mkdir DISK:PATH...                                   makes directories
//!   boot rm [--recursive] DISK:PATH...                        removes files and directories
//!   boot files DISK [--files MEGABYTES]                       gives a disk that has none a place for files
//! ```
//! A new file is made beside its place, written, flushed and then renamed, so that at no moment half a disk or half a
//! sysout bears its name.
#![forbid(unsafe_code)]

mod commands;
mod disk;
mod tree;

use lexopt::prelude::*;
use std::path::PathBuf;
use std::process::ExitCode;

/// Every form that is understood.
pub const USAGE: &str = "usage: boot import SYSOUT DISK [--fresh] [--size MEGABYTES] [--files MEGABYTES]
       boot export DISK SYSOUT [--generation N] [--force]
       boot list DISK
       boot check DISK
       boot ls DISK[:PATH]
       boot cp FROM... TO                  (DISK:PATH is a file or directory on a disk)
       boot mkdir DISK:PATH...
       boot rm [--recursive] DISK:PATH...
       boot files DISK [--files MEGABYTES]";

/// What the command line asks for.
pub enum Order {
    /// Say what there is.
    Help,
    /// Make a disk of a sysout.
    Import {
        /// The sysout.
        sysout: PathBuf,
        /// The disk.
        disk: PathBuf,
        /// Replace what is there.
        fresh: bool,
        /// Size of the worlds' part of the disk in MB.
        megabytes: Option<u64>,
        /// Size of the files' part of the disk in MB.
        files: Option<u64>,
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
    /// Show files.
    Names(PathBuf),
    /// Copy files; the last one is where to.
    Copy(Vec<PathBuf>),
    /// Make directories.
    MakeDirectories(Vec<PathBuf>),
    /// Remove files.
    Remove {
        /// Which.
        places: Vec<PathBuf>,
        /// With all that is in them.
        recursive: bool,
    },
    /// Give a disk a place for files.
    Files {
        /// The disk.
        disk: PathBuf,
        /// Its size in MB.
        megabytes: Option<u64>,
    },
}

/// The number behind an option.
fn number(parser: &mut lexopt::Parser, option: &str) -> Result<u64, lexopt::Error> {
    let value = parser.value()?;
    let number = value.to_str().and_then(|value| value.parse().ok());
    number.ok_or_else(|| format!("{option} {} is no number", value.to_string_lossy()).into())
}

fn order() -> Result<Order, lexopt::Error> {
    let mut parser = lexopt::Parser::from_env();
    let mut words = Vec::new();
    let (mut fresh, mut force, mut recursive) = (false, false, false);
    let (mut megabytes, mut files, mut generation) = (None, None, None);
    while let Some(argument) = parser.next()? {
        match argument {
            Value(word) => words.push(PathBuf::from(word)),
            Long("fresh") => fresh = true,
            Long("force") => force = true,
            Long("size") => megabytes = Some(number(&mut parser, "--size")?),
            Long("files") => files = Some(number(&mut parser, "--files")?),
            Short('r') | Long("recursive") => recursive = true,
            Long("generation") => generation = Some(number(&mut parser, "--generation")?),
            Short('h') | Long("help") => return Ok(Order::Help),
            _ => return Err(argument.unexpected()),
        }
    }
    let mut words = words.into_iter();
    let command = words.next().ok_or(USAGE)?;
    let mut word = || words.next().ok_or(USAGE);
    let order = match command.to_str() {
        Some("import") => Order::Import { sysout: word()?, disk: word()?, fresh, megabytes, files },
        Some("export") => Order::Export { disk: word()?, sysout: word()?, generation, force },
        Some("list") => Order::List(word()?),
        Some("check") => Order::Check(word()?),
        Some("ls") => Order::Names(word()?),
        Some("cp") => Order::Copy(words.by_ref().collect()),
        Some("mkdir") => Order::MakeDirectories(words.by_ref().collect()),
        Some("rm") => Order::Remove { places: words.by_ref().collect(), recursive },
        Some("files") => Order::Files { disk: word()?, megabytes: files },
        _ => return Err(USAGE.into()),
    };
    // Options that belong to another command, and too many words or too few.
    let (is_import, is_export) = (matches!(order, Order::Import { .. }), matches!(order, Order::Export { .. }));
    let stray = (fresh || megabytes.is_some()) && !is_import
        || (force || generation.is_some()) && !is_export
        || files.is_some() && !is_import && !matches!(order, Order::Files { .. })
        || recursive && !matches!(order, Order::Remove { .. } | Order::Copy(_));
    let few = match &order {
        Order::Copy(places) => places.len() < 2,
        Order::MakeDirectories(places) | Order::Remove { places, .. } => places.is_empty(),
        _ => false,
    };
    if stray || few || words.next().is_some() { Err(USAGE.into()) } else { Ok(order) }
}

fn main() -> ExitCode {
    let order = match order() {
        Ok(order) => order,
        Err(error) => {
            let said = error.to_string();
            if said == USAGE {
                eprintln!("{said}")
            } else {
                eprintln!("boot: {said}; `boot --help` shows what there is")
            }
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
