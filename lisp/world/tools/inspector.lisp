;;; The inspector: any object as what it means, and as what it is in memory.
;;;
;;;     +-Inspect (1 2 3)------------------------------------------+
;;;     | (1 2 3)                                                  |
;;;     | type LISTP (5), at 2E0:1F40; references: 1, in no table  |
;;;     | CDR code 9: the CDR is the cell 1 further                |
;;;     |  CAR          1                                          |    press a field to inspect it
;;;     |  CDR          (2 3)                                      |
;;;     | +0    900E 0001     1                                    |    the words, two to a cell, and what a pointer in
;;;     | +2    900E 0002     2                                    |    the cell would lead to
;;;     +----------------------------------------------------------+
;;;
;;; The lines are read from memory each time the window is drawn: "Again" in its menu, or a key, reads them anew.

(defun field (name value)
  "A line for a part of an object."
  (cons (format nil " ~14a ~a" name (short-text value 56)) (list value)))

(defun plain-line (text) (cons text nil))

(defun more-line (shown count)
  "A line that says how many parts are not shown; no line if all are: a list."
  (if (> count shown)
      (list (plain-line (format nil " and ~d more" (- count shown))))
      nil))

;;; What an object means

(defun cons-fields (object)
  (list (plain-line (format nil "CDR code ~a" (cdr-code-text object)))
        (field "CAR" (car object))
        (field "CDR" (cdr object))))

(defun list-fields (object)
  "The elements of a list, after its first cell; a press on the last line goes on with the rest of a long one."
  (let ((lines nil)
        (n 0)
        (rest object))
    (loop
      (when (or (not (consp rest)) (>= n 30)) (return nil))
      (push (cons (format nil " ~3d  ~a  ~8a  ~a" n (address-text rest) (format nil "code ~d" (cdr-code rest))
                          (short-text (car rest) 40))
                  (list (car rest)))
            lines)
      (setq n (1+ n))
      (setq rest (cdr rest)))
    (when rest
      (push (field (if (consp rest) "and so on" "behind a dot") rest) lines))
    (append (cons-fields object)
            (list (plain-line "") (plain-line " its cells:"))
            (nreverse lines))))

(defun symbol-fields (object)
  (list (field "name" (symbol-name object))
        (if (boundp object) (field "value" (symbol-value object)) (plain-line " no value"))
        (if (fboundp object) (field "function" (symbol-function object)) (plain-line " no function"))
        (field "properties" (symbol-plist object))))

(defun array-fields (object)
  (let ((lines nil)
        (count (length object)))
    (dotimes (i (min 40 count))
      (push (field (format nil "~d" i) (aref object i)) lines))
    (nreconc lines (more-line 40 count))))

(defun number-fields (object)
  (if (integerp object)
      (list (plain-line (format nil " decimal ~d" object))
            (plain-line (format nil " hexadecimal ~x" object)))
      nil))

(defun structure-fields (object)
  "The slots of a structure, by name."
  (let ((type (type-of object)))
    (mapcar (lambda (slot) (field (string-downcase (symbol-name slot)) (%slot-value object slot)))
            (%structure-slots type))))

(defun hash-table-fields (object)
  "The pairs of a hash table."
  (let ((lines nil))
    (maphash (lambda (key value)
               (when (< (length lines) 40)
                 (push (field (short-text key 14) value) lines)))
             object)
    (cons (plain-line (format nil " pairs: ~d" (hash-table-count object)))
          (nreconc lines (more-line 40 (hash-table-count object))))))

(defun function-fields (object)
  "A compiled function's parameters and instructions."
  (let* ((code (%code-of object))
         (name (header-name code)))
    (append (list (field "name" name)
                  (field "parameters" (debug-names code :arguments)))
            (if (documentation name 'function) (list (field "documentation" (documentation name 'function))) nil)
            (list (plain-line "") (plain-line " instructions:"))
            (mapcar (lambda (place) (plain-line (instruction-text code place)))
                    (code-places code)))))

