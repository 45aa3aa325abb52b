;;; The break window: where a computation that cannot go on waits to be looked at.
;;;
;;;     +-Frames--------+ +-Variables of FACT ---------+
;;;     | > FACT        | | N      3                   |     press a frame to see its variables,
;;;     |   FACT        | |                            |     press a variable to inspect it
;;;     |   EVAL        | |                            |
;;;     +---------------+ +----------------------------+
;;;     +-Break 1: unbound variable FOO ----------------+
;;;     | The variable FOO has no value.                |
;;;     | 1: foo                                        |    forms are evaluated here
;;;     +-----------------------------------------------+
;;;
;;; The computation is not undone: this runs on top of it, in its process. Forms see the variables of the frame that is shown,
;;; and SETQ changes them. Besides forms one can type
;;;
;;;     0, 1 ...       one of the ways to go on that the program offers (restarts), by number
;;;     :abort         give the computation up, go back to the break before, if there is one; :top to the exec
;;;     :return FORM   the frame that is shown returns this value;   :retry   it does what it did once more
;;;     :go            go on behind the break, where that makes sense
;;;     :frames        list the frames, :all-frames those of the system, too
;;;     :frame N       shows another one;   :up and :down the one that called it, or that it called
;;;     :variables     those of the frame that is shown

(defglobal *console-is-used* t)         ; do breaks show on the serial line, too?
(defvar *break-level* 0)                ; how many breaks this process is in
(defvar *break-view* nil)               ; what its windows show
(defvar *break-condition* nil)          ; what went wrong

(defstruct break-view
  all                                   ; all frames, innermost first
  frames                                ; those that are listed
  (frame nil)                           ; the one whose variables are shown
  (frame-list nil) (variable-list nil)) ; the two list windows

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
            (cons (format nil "~12a ~a" (car variable) (short-text (caddr variable)))
                  (caddr variable)))
          (frame-variables frame)))

(defun frame-text (frame)
  "A frame as a line: the function's name, or the form that the evaluator is at."
  (if (evaluating-p frame)
      (string-downcase (short-text (%frame-argument frame 0) 30))
      (format nil "~a" (%frame-name frame))))

(defun frame-items (frames)
  (mapcar (lambda (frame) (cons (frame-text frame) frame)) frames))

(defun print-variables (frame)
  (format t "~a~%" (frame-text frame))
  (dolist (item (variable-items frame))
    (format t "  ~a~%" (car item))))

