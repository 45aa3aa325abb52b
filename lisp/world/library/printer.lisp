;;; The printer: from objects to characters.
;;;
;;; PRIN1 writes what READ can read again where there is such a text; PRINC writes for people. What has no text is
;;; written as #<TYPE ... @ address>, the address in hexadecimal words, so that it can be found in the memory map.

(defvar *print-escape* t)
(defvar *print-readably* nil)
(defvar *print-base* 10)
(defvar *print-radix* nil)
(defvar *print-case* :upcase)
(defvar *print-circle* nil)
(defvar *print-pretty* nil)
(defvar *print-length* nil)
(defvar *print-level* nil)
(defvar *print-array* t)
(defvar *print-gensym* t)
(defvar *print-right-margin* nil)
(defvar *shared* nil)                   ; within a printing with *print-circle*: object -> T, or its number once printed
(defvar *shared-count* 1)

;;; Entry points

(defun write (object &key (stream nil) (escape *print-escape*) (radix *print-radix*) (base *print-base*)
                       (circle *print-circle*) (pretty *print-pretty*) (level *print-level*) (length *print-length*)
                       (case *print-case*) (array *print-array*) (gensym *print-gensym*) readably right-margin lines)
  "Writes an object, with the printer's variables as the keywords say."
  (let ((*print-escape* escape)
        (*print-radix* radix)
        (*print-base* base)
        (*print-circle* circle)
        (*print-pretty* pretty)
        (*print-level* level)
        (*print-length* length)
        (*print-case* case)
        (*print-array* array)
        (*print-gensym* gensym)
        (*print-right-margin* (or right-margin *print-right-margin*)))
    (%print-top object (%output-stream stream)))
  object)

(defun prin1 (object &optional stream)
  "Writes an object so that it can be read."
  (let ((*print-escape* t))
    (%print-top object (%output-stream stream)))
  object)

(defun princ (object &optional stream)
  "Writes an object without escape characters."
  (if (stringp object)
      (write-string object stream)
      (let ((*print-escape* nil))
        (%print-top object (%output-stream stream))))
  object)

