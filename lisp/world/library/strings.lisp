;;; Strings: one-dimensional arrays of characters.
;;;
;;; Their characters are bytes as long as all codes are below 256 ("thin", element code 67); a string that is given a
;;; wider character gets 16 bits for each ("fat", 68). A function that wants a string also takes a symbol, for its name,
;;; or a character.

(defun string (designator)
  "The string that a string, symbol or character stands for."
  (cond ((stringp designator) designator)
        ((symbolp designator) (symbol-name designator))
        ((characterp designator) (make-string 1 :initial-element designator))
        (t (%wrong-type designator 'string))))

(defun make-string (size &key (initial-element #\Space) element-type)
  "A string of so many times the same character."
  (let ((string (%make-vector size (if (< (char-code initial-element) 256) 67 68))))
    (dotimes (i size string)
      (setf (aref string i) initial-element))))

(defun %string-code (string)
  "The element code of a string."
  (%element-code string))

(defun char (string index)
  "The character at an index."
  (aref string index))

(defun schar (string index)
  (aref string index))

(defun %set-char (string index character)
  (setf (aref string index) character)
  character)

(defun %concatenate-strings (strings)
  "One string of the characters of several sequences."
  (let ((length 0)
        (code 67))
    (dolist (s strings)
      (setq length (+ length (length s)))
      (when (or (not (stringp s)) (eql (%string-code s) 68))
        (setq code 68)))
    (let ((result (%make-vector length code))
          (i 0))
      (dolist (s strings result)
        (if (stringp s)
            (dotimes (j (length s))
              (setf (aref result i) (aref s j))
              (setq i (1+ i)))
            (%walk (lambda (c j)
                     (setf (aref result i) c)
                     (setq i (1+ i)))
                   s 0 nil))))))

(defun string-append (&rest designators)
  "One string of several strings, symbols or characters."
  (%concatenate-strings (mapcar #'string designators)))

;;; Case

(defun %change-case (designator start end function)
  "A copy of the string, changed character by character."
  (let* ((string (copy-seq (string designator)))
         (end (or end (length string))))
    (do ((i start (1+ i)))
        ((>= i end) string)
      (setf (aref string i) (funcall function (aref string i))))))

(defun string-upcase (string &key (start 0) end)
  "A copy in capitals."
  (%change-case string start end #'char-upcase))

(defun string-downcase (string &key (start 0) end)
  "A copy in small letters."
  (%change-case string start end #'char-downcase))

(defun string-capitalize (string &key (start 0) end)
  "A copy with each word's first letter a capital and the others small."
  (let ((in-word nil))
    (%change-case string start end
                  (lambda (c)
                    (let ((changed (if in-word (char-downcase c) (char-upcase c))))
                      (setq in-word (alphanumericp c))
                      changed)))))

(defun nstring-upcase (string &key (start 0) end)
  (replace string (string-upcase string :start start :end end)))

(defun nstring-downcase (string &key (start 0) end)
  (replace string (string-downcase string :start start :end end)))

(defun nstring-capitalize (string &key (start 0) end)
  (replace string (string-capitalize string :start start :end end)))

;;; Comparison. The answer of an ordering is the place of the first difference.

(defun %string-compare (a b start1 end1 start2 end2 fold)
  "Two values: where A first differs from B, an index into A, and :LESS, :EQUAL or :GREATER."
  (let* ((a (string a))
         (b (string b))
         (end1 (or end1 (length a)))
         (end2 (or end2 (length b))))
    (do ((i start1 (1+ i))
         (j start2 (1+ j)))
        (nil)
      (cond ((>= i end1)
             (return (values i (if (>= j end2) :equal :less))))
            ((>= j end2)
             (return (values i :greater)))
            (t
             (let ((x (if fold (%folded-code (aref a i)) (char-code (aref a i))))
                   (y (if fold (%folded-code (aref b j)) (char-code (aref b j)))))
               (cond ((< x y) (return (values i :less)))
                     ((> x y) (return (values i :greater))))))))))

(defun %string-order (a b start1 end1 start2 end2 fold wanted)
  (multiple-value-bind (index order) (%string-compare a b start1 end1 start2 end2 fold)
    (if (member order wanted) index nil)))

(defun %strings-equal (a b)
  "True of two strings of the same characters."
  (let ((n (length a)))
    (and (eql n (length b))
         (dotimes (i n t)
           (unless (eq (aref a i) (aref b i)) (return nil))))))

(defun string= (a b &key (start1 0) end1 (start2 0) end2)
  "True if the strings have the same characters."
  (if (%string-order a b start1 end1 start2 end2 nil '(:equal)) t nil))
(defun string/= (a b &key (start1 0) end1 (start2 0) end2)
  (%string-order a b start1 end1 start2 end2 nil '(:less :greater)))
(defun string< (a b &key (start1 0) end1 (start2 0) end2)
  (%string-order a b start1 end1 start2 end2 nil '(:less)))
(defun string> (a b &key (start1 0) end1 (start2 0) end2)
  (%string-order a b start1 end1 start2 end2 nil '(:greater)))
(defun string<= (a b &key (start1 0) end1 (start2 0) end2)
  (%string-order a b start1 end1 start2 end2 nil '(:less :equal)))
(defun string>= (a b &key (start1 0) end1 (start2 0) end2)
  (%string-order a b start1 end1 start2 end2 nil '(:greater :equal)))
(defun string-equal (a b &key (start1 0) end1 (start2 0) end2)
  "True if the strings have the same characters but for case."
  (if (%string-order a b start1 end1 start2 end2 t '(:equal)) t nil))
(defun string-not-equal (a b &key (start1 0) end1 (start2 0) end2)
  (%string-order a b start1 end1 start2 end2 t '(:less :greater)))
(defun string-lessp (a b &key (start1 0) end1 (start2 0) end2)
  (%string-order a b start1 end1 start2 end2 t '(:less)))
(defun string-greaterp (a b &key (start1 0) end1 (start2 0) end2)
  (%string-order a b start1 end1 start2 end2 t '(:greater)))
(defun string-not-greaterp (a b &key (start1 0) end1 (start2 0) end2)
  (%string-order a b start1 end1 start2 end2 t '(:less :equal)))
(defun string-not-lessp (a b &key (start1 0) end1 (start2 0) end2)
  (%string-order a b start1 end1 start2 end2 t '(:greater :equal)))

;;; Trimming

(defun %trim (bag string left right)
  (let* ((string (string string))
         (start 0)
         (end (length string)))
    (when left
      (do ()
          ((or (>= start end) (not (find (aref string start) bag))))
        (setq start (1+ start))))
    (when right
      (do ()
          ((or (>= start end) (not (find (aref string (1- end)) bag))))
        (setq end (1- end))))
    (subseq string start end)))

(defun string-trim (bag string)
  "The string without the characters of a bag at both ends."
  (%trim bag string t t))
(defun string-left-trim (bag string) (%trim bag string t nil))
(defun string-right-trim (bag string) (%trim bag string nil t))
