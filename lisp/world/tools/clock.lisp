;;; The clock at the lower edge of the desktop: time and date, beside the badge.
;;;
;;;     +--------------------------+
;;;     | 19:52   Sat 28 Nov 2026  |    a press opens the background's menu
;;;     +--------------------------+
;;;
;;; A process waits for the next minute; meanwhile the machine rests.

(defglobal *clock* nil)                 ; its window

(defun clock-text (time)
  "A time as the clock shows it."
  (multiple-value-bind (second minute hour date month year day) (decode-universal-time time)
    (declare (ignore second))
    (format nil "~2,'0d:~2,'0d   ~a ~d ~a ~d" hour minute
            (subseq (nth day *day-names*) 0 3) date (subseq (nth (1- month) *month-names*) 0 3) year)))

(defun draw-clock (window text)
  (fill-rectangle window 0 0 (window-width window) (window-height window) 0)
  (draw-centered window text 0 5 (window-width window)))

(defun run-clock (window)
  "Shows each minute as it begins, until the window is closed."
  (let ((shown nil))
    (loop
      (unless (window-open window) (return nil))
      (let ((minute (floor (get-universal-time) 60)))
        (unless (eql minute shown)
          (setq shown minute)
          (draw-clock window (clock-text (* 60 minute))))
        (wait-until (lambda ()
                      (or (not (window-open window)) (not (eql (floor (get-universal-time) 60) shown)))))))))

(defun place-clock ()
  "Puts the clock where the screen's corner is."
  (when *clock*
    (setf (window-left *clock*) (- (screen-width) 262))
    (setf (window-top *clock*) (- (screen-height) 38))))

(defun clock ()
  "Opens the clock, or a new one in its place."
  (when (and *clock* (window-open *clock*))
    (close-window *clock*))
  (let ((window (create-window nil (- (screen-width) 262) (- (screen-height) 38) 190 22)))
    (setq *clock* window)
    (setf (window-button-function window)
          (lambda (window button x y)
            (declare (ignore window x y))
            (background-menu button)))
    (make-process "clock" (lambda () (run-clock window)))
    (values)))
