;;; What a new world does before anybody types: it loads an init file, or does a job.
;;;
;;;     environment      run-qemu.sh            what happens when the world comes up for the first time
;;;     LDEINIT=FILE     --init                 the first exec loads FILE; an error in it opens a break window
;;;     JOB=FILE         --init, --headless     a process loads FILE, with the console for its streams; LDEINIT means
;;;                                             nothing. Any break ends the run:
;;;
;;;         break --> message and calls on the console --> {UNIX}/machine/status := 1 --> files closed, machine off
;;;
;;; A job ends the run by (logout); status 0. A world that was saved and goes on does none of this.

(defglobal *started-up* nil)            ; true once all of this has been done
(defglobal *run-is-ending* nil)         ; true after the first break of a job

;;; An init file

(defun prepare-init-file ()
  "Has the first exec load the init file, if there is one to load."
  (let ((name (getenv "LDEINIT")))
    (when (and name (not *started-up*) (not (getenv "JOB")))
      (setq *before-first-input* (lambda () (load-init-file name))))))

(defun load-init-file (name)
  (if (probe-file name)
      (load name :verbose t)
      (format t "There is no init file ~A.~%" name)))

;;; A job

(defun start-job ()
  "Starts the job that the environment names, if it names one."
  (let ((name (getenv "JOB")))
    (when (and name (not *started-up*))
      (setq *debugger-hook* #'break-ends-run)
      (%add-restart-hook #'end-of-job)
      ;; The console is the job's.
      (dolist (terminal *execs*)
        (setf (terminal-mirror terminal) nil))
      (make-process "job" (lambda () (do-job name))))
    (setq *started-up* t)))

(defun do-job (name)
  (load name)
  (%console-line "The job has come to its end without (logout)."))

(defun end-of-job ()
  "In a saved world that goes on somebody may sit before it."
  (setq *debugger-hook* #'enter-break)
  (setq *run-is-ending* nil)
  (when *execs*
    (setf (terminal-mirror (car (last *execs*))) t)))

(defun break-ends-run (condition hook)
  "Stands in the place of the break window while nobody is there. The first break closes files and switches off; another one
on the way there only switches off."
  (declare (ignore hook))
  (cond (*run-is-ending*
         (%console-line "error break: another one while the run was ending"))
        (t (setq *run-is-ending* t)
           (%console-line (concatenate 'string "error break: " (condition-text condition)))
           (tell-machine "status" "1")
           (backtrace (%make-console-stream))
           (close-open-files)))
  (tell-machine "off" "now")
  (logout nil))
