;;; The compiler, chapter 8: from instructions to bytes.
;;;
;;; First the list is improved: jumps to jumps go straight, what cannot be reached goes away, a store and a pop become one
;;; instruction. Then every instruction becomes an item with a size; jumps begin with the smallest size and grow until all
;;; distances fit.
;;;
;;;     JUMP2..JUMP17      1 byte      JUMPX     2 bytes, -128..127      JUMPXX    3 bytes
;;;     FJUMP2..FJUMP17    1 byte      FJUMPX    2 bytes                 TJUMP4 JUMPXX        if it is farther
;;;                                    NFJUMPX   2 bytes                 COPY TJUMP4 JUMPXX POP

(defun jump-p (instruction) (member (car instruction) '(:jump :fjump :tjump :nfjump :ntjump)))
(defun return-p (instruction) (equal instruction '(:op RETURN)))

;;; What follows a label, other labels apart.
(defun label-targets (code)
  (let ((targets nil) (waiting nil))
    (dolist (instruction code)
      (if (eq (car instruction) :label)
          (push (cadr instruction) waiting)
          (progn (dolist (label waiting) (push (cons label instruction) targets))
                 (setq waiting nil))))
    targets))

(defun thread-jumps (code)
  (let ((targets (label-targets code)))
    (if (null targets)
        code
        (mapcar (lambda (instruction) (thread-jump instruction targets 0)) code))))

(defun thread-jump (instruction targets turns)
  (if (not (jump-p instruction))
      instruction
      (let ((target (cdr (assoc (cadr instruction) targets))))
        (cond ((or (null target) (> turns 20)) instruction)
              ((and (eq (car instruction) :jump) (return-p target)) target)
              ((eq (car target) :jump)
               (thread-jump (list (car instruction) (cadr target)) targets (1+ turns)))
              ;; What is known to be NIL, or not to be, when the next test is reached.
              ((and (member (car instruction) '(:nfjump :ntjump)) (eq (car target) (car instruction)))
               (thread-jump (list (car instruction) (cadr target)) targets (1+ turns)))
              ((and (eq (car instruction) :nfjump) (eq (car target) :fjump))
               (thread-jump (list :fjump (cadr target)) targets (1+ turns)))
              ((and (eq (car instruction) :ntjump) (eq (car target) :tjump))
               (thread-jump (list :tjump (cadr target)) targets (1+ turns)))
              (t instruction)))))

;;; Labels that something jumps to.
(defun used-labels (code)
  (let ((used nil))
    (dolist (instruction code)
      (if (jump-p instruction) (push (cadr instruction) used)))
    used))

(defun pure-push (instruction)
  (member (car instruction) '(:constant :pvar :gvar)))

;;; One pass; the result is built backwards, so that the last instruction is at hand.
(defun improve-once (code)
  (let ((used (used-labels code)) (out nil) (reachable t))
    (dolist (instruction code)
      (let ((last (car out)))
        (cond ((eq (car instruction) :label)
               (when (member (cadr instruction) used)
                 (setq reachable t)
                 (setq out (turn-test (cadr instruction) (drop-jump-to (cadr instruction) out)))
                 (push instruction out)))
              ((not reachable) nil)
              ((equal instruction '(:op POP))
               (cond ((and last (eq (car last) :set-pvar) (< (cadr last) 7))
                      (setq out (cons (list :set-pvar-pop (cadr last)) (cdr out))))
                     ((and last (pure-push last)) (setq out (cdr out)))
                     (t (push instruction out))))
              ((and (eq (car instruction) :pvar) last (eq (car last) :set-pvar-pop)
                    (eql (cadr last) (cadr instruction)))
               (setq out (cons (list :set-pvar (cadr last)) (cdr out))))
              (t (push instruction out)
                 (if (or (eq (car instruction) :jump) (return-p instruction))
                     (setq reachable nil))))))
    (reverse out)))

;;; A jump to the place that follows it goes away, other labels between them or not.
(defun drop-jump-to (label out)
  (cond ((null out) out)
        ((eq (caar out) :label)
         (let ((rest (drop-jump-to label (cdr out))))
           (if (eq rest (cdr out)) out (cons (car out) rest))))
        ((and (eq (caar out) :jump) (eql (cadar out) label)) (cdr out))
        (t out)))

;;; A test that only jumps over a jump becomes the opposite test.
(defun turn-test (label out)
  (let ((jump (car out)) (test (cadr out)))
    (if (and test
             (eq (car jump) :jump)
             (member (car test) '(:fjump :tjump))
             (eql (cadr test) label))
        (cons (list (if (eq (car test) :fjump) :tjump :fjump) (cadr jump)) (cddr out))
        out)))

(defun improve (code)
  (improve-once (improve-once (thread-jumps (improve-once code)))))

;;; Items

(defstruct (item (:constructor make-item (size bytes fixup jump label)))
  size      ; bytes
  bytes     ; a list, without those of the fixup
  fixup     ; (kind object), for 4 bytes behind the others, or NIL
  jump      ; the kind of jump, or NIL
  label     ; of a jump or a label
  address)

(defvar *free-names* nil)     ; free variables in order of their slots, last one first
(defvar *locals* 0)           ; PVAR slots before them

(defun opcode-number (name) (cadr (opcode name)))

;;; A number as so many bytes, most significant first.
(defun big-endian (number count)
  (let ((bytes nil))
    (dotimes (i count)
      (push (logand number 255) bytes)
      (setq number (ash number -8)))
    bytes))

(defun plain-item (name &rest operands)
  (make-item (1+ (length operands)) (cons (opcode-number name) operands) nil nil nil))

(defun fixup-item (name operands kind object)
  (make-item (+ 5 (length operands)) (cons (opcode-number name) operands) (list kind object) nil nil))

;;; Slots 0 to 6 have instructions of their own.
(defun slot-item (short long slot)
  (if (and short (< slot 7))
      (make-item 1 (list (+ (opcode-number short) slot)) nil nil nil)
      (progn
        (if (> slot 127) (compile-error "too many variables"))
        (plain-item long (* 2 slot)))))

(defun free-slot (symbol)
  (let ((tail (member symbol *free-names*)))
    (unless tail
      (push symbol *free-names*)
      (setq tail *free-names*))
    (+ *locals* (1- (length tail)))))

(defun constant-item (value)
  (cond ((null value) (plain-item 'NIL))
        ((eq value t) (plain-item 'T))
        ((symbolp value) (fixup-item 'ACONST nil :atom value))
        ((not (integerp value)) (fixup-item 'GCONST nil :pointer value))
        ((eql value 0) (plain-item 'ZERO))
        ((eql value 1) (plain-item 'ONE))
        ((and (> value 0) (< value 256)) (plain-item 'SIC value))
        ((and (< value 0) (>= value -256)) (plain-item 'SNIC (logand value 255)))
        ((and (> value 0) (< value 65536)) (make-item 3 (cons (opcode-number 'SICX) (big-endian value 2)) nil nil nil))
        (t (fixup-item 'GCONST nil :pointer value))))

;;; An instruction with the operands that the table of instructions says.
(defun op-item (name operands)
  (let ((bytes nil) (fixup nil))
    (dolist (kind (caddr (opcode name)))
      (let ((operand (car operands)))
        (setq operands (cdr operands))
        (cond ((member kind '(:byte :signed))
               (unless (and (integerp operand) (< -129 operand 256))
                 (compile-error "~S is no operand for ~S" operand name))
               (push (logand operand 255) bytes))
              ((eq kind :word) (dolist (byte (big-endian operand 2)) (push byte bytes)))
              ((eq kind :atom) (setq fixup (list :atom operand)))
              (t (setq fixup (list :pointer operand))))))
    (make-item (+ 1 (length bytes) (if fixup 4 0)) (cons (opcode-number name) (reverse bytes)) fixup nil nil)))

(defun call-item (count symbol)
  (cond ((< count 5)
         (fixup-item (nth count '(FN0 FN1 FN2 FN3 FN4)) nil :atom symbol))
        ((> count 255) (compile-error "a call with ~S arguments" count))
        (t (fixup-item 'FNX (list count) :atom symbol))))

;;; What UNWIND counts: cells from the first PVAR. Two cells before the first temporary are not used.
(defun unwind-item (depth slots)
  (let ((cells (+ depth 1 (* 2 (ash (+ slots 1) -1)))))
    (if (> cells 255) (compile-error "too many variables to leave a block"))
    (plain-item 'UNWIND cells 1)))

(defun instruction-item (instruction)
  (let ((kind (car instruction)) (first (cadr instruction)) (second (caddr instruction)))
    (case kind
      (:op (op-item first (cddr instruction)))
      (:constant (constant-item first))
      (:ivar (slot-item 'IVAR0 'IVARX first))
      (:set-ivar (slot-item nil 'IVARX_ first))
      (:pvar (slot-item 'PVAR0 'PVARX first))
      (:set-pvar (slot-item 'PVAR_0 'PVARX_ first))
      (:set-pvar-pop (slot-item 'PVARSETPOP0 nil first))
      (:fvar (slot-item 'FVAR0 'FVARX (free-slot first)))
      (:set-fvar (slot-item nil 'FVARX_ (free-slot first)))
      (:gvar (fixup-item 'GVAR nil :atom first))
      (:set-gvar (fixup-item 'GVAR_ nil :atom first))
      (:call (call-item first second))
      (:bind (plain-item 'BIND first second))
      (:unbind (plain-item 'UNBIND))
      (:dunbind (plain-item 'DUNBIND))
      (:unwind (make-item 3 instruction nil :unwind nil))
      (:code (fixup-item 'GCONST nil :code (emit-function first)))
      (:function (fixup-item 'GCONST nil :function (emit-function first)))
      (:local (fixup-item 'GCONST nil :local first))
      (:label (make-item 0 nil nil nil first))
      (t (make-item (if (member kind '(:nfjump :ntjump)) 2 1) nil nil kind first)))))

;;; Distances

(defun set-addresses (items)
  (let ((address 0))
    (dolist (item items address)
      (setf (item-address item) address)
      (setq address (+ address (item-size item))))))

(defun distance (item labels)
  (- (item-address (cdr (assoc (item-label item) labels))) (item-address item)))

(defun jump-size (kind distance)
  (cond ((and (<= 2 distance 17) (not (member kind '(:nfjump :ntjump)))) 1)
        ((<= -128 distance 127) 2)
        ((eq kind :jump) 3)
        ((member kind '(:fjump :tjump)) 4)
        (t 6)))

;;; Jumps only grow, so this ends.
(defun size-jumps (items)
  (let ((labels nil) (jumps nil) (again t))
    (dolist (item items)
      (cond ((and (item-jump item) (not (eq (item-jump item) :unwind))) (push item jumps))
            ((and (item-label item) (= (item-size item) 0)) (push (cons (item-label item) item) labels))))
    (do ()
        ((not again) labels)
      (setq again nil)
      (set-addresses items)
      (dolist (item jumps)
        (let ((size (jump-size (item-jump item) (distance item labels))))
          (when (> size (item-size item))
            (setf (item-size item) size)
            (setq again t)))))))

(defun far-jump (distance) (cons (opcode-number 'JUMPXX) (big-endian distance 2)))

(defun jump-bytes (kind size distance)
  (case size
    (1 (list (+ (opcode-number (case kind (:jump 'JUMP2) (:fjump 'FJUMP2) (t 'TJUMP2))) (- distance 2))))
    (2 (list (opcode-number (case kind (:jump 'JUMPX) (:fjump 'FJUMPX) (:tjump 'TJUMPX) (:nfjump 'NFJUMPX)
                              (t 'NTJUMPX)))
             (logand distance 255)))
    (3 (far-jump distance))
    (4 (cons (opcode-number (if (eq kind :fjump) 'TJUMP4 'FJUMP4)) (far-jump (- distance 1))))
    (t (append (list (opcode-number 'COPY) (opcode-number (if (eq kind :nfjump) 'TJUMP4 'FJUMP4)))
               (far-jump (- distance 2))
               (list (opcode-number 'POP))))))

;;; UNWIND counts from the first PVAR, but a function without any gets two when it is called as a closure. One of its own
;;; makes both kinds of calls alike.
(defun unwinds (instruction) (eq (car instruction) :unwind))

;;; The code object. `names` are the dynamic variables that the function binds.
(defun assemble (name arguments slots depth names code debug)
  (let* ((slots (if (and (eql slots 0) (some #'unwinds code)) 1 slots))
         (*locals* slots) (*free-names* nil)
         (items (mapcar #'instruction-item code))
         (labels (size-jumps items))
         (free (reverse *free-names*))
         (bytes nil) (fixups nil))
    (if *form-table* (note-places name code items))
    (dolist (item items)
      (cond ((eq (item-jump item) :unwind)
             (setq bytes (append (reverse (item-bytes (unwind-item (cadr (item-bytes item)) (+ slots (length free)))))
                                 bytes)))
            ((item-jump item)
             (dolist (byte (jump-bytes (item-jump item) (item-size item) (distance item labels))) (push byte bytes)))
            (t (dolist (byte (item-bytes item)) (push byte bytes))
               (when (item-fixup item)
                 (push (cons (+ (item-address item) (length (item-bytes item))) (item-fixup item)) fixups)
                 (dotimes (i 4) (push 0 bytes))))))
    (list :name name :args arguments :locals slots :stack depth :start 0
          :names (append names (free-entries free slots))
          :bytes (reverse bytes) :fixups (reverse fixups) :debug debug)))

;;; Where the forms of the source are among the bytes. An instruction that came when the list was improved belongs to the
;;; one before it.
(defvar *form-places* nil)    ; (name (offset . form)...) of each function; only if there is a *FORM-TABLE*

(defun note-places (name code items)
  (let ((places nil) (form nil))
    (mapc (lambda (instruction item)
            (when (> (item-size item) 0)
              (setq form (gethash instruction *form-table* form))
              (push (cons (item-address item) form) places)))
          code items)
    (push (cons name (reverse places)) *form-places*)))

(defun free-entries (symbols slot)
  (let ((entries nil))
    (dolist (symbol symbols (reverse entries))
      (push (list :fvar slot symbol) entries)
      (setq slot (1+ slot)))))