(defun meaning-lines (object)
  "What the object's type makes of it."
  (cond ((consp object) (list-fields object))
        ((symbolp object) (symbol-fields object))
        ((numberp object) (number-fields object))
        ((hash-table-p object) (hash-table-fields object))
        ((compiled-function-p object) (function-fields object))
        ((vectorp object) (array-fields object))
        ((%structure-name-p (type-of object)) (structure-fields object))
        (t nil)))

;;; What it is

(defun cell-line (object offset)
  "A cell of the object: two words, and what they point to."
  (let* ((at (%add object offset))
         (high (%word at 0))
         (low (%word at 1)))
    (plain-line (format nil " +~3d  ~a ~a" offset (hex4 high) (hex4 low)))))

(defun raw-lines (object words)
  (let ((lines nil))
    (do ((offset 0 (+ offset 2)))
        ((>= offset (min words 64)) (nreverse lines))
      (push (cell-line object offset) lines))))

(defun pointed-lines (object words)
  "The cells of an object whose fields are pointers, with what they lead to."
  (let ((lines nil))
    (do ((offset 0 (+ offset 2)))
        ((>= offset (min words 64)) (nreverse lines))
      (let ((value (%cell (%add object offset) 0)))
        (push (cons (concatenate 'string (car (cell-line object offset)) "   " (short-text value 44))
                    (list value))
              lines)))))

(defun object-words (object)
  "How many words of memory to show."
  (let ((type (type-number-of object)))
    (cond ((consp object)
           ;; A cell, and those behind it up to the one with the CDR, if that is stored there.
           (if (< 0 (cdr-code object) 8) (+ 2 (* 2 (cdr-code object))) 2))
          ((symbolp object) 10)
          (t (type-words type)))))

(defun symbol-record (symbol)
  "Where a symbol's five cells are: print name, value, definition, property list, flags."
  (if (eql 0 (%hi symbol))
      (%add (%add (%pointer #x2C 0) (* 8 (%lo symbol))) (* 2 (%lo symbol)))
      symbol))

(defun memory-lines (object)
  "The object's cells."
  (cond ((all-in-pointer-p object)
         (list (plain-line (format nil " all in the pointer: ~a ~a" (hex4 (%hi object)) (hex4 (%lo object))))))
        ((symbolp object) (raw-lines (symbol-record object) 10))
        ((or (floatp object) (integerp object)) (raw-lines object (max 2 (object-words object))))
        ((structure-like-p object) (pointed-lines object (object-words object)))
        (t (raw-lines object (object-words object)))))

(defun structure-like-p (object)
  "Whether the object's type was made by DEFSTRUCT, so that all its cells are pointers."
  (and (not (consp object)) (not (vectorp object)) (> (type-number-of object) 63)))

(defun inspector-lines (object)
  (append
   (list (plain-line (short-text object 76))
         (plain-line (format nil "type ~a (~d), at ~a; references: ~a"
                             (type-name (type-number-of object)) (type-number-of object)
                             (address-text object) (reference-text object)))
         (plain-line ""))
   (meaning-lines object)
   (list (plain-line "") (plain-line "in memory:"))
   (memory-lines object)))

(defvar it nil "What was last chosen in an inspector.")

(defglobal *inspectors* 0)              ; how many were opened: each a bit further down

(defun inspect (object)
  "Opens a window that shows an object."
  (setq *inspectors* (mod (1+ *inspectors*) 8))
  (let* ((lines (inspector-lines object))
         (lister (make-list-window (concatenate 'string "Inspect " (short-text object 40))
                                   (min (+ 330 (* 20 *inspectors*)) (max 0 (- (screen-width) 648)))
                                   (+ 40 (* 24 *inspectors*))
                                   640 (min 26 (max 8 (length lines)))
                                   lines
                                   (lambda (window value button)
                                     (declare (ignore window button))
                                     (when value
                                       (inspect (car value))))))
         (window (lister-window lister)))
    (setf (window-menu-items window)
          (list (list "Again" (lambda (window)
                                (declare (ignore window))
                                (show-items lister (inspector-lines object))))
                (list "Set IT" (lambda (window)
                                 (declare (ignore window))
                                 (setq it object)))))
    object))
