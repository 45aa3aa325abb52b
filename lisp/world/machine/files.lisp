;;; Files, as the machine gives them: pages of 512 bytes, read and written by subrs 45 to 47 and 147 to 162 (octal numbers
;;; in vm/src/subrs/mod.rs; decimal ones here). Streams of characters on them are made in library/files.
;;;
;;;     file   | name | handle | length in bytes | buffer of a page | which page is in it | changed? | position |
;;;
;;; A failure is NIL, and a Unix error number in a box. The machine's names are bytes, so that names go there as UTF-8.

(defstruct (file (:conc-name %file-) (:constructor %make-file (name handle length buffer)) (:copier nil))
  name                                  ; with device and version, if the machine says
  handle                                ; NIL once it is closed
  length
  buffer                                ; a block of 128 cells
  (page nil)                            ; the page in the buffer
  (changed nil)
  (position 0)                          ; the byte to be read or written next
  (last 0)                              ; where the character read last began
  (new nil)                             ; true if opening made it
  (stream nil)                          ; while it is open to read and to write: its stream
  (element-type 'character))

(defglobal *open-files* nil)

(defun %new-box ()
  "A box for a number that the machine writes."
  (%create-cell 2))

(defun %file-problem (number)
  "What an error number means."
  (case number
    (0 "there is no file of that name")
    ((1 13) "it is protected")
    (2 "there is no such directory")
    (5 "the device failed, or the file has gone")
    (17 "it exists already")
    (18 "the names are on different devices")
    (20 "something on the way is no directory")
    (21 "it is a directory")
    (22 "no file can have such a name")
    (23 "it is no plain file")
    (24 "too many files are open")
    (28 "the disk is full")
    (30 "the disk cannot be written")
    ((36 200) "the name is too long")
    (62 "links lead round in circles")
    (66 "the directory is not empty")
    (t (format nil "error ~D" number))))

(defun %file-error (what name problem)
  (error 'file-error :pathname name
                     :format-control "The file ~A cannot be ~A: ~A."
                     :format-arguments (list name what problem)))

(defun %file-failure (what name box)
  "Signals the error whose number is in a box."
  (let ((number (%number-in box)))
    ;; {UNIX} does not tell a missing file from a missing directory.
    (%file-error what name (%file-problem (if (and (eql number 2) (%unix-name-p name)) 0 number)))))

;;; Names:  {DSK}/tmp/a.b  {DSK}<tmp>a.b;2  {UNIX}/tmp/a.b.  Some subrs want the device, some have one each for a device.

(defun %device-end (name)
  "Where the device in front of a name ends; 0 if there is none."
  (if (and (> (length name) 0) (eql (aref name 0) #\{))
      (1+ (or (position #\} name)
              (%file-error "used" name (%file-problem 22))))
      0))

(defun %device (name)
  "The device of a name, with its braces."
  (let ((device (subseq name 0 (%device-end name))))
    (cond ((or (equal device "") (string-equal device "{DSK}")) "{DSK}")
          ((string-equal device "{UNIX}") "{UNIX}")
          (t (%file-error "used" name (format nil "there is no device ~A" device))))))

(defun %disk-name (name)
  "The name with the device in front, for the machine."
  (%utf-8-string (concatenate 'string (%device name) (subseq name (%device-end name)))))

(defun %bare-name (name)
  "A name without the device, and without the bracket that opens the first directory, for the machine."
  (let ((start (%device-end name)))
    (%utf-8-string (if (and (> (length name) (1+ start)) (eql (aref name start) #\<))
                       (subseq name (1+ start))
                       (subseq name start)))))

(defun %unix-name-p (name)
  "True of a name on {UNIX}, where there are no versions."
  (equal (%device name) "{UNIX}"))

(defmacro %subr-for (name disk unix &rest arguments)
  "Calls the subr for a name's device."
  `(if (%unix-name-p ,name)
       (%subr ,unix ,@arguments)
       (%subr ,disk ,@arguments)))

(defun %name-from-machine (device buffer length)
  "A name that the machine wrote into a string; NIL if it wrote none."
  (if (and length (>= length 0))
      (concatenate 'string device (%string-from-utf-8 (subseq buffer 0 length)))
      nil))

(defun %true-name (name)
  "The full name, with a version, of a file that is there; NIL if there is none."
  (let ((buffer (make-string 1024)))
    (%name-from-machine (%device name) buffer
                        (%subr-for name 106 34 (%bare-name name) 0 buffer (%new-box)))))

(defun %true-directory (name)
  "The full name of a directory that is there; NIL if there is none."
  (let ((buffer (make-string 1024)))
    (%name-from-machine (%device name) buffer
                        (%subr-for name 113 41 (%bare-name name) buffer (%new-box)))))

(defun %delete-file (name)
  (let ((box (%new-box)))
    (unless (%subr-for name 107 35 (%bare-name name) box)
      (%file-failure "deleted" name box))
    t))

(defun %rename-file (name new-name)
  (let ((box (%new-box)))
    (unless (%subr-for name 108 36 (%bare-name name) (%bare-name new-name) box)
      (%file-failure "renamed" name box))
    new-name))

(defun %delete-directory (name)
  "Deletes an empty directory; only {UNIX} knows them as files."
  (let ((box (%new-box)))
    (unless (%subr 35 (%bare-name name) box)
      (%file-failure "deleted" name box))
    t))

(defun %file-attribute (name number)
  "A number that the machine knows about a file: 1 its length, 2 when it was written, 3 when it was read."
  (let ((box (%new-box))
        (error-box (%new-box)))
    (unless (%subr 114 (%disk-name name) number box error-box)
      (%file-failure "looked at" name error-box))
    (%number-in box)))

(defun %author-of (name)
  "The name of a file's author."
  (let ((buffer (make-string 64))
        (error-box (%new-box)))
    (let ((length (%subr 114 (%disk-name name) 5 buffer error-box)))
      (unless length
        (%file-failure "looked at" name error-box))
      (%string-from-utf-8 (subseq buffer 0 length)))))

;;; A list of files: the machine has it, and gives a name at a time into a record
;;;
;;;     | list | 3 unused | flags | 2 unused | string for the name | 6 for attributes, which are not asked for |

(defun %list-files (pattern)
  "The names that match a pattern, without directory."
  (let* ((list-box (%new-box))
         (error-box (%new-box))
         (count (%subr 112 (%disk-name pattern) nil list-box error-box))
         (names nil))
    (cond ((eql count -1) (%file-failure "listed" pattern error-box))
          ((eql count 0) nil)
          (t
           (let ((record (%allocate-block 14 0))
                 (buffer (make-string 1024)))
             (%set-word record 1 (%number-in list-box))
             (%set-cell record 14 buffer)
             (unwind-protect
                  (do ((length (%subr 110 record) (%subr 110 record)))
                      ((eql length -1))
                    (push (%string-from-utf-8 (subseq buffer 0 length)) names))
               (%subr 111 (%number-in list-box)))
             (nreverse names))))))

;;; Opening and closing

(defun %open-file (name recognition access)
  "Opens a file. Recognition: 0 an old file, 2 a new version, 3 an old file or else a new one. Access: 0 only to read, 1
and 2 to read and to write; 1 empties it."
  (let* ((error-box (%new-box))
         (length-box (%new-box))
         (handle (%subr 104 (%disk-name name) recognition access (%new-box) length-box error-box)))
    (unless handle
      (%file-failure "opened" name error-box))
    (let ((file (%make-file (or (%true-name name) name) handle (%number-in length-box) (%allocate-block 128 0))))
      (push file *open-files*)
      file)))

(defun %close-file (file)
  "Writes what is still to be written, and closes."
  (when (%file-handle file)
    (let ((box (%new-box))
          (handle (%file-handle file)))
      (unwind-protect (%write-buffer file)
        (setf (%file-handle file) nil)
        (setf (%file-stream file) nil)
        (setq *open-files* (delete file *open-files* :test #'eq))
        (unless (%subr 105 (%disk-name (%file-name file)) handle 0 box)
          (%file-failure "closed" (%file-name file) box)))))
  nil)

(defun %finish-files ()
  "Before the world is left or saved: writes what was written to files that are open. If one of them cannot be written the
console says so, and the world can be saved all the same."
  (dolist (file *open-files*)
    (multiple-value-bind (done problem) (%ignore-errors (lambda () (%write-buffer file) t))
      (unless done
        (%console-line (princ-to-string problem))))))

(defun %forget-open-files ()
  "In a saved world that starts again no file is open, whatever was."
  (dolist (file *open-files*)
    (setf (%file-handle file) nil)
    (setf (%file-stream file) nil))
  (setq *open-files* nil))

(%add-restart-hook #'%forget-open-files)

;;; Pages and bytes

(defun %write-buffer (file)
  "Writes the page in the buffer, if it was changed."
  (when (and (%file-changed file) (%file-handle file))
    (let* ((box (%new-box))
           (start (* 512 (%file-page file)))
           (left (- (%file-length file) start)))
      ;; A page that cannot be written is given up: otherwise the file could not even be closed.
      (setf (%file-changed file) nil)
      (unless (%subr 38 (%file-handle file) (%file-page file) (%file-buffer file) (if (> left 512) 512 left) box)
        (%file-failure "written" (%file-name file) box)))))

(defun %check-open (file)
  (unless (%file-handle file)
    (%file-error "used" (%file-name file) "it is closed")))

(defun %get-page (file page)
  "Brings a page into the buffer."
  (unless (and (eql page (%file-page file)) (%file-handle file))
    (%check-open file)
    (%write-buffer file)
    (let ((box (%new-box)))
      (setf (%file-page file) nil)
      (if (< (* 512 page) (%file-length file))
          (unless (%subr 37 (%file-handle file) page (%file-buffer file) box)
            (%file-failure "read" (%file-name file) box))
          (%clear-words (%file-buffer file) 256))
      (setf (%file-page file) page))))

(defun %file-byte (file n)
  "Byte N of a file; NIL behind its end."
  (cond ((< n (%file-length file))
         (%get-page file (ash n -9))
         (%byte (%file-buffer file) (logand n 511)))
        (t
         (%check-open file)
         nil)))

(defun %set-file-byte (file n byte)
  "Changes byte N of a file, or appends one if N is its length."
  (%get-page file (ash n -9))
  (%set-byte (%file-buffer file) (logand n 511) byte)
  (setf (%file-changed file) t)
  (when (>= n (%file-length file))
    (setf (%file-length file) (1+ n)))
  byte)
