;;; Files, as the machine gives them: pages of 512 bytes, read and written by subrs 45 to 47, 100 to 118 (octal numbers in
;;; vm/src/subrs/mod.rs). Streams of characters on them are made in library/.
;;;
;;;     file   | name | handle | length in bytes | buffer of a page | which page is in it | changed? |
;;;
;;; A failure is NIL, and a Unix error number in a box.

(defstruct (file (:constructor %make-file (name handle length buffer)))
  name
  handle
  length
  buffer                                ; a block of 128 cells
  (page nil)                            ; the page in the buffer
  (changed nil))

(defun %new-box ()
  "A box for a number that the machine writes."
  (%create-cell 2))

(defun %file-failure (what name box)
  (let ((number (%number-in box)))
    (error "The file ~A cannot be ~A~A." name what
           (case number
             (0 "")
             (2 ": there is none of that name")
             (13 ": it is protected")
             (17 ": it exists already")
             (28 ": the disk is full")
             (t (format nil " (error ~D)" number))))))

(defun %disk-name (name)
  "The name with the device in front, if it has none."
  (if (and (> (length name) 0) (eql (aref name 0) #\{))
      name
      (concatenate 'string "{DSK}" name)))

(defun %open-file (name direction)
  "Opens a file: :INPUT, :OUTPUT (a new one, empty), :APPEND or :IO."
  (let* ((error-box (%new-box))
         (length-box (%new-box))
         (name (%disk-name name))
         (handle (%subr 104 name
                        (case direction (:input 0) (:output 2) (t 3))
                        (case direction (:input 0) (:output 1) (t 2))
                        (%new-box) length-box error-box)))
    (unless handle
      (%file-failure "opened" name error-box))
    (%make-file name handle (%number-in length-box) (%allocate-block 128 0))))

(defun %file-exists-p (name)
  "True if a file of this name can be read."
  (let ((handle (%subr 104 (%disk-name name) 0 0 (%new-box) (%new-box) (%new-box))))
    (when handle
      (%subr 105 (%disk-name name) handle 0 (%new-box))
      t)))

(defun %write-buffer (file)
  "Writes the page in the buffer, if it was changed."
  (when (file-changed file)
    (let* ((box (%new-box))
           (start (* 512 (file-page file)))
           (left (- (file-length file) start)))
      (unless (%subr 38 (file-handle file) (file-page file) (file-buffer file) (if (> left 512) 512 left) box)
        (%file-failure "written" (file-name file) box))
      (setf (file-changed file) nil))))

(defun %get-page (file page)
  "Brings a page into the buffer."
  (unless (eql page (file-page file))
    (%write-buffer file)
    (let ((box (%new-box)))
      (if (< (* 512 page) (file-length file))
          (unless (%subr 37 (file-handle file) page (file-buffer file) box)
            (%file-failure "read" (file-name file) box))
          (%clear-words (file-buffer file) 256))
      (setf (file-page file) page))))

(defun %file-byte (file n)
  "Byte N of a file; NIL behind its end."
  (if (>= n (file-length file))
      nil
      (progn
        (%get-page file (ash n -9))
        (%byte (file-buffer file) (logand n 511)))))

(defun %set-file-byte (file n byte)
  "Changes byte N of a file, or appends one if N is its length."
  (%get-page file (ash n -9))
  (%set-byte (file-buffer file) (logand n 511) byte)
  (setf (file-changed file) t)
  (when (>= n (file-length file))
    (setf (file-length file) (1+ n)))
  byte)

(defun %close-file (file)
  (let ((box (%new-box)))
    (%write-buffer file)
    (unless (%subr 105 (file-name file) (file-handle file) 0 box)
      (%file-failure "closed" (file-name file) box))
    nil))

(defun %bare-name (name)
  "A name without the device."
  (let ((end (position #\} name)))
    (if end (subseq name (1+ end)) name)))

(defun delete-file (name)
  "Deletes a file."
  (let ((box (%new-box)))
    (unless (%subr 107 (%bare-name name) box)
      (%file-failure "deleted" name box))
    t))

(defun rename-file (name new-name)
  "Gives a file another name."
  (let ((box (%new-box)))
    (unless (%subr 108 (%bare-name name) (%bare-name new-name) box)
      (%file-failure "renamed" name box))
    new-name))
