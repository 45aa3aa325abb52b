;;; -*- Mode: LISP; Package: XCL-USER; -*-
;;; How fast Lisp's stream functions are: 50 MB written and read back, other sizes and directories. A line each:
;;; name milliseconds. Own text.
(setq il:dwimflg nil)
(defvar *o* (open "{DSK}/out/files.out" :direction :output))
(defvar *big* "{DSK}/out/big.tmp")
;; Two files make up the 50 MB: Medley 2.0 does not get to the end of a file of more than 65,535 pages.
(defconstant size 25000000)

(defun out-bytes (stream count)
  (let ((n 0))
    (dotimes (i count)
      (il:bout stream n)
      (setq n (if (eq n 250) 0 (1+ n))))))

(defun in-bytes (stream count)
  "How many bytes are not those that were written."
  (let ((n 0) (wrong 0))
    (dotimes (i count)
      (unless (eq (il:bin stream) n) (setq wrong (1+ wrong)))
      (setq n (if (eq n 250) 0 (1+ n))))
    wrong))

(defun out-lines (stream count)
  (dotimes (i count)
    (write-string "All work and no play makes Jack a dull machine, says the stream." stream)
    (terpri stream)))

(defun in-lines (stream)
  (let ((count 0))
    (loop (unless (read-line stream nil nil) (return count)) (setq count (1+ count)))))

(defun small-files (count)
  (dotimes (i count)
    (let ((s (il:openstream (concatenate 'string "{DSK}/out/small" (princ-to-string i) ".tmp") 'il:output 'il:new)))
      (princ i s)
      (il:closef s))))

(defun delete-small-files (count)
  (dotimes (i count)
    (il:delfile (concatenate 'string "{DSK}/out/small" (princ-to-string i) ".tmp"))))

(mapc #'compile '(out-bytes in-bytes out-lines in-lines small-files delete-small-files))

(defun timed (name f)
  (il:reclaim)
  (let ((start (get-internal-real-time)))
    (funcall f)
    (let ((ms (floor (* 1000 (- (get-internal-real-time) start)) internal-time-units-per-second)))
      (format *o* "~a ~d~%" name ms)
      (force-output *o*))))

(defmacro with-stream ((s name access) &body body)
  `(let ((,s (il:openstream ,name ',access ',(if (eq access 'il:input) 'il:old 'il:new))))
     (prog1 (progn ,@body) (il:closef ,s))))

(defun check (yes what) (unless yes (format *o* "wrong ~a~%" what)))

(defvar *big2* "{DSK}/out/big2.tmp")
(defun out-file (name) (with-stream (s name il:output) (out-bytes s size)))
(defun in-file (name) (check (eql 0 (with-stream (s name il:input) (in-bytes s size))) name))
(timed "write-50MB-by-byte" #'(lambda () (out-file *big*) (out-file *big2*)))
(timed "read-50MB-by-byte" #'(lambda () (in-file *big*) (in-file *big2*)))
(il:delfile *big2*)
(timed "copy-25MB" #'(lambda () (il:copyfile *big* "{DSK}/out/copy.tmp")))
(check (eql size (il:getfileinfo "{DSK}/out/copy.tmp" 'il:length)) "length")
(il:delfile "{DSK}/out/copy.tmp")
(il:delfile *big*)
(timed "write-500KB-by-line" #'(lambda () (with-stream (s *big* il:output) (out-lines s 8000))))
(timed "read-500KB-by-line"
       #'(lambda () (check (eql 8000 (with-stream (s *big* il:input) (in-lines s))) "lines")))
(il:delfile *big*)
(timed "make-300-files" #'(lambda () (small-files 300)))
(timed "list-300-files" #'(lambda () (check (<= 300 (length (il:directory "{DSK}/out/small*.tmp"))) "list")))
(timed "delete-300-files" #'(lambda () (delete-small-files 300)))
(close *o*)
(with-open-file (f "{DSK}/out/files.done" :direction :output) (princ "done" f))
