;;; The exec: reads a form, evaluates it, prints its values, and again.
;;;
;;;     3> (floor 17 5)
;;;     3                       all values, a line each
;;;     2
;;;     4> (list * /)           *, **, *** are the last three first values; /, //, /// the lists of values;
;;;                             +, ++, +++ the last three forms; - is the form being evaluated
;;;
;;; Inputs are numbered and kept: (history) lists them, (redo 3) evaluates one again. Each exec is a process with a
;;; window of its own. The first exec is also on the serial line: what it prints goes there, what is typed there comes as
;;; keys.

(defvar *exec-terminal* nil)            ; the terminal of the process's exec

(defvar * nil)
(defvar ** nil)
(defvar *** nil)
(defvar + nil)
(defvar ++ nil)
(defvar +++ nil)
(defvar / nil)
(defvar // nil)
(defvar /// nil)
(defvar - nil)

(defglobal *input-count* 0)             ; inputs so far
(defglobal *history* nil)               ; (number text values), newest first
(defglobal *execs* nil)                 ; terminals of the execs that run
(defglobal *before-first-input* nil)    ; NIL, or a function that the next exec to be made calls first

(defconstant +history-length+ 100)

(defun note-input (text)
  "Numbers and keeps an input; its entry in the history."
  (let ((entry (list *input-count* text nil)))
    (push entry *history*)
    (push text *inputs*)
    (when (> (length *history*) +history-length+)
      (setq *history* (subseq *history* 0 +history-length+))
      (setq *inputs* (subseq *inputs* 0 +history-length+)))
    entry))

(defun history (&optional (count 20))
  "Prints the last inputs."
  (dolist (entry (reverse (subseq *history* 0 (min count (length *history*)))))
    (format t "~3d> ~a~%" (car entry) (cadr entry)))
  (values))

(defun redo (number)
  "Evaluates an input of the history again."
  (let ((entry (assoc number *history*)))
    (if entry
        (evaluate-text (cadr entry))
        (format t "There is no input ~d.~%" number))
    (values)))

(defun evaluate-form (form &optional frame)
  "Evaluates a form, among the variables of a frame: the list of its values. Keeps form and values in the variables that the
exec is known for."
  (setq - form)
  (let ((results (multiple-value-list (if frame (eval-in-frame form frame) (eval form)))))
    (setq +++ ++ ++ + + form)
    (setq *** ** ** * * (car results))
    (setq /// // // / / results)
    results))

(defun print-values (results)
  "Prints values, a line each. Circular ones must not print for ever, long lists of code want lines."
  (let ((*print-circle* t)
        (*print-pretty* t))
    (dolist (value results)
      (fresh-line)
      (prin1 value))
    (fresh-line)))

(defun read-typed-form (stream end)
  "The next form of a typed text, or END. Closing parentheses too many are no reason to stop anything."
  (loop
    (let ((next (peek-char t stream nil end)))
      (cond ((eq next end) (return end))
            ((eql next #\)) (read-char stream) (format t "~&A closing parenthesis too many.~%"))
            (t (return (read stream nil end)))))))

(defun evaluate-text (text)
  "Reads the forms in a text, evaluates them and prints their values; the last form's values."
  (let ((stream (make-string-input-stream text))
        (end (list 'end))
        (results nil))
    (loop
      (let ((form (read-typed-form stream end)))
        (when (eq form end) (return results))
        (setq results (evaluate-form form))
        (print-values results)))))

(defun write-prompt (terminal)
  (terminal-fresh-line terminal)
  (terminal-write-string terminal (format nil "~d> " *input-count*))
  (note-caret terminal))

(defun exec-step (terminal)
  "Reads one input and evaluates it."
  (setq *input-count* (1+ *input-count*))
  (write-prompt terminal)
  (let ((text (read-form-text terminal)))
    (cond ((eq text :interrupted)
           (terminal-write-string terminal "
Interrupted.
")
           (setq *input-count* (1- *input-count*)))
          ((blank-p text)
           (setq *input-count* (1- *input-count*)))
          (t (let ((entry (note-input text)))
               (with-simple-restart (abort "Back to the exec.")
                 (setf (caddr entry) (evaluate-text text))))))))

(defun exec-loop (terminal)
  "Reads and evaluates until the exec's window is closed. An error that is given up comes back here."
  (loop
    (unless (window-open (terminal-window terminal)) (return nil))
    (catch 'exec
      (exec-step terminal))))

;;; In a process of its own, with its own streams

(defmacro with-terminal ((terminal) &body body)
  "Evaluates the body with a terminal for everything that is printed and read."
  `(let* ((*exec-terminal* ,terminal)
          (*terminal* (terminal-stream *exec-terminal*))
          (*standard-output* *terminal*)
          (*standard-input* *terminal*)
          (*error-output* *terminal*)
          (*trace-output* *terminal*)
          (*query-io* *terminal*)
          (*debug-io* *terminal*)
          (*terminal-io* *terminal*))
     ,@body))

(defun run-exec (terminal greeting)
  "The process of an exec."
  ;; The window may be closed already.
  (when (window-open (terminal-window terminal))
    (when greeting
      (terminal-write-string terminal greeting))
    (with-terminal (terminal)
      (setf (window-process (terminal-window terminal)) *current-process*)
      (when *before-first-input*
        (catch 'exec
          (with-simple-restart (abort "Go to the exec.")
            (funcall (shiftf *before-first-input* nil)))))
      (exec-loop terminal)))
  (setq *execs* (remove terminal *execs*)))

(defun make-exec (&optional (left 40) (top 40) (columns 80) (rows 24) greeting)
  "Opens a window with a new exec."
  (let* ((number (1+ (length *execs*)))
         (terminal (make-terminal-window (if (eql number 1) "Exec" (format nil "Exec ~d" number))
                                         left top columns rows)))
    (when (null *execs*)
      (setf (terminal-mirror terminal) t))
    (push terminal *execs*)
    (setf (window-process (terminal-window terminal)) t)
    (set-focus (terminal-window terminal))
    (make-process "exec" (lambda () (run-exec terminal greeting)))
    terminal))

;;; Reading lines and characters for programs: a line is typed with the editor, then taken character by character.

(defun terminal-read-char (terminal)
  "The next character that the user types for a program, a line at a time."
  (unless (terminal-input terminal)
    (let ((text (read-form-text terminal)))
      (when (eq text :interrupted) (stop-reading))
      (setf (terminal-input terminal)
            (append (coerce text 'list) (list #\Newline)))))
  (pop (terminal-input terminal)))

