;;; Terminals as streams: what programs print to and read from.
;;;
;;; Characters are collected and put on the window a line at a time (or when somebody waits for input, or asks with
;;; FINISH-OUTPUT): a string is drawn much faster than its characters one by one.

(defconstant +most-pending+ 120)

(defun flush-terminal (terminal)
  "Draws what has been written to the terminal's stream."
  (let ((pending (terminal-pending terminal)))
    (when pending
      (setf (terminal-pending terminal) nil)
      (setf (terminal-pending-count terminal) 0)
      (terminal-write-string terminal (coerce (nreverse pending) 'string)))))

(defun collect-character (terminal character)
  "Takes a character that a program prints."
  (setf (terminal-pending terminal) (cons character (terminal-pending terminal)))
  (setf (terminal-pending-count terminal) (1+ (terminal-pending-count terminal)))
  (when (or (newline-code-p (char-code character)) (> (terminal-pending-count terminal) +most-pending+))
    (flush-terminal terminal)))

(defun make-terminal-stream (terminal)
  "A stream that writes to and reads from a terminal."
  (make-stream :name "terminal"
               :data terminal
               :width (terminal-columns terminal)
               :writer (lambda (character) (collect-character terminal character))
               :finisher (lambda () (flush-terminal terminal))
               :reader (lambda () (terminal-read-char terminal))
               :listener (lambda () (if (terminal-input terminal) t nil))))

(defun note-caret (terminal)
  "After the caret has moved otherwise: tells the stream where it is."
  (when (terminal-stream terminal)
    (setf (stream-column (terminal-stream terminal)) (terminal-column terminal))))

;;; Windows that are only printed to

(defmacro with-output-to-window ((terminal) &body body)
  "Evaluates the body with a terminal as the standard output."
  (let ((name (gensym)))
    `(let* ((,name ,terminal)
            (*standard-output* (terminal-stream ,name)))
       (multiple-value-prog1 (progn ,@body)
         (flush-terminal ,name)))))
