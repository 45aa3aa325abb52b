;;; Input: who gets which key and which press of the mouse.
;;;
;;;     machine --> ring of events --> (next-key-event)            machine/
;;;                                        |
;;;                                  INPUT process                 this file
;;;                                   /          \
;;;                keys of the window in focus    a process for the press (menu, moving a window, a tool's button)
;;;
;;; A press starts a process of its own, so that whatever it does - even if it ends in an error and a break window - keys
;;; and mouse go on. While that process has the mouse (*MOUSE-OWNER*), further presses and releases go to it.

(defglobal *repeat-key* nil)            ; the key that is held down, if it repeats
(defglobal *repeat-at* 0)               ; when it repeats next, in milliseconds
(defglobal *interrupts-taken* 0)        ; keys that BREAK-KEY has dealt with and that still come as keys
(defglobal *keys-waiting* nil)          ; characters for whoever has no window: the serial line before there is an exec

(defun milliseconds ()
  "A clock."
  (floor (get-internal-real-time) (floor internal-time-units-per-second 1000)))

(defun give-key (window key)
  "Gives a key to a window."
  (if (window-key-function window)
      (funcall (window-key-function window) window key)
      (setf (window-keys window) (append (window-keys window) (list key)))))

(defun key-typed (key)
  "A key has been typed: the window in focus gets it."
  (cond ((eql key :page-up) (scroll-focus -1))
        ((eql key :page-down) (scroll-focus 1))
        ((and (interrupt-key-p key) (> *interrupts-taken* 0))
         (setq *interrupts-taken* (1- *interrupts-taken*)))
        ((and (interrupt-key-p key) (interrupt-focus)) nil)
        (*focus* (give-key *focus* key))
        (t (setq *keys-waiting* (append *keys-waiting* (list key))))))

(defun scroll-focus (pages)
  (when (and *focus* (window-scroll-function *focus*))
    (funcall (window-scroll-function *focus*) *focus* (* pages 10))))

(defun read-key (window)
  "Waits for the next key for a window."
  (unless (window-keys window)
    (setf (window-reading window) t)
    (wait-until (lambda () (or (window-keys window) (not (window-open window)))))
    (setf (window-reading window) nil)
    (unless (window-keys window)
      (stop-reading)))
  (pop (window-keys window)))

(defun stop-reading ()
  "The window that is read from has been closed, or its reader interrupted: back to the break or exec that it was, or the end
of the process."
  (if (%catch-exists-p 'break)
      (throw 'break nil)
      (%give-up)))

(defun key-waiting-p (window)
  (if (window-keys window) t nil))

;;; Interrupts: Control-C and Control-E stop what the window in focus is doing. One that waits for keys gets them as keys.

(defun interrupt-key-p (key)
  (and (characterp key) (or (eql (char-code key) 3) (eql (char-code key) 5))))

(defun interrupt-focus ()
  "Interrupts the process of the window in focus; false if it only waits for keys."
  (let ((process (and *focus* (window-process *focus*))))
    (if (and process (not (eq process t)) (not (window-reading *focus*)))
        (progn (interrupt-process process #'interrupted) t)
        nil)))

;;; While a process computes, it does not get to the keys. So the machine's own interrupt for keys calls BREAK-KEY, on top
;;; of whatever runs, for Control-C and Control-E.


(defun break-key (key)
  "Control-C or Control-E has been pressed and somebody computes: if it is the process of the window in focus, it stops."
  (declare (ignore key))
  (when (and *focus* (eq (window-process *focus*) *current-process*) (not (window-reading *focus*)))
    (setq *interrupts-taken* (1+ *interrupts-taken*))
    (interrupted)))

;;; Presses

(defun call-with-mouse (function)
  "Runs a function in a process that has the mouse."
  (setq *mouse-events* nil)
  (setq *mouse-owner* t)
  (make-process "mouse"
                (lambda ()
                  (setq *mouse-owner* *current-process*)
                  (unwind-protect (catch 'exec (funcall function))
                    (release-mouse)))))

(defun release-mouse ()
  "The process that has the mouse needs it no more."
  (when (or (eq *mouse-owner* *current-process*) (eq *mouse-owner* t))
    (setq *mouse-owner* nil)
    (setq *mouse-events* nil)))

(defun press (button x y)
  "A button has been pressed and nobody has the mouse."
  (let ((window (window-at x y)))
    (call-with-mouse
     (cond ((null window) (lambda () (background-menu button)))
           ((and (inside-p x y (canvas-rectangle window))
                 (not (and (window-title window) (near-corner-p window x y))))
            (lambda () (press-canvas window button x y)))
           (t (lambda () (press-frame window button x y)))))))

(defun press-canvas (window button x y)
  "A press inside a window: it comes to the front and gets the keys; its own function does the rest."
  (raise-window window)
  (when (or (window-process window) (window-key-function window))
    (set-focus window))
  (cond ((window-button-function window)
         (funcall (window-button-function window) window button
                  (- x (canvas-left window)) (- y (canvas-top window))))
        ((not (eq button :left)) (window-menu window))))

(defun wheel (steps x y)
  "The wheel has turned over a window."
  (let ((window (window-at x y)))
    (when (and window (window-scroll-function window))
      (funcall (window-scroll-function window) window steps))))

(defun button-changed (button down x y)
  (cond (*mouse-owner* (note-button button down x y))
        (down (press button x y))))

;;; Events

(defun mouse-key-changed (key down x y)
  "A button has gone down or up, or the wheel has turned, while the pointer was at a pixel."
  (case key
    (77 (button-changed :left down x y))
    (78 (button-changed :right down x y))
    (79 (button-changed :middle down x y))
    (72 (when down (wheel -3 x y)))
    (73 (when down (wheel 3 x y)))))

(defun key-changed (key down x y)
  "A key or a button has gone down or up; X and Y are where the cursor's corner was then, if it is of the mouse."
  (cond
    (x (mouse-key-changed key down (pointer-column x) (pointer-row y)))
    (t (unless (note-modifier key down)
         (if down
             (let ((meaning (decode-key key)))
               (when meaning
                 (setq *repeat-key* key)
                 (setq *repeat-at* (+ (milliseconds) 500))
                 (key-typed meaning)))
             (when (eql key *repeat-key*)
               (setq *repeat-key* nil)))))))

(defun repeat-due-p ()
  (and *repeat-key* (>= (milliseconds) *repeat-at*)))

(defun repeat-key ()
  "The key that is held down, once more."
  (setq *repeat-at* (+ (milliseconds) 40))
  (let ((meaning (decode-key *repeat-key*)))
    (when meaning
      (key-typed meaning))))

(defun handle-input ()
  "Takes all events that are there."
  (loop
    (let ((event (%next-key-event)))
      (unless event (return nil))
      (key-changed (car event) (cadr event) (caddr event) (cadddr event))))
  (when (repeat-due-p)
    (repeat-key)))

(defun handle-input-safely ()
  "An error here must not stop keys and mouse: it is told on the console."
  (handler-case (handle-input)
    (error (condition)
      (console-string (format nil "Input: ~a~%" condition)))))

(defun input-process ()
  "Hands out keys and presses for ever."
  (loop
    (wait-until (lambda () (or (%key-event-waiting-p) (repeat-due-p))))
    (handle-input-safely)))
