;;; Types: what an object is, whether it is of a type, and making one of another type.
;;;
;;; The type number of an object comes from its address. Its descriptor (one of an array at DTD, 18 words each) has the
;;; type's name in words 0-1 and the number of the type it extends in word 17. The names of the machine's own types are
;;; not those of Common Lisp, so they are translated here.

(defun %descriptor (type-number)
  "The address of a type's descriptor."
  (%add (%pointer 20 4096) (* 18 type-number)))

(defun %type-name (type-number)
  "The symbol that names a type."
  (let ((at (%descriptor type-number)))
    (%pointer (logand (%word at 0) 4095) (%word at 1))))

(defun %supertype (type-number)
  (%word (%descriptor type-number) 17))

(defun %instancep (x name)
  "True if the type of an object, or one that it extends, has this name."
  (do ((type (%type-number x) (%supertype type)))
      ((eql type 0) nil)
    (when (eq (%type-name type) name) (return t))))

(defun type-of (x)
  "The name of the type of an object."
  (let ((type (%type-number x)))
    (case type
      ((1 2) 'fixnum)
      (3 'single-float)
      (17 'bignum)
      (18 'ratio)
      ((4 21) (cond ((null x) 'null) ((eq x t) 'boolean) ((keywordp x) 'keyword) (t 'symbol)))
      (5 'cons)
      (9 'character)
      (13 'compiled-function)
      (14 (cond ((stringp x) (list 'string (length x)))
                ((bit-vector-p x) (list 'bit-vector (length x)))
                (t (list 'vector (array-element-type x) (length x)))))
      ((15 16) (list 'array (array-element-type x) (array-dimensions x)))
      (t (if (%code-pointer-p x) 'compiled-function (%type-name type))))))

(defun %code-pointer-p (x)
  "True of a pointer to a function's code, which is of no type."
  (and (eql (%type-number x) 0) (> (%hi x) 45)))

(defun functionp (x)
  "True of what can be called and is no symbol or list."
  (or (eq (%type-number x) 13)
      (interpreted-function-p x)
      (%code-pointer-p x)))

(defun compiled-function-p (x)
  (or (eq (%type-number x) 13) (%code-pointer-p x)))

(defun symbolp (x)
  (let ((type (%type-number x)))
    (or (eq type 4) (eq type 21))))

(defun characterp (x) (eq (%type-number x) 9))
(defun atom (x) (not (consp x)))
(defun listp (x) (or (null x) (consp x)))
(defun sequencep (x) (or (listp x) (vectorp x)))

(defglobal *type-predicates*
  '((t . %true) (atom . atom) (cons . consp) (list . listp) (null . null) (symbol . symbolp) (keyword . keywordp)
    (number . numberp) (real . numberp) (rational . rationalp) (integer . integerp) (fixnum . fixnump)
    (bignum . bignump) (ratio . %ratiop) (float . floatp) (single-float . floatp) (short-float . floatp)
    (double-float . floatp) (long-float . floatp) (character . characterp) (base-char . characterp)
    (standard-char . standard-char-p) (string . stringp) (simple-string . simple-string-p) (base-string . stringp)
    (vector . vectorp) (simple-vector . simple-vector-p) (bit-vector . bit-vector-p) (array . arrayp)
    (simple-array . arrayp) (sequence . sequencep) (function . functionp) (compiled-function . compiled-function-p)
    (bit . %bitp) (unsigned-byte . %unsigned-byte-p) (signed-byte . integerp) (boolean . %booleanp)
    (structure-object . %structurep) (complex . complexp) (nil . %false)))

(defun %true (x) t)
(defun %false (x) nil)
(defun %bitp (x) (or (eql x 0) (eql x 1)))
(defun %booleanp (x) (or (null x) (eq x t)))
(defun %unsigned-byte-p (x) (and (integerp x) (>= x 0)))

(defun typep (x type)
  "True if an object is of a type."
  (cond ((consp type) (%typep-compound x (car type) (cdr type)))
        (t (let ((pair (assoc type *type-predicates*)))
             (cond (pair (if (funcall (cdr pair) x) t nil))
                   ((get type '%deftype) (typep x (funcall (get type '%deftype) nil)))
                   (t (%instancep x type)))))))

(defun %within (x low high)
  "True of numbers between two bounds: * is none, a list excludes its number."
  (and (or (eq low '*) (null low)
           (if (consp low) (> x (car low)) (>= x low)))
       (or (eq high '*) (null high)
           (if (consp high) (< x (car high)) (<= x high)))))

(defun %typep-compound (x name arguments)
  (case name
    (or (some (lambda (type) (typep x type)) arguments))
    (and (every (lambda (type) (typep x type)) arguments))
    (not (not (typep x (car arguments))))
    ((member) (if (member x arguments) t nil))
    (eql (eql x (car arguments)))
    (satisfies (if (funcall (car arguments) x) t nil))
    ((integer rational float real single-float number)
     (and (typep x name) (%within x (car arguments) (cadr arguments))))
    (mod (and (integerp x) (>= x 0) (< x (car arguments))))
    (unsigned-byte
     (and (integerp x) (>= x 0)
          (or (null arguments) (eq (car arguments) '*) (<= (integer-length x) (car arguments)))))
    (signed-byte
     (and (integerp x)
          (or (null arguments) (eq (car arguments) '*) (< (integer-length x) (car arguments)))))
    (cons
     (and (consp x)
          (or (null arguments) (eq (car arguments) '*) (typep (car x) (car arguments)))
          (or (null (cdr arguments)) (eq (cadr arguments) '*) (typep (cdr x) (cadr arguments)))))
    ((string simple-string bit-vector simple-vector)
     (and (typep x name)
          (or (null arguments) (eq (car arguments) '*) (eql (length x) (car arguments)))))
    (vector
     (and (vectorp x)
          (or (null arguments) (eq (car arguments) '*)
              (eq (%type-code (car arguments)) (%element-code x)))
          (or (null (cdr arguments)) (eq (cadr arguments) '*) (eql (length x) (cadr arguments)))))
    ((array simple-array)
     (and (arrayp x)
          (or (null arguments) (eq (car arguments) '*)
              (eq (%type-code (car arguments)) (%element-code x)))
          (or (null (cdr arguments)) (eq (cadr arguments) '*)
              (if (integerp (cadr arguments))
                  (eql (array-rank x) (cadr arguments))
                  (and (eql (array-rank x) (length (cadr arguments)))
                       (every (lambda (have want) (or (eq want '*) (eql have want)))
                              (array-dimensions x) (cadr arguments)))))))
    ((function) (functionp x))
    (t (if (get name '%deftype)
           (typep x (funcall (get name '%deftype) arguments))
           (error "~S is no type." (cons name arguments))))))

(defglobal *subtypes*
  '((fixnum integer) (bignum integer) (integer rational) (ratio rational) (rational real) (float real)
    (single-float float) (real number) (bit unsigned-byte) (unsigned-byte integer) (signed-byte integer)
    (null list) (null symbol) (null boolean) (cons list) (list sequence) (keyword symbol) (boolean symbol)
    (standard-char character) (base-char character) (simple-string string) (string vector) (simple-vector vector)
    (bit-vector vector) (vector array) (vector sequence) (symbol atom) (number atom) (character atom) (array atom)
    (compiled-function function) (function atom)))

(defun subtypep (type other)
  "Two values: whether all objects of a type are of another, and whether that is certain."
  (cond ((or (equal type other) (eq other t) (null type)) (values t t))
        ((and (consp type) (eq (car type) 'or))
         (values (every (lambda (part) (subtypep part other)) (cdr type)) t))
        ((and (consp other) (eq (car other) 'or))
         (values (some (lambda (part) (subtypep type part)) (cdr other)) t))
        ((and (consp type) (member (car type) '(member eql)))
         (values (every (lambda (x) (typep x other)) (cdr type)) t))
        ((consp type)
         (if (consp other) (values nil nil) (subtypep (car type) other)))
        ((consp other) (values nil nil))
        ((some (lambda (pair) (and (eq (car pair) type) (subtypep (cadr pair) other))) *subtypes*)
         (values t t))
        ((%structure-name-p type)
         (do ((name type (%structure-parent name)))
             ((null name) (values nil t))
           (when (eq name other) (return (values t t)))))
        (t (values nil t))))

(defun coerce (x type)
  "An object of a type with the content of X."
  (let ((name (if (consp type) (car type) type)))
    (cond ((eq name t) x)
          ((%string-type-p type)
           (if (stringp x) x (%concatenate-strings (list x))))
          ((member name '(list sequence))
           (if (listp x) x (%to-list x)))
          ((member name '(vector simple-vector array simple-array bit-vector))
           (let ((code (cond ((eq name 'bit-vector) 0)
                             ((and (consp type) (cdr type) (not (eq (cadr type) '*)) (not (eq name 'simple-vector)))
                              (%type-code (cadr type)))
                             (t 38))))
             (if (and (vectorp x) (eq code (%element-code x)))
                 x
                 (let ((vector (%make-vector (length x) code)))
                   (%walk (lambda (element i) (setf (aref vector i) element)) x 0 nil)
                   vector))))
          ((member name '(float single-float short-float double-float long-float)) (float x))
          ((eq name 'character) (character x))
          ((eq name 'function) (if (functionp x) x (%coerce-to-function x)))
          ((eq name 'rational) (rational x))
          ((typep x type) x)
          (t (error "~S cannot be made a ~S." x type)))))

(defun %coerce-to-function (x)
  (if (symbolp x) (symbol-function x) (eval (list 'function x))))
