//! Compiled functions, run by the machine: small worlds that compare what forms yield with what they should.

use super::tests::with_compiler;
use crate::linker::Linker;
use vm::layout::{DISPLAY, Medley35};
use vm::machine::Exit;
use vm::startup::Session;
use vm::testing::image_of;

/// Instructions after which a program is taken to be in a loop.
const PATIENCE: u64 = 10_000_000;

/// What every test world has: comparing, and what the machine calls by name.
const SUPPORT: &str = r#"
    (defun same (a b)
      (if (consp a)
          (and (consp b) (same (car a) (car b)) (same (cdr a) (cdr b)))
          (eql a b)))
    (defun |\\MVLIST| (x) (list x))
    (defun %fail () (%subr 13))
    (defun %parts (parts fewest most whole) parts)
    (defun length (list) (let ((n 0)) (dolist (x list) (setq n (1+ n))) n))
    (defun append (a b) (if a (cons (car a) (append (cdr a) b)) b))
    (defun list (&rest list) list)
    (defun nreverse (list) (reverse list))
    (defun reverse (list) (let ((new nil)) (dolist (x list) (push x new)) new))
    (defun mapcar (f list) (if list (cons (funcall f (car list)) (mapcar f (cdr list))) nil))
    (defun apply (f &rest arguments) (%apply-list f (%spread arguments)))
    (defun %spread (list) (if (cdr list) (cons (car list) (%spread (cdr list))) (car list)))
    (defun %apply-list (f list)
      (%lap 1 40 (:constant 0) (:set-pvar-pop 0)
        (:label again) (:ivar 1) (:op LISTP) (:fjump done)
        (:ivar 1) (:op CAR) (:ivar 1) (:op CDR) (:set-ivar 1) (:op POP)
        (:pvar 0) (:constant 1) (:op PLUS2) (:set-pvar-pop 0) (:jump again)
        (:label done) (:pvar 0) (:ivar 0) (:op APPLYFN) (:op RETURN)))
"#;

/// Compiles definitions and forms; each form has to yield what the datum behind it says.
#[track_caller]
fn check(definitions: &str, cases: &[(&str, &str)]) {
    let mut text = format!("{SUPPORT}\n{definitions}\n");
    for (i, (form, expected)) in cases.iter().enumerate() {
        text += &format!("(defun test-{i} () (same {form} '{expected}))\n");
    }
    text += "(defun %start () (let ((p (%pointer 18 0)))\n";
    for i in 0..cases.len() {
        text += &format!("(%set-word p {i} (if (test-{i}) 2 1))\n");
    }
    text += "(%subr 13)))";
    let bytes = with_compiler(move |compiler| {
        let unit = compiler.file("test.lisp", &text).unwrap();
        let mut linker = Linker::new();
        for name in ["%RESET-CONTEXT", "%UNUSED-CONTEXT", "%SYSTEM-CONTEXT", "%UNDEFINED-OPCODE", "\\INTERPRETER"] {
            let mut code = unit.functions.iter().find(|code| code.name.is_named("%FAIL")).unwrap().clone();
            code.name = compiler.host.symbols.intern(name);
            linker.define(&code).unwrap();
        }
        linker.unit(&unit).unwrap();
        linker.finish().unwrap()
    });
    let mut m = image_of::<Medley35>(&bytes);
    m.start(&Session::default()).unwrap();
    let exit = m.run_stepping(PATIENCE);
    let results: Vec<u16> = (0..cases.len() as u32).map(|i| m.space.word(DISPLAY.plus(i))).collect();
    for (result, (form, expected)) in results.iter().zip(cases) {
        match result {
            2 => {}
            1 => panic!("{form} is not {expected}"),
            _ => panic!("{form} does not end ({exit:?})"),
        }
    }
    assert_eq!(exit, Exit::Logout);
}

