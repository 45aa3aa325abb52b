;;; Ratios, and division of all kinds of numbers into quotient and remainder.
;;;
;;;     RATIO, type 18, two cells:    | numerator | denominator |     in lowest terms, denominator at least 2

(defun gcd (&rest integers)
  "The greatest common divisor."
  (let ((result 0))
    (dolist (n integers (abs result))
      (setq result (%gcd result n)))))

(defun %gcd (a b)
  (do ()
      ((eql b 0) a)
    (let ((remainder (%op IREMAINDER a b)))
      (setq a b
            b remainder))))

(defun lcm (&rest integers)
  "The least common multiple."
  (let ((result 1))
    (dolist (n integers (abs result))
      (setq result (if (eql n 0)
                       0
                       (* result (%op IQUOTIENT n (%gcd result n))))))))

(defun %make-rational (numerator denominator)
  "The quotient of two integers, an integer or a ratio."
  (if (eql denominator 0)
      (%division-by-zero '/ numerator denominator)
      (let ((divisor (abs (%gcd numerator denominator))))
        (when (< denominator 0)
          (setq divisor (- divisor)))
        (let ((n (%op IQUOTIENT numerator divisor))
              (d (%op IQUOTIENT denominator divisor)))
          (if (eql d 1)
              n
              (let ((ratio (%create-cell 18)))
                (%store ratio 0 n)
                (%store ratio 2 d)
                ratio))))))

(defun numerator (n)
  (if (%ratiop n) (%cell n 0) (%check-integer n)))

(defun denominator (n)
  (if (%ratiop n) (%cell n 2) 1))

(defun %rational+ (a b)
  (%make-rational (+ (* (numerator a) (denominator b))
                     (* (numerator b) (denominator a)))
                  (* (denominator a) (denominator b))))

(defun %rational-negate (n)
  (%make-rational (- 0 (numerator n)) (denominator n)))

(defun %rational* (a b)
  (%make-rational (* (numerator a) (numerator b))
                  (* (denominator a) (denominator b))))

(defun %rational/ (a b)
  (%make-rational (* (numerator a) (denominator b))
                  (* (denominator a) (numerator b))))

(defun %rational-compare (a b)
  (let ((x (* (numerator a) (denominator b)))
        (y (* (numerator b) (denominator a))))
    (cond ((< x y) -1)
          ((> x y) 1)
          (t 0))))

;;; Quotient and remainder. TRUNCATE goes towards zero, FLOOR down, CEILING up, ROUND to the nearest integer, of two that
;;; are as near to the even one. The remainder is always number - quotient * divisor.

(defun truncate (number &optional (divisor 1))
  "Two values: the quotient as an integer, without its fraction, and the remainder."
  (cond ((and (integerp number) (integerp divisor))
         (if (eql divisor 0)
             (%division-by-zero 'truncate number divisor)
             (values (%op IQUOTIENT number divisor) (%op IREMAINDER number divisor))))
        ((and (rationalp number) (rationalp divisor))
         (let* ((exact (/ number divisor))
                (quotient (%op IQUOTIENT (numerator exact) (denominator exact))))
           (values quotient (- number (* quotient divisor)))))
        ((= divisor 0) (%division-by-zero 'truncate number divisor))
        (t (let* ((exact (/ (rational number) (rational divisor)))
                  (quotient (%op IQUOTIENT (numerator exact) (denominator exact))))
             (values quotient
                     (float (- (rational number) (* quotient (rational divisor)))))))))

(defun floor (number &optional (divisor 1))
  "Two values: the greatest integer that is not greater than the quotient, and the remainder."
  (multiple-value-bind (quotient remainder) (truncate number divisor)
    (if (and (not (zerop remainder))
             (not (eq (minusp remainder) (minusp divisor))))
        (values (1- quotient) (+ remainder divisor))
        (values quotient remainder))))

(defun ceiling (number &optional (divisor 1))
  "Two values: the least integer that is not less than the quotient, and the remainder."
  (multiple-value-bind (quotient remainder) (truncate number divisor)
    (if (and (not (zerop remainder))
             (eq (minusp remainder) (minusp divisor)))
        (values (1+ quotient) (- remainder divisor))
        (values quotient remainder))))

(defun round (number &optional (divisor 1))
  "Two values: the integer that is nearest to the quotient, and the remainder."
  (multiple-value-bind (quotient remainder) (floor number divisor)
    (let ((twice (* 2 (abs remainder)))
          (whole (abs divisor)))
      (if (or (> twice whole)
              (and (= twice whole) (oddp quotient)))
          (values (1+ quotient) (- remainder divisor))
          (values quotient remainder)))))

(defun mod (number divisor)
  "The remainder of FLOOR; it has the sign of the divisor."
  (multiple-value-bind (quotient remainder) (floor number divisor)
    remainder))

(defun rem (number divisor)
  "The remainder of TRUNCATE; it has the sign of the number."
  (multiple-value-bind (quotient remainder) (truncate number divisor)
    remainder))

(defun %float-quotient (values)
  (values (float (car values)) (cadr values)))

(defun ffloor (number &optional (divisor 1))
  (%float-quotient (multiple-value-list (floor number divisor))))
(defun fceiling (number &optional (divisor 1))
  (%float-quotient (multiple-value-list (ceiling number divisor))))
(defun ftruncate (number &optional (divisor 1))
  (%float-quotient (multiple-value-list (truncate number divisor))))
(defun fround (number &optional (divisor 1))
  (%float-quotient (multiple-value-list (round number divisor))))

;;; Powers and roots

(defun expt (base power)
  "BASE to a power. An integer power of a rational number is exact."
  (cond ((integerp power)
         (if (< power 0)
             (/ 1 (%power base (- power)))
             (%power base power)))
        ((= base 0) 0.0)
        (t (exp (* power (log base))))))

(defun %power (base power)
  "By squaring: the bits of the power say which squares are factors."
  (let ((result (if (floatp base) 1.0 1)))
    (do ()
        ((eql power 0) result)
      (when (oddp power)
        (setq result (* result base)))
      (setq power (ash power -1))
      (unless (eql power 0)
        (setq base (* base base))))))

(defun isqrt (n)
  "The greatest integer whose square is not greater than N. Newton's method from above."
  (cond ((or (not (integerp n)) (< n 0)) (%wrong-type n 'unsigned-byte))
        ((eql n 0) 0)
        (t (let ((root (ash 1 (ash (1+ (integer-length n)) -1))))
             (do ()
                 (nil)
               (let ((better (ash (+ root (%op IQUOTIENT n root)) -1)))
                 (when (>= better root) (return root))
                 (setq root better)))))))
