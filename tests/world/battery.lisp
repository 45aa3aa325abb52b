;;; Runs the battery: behind the world's files, in place of its MAIN. What fails, and how many, goes to the console; then
;;; the machine ends. *BATTERY* is made of battery.txt or files.txt (tests/world/src/lib.rs): pairs of text and expected
;;; text. The environment's FOLDERS, with spaces between them, are folders to run it in, one after the other.

(defvar *folder* nil)

;;; For files.txt

(defun in-folder (name)
  "The full name of a file in the folder."
  (concatenate 'string *folder* name))

(defun on-unix (name)
  "The same on {UNIX}."
  (concatenate 'string "{UNIX}" (subseq *folder* 5) name))

(defun own-name (name)
  "A name without directories; that of a directory ends with >."
  (let ((last (1- (length name))))
    (if (eql (char name last) #\>)
        (concatenate 'string (file-namestring (subseq name 0 last)) ">")
        (file-namestring name))))

(defun own-names (names)
  (mapcar #'own-name names))

;;; For both

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

(defun battery-folders (text)
  "The words of a text; (NIL) if there is no text."
  (let ((space (and text (position #\Space text))))
    (cond (space (cons (subseq text 0 space) (battery-folders (subseq text (1+ space)))))
          (t (list text)))))

(defun battery-main ()
  (%set-up-streams)
  (dolist (*folder* (battery-folders (getenv "FOLDERS")))
    (multiple-value-bind (count failures) (run-battery)
      (format t "~&battery~@[ in ~A~]: ~D expressions, ~D failures~%" *folder* count failures)))
  (%subr 13))

;;; In place of the screen's.
(setf (symbol-function 'main) #'battery-main)
