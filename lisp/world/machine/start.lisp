;;; The first start of a world, and what runs when the stack is thrown away.
;;;
;;;     %START --> the files' own forms, once --> %TOP-LEVEL --> the process MAIN --> (main), if the world has it

(defglobal %started nil)

(defun %start ()
  "Where a new world starts: the outermost function of its stack."
  (dolist (initializer %initializers)
    (funcall initializer))
  (setq %system-frame (%interface-word 14))
  (setq %initializers nil)
  (setq %started t)
  (%top-level))

(defun %top-level ()
  "The outermost function of the stack, new or thrown away."
  (setq %idle nil)
  (loop
    (%begin-processes 'main #'%main)))

(defun %main ()
  "What the first process does."
  (if (fboundp 'main)
      (funcall 'main)
      (progn
        (%console-line "This world has no function MAIN.")
        (loop (wait-until #'%never)))))
