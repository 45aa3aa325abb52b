;;; What the mouse does with a window's frame, and the menus of windows and of the background.
;;;
;;;     title bar      left: drag it to move the window; a click brings it to the front
;;;                    middle, right: the window's menu
;;;     close box      at the right end of the title bar
;;;     border         left, at the right or below: drag to give the window another shape; so does the lower right corner

(defun in-close-box-p (window x y)
  (and (window-title window)
       (inside-p x y (list (+ (window-left window) (outer-width window) -17) (window-top window) 17 17))))

(defun near-corner-p (window x y)
  "Whether a pixel is on the lower or right border, or near the corner between them."
  (let ((right (- (rectangle-right (window-rectangle window)) x))
        (bottom (- (rectangle-bottom (window-rectangle window)) y)))
    (or (<= right 3) (<= bottom 3)
        (and (<= right 10) (<= bottom 10)))))

(defun drag-window (window x y)
  "Moves a window with the mouse."
  (let ((over (- x (window-left window)))
        (down (- y (window-top window))))
    (let ((r (track-outline
              (lambda (x y)
                (list (- x over) (max 0 (min (- (screen-height) +title-height+) (- y down)))
                      (outer-width window) (outer-height window))))))
      (unless (and (eql (car r) (window-left window)) (eql (cadr r) (window-top window)))
        (move-window window (car r) (cadr r))))))

(defun outline-to (window x y)
  "The window's rectangle with its lower right corner at a pixel, but not too small."
  (list (window-left window) (window-top window)
        (max 64 (- x (window-left window)))
        (max 48 (- y (window-top window)))))

(defun shape-to (window r)
  "Gives a window the outline R."
  (shape-window window (car r) (cadr r) (max +smallest-width+ (- (caddr r) 4))
                (max +smallest-height+ (- (cadddr r) (window-head window) 2))))

(defun drag-corner (window)
  "Gives a window another size with the mouse."
  (shape-to window (track-outline (lambda (x y) (outline-to window x y)))))

(defun press-frame (window button x y)
  "A press on a window's title bar or border."
  (raise-window window)
  (when (or (window-process window) (window-key-function window))
    (set-focus window))
  (cond ((not (eq button :left)) (window-menu window))
        ((in-close-box-p window x y)
         (let ((event (wait-for-release)))
           (when (in-close-box-p window (event-x event) (event-y event))
             (close-window window))))
        ((near-corner-p window x y) (drag-corner window))
        (t (drag-window window x y))))

(defun wait-for-release ()
  (loop
    (let ((event (next-mouse-event)))
      (when (eq (event-kind event) :up)
        (return event)))))

;;; The window's menu

(defun menu-move (window)
  "The outline hangs on the mouse by the title bar until a press."
  (let* ((half (ash (outer-width window) -1))
         (shown nil)
         (place nil))
    (loop
      (setq place (list (- (pointer-x) half) (max 0 (- (pointer-y) 8)) (outer-width window) (outer-height window)))
      (unless (equal place shown)
        (when shown (invert-outline shown))
        (invert-outline place)
        (setq shown place))
      (when (eq (event-kind (next-mouse-event)) :down)
        (invert-outline shown)
        (return (move-window window (car shown) (cadr shown)))))))

(defun menu-shape (window)
  (let ((r (sweep-rectangle)))
    (shape-to window (list (car r) (cadr r) (max 64 (caddr r)) (max 48 (cadddr r))))))

(defun snap (window)
  "A window with a picture of this one, as it is now."
  (let ((copy (create-window (window-title window) (+ 20 (window-left window)) (+ 20 (window-top window))
                             (window-width window) (window-height window))))
    (bitblt (window-canvas window) 0 0 (window-canvas copy) 0 0 (window-width window) (window-height window) 'replace)
    (show-part copy 0 0 (window-width copy) (window-height copy))
    copy))

(defun redraw-window (window)
  "Has the program behind a window draw it anew; what nobody would draw again is only cleared."
  (cond ((terminal-p (window-data window)) (clear-by-key window))
        ((window-shape-function window) (funcall (window-shape-function window) window))
        (t (clear-window window))))

(defun clear-by-key (window)
  "A terminal is cleared by the line editor, which knows what must stay, or at once if nobody types there."
  (if (window-reading window)
      (give-key window (code-char 12))
      (clear-terminal (window-data window))))

(defun window-menu (window)
  "What can be done with a window."
  (let ((choice (menu (append (window-menu-items window)
                              (list (list "Close" #'close-window)
                                    (list "Move" #'menu-move)
                                    (list "Shape" #'menu-shape)
                                    (list "Bury" #'bury-window)
                                    (list (if (and (window-shape-function window) (not (terminal-p (window-data window))))
                                              "Redraw"
                                              "Clear")
                                          #'redraw-window)
                                    (list "Snap" #'snap)
                                    (list "Inspect" #'inspect))))))
    (when choice
      (funcall choice window))))

;;; The background's menu: tools add lines to it

(defglobal *background-items* nil)      ; (text function), in order

(defun add-background-item (text function)
  "Adds a line to the background's menu, or changes it."
  (let ((item (assoc text *background-items* :test #'equal)))
    (if item
        (setf (cadr item) function)
        (setq *background-items* (append *background-items* (list (list text function)))))
    text))

(defun background-menu (button)
  (declare (ignore button))
  (menu-call *background-items* "Duralumin"))
