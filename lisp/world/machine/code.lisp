;;; Compiled functions: laying out what the compiler makes. The linker (lisp/src/linker/functions.rs) lays functions out in
;;; the same way, so a function that is compiled here is equal byte for byte to one that came with the world.
;;;
;;;     0 stack need | 1 arguments, 65535 any | 2 PVAR pairs - 1 | 3 start of code, bytes
;;;     4-5 name     | 6 words of names        | 7 locals 8, offset of FVAR names 8
;;;     names, zeros; places: 0 argument, 32768 local, 49152 free in the high word, slot in the low one
;;;     code, a zero byte

(defconstant %header-words 8)
(defconstant %frame-need 48)
(defconstant %aconst #o147)             ; the instruction of a symbol that is a constant
(defconstant %gconst #o157)             ; that of another constant

(defun %count-free (names)
  (let ((n 0))
    (dolist (name names n)
      (when (eq (car name) :fvar) (setq n (1+ n))))))

(defun %even (n) (logand (1+ n) 65534))

(defvar %local-codes nil)               ; (name . address) of the local functions of what is being installed

(defun %code-table-words (code)
  "Words of names in the header of a function; its places take as many."
  (let ((count (length (getf code :names))))
    (if (eql count 0) 0 (* 2 (%even (1+ count))))))

(defun %code-size (code)
  "Bytes of a function, with a zero byte behind it."
  (+ (* 2 (+ %header-words (* 2 (%code-table-words code)))) (length (getf code :bytes)) 1))

(defun %new-code (code)
  "The address of a function that is still to be laid out."
  (%allocate-block (* 2 (ash (+ (%code-size code) 7) -3)) 2))

(defun %install-code (code &optional (at (%new-code code)))
  "Lays out a code object; the address of the function."
  (let* ((names (getf code :names))
         (arguments (getf code :args))
         (locals (getf code :locals))
         (free (%count-free names))
         (count (length names))
         (named (- count free))
         (pairs (ash (+ locals free 1) -1))
         (table (%code-table-words code))
         (start (* 2 (+ %header-words (* 2 table)))))
    (%set-word at 0 (+ (* 2 (if (< arguments 0) 0 arguments)) (* 4 pairs) (* 2 (getf code :stack)) %frame-need))
    (%set-word at 1 (logand arguments 65535))
    (%set-word at 2 (logand (1- pairs) 65535))
    (%set-word at 3 start)
    (%store at 4 (getf code :name))
    (%set-word at 6 table)
    (%set-word at 7 (+ (* 256 locals) (if (eql free 0) 0 (+ %header-words (* 2 named)))))
    (%install-names at names table)
    (let ((i start))
      (dolist (byte (getf code :bytes))
        (%set-byte at i byte)
        (setq i (1+ i))))
    (dolist (fixup (getf code :fixups))
      (%install-fixup at (+ start (car fixup)) (cadr fixup) (caddr fixup)))
    at))

(defun %install-names (at names table)
  (let ((entry (%add at %header-words)))
    (dolist (name names)
      (%reference (caddr name))
      (%set-cell entry 0 (caddr name))
      (let ((place (%add entry table)))
        (%set-word place 0 (case (car name) (:ivar 0) (:pvar 32768) (t 49152)))
        (%set-word place 1 (cadr name)))
      (setq entry (%add entry 2)))))

(defun %install-fixup (at offset kind object)
  "Fills in an operand of four bytes."
  (let ((pointer (case kind
                   (:code (%install-code object))
                   (:function (%make-closure (%install-code object) nil))
                   (:local (cdr (assoc object %local-codes)))
                   (t object))))
    ;; When a function goes the collector gives back the constants of its GCONST instructions, but for itself. Symbols that are
    ;; other operands stay for ever; as a constant one that can go is better off with GCONST.
    (when (and (eql (%byte at (1- offset)) %aconst) (eql (%type-number pointer) 21))
      (%set-byte at (1- offset) %gconst))
    (unless (eq pointer at)
      (%reference pointer))
    (%set-byte at offset (ash (%hi pointer) -8))
    (%set-byte at (+ offset 1) (logand (%hi pointer) 255))
    (%set-byte at (+ offset 2) (ash (%lo pointer) -8))
    (%set-byte at (+ offset 3) (logand (%lo pointer) 255))))

(defun %install-functions (codes named)
  "A function object of the first of some code objects. The others are its local functions, which may call each other; if
it has a name, they can be found by theirs. (A symbol in no table that had its function would be a circle.)"
  (let ((%local-codes (mapcar (lambda (code) (cons (getf code :name) (%new-code code))) (cdr codes))))
    (dolist (code (cdr codes))
      (let ((at (cdr (assoc (getf code :name) %local-codes))))
        (%install-code code at)
        (when named
          (%set-definition (getf code :name) (%make-closure at nil)))))
    (%make-closure (%install-code (car codes)) nil)))

;;; Looking at functions

(defun %code-of (function)
  "The code of a symbol's function or of a function object."
  (cond ((symbolp function)
         (if (%compiled-definition-p function)
             (%definition-code function)
             (%code-of (symbol-function function))))
        ((eq (%type-number function) 13) (%cell function 0))
        (t function)))

(defun %code-name (code) (%cell code 4))
(defun %code-start (code) (%word code 3))

(defun %code-length (code)
  "Bytes of the instructions of a function."
  (do ((at (%code-start code) (+ at (%instruction-length (%byte code at)))))
      ((eql (%byte code at) 0) (- at (%code-start code)))))

(defun %instruction-length (opcode)
  (1+ (logand 255 (ash (%word (%add (%pointer 20 3072) (+ opcode opcode)) 1) -8))))

(defun %code-bytes (function)
  "The instructions of a function, as a list of bytes."
  (let* ((code (%code-of function))
         (start (%code-start code))
         (bytes nil))
    (dotimes (i (%code-length code) (nreverse bytes))
      (push (%byte code (+ start i)) bytes))))
