;;; Hash tables.
;;;
;;;     buckets   | NIL | *-|--> ((key . value) (key . value))     a vector; the hash code of a key tells which bucket
;;;               | NIL | ...                                      its pair is in
;;;
;;; The collector does not move objects, so an address is as good a hash code as any. When there are more pairs than
;;; buckets the vector is made twice as large.

(defstruct (hash-table (:constructor %make-hash-table) (:copier nil)
                       (:print-function %print-hash-table))
  test                  ; EQ, EQL, EQUAL or EQUALP
  (count 0)             ; pairs
  buckets)

(defun %print-hash-table (table stream depth)
  (%print-unreadable table stream t t
                     (lambda ()
                       (format stream "~A, ~D pair~:P" (hash-table-test table) (hash-table-count table)))))

(defun %test-name (test)
  "The name of one of the four tests, given itself or its name."
  (cond ((symbolp test) test)
        ((eq test #'eq) 'eq)
        ((eq test #'eql) 'eql)
        ((eq test #'equal) 'equal)
        (t 'equalp)))

(defun make-hash-table (&key (test 'eql) (size 16) rehash-size rehash-threshold)
  "A table of values for keys."
  (%make-hash-table :test (%test-name test)
                    :buckets (%make-vector (max size 8) 38)))

(defun hash-table-size (table) (length (hash-table-buckets table)))

(defun %address-code (x)
  "A hash code of an object's address."
  (logxor (logxor (%hi x) (ash (%lo x) -1)) (logand (ash (%lo x) 7) 65535)))

(defun %hash-code (key test)
  (cond ((eq test 'equalp) (%equalp-code key 3))
        ((or (eq test 'equal) (numberp key)) (sxhash key))
        (t (%address-code key))))

(defun %equalp-code (key depth)
  "A hash code that is the same for EQUALP objects."
  (cond ((numberp key) (if (floatp key) (%equalp-code (rational key) depth) (sxhash key)))
        ((characterp key) (%folded-code key))
        ((symbolp key) (%address-code key))
        ((eql depth 0) 0)
        ((consp key)
         (logand 65535 (+ (* 3 (%equalp-code (car key) (1- depth)))
                          (%equalp-code (cdr key) (1- depth)))))
        ((stringp key) (%misc 5 key))
        ((vectorp key) (length key))
        (t 1)))

(defun %pair-of (key table)
  "The pair with this key, or NIL."
  (let* ((test (hash-table-test table))
         (buckets (hash-table-buckets table))
         (bucket (aref buckets (rem (%hash-code key test) (length buckets)))))
    (cond ((eq test 'eq)
           (do ((tail bucket (cdr tail)))
               ((null tail) nil)
             (when (eq key (caar tail)) (return (car tail)))))
          ((eq test 'eql)
           (do ((tail bucket (cdr tail)))
               ((null tail) nil)
             (when (eql key (caar tail)) (return (car tail)))))
          ((eq test 'equal)
           (do ((tail bucket (cdr tail)))
               ((null tail) nil)
             (when (equal key (caar tail)) (return (car tail)))))
          (t
           (do ((tail bucket (cdr tail)))
               ((null tail) nil)
             (when (funcall test key (caar tail)) (return (car tail))))))))

(defun gethash (key table &optional default)
  "Two values: the value of a key, or DEFAULT, and whether the key is in the table."
  (let ((pair (%pair-of key table)))
    (if pair
        (values (cdr pair) t)
        (values default nil))))

(defun %set-gethash (key table default &optional (value default))
  "What SETF of GETHASH calls, with or without a default in the place."
  (let ((pair (%pair-of key table)))
    (if pair
        (rplacd pair value)
        (%add-pair (cons key value) table))
    value))

(defun %add-pair (pair table)
  (when (>= (hash-table-count table) (length (hash-table-buckets table)))
    (%rehash table (* 2 (length (hash-table-buckets table)))))
  (let* ((buckets (hash-table-buckets table))
         (i (rem (%hash-code (car pair) (hash-table-test table)) (length buckets))))
    (setf (aref buckets i) (cons pair (aref buckets i)))
    (setf (hash-table-count table) (1+ (hash-table-count table)))))

(defun %rehash (table size)
  "Spreads the pairs over so many buckets."
  (let ((old (hash-table-buckets table))
        (new (%make-vector size 38))
        (test (hash-table-test table)))
    (dotimes (b (length old))
      (dolist (pair (aref old b))
        (let ((i (rem (%hash-code (car pair) test) size)))
          (setf (aref new i) (cons pair (aref new i))))))
    (setf (hash-table-buckets table) new)))

(defun remhash (key table)
  "Takes a key out of the table; true if it was there."
  (let ((pair (%pair-of key table)))
    (if pair
        (let* ((buckets (hash-table-buckets table))
               (i (rem (%hash-code key (hash-table-test table)) (length buckets)))
               (result nil))
          (dolist (other (aref buckets i))
            (unless (eq other pair)
              (setq result (cons other result))))
          (setf (aref buckets i) result)
          (setf (hash-table-count table) (1- (hash-table-count table)))
          t)
        nil)))

(defun clrhash (table)
  "Empties the table."
  (fill (hash-table-buckets table) nil)
  (setf (hash-table-count table) 0)
  table)

(defun maphash (function table)
  "Calls the function with each key and value."
  (let ((buckets (hash-table-buckets table)))
    (dotimes (i (length buckets) nil)
      (dolist (pair (aref buckets i))
        (funcall function (car pair) (cdr pair))))))

(defun %hash-pairs (table)
  "A list of the table's pairs."
  (let ((pairs nil))
    (maphash (lambda (key value) (setq pairs (acons key value pairs))) table)
    pairs))
