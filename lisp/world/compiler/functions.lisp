;;; The compiler, chapter 7: a whole function, from its parameters to its code object.
;;;
;;;     IVAR   captured variables of a lifted function, required parameters, and optional ones that are NIL if missing
;;;     PVAR   environment of a closure, all other variables
;;;
;;; A caller may give any number of arguments. The machine fits them to what a function wants if that is a fixed number;
;;; a function with &rest, &key or an optional parameter that needs to know takes them as they come, and counts.

;;; Whether missing optional arguments may simply be NIL.
(defun fitted (fn)
  (and (null (fn-rest fn))
       (not (fn-key-p fn))
       (every (lambda (it) (and (equal (cadr it) '(constant nil)) (null (caddr it)))) (fn-optional fn))))

(defun lifted (fn) (and (fn-local fn) (not (fn-escaped fn))))

;;; An argument that is where the variable stays.
(defun emit-argument (var number)
  (setf (var-place var) (cons :ivar number))
  (cond ((var-special var)
         (push (list :ivar number (var-name var)) *names*)
         (push (cons (var-name var) (var-place var)) *bound*))
        ((boxed var)
         (emit (list :ivar number) 1)
         (emit-first-value var))))

;;; The value on the stack becomes a parameter that has a slot of its own.
(defun emit-parameter (var)
  (if (var-special var)
      (let ((slot (new-kept-slots (list var))))
        (setf (var-place var) (cons :pvar slot))
        (push (cons (var-name var) (var-place var)) *bound*)
        (emit-set-place (var-place var) nil))
      (progn (setf (var-place var) (cons :pvar (new-slot)))
             (emit-first-value var))))

;;; Nothing is put in the place of a required argument that a caller forgot when the arguments are taken as they come: ARG0
;;; of the last one complains.
(defun emit-argument-check (required)
  (when (> required 0)
    (emit-constant required)
    (emit '(:op ARG0) 0)
    (emit-pop)))

;;; Optional argument `number`, counted from 0.
(defun emit-optional (it number)
  (let ((missing (new-label)) (end (new-label)) (supplied (caddr it)))
    (emit '(:op MYARGCOUNT) 1)
    (emit-constant number)
    (emit '(:op IGREATERP) -1)
    (emit (list :fjump missing) -1)
    (if supplied (emit-constant t))
    (emit (list :ivar number) 1)
    (emit-jump end)
    (setq *depth* (if supplied (- *depth* 2) (1- *depth*)))
    (emit-label missing)
    (if supplied (emit-constant nil))
    (emit-node (cadr it) :value)
    (emit-label end)
    (emit-parameter (car it))
    (if supplied (emit-parameter supplied))))

;;; A keyword argument; keywords can be from argument `first` on, counted from 1.
(defun emit-keyword (it first)
  (let ((given (new-label)) (end (new-label)) (supplied (cadddr it)))
    (emit-constant (car it))
    (emit (list :op 'FINDKEY first) 0)
    (cond (supplied
           (emit (list :ntjump given) -1)
           (emit-constant nil)
           (emit-node (caddr it) :value)
           (emit-jump end)
           (setq *depth* (1- *depth*))
           (emit-label given)
           (emit '(:op ARG0) 0)
           (emit-constant t)
           (emit '(:op SWAP) 0)
           (emit-label end))
          (t (emit (list :ntjump given) -1)
             (emit-node (caddr it) :value)
             (emit-jump end)
             (emit-label given)
             (emit '(:op ARG0) 0)
             (emit-label end)))
    (emit-parameter (cadr it))
    (if supplied (emit-parameter supplied))))

(defun emit-parameters (fn)
  (let ((number (if (lifted fn) (length (fn-free fn)) 0)))
    (dolist (var (fn-required fn))
      (emit-argument var number)
      (setq number (1+ number)))
    (if (fitted fn)
        (dolist (it (fn-optional fn) number)
          (emit-argument (car it) number)
          (setq number (1+ number)))
        (progn
          (emit-argument-check number)
          (dolist (it (fn-optional fn))
            (emit-optional it number)
            (setq number (1+ number)))
          (when (fn-rest fn)
            (emit-constant nil)
            (emit '(:op MYARGCOUNT) 1)
            (emit (list :op 'RESTLIST (1+ number)) -1)
            (emit-parameter (fn-rest fn)))
          (dolist (it (fn-keys fn)) (emit-keyword it (1+ number)))
          -1))))

;;; Where a function finds the variables it captures.
(defun outside-places (fn)
  (let ((number -1) (kind (if (lifted fn) :ivar :env)))
    (mapcar (lambda (var)
              (setq number (1+ number))
              (cons var (cons kind number)))
            (fn-free fn))))

(defun emit-function (fn)
  (let* ((*function* fn)
         (closure (and (fn-free fn) (not (lifted fn))))
         (*code* nil) (*depth* 0) (*deepest* 0) (*marks* nil)
         (*next-slot* (if closure 1 0))
         (*slot-count* *next-slot*)
         (*kept-slots* nil) (*names* nil) (*bound* nil) (*local-names* nil)
         (*outside* (outside-places fn))
         (*label-count* 0)
         (arguments (emit-parameters fn)))
    (emit-node (fn-body fn) :return)
    (let ((code (improve (reverse *code*))))
      (note-function fn)
      ;; A name table has innermost bindings first, which is how they were collected.
      (assemble (fn-name fn) arguments *slot-count* *deepest* *names* code nil))))

;;; What people want to know of a function: names of its arguments and of its locals, by slot.
;;;
;;;     :arguments   the lambda list                   :locals   what is in each PVAR
;;;     :captured    variables of functions around it: its first arguments, or the elements of PVAR 0 if :closure is true
;;;
;;; What is in a slot is NIL if nobody knows, a name, (:box name) for a box with the variable's value, or a list of names of
;;; variables that take turns, perhaps with others that have none.

(defvar *function-notes* nil) ; (name . property list), last one first

(defun argument-names (fn)
  (append (mapcar #'var-name (fn-required fn))
          (if (fn-optional fn) (cons '&optional (mapcar (lambda (it) (var-name (car it))) (fn-optional fn))) nil)
          (if (fn-rest fn) (list '&rest (var-name (fn-rest fn))) nil)
          (if (fn-key-p fn) (cons '&key (mapcar (lambda (it) (var-name (cadr it))) (fn-keys fn))) nil)))

;;; Variables that a macro made have names that nobody can write.
(defun readable-name (symbol)
  (if (eq (find-symbol (symbol-name symbol)) symbol) symbol nil))

(defun slot-note (var)
  (let ((name (readable-name (var-name var))))
    (if (and name (boxed var)) (list :box name) name)))

;;; What is known of the variables that have been in a slot, as one.
(defun join-notes (notes)
  (let ((different nil))
    (dolist (note notes) (if (member note different :test #'equal) nil (push note different)))
    (cond ((null (cdr different)) (car different))
          ((every #'symbolp different) (remove nil different))
          (t nil))))

(defun local-names ()
  (let ((names nil))
    (do ((slot (1- *slot-count*) (1- slot)))
        ((< slot 0))
      (push (join-notes (mapcar #'cdr (remove-if-not (lambda (it) (eql (car it) slot)) *local-names*))) names))
    (if (some (lambda (it) it) names) names nil)))

(defun note-function (fn)
  (let ((arguments (argument-names fn))
        (captured (mapcar #'slot-note (fn-free fn)))
        (locals (local-names)))
    (push (cons (fn-name fn)
                (append (if arguments (list :arguments arguments) nil)
                        (if captured (list :captured captured) nil)
                        (if (and captured (not (lifted fn))) (list :closure t) nil)
                        (if locals (list :locals locals) nil)))
          *function-notes*)))

;;; All code objects of a lambda expression: its own first, then those of local functions that are defined by name.
(defun compile-lambda (name rest)
  (let* ((*function* nil) (*functions* nil) (*lifted* nil) (*inner-names* nil) (*compiling* name)
         (fn (analyse-lambda name rest nil)))
    (close-free-variables *functions*)
    (let ((codes (list (emit-function fn))))
      (do ()
          ((null *lifted*))
        (let ((next (car *lifted*)))
          (setq *lifted* (cdr *lifted*))
          (push (emit-function next) codes)))
      (mapc #'forget-function *functions*)
      (reverse codes))))

;;; Functions, their variables and exits refer to each other in circles, which a collector that counts references does not
;;; take back unless somebody cuts them.
(defun forget-function (fn)
  (setf (fn-parent fn) nil)
  (setf (fn-required fn) nil)
  (setf (fn-optional fn) nil)
  (setf (fn-rest fn) nil)
  (setf (fn-keys fn) nil)
  (setf (fn-body fn) nil)
  (setf (fn-free fn) nil)
  (setf (fn-calls fn) nil)
  (setf (fn-variable fn) nil))

;;; (%lap slots depth instruction...): a function body written in the instructions of emit.lisp, which returns by itself.
(define-special %lap (form env) (cons 'lap (cdr form)))

(define-emitter lap (node target)
  (setq *slot-count* (max *slot-count* (cadr node)))
  (setq *deepest* (max *deepest* (caddr node)))
  (dolist (instruction (cdddr node)) (emit instruction 0)))
