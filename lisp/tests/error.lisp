;;; A program of its own, without exec and screen, that makes mistakes: one in a process that others do without, one in MAIN.

(defun main ()
  (make-process "other" (lambda () (car 'first)))
  (yield)
  (%console-line "going on")
  (cdr 'second)
  (%console-line "never"))
