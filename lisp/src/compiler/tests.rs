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

#[test]
fn mistakes_are_said_with_file_and_line() {
    for (text, expected) in [
        ("(defun f ()\n (go x))", "test.lisp:2: there is no tag X to go to"),
        ("(defun f (x)\n\n (return-from g x))", "test.lisp:3: there is no block G to return from"),
        ("(defun f () (setq 3 4))", "test.lisp:1: 3 cannot be set"),
        ("(defun f (t) 1)", "test.lisp:1: T cannot be a variable"),
        ("(defun f (x) (%op NOWHERE x))", "test.lisp:1: NOWHERE is no instruction"),
        ("(defun f (x)", "test.lisp:1: a list that is not closed"),
        ("(defun f (x)\n (g x)\n (h (%op SIC 300 x)))", "test.lisp:1: NIL is no operand for SIC"),
    ] {
        assert_eq!(listing(text).lines().next().unwrap_or_default(), expected, "{text}");
    }
    let text = listing("(defun f () *nobody*)");
    assert!(
        text.ends_with("test.lisp:1: F: the variable *NOBODY* is not declared; it is taken to be special"),
        "{text}"
    );
}

#[test]
fn good_code() {
    for (text, expected) in [
        (
            "(defun f (x) (if (not (consp x)) 1 (car x)))",
            "F:\n    0 IVAR0\n    1 LISTP\n    2 TJUMP3\n    3 ONE\n    4 RETURN\n    5 IVAR0\n    6 CAR\n    7 RETURN",
        ),
        (
            "(defun f (n) (dotimes (i n)))",
            "F:\n    0 ZERO\n    1 PVARSETPOP0\n    2 IVAR0\n    3 PVARSETPOP1\n    4 JUMP5\n    5 PVAR0\n    6 ONE\n    7 PLUS2\n    8 PVARSETPOP0\n    9 PVAR1\n   10 PVAR0\n   11 GREATERP\n   12 TJUMPX -7\n   14 NIL\n   15 RETURN",
        ),
        ("(defun f () (+ 1 2 (* 3 4)))", "F:\n    0 SIC 15\n    2 RETURN"),
        ("(defun f (x) (let ((y (car x))) y))", "F:\n    0 IVAR0\n    1 CAR\n    2 PVAR_0\n    3 RETURN"),
    ] {
        let all = listing(text);
        assert_eq!(all[..all.find("\nTEST").unwrap_or(all.len())], *expected, "{text}");
    }
}