(defun print-frames (view)
  (let ((n 0))
    (dolist (frame (break-view-frames view))
      (format t "~c~3d ~a~%" (if (eql frame (break-view-frame view)) #\> #\Space) n (frame-text frame))
      (setq n (1+ n)))))

(defun open-break-lists (view left top)
  "The two lists of a break window: frames and variables."
  (setf (break-view-variable-list view)
        (make-list-window "Variables" (+ left 260) top 400 11 nil
                          (lambda (window object button)
                            (declare (ignore window button))
                            (inspect object))))
  (setf (break-view-frame-list view)
        (make-list-window "Frames" left top 250 11 nil
                          (lambda (window frame button)
                            (declare (ignore window button))
                            (show-frame view frame))))
  (list-frames view (break-view-frames view)))

(defun list-frames (view frames)
  "Lists other frames, and shows the innermost of them."
  (setf (break-view-frames view) frames)
  (show-items (break-view-frame-list view) (frame-items frames))
  (when frames
    (show-frame view (car frames))))

(defun show-frame (view frame)
  "Shows the variables of a frame."
  (setf (break-view-frame view) frame)
  (choose-line (break-view-frame-list view) (position frame (break-view-frames view)))
  (show-variables view))

(defun show-variables (view)
  (let ((lister (break-view-variable-list view))
        (frame (break-view-frame view)))
    (when frame
      (set-window-title (lister-window lister) (format nil "Variables of ~a" (frame-text frame)))
      (show-items lister (variable-items frame)))))

(defun close-break-lists (view)
  (close-window (lister-window (break-view-frame-list view)))
  (close-window (lister-window (break-view-variable-list view))))

(defun restarts-text ()
  "The restarts that there are, a line each."
  (let ((n 0)
        (text ""))
    (dolist (restart *restarts* text)
      (setq text (concatenate 'string text (format nil "~%~3d: ~a" n restart)))
      (setq n (1+ n)))))

(defun choose-frame (view n)
  "Shows frame number N of the list, and prints its variables."
  (let ((frame (and (integerp n) (>= n 0) (nth n (break-view-frames view)))))
    (if frame
        (progn
          (show-frame view frame)
          (print-variables frame))
        (format t "There is no such frame.~%"))))

(defun frame-number (view)
  (position (break-view-frame view) (break-view-frames view)))

(defun retry-frame (view)
  (let ((call (frame-call (break-view-frame view))))
    (if call
        (throw 'break-end (list :again call))
        (format t "How this frame was called is not known any more.~%"))))

(defun go-on ()
  "Goes on behind the break: after an interrupt, or where the program offers that. An error has nothing behind it."
  (cond ((not (condition-p *break-condition*)) (throw 'break-end (list :go nil)))
        ((find-restart 'continue) (invoke-restart 'continue))
        (t (format t "An error has nothing to go on with: take a number or :return.~%"))))

(defun break-command (form stream)
  "Does what a keyword typed to a break says; false if it says nothing. Throws to the break's loop for those that end it."
  (let ((view *break-view*))
    (case form
      ((:abort :top) (throw 'break-end (list form)))
      ((:go :ok) (go-on) t)
      (:return (throw 'break-end
                 (list :return (eval-in-frame (read stream nil nil) (break-view-frame view)))))
      (:retry (retry-frame view) t)
      ((:frames :bt) (print-frames view) t)
      (:all-frames (list-frames view (break-view-all view)) (print-frames view) t)
      ((:variables :vars) (print-variables (break-view-frame view)) t)
      (:frame (choose-frame view (read stream nil 0)) t)
      (:up (choose-frame view (1+ (frame-number view))) t)
      (:down (choose-frame view (1- (frame-number view))) t)
      (t nil))))

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
                 (let ((form (read-typed-form stream end)))
                   (when (eq form end) (return nil))
                   (unless (or (choose-restart form)
                               (and (keywordp form) (break-command form stream)))
                     (print-values (evaluate-form form (break-view-frame *break-view*)))
                     (show-variables *break-view*)))))))))

(defun break-loop (terminal)
  "Reads and does inputs until one ends the break: (:abort) or (:go value)."
  (catch 'break-end
    (loop
      (unless (window-open (terminal-window terminal))
        (return (list :abort)))
      (catch 'break (break-step terminal)))))

(defun break-in-window (title text)
  "Lets the user look at a computation: (:abort), (:top), (:go value), (:return value) or (:again function). The windows
leave the tour's place free, and the titles of breaks further out; the tenth is where the first was."
  (let* ((step (mod (1- *break-level*) 9))
         (left (+ 24 (* 4 step)))
         (top (+ 200 (* 24 step)))
         (terminal nil)
         (before *focus*))
    (open-break-lists *break-view* left top)
    (setq terminal (make-terminal-window title left (+ top 178) 64 12))
    (setf (terminal-mirror terminal) *console-is-used*)
    (setf (window-process (terminal-window terminal)) *current-process*)
    (set-focus (terminal-window terminal))
    (unwind-protect
         (progn
           (terminal-write-string terminal text)
           (terminal-write-string terminal (restarts-text))
           (terminal-write-string terminal "
Press a frame for its variables. :abort gives up, :go goes on;
:retry and :return FORM are for the frame that is chosen.
")
           (with-terminal (terminal)
             (break-loop terminal)))
      (close-window (terminal-window terminal))
      (close-break-lists *break-view*)
      (when (and before (window-open before))
        (set-focus before)))))

(defun system-name-p (name)
  "Whether a function's name says that it belongs to the system's inside: it begins with % or \\."
  (find (char (format nil "~a/" name) 0) "%\\"))

(defun uninteresting-p (frame)
  "Whether a frame only stands between a mistake and its break window."
  (or (member (%frame-name frame)
              '(break-window enter-break invoke-debugger error compile-error break interrupted break-key))
      (and (system-name-p (%frame-name frame)) (not (evaluating-p frame)))))

(defun interesting-frames (frames)
  "The frames from the one where the mistake was made."
  (let ((rest frames))
    (loop
      (when (or (null rest) (not (uninteresting-p (car rest))))
        (return (or rest frames)))
      (setq rest (cdr rest)))))

(defun listed-p (frame)
  "Whether a frame is listed at first: it is a form of the evaluator, or a function that is not of the system's inside."
  (if (evaluating-p frame)
      (consp (%frame-argument frame 0))
      (let ((name (%frame-name frame)))
        (not (or (system-name-p name)
                 (member name '(apply eval))
                 ;; A special form of the evaluator.
                 (search "EVAL-START-" (format nil "~a" name))
                 (search "SPECIAL-FORMS-START-" (format nil "~a" name)))))))

(defun own-frames (frames)
  "The frames that are listed at first: those up to the exec, or the break window where the form was typed."
  (let ((end (position-if (lambda (frame) (member (%frame-name frame) '(evaluate-form eval-in-frame))) frames)))
    (or (remove-if-not #'listed-p (subseq frames 0 end)) frames)))

(defun break-answer (frame answer)
  "Does what the user wants a computation to do."
  (case (car answer)
    (:abort (if (> *break-level* 0) (throw 'break nil) (%give-up)))
    (:top (%give-up))
    (:go (cadr answer))
    (:return (return-from-frame frame (cadr answer)))
    (t (return-from-frame frame (funcall (cadr answer))))))

(defun break-window (condition title)
  "Lets the user look at a computation. Comes back only if he goes on; the value he gives."
  (release-mouse)
  (let* ((level (1+ *break-level*))
         (frames (interesting-frames (call-chain (frame-caller (%my-alink)))))
         (view (make-break-view :all frames :frames (own-frames frames)))
         (text (condition-text condition))
         (answer (let* ((*break-level* level)
                        (*debugger-hook* #'enter-break)
                        (*break-condition* condition)
                        (*break-view* view))
                   (break-in-window (format nil "~a ~d: ~a" title level (first-line text)) text))))
    (break-answer (break-view-frame view) answer)))

(defun enter-break (condition hook)
  "What happens to a condition that nobody handles, while there is a screen."
  (declare (ignore hook))
  (break-window condition "Break"))

(defun interrupted ()
  "Control-C or Control-E: the running computation stops here."
  (break-window "Interrupted." "Interrupt"))
