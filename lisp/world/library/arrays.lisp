;;; Arrays: a header that says what the elements are, and a block of storage with the elements.
;;;
;;;     ONED-ARRAY, type 14                        TWOD-ARRAY, type 15          GENERAL-ARRAY, type 16 (other ranks)
;;;     words 0-1   base of the elements           base                         a ONED-ARRAY of the elements
;;;     word  2     flags 8, element code 8        the same                     the same
;;;     word  3     offset, in elements            -                            -
;;;     words 4-5   fill pointer                   rows                         -
;;;     words 6-7   total size                     rows * columns               total size
;;;     words 8-9                                  columns                      list of dimensions
;;;
;;;     element codes   0 bit   3 byte   4 word   20 signed word   22 signed 32 bits   38 anything   54 float
;;;                     67 character of 8 bits    68 of 16         86 pointer that is not counted
;;;     flags           1 extendable   2 has a fill pointer   4 displaced   8 adjustable   16 string   32 bits
;;;
;;; The opcodes AREF1, ASET1, AREF2 and ASET2 know the first two. (%make-vector size code) is machine level.

(defconstant array-dimension-limit 16777216)
(defconstant array-total-size-limit 16777216)

(defun %32-bits (object word)
  "The 32-bit number at a word of an object."
  (%op MAKENUMBER (%word object word) (%word object (1+ word))))

(defun %set-32-bits (object word value)
  (%set-word object word (logand (ash value -16) 65535))
  (%set-word object (1+ word) (logand value 65535))
  value)

;;; What an array is

(defun vectorp (x) (eq (%type-number x) 14))

(defun arrayp (x)
  "True of arrays of any rank, vectors and strings."
  (let ((type (%type-number x)))
    (or (eq type 14) (eq type 15) (eq type 16))))

(defun stringp (x)
  "True of vectors of characters."
  (and (eq (%type-number x) 14)
       (eq (logand (%word x 2) 240) 64)
       (> (logand (%word x 2) 255) 66)))

(defun bit-vector-p (x)
  (and (eq (%type-number x) 14) (eq (logand (%word x 2) 255) 0)))

(defun simple-vector-p (x)
  (and (eq (%type-number x) 14)
       (eq (logand (%word x 2) 255) 38)
       (not (array-has-fill-pointer-p x))))

(defun simple-string-p (x) (and (stringp x) (not (array-has-fill-pointer-p x))))

(defun %element-code (array) (logand (%word array 2) 255))
(defun %array-flag (array flag) (not (eql (logand (ash (%word array 2) -8) flag) 0)))
(defun %set-array-flag (array flag)
  (%set-word array 2 (logior (%word array 2) (ash flag 8)))
  array)

(defun %fill-pointer (vector) (%32-bits vector 4))

(defun array-total-size (array)
  "How many elements an array has room for."
  (%32-bits (%check-array array) 6))

