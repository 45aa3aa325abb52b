;;; Characters: immediate objects, segment 7 of the address space with the code as the offset.
;;;
;;;     0007 | code     16 bits of code; the first 256 are Latin-1
;;;
;;; Case is that of ASCII and Latin-1.

(defun char-code (character)
  "The code of a character."
  (if (characterp character)
      (%lo character)
      (%wrong-type character 'character)))

(defun code-char (code)
  "The character of a code."
  (if (and (integerp code) (>= code 0) (< code 65536))
      (%pointer 7 code)
      (%wrong-type code 'character-code)))

(defun char-int (character) (char-code character))

(defconstant char-code-limit 65536)

(defun upper-case-p (character)
  "True of A to Z and Latin-1's capitals."
  (let ((code (char-code character)))
    (or (and (>= code 65) (<= code 90))
        (and (>= code 192) (<= code 222) (not (eql code 215))))))

(defun lower-case-p (character)
  "True of a to z and Latin-1's small letters that have a capital."
  (let ((code (char-code character)))
    (or (and (>= code 97) (<= code 122))
        (and (>= code 224) (<= code 254) (not (eql code 247))))))

(defun both-case-p (character)
  (or (upper-case-p character) (lower-case-p character)))

(defun alpha-char-p (character)
  "True of letters."
  (or (upper-case-p character) (lower-case-p character)
      (let ((code (char-code character)))
        (or (eql code 223) (eql code 255) (eql code 170) (eql code 181) (eql code 186)))))

(defun char-upcase (character)
  "The capital of a letter; other characters as they are."
  (if (lower-case-p character)
      (code-char (- (char-code character) 32))
      character))

(defun char-downcase (character)
  "The small form of a letter; other characters as they are."
  (if (upper-case-p character)
      (code-char (+ (char-code character) 32))
      character))

(defun digit-char-p (character &optional (radix 10))
  "The value of a digit in a base, or NIL."
  (let* ((code (char-code character))
         (value (cond ((and (>= code 48) (<= code 57)) (- code 48))
                      ((and (>= code 65) (<= code 90)) (- code 55))
                      ((and (>= code 97) (<= code 122)) (- code 87))
                      (t radix))))
    (if (< value radix) value nil)))

(defun digit-char (value &optional (radix 10))
  "The digit of a value, or NIL if the base has no such digit."
  (cond ((or (< value 0) (>= value radix)) nil)
        ((< value 10) (code-char (+ 48 value)))
        (t (code-char (+ 55 value)))))

(defun alphanumericp (character)
  "True of letters and decimal digits."
  (or (alpha-char-p character)
      (if (digit-char-p character) t nil)))

(defun graphic-char-p (character)
  "True of what prints as a sign of its own, and of space."
  (let ((code (char-code character)))
    (or (and (>= code 32) (<= code 126)) (>= code 160))))

(defun standard-char-p (character)
  (let ((code (char-code character)))
    (or (and (>= code 32) (<= code 126)) (eql code 10))))

;;; Comparison, of any number of characters

(defun %char-chain (test key first more)
  "True if the test holds between each code and the next."
  (let ((last (funcall key first)))
    (dolist (character more t)
      (let ((next (funcall key character)))
        (unless (funcall test last next) (return nil))
        (setq last next)))))

(defun %all-different (key characters)
  (do ((tail characters (cdr tail)))
      ((null tail) t)
    (when (member (funcall key (car tail)) (mapcar key (cdr tail)))
      (return nil))))

(defun %folded-code (character)
  "The code of a character without regard to case."
  (char-code (char-upcase character)))

(defun %<= (a b) (not (> a b)))
(defun %>= (a b) (not (< a b)))

(defun char= (first &rest more)
  (if (and more (null (cdr more)))
      (eql (char-code first) (char-code (car more)))
      (%char-chain #'eql #'char-code first more)))
(defun char/= (first &rest more) (%all-different #'char-code (cons first more)))
(defun char< (first &rest more) (%char-chain #'< #'char-code first more))
(defun char> (first &rest more) (%char-chain #'> #'char-code first more))
(defun char<= (first &rest more) (%char-chain #'%<= #'char-code first more))
(defun char>= (first &rest more) (%char-chain #'%>= #'char-code first more))
(defun char-equal (first &rest more) (%char-chain #'eql #'%folded-code first more))
(defun char-not-equal (first &rest more) (%all-different #'%folded-code (cons first more)))
(defun char-lessp (first &rest more) (%char-chain #'< #'%folded-code first more))
(defun char-greaterp (first &rest more) (%char-chain #'> #'%folded-code first more))
(defun char-not-greaterp (first &rest more) (%char-chain #'%<= #'%folded-code first more))
(defun char-not-lessp (first &rest more) (%char-chain #'%>= #'%folded-code first more))

;;; Names

(defglobal *character-names*
  '((32 . "Space") (10 . "Newline") (9 . "Tab") (8 . "Backspace") (127 . "Rubout") (12 . "Page") (13 . "Return")
    (27 . "Escape") (0 . "Null") (7 . "Bell") (10 . "Linefeed") (127 . "Delete") (0 . "Nul") (27 . "Esc")))

(defun char-name (character)
  "The name of a character that has one, else NIL."
  (let ((pair (assoc (char-code character) *character-names*)))
    (if pair (cdr pair) nil)))

(defun name-char (name)
  "The character of a name, in upper or lower case; NIL if there is none."
  (let* ((name (string name))
         (pair (rassoc-if (lambda (other) (string-equal name other)) *character-names*)))
    (cond (pair (code-char (car pair)))
          ((and (> (length name) 1)
                (char-equal (char name 0) #\U)
                (every (lambda (c) (digit-char-p c 16)) (subseq name 1)))
           (code-char (parse-integer name :start 1 :radix 16)))
          (t nil))))

(defun character (designator)
  "The character that a character, or a string or symbol of length 1, stands for."
  (cond ((characterp designator) designator)
        ((and (or (stringp designator) (symbolp designator))
              (eql (length (string designator)) 1))
         (char (string designator) 0))
        (t (%wrong-type designator 'character))))
