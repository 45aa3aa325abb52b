;;; What Lisp's memory says about an object: its type, its words, its CDR code, its reference count. The inspector and the
;;; memory map are made of these.
;;;
;;;     type table    from 180000   a word for each two pages: flags, and the type's number in the low 11 bits
;;;     types         from 141000   18 words each: name in 0-1, size in words in 3, cells allocated in 12-13
;;;     counts        from 160000   a cell for each even offset; see vm/src/collector/tables.rs
;;;
;;; Addresses are shown in hexadecimal, the segment first: 2E:1F40 is word 1F40 of segment 2E.

(defun address-text (object)
  "An object's address as text."
  (format nil "~x:~a" (%hi object) (hex4 (%lo object))))

(defun hex-digits (n digits)
  "A number in hexadecimal, with leading zeros."
  (let ((text (make-string digits)))
    (dotimes (i digits text)
      (setf (char text (- digits i 1)) (char "0123456789ABCDEF" (logand n 15)))
      (setq n (ash n -4)))))

(defun hex4 (word) (hex-digits word 4))

(defun type-table-word (object)
  "The type table's word for the page that an address is in."
  (%word (%add (%pointer #x18 0)
               (+ (ash (logand (%hi object) #xFFF) 7) (ash (%lo object) -9)))
         0))

(defun type-number-of (object)
  "The number of an object's type."
  (logand (type-table-word object) 2047))

(defun counted-p (object)
  "Whether references to the object are counted."
  (< (type-table-word object) 32768))

(defun type-descriptor (number)
  "Where the type's description is."
  (%add (%pointer #x14 #x1000) (* 18 number)))

(defun type-name (number)
  "A type's name, a symbol."
  (%cell (type-descriptor number) 0))

(defun type-words (number)
  "How many words an object of the type has; 0 for those that are something else."
  (%word (type-descriptor number) 3))

(defun all-in-pointer-p (object)
  "Whether an object is all in its pointer: a small integer, a character."
  (or (characterp object)
      (let ((segment (%hi object)))
        (or (eql segment 14) (eql segment 15)))))

;;; Reference counts

(defun entry-for-p (low segment)
  "Whether an entry is about an object of this segment."
  (eql (ash (logand low #x1FFE) -1) segment))

(defun find-in-chain (link segment)
  "The entry for a segment in a chain of links, as (high low), or NIL."
  (let ((found nil))
    (dotimes (i 5000 found)
      (when (eql link 0) (return found))
      (let* ((entry (%add (%pointer #x1C 0) (+ link link)))
             (high (%word entry 0))
             (low (%word entry 1)))
        (when (entry-for-p low segment)
          (return (list high low)))
        (setq link (+ (* 65536 (%word entry 2)) (%word entry 3)))))))

(defun reference-entry (object)
  "The collector's entry for an object, as (high low), or NIL when it has none: then there is one reference."
  (let* ((segment (logand (%hi object) #xFFF))
         (entry (%add (%pointer #x16 0) (logand (%lo object) #xFFFE)))
         (high (%word entry 0))
         (low (%word entry 1)))
    (cond ((and (eql high 0) (eql low 0)) nil)
          ((logbitp 0 low) (find-in-chain (+ (* 65536 high) (logand low #xFFFE)) segment))
          ((entry-for-p low segment) (list high low))
          (t nil))))

(defun entry-count (entry)
  "The count of an entry: its upper 15 bits."
  (ash (car entry) -1))

(defun entry-on-stack-p (entry)
  (logbitp 0 (car entry)))

(defun reference-count (object)
  "How many references there are to an object, as the collector knows them; NIL if they are not counted. Variables on
the stack do not count."
  (if (and (counted-p object) (not (all-in-pointer-p object)))
      (let ((entry (reference-entry object)))
        (if entry (entry-count entry) 1))
      nil))

(defun reference-text (object)
  "The same in words."
  (if (or (all-in-pointer-p object) (not (counted-p object)))
      "not counted"
      (let ((entry (reference-entry object)))
        (if entry
            (format nil "~d~a, in the table" (entry-count entry) (if (entry-on-stack-p entry) " and the stack" ""))
            "1, in no table"))))

;;; CDR codes: the top four bits of a CONS cell

(defun cdr-code (cons)
  (ash (%word cons 0) -12))

(defun cdr-code-text (cons)
  "What the CDR code of a cell means."
  (let ((code (cdr-code cons)))
    (cond ((eql code 8) "8: the CDR is NIL")
          ((> code 8) (format nil "~d: the CDR is the cell ~d further" code (- code 8)))
          ((eql code 0) "0: the rest is in the cell it points to")
          (t (format nil "~d: the CDR is stored ~d cell~a further" code code (if (eql code 1) "" "s"))))))
