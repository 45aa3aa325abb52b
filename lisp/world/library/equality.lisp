;;; When two objects are the same. EQ: one object. EQL: or numbers of one type and value. EQUAL: or lists, strings and bit
;;; vectors of EQUAL parts. EQUALP: or numbers of one value, characters and strings but for case, arrays, structures and
;;; hash tables of EQUALP parts. EQUAL's opcode decides all but lists and arrays.

(defun equal (a b)
  "True of objects that look the same."
  (%op CMLEQUAL a b))

(defun %ufn-equal (a b)
  (cond ((consp a)
         (do ()
             ((not (and (consp a) (consp b)))
              (%op CMLEQUAL a b))
           (unless (%op CMLEQUAL (car a) (car b))
             (return nil))
           (setq a (cdr a)
                 b (cdr b))))
        ((stringp a) (and (stringp b) (%strings-equal a b)))
        ((bit-vector-p a) (and (bit-vector-p b) (%same-elements #'eql a b)))
        ((numberp a) (%ufn-eql a b))
        (t (eq a b))))

(defun %ufn-interlisp-equal (a b)
  (if (and (numberp a) (numberp b)) (= a b) (%op CMLEQUAL a b)))

(defun %same-elements (test a b)
  "True of vectors with elements that match."
  (let ((n (length a)))
    (and (eql n (length b))
         (dotimes (i n t)
           (unless (funcall test (aref a i) (aref b i)) (return nil))))))

(defun equalp (a b)
  "True of objects that are alike."
  (cond ((eq a b) t)
        ((numberp a) (and (numberp b) (= a b)))
        ((characterp a) (and (characterp b) (char-equal a b)))
        ((consp a)
         (and (consp b)
              (equalp (car a) (car b))
              (equalp (cdr a) (cdr b))))
        ((vectorp a) (and (vectorp b) (%same-elements #'equalp a b)))
        ((arrayp a)
         (and (arrayp b)
              (equal (array-dimensions a) (array-dimensions b))
              (%same-elements #'equalp (%elements a) (%elements b))))
        ((hash-table-p a)
         (and (hash-table-p b)
              (eql (hash-table-count a) (hash-table-count b))
              (block compare
                (maphash (lambda (key value)
                           (multiple-value-bind (other present) (gethash key b)
                             (unless (and present (equalp value other))
                               (return-from compare nil))))
                         a)
                t)))
        ((%structurep a)
         (and (eq (type-of a) (type-of b))
              (every (lambda (slot) (equalp (%slot-value a slot) (%slot-value b slot)))
                     (%structure-slots (type-of a)))))
        (t nil)))

(defun sxhash (x)
  "A hash code that is the same for EQUAL objects."
  (%misc 2 x))