#[test]
fn expressions() {
    check(
        "(defun f (x) (if x (g x) 'none)) (defun g (x) (* x 2))
         (defun fact (n) (if (= n 0) 1 (* n (fact (- n 1)))))
         (defun fib (n) (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2)))))",
        &[
            ("(list (f 3) (f nil))", "(6 none)"),
            ("(fact 7)", "5040"),
            ("(fib 12)", "144"),
            ("(let ((a 1) (b 2)) (let ((a b) (b a)) (list a b)))", "(2 1)"),
            ("(let* ((a 1) (b (+ a 1))) (setq a 5) (list a b))", "(5 2)"),
            ("(list (and 1 2) (and nil 1) (or nil 3) (or 4 5) (and) (or))", "(2 nil 3 4 t nil)"),
            ("(list (not 1) (not nil) (< 1 2) (< 2 1) (<= 2 2) (>= 1 2) (/= 1 2))", "(nil t t nil t nil t)"),
            (
                "(list (+ 1 2 3) (- 5) (- 9 2 1) (* 2 3 4) (1+ 5) (1- 5) (logand 12 10) (ash 3 4) (ash 64 -3))",
                "(6 -5 6 24 6 4 8 48 8)",
            ),
            (
                "(list 0 1 255 256 65535 65536 -1 -256 -257 -65536 1000000 #\\a)",
                "(0 1 255 256 65535 65536 -1 -256 -257 -65536 1000000 #\\a)",
            ),
            ("(case 'b (a 1) ((b c) 2) (t 3))", "2"),
            ("(cond (nil 1) (7) (t 2))", "7"),
            ("(list* 1 2 '(3 4))", "(1 2 3 4)"),
            ("`(1 ,@(list 2 3) . 4)", "(1 2 3 . 4)"),
            ("(let ((x 5)) (when (> x 3) (setq x (+ x 1)) x))", "6"),
            ("(prog1 1 2 3)", "1"),
            ("(let ((l (list 1 2 3))) (setf (cadr l) 7) (incf (car l)) (push 0 l) (list (pop l) l))", "(0 (2 7 3))"),
            ("(list (consp 1) (if (consp '(1)) 1 2) (atom 1) (null nil))", "(nil 1 t t)"),
        ],
    );
}

