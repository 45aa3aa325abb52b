;;; The compiler, chapter 2: shapes. Is a form what its operator takes apart?
;;;
;;; The chapters behind this one take what they want from a form and do not look at the rest: (if) would be a way to write
;;; NIL. Here is how many parts such forms have, and what the parts look like. The evaluator looks here, too; the % keeps these
;;; functions out of the break window's list.

;;; (define-shape name least most function): forms with that operator have so many parts, its own name not counted; `most` is
;;; NIL if there is no limit. The function complains of a form; it may be left out. Kept as the property %SHAPE of the name.
(defmacro define-shape (name least most &optional function)
  `(%set-get ',name '%shape (list* ,least ,most ,function)))

(defun brief (thing)
  (let ((text (format nil "~S" thing)))
    (if (< (length text) 60) text (concatenate 'string (subseq text 0 60) "..."))))

(defun %check-form (form)
  (%check-list form "a form")
  (if (symbolp (car form)) (%check-shape form)))

(defun %check-shape (form)
  (let ((shape (get (car form) '%shape)) (parts (length (cdr form))))
    (when shape
      (cond ((< parts (car shape)) (compile-error "~S has too few parts" (car form)))
            ((and (cadr shape) (> parts (cadr shape))) (compile-error "~S has too many parts" (car form)))
            ((cddr shape) (funcall (cddr shape) form))))))

(defun %check-list (list what)
  (let ((end (do ((tail list (cdr tail))) ((not (consp tail)) tail))))
    (cond ((null end) nil)
          ((consp list) (compile-error "~A ends with a dot and ~A" what (brief end)))
          (t (compile-error "~A is ~A, which is no list" what (brief list))))))

(defun name-p (thing) (and thing (symbolp thing)))

(defun variable-name-p (thing)
  (and (name-p thing) (not (eq thing t)) (not (keywordp thing)) (not (eq (variable-kind thing) :constant))))

(defun section-name-p (symbol)
  (let ((name (symbol-name symbol))) (and (> (length name) 0) (eql (char name 0) #\&))))

(define-shape quote 1 1)
(define-shape the 2 2)
(define-shape if 2 3)
(define-shape return-from 1 2)
(define-shape go 1 1)
(define-shape catch 1 nil)
(define-shape throw 2 2)
(define-shape unwind-protect 1 nil)
(define-shape eval-when 1 nil)
(define-shape multiple-value-call 1 nil)
(define-shape multiple-value-prog1 1 nil)

(defun %check-block (form)
  (if (not (symbolp (cadr form))) (compile-error "~A names no block" (brief (cadr form)))))

(define-shape block 1 nil #'%check-block)

(defun %check-pairs (form)
  (do ((tail (cdr form) (cddr tail)))
      ((null tail) nil)
    (if (not (variable-name-p (car tail))) (compile-error "~A cannot be set" (brief (car tail))))
    (if (null (cdr tail)) (compile-error "SETQ has a variable without a value"))))

(define-shape setq 0 nil #'%check-pairs)

(defun %refuse-comma (form)
  (compile-error "a comma is not within a backquote"))

(define-shape unquote 1 1 #'%refuse-comma)
(define-shape splice 1 1 #'%refuse-comma)

;;; Variables

(defun %check-variable (name)
  (if (not (variable-name-p name)) (compile-error "~A cannot be a variable" (brief name))))

(defun %check-bindings (form)
  (%check-list (cadr form) "the list of variables")
  (dolist (binding (cadr form))
    (cond ((symbolp binding) (%check-variable binding))
          ((not (consp binding)) (compile-error "~A is no variable with a value" (brief binding)))
          (t (%check-list binding "a variable")
             (%check-variable (car binding))
             (if (cddr binding) (compile-error "~A is no variable with a value" (brief binding))))))
  (%check-declarations (cddr form)))

(define-shape let 1 nil #'%check-bindings)
(define-shape let* 1 nil #'%check-bindings)

;;; The declarations at the beginning of a body. What they declare is free, as long as they look like declarations.
(defun %check-declarations (body)
  (dolist (form body nil)
    (cond ((stringp form) nil)
          ((and (consp form) (eq (car form) 'declare))
           (%check-list form "DECLARE")
           (dolist (declaration (cdr form))
             (if (not (and (consp declaration) (name-p (car declaration))))
                 (compile-error "~A is no declaration" (brief declaration)))
             (%check-list declaration "a declaration")
             (if (eq (car declaration) 'special)
                 (dolist (name (cdr declaration))
                   (%check-variable name)))))
          (t (return nil)))))

(defun %check-locally (form)
  (%check-declarations (cdr form)))

(define-shape locally 0 nil #'%check-locally)

;;; Functions

(define-shape lambda 1 nil)
(define-shape function 1 1)

(defun %check-local-functions (form)
  (%check-list (cadr form) "the list of local functions")
  (dolist (definition (cadr form))
    (if (not (and (consp definition) (name-p (car definition)) (consp (cdr definition))))
        (compile-error "~A is no local function: (NAME (PARAMETER ...) FORM ...)" (brief definition)))
    (%check-list definition "a local function")))

(define-shape flet 1 nil #'%check-local-functions)
(define-shape labels 1 nil #'%check-local-functions)
(define-shape macrolet 1 nil #'%check-local-functions)

(defun %check-definition (form)
  (let ((operator (car form)) (name (cadr form)) (rest (cddr form)))
    (cond ((null name) (compile-error "~S has no name" operator))
          ((symbolp name) nil)
          ((and (eq operator 'defun) (consp name) (eq (car name) 'setf) (consp (cdr name))) nil)
          (t (compile-error "~S of ~A, which is no name" operator (brief name))))
    (cond ((null rest) (compile-error "~S of ~A without a lambda list" operator (brief name)))
          ((listp (car rest)) nil)
          ;; A macro's may be a name alone, for all of the form's parts.
          ((and (eq operator 'defmacro) (symbolp (car rest))) nil)
          (t (compile-error "~S of ~A with ~A as lambda list" operator (brief name) (brief (car rest)))))))

(define-shape defun 0 nil #'%check-definition)
(define-shape defmacro 0 nil #'%check-definition)

;;; A lambda list, whose sections come in this order, and the declarations behind it. The patterns of macros are no longer
;;; there.
(defun %check-lambda (parameters body)
  (let ((sections '(&optional &rest &body &key &allow-other-keys &aux))
        (names nil) (section nil) (rest-wanted nil))
    (do ((tail parameters (cdr tail)))
        ((not (consp tail))
         (if rest-wanted (compile-error "nothing behind &REST"))
         (if (not (symbolp tail)) (compile-error "a lambda list ends with ~A" (brief tail))))
      (let ((parameter (car tail)))
        (cond ((and (name-p parameter) (section-name-p parameter))
               (if (not (member parameter '(&optional &rest &body &key &allow-other-keys &aux)))
                   (compile-error "~S in a lambda list" parameter))
               (if (or rest-wanted (not (member parameter sections)))
                   (compile-error "~S is at the wrong place of a lambda list" parameter))
               (setq sections (cdr (member parameter sections)))
               (setq section parameter)
               (setq rest-wanted (if (member parameter '(&rest &body)) t nil)))
              (t (let ((name (parameter-name parameter section)))
                   (%check-variable name)
                   (if (member name names) (compile-error "two parameters are called ~A" (brief name)))
                   (push name names))
                 (setq rest-wanted nil)))))
    (%check-declarations body)))

;;; A keyword parameter may have its keyword with it: ((:key name) default).
(defun parameter-name (parameter section)
  (cond ((not (consp parameter)) parameter)
        ((null section) (compile-error "~A is no parameter" (brief parameter)))
        (t (%check-list parameter "a parameter")
           (if (consp (car parameter)) (cadr (car parameter)) (car parameter)))))
