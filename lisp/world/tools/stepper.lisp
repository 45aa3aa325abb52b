;;; The stepper's windows: a compiled function beside its source and its stack.
;;;
;;;     +-Step FACT: code---------+ +-Source---------------------+
;;;     |   16  IVAR0             | | (defun fact (n)            |
;;;     | [ 17  ONE              ]| |   (if (< n 2) ...          |
;;;     |   18  GREATERP          | +----------------------------+
;;;     |                         | +-Stack, 12 instructions-----+
;;;     |                         | | FACT  place 17             |
;;;     | Step Over Out Run       | |   argument 0   5           |
;;;     +-------------------------+ +----------------------------+
;;;
;;; The source is that of the innermost function that was compiled on this machine; the part that the next instruction came
;;; from is inverted, or the call that is under way. Keys, in the code window: space or s steps into calls, o (over) takes a
;;; call as one step, u (up) runs until the function returns, r runs to the end, q closes, as does closing the code window.

(defstruct step-windows
  stepper code-list stack-list source-pane
  (shown nil)                           ; the code that is listed
  (places nil)                          ; the places of its instructions
  (source nil)                          ; the function whose source is shown
  (forms nil))                          ; (code name . places) of all code that was met: which form each instruction is from

(defun code-items (places code)
  (mapcar (lambda (place) (cons (instruction-text code place) place)) places))

(defun step-variable-item (note text value)
  "A line for a variable; TEXT if the compiler did not note its name."
  (cons (format nil "  ~10a  ~a" (or (note-text note) text) (short-text value 40)) (list value)))

(defun frame-step-items (frame)
  "Lines for one frame of the stepper."
  (let* ((lines nil)
         (n 0)
         (code (step-frame-code frame))
         (names (positional-names code))
         (local-names (debug-names code :locals)))
    (push (cons (format nil "~a  at ~d" (header-name code) (step-frame-place frame)) nil) lines)
    (dotimes (i (min (%word code 1) (length (step-frame-arguments frame))))
      (push (step-variable-item (nth i names) (format nil "argument ~d" i) (svref (step-frame-arguments frame) i)) lines))
    (dotimes (i (header-locals code))
      (push (step-variable-item (nth i local-names) (format nil "local ~d" i) (svref (step-frame-locals frame) i)) lines))
    (dolist (value (step-frame-stack frame))
      (push (cons (format nil "  ~a  ~a" (if (eql n 0) "top       " "          ") (short-text value 40)) (list value)) lines)
      (setq n (1+ n)))
    (nreverse lines)))

(defun stack-items (stepper)
  (if (stepper-done stepper)
      (list (cons (format nil "done: ~a" (short-text (stepper-value stepper) 60)) (list (stepper-value stepper))))
      (mapcan #'frame-step-items (subseq (stepper-frames stepper) 0 (min 12 (length (stepper-frames stepper)))))))

;;; The source

(defun outer-name (windows code)
  "The function of the source that code is from: its own, or one around it that was met before."
  (let ((name (%code-name code)))
    (if (function-source name)
        name
        (cadr (find-if (lambda (it) (assoc name (cddr it))) (step-windows-forms windows))))))

(defun code-forms (windows code)
  "(code name . places) for code: the function of its source, or NIL, and what is known of its instructions."
  (or (assoc code (step-windows-forms windows))
      (let* ((name (outer-name windows code))
             (all (and name (form-places name)))
             (own (cdr (assoc (%code-name code) all)))
             (it (list* code (and own (places-fit-p own code) name) all)))
        (push it (step-windows-forms windows))
        it)))

(defun show-step-source (windows)
  "Marks where the stepper is in the source: of the next instruction, or of the innermost call that there is source for."
  (let ((pane (step-windows-source-pane windows))
        (back 0))
    (dolist (frame (stepper-frames (step-windows-stepper windows)) (mark-source pane nil))
      (let* ((code (step-frame-code frame))
             (forms (code-forms windows code))
             (name (cadr forms)))
        (when name
          (unless (eq name (step-windows-source windows))
            (setf (step-windows-source windows) name)
            (show-source pane name))
          (mark-source pane (form-at (cdr (assoc (%code-name code) (cddr forms)))
                                     (- (step-frame-place frame) (%code-start code) back)))
          (return nil)))
      ;; Callers are behind their calls.
      (setq back 1))))

(defun show-step (windows)
  "Shows where the stepper is."
  (let* ((stepper (step-windows-stepper windows))
         (frame (top-frame stepper)))
    (when frame
      (let ((code (step-frame-code frame)))
        (unless (eq code (step-windows-shown windows))
          (setf (step-windows-shown windows) code)
          (setf (step-windows-places windows) (code-places code))
          (show-items (step-windows-code-list windows) (code-items (step-windows-places windows) code))
          (set-window-title (lister-window (step-windows-code-list windows))
                            (format nil "Step ~a" (header-name code))))
        (choose-line (step-windows-code-list windows)
                     (position (step-frame-place frame) (step-windows-places windows)))))
    (show-step-source windows)
    (show-items (step-windows-stack-list windows) (stack-items stepper))
    (set-window-title (lister-window (step-windows-stack-list windows))
                      (format nil "Stack after ~d instructions" (stepper-count stepper)))))

(defun close-step-windows (windows)
  (dolist (window (list (lister-window (step-windows-stack-list windows))
                        (lister-window (source-pane-lister (step-windows-source-pane windows)))
                        (lister-window (step-windows-code-list windows))))
    (when window
      (setf (window-close-function window) nil)
      (close-window window))))

(defun step-command (windows command)
  "Does :step, :over, :out, :run or :close."
  (let ((stepper (step-windows-stepper windows)))
    (cond ((eq command :close) (close-step-windows windows))
          ((stepper-done stepper) nil)
          (t (case command
               (:step (step-once stepper))
               (:over (step-over stepper))
               (:out (step-out stepper))
               (:run (step-to-end stepper)))
             (show-step windows)))))

(defun step-key (windows key)
  (case key
    ((#\Space #\s #\Newline) (step-command windows :step))
    (#\o (step-command windows :over))
    (#\u (step-command windows :out))
    (#\r (step-command windows :run))
    (#\q (step-command windows :close))))

(defun inspect-item (window item button)
  (declare (ignore window button))
  (when item
    (inspect (car item))))

(defun open-stepper (function arguments)
  "Windows that step a call of a function."
  (let* ((stepper (start-stepper function arguments))
         (windows (make-step-windows :stepper stepper)))
    (setf (step-windows-source-pane windows) (make-source-window 480 70 424 12))
    (show-source (step-windows-source-pane windows) function)
    (setf (step-windows-stack-list windows)
          (make-list-window "Stack" 480 270 424 11 nil #'inspect-item))
    (setf (step-windows-code-list windows)
          (make-list-window "Step" 100 70 370 36 nil nil))
    (let ((window (lister-window (step-windows-code-list windows))))
      (setf (window-close-function window)
            (lambda (window) (declare (ignore window)) (close-step-windows windows)))
      (setf (window-key-function window)
            (lambda (window key) (declare (ignore window)) (step-key windows key)))
      (setf (window-button-function window)
            (lambda (window button x y)
              (declare (ignore window button x y))
              (let ((command (menu '(("Step (space)" :step) ("Over (o)" :over) ("Out (u)" :out) ("Run (r)" :run)
                                     ("Close (q)" :close))
                                   "Step")))
                (when command
                  (step-command windows command)))))
      (set-focus window))
    (show-step windows)
    (values)))

(defun step-call-of (form)
  "Opens the stepper on a call: (step-call-of '(fact 5))."
  (open-stepper (car form) (mapcar #'eval (cdr form))))

;;; An example, compiled here and now by the compiler of the world

(defparameter *step-example*
  '(defun step-fact (n)
    (if (< n 2)
        1
        (* n (step-fact (- n 1))))))

(defun step-example ()
  "Steps a small function, with its source."
  (eval *step-example*)
  (unless (%compiled-definition-p 'step-fact)
    (compile 'step-fact))
  (step-call-of '(step-fact 4)))
