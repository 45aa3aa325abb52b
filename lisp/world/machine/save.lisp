;;; Saving the world, and logging out.
;;;
;;;     (save) --> %IN-SYSTEM --- context switch --> %SAVE-HERE: frame of a world that starts := whoever asked
;;;                 ^ waits                          result := T, then subr VMEMSAVE writes the world
;;;                 |                                result := what VMEMSAVE says
;;;                 +-- the saved world goes on here, with T
;;;
;;; The machine calls \FLUSHVM, SAVEVM and LOGOUT by name when it wants a world saved or left (vm/src/saving.rs).

(defglobal *restart-hooks* nil)         ; called, oldest first, when a saved world starts

(defun %save-here (name)
  "In the system context: saves the world as it stands. T in the saved world; NIL or the number of an error here."
  (%set-interface-word 0 (%interface-word 14))
  (setq %system-result t)
  (if name
      (%subr 89 name)
      (%subr 89)))

(defun %flush (name)
  "Saves the world. T in the saved world; NIL here if all went well, else the number of an error."
  (%in-system '%save-here name))

(defun %after-start ()
  "A saved world has started: on another day, perhaps on another machine."
  (%repair-system-context)
  (setq %key-queue nil)
  (setq %control-down nil)
  (%resume-clock)
  (dolist (hook *restart-hooks*)
    (funcall hook)))

(defun %add-restart-hook (function)
  (setq *restart-hooks* (append *restart-hooks* (list function)))
  function)

(defun save (&optional name)
  "Saves the world where it came from, or in a file. T when the saved world starts, NIL when it has been saved."
  (%finish-files)
  (let ((result (%flush name)))
    (cond ((eq result t) (%after-start) t)
          ((null result) nil)
          (t (error "The world could not be saved (reason ~D)." result)))))

(defun \\flushvm ()
  "The machine saves a checkpoint: nobody in the world has asked for it. In the saved world it will call SAVEVM next."
  (let ((result (%flush nil)))
    (when (eq result t) (%repair-system-context))
    result))

(defun savevm () (save))

(defun logout (&optional (save-first t))
  "Leaves Lisp. The world is saved first, unless the argument is NIL."
  (cond ((and save-first (save)) t)
        (t (%finish-files)
           (%subr 90))))
