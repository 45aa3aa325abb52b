;;; Files as wholes: names, what is there, copies, lists; and loading Lisp from them.
;;;
;;;     {DSK} /tmp/work/   notes . txt ; 2
;;;     device and directory       |     |        DIRECTORY-NAMESTRING
;;;                        name    type  version  PATHNAME-NAME, -TYPE, -VERSION; all of it: FILE-NAMESTRING

(defun namestring (name)
  "A file's name as a string."
  (%file-name-of name))

(defun directory-namestring (name)
  "A file's name up to and with the last directory."
  (let* ((name (%file-name-of name))
         (end (position-if (lambda (c) (member c '(#\> #\/ #\< #\}))) name :from-end t)))
    (if end (subseq name 0 (1+ end)) "")))

(defun file-namestring (name)
  "A file's name without device and directories."
  (let ((name (%file-name-of name)))
    (subseq name (length (directory-namestring name)))))

(defun %name-and-version (name)
  "Two values: a file's name without device, directories and version; and the version, or NIL."
  (let* ((own (file-namestring name))
         (end (if (%unix-name-p (%file-name-of name)) nil (position #\; own :from-end t))))
    (values (if end (subseq own 0 end) own)
            (if end (parse-integer own :start (1+ end) :junk-allowed t) nil))))

(defun pathname-name (name)
  "The name of a file, without directories, type and version."
  (let* ((own (%name-and-version name))
         (dot (position #\. own :from-end t)))
    (if dot (subseq own 0 dot) own)))

(defun pathname-type (name)
  "What is behind the last dot of a file's name, or NIL."
  (let* ((own (%name-and-version name))
         (dot (position #\. own :from-end t)))
    (if (and dot (< (1+ dot) (length own))) (subseq own (1+ dot)) nil)))

(defun pathname-version (name)
  "The version in a file's name, or NIL."
  (multiple-value-bind (own version) (%name-and-version name)
    version))

(defun merge-pathnames (name default)
  "A file's name, with the device and directories of another one if it has none."
  (let ((name (%file-name-of name)))
    (if (equal (directory-namestring name) "")
        (concatenate 'string (directory-namestring default) name)
        name)))

;;; What is there

(defun probe-file (name)
  "The full name of a file or directory, with the version of a file; NIL if there is none."
  (let ((name (%file-name-of name)))
    (if (and (%unix-name-p name) (%true-directory name))
        (%true-directory name)
        (or (%true-name name) (%true-directory name)))))

(defun truename (name)
  "The full name of a file or directory that must be there."
  (or (probe-file name)
      (%file-error "found" (%file-name-of name) (%file-problem 0))))

(defun %existing-file (name what)
  "The full name of a file; an error if there is none."
  (let* ((name (%file-name-of name))
         (directory (if (or (%unix-name-p name) (not (%true-name name))) (%true-directory name) nil)))
    (when directory
      (%file-error what name (%file-problem 21)))
    (or (%true-name name)
        (%file-error what name (%file-problem 0)))))

(defun file-write-date (name)
  "When a file was written, as a universal time."
  ;; The machine counts its seconds so that 29969152 is the first one of 1970; GET-UNIVERSAL-TIME has 2208988800 there.
  (+ (%file-attribute (%file-name-of name) 2) 2179019648))

(defun file-author (name)
  "The name of whoever wrote a file."
  (%author-of (%file-name-of name)))

(defun directory (pattern)
  "The names that match a pattern, in which * stands for any characters: {DSK}/tmp/*.* is all of a directory, {DSK}/tmp/*
what has no dot. Of each file the newest version, unless the pattern has another one: ;* is all. The names are full ones,
with their directory as the device calls it: {DSK}<tmp>, {DSK}< for the outermost. Names of directories end with >."
  (let* ((pattern (%file-name-of pattern))
         (directory (%true-directory (directory-namestring pattern)))
         (all (if (or (position #\; pattern) (%unix-name-p pattern))
                  pattern
                  (concatenate 'string pattern ";"))))
    (if directory
        (mapcar (lambda (name) (concatenate 'string directory name))
                (%list-files all))
        nil)))

;;; Changes

(defun delete-file (name)
  "Deletes a file: its newest version, unless the name has one."
  (%delete-file (%existing-file name "deleted")))

(defun %target-name (from to)
  "Where a file goes: into a directory under its own name, and to a name without a directory in its own."
  (let ((to (string to)))
    (if (and (not (equal (directory-namestring to) "")) (%true-directory to))
        (concatenate 'string to (if (member (char to (1- (length to))) '(#\/ #\> #\< #\})) "" "/") (%name-and-version from))
        (merge-pathnames to from))))

(defun rename-file (name new-name)
  "Gives a file another name, which is in its own directory if it has none. Three values: the new name, the full one that
it had, and the one that it has."
  (let* ((old (%existing-file name "renamed"))
         (new (merge-pathnames (string new-name) old)))
    (unless (equal (%device new) (%device old))
      (%file-error "renamed" old (%file-problem 18)))
    (when (%true-directory new)
      (%file-error "renamed" old (format nil "~A is a directory" new)))
    (%rename-file old new)
    (values new old (%true-name new))))

(defun copy-file (from to)
  "Copies a file, into a directory under the same name; the full name of the copy."
  (let ((from (%existing-file from "copied")))
    (with-open-file (source from)
      (with-open-file (target (%target-name from to) :direction :output)
        (%copy-pages (%file-of source) (%file-of target))
        (%file-name-of target)))))

(defun %copy-pages (source target)
  "Copies all bytes of an open file into an empty one."
  (do ((page 0 (1+ page)))
      ((>= (* page 512) (%file-length source)))
    (%get-page source page)
    (%get-page target page)
    (dotimes (i 256)
      (%set-word (%file-buffer target) i (%word (%file-buffer source) i)))
    (setf (%file-changed target) t)
    (setf (%file-length target) (min (* 512 (1+ page)) (%file-length source)))))

(defun ensure-directories-exist (name)
  "Makes the directories that a file of this name would be in. Two values: the name, and whether some had to be made."
  (let* ((name (%file-name-of name))
         (directory (directory-namestring name)))
    (if (%true-directory directory)
        (values name nil)
        ;; The machine makes them for a new file.
        (let ((file (%open-file (concatenate 'string directory "new.directory") 2 1)))
          (%close-file file)
          (%delete-file (%file-name file))
          (values name t)))))

(defun delete-directory (name)
  "Deletes a directory, which must be empty."
  (let* ((name (%file-name-of name))
         (directory (or (%true-directory name)
                        (%file-error "deleted" name (%file-problem 2)))))
    (%delete-directory directory)))

;;; For the exec

(defun dir (&optional (pattern "{DSK}/"))
  "Prints the files of a directory, or those that match a pattern: length, date and name of each."
  (let* ((pattern (%file-name-of pattern))
         (directory (and (not (position #\* pattern)) (%true-directory pattern)))
         (names (directory (if directory (concatenate 'string directory "*.*") pattern))))
    (dolist (name names)
      (if (eql (char name (1- (length name))) #\>)
          (format t "~33@T~A~%" (file-namestring (subseq name 0 (1- (length name)))))
          (%print-file name)))
    (when (null names)
      (format t "There are no files ~A.~%" pattern))
    (values)))

(defun %print-file (name)
  "A line about a file, which may have gone by now."
  (multiple-value-bind (second minute hour date month year) (decode-universal-time (file-write-date name))
    (declare (ignore second))
    (format t "~10D  ~D-~2,'0D-~2,'0D ~2,'0D:~2,'0D   ~A~%"
            (%file-attribute name 1) year month date hour minute (file-namestring name))))

(defun see (name)
  "Prints what is in a file."
  (with-open-file (stream name)
    (do ((character (read-char stream nil nil) (read-char stream nil nil)))
        ((null character))
      (write-char character)))
  (fresh-line)
  (values))

;;; Loading

(defvar *load-pathname* nil)            ; the full name of the file that is being loaded
(defvar *load-truename* nil)            ; the same
(defvar *load-print* nil)
(defvar *load-verbose* nil)

(defun load (file &key (print *load-print*) (verbose *load-verbose*) (if-does-not-exist t) external-format)
  "Reads and evaluates the forms of a file, or of a stream. A name without a type that is no file's means the one with .lisp.
An error says in which form of which file it happened."
  (if (stream-p file)
      (%load-from file (if (file-stream-p file) (%file-name-of file) (stream-name file)) print verbose)
      (let ((stream (open (%source-name file) :if-does-not-exist (if if-does-not-exist :error nil))))
        (if stream
            (unwind-protect (%load-from stream (%file-name-of stream) print verbose)
              (close stream))
            nil))))

(defun %source-name (name)
  "The name of a file to load."
  (let* ((name (%file-name-of name))
         (with-type (concatenate 'string name ".lisp")))
    (if (and (not (pathname-type name)) (not (%true-name name)) (%true-name with-type))
        with-type
        name)))

(defun %load-from (stream name print verbose)
  (let ((*load-pathname* name)
        (*load-truename* name)
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
