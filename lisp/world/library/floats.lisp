;;; Floats: single precision of IEEE 754.
;;;
;;;     FLOATP, type 3:     | sign 1 | exponent 8 | fraction, high 7 |  fraction, low 16 |
;;;                           word 0                                    word 1
;;;
;;;     value = fraction with a 1 in front, 24 bits, times 2^(exponent-150); without that 1 if the exponent is 0
;;;
;;; There are no infinities here: a result that is too large is an error. Reading and printing are exact: numbers are
;;; taken apart into integers, and put together again with one rounding.

(defun %make-float (high low)
  "The float of these two words."
  (let ((x (%create-cell 3)))
    (%set-word x 0 high)
    (%set-word x 1 low)
    x))

(defun integer-decode-float (x)
  "Three values: integer, exponent and sign, with X = sign * integer * 2^exponent."
  (let* ((high (%word x 0))
         (exponent (logand (%op LSH high -7) 255))
         (fraction (+ (* (logand high 127) 65536) (%word x 1)))
         (sign (if (> high 32767) -1 1)))
    (if (eql exponent 0)
        (values fraction -149 sign)
        (values (+ fraction 8388608) (- exponent 150) sign))))

(defun decode-float (x)
  "Three values: a float from 0.5 up to but not 1, an exponent and a sign, with X = sign * float * 2^exponent."
  (multiple-value-bind (fraction exponent sign) (integer-decode-float x)
    (if (eql fraction 0)
        (values 0.0 0 (float sign))
        (let ((bits (integer-length fraction)))
          (values (%compose-float fraction (- bits) 1)
                  (+ exponent bits)
                  (float sign))))))

(defun scale-float (x power)
  "X times 2 to a power."
  (multiple-value-bind (fraction exponent sign) (integer-decode-float x)
    (%compose-float fraction (+ exponent power) sign)))

(defun float-digits (x) 24)
(defun float-radix (x) 2)
(defun float-precision (x)
  (integer-length (values (integer-decode-float x))))

(defun float-sign (x &optional (magnitude 1.0))
  "A number with the sign of X."
  (multiple-value-bind (fraction exponent sign) (integer-decode-float x)
    (* sign (abs magnitude))))

(defun %round-off (n bits)
  "N / 2^bits, rounded to the nearest integer, of two to the even one."
  (if (<= bits 0)
      (ash n (- bits))
      (let* ((quotient (ash n (- bits)))
             (rest (- n (ash quotient bits)))
             (half (ash 1 (1- bits))))
        (if (or (> rest half)
                (and (= rest half) (oddp quotient)))
            (1+ quotient)
            quotient))))

