;;; SETF: places, and macros that change what is in them.
;;;
;;; A place is a variable or a form (f argument...). What stores there is found in this order:
;;;
;;;     f is a macro                         its expansion is the place
;;;     (defsetf f g), or a slot of          (g argument... value), or an expression made of the arguments and the value
;;;       a structure
;;;     (defun (setf f) (value argument...)) that function
;;;     anything else                        (%set-f argument... value)
;;;
;;; All of these have the new value as their value.

(defmacro defsetf (name setter &optional variables &body body)
  (if variables
      `(progn (%set-get ',name '%setter
                        (lambda (arguments) (apply (lambda ,setter (lambda ,variables ,@body)) arguments)))
              ',name)
      `(progn (%set-get ',name '%setter ',setter) ',name)))

;;; Functions written as (defun (setf f) ...) are remembered here at compile time.
(defun %note-setf-function (name)
  (%set-get name '%setter 'setf))

(defun %setter-name (name)
  (intern (concatenate 'string "%SET-" (symbol-name name))))

;;; The form that stores a value in a place; the subforms of the place are evaluated once, in it.
(defun %store-form (place value)
  (if (not (consp place))
      ;; What is no variable SETQ complains of.
      `(setq ,place ,value)
      (let ((setter (get (car place) '%setter))
            (slot (get (car place) '%slot)))
        (cond (slot `(%structure-set ',(car slot) ,(cadr place) ,(cdr slot) ,value))
              ((eq setter 'setf) `(,(%function-name `(setf ,(car place))) ,value ,@(cdr place)))
              ((and setter (symbolp setter)) `(,setter ,@(cdr place) ,value))
              (setter
               (let ((variable (gensym)))
                 `(let ((,variable ,value))
                    ,(funcall (funcall setter (cdr place)) variable))))
              ((eq (car place) 'getf)
               (let ((variable (gensym)))
                 `(let ((,variable ,value))
                    ,(%store-form (cadr place) `(%putf ,(cadr place) ,(caddr place) ,variable))
                    ,variable)))
              ((eq (car place) 'the) (%store-form (caddr place) value))
              ((%expander (car place)) (%store-form (funcall (%expander (car place)) place) value))
              ((eq (car place) 'values)
               (let ((variables (mapcar (lambda (it) (gensym)) (cdr place))))
                 `(multiple-value-bind ,variables ,value
                    ,@(mapcar #'%store-form (cdr place) variables)
                    ,(car variables))))
              (t `(,(%setter-name (car place)) ,@(cdr place) ,value))))))

(defmacro setf (&rest pairs)
  (cond ((null pairs) nil)
        ((null (cdr pairs)) (error "SETF has a place without a value"))
        ((null (cddr pairs)) (%store-form (car pairs) (cadr pairs)))
        (t `(progn (setf ,(car pairs) ,(cadr pairs)) (setf ,@(cddr pairs))))))

;;; Calls a function on a place whose subforms are variables and constants; around what it makes, those variables are
;;; bound to the subforms.
(defun %with-place (place function)
  (if (not (consp place))
      (funcall function place)
      (let* ((bindings nil)
             (simple (cons (car place)
                           (mapcar (lambda (form)
                                     (if (%is-simple form)
                                         form
                                         (let ((variable (gensym)))
                                           (setq bindings (cons (list variable form) bindings))
                                           variable)))
                                   (cdr place)))))
        (if bindings
            `(let* ,(reverse bindings) ,(funcall function simple))
            (funcall function simple)))))

(defmacro incf (place &optional (by 1))
  (%with-place place (lambda (place) `(setf ,place ,(if (eql by 1) `(1+ ,place) `(+ ,place ,by))))))

(defmacro decf (place &optional (by 1))
  (%with-place place (lambda (place) `(setf ,place ,(if (eql by 1) `(1- ,place) `(- ,place ,by))))))

(defmacro push (item place)
  (if (or (symbolp place) (%is-simple item))
      (%with-place place (lambda (place) `(setf ,place (cons ,item ,place))))
      (let ((value (gensym)))
        `(let ((,value ,item)) (push ,value ,place)))))

(defmacro pushnew (item place &rest keys)
  (let ((value (gensym)))
    `(let ((,value ,item))
       ,(%with-place place
          (lambda (place)
            `(if (member ,value ,place ,@keys) ,place (setf ,place (cons ,value ,place))))))))

(defmacro pop (place)
  (%with-place place (lambda (place) `(prog1 (car ,place) (setf ,place (cdr ,place))))))

(defmacro psetf (&rest pairs)
  (let ((bindings nil) (settings nil))
    (do ((rest pairs (cddr rest)))
        ((null rest))
      (let ((variable (gensym)))
        (push (list variable (cadr rest)) bindings)
        (push `(setf ,(car rest) ,variable) settings)))
    `(let ,(reverse bindings) ,@(reverse settings) nil)))

(defmacro rotatef (&rest places)
  (if (cdr places)
      `(psetf ,@(mapcan #'list places (append (cdr places) (list (car places)))))
      nil))

(defmacro shiftf (&rest places)
  (let ((value (gensym)))
    `(let ((,value ,(car places)))
       (psetf ,@(mapcan #'list (butlast places) (cdr places)))
       ,value)))

(defmacro remf (place indicator)
  (let ((rest (gensym)) (found (gensym)))
    (%with-place place
      (lambda (place)
        `(multiple-value-bind (,rest ,found) (%remf ,place ,indicator)
           (setf ,place ,rest)
           ,found)))))

(defsetf car %set-car)
(defsetf cdr %set-cdr)
(defsetf first %set-car)
(defsetf rest %set-cdr)
(defsetf symbol-value set)
(defsetf symbol-function %set-definition)
(defsetf fdefinition %set-definition)
(defsetf macro-function %set-macro)
(defsetf caar (list) (value) `(%set-car (car ,list) ,value))
(defsetf cadr (list) (value) `(%set-car (cdr ,list) ,value))
(defsetf cdar (list) (value) `(%set-cdr (car ,list) ,value))
(defsetf cddr (list) (value) `(%set-cdr (cdr ,list) ,value))
(defsetf caddr (list) (value) `(%set-car (cddr ,list) ,value))
(defsetf cdddr (list) (value) `(%set-cdr (cddr ,list) ,value))
(defsetf cadddr (list) (value) `(%set-car (cdddr ,list) ,value))
(defsetf second (list) (value) `(%set-car (cdr ,list) ,value))
(defsetf third (list) (value) `(%set-car (cddr ,list) ,value))
(defsetf fourth (list) (value) `(%set-car (cdddr ,list) ,value))

;;; Raw memory: the instructions leave the container, so the value is kept aside.
(defsetf %word (base offset) (value) `(progn (%set-word ,base ,offset ,value) ,value))
(defsetf %cell (base offset) (value) `(progn (%set-cell ,base ,offset ,value) ,value))
(defsetf %byte (base offset) (value) `(progn (%set-byte ,base ,offset ,value) ,value))
(defsetf %bits (base offset first size) (value) `(progn (%set-bits ,base ,offset ,first ,size ,value) ,value))
