;;; The compiler, chapter 6: instructions for nodes.
;;;
;;; A node is emitted for a purpose, its target:
;;;
;;;     :value    leaves its value on the stack
;;;     :effect   leaves nothing
;;;     :return   leaves the function with its value
;;;
;;; and a test has a label to jump to. Instructions are lists, still without numbers for slots of free variables and for
;;; distances:
;;;
;;;     (:op NAME operand...)  (:constant value)  (:ivar n) (:set-ivar n)  (:pvar n) (:set-pvar n)
;;;     (:fvar symbol) (:set-fvar symbol)  (:gvar symbol) (:set-gvar symbol)  (:call count symbol)  (:apply count)
;;;     (:code fn) (:function fn)  (:bind count slot) (:unbind) (:dunbind) (:unwind depth)
;;;     (:jump label) (:fjump label) (:tjump label) (:nfjump label) (:ntjump label) (:label label)

(defvar *code* nil)           ; instructions, last one first
(defvar *depth* 0)            ; cells on the stack now
(defvar *deepest* 0)
(defvar *marks* nil)          ; depths at which BIND left its marks, innermost first
(defvar *next-slot* 0)        ; lexical variables get slots from here
(defvar *slot-count* 0)
(defvar *kept-slots* nil)     ; slots that dynamic variables have for good
(defvar *names* nil)          ; name table: (kind slot symbol), innermost first
(defvar *local-names* nil)    ; for people: (slot . note), later ones first
(defvar *bound* nil)          ; dynamic variables bound here by this function: (symbol . place)
(defvar *outside* nil)        ; where captured variables are: (var . place)
(defvar *lifted* nil)         ; local functions that become functions of their own and have no code yet
(defvar *calls-by-name* t)    ; true: they are called by name; NIL: by what is put into the code, :LOCAL
(defvar *label-count* 0)
(defvar *form* nil)           ; the form that instructions come from now, if there is a *FORM-TABLE*

(defun emit (instruction change)
  (push (if *form-table* (noted-instruction instruction) instruction) *code*)
  (setq *depth* (+ *depth* change))
  (if (> *depth* *deepest*) (setq *deepest* *depth*)))

;;; Instructions can be constants; one that is noted is there once.
(defun noted-instruction (instruction)
  (let ((own (copy-list instruction)))
    (%set-gethash own *form-table* *form*)
    own))

(defun new-label ()
  (setq *label-count* (1+ *label-count*)))

