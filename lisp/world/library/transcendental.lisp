;;; Roots, exponentials, logarithms, angles: floats by series and Newton's method, to single precision.

(defconstant pi 3.1415927)
(defconstant %half-pi 1.5707964)
(defconstant %log-2 0.6931472)

(defun sqrt (x)
  "The square root. Of the square of an integer it is exact."
  (cond ((< x 0) (error 'arithmetic-error :operation 'sqrt :operands (list x)))
        ((= x 0) (float x))
        (t
         ;; The root of an integer with 26 bits or more, and one that says whether there is a rest, rounds right.
         (let ((exact (rational x)))
           (let* ((n (numerator exact))
                  (d (denominator exact))
                  (shift (max 0 (- 60 (- (integer-length n) (integer-length d)))))
                  (even (if (oddp shift) (1+ shift) shift))
                  (scaled (values (floor (ash n even) d)))
                  (root (isqrt scaled)))
             (%compose-float (+ (* 2 root) (if (= (* root root) scaled) 0 1))
                             (- -1 (ash even -1))
                             1))))))

(defun %polynomial (x coefficients)
  "The value of a polynomial, the highest coefficient first."
  (let ((sum 0.0))
    (dolist (c coefficients sum)
      (setq sum (+ c (* sum x))))))

(defun exp (x)
  "e to the power of X: 2 to an integer times e to what is left, which is small."
  (let* ((x (float x))
         (n (values (round x %log-2)))
         (high (- x (* n 0.6931458)))
         (rest (- high (* n 1.4286068e-6))))
    (scale-float (%polynomial rest '(1.9841270e-4 1.3888889e-3 8.3333333e-3 4.1666667e-2 0.16666667 0.5 1.0 1.0)) n)))

(defun %log-of-fraction (f)
  "The logarithm of a number near 1: twice the area tangent of (f-1)/(f+1)."
  (let* ((z (/ (- f 1.0) (+ f 1.0)))
         (square (* z z)))
    (* 2.0 z (%polynomial square '(0.09090909 0.11111111 0.14285715 0.2 0.33333334 1.0)))))

(defun log (x &optional base)
  "The natural logarithm, or that to a base."
  (cond (base (/ (log x) (log base)))
        ((<= x 0) (error 'arithmetic-error :operation 'log :operands (list x)))
        (t
         (multiple-value-bind (fraction exponent) (%fraction-and-exponent x)
           (if (< fraction 0.70710677)
               (setq fraction (* 2.0 fraction)
                     exponent (1- exponent)))
           (+ (* exponent 0.6931458)
              (+ (* exponent 1.4286068e-6)
                 (%log-of-fraction fraction)))))))

(defun %fraction-and-exponent (x)
  "A fraction from 0.5 to 1 and a power of 2 whose product is X; X may be an integer of any size."
  (if (integerp x)
      (let ((bits (integer-length x)))
        (values (%compose-float x (- bits) 1) bits))
      (multiple-value-bind (fraction exponent) (decode-float (float x))
        (values fraction exponent))))

(defun %sine (x)
  "The sine of a small angle."
  (let ((square (* x x)))
    (* x (%polynomial square '(2.7557319e-6 -1.9841270e-4 8.3333333e-3 -0.16666667 1.0)))))

(defun %cosine (x)
  "The cosine of a small angle."
  (%polynomial (* x x) '(-2.7557319e-7 2.4801587e-5 -1.3888889e-3 4.1666667e-2 -0.5 1.0)))

(defun %quadrant (x)
  "Two values: how many right angles are nearest to an angle, and what is left."
  (let ((n (values (round x %half-pi))))
    (values n
            (- (- (- x (* n 1.5703125)) (* n 4.8375130e-4)) (* n 7.5497900e-8)))))

(defun sin (x)
  (multiple-value-bind (n rest) (%quadrant (float x))
    (case (mod n 4)
      (0 (%sine rest))
      (1 (%cosine rest))
      (2 (- (%sine rest)))
      (t (- (%cosine rest))))))

(defun cos (x)
  (multiple-value-bind (n rest) (%quadrant (float x))
    (case (mod n 4)
      (0 (%cosine rest))
      (1 (- (%sine rest)))
      (2 (- (%cosine rest)))
      (t (%sine rest)))))

(defun tan (x) (/ (sin x) (cos x)))

(defun %arc-tangent (x)
  "The angle of a positive tangent."
  (cond ((> x 1.0) (- %half-pi (%arc-tangent (/ 1.0 x))))
        ((> x 0.41421357)
         (+ 0.7853982 (%arc-tangent-small (/ (- x 1.0) (+ x 1.0)))))
        (t (%arc-tangent-small x))))

(defun %arc-tangent-small (x)
  (let ((square (* x x)))
    (* x (%polynomial square '(0.058823529 -0.066666667 0.076923077 -0.090909091 0.11111111 -0.14285714 0.2
                               -0.33333333 1.0)))))

(defun atan (y &optional (x 1.0 given))
  "The angle whose tangent is Y, or Y/X in the right quadrant."
  (let ((y (float y))
        (x (float x)))
    (cond ((not given) (if (< y 0) (- (%arc-tangent (- y))) (%arc-tangent y)))
          ((> x 0) (atan (/ y x)))
          ((= x 0) (cond ((> y 0) %half-pi) ((< y 0) (- %half-pi)) (t 0.0)))
          ((< y 0) (- (atan (/ y x)) pi))
          (t (+ (atan (/ y x)) pi)))))

(defun asin (x) (atan x (sqrt (- 1.0 (* x x)))))
(defun acos (x) (- %half-pi (asin x)))
(defun sinh (x) (/ (- (exp x) (exp (- x))) 2.0))
(defun cosh (x) (/ (+ (exp x) (exp (- x))) 2.0))
(defun tanh (x) (/ (sinh x) (cosh x)))
