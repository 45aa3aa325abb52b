;;; The break window: where a computation that cannot go on waits to be looked at.
;;;
;;;     +-Frames--------+ +-Variables of FACT ---------+
;;;     | > FACT        | | N      3                   |     press a frame to see its variables,
;;;     |   FACT        | |                            |     press a variable to inspect it
;;;     |   EVAL        | |                            |
;;;     +---------------+ +----------------------------+
;;;     +-Break 1: unbound variable FOO ----------------+
;;;     | The variable FOO has no value.                |
;;;     | 1: foo                                        |    forms are evaluated here, with the special variables of
;;;     +-----------------------------------------------+    the computation
;;;
;;; The computation is not undone: this runs on top of it, in its process. Besides forms one can type
;;;
;;;     0, 1 ...       one of the ways to go on that the program offers (restarts), by number
;;;     :abort         give the computation up, go back to the exec
;;;     :go            go on, where the error allows it; :return FORM goes on with a value
;;;     :frames        list the frames;   :frame N shows one's variables;   :variables those of the present one

(defglobal *console-is-used* t)         ; do breaks show on the serial line, too?
(defvar *break-level* 0)                ; how many breaks this process is in
(defvar *break-frames* nil)             ; the frames one can look at, innermost first
(defvar *break-frame* nil)              ; the one whose variables are shown
(defvar *break-condition* nil)          ; what went wrong

(defun condition-text (condition)
  "A condition as a sentence."
  (handler-case (format nil "~a" condition)
    (error (problem) (declare (ignore problem)) "an error that cannot be printed")))

