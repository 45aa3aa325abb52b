;;; The disassembler: compiled code as lines of text.
;;;
;;;     compiled code    8 words of header, names of special variables, instructions, a zero byte
;;;
;;;     (disassemble 'fact)
;;;       16  IVAR0
;;;       17  ONE
;;;       18  GREATERP
;;;       19  TJUMP5 -> 24
;;;
;;; The table of instructions is %OPCODES, the same that the machine (vm/src/isa.rs) and the compiler use.

(defglobal *opcode-rows* nil)           ; a vector by number

(defun opcode-row (number)
  "The row of the table for an opcode, or NIL."
  (unless *opcode-rows*
    (setq *opcode-rows* (make-array 256 :initial-element nil))
    (dolist (row %opcodes)
      (setf (aref *opcode-rows* (cadr row)) row)))
  (aref *opcode-rows* number))

(defun row-name (row) (car row))

(defun row-operands (row)
  "What follows the opcode: :byte, :signed, :word, :atom, :pointer."
  (if (listp (caddr row)) (caddr row) (cddr row)))

(defun operand-length (operand)
  (case operand
    ((:byte :signed) 1)
    (:word 2)
    (t 4)))

(defun instruction-length (number)
  "Bytes of an instruction."
  (let ((length 1))
    (dolist (operand (row-operands (opcode-row number)) length)
      (setq length (+ length (operand-length operand))))))

(defun code-byte (code place) (%byte code place))

(defun code-word (code place)
  (+ (* 256 (code-byte code place)) (code-byte code (1+ place))))

(defun signed-byte (byte) (if (> byte 127) (- byte 256) byte))
(defun signed-word (word) (if (> word 32767) (- word 65536) word))

(defun code-operand (code place operand)
  "An operand's value."
  (case operand
    (:byte (code-byte code place))
    (:signed (signed-byte (code-byte code place)))
    (:word (code-word code place))
    (t (%pointer (code-word code place) (code-word code (+ place 2))))))

(defun code-operands (code place)
  "The operands of the instruction at a place."
  (let ((at (1+ place))
        (values nil))
    (dolist (operand (row-operands (opcode-row (code-byte code place))) (nreverse values))
      (push (code-operand code at operand) values)
      (setq at (+ at (operand-length operand))))))

(defun jump-target (code place)
  "Where the instruction at a place jumps to, or NIL if it is no jump."
  (let ((number (code-byte code place)))
    (cond ((and (>= number 128) (< number 176)) (+ place 2 (logand number 15)))
          ((eql number 177) (+ place (signed-word (code-word code (1+ place)))))
          ((and (>= number 176) (< number 182)) (+ place (signed-byte (code-byte code (1+ place)))))
          (t nil))))

(defun free-slot-name (code slot)
  "The special variable that a FVAR slot stands for."
  (header-slot-name code 192 slot))

(defun variable-slot (number operands)
  "The slot that an instruction about an argument or a local uses, as (:ivar . n) or (:pvar . n), or NIL. Operands count
words."
  (let ((operand (if (and operands (integerp (car operands))) (ash (car operands) -1) 0)))
    (cond ((<= 64 number 70) (cons :ivar (- number 64)))
          ((member number '(71 98)) (cons :ivar operand))
          ((<= 72 number 78) (cons :pvar (- number 72)))
          ((<= 88 number 94) (cons :pvar (- number 88)))
          ((member number '(79 95)) (cons :pvar operand))
          ((<= 184 number 190) (cons :pvar (- number 184)))
          (t nil))))

(defun variable-slot-name (code slot)
  "The name of the variable in a slot, or an empty text."
  (or (note-text (if (eq (car slot) :ivar)
                     (nth (cdr slot) (positional-names code))
                     (nth (cdr slot) (debug-names code :locals))))
      ""))

(defun instruction-note (code place)
  "What the operands of an instruction mean."
  (let* ((number (code-byte code place))
         (operands (code-operands code place))
         (slot (variable-slot number operands)))
    (cond (slot (string-downcase (variable-slot-name code slot)))
          ((jump-target code place) (format nil "-> ~d" (jump-target code place)))
          ((and (>= number 80) (< number 87)) (format nil "~a" (free-slot-name code (- number 80))))
          ((or (eql number 87) (eql number 99)) (format nil "~a" (free-slot-name code (ash (car operands) -1))))
          ((null operands) "")
          (t (let ((text ""))
               (dolist (operand operands text)
                 (setq text (concatenate 'string text (short-text operand 24) " "))))))))

(defun instruction-text (code place)
  "An instruction as a line."
  (let ((row (opcode-row (code-byte code place))))
    (if row
        (format nil "~4d  ~12a ~a" place (row-name row) (instruction-note code place))
        (format nil "~4d  opcode ~o" place (code-byte code place)))))

(defun code-places (code)
  "The places of all instructions."
  (let ((places nil)
        (place (%word code 3)))
    (loop
      (when (or (eql 0 (code-byte code place)) (null (opcode-row (code-byte code place))))
        (return (nreverse places)))
      (push place places)
      (setq place (+ place (instruction-length (code-byte code place)))))))

(defun function-code (function)
  "The compiled code of a function or of a symbol's function."
  (%code-of function))

(defun disassemble (function)
  "Prints the instructions of a compiled function."
  (let ((code (function-code function)))
    (dolist (place (code-places code))
      (format t "~a~%" (instruction-text code place)))
    (values)))
