;;; Macros of the library: handling conditions, streams for a while, checking.
;;;
;;; A macro keeps to the form of what it stands for and leaves the work to a function whose name begins with %, which is
;;; given the body as a function.

;;; Conditions (conditions.lisp)

(defmacro handler-bind (bindings &body body)
  "Calls the body with functions for conditions: each binding is (type function)."
  `(%call-with-handlers (list ,@(mapcar (lambda (binding) `(cons ',(car binding) ,(cadr binding))) bindings))
                        (lambda () ,@body)))

(defmacro handler-case (form &rest clauses)
  "The form's values; or, if a condition of a clause's type is signalled, those of the clause (type (variable) . body)."
  (let ((block (gensym))
        (condition (gensym))
        (no-error (assoc :no-error clauses))
        (clauses (remove-if (lambda (clause) (eq (car clause) :no-error)) clauses))
        (bodies nil)
        (bindings nil))
    (dolist (clause clauses)
      (let ((tag (gensym))
            (variables (cadr clause)))
        (push `(,(car clause) (lambda (c) (setq ,condition c) (go ,tag))) bindings)
        (push tag bodies)
        (push `(return-from ,block
                 ,(if variables
                      `(let ((,(car variables) ,condition)) ,@(cddr clause))
                      `(progn ,@(cddr clause))))
              bodies)))
    `(block ,block
       (let ((,condition nil))
         (tagbody
            (return-from ,block
              ,(if no-error
                   `(multiple-value-call (lambda ,@(cdr no-error)) (handler-bind ,(reverse bindings) ,form))
                   `(handler-bind ,(reverse bindings) ,form)))
            ,@(reverse bodies))))))

(defmacro ignore-errors (&body body)
  "The body's values; NIL and the condition if there is an error."
  `(handler-case (progn ,@body)
     (error (condition) (values nil condition))))

(defmacro restart-case (form &rest clauses)
  "The form's values, while there are restarts: each clause (name (variables) [:report string-or-function] . body)
returns for the form when its restart is invoked."
  (let ((block (gensym))
        (arguments (gensym))
        (bodies nil)
        (restarts nil))
    (dolist (clause clauses)
      (let* ((tag (gensym))
             (rest (cddr clause))
             (report nil)
             (interactive nil))
        (do ()
            ((not (member (car rest) '(:report :interactive :test))))
          (cond ((eq (car rest) :report) (setq report (cadr rest)))
                ((eq (car rest) :interactive) (setq interactive (cadr rest))))
          (setq rest (cddr rest)))
        (push `(%make-restart :name ',(car clause)
                              :function (lambda (&rest values) (setq ,arguments values) (go ,tag))
                              :report ,(if (or (null report) (stringp report)) report `(function ,report))
                              :interactive ,(if interactive `(function ,interactive) nil))
              restarts)
        (push tag bodies)
        (push `(return-from ,block (apply (lambda ,(cadr clause) ,@rest) ,arguments)) bodies)))
    `(block ,block
       (let ((,arguments nil))
         (tagbody
            (return-from ,block
              (%call-with-restarts (list ,@(reverse restarts)) (lambda () ,form)))
            ,@(reverse bodies))))))

(defmacro with-simple-restart (restart &body body)
  "The body's values, or NIL and T if its restart, (name control . arguments), is invoked."
  `(restart-case (progn ,@body)
     (,(car restart) ()
       :report (lambda (stream) (format stream ,@(cdr restart)))
       (values nil t))))

(defmacro restart-bind (bindings &body body)
  "Calls the body with restarts: each binding is (name function)."
  `(%call-with-restarts
    (list ,@(mapcar (lambda (b) `(%make-restart :name ',(car b) :function ,(cadr b))) bindings))
    (lambda () ,@body)))

(defmacro define-condition (name parents slots &rest options)
  "A new kind of condition: a structure that extends its parent's."
  (let ((report (cadr (assoc :report options)))
        (default (mapcar (lambda (slot)
                           (if (consp slot)
                               (list (car slot) (getf (cdr slot) :initform))
                               (list slot nil)))
                         slots)))
    `(progn
       (defstruct (,name (:include ,(or (car parents) 'condition)))
         ,@default)
       ,@(mapcan (lambda (slot)
                   (let ((reader (if (consp slot) (getf (cdr slot) :reader (getf (cdr slot) :accessor)) nil)))
                     (if reader
                         `((defun ,reader (condition)
                             (,(%symbol-of name "-" (car slot)) condition)))
                         nil)))
                 slots)
       ,@(if report
             `((%set-get ',name '%report
                         ,(if (stringp report)
                              `(lambda (condition stream) (write-string ,report stream))
                              `(function ,report))))
             nil)
       ',name)))

(defmacro assert (test &optional places control &rest arguments)
  "An error, which can be continued, unless the test is true."
  `(do ()
       (,test nil)
     (%assertion-failed ',test ,control (list ,@arguments))))

(defmacro check-type (place type &optional description)
  "An error unless the value at a place is of a type; a new value can be given."
  `(do ()
       ((typep ,place ',type) nil)
     (setf ,place (%check-failed ,place ',place ',type))))

(defmacro etypecase (key &rest clauses)
  "The clause of the key's type, (type . body); an error if there is none."
  (let ((value (gensym)))
    `(let ((,value ,key))
       (typecase ,value
         ,@clauses
         (t (%wrong-type ,value '(or ,@(mapcar #'car clauses))))))))

;;; Streams (streams.lisp)

(defmacro with-output-to-string (variable &body body)
  "What the body writes to a stream, (variable), as a string."
  `(let ((,(car variable) (make-string-output-stream)))
     ,@body
     (get-output-stream-string ,(car variable))))

(defmacro with-input-from-string (variable &body body)
  "The body's values, with a stream, (variable string), that reads from a string."
  `(let ((,(car variable) (make-string-input-stream ,(cadr variable))))
     ,@body))

(defmacro print-unreadable-object (object-and-stream &body body)
  "Writes #<, what the body writes, the object's address, and >. (object stream :type t :identity t)"
  (let ((object (car object-and-stream))
        (stream (cadr object-and-stream))
        (options (cddr object-and-stream)))
    `(%print-unreadable ,object ,stream ,(getf options :type) ,(getf options :identity)
                        ,(if body `(lambda () ,@body) nil))))

;;; Files (files.lisp)

(defmacro with-open-file (binding &body body)
  "The body's values, with a stream on a file, (variable name . options of OPEN), that is closed however the body ends. A
new file is deleted if the body is left by a throw."
  (let ((stream (car binding))
        (done (gensym)))
    `(let ((,stream (open ,@(cdr binding)))
           (,done nil))
       (unwind-protect (multiple-value-prog1 (progn ,@body)
                         (setq ,done t))
         (when ,stream
           (close ,stream :abort (not ,done)))))))

(defmacro with-open-stream (binding &body body)
  "The body's values, with a stream, (variable stream), that is closed however the body ends."
  `(let ((,(car binding) ,(cadr binding)))
     (unwind-protect (progn ,@body)
       (close ,(car binding)))))

;;; Hash tables

(defmacro with-hash-table-iterator (binding &body body)
  "Within the body, (name) returns T, a key and a value, one pair after the other; then NIL. The binding: (name table)."
  (let ((pairs (gensym)))
    `(let ((,pairs (%hash-pairs ,(cadr binding))))
       (flet ((,(car binding) ()
                (if ,pairs
                    (let ((pair (pop ,pairs)))
                      (values t (car pair) (cdr pair)))
                    nil)))
         ,@body))))

;;; Measuring (describe.lisp)

(defmacro time (form)
  "The form's values; says how long it took and what it allocated."
  `(%time (lambda () ,form) ',form))

(defmacro trace (&rest names)
  "Has functions announce their calls and values."
  `(%trace-all ',names))

(defmacro untrace (&rest names)
  "Ends TRACE for these functions, or for all."
  `(%untrace-all ',names))
