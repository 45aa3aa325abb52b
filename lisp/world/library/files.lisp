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
  (let ((stream (make-stream :name (%file-name file)
                             :data file
                             :reader (if (eq direction :output) nil (lambda () (%read-file-character file)))
                             :writer (case direction
                                       (:input nil)
                                       (:output (lambda (character) (%write-file-character file character)))
                                       (t (lambda (character)
                                            (%forget-unread (%file-stream file) file)
                                            (%write-file-character file character))))
                             :finisher (if (eq direction :input) nil (lambda () (%write-buffer file)))
                             :closer (lambda (abort) (%close-file-stream file abort)))))
    (when (eq direction :io)
      ;; Closing the file breaks this circle.
      (setf (%file-stream file) stream))
    stream))

(defun %forget-unread (stream file)
  "Before something else than a character is read, or something written: a character that was put back is in front of it."
  (when (and stream (stream-unread stream))
    (setf (stream-unread stream) nil)
    (setf (%file-position file) (%file-last file))))

(defun %close-file-stream (file abort)
  "Closes; what was begun and is given up is deleted."
  (when (%file-handle file)
    (let ((given-up (and abort (%file-new file))))
      (when given-up (setf (%file-changed file) nil))
      (%close-file file)
      (when given-up (%delete-file (%file-name file))))))

;;; Opening
;;;
;;;     there?    direction, IF-...             what the machine is asked for: recognition, access
;;;     yes       :input, :probe                0 old,          0 read
;;;     yes       :new-version; no, :create     2 new version,  1 write, emptied
;;;     yes       :supersede                    3 old or new,   1 write, emptied
;;;     yes       :overwrite, :append           3 old or new,   2 write, as it is

