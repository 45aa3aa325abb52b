;;; Files: streams of characters on the machine's files (machine/files.lisp), and what else can be done with a file.
;;;
;;;     (read-char s) --> stream: reader, writer, closer --> file: position, length, buffer of a page --> subr --> disk
;;;                                  characters <-UTF-8-> bytes
;;;
;;; The functions in a stream know the file and not the stream: so the stream is free when nobody refers to it. The file
;;; stays open until it is closed (OPEN-FILES lists those); WITH-OPEN-FILE sees to that.
;;;
;;; Names are strings: {DSK}/tmp/notes.txt, or {DSK}<tmp>notes.txt;2 with a version. Without a version they mean the newest.

;;; Characters in bytes: UTF-8
;;;
;;;     0xxxxxxx    110xxxxx 10xxxxxx    1110xxxx 10xxxxxx 10xxxxxx    and four bytes for what is no character here
;;;
;;; A byte that cannot be UTF-8 is read as the character of its own code: that is what it mostly was meant to be.

(defun %map-utf-8 (function code)
  "Calls a function with each byte of a character's UTF-8."
  (cond ((< code 128) (funcall function code))
        ((< code 2048)
         (funcall function (logior 192 (ash code -6)))
         (funcall function (logior 128 (logand code 63))))
        (t
         (funcall function (logior 224 (ash code -12)))
         (funcall function (logior 128 (logand (ash code -6) 63)))
         (funcall function (logior 128 (logand code 63))))))

(defun %utf-8-tail (first)
  "How many bytes follow the first one of a character; NIL if no character begins so."
  (cond ((< first 194) nil)
        ((< first 224) 1)
        ((< first 240) 2)
        ((< first 245) 3)
        (t nil)))

(defun %utf-8-character (first byte-at)
  "Two values: the character that begins with a byte of 128 or more, and its number of bytes. BYTE-AT gives the byte at a
distance from the first one, or NIL."
  (let* ((tail (%utf-8-tail first))
         (code (if tail (logand first (ash 63 (- tail))) first)))
    (do ((i 1 (1+ i)))
        ((or (null tail) (> i tail))
         (values (code-char (cond ((null tail) first)
                                  ((< code 65536) code)
                                  (t 65533)))
                 (if tail (1+ tail) 1)))
      (let ((byte (funcall byte-at i)))
        (if (and byte (eql (logand byte 192) 128))
            (setq code (logior (ash code 6) (logand byte 63)))
            (setq tail nil))))))

