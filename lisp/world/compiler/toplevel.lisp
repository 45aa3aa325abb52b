;;; The compiler, chapter 9: files, and functions compiled on the machine.
;;;
;;; COMPILE-TOP-LEVEL takes the forms of a file one by one. Definitions become code objects; all other forms are collected
;;; and later compiled as functions without arguments. What later forms need to know (macros, kinds of variables, slots of
;;; structures, setters) is noted at once.

(defvar *unit-codes* nil)     ; code objects to be defined by name, last one first
(defvar *unit-forms* nil)     ; other forms, last one first

(defun begin-unit ()
  (setq *unit-codes* nil)
  (setq *unit-forms* nil)
  (setq *function-notes* nil)
  (setq *warned* nil)
  (setq *compile-warnings* nil))

(defun unit-function (name rest)
  (dolist (code (compile-lambda name rest))
    (push code *unit-codes*)))

(defun compile-top-level (form)
  (let ((*line* (or (%form-line form) *line*))
        (head (if (consp form) (car form) nil)))
    (if (consp form) (%check-form form))
    (cond ((not (consp form)) nil)
          ((member head '(progn locally)) (dolist (it (cdr form)) (compile-top-level it)))
          ((eq head 'eval-when) (dolist (it (cddr form)) (compile-top-level it)))
          ((eq head 'defun) (compile-defun form))
          ((eq head '%define-function) (compile-definition form))
          ((eq head 'defconstant)
           (%ignore-errors (lambda () (set (cadr form) (eval (caddr form)))))
           (compile-top-level (funcall (%expander head) form)))
          ((notable form)
           (eval form)
           (push form *unit-forms*))
          ((and (symbolp head) (not (get head '%analyser)) (%expander head))
           (compile-top-level (funcall (%expander head) form)))
          (t (push form *unit-forms*)))))

;;; Forms that later ones have to know of.
(defun notable (form)
  (or (member (car form) '(%set-macro %proclaim %define-structure))
      (and (eq (car form) '%set-get) (equal (caddr form) ''%setter))))

(defun compile-defun (form)
  (let ((name (%function-name (cadr form))))
    (if (consp (cadr form)) (%note-setf-function (cadr (cadr form))))
    (%later name form)
    (when (and (stringp (cadddr form)) (cddddr form))
      (push (list '%set-documentation (list 'quote name) ''function (cadddr form)) *unit-forms*))
    (let ((*compiling* name))
      (if (and (stringp (cadddr form)) (cddddr form))
          (push (list name :documentation (cadddr form)) *function-notes*))
      (unit-function name (cons (caddr form) (%function-body (cadr form) (cdddr form)))))))

;;; (%define-function 'name #'(lambda ...)), as the first macros are written, and as DEFUN expands.
(defun compile-definition (form)
  (let ((name (cadr (cadr form))) (lambda (caddr form)))
    (if (and (consp lambda) (eq (car lambda) 'function) (consp (cadr lambda)))
        (unit-function name (if (eq (caadr lambda) 'lambda) (cdadr lambda) (cddr (cadr lambda))))
        (push form *unit-forms*))))

;;; The collected forms as functions, a few forms each.
(defun unit-inits (file)
  (let ((codes (form-inits file))
        (notes (remove-if-not #'cdr (reverse *function-notes*))))
    (if notes
        (append codes (list (car (compile-lambda (intern (format nil "~A-NOTES" (string-upcase file)))
                                                 `(() (%note-functions ',notes))))))
        codes)))

(defun form-inits (file)
  (let ((forms (reverse *unit-forms*)) (codes nil) (number 0))
    (do ()
        ((null forms) (reverse codes))
      (let ((some nil))
        (dotimes (i 8)
          (when forms
            (push (car forms) some)
            (setq forms (cdr forms))))
        (setq number (1+ number))
        (let* ((name (intern (format nil "~A-START-~D" (string-upcase file) number)))
               (all (compile-lambda name (list nil (cons 'progn (append (reverse some) '(nil)))))))
          (push (car all) codes)
          (dolist (code (cdr all)) (push code *unit-codes*)))))))

;;; Everything about the code objects of a lambda expression that the installed functions depend on, to compare what the host
;;; and the machine make of it.

(defun lambda-listing (name rest)
  (setq *function-notes* nil)
  (mapcar #'%code-listing (compile-lambda name rest)))

(defun %code-listing (code)
  "A code object as the host and the machine compare it: bytes, constants, and the functions within it."
  (list (getf code :name) (getf code :args) (getf code :locals) (getf code :stack)
        (getf code :names) (getf code :bytes)
        (mapcar (lambda (fixup)
                  (list (car fixup) (cadr fixup)
                        (if (member (cadr fixup) '(:code :function)) (%code-listing (caddr fixup)) (caddr fixup))))
                (getf code :fixups))))
