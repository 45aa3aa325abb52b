;;; The benchmarks as a bar chart: how often a second the machine runs each.
;;;
;;;     tak      |################                      123.4 a second
;;;     fib      |########                               61.0
;;;
;;; Each program runs until a quarter of a second has passed, and its value is checked each time. Bars are logarithmic:
;;; each vertical line is ten times the one before.

(defparameter *benchmarks*
  '(("tak" bench-tak 7) ("ctak" bench-ctak 5) ("fib" bench-fib 6765) ("deriv" bench-deriv 5)
    ("queens" bench-queens 40) ("array" bench-array 1007) ("boyer" bench-boyer t)
    ("string" bench-string 155) ("bignum" bench-bignum 323756) ("float" bench-float t)
    ("gc" bench-gc 50) ("bitblt" bench-bitblt 0))
  "Name, function, and the value that it must return.")

(defglobal *benchmark-results* nil)     ; (name . runs in 1000 seconds), in order

(defun run-benchmark (function expected)
  "How often the function runs in 1000 seconds; an error if its value is wrong."
  (let ((start (milliseconds))
        (runs 0)
        (passed 0))
    (loop
      (let ((value (funcall function)))
        (unless (equal value expected)
          (error "~a returned ~s instead of ~s" function value expected)))
      (setq runs (1+ runs))
      (setq passed (- (milliseconds) start))
      (when (>= passed 250)
        (return (floor (* runs 1000000) passed))))))

(defun rate-text (rate)
  "Runs in 1000 seconds as runs a second."
  (cond ((>= rate 100000) (format nil "~d" (floor rate 1000)))
        (t (format nil "~d.~d" (floor rate 1000) (floor (mod rate 1000) 100)))))

(defun rate-x (rate)
  "The column of a rate, in runs in 1000 seconds: a tenth of a run a second is at the left end, ten times as much is 90
pixels further."
  (+ 80 (max 2 (floor (* 90 (log (/ (max rate 1) 100.0) 10))))))

(defun draw-benchmark-bar (window row name rate)
  "Draws one bar."
  (let ((y (+ 10 (* 20 row)))
        (length (- (rate-x rate) 80)))
    (draw-text window name 8 (+ y 1))
    (fill-rectangle window 80 y length 15 #xA5A5)
    (outline window 80 y length 15)
    (draw-text window (rate-text rate) (+ 86 length) (+ y 1))))

(defun draw-benchmark-scale (window)
  "Lines for a tenth of a run a second, 1, 10 ..., and what they stand for."
  (let ((bottom (+ 14 (* 20 (length *benchmarks*))))
        (n 0))
    (dolist (text '("0.1" "1" "10" "100" "1000" "10000"))
      (let ((x (+ 80 (* 90 n))))
        (fill-rectangle window x 4 1 (- bottom 4) #xA5A5)
        (draw-text window text (- x (floor (string-width text *font*) 2)) (+ bottom 3)))
      (setq n (1+ n)))
    (draw-text window "runs a second: longer is faster, each line is ten times the one before" 8 (+ bottom 21))))

(defun run-benchmarks (window)
  "Runs all and draws a bar for each."
  (let ((row 0))
    (setq *benchmark-results* nil)
    (draw-benchmark-scale window)
    (dolist (benchmark *benchmarks*)
      (unless (window-open window) (return nil))
      (draw-text window (car benchmark) 8 (+ 11 (* 20 row)))
      (yield)
      (let ((rate (run-benchmark (cadr benchmark) (caddr benchmark))))
        (push (cons (car benchmark) rate) *benchmark-results*)
        (draw-benchmark-bar window row (car benchmark) rate))
      (setq row (1+ row)))
    (setq *benchmark-results* (reverse *benchmark-results*))
    *benchmark-results*))

(defun benchmarks ()
  "Opens a window and runs the benchmarks in it."
  (let ((window (create-window "Benchmarks" 300 60 600 296)))
    (make-process "benchmarks" (lambda () (run-benchmarks window)))
    (values)))
