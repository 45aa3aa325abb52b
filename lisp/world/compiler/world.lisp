;;; The compiler, chapter 9: COMPILE and DEFUN on the machine.
;;;
;;;     lambda expression --compile-lambda--> code objects --%install-function (machine/code)--> functions

;;; (compile 'f) compiles the interpreted definition of f; (compile 'f '(lambda ...)) and (compile nil '(lambda ...)) compile
;;; an expression. Local functions that became global ones are defined on the way.

(defun compile (name &optional (definition nil given))
  "Compiles a function, or a lambda expression as the function of a name; the name, or the function if that is NIL."
  (let* ((lambda (if given definition (%lambda-expression name)))
         (codes (%with-gensyms
                 (lambda ()
                   (if (eq (car lambda) '%named-lambda)
                       (compile-lambda (or name (cadr lambda)) (cddr lambda))
                       (compile-lambda (or name 'lambda) (cdr lambda)))))))
    (%note-functions *function-notes*)
    (setq *function-notes* nil)
    (dolist (code (cdr codes))
      (%set-definition (getf code :name) (%install-function code)))
    (let ((function (%install-function (car codes))))
      (cond (name (%set-definition name function)
                  name)
            (t function)))))

(defun %lambda-expression (name)
  "The lambda expression of an interpreted function."
  (let ((function (if (symbolp name) (symbol-function name) name)))
    (if (interpreted-function-p function)
        (list* 'lambda (interpreted-function-lambda-list function) (interpreted-function-body function))
        (error "~S is not a function that can be compiled." name))))

(defvar *compile-definitions* t)

(defun %define-function (name function)
  "What DEFUN does: a function that does not belong to a LET around it is compiled, unless *COMPILE-DEFINITIONS* is NIL."
  (if (and *compile-definitions*
           (interpreted-function-p function)
           (null (interpreted-function-environment function)))
      (compile name (list* 'lambda (interpreted-function-lambda-list function) (interpreted-function-body function)))
      (%set-definition name function))
  name)

(defun %note-functions (notes)
  "Keeps what the compiler noted about functions: (name . property list) each, under %DEBUG on the property list of the name."
  (dolist (note notes)
    (let ((documentation (getf (cdr note) :documentation)))
      (if documentation
          (%set-documentation (car note) 'function documentation)
          (%set-get (car note) '%debug (cdr note))))))
