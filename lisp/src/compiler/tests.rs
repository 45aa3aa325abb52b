//! Tests of the compiler.

use super::*;
use crate::host::with_room;

/// Does something with a compiler.
pub(super) fn with_compiler<T: Send>(work: impl FnOnce(&mut Compiler) -> T + Send) -> T {
    with_room(move || work(&mut Compiler::new().unwrap()))
}

/// Compiles a text and disassembles all its functions.
fn listing(text: &str) -> String {
    let text = text.to_string();
    with_room(move || {
        let mut compiler = Compiler::new().unwrap();
        let unit = match compiler.file("test.lisp", &text) {
            Ok(unit) => unit,
            Err(error) => return error,
        };
        let all = unit.functions.iter().chain(&unit.inits).map(crate::code::listing).collect::<Vec<_>>();
        all.join("\n") + &compiler.warnings.join("\n")
    })
}

#[test]
fn look() {
    println!("{}", listing(&std::env::var("FORMS").unwrap_or("(defun f (x) (if x (g x) 1))".to_string())));
}

#[test]
fn the_compiler_compiles_itself() {
    with_room(|| {
        let mut compiler = Compiler::new().unwrap();
        let mut functions = 0;
        for (file, text) in MACRO_FILES.iter().chain(COMPILER_FILES) {
            functions += compiler.file(file, text).unwrap().functions.len();
        }
        assert!(functions > 150, "{functions}");
        assert_eq!(compiler.warnings, Vec::<String>::new());
    });
}