#[test]
fn loops_and_exits() {
    check(
        "(defun find-it (x list) (dolist (y list 'none) (if (eql x y) (return y))))
         (defun nested (n) (let ((sum 0)) (dotimes (i n) (dotimes (j i) (setq sum (+ sum j)))) sum))
         (defun leave-in-call (x) (block b (list 1 2 (if x (return-from b (list x 'left)) 3))))
         (defun leave-deep (x) (list 0 (block b (list 1 (list 2 (if x (return-from b 9) 3)))) 4))",
        &[
            ("(list (find-it 2 '(1 2 3)) (find-it 5 '(1 2 3)))", "(2 none)"),
            ("(nested 10)", "120"),
            ("(do ((i 0 (1+ i)) (a nil (cons i a))) ((= i 5) a))", "(4 3 2 1 0)"),
            ("(prog ((i 0)) again (setq i (+ i 1)) (if (< i 1000) (go again)) (return i))", "1000"),
            ("(leave-in-call 7)", "(7 left)"),
            ("(leave-in-call nil)", "(1 2 3)"),
            ("(list (leave-deep 1) (leave-deep nil))", "((0 9 4) (0 (1 (2 3)) 4))"),
            ("(loop for x in '(1 2 3 4) when (> x 2) collect (* x x))", "(9 16)"),
            ("(loop for i from 1 to 10 sum i)", "55"),
            ("(let ((n 0)) (loop (setq n (+ n 1)) (if (> n 5) (return n))))", "6"),
            ("(loop for i below 3 for x = (* i 2) collect x)", "(0 2 4)"),
        ],
    );
}

#[test]
fn functions_and_closures() {
    check(
        "(defun counter () (let ((n 0)) (lambda () (setq n (+ n 1)))))
         (defun adder (k) (lambda (x) (+ x k)))
         (defun optional (a &optional (b 5 given) (c (+ a b))) (list a b given c))
         (defun fitted (a &optional b c) (list a b c))
         (defun rest-of (a &rest others) (cons a others))
         (defun keys (&key (a 1) (b (+ a 1) b-given) ((:c d) 9)) (list a b b-given d))
         (defun mixed (a &optional (b 2) &rest r &key k) (list a b r k))
         (defun boxed (a) (let ((f (lambda () (setq a (+ a 1))))) (funcall f) (funcall f) a))
         (defun evens (n) (labels ((even (n) (if (= n 0) t (odd (- n 1)))) (odd (n) (if (= n 0) nil (even (- n 1))))) (even n)))
         (defun sum-to (n) (let ((sum 0)) (labels ((f (i) (when (> i 0) (setq sum (+ sum i)) (f (- i 1))))) (f n)) sum))
         (defun escaped (list k) (labels ((f (x) (if (> x 10) x (g (+ x k)))) (g (x) (f (* x 2)))) (mapcar #'f list)))
         (defun deep (a) (lambda (b) (lambda (c) (list a b c))))
         (defun fs () (let ((fs nil)) (dotimes (i 3) (let ((j i)) (push (lambda () (setq j (+ j 10))) fs))) (mapcar (lambda (f) (funcall f)) fs)))",
        &[
            ("(let ((c (counter)) (d (counter))) (funcall c) (funcall c) (list (funcall c) (funcall d)))", "(3 1)"),
            ("(mapcar (adder 10) '(1 2 3))", "(11 12 13)"),
            ("(list (optional 1) (optional 1 2) (optional 1 2 3))", "((1 5 nil 6) (1 2 t 3) (1 2 t 3))"),
            ("(list (fitted 1) (fitted 1 2) (fitted 1 2 3))", "((1 nil nil) (1 2 nil) (1 2 3))"),
            ("(list (rest-of 1) (rest-of 1 2 3))", "((1) (1 2 3))"),
            ("(list (keys) (keys :b 7) (keys :c 3 :a 4))", "((1 2 nil 9) (1 7 t 9) (4 5 nil 3))"),
            ("(list (mixed 1) (mixed 1 3 :k 4))", "((1 2 nil nil) (1 3 (:k 4) 4))"),
            ("(boxed 5)", "7"),
            ("(list (evens 10) (evens 7))", "(t nil)"),
            ("(sum-to 10)", "55"),
            ("(escaped '(1 5 20) 3)", "(22 16 20)"),
            ("(funcall (funcall (deep 1) 2) 3)", "(1 2 3)"),
            ("(fs)", "(12 11 10)"),
            ("((lambda (x &rest y) (list x y)) 1 2)", "(1 (2))"),
            ("(apply #'list 1 2 '(3 4))", "(1 2 3 4)"),
            ("(flet ((f (x) (* x 2))) (list (f 2) (mapcar #'f '(1 2))))", "(4 (2 4))"),
            ("(destructuring-bind (a (b c) &optional d) '(1 (2 3)) (list a b c d))", "(1 2 3 nil)"),
            ("(funcall 'list 1 2)", "(1 2)"),
        ],
    );
}

#[test]
fn dynamic_variables() {
    check(
        "(defvar *v*) (defvar *w*) (defglobal *g*)
         (defun v () *v*) (defun set-v (x) (setq *v* x))
         (defun two (*v* *w*) (list (v) *v* *w*))
         (defun nest (*v*) (list (v) (let ((*v* (+ *v* 1))) (list (v) (let ((*v* (+ *v* 1))) (v)) (v))) (v)))
         (defun both (x) (let ((*v* x) (y 7) (*w* (+ x 1))) (set-v (+ *w* y)) (list *v* (v) *w* y)))
         (defun leave () (block b (let ((*v* 3)) (if (v) (return-from b (list (v))) 2))))
         (defun in-loop () (let ((l nil)) (dotimes (i 3) (let ((*v* i)) (push (v) l))) l))
         (defun opt (&optional (*v* 4)) (v))
         (defun special-here (x) (let ((y x)) (declare (special y)) (setq y (+ y 1)) (free-y)))
         (defun free-y () (declare (special y)) y)",
        &[
            ("(progn (setq *v* 1) (list (v) (two 2 3) (v)))", "(1 (2 2 3) 1)"),
            ("(progn (setq *v* 1) (list (nest 5) (v)))", "((5 (6 7 6) 5) 1)"),
            ("(progn (setq *v* 1) (list (both 10) (v)))", "((18 18 11 7) 1)"),
            ("(progn (setq *v* 1) (list (leave) (v)))", "((3) 1)"),
            ("(progn (setq *v* 1) (list (in-loop) (v)))", "((2 1 0) 1)"),
            ("(progn (setq *v* 1) (list (opt) (opt 8) (v)))", "(4 8 1)"),
            ("(special-here 4)", "5"),
            ("(progn (setq *g* 5) (setq *g* (+ *g* 1)) *g*)", "6"),
        ],
    );
}

#[test]
fn several_values() {
    check(
        "(defvar *v*)
         (defun two () (values 1 2)) (defun none () (values))
         (defun through (x) (if x (two) 5)) (defun bound () (let ((*v* 1)) (two)))
         (defun in-block (x) (block b (if x (return-from b (values 3 4))) (two)))
         (defun in-let () (let ((a 5)) (values a (+ a 1))))
         (defun one () (values (two)))",
        &[
            ("(multiple-value-list (two))", "(1 2)"),
            ("(list (two) (multiple-value-list (none)) (none))", "(1 nil nil)"),
            ("(list (multiple-value-list (through t)) (multiple-value-list (through nil)))", "((1 2) (5))"),
            ("(multiple-value-list (bound))", "(1 2)"),
            ("(list (multiple-value-list (in-block t)) (multiple-value-list (in-block nil)))", "((3 4) (1 2))"),
            ("(multiple-value-list (in-let))", "(5 6)"),
            ("(multiple-value-list (one))", "(1)"),
            ("(multiple-value-bind (a b c) (two) (list a b c))", "(1 2 nil)"),
            ("(multiple-value-call #'list (two) 3 (two))", "(1 2 3 1 2)"),
            ("(multiple-value-list (multiple-value-prog1 (two) 7))", "(1 2)"),
            ("(let (a b) (multiple-value-setq (a b) (two)) (list b a))", "(2 1)"),
            ("(multiple-value-list (values-list '(4 5)))", "(4 5)"),
        ],
    );
}
