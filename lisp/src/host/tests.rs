//! Tests of the interpreter.

use super::*;

/// The printed value of each form, or the error's text.
fn evaluate_all(text: &str) -> String {
    let text = text.to_string();
    with_room(move || {
        let mut host = Host::new();
        host.load_macros().unwrap();
        let mut out = Vec::new();
        for form in host.read_all("test", &text).unwrap() {
            match host.evaluate(form) {
                Ok(value) => out.push(show(value)),
                Err(signal) => out.push(host.describe(&signal, form.position())),
            }
        }
        out.join(" ")
    })
}

#[track_caller]
fn check(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(evaluate_all(text), *expected, "{text}");
    }
}

#[test]
fn variables_and_functions() {
    check(&[
        ("(let ((a 1) (b 2)) (let ((a b) (b a)) (list a b)))", "(2 1)"),
        ("(let* ((a 1) (b (+ a 1))) (list a b))", "(1 2)"),
        ("(defun f (x &optional (y x) &rest z) (list x y z)) (f 1) (f 1 2 3 4)", "F (1 1 NIL) (1 2 (3 4))"),
        ("(defun f (&key (a 1) (b 2 given)) (list a b given)) (f) (f :b 3 :a 4)", "F (1 2 NIL) (4 3 T)"),
        ("(let ((n 0)) (let ((f (lambda () (setq n (+ n 1))))) (funcall f) (funcall f) n))", "2"),
        ("(mapcar (lambda (x) (lambda () x)) nil)", "NIL"),
        ("(labels ((even (n) (if (= n 0) t (odd (- n 1)))) (odd (n) (if (= n 0) nil (even (- n 1))))) (even 10))", "T"),
        ("(flet ((f (x) (* x 2))) (mapcar #'f '(1 2 3)))", "(2 4 6)"),
        ("(defvar *v* 1) (defun v () *v*) (let ((*v* 2)) (v)) (v)", "*V* V 2 1"),
        ("(let ((fs nil)) (dotimes (i 3) (let ((j i)) (push (lambda () j) fs))) (mapcar #'funcall fs))", "(2 1 0)"),
    ]);
}

#[test]
fn control() {
    check(&[
        ("(block a (mapc (lambda (x) (if (eql x 2) (return-from a x))) '(1 2 3)) 'none)", "2"),
        ("(catch 'x (unwind-protect (throw 'x 1) (print 2)))", "1"),
        ("(do ((i 0 (1+ i)) (a nil (cons i a))) ((= i 3) a))", "(2 1 0)"),
        ("(prog ((i 0)) again (setq i (+ i 1)) (if (< i 5) (go again)) (return i))", "5"),
        ("(multiple-value-bind (q r) (floor 7 2) (list q r))", "(3 1)"),
        ("(multiple-value-list (values)) (list (values 1 2))", "NIL (1)"),
        ("(case 'b (a 1) ((b c) 2) (t 3)) (cond (nil 1) (7) (t 2))", "2 7"),
        ("(dolist (x '(1 2 3)) (if (= x 2) (return 'two)))", "TWO"),
        ("(destructuring-bind (a (b c) &optional d) '(1 (2 3)) (list a b c d))", "(1 2 3 NIL)"),
    ]);
}

#[test]
fn macros_and_places() {
    check(&[
        ("(defmacro m ((a b) &body c) `(list ,a ',b ,@c)) (m (1 x) 2 3)", "M (1 X 2 3)"),
        ("(let ((l (list 1 2 3))) (setf (cadr l) 5) (incf (car l)) (push 9 (cddr l)) l)", "(2 5 9 3)"),
        ("(let ((v (vector 1 2))) (setf (aref v 0) 7) (rotatef (aref v 0) (aref v 1)) v)", "#(2 7)"),
        ("(let ((l (list 1 2))) (list (pop l) l))", "(1 (2))"),
        (
            "(defstruct p x (y 2)) (let ((p (make-p :x 1))) (incf (p-y p)) (list (p-x p) (p-y p) (p-p p) (p-p 1)))",
            "P (1 3 T NIL)",
        ),
        (
            "(defstruct p x) (defstruct (q (:include p) (:constructor q (x z))) z) (let ((q (q 1 2))) (list (p-x q) (q-z q) (p-p q)))",
            "P Q (1 2 T)",
        ),
        ("(macrolet ((twice (x) `(list ,x ,x))) (twice 4))", "(4 4)"),
        ("(defsetf first-of %set-car) (let ((l (list 1))) (setf (first-of l) 3) l)", "FIRST-OF (3)"),
        ("`(1 ,@(list 2 3) . 4) `(a (b ,(+ 1 2)))", "(1 2 3 . 4) (A (B 3))"),
    ]);
}

#[test]
fn errors_say_where() {
    check(&[
        ("(car\n 1)", "test:1: 1 is not a list"),
        ("(progn\n (nothing 1))", "test:2: there is no function NOTHING"),
        ("(defun f (x)\n (car x))\n(f 7)", "F test:2: 7 is not a list\n  called from test:3"),
        ("(error \"no ~S\" 'way)", "test:1: no WAY"),
    ]);
}
