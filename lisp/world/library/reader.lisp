;;; The reader: from characters to objects.
;;;
;;;     (a . b) lists    'x  `x ,x ,@x  quoted    "..." strings    ; and #|...|# comments    |x y| a\b any characters
;;;     #'f  #\a  #(v)  #*101  #xFF #b101 #o17 #36rZZ  #:new  #.form  #+f #-f  #n=x #n# shared objects  #S(structure ...)
;;;
;;; A table has a function for each character that is no part of a token; such a function is called with the stream and
;;; the character and returns the object, or no value for a comment. `x is read as (BACKQUOTE x), with (UNQUOTE x) and
;;; (SPLICE x) inside: a macro makes of it what builds the list.

(defvar *read-base* 10)
(defvar *read-suppress* nil)
(defvar *features* '(:duralumin :common-lisp-subset))
(defvar *labels* nil)                   ; pairs of numbers and objects of #n= within the form being read
(defglobal *macro-characters* nil)      ; vector: code -> function (stream character), or NIL
(defglobal *dispatch-characters* nil)   ; vector: code -> function (stream character argument), or NIL

(defun %reader-error (stream control &rest arguments)
  (error 'reader-error :stream stream :format-control control :format-arguments arguments))

(defun %macro-function (character)
  (let ((code (char-code character)))
    (if (< code 128) (aref *macro-characters* code) nil)))

(defun set-macro-character (character function &optional non-terminating readtable)
  "Has READ call a function, of the stream and the character, when it meets a character."
  (setf (aref *macro-characters* (char-code character)) function)
  t)

(defun get-macro-character (character &optional readtable)
  (%macro-function character))

(defun set-dispatch-macro-character (first character function &optional readtable)
  "Has READ call a function, of the stream, the character and a number or NIL, when it meets # and a character."
  (setf (aref *dispatch-characters* (char-code (char-upcase character))) function)
  t)

;;; READ and its like

(defun read (&optional stream (eof-error t) eof-value recursive)
  "The next object of a stream."
  (let ((stream (%input-stream stream)))
    (if recursive
        (%read stream eof-error eof-value)
        (let ((*labels* nil))
          (let ((object (%read stream eof-error eof-value)))
            ;; The space that ends a token goes with it.
            (let ((unread (stream-unread stream)))
              (when (and unread (%whitespacep unread))
                (setf (stream-unread stream) nil)))
            (if *labels* (%resolve-labels object) object))))))

(defun read-from-string (string &optional (eof-error t) eof-value &key (start 0) end preserve-whitespace)
  "Two values: the object that a string spells, and where its text ends."
  (let* ((position start)
         (end (or end (length string)))
         (stream (make-stream :name "string"
                              :reader (lambda ()
                                        (if (< position end)
                                            (progn (setq position (1+ position))
                                                   (aref string (1- position)))
                                            nil)))))
    (let ((object (read stream eof-error eof-value)))
      (values object (if (stream-unread stream) (1- position) position)))))

(defun read-delimited-list (character &optional stream recursive)
  "A list of the objects up to a character."
  (%read-list (%input-stream stream) character nil))

(defun %read (stream eof-error eof-value)
  "The next object; comments are skipped."
  (do ()
      (nil)
    (let ((character (%next-character stream)))
      (cond ((null character)
             (if eof-error (%end-of-file stream) (return eof-value)))
            ((%whitespacep character))
            (t
             (let ((values (multiple-value-list (%read-from stream character))))
               (when values (return (car values)))))))))

(defun %read-from (stream character)
  "The object that begins with a character, or no value."
  (let ((function (%macro-function character)))
    (if function
        (funcall function stream character)
        (%read-token stream character))))

;;; Tokens: numbers and symbols

(defun %token (stream character)
  "Two values: the characters of a token that begins with CHARACTER, backwards, and whether any were escaped."
  (let ((characters nil)
        (escaped nil)
        (within nil))
    (do ()
        ((or (null character)
             (and (not within)
                  (or (%whitespacep character)
                      (let ((function (%macro-function character)))
                        (and function (not (eq character #\#)))))))
         (when within (%end-of-file stream))
         (when character (unread-char character stream)))
      (cond ((eq character #\|)
             (setq within (not within)
                   escaped t))
            ((eq character #\\)
             (setq escaped t
                   characters (cons (read-char stream) characters)))
            ((and (not within) (eq character #\:) (not escaped))
             (setq characters (cons :colon characters)))
            (t (setq characters (cons (if within character (char-upcase character)) characters))))
      (setq character (%next-character stream)))
    (values characters escaped)))

(defun %read-token (stream character)
  (multiple-value-bind (characters escaped) (%token stream character)
    (let ((colons (member :colon characters)))
      (cond (*read-suppress* nil)
            (colons (%package-symbol characters))
            (escaped (intern (%name-of characters)))
            ((every (lambda (c) (eq c #\.)) characters)
             (%reader-error stream "There is a dot where none belongs."))
            (t
             (let ((name (%name-of characters)))
               (or (%parse-number name *read-base*)
                   (intern name))))))))

(defun %name-of (backwards)
  (coerce (reverse backwards) 'string))

(defun %package-symbol (backwards)
  "The symbol of a token with a colon: :NAME is a keyword; a package before the colon means nothing here."
  (let* ((name (ldiff backwards (member :colon backwards)))
         (package (remove :colon (member :colon backwards))))
    (if (or (null package) (equal (%name-of package) "KEYWORD"))
        (%intern-keyword (%name-of name))
        (intern (%name-of name)))))

;;; Lists

(defun %read-list (stream close dots)
  "The objects up to a character, as a list; with a dot, if dots are allowed, the last is its tail."
  (let* ((head (cons nil nil))
         (end head))
    (do ()
        (nil)
      (let ((character (peek-char t stream)))
        (cond ((eq character close)
               (%next-character stream)
               (return (cdr head)))
              ((and dots (eq character #\.) (%lone-dot-p stream))
               (when (eq end head)
                 (%reader-error stream "There is nothing before a dot."))
               (rplacd end (%read stream t nil))
               (do ()
                   ((eq (peek-char t stream) close)
                    (%next-character stream))
                 (when (multiple-value-list (%read-from stream (%next-character stream)))
                   (%reader-error stream "There is more than one object behind a dot.")))
               (return (cdr head)))
              (t
               (let ((values (multiple-value-list
                              (if (eq (stream-unread stream) :dot)
                                  (%read-dotted-token stream)
                                  (%read-from stream (%next-character stream))))))
                 (when values
                   (let ((cell (cons (car values) nil)))
                     (rplacd end cell)
                     (setq end cell))))))))))

(defun %lone-dot-p (stream)
  "True if the dot that comes next stands alone; then it is gone. If it begins a token, that is remembered."
  (%next-character stream)
  (let ((next (%next-character stream)))
    (cond ((or (null next) (%whitespacep next) (%macro-function next))
           (when next (unread-char next stream))
           t)
          (t
           (setf (stream-data stream) (cons next (stream-data stream)))
           (setf (stream-unread stream) :dot)
           nil))))

(defun %read-dotted-token (stream)
  "The number or symbol that begins with a dot which was looked at already."
  (let ((next (car (stream-data stream))))
    (setf (stream-data stream) (cdr (stream-data stream)))
    (setf (stream-unread stream) next)
    (%read-token stream #\.)))

(defun %read-open (stream character)
  (%read-list stream #\) t))

(defun %read-close (stream character)
  (%reader-error stream "There is a closing parenthesis too many."))

(defun %read-quote (stream character)
  (list 'quote (%read stream t nil)))

(defun %read-backquote (stream character)
  (list 'backquote (%read stream t nil)))

(defun %read-comma (stream character)
  (let ((next (%next-character stream)))
    (if (or (eq next #\@) (eq next #\.))
        (list 'splice (%read stream t nil))
        (progn
          (when next (unread-char next stream))
          (list 'unquote (%read stream t nil))))))

(defun %read-comment (stream character)
  (do ((c (%next-character stream) (%next-character stream)))
      ;; In Medley's files a line ends with a carriage return.
      ((or (null c) (eq c #\Newline) (eql (char-code c) 13)) (values))))

(defun %read-string (stream character)
  (let ((characters nil))
    (do ((c (read-char stream) (read-char stream)))
        ((eq c character) (coerce (nreverse characters) 'string))
      (setq characters (cons (if (eq c #\\) (read-char stream) c) characters)))))

;;; What begins with #

(defun %read-dispatch (stream character)
  (let ((argument nil)
        (c (read-char stream)))
    (do ()
        ((not (digit-char-p c)))
      (setq argument (+ (* 10 (or argument 0)) (digit-char-p c))
            c (read-char stream)))
    (let ((function (if (< (char-code c) 128)
                        (aref *dispatch-characters* (char-code (char-upcase c)))
                        nil)))
      (if function
          (funcall function stream c argument)
          (%reader-error stream "# and ~S mean nothing together." c)))))

(defun %read-sharp-quote (stream character argument)
  (list 'function (%read stream t nil)))

(defun %read-sharp-character (stream character argument)
  (let* ((first (read-char stream))
         (next (%peek stream)))
    (if (or (null next) (%whitespacep next) (%macro-function next))
        first
        (multiple-value-bind (characters escaped) (%token stream first)
          (let ((name (%name-of (substitute #\: :colon characters))))
            (cond (*read-suppress* nil)
                  ((eql (length name) 1) first)
                  ((name-char name))
                  (t (%reader-error stream "There is no character called ~A." name))))))))

(defun %read-sharp-open (stream character argument)
  (let* ((list (%read-list stream #\) nil))
         (vector (coerce list 'vector)))
    (if (and argument (> argument (length list)))
        (let ((longer (make-array argument :initial-element (car (last list)))))
          (replace longer list))
        vector)))

(defun %read-sharp-star (stream character argument)
  (let ((characters (reverse (%token stream (or (%next-character stream) #\Space)))))
    (coerce (mapcar (lambda (c) (if (eq c #\1) 1 0)) characters) 'bit-vector)))

(defun %read-in-base (stream base)
  (let* ((name (%name-of (%token stream (read-char stream))))
         (number (%parse-number name base)))
    (cond (*read-suppress* nil)
          (number number)
          (t (%reader-error stream "~A is no number in base ~D." name base)))))

(defun %read-sharp-x (stream character argument) (%read-in-base stream 16))
(defun %read-sharp-b (stream character argument) (%read-in-base stream 2))
(defun %read-sharp-o (stream character argument) (%read-in-base stream 8))
(defun %read-sharp-r (stream character argument) (%read-in-base stream argument))

(defun %read-sharp-bar (stream character argument)
  (let ((depth 1)
        (last nil))
    (do ()
        ((eql depth 0) (values))
      (let ((c (read-char stream)))
        (cond ((and (eq last #\|) (eq c #\#))
               (setq depth (1- depth)
                     last nil))
              ((and (eq last #\#) (eq c #\|))
               (setq depth (1+ depth)
                     last nil))
              (t (setq last c)))))))

(defun %read-sharp-colon (stream character argument)
  (make-symbol (%name-of (substitute #\: :colon (values (%token stream (read-char stream)))))))

(defun %read-sharp-dot (stream character argument)
  (let ((form (%read stream t nil)))
    (if *read-suppress* nil (eval form))))

(defun %featurep (expression)
  "True if a feature expression holds."
  (cond ((symbolp expression) (if (member (symbol-name expression) *features* :key #'symbol-name :test #'string=) t nil))
        ((eq (%intern-keyword (symbol-name (car expression))) :not) (not (%featurep (cadr expression))))
        ((eq (%intern-keyword (symbol-name (car expression))) :and) (every #'%featurep (cdr expression)))
        (t (some #'%featurep (cdr expression)))))

(defun %read-sharp-plus (stream character argument)
  (let ((wanted (%featurep (%read stream t nil))))
    (if (eq wanted (eq character #\+))
        (%read stream t nil)
        (let ((*read-suppress* t))
          (%read stream t nil)
          (values)))))

(defun %read-sharp-s (stream character argument)
  (let ((description (%read stream t nil)))
    (if *read-suppress*
        nil
        (apply (%structure-constructor (car description))
               (let ((arguments nil))
                 (do ((tail (cdr description) (cddr tail)))
                     ((null tail) (nreverse arguments))
                   (push (%intern-keyword (symbol-name (car tail))) arguments)
                   (push (cadr tail) arguments)))))))

;;; Shared objects. While the object of #n= is being read, #n# inside it stands for a placeholder, a cell whose CAR is
;;; this list itself; afterwards the placeholders are replaced.

(defglobal *placeholder* (list "shared object"))

(defun %read-sharp-equals (stream character argument)
  (let ((entry (list argument (list *placeholder*))))
    (setq *labels* (cons entry *labels*))
    (let ((object (%read stream t nil)))
      (rplacd (cdr entry) (list object))
      object)))

(defun %read-sharp-sharp (stream character argument)
  (let ((entry (assoc argument *labels*)))
    (cond (*read-suppress* nil)
          ((null entry) (%reader-error stream "There is no #~D= before #~D#." argument argument))
          ((cddr entry) (caddr entry))
          (t (cadr entry)))))

(defun %resolve-labels (object)
  "The object with all placeholders replaced."
  (let ((seen nil))
    (labels ((real (x)
               (if (and (consp x) (eq (car x) *placeholder*))
                   (caddr (find x *labels* :key #'cadr :test #'eq))
                   x))
             (walk (x)
               (cond ((consp x)
                      (do ((cell x (cdr cell)))
                          ((or (not (consp cell)) (member cell seen :test #'eq)))
                        (setq seen (cons cell seen))
                        (let ((part (real (car cell)))
                              (rest (real (cdr cell))))
                          (cond ((not (eq part (car cell))) (rplaca cell part))
                                (t (walk part)))
                          (unless (eq rest (cdr cell))
                            (rplacd cell rest)
                            (return nil))
                          (unless (consp rest) (walk rest)))))
                     ((and (vectorp x) (eql (%element-code x) 38) (not (member x seen :test #'eq)))
                      (setq seen (cons x seen))
                      (dotimes (i (length x))
                        (let ((part (real (aref x i))))
                          (if (eq part (aref x i))
                              (walk part)
                              (setf (aref x i) part))))))))
      (walk object)
      (real object))))

;;; Setting up

(defun %set-up-reader ()
  "Fills the tables of the reader."
  (setq *macro-characters* (make-array 128)
        *dispatch-characters* (make-array 128))
  (dolist (pair (list (cons #\( #'%read-open) (cons #\) #'%read-close) (cons #\' #'%read-quote)
                      (cons #\` #'%read-backquote) (cons #\, #'%read-comma) (cons #\; #'%read-comment)
                      (cons #\" #'%read-string) (cons #\# #'%read-dispatch)))
    (set-macro-character (car pair) (cdr pair)))
  (dolist (pair (list (cons #\' #'%read-sharp-quote) (cons #\\ #'%read-sharp-character) (cons #\( #'%read-sharp-open)
                      (cons #\* #'%read-sharp-star) (cons #\x #'%read-sharp-x) (cons #\b #'%read-sharp-b)
                      (cons #\o #'%read-sharp-o) (cons #\r #'%read-sharp-r) (cons #\| #'%read-sharp-bar)
                      (cons #\: #'%read-sharp-colon) (cons #\. #'%read-sharp-dot) (cons #\+ #'%read-sharp-plus)
                      (cons #\- #'%read-sharp-plus) (cons #\s #'%read-sharp-s) (cons #\= #'%read-sharp-equals)
                      (cons #\# #'%read-sharp-sharp)))
    (set-dispatch-macro-character #\# (car pair) (cdr pair))))

(%set-up-reader)
