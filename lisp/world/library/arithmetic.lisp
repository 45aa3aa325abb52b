;;; Arithmetic: what the machine's opcodes leave to Lisp, and the functions of any number of arguments.
;;;
;;;     SMALLP   type 1     -65536..65535, in the pointer itself
;;;     FIXP     type 2     a cell of 32 bits
;;;     FLOATP   type 3     a cell with a single float
;;;     BIGNUM   type 17    a list of 12-bit digits and a sign (bignums.lisp)
;;;     RATIO    type 18    numerator and denominator (rationals.lisp)
;;;
;;; An opcode such as PLUS2 adds two numbers of the first three types. When the sum does not fit into 32 bits, or an operand
;;; is of another type, it calls the function that the table of UFNs ("unimplemented function") has for it, with the
;;; operands as they are: here these are the functions called %ufn-. Floats win: when one operand is a float, the other
;;; is made one.

;;; Kinds of numbers

(defun integerp (x)
  "True of integers of any size."
  (let ((type (%type-number x)))
    (or (eq type 1) (eq type 2) (eq type 17))))

(defun fixnump (x)
  "True of integers of up to 32 bits, those that the machine computes with."
  (let ((type (%type-number x)))
    (or (eq type 1) (eq type 2))))

(defun bignump (x) (eq (%type-number x) 17))
(defun floatp (x) (eq (%type-number x) 3))
(defun %ratiop (x) (eq (%type-number x) 18))

(defun rationalp (x)
  "True of integers and ratios."
  (let ((type (%type-number x)))
    (or (eq type 1) (eq type 2) (eq type 17) (eq type 18))))

(defun numberp (x)
  "True of numbers."
  (let ((type (%type-number x)))
    (or (eq type 1) (eq type 2) (eq type 3) (eq type 17) (eq type 18))))

(defun realp (x) (numberp x))
(defun complexp (x) nil)

