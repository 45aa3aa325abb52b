;;; Frames: what the stack says about a computation.
;;;
;;;     the stack segment: ... | arguments | basic frame | frame extension | PVARs | temporaries | ...
;;;
;;; A frame is known by the stack offset of its frame extension, a small integer. What its words say: machine/stack.lisp,
;;; which has what the system itself asks of frames (%FRAME-NAME, %FRAME-ARGUMENT ...); here is what people ask.

(defun stack-address (offset)
  "The address of a word of the stack."
  (%pointer 1 offset))

(defun frame-word (frame n)
  (%word (stack-address (+ frame n)) 0))

(defun frame-p (frame)
  "Whether there is a frame at a stack offset."
  (and (> frame 10) (eql 6 (ash (frame-word frame 0) -13))))

(defun frame-caller (frame)
  "The frame that called this one, or NIL."
  (let ((caller (logand (%frame-caller frame) #xFFFE)))
    (if (and (> caller 10) (frame-p caller)) caller nil)))

(defun header-name (header)
  "The name of compiled code."
  (%cell header 4))

(defun frame-first-argument (frame)
  "The stack offset of its first argument."
  (%word (stack-address (1+ (%frame-basic frame))) 0))

(defun header-locals (header)
  "How many PVARs of compiled code are variables of its own."
  (ash (%word header 7) -8))

(defun frame-local-bound-p (frame n)
  (not (eql 65535 (frame-word frame (+ 10 n n)))))

(defun header-slot-name (header kind slot)
  "The name that compiled code has for a slot (kind 0 argument, 128 local), or NIL: only special variables have one."
  (let ((size (%word header 6))
        (name nil))
    (dotimes (i (ash size -1) name)
      (let ((entry (+ 8 i i)))
        (when (and (eql kind (ash (%word (%add header (+ entry size)) 0) -8))
                   (eql slot (%word (%add header (+ entry size)) 1))
                   (%cell (%add header entry) 0))
          (setq name (%cell (%add header entry) 0)))))))

(defun function-debug-info (name)
  "What the compiler noted about a function, a property list, if it was kept."
  (and (symbolp name) (get name '%debug)))

(defun debug-names (header what)
  "The names that the compiler noted for arguments or locals, if it did."
  (let ((debug (function-debug-info (header-name header))))
    (if (consp debug) (getf debug what) nil)))

;;; A frame's variables: ((text symbol value place) ...). The symbol is there if it is clear which variable is meant and that
;;; it is lexical. The place is (:cell address) of the stack; (:car pair) of a box or a closure's environment; (:cdr pair) of
;;; the evaluator's.

(defun note-text (note)
  "What is known of a slot as text, or NIL."
  (cond ((null note) nil)
        ((symbolp note) (symbol-name note))
        ((eq (car note) :box) (symbol-name (cadr note)))
        ((null (cdr note)) (format nil "~a?" (car note)))
        (t (format nil "~a?" (reduce (lambda (a b) (format nil "~a/~a" a b)) note)))))

(defun note-symbol (note)
  (cond ((symbolp note) note)
        ((eq (car note) :box) (cadr note))
        (t nil)))

(defun noted-variable (note text value place)
  "A variable with what the compiler noted; TEXT is for one without a note."
  (if (and (consp note) (eq (car note) :box) (consp value))
      (list (note-text note) (note-symbol note) (car value) (list :car value))
      (list (or (note-text note) text) (note-symbol note) value place)))

(defun slot-variable (header kind n note text address)
  "The variable in a slot; a special one is known by the name table of the code."
  (let ((special (header-slot-name header kind n))
        (value (%cell address 0)))
    (if special
        (list (symbol-name special) nil value (list :cell address))
        (noted-variable note text value (list :cell address)))))

(defun positional-names (header)
  "The names of the arguments that have a place of their own."
  (let* ((captured (if (debug-names header :closure) nil (debug-names header :captured)))
         (parameters (debug-names header :arguments))
         (end (position-if (lambda (name) (member name '(&rest &key))) parameters))
         (end (if (header-spreads-p header) (or (position '&optional parameters) end) end)))
    (append captured (remove '&optional (subseq parameters 0 end)))))

(defun header-spreads-p (header)
  "Whether the code takes its arguments as they come."
  (eql 65535 (%word header 1)))

(defun argument-variables (frame header)
  (let ((names (positional-names header))
        (count (min 40 (%frame-argument-count frame)))
        (variables nil))
    ;; Where the others are variables with names of their own, too, it is enough to see them there.
    (when (and (header-spreads-p header) (debug-names header :locals))
      (setq count (min count (length names))))
    (dotimes (n count (nreverse variables))
      (push (slot-variable header 0 n (nth n names) (format nil "argument ~d" n)
                           (stack-address (+ (frame-first-argument frame) n n)))
            variables))))

(defun captured-variables (header environment)
  "The variables of a closure's environment, a list of their values and boxes."
  (let ((variables nil))
    (dolist (note (debug-names header :captured) (nreverse variables))
      (when (consp environment)
        (push (noted-variable note "captured" (car environment) (list :car environment)) variables)
        (setq environment (cdr environment))))))

(defun local-variables (frame header)
  (let ((names (debug-names header :locals))
        (closure (debug-names header :closure))
        (variables nil))
    (dotimes (n (header-locals header) (nreverse variables))
      (when (frame-local-bound-p frame n)
        (if (and closure (eql n 0))
            (setq variables (reverse (captured-variables header (%frame-variable frame n))))
            (push (slot-variable header 128 n (nth n names) (format nil "local ~d" n)
                                 (stack-address (+ frame 10 n n)))
                  variables))))))

(defun boxed-argument-p (variable locals)
  "Whether an argument has moved to a box, which is among the locals under the same name."
  (and (cadr variable)
       (some (lambda (it) (and (eq (cadr it) (cadr variable)) (eq (car (cadddr it)) :car))) locals)))

(defun evaluating-p (frame)
  "Whether the frame is one of the evaluator's, for a form in an environment."
  (eq (%frame-name frame) '%eval))

(defun interpreted-variables (frame)
  "The variables of the form that a frame of the evaluator evaluates."
  (let ((variables nil))
    (dolist (pair (%variables (%frame-argument frame 1)) (nreverse variables))
      (unless (assoc (symbol-name (car pair)) variables :test #'equal)
        (push (list (symbol-name (car pair)) (car pair) (cdr pair) (list :cdr pair)) variables)))))

(defun frame-variables (frame)
  "The frame's variables, as above."
  (if (evaluating-p frame)
      (interpreted-variables frame)
      (let* ((header (%frame-code frame))
             (locals (local-variables frame header)))
        (append (remove-if (lambda (variable) (boxed-argument-p variable locals))
                           (argument-variables frame header))
                locals))))

(defun set-frame-variable (variable value)
  "Gives one of a frame's variables another value."
  (let ((place (cadddr variable)))
    (case (car place)
      (:cell (%set-cell (cadr place) 0 value))
      (:car (rplaca (cadr place) value))
      (t (rplacd (cadr place) value)))
    value))

(defun eval-in-frame (form frame)
  "The values of a form that sees the frame's lexical variables, and can set them."
  (let ((pairs nil)
        (variables (if frame (frame-variables frame) nil)))
    ;; The innermost come last, and must be found first.
    (dolist (variable variables)
      (when (cadr variable)
        (push (cons (cadr variable) (caddr variable)) pairs)))
    (multiple-value-prog1 (%eval form (%make-environment pairs nil nil))
      (dolist (variable variables)
        (let ((pair (assoc (cadr variable) pairs)))
          (when (and (cadr variable) (not (eq (cdr pair) (caddr variable))))
            (set-frame-variable variable (cdr pair))))))))

;;; Leaving frames

(defun return-from-frame (frame value)
  "Makes a frame return a value. Cleaning up on the way there is done first."
  (let ((at (%my-alink))
        (target (frame-caller frame)))
    (loop
      (when (or (null at) (eql at target)) (return nil))
      (when (eq (%frame-name at) '%unwind-protect)
        (funcall (%frame-argument at 1)))
      (setq at (frame-caller at)))
    (%continue-frame target value)))

(defun frame-call (frame)
  "A function that does what the frame does once more, or NIL if nobody knows how."
  (let ((name (%frame-name frame))
        (arguments nil))
    (cond ((evaluating-p frame)
           (let ((form (%frame-argument frame 0))
                 (environment (%frame-argument frame 1)))
             (lambda () (%eval form environment))))
          ((and (symbolp name) (%compiled-definition-p name) (null (debug-names (%frame-code frame) :closure)))
           (dotimes (n (%frame-argument-count frame))
             (push (%frame-argument frame n) arguments))
           (setq arguments (nreverse arguments))
           (lambda () (apply name arguments)))
          (t nil))))

(defun call-chain (frame)
  "The frame and those that called it, innermost first."
  (let ((frames nil))
    (loop
      (when (or (null frame) (not (frame-p frame)) (> (length frames) 500))
        (return (nreverse frames)))
      (push frame frames)
      (setq frame (frame-caller frame)))))
