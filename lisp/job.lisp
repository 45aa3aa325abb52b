;;; -*- Mode: LISP; Package: XCL-USER -*-
;;; Medley's init file in a run without a person (run-qemu.sh --headless --init FILE): loads the job that the environment
;;; variable JOB names, with errors ending the run. The starter world looks at JOB itself (world/screen/start-up.lisp).
;;;
;;;   what Lisp prints to the error stream    also goes to {UNIX}/machine/serial, the serial line
;;;   an error break                          its message goes to the serial line, the run ends with status 1
;;;   (il:logout t) in the job                ends the run with status 0

(defvar *serial* (il:openstream "{UNIX}/machine/serial" 'il:output 'il:old))

(defvar *run-is-ending* nil)

(defun print-on-console (text)
  "One line for the kernel's log, by a way that needs no file."
  (dotimes (i (length text)) (il:dspbout (char-code (char text i))))
  (il:dspbout 13))

(defun tell-machine (name text)
  (let ((stream (il:openstream (concatenate 'string "{UNIX}/machine/" name) 'il:output 'il:old)))
    (princ text stream)
    (close stream)))

(defun break-ends-run (&rest arguments)
  "Stands in the place of the debugger: nobody is there to use it. The first break logs out, so that files are closed; one
on the way there switches off."
  (cond (*run-is-ending*
         (print-on-console "error break: another one while the run was ending")
         (tell-machine "off" "now"))
        (t (setq *run-is-ending* t)
           (print-on-console
            (concatenate 'string "error break: " (princ-to-string (getf arguments :condition))))
           (il:forceoutput *serial*)
           (tell-machine "status" 1)
           (il:logout t))))

(defun keep-serial-line-up-to-date ()
  (loop (il:block 250) (il:forceoutput *serial*)))

;; Every error is a break, however deep or shallow, and however quick.
(setq il:helpflag 'il:break!)
(setf (symbol-function 'xcl:debugger) (symbol-function 'break-ends-run))
(setq *error-output* (make-broadcast-stream *error-output* *serial*))
(il:add.process '(keep-serial-line-up-to-date))
(load (il:unix-getenv "JOB"))