(defun short-text (object &optional (length 60))
  "What an object prints as, cut to so many characters."
  (let ((text (handler-case (let ((*print-length* 8) (*print-level* 3)) (prin1-to-string object))
                (error (problem) (declare (ignore problem)) "(it cannot be printed)"))))
    (if (> (length text) length)
        (concatenate 'string (subseq text 0 (- length 3)) "...")
        text)))

(defun first-line (text)
  (let ((end (position-if (lambda (c) (newline-code-p (char-code c))) text)))
    (if end (subseq text 0 end) text)))

(defun variable-items (frame)
  "Lines for a frame's variables."
  (mapcar (lambda (variable)
            (cons (format nil "~12a ~a" (car variable) (short-text (cdr variable)))
                  (cdr variable)))
          (frame-variables frame)))

(defun frame-items (frames)
  (mapcar (lambda (frame) (cons (format nil "~a" (frame-name frame)) frame)) frames))

(defun print-variables (frame)
  (dolist (item (variable-items frame))
    (format t "~a~%" (car item))))

(defun print-frames (frames)
  (let ((n 0))
    (dolist (frame frames)
      (format t "~3d ~a~%" n (frame-name frame))
      (setq n (1+ n)))))

(defun open-break-lists (frames left top)
  "The two lists of a break window: frames and variables."
  (let* ((variables (make-list-window "Variables" (+ left 220) top 440 11 nil
                                      (lambda (window object button)
                                        (declare (ignore window button))
                                        (inspect object))))
         (list (make-list-window "Frames" left top 210 11 (frame-items frames)
                                 (lambda (window frame button)
                                   (declare (ignore window button))
                                   (show-frame-in variables frame)))))
    (when frames
      (choose-line list 0)
      (show-frame-in variables (car frames)))
    (list (lister-window list) (lister-window variables))))

(defun show-frame-in (lister frame)
  (setq *break-frame* frame)
  (set-window-title (lister-window lister) (format nil "Variables of ~a" (frame-name frame)))
  (show-items lister (variable-items frame)))

(defun restarts-text ()
  "The restarts that there are, a line each."
  (let ((n 0)
        (text ""))
    (dolist (restart *restarts* text)
      (setq text (concatenate 'string text (format nil "~%~3d: ~a" n restart)))
      (setq n (1+ n)))))

(defun break-command (form stream)
  "Does what a keyword typed to a break says. Throws to the break's loop for those that end it."
  (case form
    ((:abort :top) (throw 'break-end (list :abort)))
    ((:go :ok) (throw 'break-end (list :go nil)))
    (:return (throw 'break-end (list :go (eval (read stream nil nil)))))
    ((:frames :bt) (print-frames *break-frames*) t)
    ((:variables :vars) (print-variables *break-frame*) t)
    (:frame (let ((frame (nth (read stream nil 0) *break-frames*)))
              (when frame
                (setq *break-frame* frame)
                (print-variables frame)))
            t)
    (t nil)))

(defun choose-restart (form)
  "A number chooses a restart, which throws."
  (when (and (integerp form) (>= form 0) (< form (length *restarts*)))
    (invoke-restart-interactively (nth form *restarts*))
    t))

(defun break-step (terminal)
  "Reads one input in a break and does it."
  (terminal-fresh-line terminal)
  (terminal-write-string terminal (format nil "break ~d> " *break-level*))
  (let ((text (read-form-text terminal)))
    (cond ((eq text :interrupted) (throw 'break-end (list :abort)))
          ((blank-p text) nil)
          (t (note-input text)
             (let ((stream (make-string-input-stream text))
                   (end (list 'end)))
               (loop
                 (let ((form (read stream nil end)))
                   (when (eq form end) (return nil))
                   (unless (or (choose-restart form)
                               (and (keywordp form) (break-command form stream)))
                     (print-values (evaluate-form form))))))))))

(defun break-loop (terminal)
  "Reads and does inputs until one ends the break: (:abort) or (:go value)."
  (catch 'break-end
    (loop
      (unless (window-open (terminal-window terminal))
        (return (list :abort)))
      (catch 'break (break-step terminal)))))

(defun break-in-window (title text frames)
  "Lets the user look at a computation: (:abort) or (:go value)."
  (let* ((left (+ 60 (* 24 (1- *break-level*))))
         (top (+ 200 (* 24 (1- *break-level*))))
         (lists (open-break-lists frames left top))
         (terminal (make-terminal-window title left (+ top 178) 82 12))
         (before *focus*))
    (setf (terminal-mirror terminal) *console-is-used*)
    (setf (window-process (terminal-window terminal)) *current-process*)
    (set-focus (terminal-window terminal))
    (unwind-protect
         (progn
           (terminal-write-string terminal text)
           (terminal-write-string terminal (restarts-text))
           (terminal-write-string terminal "
Press a frame to see its variables. :abort gives up, :go goes on.
")
           (with-terminal (terminal)
             (break-loop terminal)))
      (dolist (window (cons (terminal-window terminal) lists))
        (close-window window))
      (when (and before (window-open before))
        (set-focus before)))))


(defun uninteresting-p (name)
  "Whether a function only stands between a mistake and its break window: the names of the system's own begin with % or \\."
  (or (member name '(break-window enter-break invoke-debugger error break interrupted break-key))
      (find (char (format nil "~a/" name) 0) "%\\")))

(defun interesting-frames (frames)
  "The frames from the one where the mistake was made."
  (let ((rest frames))
    (loop
      (when (or (null rest) (not (uninteresting-p (frame-name (car rest)))))
        (return (or rest frames)))
      (setq rest (cdr rest)))))

(defun break-window (condition title)
  "Lets the user look at a computation. Comes back only if he goes on; the value he gives."
  (release-mouse)
  (let* ((*break-level* (1+ *break-level*))
         (*debugger-hook* #'enter-break)
         (*break-condition* condition)
         (*break-frames* (interesting-frames (call-chain (frame-caller (%my-alink)))))
         (*break-frame* (car *break-frames*))
         (text (condition-text condition))
         (answer (break-in-window (format nil "~a ~d: ~a" title *break-level* (first-line text)) text *break-frames*)))
    (if (eq (car answer) :abort)
        (throw (if (> *break-level* 1) 'break 'exec) nil)
        (cadr answer))))

(defun enter-break (condition hook)
  "What happens to a condition that nobody handles, while there is a screen."
  (declare (ignore hook))
  (break-window condition "Break"))

(defun interrupted ()
  "Control-C or Control-E: the running computation stops here."
  (break-window "Interrupted." "Interrupt"))
