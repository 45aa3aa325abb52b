;;; Sequences: what works on lists and vectors alike.
;;;
;;; A function with START and END looks at the elements from number START up to but not END; END is NIL for the length.
;;; Lists are walked, vectors indexed. The functions that search come in three forms: for an item (with :TEST), IF a
;;; predicate holds, IF it does NOT; all of them are made from one that takes a predicate.

(defun length (sequence)
  "How many elements a list or vector has (up to its fill pointer)."
  (cond ((null sequence) 0)
        ((consp sequence) (%list-length sequence))
        ((vectorp sequence) (%fill-pointer sequence))
        (t (%wrong-type sequence 'sequence))))

(defun elt (sequence index)
  "Element number INDEX, from 0."
  (if (listp sequence)
      (let ((tail (if (< index 0) nil (nthcdr index sequence))))
        (if (consp tail)
            (car tail)
            (%bad-index sequence index)))
      (progn
        (unless (and (>= index 0) (< index (length sequence)))
          (%bad-index sequence index))
        (aref sequence index))))

(defun %set-elt (sequence index value)
  (if (listp sequence)
      (%set-nth index sequence value)
      (progn
        (unless (and (>= index 0) (< index (length sequence)))
          (%bad-index sequence index))
        (setf (aref sequence index) value)))
  value)

(defun %bad-index (sequence index)
  (error "~S is no index of ~S." index sequence))

(defun %check-range (sequence start end)
  "Two values: START, and END or the length; an error if the sequence has no such part."
  (let* ((length (length sequence))
         (end (or end length)))
    (unless (and (>= start 0) (<= start end) (<= end length))
      (error "~S has no part from ~S to ~S." sequence start end))
    (values start end)))

(defun %like (sequence length)
  "A new vector of the same element type."
  (%make-vector length (if (stringp sequence) (%string-code sequence) (%element-code sequence))))

(defun subseq (sequence start &optional end)
  "A copy of a part of a sequence."
  (multiple-value-setq (start end) (%check-range sequence start end))
  (if (listp sequence)
      (let ((result nil)
            (tail (nthcdr start sequence)))
        (dotimes (i (- end start) (nreverse result))
          (setq result (cons (car tail) result)
                tail (cdr tail))))
      (let ((result (%like sequence (- end start))))
        (dotimes (i (- end start) result)
          (setf (aref result i) (aref sequence (+ start i)))))))

(defun %set-subseq (sequence start end value)
  (replace sequence value :start1 start :end1 end)
  value)

(defun copy-seq (sequence)
  "A sequence of the same elements."
  (if (listp sequence)
      (copy-list sequence)
      (subseq sequence 0)))

(defun reverse (sequence)
  "A new sequence with the elements in the other order."
  (if (listp sequence)
      (revappend sequence nil)
      (nreverse (copy-seq sequence))))

(defun nreverse (sequence)
  "REVERSE, done to the sequence itself."
  (if (listp sequence)
      (nreconc sequence nil)
      (do ((i 0 (1+ i))
           (j (1- (length sequence)) (1- j)))
          ((>= i j) sequence)
        (let ((left (aref sequence i)))
          (setf (aref sequence i) (aref sequence j))
          (setf (aref sequence j) left)))))

;;; Walking

(defun %walk (function sequence start end)
  "Calls the function with each element and its number."
  (if (listp sequence)
      (do ((tail (nthcdr start sequence) (cdr tail))
           (i start (1+ i)))
          ((or (null tail) (and end (>= i end))))
        (funcall function (car tail) i))
      (let ((end (or end (length sequence))))
        (do ((i start (1+ i)))
            ((>= i end))
          (funcall function (aref sequence i) i)))))

(defun %to-list (sequence &optional (start 0) end)
  "A fresh list of the elements."
  (let ((result nil))
    (%walk (lambda (x i) (setq result (cons x result))) sequence start end)
    (nreverse result)))

(defun %from-list (list like)
  "A sequence of the kind of LIKE with the elements of a list."
  (if (listp like)
      list
      (let ((vector (%like like (length list)))
            (i 0))
        (dolist (x list vector)
          (setf (aref vector i) x)
          (setq i (1+ i))))))

(defun make-sequence (type size &key initial-element)
  "A sequence of a type and length."
  (let ((list (make-list size :initial-element initial-element)))
    (if (and (null initial-element) (%string-type-p type))
        (make-string size)
        (coerce list type))))

(defun %string-type-p (type)
  (member (if (consp type) (car type) type) '(string simple-string base-string simple-base-string)))

(defun concatenate (type &rest sequences)
  "One sequence of the given type with the elements of all."
  (if (%string-type-p type)
      (%concatenate-strings sequences)
      (let ((result nil))
        (dolist (sequence sequences)
          (%walk (lambda (x i) (setq result (cons x result))) sequence 0 nil))
        (coerce (nreverse result) type))))

(defun map (type function sequence &rest more)
  "A sequence of the function's values for the elements of the sequences; NIL if the type is NIL."
  (let ((values (if more
                    (apply #'mapcar function (%to-list sequence) (mapcar #'%to-list more))
                    (mapcar function (%to-list sequence)))))
    (if type (coerce values type) nil)))

(defun map-into (result function &rest sequences)
  "Puts the function's values into a sequence."
  (let ((lists (mapcar #'%to-list sequences)))
    (dotimes (i (length result) result)
      (when (some #'null lists) (return result))
      (%set-elt result i (apply function (mapcar #'car lists)))
      (setq lists (mapcar #'cdr lists)))))

(defun some (predicate sequence &rest more)
  "The first value of the predicate for the elements that is not NIL."
  (cond (more
         (do ((lists (mapcar #'%to-list (cons sequence more)) (mapcar #'cdr lists)))
             ((member nil lists) nil)
           (let ((value (apply predicate (mapcar #'car lists))))
             (when value (return value)))))
        ((listp sequence)
         (do ((tail sequence (cdr tail)))
             ((null tail) nil)
           (let ((value (funcall predicate (car tail))))
             (when value (return value)))))
        (t
         (dotimes (i (length sequence) nil)
           (let ((value (funcall predicate (aref sequence i))))
             (when value (return value)))))))

(defun every (predicate sequence &rest more)
  "True if the predicate is, for all elements."
  (let ((last t))
    (if more
        (do ((lists (mapcar #'%to-list (cons sequence more)) (mapcar #'cdr lists)))
            ((member nil lists) last)
          (unless (setq last (apply predicate (mapcar #'car lists)))
            (return nil)))
        (if (listp sequence)
            (dolist (x sequence last)
              (unless (setq last (funcall predicate x)) (return nil)))
            (dotimes (i (length sequence) last)
              (unless (setq last (funcall predicate (aref sequence i))) (return nil)))))))

(defun notany (predicate sequence &rest more)
  (not (apply #'some predicate sequence more)))

(defun notevery (predicate sequence &rest more)
  (not (apply #'every predicate sequence more)))

(defun reduce (function sequence &key from-end (start 0) end key (initial-value nil given))
  "Combines the elements by a function of two arguments."
  (let ((list (%to-list sequence start end)))
    (when key (setq list (mapcar key list)))
    (when from-end (setq list (nreverse list)))
    (cond ((and (null list) (not given)) (funcall function))
          (t (let ((result (if given initial-value (car list))))
               (dolist (x (if given list (cdr list)) result)
                 (setq result (if from-end
                                  (funcall function x result)
                                  (funcall function result x)))))))))

;;; Searching

(defun %find-position (predicate sequence from-end start end key)
  "Two values: the number of the first (or last) element that satisfies the predicate, or NIL; and the element."
  (let ((position nil)
        (element nil))
    (block search
      (if (and (listp sequence) (not from-end))
          (do ((tail (nthcdr start sequence) (cdr tail))
               (i start (1+ i)))
              ((or (null tail) (and end (>= i end))))
            (when (funcall predicate (if key (funcall key (car tail)) (car tail)))
              (setq position i
                    element (car tail))
              (return-from search nil)))
          (if (listp sequence)
              (do ((tail (nthcdr start sequence) (cdr tail))
                   (i start (1+ i)))
                  ((or (null tail) (and end (>= i end))))
                (when (funcall predicate (if key (funcall key (car tail)) (car tail)))
                  (setq position i
                        element (car tail))))
              (let* ((end (or end (length sequence)))
                     (step (if from-end -1 1)))
                (do ((i (if from-end (1- end) start) (+ i step)))
                    ((if from-end (< i start) (>= i end)))
                  (let ((x (aref sequence i)))
                    (when (funcall predicate (if key (funcall key x) x))
                      (setq position i
                            element x)
                      (return-from search nil))))))))
    (values position element)))

(defun %not (predicate)
  "The opposite of a predicate."
  (lambda (x) (not (funcall predicate x))))

(defun complement (function)
  "A function that is true where another is not."
  (lambda (&rest arguments) (not (apply function arguments))))

(defun constantly (value)
  "A function that always returns the same."
  (lambda (&rest arguments) value))

(defun identity (x)
  "Its argument."
  x)

(defun find-if (predicate sequence &key from-end (start 0) end key)
  "The first element that satisfies the predicate, or NIL."
  (multiple-value-bind (position element) (%find-position predicate sequence from-end start end key)
    (if position element nil)))

(defun find-if-not (predicate sequence &key from-end (start 0) end key)
  (find-if (%not predicate) sequence :from-end from-end :start start :end end :key key))

(defun find (item sequence &key from-end test test-not (start 0) end key)
  "The first element that matches ITEM, or NIL."
  (find-if (%matcher item test test-not) sequence :from-end from-end :start start :end end :key key))

(defun position-if (predicate sequence &key from-end (start 0) end key)
  "The number of the first element that satisfies the predicate, or NIL."
  (values (%find-position predicate sequence from-end start end key)))

(defun position-if-not (predicate sequence &key from-end (start 0) end key)
  (values (%find-position (%not predicate) sequence from-end start end key)))

(defun position (item sequence &key from-end test test-not (start 0) end key)
  "The number of the first element that matches ITEM, or NIL."
  (values (%find-position (%matcher item test test-not) sequence from-end start end key)))

(defun count-if (predicate sequence &key from-end (start 0) end key)
  "How many elements satisfy the predicate."
  (let ((n 0))
    (%walk (lambda (x i)
             (when (funcall predicate (if key (funcall key x) x))
               (setq n (1+ n))))
           sequence start end)
    n))

(defun count-if-not (predicate sequence &key from-end (start 0) end key)
  (count-if (%not predicate) sequence :start start :end end :key key))

(defun count (item sequence &key from-end test test-not (start 0) end key)
  "How many elements match ITEM."
  (count-if (%matcher item test test-not) sequence :start start :end end :key key))

;;; Removing and replacing. The destructive forms may use the old sequence; these do not need to.

(defun %change (change predicate sequence from-end start end count key)
  "The sequence with CHANGE made to the elements that satisfy the predicate: CHANGE gets the list of results so far,
backwards, and the element, and returns the new list."
  (let ((result nil)
        (left count)
        (skip 0))
    (when (and from-end count)
      (setq skip (max 0 (- (count-if predicate sequence :start start :end end :key key) count))
            left nil))
    (%walk (lambda (x i)
             (if (and (>= i start)
                      (or (null end) (< i end))
                      (or (null left) (> left 0))
                      (funcall predicate (if key (funcall key x) x))
                      (if (> skip 0) (progn (setq skip (1- skip)) nil) t))
                 (progn (when left (setq left (1- left)))
                        (setq result (funcall change result x)))
                 (setq result (cons x result))))
           sequence 0 nil)
    (%from-list (nreverse result) sequence)))

(defun %dropping (result x) result)

(defun remove-if (predicate sequence &key from-end (start 0) end count key)
  "The sequence without the elements that satisfy the predicate."
  (%change #'%dropping predicate sequence from-end start end count key))

(defun remove-if-not (predicate sequence &key from-end (start 0) end count key)
  "The sequence of only those elements that satisfy the predicate."
  (%change #'%dropping (%not predicate) sequence from-end start end count key))

(defun remove (item sequence &key from-end test test-not (start 0) end count key)
  "The sequence without the elements that match ITEM."
  (%change #'%dropping (%matcher item test test-not) sequence from-end start end count key))

(defun delete-if (predicate sequence &key from-end (start 0) end count key)
  (%change #'%dropping predicate sequence from-end start end count key))

(defun delete-if-not (predicate sequence &key from-end (start 0) end count key)
  (%change #'%dropping (%not predicate) sequence from-end start end count key))

(defun delete (item sequence &key from-end test test-not (start 0) end count key)
  (%change #'%dropping (%matcher item test test-not) sequence from-end start end count key))

(defun substitute-if (new predicate sequence &key from-end (start 0) end count key)
  "The sequence with NEW for the elements that satisfy the predicate."
  (%change (lambda (result x) (cons new result)) predicate sequence from-end start end count key))

(defun substitute-if-not (new predicate sequence &key from-end (start 0) end count key)
  (%change (lambda (result x) (cons new result)) (%not predicate) sequence from-end start end count key))

(defun substitute (new old sequence &key from-end test test-not (start 0) end count key)
  "The sequence with NEW for the elements that match OLD."
  (%change (lambda (result x) (cons new result)) (%matcher old test test-not) sequence from-end start end count key))

(defun nsubstitute (new old sequence &key from-end test test-not (start 0) end count key)
  (let ((changed (substitute new old sequence :from-end from-end :test test :test-not test-not
                                              :start start :end end :count count :key key)))
    (replace sequence changed)))

(defun nsubstitute-if (new predicate sequence &key from-end (start 0) end count key)
  (replace sequence (substitute-if new predicate sequence :from-end from-end :start start :end end
                                                          :count count :key key)))

(defun remove-duplicates (sequence &key from-end test test-not (start 0) end key)
  "The sequence without elements that match a later one (an earlier one, from the end)."
  (let ((list (%to-list sequence start end))
        (before (%to-list sequence 0 start))
        (behind (if end (%to-list sequence end) nil))
        (result nil))
    (if from-end
        (dolist (x list)
          (unless (%present x result (%swapped test) (%swapped test-not) key)
            (setq result (cons x result))))
        (do ((tail list (cdr tail)))
            ((null tail))
          (unless (%present (car tail) (cdr tail) test test-not key)
            (setq result (cons (car tail) result)))))
    (%from-list (append before (nreverse result) behind) sequence)))

(defun %swapped (test)
  "A test with its arguments exchanged."
  (if test (lambda (x y) (funcall test y x)) nil))

(defun delete-duplicates (sequence &key from-end test test-not (start 0) end key)
  (remove-duplicates sequence :from-end from-end :test test :test-not test-not :start start :end end :key key))

(defun fill (sequence item &key (start 0) end)
  "Stores ITEM in all elements."
  (if (listp sequence)
      (do ((tail (nthcdr start sequence) (cdr tail))
           (i start (1+ i)))
          ((or (null tail) (and end (>= i end))))
        (rplaca tail item))
      (do ((i start (1+ i))
           (end (or end (length sequence))))
          ((>= i end))
        (setf (aref sequence i) item)))
  sequence)

(defun replace (to from &key (start1 0) end1 (start2 0) end2)
  "Copies elements of one sequence over those of another."
  (let ((count (min (- (or end1 (length to)) start1)
                    (- (or end2 (length from)) start2))))
    (cond ((or (listp to) (listp from))
           (let ((source (%to-list from start2 (+ start2 count)))
                 (i start1))
             (if (listp to)
                 (do ((tail (nthcdr start1 to) (cdr tail)))
                     ((null source))
                   (rplaca tail (car source))
                   (setq source (cdr source)))
                 (dolist (x source)
                   (setf (aref to i) x)
                   (setq i (1+ i))))))
          ((and (eq to from) (> start1 start2))
           (do ((i (1- count) (1- i)))
               ((< i 0))
             (setf (aref to (+ start1 i)) (aref from (+ start2 i)))))
          (t
           (dotimes (i count)
             (setf (aref to (+ start1 i)) (aref from (+ start2 i))))))
    to))

(defun mismatch (a b &key from-end test test-not key (start1 0) end1 (start2 0) end2)
  "The number of the first element of A that does not match its counterpart in B; NIL if all match."
  (let* ((x (%to-list a start1 end1))
         (y (%to-list b start2 end2))
         (i start1)
         (end (+ start1 (length x))))
    (when from-end
      (setq x (nreverse x)
            y (nreverse y)))
    (do ()
        ((and (null x) (null y)) nil)
      (when (or (null x) (null y)
                (not (funcall (%matcher (if key (funcall key (car x)) (car x)) test test-not)
                              (if key (funcall key (car y)) (car y)))))
        (return (if from-end (- end (- i start1)) i)))
      (setq x (cdr x)
            y (cdr y)
            i (1+ i)))))

(defun search (pattern sequence &key from-end test test-not key (start1 0) end1 (start2 0) end2)
  "Where the pattern begins within a sequence, or NIL."
  (let* ((pattern (%to-list pattern start1 end1))
         (list (%to-list sequence start2 end2))
         (found nil)
         (i start2))
    (when key
      (setq pattern (mapcar key pattern)
            list (mapcar key list)))
    (do ((tail list (cdr tail)))
        (nil)
      (when (%begins-with pattern tail test test-not)
        (setq found i)
        (unless from-end (return nil)))
      (when (null tail) (return nil))
      (setq i (1+ i)))
    found))

(defun %begins-with (pattern list test test-not)
  (do ((p pattern (cdr p))
       (tail list (cdr tail)))
      ((null p) t)
    (when (or (null tail)
              (not (funcall (%matcher (car p) test test-not) (car tail))))
      (return nil))))

;;; Sorting: merge sort, which is stable and needs no more than the list's own cells.

(defun %merge-lists (a b predicate key)
  "Merges two sorted lists; of equals those of A come first."
  (let* ((head (cons nil nil))
         (end head))
    (do ()
        ((or (null a) (null b))
         (rplacd end (or a b))
         (cdr head))
      (if (funcall predicate
                   (if key (funcall key (car b)) (car b))
                   (if key (funcall key (car a)) (car a)))
          (setq end (cdr (rplacd end b))
                b (cdr b))
          (setq end (cdr (rplacd end a))
                a (cdr a))))))

(defun %sort-list (list length predicate key)
  "Sorts the first LENGTH cells of a list, which become a list of their own."
  (if (eql length 1)
      (progn (rplacd list nil) list)
      (let* ((half (ash length -1))
             (middle (nthcdr half list))
             (a (%sort-list list half predicate key))
             (b (%sort-list middle (- length half) predicate key)))
        (%merge-lists a b predicate key))))

(defun sort (sequence predicate &key key)
  "Sorts a sequence so that the predicate holds from each element to the next; the old one is used up."
  (cond ((null sequence) nil)
        ((consp sequence) (%sort-list sequence (length sequence) predicate key))
        ((eql (length sequence) 0) sequence)
        (t (let ((i 0))
             (dolist (x (%sort-list (%to-list sequence) (length sequence) predicate key) sequence)
               (setf (aref sequence i) x)
               (setq i (1+ i)))))))

(defun stable-sort (sequence predicate &key key)
  "SORT; here that is stable."
  (sort sequence predicate :key key))

(defun merge (type a b predicate &key key)
  "Merges two sorted sequences."
  (coerce (%merge-lists (%to-list a) (%to-list b) predicate key) type))
