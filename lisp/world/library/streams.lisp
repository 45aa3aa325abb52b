;;; Streams: where characters come from and go to.
;;;
;;; A stream is a structure with functions in it: READER takes no argument and returns the next character, or NIL at the
;;; end; WRITER takes a character; LISTENER says whether a character is there without waiting. A new kind of stream is a
;;; new set of functions.

(defstruct (stream (:copier nil) (:print-function %print-stream))
  reader                ; () -> character or NIL; NIL if this stream gives none
  writer                ; (character); NIL if it takes none
  listener              ; () -> true if READER would not wait; NIL: it never waits
  finisher              ; () at FINISH-OUTPUT, or NIL
  closer                ; (abort) at CLOSE, or NIL
  unread                ; a character that was put back, or NIL
  (column 0)            ; characters on the line so far
  (width 80)            ; characters that fit on a line
  data                  ; what the functions share
  name)

(defun %print-stream (object stream depth)
  (%print-unreadable object stream t t
                     (lambda () (princ (stream-name object) stream))))

(defvar *terminal* nil)
(defvar *standard-output* nil)
(defvar *standard-input* nil)
(defvar *error-output* nil)
(defvar *trace-output* nil)
(defvar *query-io* nil)
(defvar *debug-io* nil)
(defvar *terminal-io* nil)

(defun %output-stream (designator)
  "The stream that NIL (the standard output), T (the terminal) or a stream stands for."
  (cond ((null designator) *standard-output*)
        ((eq designator t) *terminal*)
        (t designator)))

(defun %input-stream (designator)
  (cond ((null designator) *standard-input*)
        ((eq designator t) *terminal*)
        (t designator)))

(defun streamp (x) (stream-p x))
(defun input-stream-p (stream) (if (stream-reader stream) t nil))
(defun output-stream-p (stream) (if (stream-writer stream) t nil))
(defun close (stream &key abort)
  "Ends the use of a stream. With ABORT a file that was being made is given up."
  (when (stream-closer stream)
    (funcall (stream-closer stream) abort))
  t)

;;; Writing

