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
        ("\n(defun f (x)\n (if))", "test.lisp:3: IF has too few parts"),
        ("(defun f (x)\n (let ((x 1 2)) x))", "test.lisp:2: (X 1 2) is no variable with a value"),
        ("(defun f (x)\n (let 5 x))", "test.lisp:2: the list of variables is 5, which is no list"),
        ("(defun f (x) (declare 5) x)", "test.lisp:1: 5 is no declaration"),
        ("(defun f (x x) x)", "test.lisp:1: two parameters are called X"),
        ("(defun f (&rest) 1)", "test.lisp:1: nothing behind &REST"),
        ("(defun f ()\n ,x)", "test.lisp:2: a comma is not within a backquote"),
        ("(defun f x x)", "test.lisp:1: DEFUN of F with X as lambda list"),
        ("#\u{7}", "test.lisp:1: #\\u{7} has no meaning here"),
        ("(defun)", "test.lisp:1: DEFUN has no name"),
        ("1\n(car 1 . 5)", "test.lisp:2: a form ends with a dot and 5"),
        (
            "(defmacro m (x)\n (car x))\n(defun f ()\n (m 5))",
            "test.lisp:4: in (M 5): 5 is not a list (found at test.lisp:2)",
        ),
        ("\n(dolist (x) 1)", "test.lisp:2: in (DOLIST (X) 1): (X) has too few parts (found at macros.lisp:57)"),
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

#[test]
fn odd_calls_are_said_with_file_and_line() {
    let text = "(defun g (x &optional y) (list x y))\n(defun f ()\n (g)\n (g 1 2)\n (h 1))\n(defun f () (g 1 2 3))";
    let warnings = with_compiler(|compiler| {
        let mut calls = crate::calls::Calls::default();
        calls.take(&compiler.file("t.lisp", text).unwrap());
        calls.warnings(&[("H".to_string(), "F".to_string())])
    });
    let expected = [
        "t.lisp:6: F is defined once more; it was at t.lisp:2",
        "t.lisp:5: F calls H, and there is no such function",
        "t.lisp:3: F calls G with 0 arguments; it takes 1 to 2 (t.lisp:1)",
        "t.lisp:6: F calls G with 3 arguments; it takes 1 to 2 (t.lisp:1)",
    ];
    assert_eq!(warnings, expected);
}
