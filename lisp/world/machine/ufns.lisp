;;; Functions that stand in for opcodes: for those that this machine does not have, and for the cases of the others that
;;; are left to Lisp (numbers that are not of 32 bits, wrong types, arrays of unusual kinds).
;;;
;;;     UFN table, a cell an opcode    | symbol 16 | bytes of operands 8 | arguments 8 |
;;;
;;; An opcode's operand, if it has any, is the function's last argument.

(defun %define-ufn (opcode function arguments)
  "Makes a function of so many arguments, the opcode's operand among them, stand in for an opcode."
  (let ((entry (%add (%pointer 20 3072) (+ opcode opcode))))
    (%set-word entry 0 (%lo function))
    (%set-word entry 1 (+ (logand 65280 (%word entry 1)) arguments))
    function))

(defun %undefined-opcode (&rest arguments)
  (error "An instruction that this machine does not have."))

;;; Wrong types

(defun %operand-symbol (operand)
  "The symbol that an operand names: the linker's symbols come by number."
  (if (symbolp operand) operand (%pointer 0 operand)))

(defun %ufn-car (x) (error 'type-error :datum x :expected-type 'list))
(defun %ufn-cdr (x) (error 'type-error :datum x :expected-type 'list))
(defun %ufn-rplaca (x value) (error 'type-error :datum x :expected-type 'cons))
(defun %ufn-rplacd (x value) (error 'type-error :datum x :expected-type 'cons))
(defun %ufn-dtest (x type) (error 'type-error :datum x :expected-type (%operand-symbol type)))
(defun %ufn-atom-cell (x cell) (error 'type-error :datum x :expected-type 'symbol))
(defun %ufn-word (base value offset) (error 'type-error :datum value :expected-type '(unsigned-byte 16)))
(defun %ufn-byte (base offset value) (error 'type-error :datum value :expected-type '(unsigned-byte 8)))
(defun %ufn-argument (number)
  (error "~A was called with too few arguments: it has no argument number ~D." (%frame-name (%my-alink)) number))
(defun %ufn-create-cell (type) (error "There are no objects of type ~S." type))

(%define-ufn #o001 '%ufn-car 1)
(%define-ufn #o002 '%ufn-cdr 1)
(%define-ufn #o006 '%ufn-dtest 2)
(%define-ufn #o030 '%ufn-rplaca 2)
(%define-ufn #o031 '%ufn-rplacd 2)
(%define-ufn #o141 '%ufn-argument 1)
(%define-ufn #o037 '%ufn-create-cell 1)
(%define-ufn #o301 '%ufn-atom-cell 2)
(%define-ufn #o307 '%ufn-byte 3)
(%define-ufn #o315 '%ufn-word 3)

;;; Arithmetic (library/arithmetic.lisp)
(%define-ufn #o324 '%ufn-plus 2)
(%define-ufn #o325 '%ufn-difference 2)
(%define-ufn #o326 '%ufn-times 2)
(%define-ufn #o327 '%ufn-quotient 2)
(%define-ufn #o330 '%ufn-plus 2)
(%define-ufn #o331 '%ufn-difference 2)
(%define-ufn #o332 '%ufn-times 2)
(%define-ufn #o333 '%ufn-iquotient 2)
(%define-ufn #o334 '%ufn-remainder 2)
(%define-ufn #o335 '%ufn-plus 2)
(%define-ufn #o336 '%ufn-difference 2)
(%define-ufn #o344 '%ufn-logor 2)
(%define-ufn #o345 '%ufn-logand 2)
(%define-ufn #o346 '%ufn-logxor 2)
(%define-ufn #o347 '%ufn-shift 2)
(%define-ufn #o350 '%ufn-fplus 2)
(%define-ufn #o351 '%ufn-fdifference 2)
(%define-ufn #o352 '%ufn-ftimes 2)
(%define-ufn #o353 '%ufn-fquotient 2)
(%define-ufn #o361 '%ufn-greaterp 2)
(%define-ufn #o362 '%ufn-fgreaterp 2)
(%define-ufn #o363 '%ufn-greaterp 2)
(%define-ufn #o377 '%ufn-number-equal 2)
(%define-ufn #o072 '%ufn-eql 2)
(%define-ufn #o314 '%ufn-equal 2)
(%define-ufn #o364 '%ufn-interlisp-equal 2)

;;; Arrays (library/arrays.lisp)
(%define-ufn #o266 '%ufn-aref1 2)
(%define-ufn #o267 '%ufn-aset1 3)
(%define-ufn #o356 '%ufn-aref2 3)
(%define-ufn #o357 '%ufn-aset2 4)
