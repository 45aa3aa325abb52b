;;; The compiler, chapter 10: COMPILE and DEFUN on the machine.
;;;
;;;     lambda expression --compile-lambda--> code objects --%install-function (machine/code)--> functions

;;; (compile 'f) compiles the interpreted definition of f; (compile 'f '(lambda ...)) and (compile nil '(lambda ...)) compile
;;; an expression. The newest local functions of each name can be found by it, for people; calls do not need that.

(defun compile (name &optional (definition nil given))
  "Compiles a function, or a lambda expression as the function of a name; the name, or the function if that is NIL. What is
compiled already stays as it is."
  (let ((lambda (if given definition (%lambda-expression name))))
    (if lambda
        (%compile-as name lambda)
        name)))

(defun %compile-as (name lambda)
  (let* ((rest (if (eq (car lambda) '%named-lambda) (cddr lambda) (cdr lambda)))
         (own-name (if (eq (car lambda) '%named-lambda) (cadr lambda) 'lambda))
         (codes (let ((*calls-by-name* nil)
                      (*names-stay* (if name t nil)))
                  ;; What is noted of a function is on its name, so one that has none gets one of its own.
                  (compile-lambda (or name (make-symbol (symbol-name own-name))) rest))))
    (%note-functions *function-notes*)
    (setq *function-notes* nil)
    (let ((function (%install-functions codes name)))
      (cond ((null name) function)
            (t (when (and (stringp (cadr rest)) (cddr rest))
                 (%set-documentation name 'function (cadr rest)))
               (%set-get name '%source lambda)
               (%set-definition name function)
               name)))))

(defun %lambda-expression (name)
  "The lambda expression of an interpreted function; NIL if it is compiled."
  (let ((function (if (symbolp name) (symbol-function name) name)))
    (if (interpreted-function-p function)
        (list* 'lambda (interpreted-function-lambda-list function) (interpreted-function-body function))
        nil)))

(defun function-source (name)
  "The lambda expression that a function was compiled from, if that happened on this machine."
  (get name '%source))

(defvar *compile-definitions* t)

(defun %define-function (name function)
  "What DEFUN does: a function that does not belong to a LET around it is compiled, unless *COMPILE-DEFINITIONS* is NIL."
  (if (and *compile-definitions*
           (interpreted-function-p function)
           (null (interpreted-function-environment function)))
      (compile name (list* 'lambda (interpreted-function-lambda-list function) (interpreted-function-body function)))
      (%set-definition name function))
  (when (interpreted-function-p function)
    (let ((body (interpreted-function-body function)))
      (when (and (stringp (car body)) (cdr body))
        (%set-documentation name 'function (car body)))))
  name)

(defun %note-functions (notes)
  "Keeps what the compiler noted about functions: (name . property list) each, under %DEBUG on the property list of the name."
  (dolist (note notes)
    (let ((documentation (getf (cdr note) :documentation)))
      (if documentation
          (%set-documentation (car note) 'function documentation)
          (%set-get (car note) '%debug (cdr note))))))
