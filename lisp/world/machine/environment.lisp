;;; What the machine was told when it was started: names with values, run-qemu.sh --env NAME=VALUE on the bare machine
;;; (kernel/src/logic/environment.rs), the environment of the process in the host runner.

(defun getenv (name)
  "The value that a name has in the machine's environment, a string; NIL if it has none."
  (let ((buffer (make-string 1025)))
    ;; The machine wants a name of one-byte characters.
    (if (%subr 53 (replace (make-string (length name)) name) buffer)
        ;; A zero is behind it.
        (%string-from-utf-8 (subseq buffer 0 (position (code-char 0) buffer)))
        nil)))