(defun %check-number (x)
  "An error unless X is a number."
  (if (numberp x) x (%wrong-type x 'number)))

(defun %check-integer (x)
  (if (integerp x) x (%wrong-type x 'integer)))

;;; The UFNs

(defun %ufn-plus (a b)
  (cond ((or (floatp a) (floatp b)) (%op FPLUS2 (%as-float a) (%as-float b)))
        ((and (integerp a) (integerp b)) (%integer+ a b))
        (t (%rational+ (%check-number a) (%check-number b)))))

(defun %ufn-difference (a b)
  (cond ((or (floatp a) (floatp b)) (%op FDIFFERENCE (%as-float a) (%as-float b)))
        ((and (integerp a) (integerp b)) (%integer+ a (%integer-negate b)))
        (t (%rational+ (%check-number a) (%rational-negate (%check-number b))))))

(defun %ufn-times (a b)
  (cond ((or (floatp a) (floatp b)) (%op FTIMES2 (%as-float a) (%as-float b)))
        ((and (integerp a) (integerp b)) (%integer* a b))
        (t (%rational* (%check-number a) (%check-number b)))))

(defun %ufn-quotient (a b)
  "Of integers, truncated towards zero; of other numbers, exact."
  (cond ((or (floatp a) (floatp b)) (%op FQUOTIENT (%as-float a) (%as-float b)))
        ((and (integerp a) (integerp b)) (values (%integer-divide a b)))
        (t (%rational/ (%check-number a) (%check-number b)))))

(defun %ufn-iquotient (a b)
  (values (%integer-divide (%check-integer a) (%check-integer b))))

(defun %ufn-remainder (a b)
  "What the truncated quotient leaves; it has the sign of A."
  (if (and (integerp a) (integerp b))
      (multiple-value-bind (quotient remainder) (%integer-divide a b)
        remainder)
      (multiple-value-bind (quotient remainder) (truncate (%check-number a) (%check-number b))
        remainder)))

(defun %ufn-greaterp (a b)
  (cond ((and (integerp a) (integerp b)) (eql (%integer-compare a b) 1))
        ((and (rationalp a) (rationalp b)) (eql (%rational-compare a b) 1))
        ((and (floatp a) (floatp b)) (%float-greaterp a b))
        (t (eql (%rational-compare (rational (%check-number a)) (rational (%check-number b))) 1))))

(defun %ufn-fgreaterp (a b)
  (%float-greaterp (%as-float a) (%as-float b)))

(defun %float-greaterp (a b)
  (%op FGREATERP a b))

(defun %ufn-number-equal (a b)
  (cond ((and (integerp a) (integerp b)) (eql (%integer-compare a b) 0))
        ((and (rationalp a) (rationalp b)) (eql (%rational-compare a b) 0))
        (t (eql (%rational-compare (rational (%check-number a)) (rational (%check-number b))) 0))))

(defun %ufn-eql (a b)
  "EQL of two objects of the same type, of which the machine does not know the values."
  (let ((type (%type-number a)))
    (cond ((not (eq type (%type-number b))) nil)
          ((eq type 17) (eql (%integer-compare a b) 0))
          ((eq type 18)
           (and (eql (numerator a) (numerator b))
                (eql (denominator a) (denominator b))))
          (t (eq a b)))))

(defun %ufn-logand (a b) (%integer-logic 8 (%check-integer a) (%check-integer b)))
(defun %ufn-logor (a b) (%integer-logic 14 (%check-integer a) (%check-integer b)))
(defun %ufn-logxor (a b) (%integer-logic 6 (%check-integer a) (%check-integer b)))
(defun %ufn-shift (n count) (%integer-shift (%check-integer n) (%check-integer count)))

;; The opcodes for floats alone come here when an operand is no float or small integer, and when the result would be
;; infinite.

(defun %both-float (a b)
  (and (floatp a) (floatp b)))

(defun %ufn-fplus (a b)
  (if (%both-float a b)
      (%float-overflow '+ a b)
      (%op FPLUS2 (%as-float a) (%as-float b))))

(defun %ufn-fdifference (a b)
  (if (%both-float a b)
      (%float-overflow '- a b)
      (%op FDIFFERENCE (%as-float a) (%as-float b))))

(defun %ufn-ftimes (a b)
  (if (%both-float a b)
      (%float-overflow '* a b)
      (%op FTIMES2 (%as-float a) (%as-float b))))

(defun %ufn-fquotient (a b)
  (cond ((not (%both-float a b)) (%op FQUOTIENT (%as-float a) (%as-float b)))
        ((zerop b) (%division-by-zero '/ a b))
        (t (%float-overflow '/ a b))))

(defun %float-overflow (operation &rest operands)
  (error 'floating-point-overflow :operation operation :operands operands))

(defun %division-by-zero (operation &rest operands)
  (error 'division-by-zero :operation operation :operands operands))

;;; Functions of any number of arguments. Calls with two are opcodes where the compiler sees them.

(defun + (&rest numbers)
  "The sum of the arguments; 0 if there are none."
  (let ((sum 0))
    (dolist (n numbers sum)
      (setq sum (+ sum n)))))

(defun * (&rest numbers)
  "The product of the arguments; 1 if there are none."
  (let ((product 1))
    (dolist (n numbers product)
      (setq product (* product n)))))

(defun - (number &rest more)
  "The first argument less all others; with one argument, its negative."
  (if more
      (dolist (n more number)
        (setq number (- number n)))
      (if (floatp number)
          (* number -1.0)
          (- 0 number))))

(defun / (number &rest more)
  "The first argument divided by all others; with one argument, its reciprocal."
  (if more
      (dolist (n more number)
        (setq number (%divide number n)))
      (%divide 1 number)))

(defun %divide (a b)
  (cond ((or (floatp a) (floatp b)) (%op FQUOTIENT (%as-float a) (%as-float b)))
        ((and (integerp a) (integerp b)) (%make-rational a b))
        (t (%rational/ (%check-number a) (%check-number b)))))

(defun 1+ (number) (+ number 1))
(defun 1- (number) (- number 1))

(defun %compare-chain (test first more)
  (%check-number first)
  (do ((last first (car tail))
       (tail more (cdr tail)))
      ((null tail) t)
    (unless (funcall test last (car tail)) (return nil))))

(defun %number= (a b) (= a b))
(defun %number< (a b) (< a b))
(defun %number> (a b) (> a b))

(defun = (first &rest more) (%compare-chain #'%number= first more))
(defun < (first &rest more) (%compare-chain #'%number< first more))
(defun > (first &rest more) (%compare-chain #'%number> first more))
(defun <= (first &rest more) (%compare-chain #'%<= first more))
(defun >= (first &rest more) (%compare-chain #'%>= first more))

(defun /= (first &rest more)
  "True if no two of the arguments are equal."
  (do ((n first (car tail))
       (tail more (cdr tail)))
      ((null tail) t)
    (when (dolist (other tail nil)
            (when (= n other) (return t)))
      (return nil))))

(defun max (first &rest more)
  "The greatest of the arguments."
  (%check-number first)
  (dolist (n more first)
    (when (> n first) (setq first n))))

(defun min (first &rest more)
  "The least of the arguments."
  (%check-number first)
  (dolist (n more first)
    (when (< n first) (setq first n))))

(defun zerop (n) (= n 0))
(defun plusp (n) (> n 0))
(defun minusp (n) (< n 0))
(defun evenp (n) (eql (logand n 1) 0))
(defun oddp (n) (eql (logand n 1) 1))

(defun abs (n)
  "The number without its sign."
  (if (< n 0) (- n) n))

(defun signum (n)
  "-1, 0 or 1, of the type of N."
  (cond ((floatp n) (cond ((> n 0) 1.0) ((< n 0) -1.0) (t n)))
        ((> n 0) 1)
        ((< n 0) -1)
        (t 0)))

;;; Integers as bits

(defun logand (&rest integers)
  (let ((result -1))
    (dolist (n integers result)
      (setq result (logand result n)))))

(defun logior (&rest integers)
  (let ((result 0))
    (dolist (n integers result)
      (setq result (%op LOGOR2 result n)))))

(defun logor (&rest integers)
  (apply #'logior integers))

(defun logxor (&rest integers)
  (let ((result 0))
    (dolist (n integers result)
      (setq result (logxor result n)))))

(defun lognot (n) (- -1 n))
(defun logandc2 (a b) (logand a (lognot b)))
(defun logeqv (a b) (lognot (logxor a b)))
(defun lognand (a b) (lognot (logand a b)))
(defun lognor (a b) (lognot (%op LOGOR2 a b)))
(defun logtest (a b) (not (eql (logand a b) 0)))
(defun logbitp (index n) (logtest n (ash 1 index)))

(defun ash (n count)
  "N shifted left by so many bits, or right if the count is negative."
  (%op LSH n count))

(defun integer-length (n)
  "How many bits a two's complement of N needs, without its sign."
  (let ((n (if (< n 0) (lognot n) n))
        (bits 0))
    (do ()
        ((< n 65536))
      (setq n (ash n -16)
            bits (+ bits 16)))
    (do ()
        ((eql n 0) bits)
      (setq n (ash n -1)
            bits (1+ bits)))))

(defun logcount (n)
  "How many bits are 1 (0, of a negative N)."
  (let ((n (if (< n 0) (lognot n) n))
        (count 0))
    (do ()
        ((eql n 0) count)
      (setq count (+ count (logand n 1))
            n (ash n -1)))))
