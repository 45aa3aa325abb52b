;;; Symbols: property lists, new symbols, and their functions. Names, values and the symbol table itself are machine
;;; level (world/machine).

(defun get (symbol name &optional default)
  "The value of a property of a symbol."
  (getf (symbol-plist symbol) name default))

(defun %set-get (symbol name value)
  (%set-symbol-plist symbol (%putf (symbol-plist symbol) name value))
  value)

(defun remprop (symbol name)
  "Takes a property away; true if it was there."
  (multiple-value-bind (plist found) (%remf (symbol-plist symbol) name)
    (%set-symbol-plist symbol plist)
    found))

(defvar *gensym-counter* 0)

(defun gensym (&optional (prefix "G"))
  "A new symbol that no one else can have, with a number in its name."
  (if (integerp prefix)
      (make-symbol (string-append "G" (%integer-string prefix 10)))
      (progn
        (setq *gensym-counter* (1+ *gensym-counter*))
        (make-symbol (string-append prefix (%integer-string (1- *gensym-counter*) 10))))))

(defglobal *gentemp-counter* 0)

(defun gentemp (&optional (prefix "T"))
  "A new symbol that READ can find."
  (do ()
      (nil)
    (let ((name (string-append prefix (%integer-string *gentemp-counter* 10))))
      (setq *gentemp-counter* (1+ *gentemp-counter*))
      (unless (find-symbol name)
        (return (intern name))))))

(defun copy-symbol (symbol &optional properties)
  "A new symbol of the same name; with the same value, function and properties if the second argument is true."
  (let ((new (make-symbol (symbol-name symbol))))
    (when properties
      (when (boundp symbol) (set new (symbol-value symbol)))
      (when (fboundp symbol) (%set-definition new (symbol-function symbol)))
      (%set-symbol-plist new (copy-list (symbol-plist symbol))))
    new))

(defun symbol-package (symbol)
  "The name of the package of a symbol: KEYWORD, INTERLISP, or NIL if it is in none."
  (cond ((keywordp symbol) 'keyword)
        ((eq (find-symbol (symbol-name symbol)) symbol) 'interlisp)
        (t nil)))

;;; Documentation is kept on the property list.

(defun documentation (symbol &optional (kind 'function))
  "The documentation string of a FUNCTION, VARIABLE or STRUCTURE."
  (getf (get symbol '%documentation) kind))

(defun %set-documentation (symbol kind string)
  (%set-get symbol '%documentation (%putf (get symbol '%documentation) kind string))
  string)

(defun %intern-keyword (name)
  "The keyword of this name."
  (%keyword name))

(defun fdefinition (name)
  "The function of a symbol, or of (SETF symbol)."
  (symbol-function (if (consp name) (%function-name name) name)))