(defun print (object &optional stream)
  "PRIN1 on a new line, with a space behind."
  (terpri stream)
  (prin1 object stream)
  (write-char #\Space stream)
  object)

(defun pprint (object &optional stream)
  "Writes an object on a new line, pretty."
  (terpri stream)
  (let ((*print-pretty* t))
    (prin1 object stream))
  (values))

(defun prin1-to-string (object)
  (with-output-to-string (stream) (prin1 object stream)))

(defun princ-to-string (object)
  (if (stringp object)
      object
      (with-output-to-string (stream) (princ object stream))))

(defun write-to-string (object &rest options)
  (with-output-to-string (stream)
    (apply #'write object :stream stream options)))

(defun %print-top (object stream)
  (if (and *print-circle* (null *shared*) (not (%leaf-p object)))
      (let ((*shared* (%find-shared object))
            (*shared-count* 1))
        (%print-styled object stream))
      (%print-styled object stream)))

(defun %print-styled (object stream)
  (if *print-pretty*
      (%pretty object stream 0 0)
      (%print object stream 0)))

;;; Shared and circular parts: a walk before printing finds the objects that it meets twice.

(defun %leaf-p (object)
  "True of what has no parts."
  (not (or (consp object)
           (and (arrayp object) (not (stringp object)))
           (%structurep object))))

(defun %find-shared (object)
  "A table of the parts of an object that are met more than once; NIL if there are none."
  (let ((seen (make-hash-table :test 'eq))
        (shared (make-hash-table :test 'eq)))
    (labels ((walk (x)
               (do ()
                   ((%leaf-p x))
                 (when (gethash x seen)
                   (%set-gethash x shared t)
                   (return nil))
                 (%set-gethash x seen t)
                 (cond ((consp x)
                        (walk (car x))
                        (setq x (cdr x)))
                       ((arrayp x)
                        (dotimes (i (array-total-size x))
                          (walk (row-major-aref x i)))
                        (return nil))
                       (t
                        (unless (%print-function x)
                          (dolist (slot (%structure-slots (type-of x)))
                            (walk (%slot-value x slot))))
                        (return nil))))))
      (walk object))
    (if (eql (hash-table-count shared) 0) nil shared)))

(defun %print-label (object stream)
  "Writes #n# for a part that was printed already: then true. Writes #n= for one that will be met again."
  (let ((mark (if (and *shared* (not (%leaf-p object)))
                  (gethash object *shared*)
                  nil)))
    (cond ((null mark) nil)
          ((integerp mark)
           (write-char #\# stream)
           (write-string (%integer-string mark 10) stream)
           (write-char #\# stream)
           t)
          (t
           (%set-gethash object *shared* *shared-count*)
           (write-char #\# stream)
           (write-string (%integer-string *shared-count* 10) stream)
           (write-char #\= stream)
           (setq *shared-count* (1+ *shared-count*))
           nil))))

;;; Any object

(defun %print (object stream depth)
  "Writes an object that is DEPTH levels below the one that is being printed."
  (cond ((symbolp object) (%print-symbol object stream))
        ((numberp object) (%print-number object stream))
        ((stringp object) (%print-string object stream))
        ((characterp object) (%print-character object stream))
        ((and *print-level* (>= depth *print-level*)) (write-char #\# stream))
        ((%print-label object stream))
        ((consp object) (%print-list object stream depth))
        ((vectorp object) (%print-vector object stream depth))
        ((arrayp object) (%print-array object stream depth))
        ((%structurep object) (%print-structure object stream depth))
        (t (%print-other object stream))))

(defun %print-number (n stream)
  (when (and *print-radix* (rationalp n))
    (case *print-base*
      (2 (write-string "#b" stream))
      (8 (write-string "#o" stream))
      (16 (write-string "#x" stream))
      (10 (unless (integerp n) (write-string "#10r" stream)))
      (t (write-string "#" stream)
         (write-string (%integer-string *print-base* 10) stream)
         (write-string "r" stream))))
  (write-string (%number-string n *print-base*) stream)
  (when (and *print-radix* (integerp n) (eql *print-base* 10))
    (write-char #\. stream)))

(defun %print-character (character stream)
  (if *print-escape*
      (progn
        (write-string "#\\" stream)
        (write-string (or (char-name character)
                          (if (graphic-char-p character)
                              (string character)
                              (string-append "U" (%integer-string (char-code character) 16))))
                      stream))
      (write-char character stream)))

(defun %print-string (string stream)
  (if *print-escape*
      (progn
        (write-char #\" stream)
        (dotimes (i (length string))
          (let ((c (aref string i)))
            (when (or (eq c #\") (eq c #\\))
              (write-char #\\ stream))
            (write-char c stream)))
        (write-char #\" stream))
      (write-string string stream)))

;;; Symbols

(defun %plain-character-p (c)
  "True of characters that READ takes for part of a symbol as they are."
  (let ((code (char-code c)))
    (not (or (<= code 32) (eql code 127) (lower-case-p c) (find c "()'`,;\"|\\:")))))

(defun %plain-name-p (name)
  "True if READ makes a symbol of this name of these characters."
  (and (> (length name) 0)
       (not (eq (char name 0) #\#))
       (every #'%plain-character-p name)
       (not (every (lambda (c) (eq c #\.)) name))
       (not (%parse-number name *print-base*))))

(defun %print-symbol (symbol stream)
  (let ((name (symbol-name symbol)))
    (cond ((not *print-escape*)
           (write-string (%in-case name) stream))
          (t
           (cond ((keywordp symbol) (write-char #\: stream))
                 ((and *print-gensym* (not (eq (find-symbol name) symbol)))
                  (write-string "#:" stream)))
           (if (%plain-name-p name)
               (write-string (%in-case name) stream)
               (progn
                 (write-char #\| stream)
                 (dotimes (i (length name))
                   (let ((c (aref name i)))
                     (when (or (eq c #\|) (eq c #\\))
                       (write-char #\\ stream))
                     (write-char c stream)))
                 (write-char #\| stream)))))))

(defun %in-case (name)
  (case *print-case*
    (:downcase (string-downcase name))
    (:capitalize (string-capitalize name))
    (t name)))

;;; Lists

(defun %prefix (list)
  "What is written before the second element for a list such as (QUOTE x), or NIL."
  (if (and (consp (cdr list)) (null (cddr list)))
      (case (car list)
        (quote "'")
        (function "#'")
        (backquote "`")
        (unquote ",")
        (splice ",@")
        (t nil))
      nil))

(defun %print-list (list stream depth)
  (let ((prefix (%prefix list)))
    (if prefix
        (progn
          (write-string prefix stream)
          (%print (cadr list) stream depth))
        (progn
          (write-char #\( stream)
          (%print-elements list stream depth)
          (write-char #\) stream)))))

(defun %print-elements (list stream depth)
  (do ((tail list (cdr tail))
       (n 0 (1+ n)))
      (nil)
    (when (and *print-length* (>= n *print-length*))
      (write-string "..." stream)
      (return nil))
    (%print (car tail) stream (1+ depth))
    (when (null (cdr tail)) (return nil))
    (write-char #\Space stream)
    (when (or (not (consp (cdr tail)))
              (and *shared* (gethash (cdr tail) *shared*)))
      (write-string ". " stream)
      (%print (cdr tail) stream (1+ depth))
      (return nil))))

;;; Arrays

(defun %print-vector (vector stream depth)
  (cond ((not *print-array*) (%print-other vector stream))
        ((bit-vector-p vector)
         (write-string "#*" stream)
         (dotimes (i (length vector))
           (write-char (if (eql (aref vector i) 0) #\0 #\1) stream)))
        (t
         (write-string "#(" stream)
         (dotimes (i (length vector))
           (when (> i 0) (write-char #\Space stream))
           (when (and *print-length* (>= i *print-length*))
             (write-string "..." stream)
             (return nil))
           (%print (aref vector i) stream (1+ depth)))
         (write-char #\) stream))))

(defun %print-array (array stream depth)
  (if *print-array*
      (let ((dimensions (array-dimensions array)))
        (write-char #\# stream)
        (write-string (%integer-string (length dimensions) 10) stream)
        (write-char #\A stream)
        (%print (%nested-elements array dimensions 0) stream depth))
      (%print-other array stream)))

(defun %nested-elements (array dimensions index)
  "The elements of an array from an index on, as nested lists."
  (if (null dimensions)
      (row-major-aref array index)
      (let ((list nil)
            (step (let ((n 1)) (dolist (d (cdr dimensions) n) (setq n (* n d))))))
        (dotimes (i (car dimensions))
          (push (%nested-elements array (cdr dimensions) (+ index (* i step))) list))
        (nreverse list))))

;;; Structures and everything else

(defun %print-function (structure)
  "The function that prints structures of this type, or NIL. It is a property of the type's name or a parent's."
  (do ((name (type-of structure) (%structure-parent name)))
      ((null name) nil)
    (let ((function (get name '%print-function)))
      (when function (return function)))))

(defun %print-structure (structure stream depth)
  (let ((function (%print-function structure))
        (name (type-of structure)))
    (if function
        (funcall function structure stream depth)
        (let ((n 0))
          (write-string "#S(" stream)
          (%print name stream (1+ depth))
          (dolist (slot (%structure-slots name))
            (write-char #\Space stream)
            (when (and *print-length* (>= n *print-length*))
              (write-string "..." stream)
              (return nil))
            (setq n (1+ n))
            (write-char #\: stream)
            (%print slot stream (1+ depth))
            (write-char #\Space stream)
            (%print (%slot-value structure slot) stream (1+ depth)))
          (write-char #\) stream)))))

(defun %address-string (object)
  "The address of an object, in words, hexadecimal."
  (%integer-string (+ (* 65536 (logand (%hi object) 4095)) (%lo object)) 16))

(defun %print-unreadable (object stream type identity function)
  (write-string "#<" stream)
  (when type
    (princ (let ((name (type-of object))) (if (consp name) (car name) name)) stream))
  (when function
    (when type (write-char #\Space stream))
    (funcall function))
  (when identity
    (write-string " @ " stream)
    (write-string (%address-string object) stream))
  (write-char #\> stream)
  nil)

(defun %print-other (object stream)
  (if (compiled-function-p object)
      (%print-unreadable object stream nil t
                         (lambda ()
                           (write-string (if (and (eq (%type-number object) 13) (%cell object 2)) "closure " "function ") stream)
                           (princ (%name-of-function object) stream)))
      (%print-unreadable object stream t t nil)))
