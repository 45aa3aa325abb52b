;;; When nobody takes care of an error. On the screen there is a break window (screen/break.lisp); without one this
;;; writes what happened on the terminal, and reads commands: forms, or the number of a restart. Where nobody can answer the
;;; process is given up; if it is the first one, MAIN of a world without an exec, the run is over, with status 1.

(defun invoke-debugger (condition)
  "Says what happened and lets somebody find out why. It does not return, but by way of a restart."
  (when *debugger-hook*
    (let ((hook *debugger-hook*)
          (*debugger-hook* nil))
      (funcall hook condition hook)))
  (%text-debugger condition))

(defun tell-machine (name text)
  "Writes to a file of the machine's own doings (kernel/src/files.rs), if it has such files."
  (with-open-file (stream (concatenate 'string "{UNIX}/machine/" name)
                          :direction :output :if-exists :overwrite :if-does-not-exist nil)
    (when stream (write-string text stream))))

(defvar *debug-condition* nil)
(defvar *debug-level* 0)

(defun %text-debugger (condition)
  (let ((*debug-condition* condition)
        (*debug-level* (1+ *debug-level*))
        (stream *debug-io*))
    (format stream "~&~A~%" condition)
    (%list-restarts stream)
    (when (null (stream-reader stream))
      (%invoke-if-there 'abort)
      (when (and (eq (process-name *current-process*) 'main) (not (%catch-exists-p 'exec)))
        (backtrace stream)
        (tell-machine "status" "1")
        (logout nil))
      (%give-up))
    (do ()
        (nil)
      (format stream "~&~D] " *debug-level*)
      (finish-output stream)
      (let ((form (read stream nil :abort)))
        (cond ((and (integerp form) (>= form 0) (< form (length *restarts*)))
               (invoke-restart-interactively (nth form *restarts*)))
              ((member form '(:abort :a)) (abort))
              ((member form '(:backtrace :b)) (backtrace stream))
              (t (with-simple-restart (abort "Back to level ~D of the debugger." *debug-level*)
                   (dolist (value (multiple-value-list (eval form)))
                     (format stream "~&~S~%" value)))))))))

(defun %list-restarts (stream)
  (let ((n 0))
    (dolist (restart *restarts*)
      (format stream "  ~D: ~A (~A)~%" n restart (restart-name restart))
      (setq n (1+ n)))))

(defun %frames (frame)
  "A list of a frame and those it will return to."
  (let ((frames nil))
    (do ()
        ((eql frame 0) (nreverse frames))
      (setq frames (cons frame frames)
            frame (%frame-caller frame)))))

(defun %frame-call (frame)
  "A frame's function and arguments, as a form."
  (let ((arguments nil))
    (dotimes (i (%frame-argument-count frame))
      (setq arguments (cons (%frame-argument frame i) arguments)))
    (cons (%frame-name frame) (nreverse arguments))))

(defun backtrace (&optional stream (limit 40))
  "Lists the calls that have not returned yet, the last one first."
  (let ((stream (%output-stream stream))
        (n 0))
    (dolist (frame (%frames (%my-alink)))
      (when (>= n limit)
        (format stream "~&...~%")
        (return nil))
      (format stream "~&~3D  ~A~%" n (%brief (%frame-call frame)))
      (setq n (1+ n)))))
