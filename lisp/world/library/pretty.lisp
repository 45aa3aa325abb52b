;;; Pretty printing: what fits on the rest of the line is written there; a longer list is broken into lines.
;;;
;;;     (defun name (arguments)          (function argument-1          (item
;;;       body                                     argument-2)          item)
;;;       body)
;;;     a form with a body: so many       a call                       a list of data
;;;     arguments first, then two in

(defglobal *pretty-bodies*
  '((defun . 2) (defmacro . 2) (defvar . 1) (defparameter . 1) (defglobal . 1) (defconstant . 1) (defstruct . 1)
    (lambda . 1) (let . 1) (let* . 1) (flet . 1) (labels . 1) (when . 1) (unless . 1) (dolist . 1) (dotimes . 1)
    (do . 2) (do* . 2) (block . 1) (case . 1) (typecase . 1) (ecase . 1) (catch . 1) (unwind-protect . 1)
    (multiple-value-bind . 2) (destructuring-bind . 2) (handler-bind . 1) (handler-case . 1) (restart-case . 1)
    (with-output-to-string . 1) (with-input-from-string . 1) (progn . 0) (prog1 . 1) (tagbody . 0) (eval-when . 1)))

(defun %margin (stream)
  (or *print-right-margin* (stream-width stream)))

(defun %copy-labels (shared)
  "A copy of the table of shared parts."
  (if shared
      (let ((copy (make-hash-table :test 'eq)))
        (maphash (lambda (part label) (%set-gethash part copy label)) shared)
        copy)
      nil))

(defun %fits-p (object stream closing depth)
  "True if an object, and so many closing parentheses, fit on the rest of the line."
  (let ((room (- (%margin stream) (stream-column stream) closing)))
    (catch '%too-wide
      (let ((counter (make-stream :name "counter"
                                  :writer (lambda (c)
                                            (setq room (1- room))
                                            (when (or (< room 0) (eq c #\Newline))
                                              (throw '%too-wide nil)))))
            ;; This is only a rehearsal: labels are not used up.
            (*shared* (%copy-labels *shared*))
            (*shared-count* *shared-count*))
        (%print object counter depth)
        t))))

(defun %new-line (stream column)
  (write-char #\Newline stream)
  (dotimes (i column)
    (write-char #\Space stream)))

(defun %pretty (object stream closing depth)
  "Writes an object that is followed by so many closing parentheses."
  (cond ((or (atom object)
             (and *print-level* (>= depth *print-level*))
             (%fits-p object stream closing depth))
         (%print object stream depth))
        ((%print-label object stream))
        ((%prefix object)
         (write-string (%prefix object) stream)
         (%pretty (cadr object) stream closing depth))
        (t
         (write-char #\( stream)
         (let* ((left (stream-column stream))
                (head (car object))
                (body (cdr (assoc head *pretty-bodies*))))
           (cond ((eq head 'cond)
                  (%print head stream (1+ depth))
                  (write-char #\Space stream)
                  (%pretty-tail (cdr object) stream closing depth (stream-column stream) 0))
                 (body
                  (%print head stream (1+ depth))
                  (%pretty-body (cdr object) stream closing depth (1+ left) body))
                 ((and (symbolp head) (consp (cdr object)) (not (null head)) (not (keywordp head)))
                  (%print head stream (1+ depth))
                  (write-char #\Space stream)
                  (%pretty-tail (cdr object) stream closing depth (stream-column stream) 1))
                 (t (%pretty-tail object stream closing depth left 0))))
         (write-char #\) stream))))

(defun %pretty-body (tail stream closing depth indent arguments)
  "Writes so many arguments on the line, the others on lines of their own."
  (do ((n 0 (1+ n)))
      ((atom tail)
       (%pretty-end tail stream depth))
    (if (and *print-length* (>= (1+ n) *print-length*))
        (progn (write-string " ..." stream)
               (return nil))
        (progn
          (if (< n arguments)
              (write-char #\Space stream)
              (%new-line stream indent))
          (%pretty (car tail) stream (if (null (cdr tail)) (1+ closing) 0) (1+ depth))
          (setq tail (cdr tail))))))

(defun %pretty-tail (tail stream closing depth column before)
  "Writes the elements one below the other."
  (do ((n before (1+ n)))
      ((atom tail)
       (%pretty-end tail stream depth))
    (when (> n before)
      (%new-line stream column))
    (if (and *print-length* (>= n *print-length*))
        (progn (write-string "..." stream)
               (return nil))
        (progn
          (%pretty (car tail) stream (if (null (cdr tail)) (1+ closing) 0) (1+ depth))
          (setq tail (cdr tail))
          (when (and *shared* (consp tail) (gethash tail *shared*))
            (%pretty-end-shared tail stream depth)
            (return nil))))))

(defun %pretty-end (tail stream depth)
  (when tail
    (write-string " . " stream)
    (%print tail stream (1+ depth))))

(defun %pretty-end-shared (tail stream depth)
  (write-string " . " stream)
  (%pretty tail stream 0 (1+ depth)))
