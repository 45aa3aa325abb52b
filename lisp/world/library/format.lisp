;;; FORMAT: text with places for objects.
;;;
;;;     ~[parameters][:][@]directive         parameters: numbers, 'c characters, V the next argument, # how many are left
;;;
;;;     ~A ~S ~W any object      ~D ~B ~O ~X ~R integers     ~F ~E ~G ~$ floats      ~C character     ~P plural
;;;     ~% ~& ~| ~~ ~T layout    ~* skips arguments          ~? another control string            ~( ~) case
;;;     ~{ ~} for each element   ~[ ~; ~] one of several     ~^ end of the enclosing part         ~newline nothing
;;;
;;; A control string is interpreted from left to right; a part in brackets is interpreted by a call of the same function
;;; for its part of the string.

(defvar *arguments* nil)                ; those not used yet
(defvar *all-arguments* nil)            ; all of the present control string or iteration

(defun format (destination control &rest arguments)
  "Writes a text to a stream (T: the standard output; NIL: returns it as a string)."
  (cond ((null destination)
         (with-output-to-string (stream)
           (%format stream control arguments)))
        ((stringp destination)
         (let ((text (with-output-to-string (stream) (%format stream control arguments))))
           (dotimes (i (length text) nil)
             (vector-push-extend (aref text i) destination))))
        (t
         (%format (if (eq destination t) *standard-output* destination) control arguments)
         nil)))

(defun %format (stream control arguments)
  (if (stringp control)
      (let ((*arguments* arguments)
            (*all-arguments* arguments))
        (catch '%up
          (%format-part stream control 0 (length control))))
      (apply control stream arguments)))

(defun %next-argument ()
  (when (null *arguments*)
    (error "There are not enough arguments for a format string."))
  (pop *arguments*))

;;; Directives

