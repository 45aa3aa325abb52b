//! The world, built and run in the machine as a library.

use lisp::build::{Source, build};
use lisp::compiler::Compiler;
use lisp::host::with_room;
use std::path::Path;
use vm::layout::Medley35;
use vm::machine::Exit;
use vm::startup::Session;
use vm::testing::{Fixture, image_of};

/// Instructions after which a world is taken to be in a loop.
const PATIENCE: u64 = 200_000_000;

/// The world with a program from this folder behind it.
fn world(program: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = Source { name: program.to_string(), path: folder.join("tests").join(program) };
    let sysout = with_room(|| {
        let mut compiler = Compiler::new()?;
        build(&folder.join("world"), vec![program], |source| compiler.file(&source.name, &source.text()?))
    });
    sysout.unwrap_or_else(|error| panic!("{error}"))
}

/// Starts a world and runs it until it logs out; what it wrote to the console.
fn run(sysout: &[u8]) -> String {
    let mut m: Fixture<Medley35> = image_of(sysout);
    m.start(&Session::default()).unwrap();
    let exit = m.run_stepping(PATIENCE);
    let console = String::from_utf8_lossy(&m.world().console).into_owned();
    assert_eq!(exit, Exit::Logout, "the console says:\n{console}");
    console
}

#[test]
fn the_lowest_level_keeps_its_promises() {
    let sysout = world("machine.lisp");
    assert!(sysout == world("machine.lisp"), "the same sources give the same bytes");
    let console = run(&sysout);
    assert!(console.ends_with("all is well\n"), "{console}");
}

#[test]
fn an_error_of_a_program_without_an_exec_is_told_once_and_ends_it() {
    let console = run(&world("error.lisp"));
    let told = |text: &str| console.matches(text).count();
    assert_eq!(
        (told("FIRST is not of type LIST."), told("going on"), told("SECOND is not of type LIST.")),
        (1, 1, 1),
        "{console}"
    );
    assert_eq!((told("never"), told("There is no catch")), (0, 0), "{console}");
}
