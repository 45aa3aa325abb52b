;;; Random numbers: each is 16807 times the one before, modulo 2^31 - 1. Computed in two parts that stay within 32 bits.

(defstruct (random-state (:constructor %make-random-state (seed)) (:copier nil))
  (seed 1))

(defvar *random-state* nil)

(defun make-random-state (&optional state)
  "A copy of a state; with T, one that depends on the time."
  (%make-random-state (cond ((eq state t) (1+ (mod (get-universal-time) 2147483646)))
                            (state (random-state-seed state))
                            (t (random-state-seed (%random-state))))))

(defun %random-state ()
  (or *random-state*
      (setq *random-state* (%make-random-state 20261122))))

(defun %next-random (state)
  "The next number of a state, from 1 to 2^31 - 2."
  (let* ((seed (random-state-seed state))
         (next (- (* 16807 (rem seed 127773))
                  (* 2836 (values (truncate seed 127773))))))
    (setf (random-state-seed state) (if (> next 0) next (+ next 2147483647)))))

(defun random (limit &optional (state (%random-state)))
  "A random number from 0 up to but not LIMIT, an integer or float."
  (cond ((floatp limit)
         (* limit (/ (float (rem (%next-random state) 16777216)) 16777216.0)))
        ((and (integerp limit) (> limit 0))
         (if (< limit 1000000)
             (rem (ash (%next-random state) -4) limit)
             (let ((n 0))
               (do ((bits (+ 16 (integer-length limit)) (- bits 16)))
                   ((<= bits 0) (mod n limit))
                 (setq n (+ (* n 65536) (logand (ash (%next-random state) -8) 65535)))))))
        (t (%wrong-type limit '(or (integer 1) float)))))
