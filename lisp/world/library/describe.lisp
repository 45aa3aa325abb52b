;;; Asking the world about itself: DESCRIBE, APROPOS, DOCUMENTATION (symbols.lisp), TRACE.

(defun describe (object &optional stream)
  "Says what an object is."
  (let ((stream (%output-stream stream))
        (*print-length* 10)
        (*print-level* 3))
    (fresh-line stream)
    (cond ((symbolp object) (%describe-symbol object stream))
          ((%structurep object)
           (format stream "~A is a structure of type ~S.~%" (%brief object) (type-of object))
           (dolist (slot (%structure-slots (type-of object)))
             (format stream "  ~A~20T~S~%" slot (%slot-value object slot))))
          ((arrayp object)
           (format stream "~A is an array of dimensions ~S, with elements of type ~S.~%"
                   (%brief object) (array-dimensions object) (array-element-type object)))
          ((consp object)
           (if (list-length object)
               (format stream "~A is a list~:[ that ends in an atom~; of ~:*~D elements~].~%"
                       (%brief object) (if (null (cdr (last object))) (length object) nil))
               (format stream "A circular list.~%")))
          ((integerp object)
           (format stream "~D is an integer: ~:*#x~X, ~:*#b~B, ~D bits.~%" object (integer-length object)))
          ((characterp object)
           (format stream "~S is a character of code ~D.~%" object (char-code object)))
          (t (format stream "~A is of type ~S.~%" (%brief object) (type-of object))))
    (format stream "Its address is #x~A; its type number ~D.~%" (%address-string object) (%type-number object))
    (values)))

(defun %brief (object)
  "A short text for an object."
  (let ((text (let ((*print-length* 5) (*print-level* 2) (*print-circle* t))
                (prin1-to-string object))))
    (if (> (length text) 60)
        (string-append (subseq text 0 57) "...")
        text)))

(defun %describe-symbol (symbol stream)
  (format stream "~S is a symbol~@[ in package ~A~].~%" symbol (symbol-package symbol))
  (when (and (boundp symbol) (not (keywordp symbol)))
    (format stream "  Its value is ~A.~%" (%brief (symbol-value symbol))))
  (cond ((macro-function symbol) (format stream "  It names a macro.~%"))
        ((get symbol '%special-form) (format stream "  It names a special form.~%"))
        ((fboundp symbol)
         (format stream "  It names a function: ~A.~%" (%brief (symbol-function symbol)))))
  (when (%structure-name-p symbol)
    (format stream "  It names a structure with the slots ~S.~%" (%structure-slots symbol)))
  (let ((notes (get symbol '%debug)))
    (when (and (fboundp symbol) (consp notes))
      (format stream "  Its parameters: ~:S~%" (getf notes :arguments))))
  (dolist (kind '(function variable structure))
    (let ((text (documentation symbol kind)))
      (when text
        (format stream "  As a ~(~A~): ~A~%" kind text))))
  (let ((properties (%own-properties symbol)))
    (when properties
      (format stream "  Its property list: ~A~%" (%brief properties)))))

(defun %internal-name-p (name)
  "True of names of the world's inside: they begin with % or \\, or the compiler made them for a part of something."
  (or (eql 0 (length name))
      (find (char name 0) "%\\")
      (search "-START-" name)
      (search "/LAMBDA" name)
      (let ((notes (search "-NOTES" name)))
        (and notes (eql notes (- (length name) 6))))))

(defun %own-properties (symbol)
  "The property list without what the system keeps there."
  (do ((tail (symbol-plist symbol) (cddr tail))
       (own nil (if (and (symbolp (car tail)) (%internal-name-p (symbol-name (car tail))))
                    own
                    (list* (cadr tail) (car tail) own))))
      ((null tail) (nreverse own))))

(defun apropos-list (string)
  "All symbols whose names contain a string."
  (let ((string (string-upcase (string string)))
        (found nil))
    (%map-symbols (lambda (symbol)
                    (when (search string (symbol-name symbol))
                      (setq found (cons symbol found)))))
    (sort found (lambda (a b) (string< (symbol-name a) (symbol-name b))))))

(defun apropos (string)
  "Lists the symbols whose names contain a string and that mean something, and what. Names of the world's inside are left out,
unless the string begins like them."
  (let ((inside (%internal-name-p (string-upcase (string string)))))
    (dolist (symbol (apropos-list string) (values))
      (let ((kinds (%kinds symbol)))
        (when (and kinds (or inside (not (%internal-name-p (symbol-name symbol)))))
          (format t "~&~24S ~{ ~A~}~%" symbol kinds))))))

(defun %kinds (symbol)
  "What a symbol means, as a list of words."
  (append (cond ((macro-function symbol) '("macro"))
                ((get symbol '%special-form) '("special form"))
                ((fboundp symbol) '("function"))
                (t nil))
          (if (and (boundp symbol) (not (keywordp symbol))) '("variable") nil)
          (if (%structure-name-p symbol) '("structure") nil)))

(defun %name-of-function (function)
  "The name in a function's code."
  (let ((code (%code-of function)))
    (%code-name code)))

;;; TRACE: the function is replaced by one that writes the call and its values.

(defvar *trace-depth* 0)
(defglobal *traced* nil)                ; names

(defun %trace-all (names)
  (dolist (name names)
    (%trace name))
  (or names *traced*))

(defun %trace (name)
  (unless (member name *traced*)
    (let ((function (symbol-function name)))
      (%set-get name '%untraced function)
      (setq *traced* (cons name *traced*))
      (%set-definition name
                       (lambda (&rest arguments)
                         (%trace-line "~S" (cons name arguments))
                         (let ((values (let ((*trace-depth* (1+ *trace-depth*)))
                                         (multiple-value-list (apply function arguments)))))
                           (%trace-line "~S returned~{ ~S~}" name values)
                           (values-list values)))))))

(defun %trace-line (control &rest arguments)
  (fresh-line *trace-output*)
  (dotimes (i (* 2 *trace-depth*))
    (write-char #\Space *trace-output*))
  (format *trace-output* "~D: " *trace-depth*)
  (apply #'format *trace-output* control arguments)
  (terpri *trace-output*))

(defun %untrace-all (names)
  (dolist (name (or names *traced*))
    (when (member name *traced*)
      (%set-definition name (get name '%untraced))
      (remprop name '%untraced)
      (setq *traced* (remove name *traced*))))
  names)
