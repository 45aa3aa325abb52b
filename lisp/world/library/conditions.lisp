;;; Conditions: what can happen, who wants to know, and how to go on.
;;;
;;; A condition is a structure; its type says what happened. SIGNAL offers it to the handlers, innermost first; a handler
;;; that returns declines, one that throws or invokes a restart has taken care. ERROR does the same and, when nobody
;;; does, calls the debugger. While a handler runs, only those outside of its own are there.
;;;
;;;     *handlers*    ( ((type . function) (type . function))   ((type . function)) ... )     one list a HANDLER-BIND
;;;     *restarts*    ( restart restart ... )

(defvar *handlers* nil)
(defvar *restarts* nil)
(defvar *debugger-hook* nil)

;;; All conditions have a format string and its arguments; types with a report of their own do not use them.

(defstruct (condition (:constructor %make-condition) (:print-function %print-condition))
  format-control
  format-arguments)

(defstruct (simple-condition (:include condition) (:conc-name %simple-condition-)))
(defstruct (warning (:include condition)))
(defstruct (simple-warning (:include warning)))
(defstruct (serious-condition (:include condition)))
(defstruct (error (:include serious-condition)))
(defstruct (simple-error (:include error)))
(defstruct (storage-condition (:include serious-condition)))
(defstruct (interrupt (:include serious-condition)))

(define-condition type-error (error) (datum expected-type)
  (:report (lambda (condition stream)
             (format stream "~S is not of type ~S."
                     (type-error-datum condition) (type-error-expected-type condition)))))

(define-condition cell-error (error) (name))

(define-condition unbound-variable (cell-error) ()
  (:report (lambda (condition stream)
             (format stream "The variable ~S has no value." (cell-error-name condition)))))

(define-condition undefined-function (cell-error) (arguments)
  (:report (lambda (condition stream)
             (let* ((name (cell-error-name condition))
                    (text (prin1-to-string name)))
               ;; What SETF calls for a place that it knows nothing of.
               (if (and (> (length text) 5) (string= "%SET-" text :end2 5))
                   (format stream "~A is nothing that SETF can set: ~A is no function." (subseq text 5) text)
                   (format stream "~S is no function." name))))))

(define-condition control-error (error) ())
(define-condition program-error (error) ())
(define-condition parse-error (error) ())

(define-condition arithmetic-error (error) (operation operands)
  (:report (lambda (condition stream)
             (format stream "Arithmetic failed: ~S."
                     (cons (arithmetic-error-operation condition) (arithmetic-error-operands condition))))))

(define-condition division-by-zero (arithmetic-error) ()
  (:report (lambda (condition stream)
             (format stream "Division by zero: ~S."
                     (cons (arithmetic-error-operation condition) (arithmetic-error-operands condition))))))

(define-condition floating-point-overflow (arithmetic-error) ()
  (:report (lambda (condition stream)
             (format stream "The result is too large for a float: ~S."
                     (cons (arithmetic-error-operation condition) (arithmetic-error-operands condition))))))

(define-condition stream-error (error) (stream))

(define-condition end-of-file (stream-error) ()
  (:report (lambda (condition stream)
             (format stream "There is no more to read from ~S." (stream-error-stream condition)))))

(define-condition reader-error (parse-error) (stream))

(define-condition file-error (error) (pathname))

(defun simple-condition-format-control (condition) (condition-format-control condition))
(defun simple-condition-format-arguments (condition) (condition-format-arguments condition))

;;; Making and printing

