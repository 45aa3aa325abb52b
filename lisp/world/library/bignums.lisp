;;; Integers of any size.
;;;
;;;     BIGNUM, type 17, two cells:   | list of digits | sign: NIL or T, which is negative |
;;;
;;;     digits, of 12 bits, the least first:    5 + 7*4096  =  (5 7)
;;;
;;; An integer that fits into 32 bits is never a bignum. The functions on digits work on lists without a sign and without
;;; zeros in front of the number (that is, at the list's end). 12 bits are few enough that a product of two digits and a
;;; carry fit into 32 bits.

(defun %make-bignum (digits negative)
  (let ((n (%create-cell 17)))
    (%store n 0 digits)
    (%store n 2 negative)
    n))

(defun %digits (n)
  "The digits of an integer without its sign."
  (cond ((eq (%type-number n) 17) (%cell n 0))
        ((eql n 0) nil)
        ((eql n -2147483648) '(0 0 128))
        (t (let ((n (if (< n 0) (- 0 n) n))
                 (digits nil))
             (do ()
                 ((eql n 0) (nreverse digits))
               (setq digits (cons (logand n 4095) digits)
                     n (%op LSH n -12)))))))

(defun %negativep (n)
  "The sign of an integer."
  (if (eq (%type-number n) 17) (%cell n 2) (< n 0)))

(defun %trim-digits (backwards)
  "The digits of a list that has the greatest digit first, without leading zeros, in order."
  (do ()
      ((or (null backwards) (not (eql (car backwards) 0))))
    (setq backwards (cdr backwards)))
  (nreverse backwards))

(defun %integer (digits negative)
  "The integer with these digits."
  (cond ((null digits) 0)
        ((null (cdr digits)) (if negative (- 0 (car digits)) (car digits)))
        ((or (null (cddr digits))
             (and (null (cdddr digits)) (< (caddr digits) 128)))
         (let ((n (+ (car digits)
                     (+ (* (cadr digits) 4096)
                        (* (or (caddr digits) 0) 16777216)))))
           (if negative (- 0 n) n)))
        ((and negative (equal digits '(0 0 128))) -2147483648)
        (t (%make-bignum digits negative))))

;;; Digits

(defun %digits-compare (a b)
  "-1, 0 or 1 as A is less than, equal to or greater than B."
  (let ((order 0))
    (do ()
        ((or (null a) (null b))
         (cond (a 1) (b -1) (t order)))
      (let ((x (car a))
            (y (car b)))
        (cond ((> x y) (setq order 1))
              ((< x y) (setq order -1)))
        (setq a (cdr a)
              b (cdr b))))))

(defun %digits+ (a b)
  (let ((carry 0)
        (sum nil))
    (do ()
        ((and (null a) (null b))
         (when (> carry 0) (setq sum (cons carry sum)))
         (nreverse sum))
      (let ((digit (+ carry (+ (if a (car a) 0) (if b (car b) 0)))))
        (setq sum (cons (logand digit 4095) sum)
              carry (if (> digit 4095) 1 0)
              a (cdr a)
              b (cdr b))))))

(defun %digits- (a b)
  "A less B, which must not be greater."
  (let ((borrow 0)
        (difference nil))
    (do ()
        ((null a) (%trim-digits difference))
      (let ((digit (- (- (car a) (if b (car b) 0)) borrow)))
        (setq borrow (if (< digit 0) 1 0)
              difference (cons (logand digit 4095) difference)
              a (cdr a)
              b (cdr b))))))

(defun %digits*small (digits factor)
  "The product with a number of up to 12 bits."
  (let ((carry 0)
        (product nil))
    (do ()
        ((null digits)
         (when (> carry 0) (setq product (cons carry product)))
         (%trim-digits product))
      (let ((n (+ carry (* factor (car digits)))))
        (setq product (cons (logand n 4095) product)
              carry (%op LSH n -12)
              digits (cdr digits))))))

(defun %digits* (a b)
  "The product, by the method of school: a row for each digit of A, added up as it goes."
  (cond ((or (null a) (null b)) nil)
        ((null (cdr a)) (%digits*small b (car a)))
        ((null (cdr b)) (%digits*small a (car b)))
        (t (let* ((end (+ (length a) (length b)))
                  (row (%make-vector end 4))
                  (place 0))
             (dolist (x a)
               (let ((carry 0)
                     (i place))
                 (dolist (y b)
                   (let ((n (+ (+ (aref row i) carry) (* x y))))
                     (setf (aref row i) (logand n 4095))
                     (setq carry (%op LSH n -12)
                           i (1+ i))))
                 (setf (aref row i) carry)
                 (setq place (1+ place))))
             (%vector-digits row end)))))

(defun %vector-digits (vector end)
  "The first digits of a vector as a list."
  (let ((digits nil)
        (i (1- end)))
    (do ()
        ((or (< i 0) (not (eql (aref vector i) 0))))
      (setq i (1- i)))
    (do ()
        ((< i 0) digits)
      (setq digits (cons (aref vector i) digits)
            i (1- i)))))

(defun %digits/small (digits divisor)
  "Two values: quotient and remainder by a divisor of up to 12 bits."
  (let ((remainder 0)
        (quotient nil))
    (dolist (digit (reverse digits))
      (let ((n (+ digit (* remainder 4096))))
        (setq quotient (cons (%op IQUOTIENT n divisor) quotient)
              remainder (%op IREMAINDER n divisor))))
    ;; QUOTIENT has its least digit first already; only the zeros at its end must go.
    (values (%trim-digits (nreverse quotient)) remainder)))

(defun %digits/ (a b)
  "Two values: the digits of quotient and remainder. Long division; both numbers are first scaled so that the divisor's
first digit is at least half of 4096, which makes the guess of a quotient's digit too great by 2 at most."
  (cond ((< (%digits-compare a b) 0) (values nil a))
        ((null (cdr b))
         (multiple-value-bind (quotient remainder) (%digits/small a (car b))
           (values quotient (if (eql remainder 0) nil (list remainder)))))
        (t
         (let* ((scale (%op IQUOTIENT 4096 (1+ (car (last b)))))
                (divisor (%digits-vector (%digits*small b scale) 0))
                (n (length b))
                (rest (%digits-vector (%digits*small a scale) (1+ (length a))))
                (places (- (length a) n))
                (quotient nil))
           (do ((place places (1- place)))
               ((< place 0))
             (let ((digit (%quotient-digit rest place divisor n)))
               (when (%subtract-multiple rest place divisor n digit)
                 (setq digit (1- digit))
                 (%add-back rest place divisor n))
               (setq quotient (cons digit quotient))))
           (values (%trim-digits (nreverse quotient))
                   (%digits/small (%vector-digits rest n) scale))))))

(defun %digits-vector (digits least)
  "A vector of the digits, of at least so many elements."
  (let ((vector (%make-vector (max least (length digits)) 4))
        (i 0))
    (dolist (digit digits vector)
      (setf (aref vector i) digit)
      (setq i (1+ i)))))

(defun %quotient-digit (rest place divisor n)
  "A guess of a digit of the quotient from the first two digits of what is left; it is right or 1 too great."
  (let* ((top (+ place n))
         (first (+ (* (aref rest top) 4096) (aref rest (1- top))))
         (second (aref rest (- top 2)))
         (leading (aref divisor (1- n)))
         (next (aref divisor (- n 2)))
         (guess (min 4095 (%op IQUOTIENT first leading)))
         (left (- first (* guess leading))))
    (do ()
        ((or (> left 4095)
             (<= (* guess next) (+ (* left 4096) second)))
         guess)
      (setq guess (1- guess)
            left (+ left leading)))))

(defun %subtract-multiple (rest place divisor n digit)
  "Takes the divisor times a digit away from what is left; true if that was too much."
  (let ((borrow 0))
    (dotimes (i n)
      (let ((x (- (- (aref rest (+ place i)) borrow)
                  (* digit (aref divisor i)))))
        (setf (aref rest (+ place i)) (logand x 4095))
        ;; X is negative or a digit: the borrow is what must be added to its part above 12 bits.
        (setq borrow (if (< x 0)
                         (%op LSH (- 4095 x) -12)
                         0))))
    (let ((x (- (aref rest (+ place n)) borrow)))
      (setf (aref rest (+ place n)) (logand x 4095))
      (< x 0))))

(defun %add-back (rest place divisor n)
  (let ((carry 0))
    (dotimes (i n)
      (let ((x (+ carry (+ (aref rest (+ place i)) (aref divisor i)))))
        (setf (aref rest (+ place i)) (logand x 4095))
        (setq carry (if (> x 4095) 1 0))))
    (setf (aref rest (+ place n)) (logand (+ (aref rest (+ place n)) carry) 4095))))

;;; Integers

(defun %integer-negate (n)
  (%integer (%digits n) (not (%negativep n))))

(defun %integer+ (a b)
  (let ((x (%digits a))
        (y (%digits b))
        (negative (%negativep a)))
    (cond ((eq (if negative t nil) (if (%negativep b) t nil))
           (%integer (%digits+ x y) negative))
          ((< (%digits-compare x y) 0)
           (%integer (%digits- y x) (not negative)))
          (t (%integer (%digits- x y) negative)))))

(defun %integer* (a b)
  (%integer (%digits* (%digits a) (%digits b))
            (not (eq (if (%negativep a) t nil) (if (%negativep b) t nil)))))

(defun %integer-divide (a b)
  "Two values: quotient, truncated towards zero, and remainder."
  (when (eql b 0)
    (%division-by-zero '/ a b))
  (multiple-value-bind (quotient remainder) (%digits/ (%digits a) (%digits b))
    (values (%integer quotient (not (eq (if (%negativep a) t nil) (if (%negativep b) t nil))))
            (%integer remainder (%negativep a)))))

(defun %integer-compare (a b)
  "-1, 0 or 1 as A is less than, equal to or greater than B."
  (cond ((%negativep a)
         (if (%negativep b) (%digits-compare (%digits b) (%digits a)) -1))
        ((%negativep b) 1)
        (t (%digits-compare (%digits a) (%digits b)))))

(defun %integer-shift (n count)
  (cond ((eql n 0) 0)
        ((>= count 0)
         (let ((digits (%digits*small (%digits n) (%op LSH 1 (%op IREMAINDER count 12)))))
           (dotimes (i (%op IQUOTIENT count 12))
             (setq digits (cons 0 digits)))
           (%integer digits (%negativep n))))
        ((%negativep n) (- -1 (%integer-shift (- -1 n) count)))
        (t (let ((digits (nthcdr (%op IQUOTIENT (- 0 count) 12) (%digits n))))
             (%integer (values (%digits/small digits (%op LSH 1 (%op IREMAINDER (- 0 count) 12))))
                       nil)))))

;;; Logic. A negative number is, in two's complement, the complement of the number before its positive: -n = not (n-1).

(defun %complement-digits (n)
  "Two values: the digits of the two's complement of an integer, and the digit that all further ones are."
  (if (%negativep n)
      (values (mapcar (lambda (digit) (- 4095 digit)) (%digits (- -1 n))) 4095)
      (values (%digits n) 0)))

(defun %logic-digit (table a b)
  (let ((result 0))
    (when (logtest table 8) (setq result (%op LOGOR2 result (logand a b))))
    (when (logtest table 4) (setq result (%op LOGOR2 result (logand a (- 4095 b)))))
    (when (logtest table 2) (setq result (%op LOGOR2 result (logand (- 4095 a) b))))
    (when (logtest table 1) (setq result (%op LOGOR2 result (logand (- 4095 a) (- 4095 b)))))
    result))

(defun %integer-logic (table a b)
  "A logical operation on two integers. Its table: 8 if 1 and 1 give 1, 4 for 1 and 0, 2 for 0 and 1, 1 for 0 and 0."
  (multiple-value-bind (x x-rest) (%complement-digits a)
    (multiple-value-bind (y y-rest) (%complement-digits b)
      (let ((result nil)
            (negative (eql (%logic-digit table x-rest y-rest) 4095)))
        (do ()
            ((and (null x) (null y)))
          (let ((digit (%logic-digit table (if x (car x) x-rest) (if y (car y) y-rest))))
            (setq result (cons (if negative (- 4095 digit) digit) result)
                  x (cdr x)
                  y (cdr y))))
        (let ((n (%integer (%trim-digits result) nil)))
          (if negative (- -1 n) n))))))
