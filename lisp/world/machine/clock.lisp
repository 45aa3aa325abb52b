;;; Clocks, by subr GETUNIXTIME: 0 milliseconds of the day and age, 2 milliseconds that Lisp has run, 5 seconds since 1901 in
;;; Lisp's own count, 4 seconds since 1901.

(defconstant internal-time-units-per-second 1000)

(defun %clock (which) (%subr 49 which nil))

(defglobal %now (%create-cell 2))       ; a box for what the clock of the day shows
(defglobal %time-zero nil)              ; what it showed when somebody first asked, a box too

(defun get-internal-real-time ()
  "Milliseconds since somebody first asked. They begin again after 24 days."
  (%subr 49 0 %now)
  (unless %time-zero
    (setq %time-zero (%create-cell 2))
    (%set-word %time-zero 0 (%word %now 0))
    (%set-word %time-zero 1 (%word %now 1)))
  (let ((low (- (%word %now 1) (%word %time-zero 1)))
        (high (- (%word %now 0) (%word %time-zero 0))))
    (when (< low 0)
      (setq low (+ low 65536) high (- high 1)))
    (%op MAKENUMBER (logand high 32767) low)))

;;; In a saved world that starts again the clock goes on where it was, or those who sleep would sleep too long.
(defun %resume-clock ()
  (when %time-zero
    (let ((low (- (%word %now 1) (%word %time-zero 1)))
          (high (- (%word %now 0) (%word %time-zero 0))))
      (%subr 49 0 %now)
      (%set-word %time-zero 1 (logand (- (%word %now 1) low) 65535))
      (%set-word %time-zero 0
                 (logand (- (%word %now 0) high (if (< (- (%word %now 1) low) 0) 1 0)
                            (if (> (- (%word %now 1) low) 65535) -1 0))
                         65535)))))

(defun get-internal-run-time () (%clock 2))

(defun %collector-milliseconds ()
  "Milliseconds spent collecting garbage."
  (%clock 3))

(defun get-universal-time ()
  "Seconds since the beginning of 1900, universal time."
  ;; The machine's seconds are 32 bits, counted from 1901: 365 days later.
  (let ((seconds (%clock 4)))
    (+ 31536000 (if (< seconds 0) (+ seconds 4294967296) seconds))))
