;;; Runs the battery: behind the world's files, in place of its MAIN. What fails, and how many, goes to the console; then
;;; the machine ends. *BATTERY* is made of battery.txt (tests/world/src/lib.rs): pairs of text and expected text.

(defvar *battery-problem* nil)

(defun battery-values (text)
  "What PRIN1 writes for the values of a text's form; or the condition that ended it."
  (block nil
    (handler-bind ((error (lambda (condition) (return condition))))
      (let ((values (multiple-value-list (eval (read-from-string text)))))
        (format nil "~{~S~^ ,, ~}" values)))))

(defun battery-visible (text)
  "A text with its line breaks written as \\n."
  (with-output-to-string (stream)
    (dotimes (i (length text))
      (if (eql (char-code (char text i)) 10)
          (write-string "\\n" stream)
          (write-char (char text i) stream)))))

(defun battery-result (text expected)
  "NIL if the text's form gives what is expected, else a text that says what it gave."
  (let ((result (battery-values text)))
    (cond ((stringp result)
           (let ((visible (battery-visible result)))
             (if (string= visible expected) nil visible)))
          ((and (eq (char expected 0) #\!)
                (typep result (intern (string-upcase (subseq expected 1)))))
           nil)
          (t (format nil "!~S ~A" (type-of result) result)))))

(defun run-battery ()
  "Two values: how many tests there were, and how many failed."
  (let ((count 0)
        (failures 0))
    (dolist (test *battery*)
      (setq count (1+ count))
      (let ((problem (battery-result (car test) (cdr test))))
        (when problem
          (setq failures (1+ failures))
          (format t "~&FAIL ~A~%  want ~A~%  got  ~A~%" (car test) (cdr test) problem))))
    (values count failures)))

(defun main ()
  (%set-up-streams)
  (multiple-value-bind (count failures) (run-battery)
    (format t "~&battery: ~D expressions, ~D failures~%" count failures))
  (%subr 13))
