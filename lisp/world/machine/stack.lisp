;;; The stack: frames, and leaving several of them at once.
;;;
;;; A frame is known by its stack offset, a small integer; 0 is none. vm/src/frames.rs has the picture:
;;;
;;;     word  0 flags: 6 in the top three bits, use count in the low byte
;;;           1 alink + 10; odd: "slow", words 8 and 9 count
;;;           2-3 function    4 next block    5 pc    8 basic frame    9 clink + 10    10 variables
;;;
;;; A basic frame stands behind the arguments; its second word is the offset of the first one.
;;;
;;; The machine moves the running frame when there is no space behind it for the next call. So no function can know where
;;; its own frame is: before it can use the number, calling something may have moved it. The frame of its caller, which
;;; waits, stays where it is; (%my-alink), an instruction, is that one.
;;;
;;; To leave frames, a function has a change made to where it will itself return to, and returns. The machine then takes
;;; the slow way: it lets go of the frames between, which nobody refers to any more, and frees them.

(defun %frame-caller (frame)
  "The frame that a frame will return to; 0 if none."
  (let* ((at (%pointer 1 frame))
         (alink (%word at 1)))
    (- (if (eql (logand alink 1) 0) alink (%word at 9)) 10)))

(defun %frame-code (frame)
  "The code that runs in a frame."
  (%cell (%pointer 1 frame) 2))

(defun %frame-name (frame)
  "The name of the function that runs in a frame."
  (%cell (%frame-code frame) 4))

(defun %frame-basic (frame)
  "The stack offset of the basic frame of a frame."
  (let ((at (%pointer 1 frame)))
    (if (eql (logand (%word at 1) 1) 0) (- frame 2) (%word at 8))))

(defun %frame-argument (frame n)
  "An argument of the function that runs in a frame, from 0."
  (%cell (%pointer 1 (+ (%word (%pointer 1 (%frame-basic frame)) 1) n n)) 0))

(defun %frame-argument-count (frame)
  (let ((basic (%frame-basic frame)))
    (ash (- basic (%word (%pointer 1 basic) 1)) -1)))

(defun %frame-variable (frame n)
  "A variable (PVAR) of the function that runs in a frame, from 0. Only for variables that are bound."
  (%cell (%pointer 1 (+ frame 10 n n)) 0))

(defun %definition-code (symbol)
  "The compiled code that is a symbol's function."
  (%cell (%op (ATOMCELL_N 10) symbol) 0))

(defun %redirect-caller (frame)
  "Makes the function that calls this one return to FRAME, which waits for a function to return."
  (let* ((caller (%my-alink))
         (at (%pointer 1 caller))
         (target (%pointer 1 frame)))
    ;; Slow: where the caller's arguments are, and where to return to. Free variables are looked for as before.
    (when (eql (logand (%word at 1) 1) 0)
      (%set-word at 8 (- caller 2)))
    (%set-word at 9 (+ frame 10))
    (%set-word at 1 (logior (%word at 1) 1))
    ;; One more refers to the frame now; letting go of those between takes one away again.
    (%set-word target 0 (1+ (%word target 0)))
    nil))

(defun %continue-frame (frame value)
  "Goes on in FRAME, which waits for a function to return, as if it had returned VALUE."
  (%redirect-caller frame)
  value)

;;; Where several values are wanted the compiler puts a call of this function, and the machine goes on behind it with a list
;;; of them. It is only called for one value that was returned without VALUES (vm/src/values.rs).

(defun \\mvlist (value) (cons value nil))

;;; CATCH and THROW: the function that waits in %CATCH-FRAME has the tag as its first argument.

(defun %catch-frame (tag function)
  (multiple-value-list (funcall function)))

(defun %catch (tag function)
  "Calls FUNCTION; (%throw-values TAG values) within ends it."
  (values-list (%catch-frame tag function)))

;;; UNWIND-PROTECT: a throw that passes goes on in %UNWIND-PROTECT, which does the cleaning up and throws again.

(defglobal %throwing (cons nil nil))    ; what the list begins with that %PROTECTED returns for a throw

(defun %protected (function)
  (multiple-value-list (funcall function)))

(defun %unwind-protect (function cleanup)
  "Calls FUNCTION, and then CLEANUP, however FUNCTION ends."
  (let ((values (%protected function)))
    (funcall cleanup)
    (if (and (consp values) (eq (car values) %throwing))
        (%throw-values (cadr values) (cddr values))
        (values-list values))))

(defun %find-catch (tag)
  "The innermost frame, outside of the function that calls this one, that waits in a catch for a tag; 0 if none. Second
value: the innermost frame on the way there that is protected, or 0."
  (let ((frame (%my-alink))
        (catch-code (%definition-code '%catch-frame))
        (protected-code (%definition-code '%protected))
        (protector 0)
        (code nil))
    (loop
      (setq frame (%frame-caller frame))
      (when (eql frame 0) (return (values 0 0)))
      (setq code (%frame-code frame))
      (cond ((eq code protected-code)
             (when (eql protector 0)
               (setq protector (%frame-caller frame))))
            ((eq code catch-code)
             (when (eq (%frame-argument frame 0) tag)
               (return (values (%frame-caller frame) protector))))))))

(defun %throw-values (tag values)
  "Ends the innermost catch for TAG with a list of values."
  (multiple-value-bind (catcher protector) (%find-catch tag)
    (cond ((eql catcher 0) (error "There is no catch for ~S." tag))
          ((eql protector 0) (%continue-frame catcher values))
          (t (%continue-frame protector (cons %throwing (cons tag values)))))))

(defun %catch-exists-p (tag)
  "True if there is a catch for TAG."
  (not (eql 0 (%find-catch tag))))
