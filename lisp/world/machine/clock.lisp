;;; Clocks, by subr GETUNIXTIME: 0 milliseconds of the day and age, 2 milliseconds that Lisp has run, 5 seconds since 1901 in
;;; Lisp's own count, 4 seconds since 1901.

(defconstant internal-time-units-per-second 1000)

(defun %clock (which) (%subr 49 which nil))

(defun get-internal-real-time ()
  "Milliseconds since the world started."
  (%clock 2))

(defun get-internal-run-time () (%clock 2))

(defun %collector-milliseconds ()
  "Milliseconds spent collecting garbage."
  (%clock 3))

(defun get-universal-time ()
  "Seconds since the beginning of 1900, universal time."
  ;; The machine's seconds are 32 bits, counted from 1901: 365 days later.
  (let ((seconds (%clock 4)))
    (+ 31536000 (if (< seconds 0) (+ seconds 4294967296) seconds))))
