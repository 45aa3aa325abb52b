;;; Numbers as text: integers in any base, ratios, and the syntax of numbers for the reader.

(defun %integer-string (n radix)
  "An integer in a base from 2 to 36. Several digits are split off at once, as many as fit into 12 bits."
  (if (fixnump n)
      (%small-string n radix)
      (let* ((places (case radix (2 11) (8 3) (10 3) (16 2) (t 2)))
             (chunk (expt radix places))
             (digits (%digits n))
             (characters nil))
        (do ()
            ((null digits))
          (multiple-value-bind (quotient remainder) (%digits/small digits chunk)
            (setq digits quotient)
            (dotimes (i places)
              (setq characters (cons (digit-char (%op IREMAINDER remainder radix) radix) characters)
                    remainder (%op IQUOTIENT remainder radix)))))
        (do ()
            ((not (eq (car characters) #\0)))
          (setq characters (cdr characters)))
        (when (%negativep n)
          (setq characters (cons #\- characters)))
        (coerce characters 'string))))

(defun %small-string (n radix)
  "An integer of up to 32 bits in a base."
  (let ((characters nil)
        (negative (< n 0)))
    ;; A remainder has the sign of N; this way the least integer needs no care.
    (do ()
        ((eql n 0))
      (setq characters (cons (digit-char (abs (%op IREMAINDER n radix)) radix) characters)
            n (%op IQUOTIENT n radix)))
    (when (null characters)
      (setq characters (list #\0)))
    (when negative
      (setq characters (cons #\- characters)))
    (coerce characters 'string)))

(defun %number-string (n radix)
  "Any number as text."
  (cond ((integerp n) (%integer-string n radix))
        ((floatp n) (%float-string n))
        (t (string-append (%integer-string (numerator n) radix) "/" (%integer-string (denominator n) radix)))))

(defun %whitespacep (character)
  (let ((code (char-code character)))
    (or (eql code 32) (eql code 10) (eql code 9) (eql code 13) (eql code 12))))

(defun parse-integer (string &key (start 0) end (radix 10) junk-allowed)
  "Two values: the integer that a string is, and where it ends."
  (let* ((end (or end (length string)))
         (i start)
         (negative nil)
         (value nil))
    (do ()
        ((or (>= i end) (not (%whitespacep (aref string i)))))
      (setq i (1+ i)))
    (when (and (< i end) (find (aref string i) "+-"))
      (setq negative (eq (aref string i) #\-)
            i (1+ i)))
    (do ((digit nil))
        ((or (>= i end)
             (null (setq digit (digit-char-p (aref string i) radix)))))
      (setq value (+ digit (* (or value 0) radix))
            i (1+ i)))
    (unless junk-allowed
      (do ()
          ((or (>= i end) (not (%whitespacep (aref string i)))))
        (setq i (1+ i)))
      (when (or (null value) (< i end))
        (error 'parse-error :format-control "~S is not an integer in base ~D."
                            :format-arguments (list (subseq string start end) radix))))
    (values (if (and value negative) (- value) value) i)))

(defun %digits-end (string i end radix)
  "Where the digits that begin at I end."
  (do ((i i (1+ i)))
      ((or (>= i end) (not (digit-char-p (aref string i) radix))) i)))

(defun %parse-number (string radix)
  "The number that a token is, or NIL.

    [sign] digits [.]              integer; with the point, decimal
    [sign] digits / digits         ratio
    [sign] [digits] . digits [e [sign] digits]         float
    [sign] digits [. [digits]] e [sign] digits"
  (let* ((end (length string))
         (start (if (and (> end 0) (find (aref string 0) "+-")) 1 0))
         (first (%digits-end string start end radix)))
    (cond ((>= start end) nil)
          ((and (eql first end) (> first start))
           (values (parse-integer string :radix radix)))
          ((and (> first start) (eq (aref string first) #\/))
           (let ((last (%digits-end string (1+ first) end radix)))
             (if (and (eql last end) (> last (1+ first)))
                 (/ (parse-integer string :end first :radix radix)
                    (parse-integer string :start (1+ first) :radix radix))
                 nil)))
          (t (%parse-decimal string start end)))))

(defun %parse-decimal (string start end)
  "The decimal integer or float that a token is, or NIL."
  (let* ((whole-end (%digits-end string start end 10))
         (point (and (< whole-end end) (eq (aref string whole-end) #\.)))
         (fraction (if point (1+ whole-end) whole-end))
         (fraction-end (%digits-end string fraction end 10))
         (places (- fraction-end fraction))
         (whole-digits (- whole-end start))
         (exponent 0)
         (i fraction-end))
    (cond ((and (eql whole-digits 0) (eql places 0)) nil)
          ((and point (eql places 0) (eql i end) (> whole-digits 0))
           (values (parse-integer string :end whole-end)))
          (t
           (when (and (< i end) (find (aref string i) "eEfFsSdD"))
             (let* ((sign (if (and (< (1+ i) end) (find (aref string (1+ i)) "+-")) 1 0))
                    (digits (+ i 1 sign))
                    (last (%digits-end string digits end 10)))
               (if (and (> last digits) (eql last end))
                   (setq exponent (parse-integer string :start (1+ i))
                         i last)
                   (setq i -1))))
           (if (and (eql i end) (or (> places 0) (> i fraction-end)))
               (%decimal-float (parse-integer (string-append "0" (subseq string start whole-end)
                                                             (subseq string fraction fraction-end)))
                               (- exponent places)
                               (eq (aref string 0) #\-))
               nil)))))

(defun %decimal-float (n exponent negative)
  "The float that is nearest to N * 10^exponent."
  (let ((sign (if negative -1 1)))
    (cond ((eql n 0) (%compose-float 0 0 sign))
          ((>= exponent 0) (%compose-float (* n (expt 10 exponent)) 0 sign))
          ((< (+ exponent (length (%integer-string n 10))) -50) (%compose-float 0 0 sign))
          (t (%ratio-float (* sign n) (expt 10 (- exponent)))))))