(defun write-char (character &optional stream)
  "Writes a character."
  (let* ((stream (%output-stream stream))
         (code (char-code character)))
    (funcall (or (stream-writer stream) (%wrong-direction stream 'output-stream)) character)
    (setf (stream-column stream)
          (cond ((or (eql code 10) (eql code 13)) 0)
                ((eql code 9) (* 8 (1+ (ash (stream-column stream) -3))))
                ((eql code 8) (max 0 (1- (stream-column stream))))
                (t (1+ (stream-column stream)))))
    character))

(defun write-string (string &optional stream &key (start 0) end)
  "Writes the characters of a string."
  (let ((stream (%output-stream stream))
        (end (or end (length string))))
    (do ((i start (1+ i)))
        ((>= i end) string)
      (write-char (aref string i) stream))))

(defun write-line (string &optional stream &key (start 0) end)
  "Writes a string and ends the line."
  (write-string string stream :start start :end end)
  (terpri stream)
  string)

(defun terpri (&optional stream)
  "Ends the line."
  (write-char #\Newline stream)
  nil)

(defun fresh-line (&optional stream)
  "Ends the line unless nothing is on it."
  (let ((stream (%output-stream stream)))
    (if (eql (stream-column stream) 0)
        nil
        (progn (terpri stream) t))))

(defun finish-output (&optional stream)
  "Waits until all that was written has arrived."
  (let ((stream (%output-stream stream)))
    (when (stream-finisher stream)
      (funcall (stream-finisher stream)))
    nil))

(defun force-output (&optional stream) (finish-output stream))
(defun clear-output (&optional stream) nil)
(defun line-length (&optional stream) (stream-width (%output-stream stream)))

;;; Reading

(defun %next-character (stream)
  "The next character, or NIL at the end."
  (let ((unread (stream-unread stream)))
    (if unread
        (progn (setf (stream-unread stream) nil)
               unread)
        (funcall (or (stream-reader stream) (%wrong-direction stream 'input-stream))))))

(defun %wrong-direction (stream type)
  "Nothing can be read from this stream, or written to it: an error."
  (error 'type-error :datum stream :expected-type type
                     :format-control "The stream ~A cannot be ~A."
                     :format-arguments (list stream (if (eq type 'input-stream) "read" "written"))))

(defun %end-of-file (stream)
  (error 'end-of-file :stream stream))

(defun read-char (&optional stream (eof-error t) eof-value recursive)
  "The next character of a stream."
  (let* ((stream (%input-stream stream))
         (character (%next-character stream)))
    (cond (character character)
          (eof-error (%end-of-file stream))
          (t eof-value))))

(defun unread-char (character &optional stream)
  "Puts back the character just read."
  (setf (stream-unread (%input-stream stream)) character)
  nil)

(defun %peek (stream)
  "The next character, or NIL at the end; it stays."
  (or (stream-unread stream)
      (let ((character (funcall (or (stream-reader stream) (%wrong-direction stream 'input-stream)))))
        (setf (stream-unread stream) character)
        character)))

(defun peek-char (&optional kind stream (eof-error t) eof-value recursive)
  "The next character, which stays; with T as the kind the next that is no space, with a character that one."
  (let ((stream (%input-stream stream)))
    (do ((character (%peek stream) (%peek stream)))
        (nil)
      (cond ((null character)
             (if eof-error (%end-of-file stream) (return eof-value)))
            ((or (null kind)
                 (if (eq kind t) (not (%whitespacep character)) (eq character kind)))
             (return character)))
      (%next-character stream))))

(defun listen (&optional stream)
  "True if a character can be read without waiting."
  (let ((stream (%input-stream stream)))
    (cond ((stream-unread stream) t)
          ((stream-listener stream) (funcall (stream-listener stream)))
          (t (if (%peek stream) t nil)))))

(defun read-char-no-hang (&optional stream (eof-error t) eof-value)
  "The next character if it is there, else NIL."
  (if (listen stream)
      (read-char stream eof-error eof-value)
      nil))

(defun clear-input (&optional stream)
  (let ((stream (%input-stream stream)))
    (do ()
        ((not (and (stream-listener stream) (listen stream))) nil)
      (%next-character stream))))

(defun read-line (&optional stream (eof-error t) eof-value recursive)
  "Two values: the characters up to the end of the line, and whether the file ended there."
  (let ((stream (%input-stream stream))
        (characters nil)
        (ended nil))
    (do ((character (%next-character stream) (%next-character stream)))
        ((or (null character) (eq character #\Newline))
         (setq ended (null character)))
      (setq characters (cons character characters)))
    (cond ((or characters (not ended))
           (values (coerce (nreverse characters) 'string) ended))
          (eof-error (%end-of-file stream))
          (t (values eof-value t)))))

;;; Streams on strings

(defun make-string-input-stream (string &optional (start 0) end)
  "A stream that reads from a string."
  (let ((i start)
        (end (or end (length string))))
    (make-stream :name "string"
                 :reader (lambda ()
                           (if (< i end)
                               (progn (setq i (1+ i))
                                      (aref string (1- i)))
                               nil)))))

(defun make-string-output-stream ()
  "A stream that collects what is written to it."
  ;; The characters are in a cell of their own, backwards: if the writer knew the stream, and the stream the writer, they
  ;; would refer to each other for ever.
  (let ((collected (list nil)))
    (make-stream :name "string"
                 :data collected
                 :writer (lambda (character)
                           (rplaca collected (cons character (car collected)))))))

(defun get-output-stream-string (stream)
  "What was written to the stream since the last time."
  (let* ((collected (stream-data stream))
         (characters (car collected)))
    (rplaca collected nil)
    (coerce (nreverse characters) 'string)))

;;; Streams on other streams

(defun make-broadcast-stream (&rest streams)
  "A stream that writes to several others."
  (make-stream :name "broadcast"
               :writer (lambda (character)
                         (dolist (stream streams)
                           (write-char character stream)))))

(defun make-two-way-stream (input output)
  "A stream that reads from one and writes to another."
  (make-stream :name "two-way"
               :reader (lambda () (%next-character input))
               :listener (lambda () (listen input))
               :writer (lambda (character) (write-char character output))
               :finisher (lambda () (finish-output output))))

(defun make-echo-stream (input output)
  "A two-way stream that also writes what it reads."
  (make-stream :name "echo"
               :reader (lambda ()
                         (let ((character (%next-character input)))
                           (when character (write-char character output))
                           character))
               :listener (lambda () (listen input))
               :writer (lambda (character) (write-char character output))))

(defun make-concatenated-stream (&rest streams)
  "A stream that reads from several others, one after the other."
  (make-stream :name "concatenated"
               :reader (lambda ()
                         (do ((character nil))
                             ((or (null streams)
                                  (setq character (%next-character (car streams))))
                              character)
                           (setq streams (cdr streams))))))

(defun make-synonym-stream (symbol)
  "A stream that is whatever stream a variable holds."
  (make-stream :name "synonym"
               :reader (lambda () (%next-character (symbol-value symbol)))
               :listener (lambda () (listen (symbol-value symbol)))
               :writer (lambda (character) (write-char character (symbol-value symbol)))))

;;; The console (machine/console.lisp) is every stream until there is a screen

(defun %make-console-stream ()
  "A stream that writes to the console. Nothing can be read from it."
  (make-stream :name "console"
               :writer (lambda (character) (%console-char character))))

(defun %set-up-streams ()
  "Makes the console every standard stream."
  (let ((console (%make-console-stream)))
    (setq *terminal* console
          *terminal-io* console
          *standard-output* console
          *standard-input* console
          *error-output* console
          *trace-output* console
          *query-io* console
          *debug-io* console)))

(%set-up-streams)

;;; Questions

(defun y-or-n-p (&optional control &rest arguments)
  "Asks a question until the answer begins with Y or N."
  (do ((answer nil))
      (nil)
    (when control
      (fresh-line *query-io*)
      (apply #'format *query-io* control arguments))
    (write-string " (y or n) " *query-io*)
    (finish-output *query-io*)
    (setq answer (string-left-trim " " (read-line *query-io*)))
    (cond ((and (> (length answer) 0) (char-equal (char answer 0) #\y)) (return t))
          ((and (> (length answer) 0) (char-equal (char answer 0) #\n)) (return nil)))))

(defun yes-or-no-p (&optional control &rest arguments)
  (apply #'y-or-n-p control arguments))
