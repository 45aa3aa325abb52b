;;; Time and date. Universal time counts seconds since the beginning of 1900, in Greenwich; the machine knows it
;;; (machine/clock.lisp). The time zone is in hours west.

(defvar *time-zone* 0)

(defun %leap-year-p (year)
  (and (eql (rem year 4) 0)
       (or (not (eql (rem year 100) 0))
           (eql (rem year 400) 0))))

(defun %days-before-year (year)
  "Days from the beginning of 1900 to that of a year."
  (let ((y (1- year)))
    (+ (* 365 (- year 1900))
       (- (floor y 4) (floor y 100))
       (floor y 400)
       -460)))

(defun %month-days (month year)
  (if (and (eql month 2) (%leap-year-p year))
      29
      (nth (1- month) '(31 28 31 30 31 30 31 31 30 31 30 31))))

(defun decode-universal-time (time &optional (zone *time-zone*))
  "Nine values: second, minute, hour, date, month, year, day of the week (0 is Monday), NIL for no daylight saving, zone."
  (multiple-value-bind (minutes second) (floor (- time (* 3600 zone)) 60)
    (multiple-value-bind (hours minute) (floor minutes 60)
      (multiple-value-bind (days hour) (floor hours 24)
        (let ((year (+ 1900 (floor days 366)))
              (month 1))
          (do ()
              ((< days (%days-before-year (1+ year))))
            (setq year (1+ year)))
          (let ((day (- days (%days-before-year year))))
            (do ()
                ((< day (%month-days month year)))
              (setq day (- day (%month-days month year))
                    month (1+ month)))
            (values second minute hour (1+ day) month year (mod days 7) nil zone)))))))

(defun encode-universal-time (second minute hour date month year &optional (zone *time-zone*))
  "The universal time of a date."
  (let ((days (+ (%days-before-year year) (1- date))))
    (do ((m 1 (1+ m)))
        ((>= m month))
      (setq days (+ days (%month-days m year))))
    (+ second (* 60 (+ minute (* 60 (+ hour zone (* 24 days))))))))

(defun get-decoded-time ()
  (decode-universal-time (get-universal-time)))

(defglobal *day-names* '("Monday" "Tuesday" "Wednesday" "Thursday" "Friday" "Saturday" "Sunday"))
(defglobal *month-names* '("January" "February" "March" "April" "May" "June" "July" "August" "September" "October"
                           "November" "December"))

(defun date-string (&optional (time (get-universal-time)))
  "A date and time in words: Sunday, 22 November 2026, 22:35:49."
  (multiple-value-bind (second minute hour date month year day) (decode-universal-time time)
    (format nil "~A, ~D ~A ~D, ~2,'0D:~2,'0D:~2,'0D"
            (nth day *day-names*) date (nth (1- month) *month-names*) year hour minute second)))

(defun %time (function form)
  "The function's values; says how long it took."
  (let* ((start (get-internal-real-time))
         (collecting (%collector-milliseconds))
         (values (multiple-value-list (funcall function)))
         (elapsed (- (get-internal-real-time) start)))
    (format *trace-output* "~&~S took ~D ms" form elapsed)
    (let ((collected (- (%collector-milliseconds) collecting)))
      (when (> collected 0)
        (format *trace-output* ", ~D ms of it collecting garbage" collected)))
    (format *trace-output* ".~%")
    (values-list values)))