(defun %compose-float (n exponent sign)
  "The float that is nearest to sign * N * 2^exponent; N is an integer that is not negative."
  (if (eql n 0)
      (%make-float (if (< sign 0) 32768 0) 0)
      (let* ((drop (max (- (integer-length n) 24)
                        (- -149 exponent)))
             (fraction (if (> drop 0) (%round-off n drop) (ash n (max 0 (- 24 (integer-length n))))))
             (power (if (> drop 0)
                        (+ exponent drop)
                        (- exponent (max 0 (- 24 (integer-length n)))))))
        ;; Rounding may have carried into a 25th bit; scaling up a small number may have gone below the least exponent.
        (when (> (integer-length fraction) 24)
          (setq fraction (ash fraction -1)
                power (1+ power)))
        (do ()
            ((>= power -149))
          (setq fraction (ash fraction -1)
                power (1+ power)))
        (let ((biased (if (< fraction 8388608) 0 (+ power 150))))
          (when (> biased 254)
            (%float-overflow 'float n exponent))
          (%make-float (+ (if (< sign 0) 32768 0)
                          (+ (ash biased 7)
                             (logand (ash fraction -16) 127)))
                       (logand fraction 65535))))))

(defun %as-float (x)
  "A number as a float."
  (cond ((floatp x) x)
        ((fixnump x) (%op FPLUS2 x 0.0))
        ((bignump x)
         (%compose-float (abs x) 0 (if (minusp x) -1 1)))
        ((%ratiop x)
         (%ratio-float (numerator x) (denominator x)))
        (t (%wrong-type x 'number))))

(defun %ratio-float (numerator denominator)
  "The float that is nearest to a quotient: enough bits of it, and one that says whether there are more."
  (let* ((n (abs numerator))
         (scale (max 0 (- 28 (- (integer-length n) (integer-length denominator))))))
    (multiple-value-bind (quotient remainder) (truncate (ash n scale) denominator)
      (%compose-float (+ (* 2 quotient) (if (eql remainder 0) 0 1))
                      (- -1 scale)
                      (if (< numerator 0) -1 1)))))

(defun float (x &optional prototype)
  "A number as a float."
  (%as-float x))

(defun rational (x)
  "The exact value of a number, an integer or ratio."
  (if (floatp x)
      (multiple-value-bind (fraction exponent sign) (integer-decode-float x)
        (if (>= exponent 0)
            (* sign (ash fraction exponent))
            (%make-rational (* sign fraction) (ash 1 (- exponent)))))
      (%check-number x)))

(defun rationalize (x)
  "The simplest rational number that is read as X."
  (if (floatp x)
      (multiple-value-bind (digits exponent) (%float-digits (abs x))
        (let ((n (if (zerop x)
                     0
                     (* (parse-integer digits) (expt 10 (- exponent (length digits)))))))
          (if (minusp x) (- n) n)))
      (%check-number x)))

;;; Shortest decimal digits. A float stands for all numbers that would be rounded to it; of those that lie between half
;;; the distance to its lower and to its upper neighbour, the digits printed are the shortest. All in integers:
;;;
;;;     x = r/s        m- and m+ over s: distance to the ends of the interval
;;;
;;; Digits come off one by one as r*10/s until what is left is within the interval.

(defun %float-digits (x)
  "Two values: a string of decimal digits and an exponent; a positive float X is 0.DIGITS times 10^exponent."
  (if (zerop x)
      (values "0" 1)
      (multiple-value-bind (f e) (integer-decode-float x)
        (let* ((up (max e 0))
               (down (max (- e) 0))
               (narrow (and (eql f 8388608) (> e -149)))
               (scale (if narrow 4 2))
               (r (* f (ash scale up)))
               (s (ash scale down))
               (m- (ash 1 up))
               (m+ (if narrow (* 2 m-) m-))
               (even (evenp f))
               (exponent 0)
               (digits nil))
          (flet ((too-high (r) (if even (>= (+ r m+) s) (> (+ r m+) s)))
                 (too-low (r) (if even (<= r m-) (< r m-))))
            (do ()
                ((not (too-high r)))
              (setq s (* s 10)
                    exponent (1+ exponent)))
            (do ()
                ((if even (>= (* 10 (+ r m+)) s) (> (* 10 (+ r m+)) s)))
              (setq r (* r 10)
                    m- (* m- 10)
                    m+ (* m+ 10)
                    exponent (1- exponent)))
            (do ((done nil))
                (done)
              (setq m- (* m- 10)
                    m+ (* m+ 10))
              (multiple-value-bind (digit rest) (truncate (* r 10) s)
                (setq r rest)
                (let ((low (too-low r))
                      (high (too-high r)))
                  (when (or low high)
                    (setq done t)
                    (when (and high (or (not low) (>= (* 2 r) s)))
                      (setq digit (1+ digit))))
                  (setq digits (cons digit digits))))))
          (values (coerce (mapcar #'digit-char (nreverse digits)) 'string)
                  exponent)))))

(defun %float-string (x)
  "A float as it is printed: with a point, and with an exponent where it is below 0.001 or not below 10 million."
  (multiple-value-bind (digits exponent) (%float-digits (abs x))
    (let ((sign (if (> (%word x 0) 32767) "-" ""))
          (n (length digits)))
      (cond ((or (zerop x) (and (<= exponent 7) (> exponent -3)))
             (cond ((<= exponent 0)
                    (string-append sign "0." (make-string (- exponent) :initial-element #\0) digits))
                   ((>= exponent n)
                    (string-append sign digits (make-string (- exponent n) :initial-element #\0) ".0"))
                   (t (string-append sign (subseq digits 0 exponent) "." (subseq digits exponent)))))
            (t (string-append sign (subseq digits 0 1) "."
                              (if (> n 1) (subseq digits 1) "0")
                              "e" (%integer-string (1- exponent) 10)))))))
