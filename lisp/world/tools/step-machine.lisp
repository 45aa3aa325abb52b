;;; A machine in the machine: runs compiled code one instruction at a time, so that one can look on.
;;;
;;;     frame    code | place in it | arguments, a vector | locals, a vector | temporaries, a list, the top first
;;;
;;; The instructions do to these frames what the real ones do to the stack segment; the code is the real one, and so are
;;; all objects. Exactness: what is stepped has the effect and the values that it has in the machine. Functions that bind
;;; special variables, take any number of arguments or use an instruction that is not here (see STEPPABLE-P) are called as
;;; a whole, in the real machine.

(defstruct (step-frame)
  code                                  ; the function's header
  place                                 ; of the next instruction
  arguments locals
  (stack nil))

(defstruct stepper
  (frames nil)                          ; innermost first
  (value nil)                           ; of the outermost function, when it is done
  (done nil)
  (count 0))                            ; instructions so far

(defglobal *steps* nil)                 ; by opcode: (number-of-arguments . function), or a symbol for the special ones

(defun define-step (number count function)
  (setf (aref *steps* number) (cons count function)))

(defun top-frame (stepper) (car (stepper-frames stepper)))

(defun push-value (frame value)
  (push value (step-frame-stack frame)))

(defun pop-value (frame)
  (pop (step-frame-stack frame)))

(defun pop-values (frame count)
  "The topmost values, the deepest first."
  (let ((values nil))
    (dotimes (i count values)
      (push (pop-value frame) values))))

(defun word-of (pointer offset) (%word (%add pointer offset) 0))