(defun emit-label (label) (emit (list :label label) 0))
(defun emit-jump (label) (emit (list :jump label) 0))
(defun emit-constant (value) (emit (list :constant value) 1))
(defun emit-pop () (emit '(:op POP) -1))

;;; What to do with a value that is on the stack.
(defun finish (target)
  (cond ((eq target :effect) (emit-pop))
        ((eq target :return) (emit '(:op RETURN) -1))))

(defmacro define-emitter (kind parameters &body body)
  `(%set-get ',kind '%emitter (lambda ,parameters ,@body)))

(defun emit-node (node target)
  (let ((form (if *form-table* (gethash node *form-table*) nil)))
    (if form
        (let ((*form* form))
          (funcall (get (car node) '%emitter) node target))
        (funcall (get (car node) '%emitter) node target))))

(defun emit-values (nodes)
  (dolist (node nodes) (emit-node node :value)))

(define-emitter constant (node target)
  (unless (eq target :effect)
    (emit-constant (cadr node))
    (finish target)))

;;; One value of a node that may have several: an instruction between the call and whoever wants values sees to that.
(define-emitter single (node target)
  (let ((inner (cadr node)))
    (if (or (eq target :effect)
            (member (car inner) '(constant variable global free not))
            (and (eq (car inner) 'operation) (not (eq (cadr (caadr inner)) 'MISCN))))
        (emit-node inner target)
        (progn (emit-node inner :value)
               (emit '(:op NOP) 0)
               (finish target)))))

;;; Variables

(defun boxed (var) (and (var-captured var) (var-mutated var)))

(defun place-of (var)
  (if (eq (var-owner var) *function*)
      (var-place var)
      (or (cdr (assoc var *outside*)) (error "~S of ~S is not at hand in ~S" (var-name var)
                                             (fn-name (var-owner var)) (fn-name *function*)))))

;;; What is in a variable's place: its value or its box.
(defun emit-place (place)
  (if (eq (car place) :env)
      (progn (emit '(:pvar 0) 1)
             (dotimes (i (cdr place)) (emit '(:op CDR) 0))
             (emit '(:op CAR) 0))
      (emit (list (car place) (cdr place)) 1)))

(define-emitter variable (node target)
  (unless (eq target :effect)
    (emit-place (place-of (cadr node)))
    (if (boxed (cadr node)) (emit '(:op CAR) 0))
    (finish target)))

;;; The value on the stack goes to a place of this frame and stays on the stack, or does not.
(defun emit-set-place (place keep)
  (emit (list (if (eq (car place) :ivar) :set-ivar :set-pvar) (cdr place)) 0)
  (unless keep (emit-pop)))

(define-emitter set-variable (node target)
  (let* ((var (cadr node)) (place (place-of var)))
    (emit-node (caddr node) :value)
    (cond ((not (boxed var)) (emit-set-place place (not (eq target :effect))))
          ((eq target :effect)
           (emit-place place) (emit '(:op SWAP) 0) (emit '(:op RPLACA) -1) (emit-pop))
          (t (emit-place place) (emit '(:op COPYN 2) 1) (emit '(:op RPLACA) -1) (emit-pop)))
    (if (eq target :return) (finish target))))

(define-emitter free (node target)
  (unless (eq target :effect)
    (let ((bound (assoc (cadr node) *bound*)))
      (if bound (emit-place (cdr bound)) (emit (list :fvar (cadr node)) 1))
      (finish target))))

(define-emitter set-free (node target)
  (let ((bound (assoc (cadr node) *bound*)))
    (emit-node (caddr node) :value)
    (if bound
        (emit-set-place (cdr bound) (not (eq target :effect)))
        (progn (emit (list :set-fvar (cadr node)) 0)
               (if (eq target :effect) (emit-pop))))
    (if (eq target :return) (finish target))))

(define-emitter global (node target)
  (unless (eq target :effect)
    (emit (list :gvar (cadr node)) 1)
    (finish target)))

(define-emitter set-global (node target)
  (emit-node (caddr node) :value)
  (emit (list :set-gvar (cadr node)) 0)
  (finish target))

;;; Sequences and tests

(define-emitter sequence (node target)
  (do ((nodes (cadr node) (cdr nodes)))
      ((null (cdr nodes)) (emit-node (car nodes) target))
    (emit-node (car nodes) :effect)))

;;; Emits the second alternative at the depth where the first one began.
(define-emitter if (node target)
  (let ((else (new-label)) (end (new-label)) (depth 0))
    (emit-test (cadr node) else nil)
    (setq depth *depth*)
    (emit-node (caddr node) target)
    (unless (eq target :return)
      (if (and (eq target :effect) (eq (car (cadddr node)) 'constant))
          nil
          (emit-jump end)))
    (setq *depth* depth)
    (emit-label else)
    (emit-node (cadddr node) target)
    (emit-label end)))

(define-emitter not (node target)
  (if (eq target :effect)
      (emit-node (cadr node) :effect)
      (progn (emit-node (cadr node) :value)
             (emit '(:op NIL) 1)
             (emit '(:op EQ) -1)
             (finish target))))

(defun emit-chain (nodes jump target)
  (let ((end (new-label)))
    (do ((rest nodes (cdr rest)))
        ((null (cdr rest))
         (cond ((eq target :return)
                (emit-node (car rest) :return)
                (when (cdr nodes)
                  (emit-label end)
                  (setq *depth* (1+ *depth*))
                  (finish :return)))
               (t (emit-node (car rest) :value)
                  (emit-label end))))
      (emit-node (car rest) :value)
      (emit (list jump end) -1))))

(define-emitter and (node target)
  (if (eq target :effect) (emit-test-for-effect node) (emit-chain (cadr node) :nfjump target)))

(define-emitter or (node target)
  (if (eq target :effect) (emit-test-for-effect node) (emit-chain (cadr node) :ntjump target)))

(defun emit-test-for-effect (node)
  (let ((end (new-label)) (sense (eq (car node) 'or)))
    (do ((rest (cadr node) (cdr rest)))
        ((null (cdr rest)) (emit-node (car rest) :effect))
      (emit-test (car rest) end sense))
    (emit-label end)))

;;; Jumps to the label if the node's truth is `sense`, goes on otherwise.
(defun emit-test (node label sense)
  (let ((kind (car node)))
    (cond ((eq kind 'not) (emit-test (cadr node) label (not sense)))
          ((eq kind 'constant) (if (eq (if (cadr node) t nil) sense) (emit-jump label)))
          ((eq kind 'single) (emit-test (cadr node) label sense))
          ((or (eq kind 'and) (eq kind 'or))
           (emit-test-chain (cadr node) (eq kind 'or) label sense))
          ((eq kind 'sequence)
           (do ((nodes (cadr node) (cdr nodes)))
               ((null (cdr nodes)) (emit-test (car nodes) label sense))
             (emit-node (car nodes) :effect)))
          (t (emit-node node :value)
             (emit (list (if sense :tjump :fjump) label) -1)))))

;;; `deciding` is the truth that ends the chain: true for OR.
(defun emit-test-chain (nodes deciding label sense)
  (if (eq deciding sense)
      (dolist (node nodes) (emit-test node label sense))
      (let ((past (new-label)))
        (do ((rest nodes (cdr rest)))
            ((null (cdr rest)) (emit-test (car rest) label sense))
          (emit-test (car rest) past deciding))
        (emit-label past))))

;;; Instructions and calls

(defun emit-operation (instruction base)
  (let* ((row (opcode (cadr instruction)))
         (pops (or (cadddr row) (- *depth* base)))
         (pushes (car (cddddr row))))
    (emit instruction (- (or pushes 1) pops))))

(define-emitter operation (node target)
  (let ((base *depth*))
    (emit-values (caddr node))
    (dolist (instruction (cadr node)) (emit-operation instruction base))
    (if (= *depth* base) (emit-constant nil))
    (finish target)))

(define-emitter store (node target)
  (emit-values (caddr node))
  (cond ((eq target :effect) (emit (cadr node) -1) (emit-pop))
        (t (emit '(:op SWAP) 0)
           (emit '(:op COPYN 2) 1)
           (emit (cadr node) -1)
           (emit-pop)
           (if (eq target :return) (finish target)))))

(define-emitter call (node target)
  (emit-values (caddr node))
  (let ((count (length (caddr node))))
    (emit (list :call count (cadr node)) (- 1 count))
    (finish target)))

(define-emitter funcall (node target)
  (emit-values (caddr node))
  (let ((count (length (caddr node))))
    (emit-constant count)
    (emit-node (cadr node) :value)
    (emit '(:op APPLYFN) (- -1 count))
    (finish target)))

(define-emitter values-list (node target)
  (emit-node (cadr node) :value)
  (emit (list :call 1 '|\\MVLIST|) 0)
  (finish target))

;;; Variables with values

(defun new-slot ()
  (do () ((not (member *next-slot* *kept-slots*)))
    (setq *next-slot* (1+ *next-slot*)))
  (let ((slot *next-slot*))
    (setq *next-slot* (1+ slot))
    (if (> *next-slot* *slot-count*) (setq *slot-count* *next-slot*))
    slot))

;;; Slots one behind the other that nothing else will ever use in this function: a name table entry leads to each.
(defun new-kept-slots (vars)
  (let ((first *slot-count*))
    (dolist (var vars)
      (push *slot-count* *kept-slots*)
      (push (list :pvar *slot-count* (var-name var)) *names*)
      (setq *slot-count* (1+ *slot-count*)))
    first))

;;; The value on the stack becomes the first value of a lexical variable.
(defun emit-first-value (var)
  (if (eq (car (var-place var)) :pvar)
      (push (cons (cdr (var-place var)) (slot-note var)) *local-names*))
  (if (boxed var) (progn (emit '(:op NIL) 1) (emit '(:op CONS) -1)))
  (emit-set-place (var-place var) nil))

(define-emitter let (node target)
  (let ((vars (cadr node)) (next *next-slot*) (bound *bound*) (marks *marks*) (dynamic nil))
    (mapc (lambda (var value)
            (emit-node value :value)
            (if (var-special var)
                (push var dynamic)
                (progn (setf (var-place var) (cons :pvar (new-slot)))
                       (emit-first-value var))))
          vars (caddr node))
    (when dynamic
      (let* ((count (length dynamic))
             (slot (new-kept-slots (reverse dynamic))))
        (if (> count 15) (compile-error "more than 15 dynamic variables at once"))
        (emit (list :bind count (+ slot count -1)) (- 1 count))
        (push *depth* *marks*)
        (dolist (var (reverse dynamic))
          (push (cons (var-name var) (cons :pvar slot)) *bound*)
          (setq slot (1+ slot)))))
    (emit-node (cadddr node) target)
    (when dynamic
      (cond ((eq target :value) (emit '(:unbind) -1))
            ((eq target :effect) (emit '(:dunbind) -1))
            (t (setq *depth* (1- *depth*)))))
    (setq *next-slot* next)
    (setq *bound* bound)
    (setq *marks* marks)))

;;; Functions

(defun emit-closure (fn)
  (if (fn-free fn)
      (progn
        (emit-constant 13)
        (emit '(:op CREATECELL) 0)
        (emit (list :code fn) 1)
        (emit '(:op RPLPTR 0) -1)
        (dolist (var (fn-free fn)) (emit-place (place-of var)))
        (emit '(:op NIL) 1)
        (dolist (var (fn-free fn)) (emit '(:op CONS) -1))
        (emit '(:op RPLPTR 2) -1))
      (emit (list :function fn) 1)))

(define-emitter closure (node target)
  (unless (eq target :effect)
    (emit-closure (cadr node))
    (finish target)))

(define-emitter local-function (node target)
  (emit-node (list 'variable (fn-variable (cadr node))) target))

(define-emitter local-call (node target)
  (let ((fn (cadr node)))
    (if (fn-escaped fn)
        (emit-node (list 'funcall (list 'variable (fn-variable fn)) (caddr node)) target)
        (let ((count (+ (length (fn-free fn)) (length (caddr node)))))
          (dolist (var (fn-free fn)) (emit-place (place-of var)))
          (emit-values (caddr node))
          (emit-lifted-call fn count)
          (finish target)))))

;;; A file's functions are all there is of a name, and the names of local ones are theirs. On the machine an older function
;;; of the same name may still be in use, with other local functions: what one calls must be its own.
(defun emit-lifted-call (fn count)
  (if *calls-by-name*
      (emit (list :call count (fn-name fn)) (- 1 count))
      (progn
        (emit-constant count)
        (emit (list :local (fn-name fn)) 1)
        (emit '(:op NIL) 1)
        (emit '(:op ENVCALL) (- -2 count)))))

(define-emitter functions (node target)
  (let ((next *next-slot*)
        (escaped (remove-if-not #'fn-escaped (cadr node))))
    (dolist (fn escaped)
      (let ((var (fn-variable fn)))
        (setf (var-place var) (cons :pvar (new-slot)))
        (when (boxed var)
          (emit-constant nil)
          (emit-first-value var))))
    (dolist (fn (cadr node))
      (if (fn-escaped fn)
          (if (boxed (fn-variable fn))
              (progn (emit-place (var-place (fn-variable fn)))
                     (emit-closure fn)
                     (emit '(:op RPLACA) -1)
                     (emit-pop))
              (progn (emit-closure fn)
                     (emit-set-place (var-place (fn-variable fn)) nil)))
          (setq *lifted* (append *lifted* (list fn)))))
    (emit-node (caddr node) target)
    (setq *next-slot* next)))

;;; Exits

(define-emitter block (node target)
  (let ((exit (cadr node)))
    (setf (exit-label exit) (new-label))
    (setf (exit-depth exit) *depth*)
    (setf (exit-marks exit) *marks*)
    (setf (exit-target exit) target)
    (emit-node (caddr node) target)
    (emit-label (exit-label exit))))

;;; Takes the stack down to where an exit began, with the value on top or not.
(defun emit-unwinding (exit keep)
  (let* ((kept (if keep 1 0))
         (extra (- *depth* kept (exit-depth exit)))
         (marks nil))
    (do ((rest *marks* (cdr rest)))
        ((eq rest (exit-marks exit)))
      (push (car rest) marks))
    (cond ((= extra 0) nil)
          ((not keep)
           (dolist (mark marks) (emit '(:dunbind) 0))
           (let ((left (if marks (- (car marks) (exit-depth exit) 1) extra)))
             (dotimes (i left) (emit '(:op POP) 0))))
          ((and marks (= (car marks) (1+ (exit-depth exit))))
           (dolist (mark marks) (emit '(:unbind) 0)))
          (t (emit (list :unwind (+ (exit-depth exit) kept)) 0)))))

(define-emitter leave (node target)
  (let* ((exit (cadr node)) (depth *depth*))
    (cond ((eq (exit-target exit) :return) (emit-node (caddr node) :return))
          ((eq (exit-target exit) :effect)
           (emit-node (caddr node) :effect)
           (emit-unwinding exit nil)
           (emit-jump (exit-label exit)))
          (t (emit-node (caddr node) :value)
             (emit-unwinding exit t)
             (emit-jump (exit-label exit))))
    (setq *depth* (if (eq target :value) (1+ depth) depth))))

(define-emitter tagbody (node target)
  (let ((exit (cadr node)))
    (setf (exit-depth exit) *depth*)
    (setf (exit-marks exit) *marks*)
    (dolist (pair (exit-tags exit)) (%set-cdr pair (new-label)))
    (dolist (item (caddr node))
      (if (consp item)
          (emit-node item :effect)
          (emit-label (cdr (assoc item (exit-tags exit))))))
    (unless (eq target :effect)
      (emit-constant nil)
      (finish target))))

(define-emitter jump (node target)
  (let ((exit (cadr node)) (depth *depth*))
    (emit-unwinding exit nil)
    (emit-jump (cdr (assoc (caddr node) (exit-tags exit))))
    (setq *depth* (if (eq target :value) (1+ depth) depth))))
