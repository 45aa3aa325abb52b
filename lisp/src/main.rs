//! Builds the starter world.
//!
//! ```text
//!   lisp build [-o FILE] [FILE...]   compiles lisp/world, and files behind it, and links it; the sysout is
//!                             target/starter.sysout unless said otherwise
//!   lisp check [FILE...]      compiles all of lisp/world, or these files behind it, and says what is wrong
//!   lisp list FILE [NAME]     the instructions of a file's functions, or of those whose names begin so
//!   lisp run FILE...          loads files into the host's interpreter, behind the macros
//! ```
#![forbid(unsafe_code)]

use lexopt::prelude::*;
use lisp::build::{Source, build, sources};
use lisp::calls::Calls;
use lisp::code::listing;
use lisp::compiler::Compiler;
use lisp::host::printer::{display, show};
use lisp::host::{Host, with_room};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The sources, seen from where this crate was compiled.
const WORLD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/world");
/// Where the world goes unless said otherwise.
const SYSOUT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/starter.sysout");

const USAGE: &str = "lisp build [-o FILE] [FILE...] | check [FILE...] | list FILE [NAME] | run FILE...";

fn main() -> ExitCode {
    match with_room(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("lisp: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let mut output = PathBuf::from(SYSOUT);
    let mut words = Vec::new();
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
        match argument {
            Short('h') | Long("help") => {
                println!("usage: {USAGE}");
                return Ok(());
            }
            Short('o') | Long("output") => output = parser.value().map_err(|error| error.to_string())?.into(),
            Value(word) => words.push(word.string().map_err(|error| error.to_string())?),
            other => return Err(other.unexpected().to_string()),
        }
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["build", ref files @ ..] => build_world(&output, files),
        ["check", ref files @ ..] => check(files),
        ["list", file] => list(file, ""),
        ["list", file, name] => list(file, name),
        ["run", ref files @ ..] => run_files(files),
        _ => Err(format!("usage: {USAGE}")),
    }
}

fn print_warnings(compiler: &mut Compiler) {
    for warning in compiler.warnings.drain(..) {
        eprintln!("warning: {warning}");
    }
}

fn build_world(output: &Path, files: &[&str]) -> Result<(), String> {
    let mut compiler = Compiler::new()?;
    let files = files.iter().map(|file| named_source(file)).collect();
    let sysout = build(Path::new(WORLD), files, |source| {
        let unit = compiler.file(&source.name, &source.text()?);
        print_warnings(&mut compiler);
        unit
    })?;
    std::fs::write(output, &sysout).map_err(|error| format!("cannot write {}: {error}", output.display()))?;
    println!("{}: {} bytes", output.display(), sysout.len());
    Ok(())
}

fn named_source(file: &str) -> Source {
    Source { name: file.to_string(), path: PathBuf::from(file) }
}

fn check(files: &[&str]) -> Result<(), String> {
    let mut compiler = Compiler::new()?;
    let (mut functions, mut bytes, mut errors) = (0, 0, 0);
    let mut calls = Calls::default();
    for source in sources(Path::new(WORLD))?.into_iter().chain(files.iter().map(|file| named_source(file))) {
        match source.text().and_then(|text| compiler.file(&source.name, &text)) {
            Ok(unit) => {
                calls.take(&unit);
                functions += unit.functions.len();
                bytes += unit.functions.iter().chain(&unit.inits).map(|code| code.bytes.len()).sum::<usize>();
            }
            Err(error) => {
                errors += 1;
                eprintln!("{error}");
            }
        }
        print_warnings(&mut compiler);
    }
    for warning in calls.warnings(&[]) {
        eprintln!("warning: {warning}");
    }
    println!("{functions} functions, {bytes} bytes of instructions");
    match errors {
        0 => Ok(()),
        1 => Err("a file has errors".to_string()),
        _ => Err(format!("{errors} files have errors")),
    }
}

fn list(file: &str, name: &str) -> Result<(), String> {
    let mut compiler = Compiler::new()?;
    let source = named_source(file);
    let unit = compiler.file(file, &source.text()?)?;
    print_warnings(&mut compiler);
    for code in unit.functions.iter().chain(&unit.inits) {
        if display(code.name).starts_with(&name.to_uppercase()) {
            println!("{}\n", listing(code));
        }
    }
    Ok(())
}

fn run_files(files: &[&str]) -> Result<(), String> {
    let mut host = Host::new();
    host.load_macros()?;
    for file in files {
        let value = host.load(file, &named_source(file).text()?)?;
        println!("{file}: {}", show(value));
    }
    Ok(())
}