(defun %check-array (x)
  (if (arrayp x) x (%wrong-type x 'array)))

(defun array-dimensions (array)
  "A list of the bounds of the indices."
  (let ((type (%type-number (%check-array array))))
    (cond ((eq type 14) (list (%32-bits array 6)))
          ((eq type 15) (list (%32-bits array 4) (%32-bits array 8)))
          (t (%cell array 8)))))

(defun array-rank (array) (length (array-dimensions array)))
(defun array-dimension (array axis) (nth axis (array-dimensions array)))

(defun array-element-type (array)
  "The type of an array's elements."
  (case (%element-code (%check-array array))
    (0 'bit)
    (3 '(unsigned-byte 8))
    (4 '(unsigned-byte 16))
    (20 '(signed-byte 16))
    (22 '(signed-byte 32))
    (54 'single-float)
    ((67 68) 'character)
    (t t)))

(defun %type-code (type)
  "The element code of an array of elements of a type."
  (cond ((member type '(character base-char string-char standard-char)) 67)
        ((eq type 'bit) 0)
        ((member type '(single-float float short-float double-float long-float)) 54)
        ((equal type '(unsigned-byte 8)) 3)
        ((equal type '(unsigned-byte 16)) 4)
        ((equal type '(signed-byte 16)) 20)
        ((equal type '(signed-byte 32)) 22)
        ((equal type '(unsigned-byte 1)) 0)
        ((and (consp type) (eq (car type) 'mod) (<= (cadr type) 256)) (if (<= (cadr type) 2) 0 3))
        (t 38)))

;;; Making arrays

(defun %check-dimension (x)
  (if (and (integerp x) (>= x 0)) x (%wrong-type x '(integer 0))))

(defun vector (&rest elements)
  "A new vector of the arguments."
  (let ((vector (%make-vector (length elements) 38))
        (i 0))
    (dolist (x elements vector)
      (setf (aref vector i) x)
      (setq i (1+ i)))))

(defun make-array (dimensions &key (element-type t) (initial-element nil initialized) (initial-contents nil contents)
                              fill-pointer adjustable displaced-to (displaced-index-offset 0))
  "A new array. DIMENSIONS is a number, for a vector, or a list of numbers."
  (let* ((dimensions (if (listp dimensions) dimensions (list dimensions)))
         (size (let ((n 1)) (dolist (d dimensions n) (setq n (* n (%check-dimension d))))))
         (code (%type-code element-type))
         (vector (if displaced-to
                     (%displaced displaced-to size displaced-index-offset)
                     (%make-vector size code))))
    (when (and initialized (not (and (eq code 38) (null initial-element))))
      (dotimes (i size)
        (setf (aref vector i) initial-element)))
    (when contents
      (%fill-contents vector 0 dimensions initial-contents))
    (let ((array (%with-dimensions vector dimensions)))
      (when adjustable (%set-array-flag array 8))
      (when fill-pointer
        (%set-array-flag array 2)
        (%set-32-bits array 4 (if (eq fill-pointer t) size fill-pointer)))
      array)))

(defun %fill-contents (vector index dimensions contents)
  "Stores nested sequences from an index on; the index behind them."
  (cond ((null dimensions)
         (setf (aref vector index) contents)
         (1+ index))
        (t
         (unless (eql (length contents) (car dimensions))
           (error "~S should have ~D elements." contents (car dimensions)))
         (%walk (lambda (part i) (setq index (%fill-contents vector index (cdr dimensions) part)))
                contents 0 nil)
         index)))

(defun %displaced (array size offset)
  "A vector of part of the elements of another array."
  (let ((vector (%create-cell 14))
        (source (if (eq (%type-number array) 16) (%cell array 0) array)))
    (%store vector 0 (%cell source 0))
    (%set-word vector 2 (%word source 2))
    (%set-word vector 3 (+ offset (if (eq (%type-number source) 14) (%word source 3) 0)))
    (%set-32-bits vector 4 size)
    (%set-32-bits vector 6 size)
    (%set-array-flag vector 4)))

(defun %with-dimensions (vector dimensions)
  "An array of the elements of a new vector."
  (cond ((and dimensions (null (cdr dimensions))) vector)
        ((and (eql (length dimensions) 2) (eql (%word vector 3) 0))
         (let ((array (%create-cell 15)))
           (%store array 0 (%cell vector 0))
           (%set-word array 2 (logand (%word vector 2) 65519))
           (%set-32-bits array 4 (car dimensions))
           (%set-32-bits array 6 (%32-bits vector 6))
           (%set-32-bits array 8 (cadr dimensions))
           array))
        (t
         (let ((array (%create-cell 16)))
           (%store array 0 vector)
           (%set-word array 2 (logand (%word vector 2) 255))
           (%set-32-bits array 4 (%32-bits vector 6))
           (%set-32-bits array 6 (%32-bits vector 6))
           (%store array 8 (copy-list dimensions))
           array))))

;;; Elements

(defun array-row-major-index (array &rest indices)
  "The number of an element, counted row by row."
  (let ((index 0)
        (dimensions (array-dimensions array)))
    (unless (eql (length indices) (length dimensions))
      (error "~S has ~D dimensions, not ~D." array (length dimensions) (length indices)))
    (do ((i indices (cdr i))
         (d dimensions (cdr d)))
        ((null i) index)
      (unless (and (integerp (car i)) (>= (car i) 0) (< (car i) (car d)))
        (%bad-index array (car i)))
      (setq index (+ (* index (car d)) (car i))))))

(defun %elements (array)
  "A vector of all elements of an array."
  (let ((type (%type-number array)))
    (cond ((eq type 14) array)
          ((eq type 16) (%cell array 0))
          (t (%displaced array (%32-bits array 6) 0)))))

(defun row-major-aref (array index)
  (aref (%elements array) index))

(defun %set-row-major-aref (array index value)
  (setf (aref (%elements array) index) value)
  value)

(defun aref (array &rest indices)
  "The element of an array at these indices."
  (cond ((and indices (null (cdr indices)) (vectorp array)) (aref array (car indices)))
        (t (aref (%elements array) (apply #'array-row-major-index array indices)))))

(defun %set-aref (array &rest indices-and-value)
  "Stores the last argument at the indices before it."
  (let* ((value (car (last indices-and-value)))
         (indices (butlast indices-and-value)))
    (if (and indices (null (cdr indices)) (vectorp array))
        (setf (aref array (car indices)) value)
        (setf (aref (%elements array) (apply #'array-row-major-index array indices)) value))
    value))

(defun svref (vector index) (aref vector index))
(defun %set-svref (vector index value) (setf (aref vector index) value) value)
(defun bit (array &rest indices) (apply #'aref array indices))
(defun sbit (array &rest indices) (apply #'aref array indices))

(defun array-in-bounds-p (array &rest indices)
  "True if the array has such an element."
  (every (lambda (i d) (and (integerp i) (>= i 0) (< i d)))
         indices (array-dimensions array)))

;;; What the opcodes leave to Lisp: wrong indices, other arrays, a wide character for a string of bytes

(defun %ufn-aref1 (array index)
  (if (eq (%type-number array) 16)
      (aref (%cell array 0) (array-row-major-index array index))
      (%bad-reference array index)))

(defun %ufn-aset1 (value array index)
  (cond ((eq (%type-number array) 16)
         (setf (aref (%cell array 0) (array-row-major-index array index)) value))
        ((and (vectorp array) (eq (%element-code array) 67) (characterp value)
              (> (char-code value) 255) (< -1 index (array-total-size array)))
         (%widen array)
         (setf (aref array index) value))
        ((and (vectorp array) (eq (%element-code array) 54) (numberp value) (not (floatp value)))
         (setf (aref array index) (float value)))
        ((and (vectorp array) (integerp index) (< -1 index (array-total-size array)))
         (%wrong-type value (array-element-type array)))
        (t (%bad-reference array index)))
  value)

(defun %ufn-aref2 (array row column)
  (if (eq (%type-number array) 16)
      (aref (%cell array 0) (array-row-major-index array row column))
      (%bad-reference array row column)))

(defun %ufn-aset2 (value array row column)
  (cond ((eq (%type-number array) 16)
         (setf (aref (%cell array 0) (array-row-major-index array row column)) value))
        ((and (eq (%type-number array) 15) (array-in-bounds-p array row column))
         (%wrong-type value (array-element-type array)))
        (t (%bad-reference array row column)))
  value)

(defun %bad-reference (array &rest indices)
  (cond ((not (arrayp array)) (%wrong-type array 'array))
        ((not (eql (length indices) (array-rank array)))
         (error "~S has rank ~D; there are ~D indices." array (array-rank array) (length indices)))
        (t
         (dolist (i indices) (%check-integer i))
         (error "~{~S~^, ~} is no index of an array of dimensions ~S." indices (array-dimensions array)))))

(defun %widen (string)
  "Gives a string of bytes 16 bits for each character."
  (let* ((size (array-total-size string))
         (wide (%make-vector size 68)))
    (dotimes (i size)
      (setf (aref wide i) (aref string i)))
    (%take-over string wide)))

(defun %take-over (vector other)
  "Gives a vector the storage of another one."
  (%store vector 0 (%cell other 0))
  (%set-word vector 2 (logior (logand (%word vector 2) 65280) (%element-code other)))
  (%set-word vector 3 (%word other 3))
  (%set-32-bits vector 6 (%32-bits other 6))
  vector)

;;; Fill pointers

(defun array-has-fill-pointer-p (array) (and (vectorp array) (%array-flag array 2)))
(defun adjustable-array-p (array) (%array-flag (%check-array array) 8))

(defun fill-pointer (vector)
  (if (array-has-fill-pointer-p vector)
      (%fill-pointer vector)
      (error "~S has no fill pointer." vector)))

(defun %set-fill-pointer (vector value)
  (if (and (array-has-fill-pointer-p vector) (<= 0 value (array-total-size vector)))
      (%set-32-bits vector 4 value)
      (error "~S cannot be the fill pointer of ~S." value vector)))

(defun vector-push (element vector)
  "Stores behind the last element; the index, or NIL if there is no room."
  (let ((end (fill-pointer vector)))
    (if (< end (array-total-size vector))
        (progn
          (setf (aref vector end) element)
          (%set-32-bits vector 4 (1+ end))
          end)
        nil)))

(defun vector-push-extend (element vector &optional (extension 16))
  "Stores behind the last element and makes room if there is none."
  (let ((end (fill-pointer vector)))
    (when (>= end (array-total-size vector))
      (%resize vector (+ end (max extension end))))
    (setf (aref vector end) element)
    (%set-32-bits vector 4 (1+ end))
    end))

(defun vector-pop (vector)
  "Takes the last element away."
  (let ((end (fill-pointer vector)))
    (when (eql end 0)
      (error "~S is empty." vector))
    (%set-32-bits vector 4 (1- end))
    (aref vector (1- end))))

(defun %resize (vector size)
  "Gives a vector storage of another size; the elements that have room there stay."
  (let ((larger (%make-vector size (%element-code vector))))
    (dotimes (i (min size (array-total-size vector)))
      (setf (aref larger i) (aref vector i)))
    (%take-over vector larger)))

(defun adjust-array (array dimensions &key element-type (initial-element nil initialized) initial-contents fill-pointer)
  "The array with other dimensions; elements keep their indices."
  (let ((dimensions (if (listp dimensions) dimensions (list dimensions)))
        (old (if (vectorp array) (array-total-size array) 0)))
    (cond (initial-contents
           (make-array dimensions :element-type (array-element-type array) :initial-contents initial-contents))
          ((vectorp array)
           (%resize array (car dimensions))
           (when initialized
             (do ((i old (1+ i)))
                 ((>= i (car dimensions)))
               (setf (aref array i) initial-element)))
           (cond ((eq fill-pointer t) (%set-32-bits array 4 (car dimensions)))
                 (fill-pointer (%set-32-bits array 4 fill-pointer))
                 ((not (array-has-fill-pointer-p array)) (%set-32-bits array 4 (car dimensions))))
           array)
          (t
           (let ((new (make-array dimensions :element-type (array-element-type array)
                                             :initial-element initial-element)))
             (%copy-elements array new nil (mapcar #'min dimensions (array-dimensions array)))
             new)))))

(defun %copy-elements (from to indices bounds)
  "Copies the elements at all indices below the bounds."
  (if (null bounds)
      (let ((indices (reverse indices)))
        (apply #'%set-aref to (append indices (list (apply #'aref from indices)))))
      (dotimes (i (car bounds))
        (%copy-elements from to (cons i indices) (cdr bounds)))))
