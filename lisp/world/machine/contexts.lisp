;;; Contexts: frames that are not part of the stack proper and take turns with it.
;;;
;;;     interface page, word    0 frame where a world starts    1 for resetting    3 where processes change places
;;;                             7 end of the stack   14 for work that must not be interrupted   30 start of the stack
;;;
;;; (%context-switch n) exchanges the running frame with the one in word n. In the contexts' own frames, which are below
;;; the start of the stack, the machine interrupts nothing. Whoever is switched away from is in good order: its space
;;; ends, and a free block follows.

(defglobal %system-function nil)
(defglobal %system-argument nil)
(defglobal %system-result nil)
(defglobal %system-frame nil)           ; the frame that the system context began with
(defglobal %reset-function '%top-level) ; what runs after a reset

(defun %system-context ()
  "What runs in context 14: one function for each time it is switched to."
  (loop
    (setq %system-result (funcall %system-function %system-argument))
    (%context-switch 14)))

(defun %in-system (function argument)
  "Calls a function of one argument where it is not interrupted and the stack stands still."
  ;; In a saved world that has just started the context is still as it was while it saved.
  (unless (or (null %system-frame) (eql (%interface-word 14) %system-frame))
    (%repair-system-context))
  (setq %system-function function)
  (setq %system-argument argument)
  (%context-switch 14)
  %system-result)

(defun %unused-context ()
  "Contexts that this machine never switches to."
  (loop (%subr 15 0)))

(defun %context-end (word)
  "The stack offset where a context's space ends."
  (if (eql word 1) 768 5280))

(defun %lay-frame (at end code)
  "Makes a frame at a stack offset that will run CODE from its start, with free space up to END. Nobody has called it.
The frame's offset."
  (let* ((frame (+ at 2))
         (words (* 4 (logand (1+ (%word code 2)) 65535)))
         (next (+ frame 12 words))
         (basic (%pointer 1 at))
         (extension (%pointer 1 frame)))
    (%set-word basic 0 32768)
    (%set-word basic 1 at)
    (%set-word extension 0 49152)
    (%set-word extension 1 11)
    (%set-cell extension 2 code)
    (%set-word extension 4 next)
    (%set-word extension 5 (%word code 3))
    (%set-word extension 6 0)
    (%set-word extension 7 0)
    (%set-word extension 8 at)
    (%set-word extension 9 10)
    (dotimes (i words)
      (%set-word (%pointer 1 (+ frame 10 i)) 0 65535))
    (%lay-free next (- end next))
    frame))

(defun %lay-free (at words)
  "Makes a free block of the stack."
  (let ((block (%pointer 1 at)))
    (%set-word block 0 40960)
    (%set-word block 1 words)))

(defun %reset-context ()
  "What runs in context 1: throws the stack away."
  (loop
    (%set-interface-word 1 (%lay-frame (%interface-word 30) (%interface-word 7) (%definition-code %reset-function)))
    (%context-switch 1)))

(defun %hard-reset ()
  "Throws the stack away, with all processes, and begins anew."
  (%context-switch 1))

(defun %repair-system-context ()
  "After a start: the saved frame of the system context was in the middle of saving."
  (%set-interface-word 14 %system-frame)
  (%lay-frame (- %system-frame 2) (%context-end 14) (%definition-code '%system-context)))