(defun open (name &key (direction :input) (if-exists :new-version) (if-does-not-exist nil given)
                  (element-type 'character) external-format)
  "A stream on a file. DIRECTION: :INPUT, :OUTPUT, :IO, or :PROBE for a closed one. IF-EXISTS, for :OUTPUT and :IO:
:NEW-VERSION (on {UNIX}, which has none, :SUPERSEDE), :SUPERSEDE (empties it), :OVERWRITE, :APPEND, :ERROR or NIL.
IF-DOES-NOT-EXIST: :CREATE, :ERROR or NIL. With NIL for what is the case OPEN returns NIL. From any file both characters and
bytes can be read; the ELEMENT-TYPE says which READ-SEQUENCE takes."
  (let* ((name (%file-name-of name))
         (there (%true-name name)))
    (unless (member direction '(:input :output :io :probe))
      (%wrong-type direction '(member :input :output :io :probe)))
    (when (and (or (not there) (%unix-name-p name)) (%true-directory name))
      (%file-error "opened" name (%file-problem 21)))
    (let ((stream (if there
                      (%open-existing name direction if-exists)
                      (%open-missing name direction
                                     (cond (given if-does-not-exist)
                                           ((eq direction :probe) nil)
                                           ((or (eq direction :input) (member if-exists '(:append :overwrite))) :error)
                                           (t :create))))))
      (when stream
        (unless (eq element-type :default)
          (setf (%file-element-type (stream-data stream)) element-type))
        (when (eq direction :probe) (close stream)))
      stream)))

(defun %open-missing (name direction if-does-not-exist)
  "A stream on a file that is not there, or NIL."
  (case if-does-not-exist
    ((nil) nil)
    (:create (%open-new name direction))
    (:error
     ;; The machine knows better why it cannot be opened.
     (%close-file (%open-file name 0 0))
     (%file-error "opened" name (%file-problem 0)))
    (t (%wrong-type if-does-not-exist '(member :create :error nil)))))

(defun %open-new (name direction)
  "A stream on a new file, or on a new version of one."
  ;; For :INPUT that is an empty file. On {UNIX} it may be an old one that has only been emptied.
  (let* ((old (and (%unix-name-p name) (%true-name name)))
         (file (%open-file name 2 1)))
    (setf (%file-new file) (not old))
    (%make-file-stream file direction)))

(defun %open-existing (name direction if-exists)
  "A stream on a file that is there, or NIL."
  (if (member direction '(:input :probe))
      (%make-file-stream (%open-file name 0 0) direction)
      (case if-exists
        ((nil) nil)
        ((:new-version :rename) (%open-new name direction))
        ((:supersede :rename-and-delete) (%make-file-stream (%open-file name 3 1) direction))
        (:overwrite (%make-file-stream (%open-file name 3 2) direction))
        (:append (%append-to (%make-file-stream (%open-file name 3 2) direction)))
        (:error (%file-error "opened" name (%file-problem 17)))
        (t (%wrong-type if-exists '(member :new-version :supersede :overwrite :append :error nil))))))

(defun %append-to (stream)
  "Puts a stream behind the last byte of its file."
  (let* ((file (stream-data stream))
         (length (%file-length file)))
    (unless (or (eql length 0) (member (%file-byte file (1- length)) '(10 13)))
      ;; FRESH-LINE has something to do.
      (setf (stream-column stream) 1))
    (setf (%file-position file) length)
    stream))

(defun open-files ()
  "The names of the files that are open."
  (mapcar #'%file-name *open-files*))

(defun close-open-files ()
  "Closes all files that are open, with what was written to them; how many there were."
  (let ((count 0))
    (dolist (file (copy-list *open-files*) count)
      (setq count (1+ count))
      (%close-file file))))

(defun open-stream-p (stream)
  "False of streams on files that were closed."
  (if (file-stream-p stream)
      (if (%file-handle (stream-data stream)) t nil)
      (stream-p stream)))

(defun stream-element-type (stream)
  "What OPEN was told that a file consists of; of other streams, CHARACTER."
  (if (file-stream-p stream) (%file-element-type (stream-data stream)) 'character))

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

(defun %read-file-byte (stream)
  "The next byte of a file, or NIL at the end."
  (let ((file (%file-of stream)))
    (%forget-unread stream file)
    (let ((byte (%file-byte file (%file-position file))))
      (when byte
        (setf (%file-position file) (1+ (%file-position file))))
      byte)))

(defun read-byte (stream &optional (eof-error t) eof-value)
  "The next byte of a file."
  (unless (input-stream-p stream)
    (%wrong-type stream 'input-stream))
  (or (%read-file-byte stream)
      (if eof-error (%end-of-file stream) eof-value)))

(defun write-byte (byte stream)
  "Writes a byte to a file."
  (unless (output-stream-p stream)
    (%wrong-type stream 'output-stream))
  (unless (and (integerp byte) (<= 0 byte 255))
    (%wrong-type byte '(integer 0 255)))
  (let ((file (%file-of stream)))
    (%forget-unread stream file)
    (%write-file-byte file byte)))

;;; Sequences. Bytes are what a file of another element type than characters consists of, unless it is a string that is
;;; to be filled.

(defun read-sequence (sequence stream &key (start 0) end)
  "Fills a sequence, or part of it, from a stream; the index of the first element that was not filled."
  (let ((end (or end (length sequence)))
        (bytes (and (not (stringp sequence))
                    (not (member (stream-element-type stream) '(character base-char string-char))))))
    (do ((i start (1+ i)))
        ((>= i end) i)
      (let ((next (if bytes (%read-file-byte stream) (read-char stream nil nil))))
        (unless next (return i))
        (setf (elt sequence i) next)))))

(defun write-sequence (sequence stream &key (start 0) end)
  "Writes the elements of a sequence, or of part of it: characters, or bytes to a file."
  (let ((end (or end (length sequence))))
    (do ((i start (1+ i)))
        ((>= i end) sequence)
      (let ((next (elt sequence i)))
        (if (characterp next)
            (write-char next stream)
            (write-byte next stream))))))
