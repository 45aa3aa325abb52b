;;; What the compiler makes an instruction of, as functions: for #'car, for APPLY, and for calls with other numbers of
;;; arguments. Each body is the instruction.

(defun car (x) "The left half of a cell; of NIL, NIL." (car x))
(defun cdr (x) "The right half of a cell; of NIL, NIL." (cdr x))
(defun cons (a b) "A new cell." (cons a b))
(defun rplaca (cell x) "Replaces the CAR; the cell." (rplaca cell x))
(defun rplacd (cell x) "Replaces the CDR; the cell." (rplacd cell x))
(defun %set-car (cell x) (rplaca cell x) x)
(defun %set-cdr (cell x) (rplacd cell x) x)
(defun eq (a b) "True of one and the same object." (eq a b))
(defun eql (a b) "True of the same object, or numbers of the same type and value." (eql a b))
(defun not (x) "True of NIL." (eq x nil))
(defun null (x) "True of NIL." (eq x nil))
(defun consp (x) "True of cells." (eq (%type-number x) 5))

(defun values (&rest values) "Its arguments as several values." (values-list values))
(defun values-list (list) "The elements of a list as several values." (values-list list))

(defun funcall (function &rest arguments)
  "Calls a function with these arguments."
  (apply function arguments))
