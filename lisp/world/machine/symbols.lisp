;;; Symbols: their five cells, and finding them by name.
;;;
;;;     record    0 print name    2 value    4 definition    6 properties    8 package 8, flags
;;;
;;;     print name    | length | character ...        a byte each
;;;                   | length | - | character ..     a word each, if the flags say so
;;;
;;; The linker's symbols have numbers and live for ever; those made here are objects of type 21, NEW-ATOM, whose address is
;;; the symbol, and which go when nothing refers to them: the table does, to those in it. The opcode ATOMCELL.N knows both
;;; kinds. The table is a vector of lists, by the hash of the name that MISCN 4 computes.

(defconstant %interlisp 1)              ; package numbers
(defconstant %keyword 2)
(defconstant %fat-name 8192)            ; flag: the print name has words

(defun %value-cell (symbol) (%op (ATOMCELL_N 12) symbol))
(defun %definition-cell (symbol) (%op (ATOMCELL_N 10) symbol))
(defun %property-cell (symbol) (%op (ATOMCELL_N 2) symbol))
(defun %name-cell (symbol) (%op (ATOMCELL_N 8) symbol))

(defun %symbol-package-number (symbol)
  "Number of a symbol's package; 0 if it is in none."
  (ash (%word (%name-cell symbol) 8) -8))

(defun keywordp (x)
  (and (symbolp x) (eql (%symbol-package-number x) %keyword)))

;;; Values