(defun %parse-directive (control i end)
  "Five values: the directive that begins behind the ~ at I: its character, parameters, :, @, and where it ends."
  (let ((parameters nil)
        (colon nil)
        (at nil))
    (setq i (1+ i))
    (do ((done nil))
        (done)
      (when (>= i end)
        (error "A format string ends within a directive: ~S." control))
      (let ((c (aref control i)))
        (cond ((or (digit-char-p c) (and (find c "+-") (< (1+ i) end) (digit-char-p (aref control (1+ i)))))
               (multiple-value-bind (n next) (parse-integer control :start i :end end :junk-allowed t)
                 (push n parameters)
                 (setq i next)))
              ((eq c #\')
               (push (aref control (1+ i)) parameters)
               (setq i (+ i 2)))
              ((char-equal c #\v)
               (push (%next-argument) parameters)
               (setq i (1+ i)))
              ((eq c #\#)
               (push (length *arguments*) parameters)
               (setq i (1+ i)))
              ((eq c #\,) (push nil parameters))
              (t (setq done t))))
      (when (and (not done) (< i end))
        (if (eq (aref control i) #\,)
            (setq i (1+ i))
            (setq done t))))
    (do ()
        ((not (and (< i end) (find (aref control i) ":@"))))
      (if (eq (aref control i) #\:) (setq colon t) (setq at t))
      (setq i (1+ i)))
    (when (>= i end)
      (error "A format string ends within a directive: ~S." control))
    (values (char-upcase (aref control i)) (nreverse parameters) colon at (1+ i))))

(defun %skip-directive (control i end)
  "Two values: the character of the directive at I, and where it ends. No argument is used."
  (do ((j (1+ i) (1+ j)))
      ((or (>= j end)
           (not (or (digit-char-p (aref control j)) (find (aref control j) "+-,:@#vV'"))))
       (values (if (< j end) (char-upcase (aref control j)) #\~) (min end (1+ j))))
    (when (eq (aref control j) #\')
      (setq j (1+ j)))))

(defun %find-parts (control i end close)
  "The parts of a bracketed section whose content begins at I: a list of (start end separator-had-colon), the place
behind the closing directive, and whether that had a colon, as three values."
  (let ((depth 0)
        (parts nil)
        (start i)
        (default nil))
    (do ((j i))
        ((>= j end) (error "~~~A is missing in ~S." close control))
      (if (eq (aref control j) #\~)
          (multiple-value-bind (c next) (%skip-directive control j end)
            (cond ((and (eql depth 0) (eq c close))
                   (push (list start j default) parts)
                   (return (values (nreverse parts) next (if (find #\: control :start j :end next) t nil))))
                  ((and (eql depth 0) (eq c #\;))
                   (push (list start j default) parts)
                   (setq start next
                         default (if (find #\: control :start j :end next) t nil)))
                  ((find c "{[(<") (setq depth (1+ depth)))
                  ((find c "}])>") (setq depth (1- depth))))
            (setq j next))
          (setq j (1+ j))))))

(defun %format-part (stream control i end)
  "Interprets a part of a control string."
  (do ()
      ((>= i end) nil)
    (let ((c (aref control i)))
      (if (not (eq c #\~))
          (progn
            (write-char c stream)
            (setq i (1+ i)))
          (multiple-value-bind (directive parameters colon at next) (%parse-directive control i end)
            (setq i (%format-directive stream control directive parameters colon at next end)))))))

(defun %format-directive (stream control directive parameters colon at next end)
  "Carries out a directive; the place where to go on."
  (case directive
    ((#\A #\S #\W) (%format-object stream directive parameters colon at))
    ((#\D #\B #\O #\X) (%format-integer stream (%next-argument)
                                        (case directive (#\D 10) (#\B 2) (#\O 8) (t 16))
                                        parameters colon at))
    (#\R (if (car parameters)
             (%format-integer stream (%next-argument) (car parameters) (cdr parameters) colon at)
             (%format-words stream (%next-argument) colon at)))
    (#\F (%format-fixed stream (%next-argument) parameters at))
    (#\E (%format-exponent stream (%next-argument) parameters at))
    (#\G (%format-general stream (%next-argument) parameters at))
    (#\$ (%format-money stream (%next-argument) parameters at))
    (#\C (%format-character stream (%next-argument) colon at))
    (#\P
     (when colon
       (setq *arguments* (nthcdr (1- (- (length *all-arguments*) (length *arguments*))) *all-arguments*)))
     (write-string (if (eql (%next-argument) 1)
                       (if at "y" "")
                       (if at "ies" "s"))
                   stream))
    (#\% (%repeat-character #\Newline (or (car parameters) 1) stream))
    (#\| (%repeat-character #\Page (or (car parameters) 1) stream))
    (#\~ (%repeat-character #\~ (or (car parameters) 1) stream))
    (#\& (let ((n (or (car parameters) 1)))
           (when (> n 0)
             (fresh-line stream)
             (%repeat-character #\Newline (1- n) stream))))
    (#\T (%format-tabulate stream parameters at))
    (#\* (let* ((used (- (length *all-arguments*) (length *arguments*)))
                (place (cond (at (or (car parameters) 0))
                             (colon (- used (or (car parameters) 1)))
                             (t (+ used (or (car parameters) 1))))))
           (setq *arguments* (nthcdr place *all-arguments*))))
    (#\? (let ((control (%next-argument)))
           (if at
               (%format-part stream control 0 (length control))
               (%format stream control (%next-argument)))))
    (#\^ (when (cond ((cdr parameters) (eql (car parameters) (cadr parameters)))
                     (parameters (eql (car parameters) 0))
                     (t (null *arguments*)))
           (throw '%up (if colon :all t))))
    (#\Newline
     (when at (terpri stream))
     (unless colon
       (do ()
           ((or (>= next end) (not (%whitespacep (aref control next)))))
         (setq next (1+ next)))))
    ((#\{ #\[ #\( #\<)
     (multiple-value-bind (parts after closing-colon)
         (%find-parts control next end (case directive (#\{ #\}) (#\[ #\]) (#\( #\)) (t #\>)))
       (case directive
         (#\{ (%format-iteration stream control (car parts) (car parameters) colon at closing-colon))
         (#\[ (%format-choice stream control parts (car parameters) colon at))
         (#\( (%format-case stream control (car parts) colon at))
         (t (%format-justified stream control parts parameters colon at)))
       (setq next after)))
    ((#\_ #\I) nil)
    (t (error "There is no format directive ~~~A, in ~S." directive control)))
  next)

(defun %repeat-character (character n stream)
  (dotimes (i n)
    (write-char character stream)))

(defun %padded (stream string width pad left)
  "Writes a string and so many characters, on its left or right, that it fills the width."
  (let ((missing (- (or width 0) (length string))))
    (when left (%repeat-character (or pad #\Space) missing stream))
    (write-string string stream)
    (unless left (%repeat-character (or pad #\Space) missing stream))))

(defun %format-object (stream directive parameters colon at)
  (let* ((object (%next-argument))
         (width (car parameters))
         (column-step (or (cadr parameters) 1))
         (least (or (caddr parameters) 0))
         (pad (or (cadddr parameters) #\Space)))
    (if (and (null parameters) (not (and colon (null object))))
        (case directive
          (#\A (princ object stream))
          (#\S (prin1 object stream))
          (t (write object :stream stream)))
        (let* ((text (cond ((and colon (null object)) "()")
                           ((eq directive #\A) (princ-to-string object))
                           (t (prin1-to-string object))))
               (missing least))
          (do ()
              ((>= (+ (length text) missing) (or width 0)))
            (setq missing (+ missing column-step)))
          (when at (%repeat-character pad missing stream))
          (write-string text stream)
          (unless at (%repeat-character pad missing stream))))))

;;; Integers

(defun %with-commas (digits comma interval)
  "A string of digits with a comma in front of every group but the first."
  (let ((first (rem (length digits) interval)))
    (do ((i (if (eql first 0) interval first) (+ i interval))
         (text (subseq digits 0 (min (length digits) (if (eql first 0) interval first)))
               (string-append text (string comma) (subseq digits i (+ i interval)))))
        ((>= i (length digits)) text))))

(defun %format-integer (stream n base parameters colon at)
  (if (not (integerp n))
      (let ((*print-base* base)
            (*print-radix* nil))
        (%padded stream (princ-to-string n) (car parameters) (cadr parameters) t))
      (let ((digits (%integer-string (abs n) base)))
        (when colon
          (setq digits (%with-commas digits (or (caddr parameters) #\,) (or (cadddr parameters) 3))))
        (%padded stream
                 (string-append (cond ((< n 0) "-") (at "+") (t "")) digits)
                 (car parameters) (cadr parameters) t))))

(defglobal *small-numbers*
  (vector "zero" "one" "two" "three" "four" "five" "six" "seven" "eight" "nine" "ten" "eleven" "twelve" "thirteen"
          "fourteen" "fifteen" "sixteen" "seventeen" "eighteen" "nineteen"))
(defglobal *tens* (vector "" "" "twenty" "thirty" "forty" "fifty" "sixty" "seventy" "eighty" "ninety"))
(defglobal *thousands*
  (vector "" " thousand" " million" " billion" " trillion" " quadrillion" " quintillion" " sextillion" " septillion"))

(defun %below-thousand (n)
  "A number below 1000 in words."
  (cond ((< n 20) (aref *small-numbers* n))
        ((< n 100)
         (if (eql (rem n 10) 0)
             (aref *tens* (floor n 10))
             (string-append (aref *tens* (values (floor n 10))) "-" (aref *small-numbers* (rem n 10)))))
        (t
         (string-append (aref *small-numbers* (values (floor n 100))) " hundred"
                        (if (eql (rem n 100) 0) "" (string-append " " (%below-thousand (rem n 100))))))))

(defun %cardinal (n)
  "A number in words."
  (cond ((< n 0) (string-append "negative " (%cardinal (- n))))
        ((< n 1000) (%below-thousand n))
        (t
         (let ((text nil)
               (group 0))
           (do ()
               ((eql n 0) text)
             (multiple-value-bind (quotient part) (floor n 1000)
               (unless (eql part 0)
                 (let ((words (string-append (%below-thousand part) (aref *thousands* group))))
                   (setq text (if text (string-append words " " text) words))))
               (setq n quotient
                     group (1+ group))))))))

(defglobal *ordinals*
  '(("one" . "first") ("two" . "second") ("three" . "third") ("five" . "fifth") ("eight" . "eighth") ("nine" . "ninth")
    ("twelve" . "twelfth")))

(defun %ordinal (n)
  "The number's place in words."
  (let* ((words (%cardinal n))
         (start (let ((space (position-if (lambda (c) (find c " -")) words :from-end t)))
                  (if space (1+ space) 0)))
         (last (subseq words start))
         (special (cdr (assoc last *ordinals* :test #'string=))))
    (string-append (subseq words 0 start)
                   (cond (special special)
                         ((eq (char last (1- (length last))) #\y)
                          (string-append (subseq last 0 (1- (length last))) "ieth"))
                         (t (string-append last "th"))))))

(defun %roman (n old)
  "A number in Roman numerals."
  (let ((text ""))
    (dolist (pair (if old
                      '((1000 "M") (500 "D") (100 "C") (50 "L") (10 "X") (5 "V") (1 "I"))
                      '((1000 "M") (900 "CM") (500 "D") (400 "CD") (100 "C") (90 "XC") (50 "L") (40 "XL")
                        (10 "X") (9 "IX") (5 "V") (4 "IV") (1 "I")))
                  text)
      (do ()
          ((< n (car pair)))
        (setq text (string-append text (cadr pair))
              n (- n (car pair)))))))

(defun %format-words (stream n colon at)
  (write-string (cond (at (%roman n colon))
                      (colon (%ordinal n))
                      (t (%cardinal n)))
                stream))

(defun %format-character (stream character colon at)
  (cond (at (prin1 character stream))
        (colon (write-string (or (char-name character) (string character)) stream))
        (t (write-char character stream))))

;;; Floats

(defun %fixed-string (x places)
  "A number that is not negative with so many places behind the point, rounded; without PLACES as many as it has."
  (if places
      (let* ((scaled (%round-half-up (* (rational x) (expt 10 places))))
             (digits (%integer-string scaled 10))
             (missing (- (1+ places) (length digits))))
        (when (> missing 0)
          (setq digits (string-append (make-string missing :initial-element #\0) digits)))
        (let ((point (- (length digits) places)))
          (string-append (subseq digits 0 point) "." (subseq digits point))))
      (multiple-value-bind (digits exponent) (%float-digits (float x))
        (let ((n (length digits)))
          (cond ((<= exponent 0)
                 (string-append "0." (make-string (- exponent) :initial-element #\0) digits))
                ((>= exponent n)
                 (string-append digits (make-string (- exponent n) :initial-element #\0) ".0"))
                (t (string-append (subseq digits 0 exponent) "." (subseq digits exponent))))))))

(defun %round-half-up (n)
  "The integer that is nearest to a number, of two the greater one."
  (values (floor (+ (* 2 n) 1) 2)))

(defun %sign-string (x at)
  (cond ((minusp x) "-") (at "+") (t "")))

(defun %format-fixed (stream x parameters at)
  (let ((width (car parameters))
        (places (cadr parameters))
        (scale (caddr parameters))
        (overflow (cadddr parameters))
        (pad (nth 4 parameters)))
    (if (not (numberp x))
        (%padded stream (princ-to-string x) width nil t)
        (let* ((value (abs (if scale (* x (expt 10 scale)) x)))
               (places (or places (if (and width (floatp value)) (%places-within value (- width (if (or (minusp x) at) 1 0))) nil)))
               (text (%fixed-string value places)))
          ;; A zero before the point goes if there is no room for it.
          (when (and width
                     (> (+ (length text) (length (%sign-string x at))) width)
                     (> (length text) 2)
                     (eq (char text 0) #\0)
                     (eq (char text 1) #\.))
            (setq text (subseq text 1)))
          (let ((text (string-append (%sign-string x at) text)))
            (if (and overflow width (> (length text) width))
                (%repeat-character overflow width stream)
                (%padded stream text width pad t)))))))

(defun %places-within (x width)
  "How many places of a float fit into a width, at most those it has."
  (let* ((text (%fixed-string x nil))
         (point (position #\. text))
         (places (- (length text) point 1)))
    (max 0 (min places (- width point 1)))))

(defun %format-exponent (stream x parameters at)
  (let* ((width (car parameters))
         (places (cadr parameters))
         (least (or (caddr parameters) 1))
         (scale (or (cadddr parameters) 1))
         (pad (nth 5 parameters)))
    (multiple-value-bind (digits exponent) (%float-digits (abs (float x)))
      (let ((power (if (zerop x) 0 (- exponent scale))))
        (when places
          (let* ((wanted (+ places scale))
                 (n (parse-integer digits))
                 (rounded (if (zerop x) 0 (%round-half-up (* n (expt 10 (- wanted (length digits))))))))
            (setq digits (%integer-string rounded 10))
            (when (> (length digits) wanted)
              (setq digits (subseq digits 0 wanted)
                    power (1+ power)))
            (do ()
                ((>= (length digits) wanted))
              (setq digits (string-append digits "0")))))
        (do ()
            ((> (length digits) scale))
          (setq digits (string-append digits "0")))
        (let ((exponent-digits (%integer-string (abs power) 10)))
          (%padded stream
                   (string-append (%sign-string x at)
                                  (if (> scale 0) (subseq digits 0 scale) "0") "."
                                  (if (> scale 0) (subseq digits scale) digits)
                                  "e" (if (< power 0) "-" "+")
                                  (make-string (max 0 (- least (length exponent-digits))) :initial-element #\0)
                                  exponent-digits)
                   width pad t))))))

(defun %format-general (stream x parameters at)
  (let ((magnitude (abs x)))
    (if (or (zerop x) (and (>= magnitude 0.001) (< magnitude 10000000)))
        (%format-fixed stream x parameters at)
        (%format-exponent stream x parameters at))))

(defun %format-money (stream x parameters at)
  (let* ((places (or (car parameters) 2))
         (least (or (cadr parameters) 1))
         (width (caddr parameters))
         (pad (cadddr parameters))
         (text (%fixed-string (abs x) places))
         (whole (- (length text) places 1)))
    (%padded stream
             (string-append (%sign-string x at)
                            (make-string (max 0 (- least whole)) :initial-element #\0)
                            text)
             width pad t)))

;;; Layout

(defun %format-tabulate (stream parameters at)
  (let* ((column (or (car parameters) 1))
         (step (or (cadr parameters) 1))
         (now (stream-column stream)))
    (cond (at
           (let ((target (+ now column)))
             (when (> step 0)
               (setq target (* step (values (ceiling target step)))))
             (%repeat-character #\Space (- target now) stream)))
          ((< now column) (%repeat-character #\Space (- column now) stream))
          ((> step 0)
           (%repeat-character #\Space (- step (rem (- now column) step)) stream)))))

(defun %format-case (stream control part colon at)
  (let* ((text (with-output-to-string (inner)
                 (%format-part inner control (car part) (cadr part)))))
    (write-string (cond ((and colon at) (string-upcase text))
                        (colon (string-capitalize text))
                        (at (%capitalize-first text))
                        (t (string-downcase text)))
                  stream)))

(defun %capitalize-first (text)
  (let* ((text (string-downcase text))
         (first (position-if #'alpha-char-p text)))
    (when first
      (setf (aref text first) (char-upcase (aref text first))))
    text))

(defun %format-justified (stream control parts parameters colon at)
  "~< ~>: texts spread over a width."
  (let* ((texts (mapcar (lambda (part)
                          (with-output-to-string (inner)
                            (%format-part inner control (car part) (cadr part))))
                        parts))
         (width (or (car parameters) 0))
         (pad (or (cadddr parameters) #\Space))
         (length (reduce #'+ (mapcar #'length texts)))
         (gaps (max 1 (+ (1- (length texts)) (if colon 1 0) (if at 1 0))))
         (room (max 0 (- width length)))
         (gap 0))
    (flet ((pad-gap ()
             (%repeat-character pad (- (floor (* room (1+ gap)) gaps) (floor (* room gap) gaps)) stream)
             (setq gap (1+ gap))))
      (when (or colon (and (null (cdr texts)) (not at)))
        (pad-gap))
      (do ((tail texts (cdr tail)))
          ((null tail))
        (write-string (car tail) stream)
        (when (cdr tail) (pad-gap)))
      (when at (pad-gap)))))

;;; Choice and iteration

(defun %format-choice (stream control parts parameter colon at)
  (flet ((do-part (part)
           (when part
             (%format-part stream control (car part) (cadr part)))))
    (cond (colon (do-part (if (%next-argument) (cadr parts) (car parts))))
          (at (if (car *arguments*)
                  (do-part (car parts))
                  (pop *arguments*)))
          (t (let* ((n (or parameter (%next-argument)))
                    (last (car (last parts))))
               (do-part (cond ((and (integerp n) (>= n 0) (< n (length parts)))
                               (nth n parts))
                              ((caddr last) last)
                              (t nil))))))))

(defun %format-iteration (stream control part limit colon at once)
  (let* ((empty (eql (car part) (cadr part)))
         (control (if empty (%next-argument) control))
         (start (if empty 0 (car part)))
         (end (if empty (length control) (cadr part)))
         (arguments (if at *arguments* (%next-argument)))
         (n 0))
    (let ((rest (let ((*arguments* arguments)
                      (*all-arguments* arguments))
                  (do ()
                      ((or (and limit (>= n limit))
                           (and (null *arguments*) (not (and once (eql n 0))))))
                    (setq n (1+ n))
                    (when (if colon
                              (let ((sublist (pop *arguments*)))
                                (eq (let ((*arguments* sublist)
                                          (*all-arguments* sublist))
                                      (catch '%up (%format-part stream control start end)))
                                    :all))
                              (catch '%up (%format-part stream control start end)))
                      (return nil)))
                  *arguments*)))
      (when at
        (setq *arguments* rest)))))