(defun make-steps ()
  "Instructions that take values from the stack and leave one, and have no operands."
  (setq *steps* (make-array 256 :initial-element nil))
  (define-step #o001 1 #'car)
  (define-step #o002 1 #'cdr)
  (define-step #o003 1 (lambda (x) (if (consp x) x nil)))
  (define-step #o004 1 #'type-number-of)
  (define-step #o026 2 (lambda (key list) (assoc key list)))
  (define-step #o030 2 (lambda (cons x) (rplaca cons x)))
  (define-step #o031 2 (lambda (cons x) (rplacd cons x)))
  (define-step #o032 2 #'cons)
  (define-step #o034 2 (lambda (x list) (member x list)))
  (define-step #o072 2 #'eql)
  (define-step #o324 2 #'+)
  (define-step #o325 2 #'-)
  (define-step #o326 2 #'*)
  (define-step #o327 2 (lambda (a b) (if (and (integerp a) (integerp b)) (values (truncate a b)) (/ a b))))
  (define-step #o330 2 #'+)
  (define-step #o331 2 #'-)
  (define-step #o332 2 #'*)
  (define-step #o333 2 (lambda (a b) (values (truncate a b))))
  (define-step #o334 2 #'rem)
  (define-step #o344 2 #'logior)
  (define-step #o345 2 #'logand)
  (define-step #o346 2 #'logxor)
  (define-step #o347 2 #'ash)
  (define-step #o360 2 #'eq)
  (define-step #o361 2 #'>)
  (define-step #o363 2 #'>)
  (define-step #o314 2 #'equal)
  (define-step #o377 2 #'=)
  (define-step #o266 2 #'aref)
  (define-step #o267 3 (lambda (value array index) (setf (aref array index) value)))
  (define-step #o320 2 (lambda (pointer n) (%add pointer n)))
  (define-step #o321 2 (lambda (high low) (%pointer high low)))
  (define-step #o322 1 (lambda (x) (%hi x)))
  (define-step #o323 1 (lambda (x) (%lo x)))
  (define-step #o302 2 (lambda (pointer n) (%byte pointer n)))
  *steps*)

;;; Instructions with operands, by ranges of numbers

(defun local-ref (frame n) (svref (step-frame-locals frame) n))
(defun set-local-ref (frame n value) (setf (svref (step-frame-locals frame) n) value))

(defun step-variable (frame number operand)
  "IVAR, PVAR and stores; true if it was one of them."
  (cond ((<= #o100 number #o106) (push-value frame (svref (step-frame-arguments frame) (- number #o100))))
        ((eql number #o107) (push-value frame (svref (step-frame-arguments frame) (ash operand -1))))
        ((<= #o110 number #o116) (push-value frame (local-ref frame (- number #o110))))
        ((eql number #o117) (push-value frame (local-ref frame (ash operand -1))))
        ((<= #o120 number #o126)
         (push-value frame (symbol-value (free-slot-name (step-frame-code frame) (- number #o120)))))
        ((eql number #o127)
         (push-value frame (symbol-value (free-slot-name (step-frame-code frame) (ash operand -1)))))
        ((<= #o130 number #o136) (set-local-ref frame (- number #o130) (car (step-frame-stack frame))))
        ((eql number #o137) (set-local-ref frame (ash operand -1) (car (step-frame-stack frame))))
        ((<= #o270 number #o276) (set-local-ref frame (- number #o270) (pop-value frame)))
        ((eql number #o142) (setf (svref (step-frame-arguments frame) (ash operand -1)) (car (step-frame-stack frame))))
        ((eql number #o143)
         (set (free-slot-name (step-frame-code frame) (ash operand -1)) (car (step-frame-stack frame))))
        ((eql number #o027) (set operand (car (step-frame-stack frame))))
        (t (return-from step-variable nil)))
  t)

(defun step-constant (frame number operand)
  "Constants; true if it was one."
  (let ((value (case number
                 (#o140 (symbol-value operand))
                 ((#o147 #o157 #o154 #o156) operand)
                 (#o150 nil)
                 (#o151 t)
                 (#o152 0)
                 (#o153 1)
                 (#o155 (- operand 256))
                 (#o145 (length (step-frame-arguments frame)))
                 (t (return-from step-constant nil)))))
    (push-value frame value)
    t))

(defun step-shuffle (frame number operand)
  "Instructions that only move what is on the stack; true if it was one."
  (case number
    (#o144 (push-value frame (car (step-frame-stack frame))))
    (#o277 (pop-value frame))
    (#o300 (pop-values frame (1+ operand)))
    (#o375 (let ((a (pop-value frame)) (b (pop-value frame)))
             (push-value frame a)
             (push-value frame b)))
    (#o376 nil)
    (#o075 (push-value frame (nth (ash operand -1) (step-frame-stack frame))))
    (t (return-from step-shuffle nil)))
  t)

(defun step-memory (frame number operands)
  "Loads and stores at an address; true if it was one."
  (let ((operand (car operands)))
    (case number
      (#o310 (push-value frame (word-of (pop-value frame) operand)))
      (#o311 (push-value frame (%cell (%add (pop-value frame) operand) 0)))
      (#o335 (push-value frame (+ (pop-value frame) operand)))
      (#o336 (push-value frame (- (pop-value frame) operand)))
      (#o005 (let ((x (pop-value frame)))
               (push-value frame (if (eql (type-number-of x) operand) x nil))))
      (#o303 (push-value frame (typep (pop-value frame) operand)))
      (#o024 (let ((value (pop-value frame)) (object (pop-value frame)))
               (%store (%add object operand) 0 value)
               (push-value frame object)))
      (t (return-from step-memory nil)))
    t))

(defun step-jump (frame number target)
  "Jumps; true if it was one."
  (let ((stack (step-frame-stack frame)))
    (flet ((take () (setf (step-frame-place frame) target)))
      (cond ((or (<= #o200 number #o217) (eql number #o260) (eql number #o261)) (take))
            ((or (<= #o220 number #o237) (eql number #o262)) (unless (pop-value frame) (take)))
            ((or (<= #o240 number #o257) (eql number #o263)) (when (pop-value frame) (take)))
            ((eql number #o264) (if (car stack) (pop-value frame) (take)))
            ((eql number #o265) (if (car stack) (take) (pop-value frame)))
            (t (return-from step-jump nil))))
    t))

;;; Calls and returns

(defun fit-arguments (arguments wanted)
  "A vector of exactly as many arguments as are wanted."
  (let ((vector (make-array (max 1 wanted) :initial-element nil))
        (n 0))
    (dolist (argument arguments vector)
      (when (< n wanted)
        (setf (svref vector n) argument))
      (setq n (1+ n)))))

(defun frame-for (code arguments)
  "A frame that is about to run compiled code."
  (make-step-frame :code code
                   :place (%word code 3)
                   :arguments (fit-arguments arguments (%word code 1))
                   :locals (make-array (max 2 (* 2 (logand 255 (1+ (%word code 2))))) :initial-element nil)))

(defun wants-list-p (frame)
  "Whether the next instruction is FN1 \\MVLIST, which asks for all values."
  (let ((code (step-frame-code frame))
        (place (step-frame-place frame)))
    (and (eql #o011 (code-byte code place))
         (eq '\\mvlist (code-operand code (1+ place) :atom)))))

(defun skip-instruction (frame)
  (setf (step-frame-place frame)
        (+ (step-frame-place frame) (instruction-length (code-byte (step-frame-code frame) (step-frame-place frame))))))

(defun call-whole (frame function arguments)
  "Calls a function in the real machine."
  (if (wants-list-p frame)
      (progn
        (skip-instruction frame)
        (push-value frame (multiple-value-list (apply function arguments))))
      (push-value frame (apply function arguments))))

(defun supported-code-p (code)
  "Whether all instructions of compiled code are here, and it binds no special variables."
  (and (< (%word code 1) 32768)
       (not (binds-specials-p code))
       (let ((places (code-places code)))
         (dolist (place places t)
           (unless (supported-opcode-p (code-byte code place))
             (return nil))))))

(defun binds-specials-p (code)
  (let ((size (%word code 6)))
    (dotimes (i (ash size -1) nil)
      (let ((entry (%add code (+ 8 i i))))
        (when (and (%cell entry 0)
                   (not (eql #xC000 (logand #xC000 (%word (%add entry size) 0)))))
          (return t))))))

(defun supported-opcode-p (number)
  (or (aref *steps* number)
      (<= #o010 number #o016)
      (<= #o100 number #o140)
      (<= #o142 number #o145)
      (member number '(#o005 #o020 #o024 #o027 #o055 #o075))
      (<= #o147 number #o157)
      (<= #o200 number #o265)
      (<= #o270 number #o300)
      (member number '(#o303 #o310 #o311 #o335 #o336 #o375 #o376))))

(defun steppable-p (function)
  "Whether a function can be stepped."
  (and (symbolp function)
       (fboundp function)
       (not (member function '(\\mvlist %catch %unwind-protect %throw-values)))
       (let ((code (function-code function)))
         (and code (supported-code-p code)))))

(defun step-call (stepper frame function arguments into)
  "A call: steps into the function or calls it as a whole."
  (cond ((eq function '\\mvlist) (push-value frame (list (car arguments))))
        ((and into (steppable-p function))
         (push (frame-for (function-code function) arguments) (stepper-frames stepper)))
        (t (call-whole frame function arguments))))

(defun step-return (stepper value)
  "The innermost frame is done."
  (pop (stepper-frames stepper))
  (let ((frame (top-frame stepper)))
    (cond ((null frame)
           (setf (stepper-value stepper) value)
           (setf (stepper-done stepper) t))
          (t (push-value frame value)))))

(defun step-function-call (stepper frame number operands into)
  "FN0 to FNX, APPLYFN and ENVCALL; true if it was one of them."
  (cond ((<= #o010 number #o014)
         (step-call stepper frame (car operands) (pop-values frame (- number #o010)) into))
        ((eql number #o015)
         (step-call stepper frame (cadr operands) (pop-values frame (car operands)) into))
        ((eql number #o016)
         (let* ((function (pop-value frame))
                (count (pop-value frame)))
           (step-call stepper frame function (pop-values frame count) into)))
        ((eql number #o055)
         (let* ((environment (pop-value frame))
                (code (pop-value frame))
                (arguments (pop-values frame (pop-value frame))))
           (if (and into (null environment) (supported-code-p code))
               (push (frame-for code arguments) (stepper-frames stepper))
               (call-whole frame (%make-closure code environment) arguments))))
        (t (return-from step-function-call nil)))
  t)

(defun step-once (stepper &optional (into t))
  "Carries out one instruction; steps into functions if INTO."
  (let* ((frame (top-frame stepper))
         (code (step-frame-code frame))
         (place (step-frame-place frame))
         (number (code-byte code place))
         (operands (code-operands code place))
         (target (jump-target code place))
         (simple (aref *steps* number)))
    (setf (stepper-count stepper) (1+ (stepper-count stepper)))
    (skip-instruction frame)
    (cond (simple
           (push-value frame (apply (cdr simple) (pop-values frame (car simple)))))
          (target (step-jump frame number target))
          ((eql number #o020) (step-return stepper (pop-value frame)))
          ((step-variable frame number (car operands)))
          ((step-shuffle frame number (car operands)))
          ((step-memory frame number operands))
          ((step-function-call stepper frame number operands into))
          ((step-constant frame number (car operands)))
          (t (error "The stepper does not know the instruction ~a." (row-name (opcode-row number)))))
    stepper))

(defun start-stepper (function arguments)
  "A stepper that is about to call a function."
  (unless *steps* (make-steps))
  (unless (steppable-p function)
    (error "~a uses instructions that the stepper does not know." function))
  (make-stepper :frames (list (frame-for (function-code function) arguments))))

(defun step-out (stepper)
  "Runs until the innermost frame has returned."
  (let ((depth (length (stepper-frames stepper))))
    (loop
      (when (or (stepper-done stepper) (< (length (stepper-frames stepper)) depth))
        (return stepper))
      (step-once stepper))))

(defun step-over (stepper)
  "One instruction; a call as a whole."
  (step-once stepper nil))

(defun step-to-end (stepper)
  "Runs to the end: the value."
  (loop
    (when (stepper-done stepper) (return (stepper-value stepper)))
    (step-once stepper)))