(defun make-condition (type &rest initial-values)
  "A condition of a type, with the values of slots as keywords and values."
  (unless (%structure-name-p type)
    (%wrong-type type 'condition-type))
  (apply (%structure-constructor type) initial-values))

(defun %coerce-condition (datum arguments type)
  "The condition that the arguments of SIGNAL and its like stand for."
  (cond ((condition-p datum) datum)
        ((symbolp datum) (apply #'make-condition datum arguments))
        (t (apply #'make-condition type
                  (list :format-control datum :format-arguments arguments)))))

(defun %report-condition (condition stream)
  "Says what happened."
  (let ((report (do ((name (type-of condition) (%structure-parent name)))
                    ((null name) nil)
                  (let ((function (get name '%report)))
                    (when function (return function)))))
        (control (condition-format-control condition)))
    (cond (control (%format stream control (condition-format-arguments condition)))
          (report (funcall report condition stream))
          (t (format stream "~A happened." (type-of condition))))))

(defun %print-condition (condition stream depth)
  (if *print-escape*
      (%print-unreadable condition stream t t nil)
      (%report-condition condition stream)))

;;; Signalling

(defun %call-with-handlers (bindings function)
  "The function's values, while these handlers are there."
  (let ((*handlers* (cons bindings *handlers*)))
    (funcall function)))

(defun signal (datum &rest arguments)
  "Offers a condition to the handlers; NIL if all of them decline."
  (%signal (%coerce-condition datum arguments 'simple-condition)))

(defun %signal (condition)
  (let ((*handlers* *handlers*))
    (do ()
        ((null *handlers*) nil)
      (let ((cluster (car *handlers*)))
        (setq *handlers* (cdr *handlers*))
        (dolist (binding cluster)
          (when (typep condition (car binding))
            (funcall (cdr binding) condition)))))))

(defun error (datum &rest arguments)
  "Signals an error; it does not return."
  (let ((condition (%coerce-condition datum arguments 'simple-error)))
    (%signal condition)
    (invoke-debugger condition)))

(defun cerror (continue datum &rest arguments)
  "Signals an error that can be ignored by the restart CONTINUE."
  (restart-case (apply #'error datum arguments)
    (continue ()
      :report (lambda (stream) (%format stream continue arguments))
      nil)))

(defun warn (datum &rest arguments)
  "Signals a warning, and writes it if nobody muffles it."
  (let ((condition (%coerce-condition datum arguments 'simple-warning)))
    (restart-case
        (progn
          (%signal condition)
          (fresh-line *error-output*)
          (write-string "Warning: " *error-output*)
          (%report-condition condition *error-output*)
          (terpri *error-output*)
          nil)
      (muffle-warning ()
        :report "Say nothing."
        nil))))

(defun break (&optional (control "Break") &rest arguments)
  "Calls the debugger; the restart CONTINUE goes on."
  (restart-case (invoke-debugger (make-condition 'simple-condition :format-control control
                                                                   :format-arguments arguments))
    (continue ()
      :report "Go on."
      nil)))

;;; Restarts: ways to go on, by name

(defstruct (restart (:constructor %make-restart) (:print-function %print-restart))
  name
  function              ; called with what INVOKE-RESTART gives
  report                ; a string, or a function of a stream, that says what it does
  interactive)          ; a function that asks for the arguments, or NIL

(defun %print-restart (restart stream depth)
  (if *print-escape*
      (%print-unreadable restart stream t t (lambda () (prin1 (restart-name restart) stream)))
      (let ((report (restart-report restart)))
        (cond ((null report) (princ (restart-name restart) stream))
              ((stringp report) (write-string report stream))
              (t (funcall report stream))))))

(defun %call-with-restarts (restarts function)
  "The function's values, while these restarts are there."
  (let ((*restarts* (append restarts *restarts*)))
    (funcall function)))

(defun compute-restarts (&optional condition)
  "All restarts, the innermost first."
  *restarts*)

(defun find-restart (name &optional condition)
  "The innermost restart of a name, or NIL; a restart itself, if it is one."
  (if (restart-p name)
      name
      (find name *restarts* :key #'restart-name :test #'eq)))

(defun invoke-restart (name &rest arguments)
  "Goes on by way of a restart."
  (let ((restart (find-restart name)))
    (if restart
        (apply (restart-function restart) arguments)
        (error 'control-error :format-control "There is no restart ~S now." :format-arguments (list name)))))

(defun invoke-restart-interactively (name)
  "Goes on by way of a restart, which may ask for what it needs."
  (let ((restart (find-restart name)))
    (if (restart-interactive restart)
        (apply #'invoke-restart restart (funcall (restart-interactive restart)))
        (invoke-restart restart))))

(defun %invoke-if-there (name &rest arguments)
  (let ((restart (find-restart name)))
    (when restart
      (apply #'invoke-restart restart arguments))))

(defun %give-up ()
  "Gives up all that is being done: back to the exec, or the end of a process that has none, the job of a world without a
screen among them."
  (throw (if (%catch-exists-p 'exec) 'exec '%end-of-process) nil))

(defun abort (&optional condition)
  "Gives up what is being done."
  (%invoke-if-there 'abort)
  (%give-up))

(defun continue (&optional condition) (%invoke-if-there 'continue))
(defun use-value (value &optional condition) (%invoke-if-there 'use-value value))
(defun store-value (value &optional condition) (%invoke-if-there 'store-value value))
(defun muffle-warning (&optional condition) (invoke-restart 'muffle-warning))

(defun %ask-for-value ()
  "Reads and evaluates a form, for restarts that need a value."
  (fresh-line *query-io*)
  (write-string "Value: " *query-io*)
  (finish-output *query-io*)
  (list (eval (read *query-io*))))

;;; Errors that functions of the world signal

(defun %wrong-type (datum type)
  "An error; the restart USE-VALUE gives another object in its place."
  (restart-case (error 'type-error :datum datum :expected-type type)
    (use-value (value)
      :report "Use another value."
      :interactive %ask-for-value
      value)))

(defun %check-failed (value place type)
  (restart-case (error 'type-error :datum value :expected-type type
                                   :format-control "The value of ~S, ~S, is not of type ~S."
                                   :format-arguments (list place value type))
    (store-value (value)
      :report "Store another value."
      :interactive %ask-for-value
      value)))

(defun %assertion-failed (test control arguments)
  (restart-case (if control
                    (apply #'error control arguments)
                    (error "~S is not true." test))
    (continue ()
      :report "Try again."
      nil)))

(defun %undefined-function (name arguments)
  "Called for a function that is none: an error, with ways to go on."
  (restart-case (error 'undefined-function :name name :arguments arguments)
    (continue ()
      :report (lambda (stream) (format stream "Call ~S again." name))
      (apply name arguments))
    (use-value (function)
      :report "Call another function."
      :interactive %ask-for-value
      (apply function arguments))))

(defun %unbound-variable (symbol)
  (restart-case (error 'unbound-variable :name symbol)
    (use-value (value)
      :report "Use a value."
      :interactive %ask-for-value
      value)
    (store-value (value)
      :report "Give it a value."
      :interactive %ask-for-value
      (set symbol value))))
