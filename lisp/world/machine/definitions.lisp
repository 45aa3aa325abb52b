;;; Definitions: what DEFUN, DEFMACRO, DEFVAR and their kind do at run time, and calling functions with lists of arguments.
;;;
;;; On the property list of a symbol:
;;;
;;;     %VARIABLE   :special, :global or :constant       %EXPANDER   the function of a macro, of the whole form

;;; %DEFINE-FUNCTION, which DEFUN calls, is in compiler/world.

(defun %proclaim (name kind)
  "Says what kind of variable a symbol is, for the compiler and the evaluator."
  (%set-get name '%variable kind)
  name)

(defun %proclamation (name)
  (get name '%variable))

(defun %set-macro (name function)
  "Makes a function of a form the macro of a name."
  (%set-get name '%expander function)
  name)

(defun %expander (name)
  "The function of a macro, or NIL."
  (get name '%expander))

(defun macro-function (name)
  (get name '%expander))

(defun %form-line (form)
  "The line of a file where a form was read; nobody knows in the world."
  nil)

(defun %later (name form)
  "A definition has been compiled: on the host it can be evaluated when it is needed."
  name)

(defun %host-p ()
  "True on the machine that builds the world."
  nil)

;;; (%spread function list) is made by the linker (lisp/src/linker/spread.rs).

(defun apply (function &rest arguments)
  "Calls a function with the arguments given, the last of which is a list of more."
  (%spread function (%spreadable arguments)))

(defun %spreadable (arguments)
  "A list whose last element is a list, as one list."
  (if (null (cdr arguments))
      (car arguments)
      (cons (car arguments) (%spreadable (cdr arguments)))))