(defun %utf-8-string (string)
  "A string of a character for each byte of another one's UTF-8; itself, if that is the same."
  (if (every (lambda (c) (< (char-code c) 128)) string)
      string
      (let ((bytes nil))
        (dotimes (i (length string))
          (%map-utf-8 (lambda (byte) (push (code-char byte) bytes)) (char-code (char string i))))
        (coerce (nreverse bytes) 'string))))

(defun %string-from-utf-8 (bytes)
  "The string that a string of bytes means."
  (let ((i 0)
        (end (length bytes))
        (characters nil))
    (do ()
        ((>= i end) (coerce (nreverse characters) 'string))
      (let ((code (char-code (char bytes i))))
        (multiple-value-bind (character count)
            (if (< code 128)
                (values (code-char code) 1)
                (%utf-8-character code (lambda (n)
                                         (if (< (+ i n) end) (char-code (char bytes (+ i n))) nil))))
          (push character characters)
          (setq i (+ i count)))))))

;;; Reading and writing at the position

(defun %read-file-character (file)
  "The character at the position, or NIL at the end; goes on behind it."
  (let* ((position (%file-position file))
         (byte (%file-byte file position)))
    (cond ((null byte) nil)
          ((< byte 128)
           (setf (%file-last file) position)
           (setf (%file-position file) (1+ position))
           (code-char byte))
          (t
           (multiple-value-bind (character count)
               (%utf-8-character byte (lambda (n) (%file-byte file (+ position n))))
             (setf (%file-last file) position)
             (setf (%file-position file) (+ position count))
             character)))))

(defun %write-file-byte (file byte)
  (let ((position (%file-position file)))
    (%set-file-byte file position byte)
    (setf (%file-position file) (1+ position))
    byte))

(defun %write-file-character (file character)
  (let ((code (char-code character)))
    (if (< code 128)
        (%write-file-byte file code)
        (%map-utf-8 (lambda (byte) (%write-file-byte file byte)) code))
    character))

;;; Streams

(defun file-stream-p (x)
  "True of streams on files."
  (and (stream-p x) (file-p (stream-data x))))

(defun %file-of (stream)
  (if (file-stream-p stream)
      (stream-data stream)
      (%wrong-type stream 'file-stream)))

(defun %file-name-of (designator)
  "The file name that a string, a symbol or a stream on a file stands for."
  (if (file-stream-p designator)
      (%file-name (stream-data designator))
      (string designator)))

(defun %make-file-stream (file direction)
  "A stream on an open file."
  (make-stream :name (%file-name file)
               :data file
               :reader (if (eq direction :output) nil (lambda () (%read-file-character file)))
               :writer (if (eq direction :input) nil (lambda (character) (%write-file-character file character)))
               :finisher (if (eq direction :input) nil (lambda () (%write-buffer file)))
               :closer (lambda (abort) (%close-file-stream file abort))))

(defun %close-file-stream (file abort)
  "Closes; what was begun and is given up is deleted."
  (%close-file file)
  (when (and abort (%file-new file))
    (setf (%file-new file) nil)
    (%delete-file (%file-name file))))

(defun open (name &key (direction :input) (if-exists :new-version) (if-does-not-exist nil given) element-type external-format)
  "A stream on a file. DIRECTION: :INPUT, :OUTPUT or :IO. IF-EXISTS, for the last two: :NEW-VERSION, :SUPERSEDE (empties
it), :OVERWRITE, :APPEND, :ERROR or NIL. IF-DOES-NOT-EXIST: :CREATE, :ERROR or NIL. NIL makes OPEN return NIL."
  (let* ((name (%file-name-of name))
         (there (%true-name name)))
    (unless (member direction '(:input :output :io))
      (%wrong-type direction '(member :input :output :io)))
    (cond ((and (not there) (%true-directory name))
           ;; A new version of a directory would push the directory aside.
           (%file-error "opened" name (%file-problem 21)))
          ((and there (eq direction :input))
           (%make-file-stream (%open-file name 0 0) direction))
          (there
           (%open-existing name direction if-exists))
          (t
           (case (cond (given if-does-not-exist)
                       ((or (eq direction :input) (member if-exists '(:append :overwrite))) :error)
                       (t :create))
             ((nil) nil)
             (:create (%open-new name direction))
             ;; The machine knows better why it cannot be opened.
             (t (%open-file name 0 0)
                (%file-error "opened" name (%file-problem 0))))))))

(defun %open-new (name direction)
  "A stream on a new file, or on a new version of one."
  ;; For :INPUT that is an empty file.
  (let ((file (%open-file name 2 (if (eq direction :output) 1 2))))
    (setf (%file-new file) t)
    (%make-file-stream file direction)))

(defun %open-existing (name direction if-exists)
  "A stream that writes to a file that is there."
  (case if-exists
    ((nil) nil)
    (:new-version (%open-new name direction))
    (:supersede
     (let ((file (%open-file name 3 1)))
       (when (eq direction :io)
         (%close-file file)
         (setq file (%open-file name 0 2)))
       (%make-file-stream file direction)))
    (:overwrite (%make-file-stream (%open-file name 3 2) direction))
    (:append
     (let ((file (%open-file name 3 2)))
       (setf (%file-position file) (%file-length file))
       (%make-file-stream file direction)))
    (:error (%file-error "opened" name (%file-problem 17)))
    (t (%wrong-type if-exists '(member :new-version :supersede :overwrite :append :error nil)))))

(defun open-files ()
  "The names of the files that are open."
  (mapcar #'%file-name *open-files*))

(defun file-length (stream)
  "How many bytes the file of a stream has."
  (%file-length (%file-of stream)))

(defun file-position (stream &optional (position nil given))
  "Where in its file a stream is, in bytes; or puts it there: a number, :START or :END."
  (let ((file (%file-of stream)))
    (cond ((not given)
           (if (stream-unread stream) (%file-last file) (%file-position file)))
          (t
           (let ((position (case position
                             (:start 0)
                             (:end (%file-length file))
                             (t position))))
             (unless (and (integerp position) (<= 0 position (%file-length file)))
               (%wrong-type position (list 'integer 0 (%file-length file))))
             (setf (stream-unread stream) nil)
             (setf (%file-position file) position)
             t)))))

(defun read-byte (stream &optional (eof-error t) eof-value)
  "The next byte of a file."
  (let* ((file (%file-of stream))
         (byte (%file-byte file (%file-position file))))
    (cond (byte (setf (%file-position file) (1+ (%file-position file)))
                byte)
          (eof-error (%end-of-file stream))
          (t eof-value))))

(defun write-byte (byte stream)
  "Writes a byte to a file."
  (unless (output-stream-p stream)
    (%wrong-type stream 'output-stream))
  (%write-file-byte (%file-of stream) byte))

;;; Files as wholes

(defun probe-file (name)
  "The full name of a file or directory, with the version of a file; NIL if there is none."
  (let ((name (%file-name-of name)))
    (or (%true-name name) (%true-directory name))))

(defun truename (name)
  "The full name of a file or directory that must be there."
  (or (probe-file name)
      (%file-error "found" name (%file-problem 0))))

(defun %existing-file (name what)
  "The full name of a file; an error if there is none."
  (let ((name (%file-name-of name)))
    (or (%true-name name)
        (%file-error what name (%file-problem 0)))))

(defun delete-file (name)
  "Deletes a file: its newest version, unless the name has one."
  (%delete-file (%existing-file name "deleted")))

(defun rename-file (name new-name)
  "Gives a file another name. Three values: the new one, the full name it had, and the one it has."
  (let* ((new-name (string new-name))
         (old (%existing-file name "renamed")))
    (when (and (not (%true-name new-name)) (%true-directory new-name))
      (%file-error "renamed" old (format nil "~A is a directory" new-name)))
    (%rename-file old new-name)
    (values new-name old (%true-name new-name))))

(defun file-write-date (name)
  "When a file was written, as a universal time."
  ;; The machine counts its seconds so that 29969152 is the first one of 1970; GET-UNIVERSAL-TIME has 2208988800 there.
  (+ (%file-attribute (%file-name-of name) 2) 2179019648))

(defun %directory-part (name)
  "A file's name up to and with the last directory."
  (let ((end (position-if (lambda (c) (member c '(#\> #\/ #\< #\}))) name :from-end t)))
    (if end (subseq name 0 (1+ end)) "")))

(defun directory (pattern)
  "The names that match a pattern, in which * stands for any characters: {DSK}/tmp/*.* is all of a directory, {DSK}/tmp/*
what has no dot. Of each file the newest version, unless the pattern has another one: ;* is all."
  (let* ((pattern (%file-name-of pattern))
         (directory (%directory-part pattern))
         (all (if (or (position #\; pattern) (%unix-name-p pattern))
                  pattern
                  (concatenate 'string pattern ";"))))
    (mapcar (lambda (name) (concatenate 'string directory name))
            (%list-files all))))

(defun ensure-directories-exist (name)
  "Makes the directories that a file of this name would be in. Two values: the name, and whether some had to be made."
  (let* ((name (%file-name-of name))
         (directory (%directory-part name)))
    (if (%true-directory directory)
        (values name nil)
        ;; The machine makes them for a new file.
        (let ((file (%open-file (concatenate 'string directory "new.directory") 2 1)))
          (%close-file file)
          (%delete-file (%file-name file))
          (values name t)))))

;;; Loading

(defvar *load-pathname* nil)            ; the full name of the file that is being loaded
(defvar *load-print* nil)
(defvar *load-verbose* nil)

(defun load (file &key (print *load-print*) (verbose *load-verbose*) (if-does-not-exist t) external-format)
  "Reads and evaluates the forms of a file, or of a stream. An error says in which form of which file it happened."
  (if (stream-p file)
      (%load-from file (if (file-stream-p file) (%file-name-of file) (stream-name file)) print verbose)
      (let ((stream (open file :if-does-not-exist (if if-does-not-exist :error nil))))
        (if stream
            (unwind-protect (%load-from stream (%file-name-of stream) print verbose)
              (close stream))
            nil))))

(defun %load-from (stream name print verbose)
  (let ((*load-pathname* name)
        (form nil)
        (number 0)
        (end (list "end")))
    (when verbose
      (format t "~&; Loading ~A~%" name))
    (handler-bind ((error (lambda (condition)
                            (%say-where-loading name number form end))))
      (do ()
          (nil)
        (setq number (1+ number))
        (setq form end)
        (let ((next (read stream nil end)))
          (when (eq next end) (return t))
          (setq form next))
        (let ((values (multiple-value-list (eval form))))
          (when print
            (format t "~&~{~S~^, ~}~%" values)))))))

(defun %say-where-loading (name number form end)
  "Writes where in a file an error happened: in a form, or while one was being read."
  (fresh-line *error-output*)
  (if (eq form end)
      (format *error-output* "; ~A, form ~D, which cannot be read:~%" name number)
      (let ((text (format nil "~S" form)))
        (format *error-output* "; ~A, form ~D: ~A~%" name number
                (if (> (length text) 60) (concatenate 'string (subseq text 0 57) "...") text)))))