(defun symbol-value (symbol)
  "The value of a global or special variable, as seen from outside of all bindings."
  (let ((value (%cell (%value-cell symbol) 0)))
    (if (eq value (%pointer 0 1))
        (error 'unbound-variable :name symbol)
        value)))

(defun set (symbol value)
  "Sets the global value of a symbol."
  (%store (%value-cell symbol) 0 value)
  value)

(defun boundp (symbol)
  (not (eq (%cell (%value-cell symbol) 0) (%pointer 0 1))))

(defun makunbound (symbol)
  (%store (%value-cell symbol) 0 (%pointer 0 1))
  symbol)

;;; Functions: a definition cell holds the address of code, with the top bit set, or a closure.

(defun %compiled-definition-p (symbol)
  (not (eql (logand 32768 (%word (%definition-cell symbol) 0)) 0)))

(defun fboundp (symbol)
  (let ((cell (%definition-cell symbol)))
    (not (and (eql (%word cell 0) 0) (eql (%word cell 1) 0)))))

(defun %make-closure (code environment)
  "A function object of code and what it closes over."
  (let ((closure (%create-cell 13)))
    (%store closure 0 code)
    (%store closure 2 environment)
    closure))

(defun symbol-function (symbol)
  "The function of a symbol."
  (cond ((%compiled-definition-p symbol) (%make-closure (%definition-code symbol) nil))
        ((fboundp symbol) (%cell (%definition-cell symbol) 0))
        (t (error 'undefined-function :name symbol))))

(defun %drop-definition (symbol)
  "Takes a symbol's function away; nothing is left in the cell."
  (let ((cell (%definition-cell symbol)))
    (%unreference (%cell cell 0))
    (%set-cell cell 0 nil)
    symbol))

(defun %define-code (symbol code)
  "Makes compiled code the function of a symbol."
  (let ((cell (%definition-cell symbol)))
    (%reference code)
    (%unreference (%cell cell 0))
    (%set-word cell 1 (%lo code))
    (%set-word cell 0 (logior 32768 (%hi code)))
    symbol))

(defun %set-definition (symbol function)
  "Makes a function object, or the function of another symbol, the function of a symbol."
  (cond ((and (symbolp function) function)
         (%set-definition symbol (symbol-function function)))
        ((and (eq (%type-number function) 13) (null (%cell function 2)))
         (%define-code symbol (%cell function 0)))
        (t (%reference function)
           (%drop-definition symbol)
           (%set-cell (%definition-cell symbol) 0 function)))
  function)

(defun fmakunbound (symbol) (%drop-definition symbol))

;;; Properties

(defun symbol-plist (symbol) (%cell (%property-cell symbol) 0))
(defun %set-symbol-plist (symbol list)
  (%store (%property-cell symbol) 0 list)
  list)

;;; Names

(defun %name-fat-p (symbol)
  (not (eql (logand %fat-name (%word (%name-cell symbol) 8)) 0)))

(defun symbol-name (symbol)
  "The name of a symbol, as a string that shares its characters."
  (let* ((name (%cell (%name-cell symbol) 0))
         (length (%byte name 0))
         (fat (%name-fat-p symbol))
         (string (%create-cell 14)))
    (%store string 0 name)
    (%set-word string 2 (+ 4096 (if fat 68 67)))
    (%set-word string 3 1)
    (%set-word string 5 length)
    (%set-word string 7 length)
    string))

(defun %same-name-p (symbol string length)
  (let ((name (%cell (%name-cell symbol) 0)))
    (and (eql (%byte name 0) length)
         (let ((fat (%name-fat-p symbol)))
           (do ((i 0 (1+ i)))
               ((eql i length) t)
             (unless (eql (char-code (aref string i))
                          (if fat (%word (%add name (1+ i)) 0) (%byte name (1+ i))))
               (return nil)))))))

(defun %print-name (string)
  "The block of a print name; second value: whether it has words."
  (let* ((length (length string))
         (fat nil))
    (when (> length 255)
      (error "A symbol's name has at most 255 characters."))
    (dotimes (i length)
      (when (> (char-code (aref string i)) 255) (setq fat t)))
    (let ((name (%allocate-block (if fat (ash (+ length 2) -1) (ash (+ length 4) -2)) 0)))
      (%reference name)
      (%set-byte name 0 length)
      (dotimes (i length)
        (if fat
            (%set-word (%add name (1+ i)) 0 (char-code (aref string i)))
            (%set-byte name (1+ i) (char-code (aref string i)))))
      (values name fat))))

(defun %new-symbol (string package)
  (multiple-value-bind (name fat) (%print-name string)
    (let ((symbol (%create-cell 21)))
      (%set-cell symbol 0 name)
      (%set-cell symbol 2 (%pointer 0 1))
      (%set-word symbol 8 (+ (* 256 package) (if fat %fat-name 0)))
      symbol)))

(defun make-symbol (name)
  "A new symbol that is in no package."
  (%new-symbol name 0))

;;; The table

(defun %symbol-place (string)
  "Where in the table a symbol of this name is or would be."
  (logand 2047 (%misc 4 string)))

(defun %find-symbol (string package)
  "The symbol of this name in a package; second value: whether there is one."
  (let ((length (length string)))
    (dolist (symbol (svref %symbol-table (%symbol-place string)) (values nil nil))
      (when (and (eql (%symbol-package-number symbol) package)
                 (%same-name-p symbol string length))
        (return (values symbol t))))))

(defun %intern (string package)
  (multiple-value-bind (symbol found) (%find-symbol string package)
    (if found
        symbol
        (let ((symbol (%new-symbol string package))
              (place (%symbol-place string)))
          (when (eql package %keyword)
            (%store (%value-cell symbol) 0 symbol))
          (setf (svref %symbol-table place) (cons symbol (svref %symbol-table place)))
          symbol))))

(defun %package-number (package)
  (if (and package (string= package "KEYWORD")) %keyword %interlisp))

(defun intern (string &optional package)
  "The symbol of this name, which is made if there is none. PACKAGE may be \"KEYWORD\"."
  (%intern string (%package-number package)))

(defun find-symbol (string &optional package)
  "The symbol of this name, and T; or NIL and NIL."
  (%find-symbol string (%package-number package)))

(defun %keyword (string)
  (%intern string %keyword))

(defun %map-symbols (function)
  "Calls a function on each symbol that can be found by name."
  (dotimes (i 2048)
    (dolist (symbol (svref %symbol-table i))
      (funcall function symbol))))
