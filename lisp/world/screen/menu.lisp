;;; Menus: a choice of lines, in a window of its own.
;;;
;;;     +--------------+        items   "text"            the choice is the text itself
;;;     | Menu         |                ("text" value)    the choice is the value
;;;     +--------------+
;;;     |  one         |        Press, go to a line, release; or click, then click a line. A click outside of the menu,
;;;     | [two]        |        or releasing the button there, chooses nothing.
;;;     |  three       |
;;;     +--------------+

(defconstant +item-height+ 16)

(defun item-text (item) (if (consp item) (car item) item))
(defun item-value (item) (if (consp item) (cadr item) item))

(defun menu-width (title items)
  "Pixels for the longest line."
  (let ((width (if title (+ 40 (string-width title *bold-font*)) 60)))
    (dolist (item items width)
      (setq width (max width (+ 16 (string-width (item-text item) *font*)))))))

(defun draw-items (window items)
  (let ((y 1))
    (dolist (item items window)
      (draw-text window (item-text item) 8 (1+ y))
      (setq y (+ y +item-height+)))))

(defun open-menu (title items x y)
  "A window with the items, near a pixel of the screen but all on it."
  (let* ((width (menu-width title items))
         (height (+ 2 (* +item-height+ (length items))))
         (left (max 0 (min (- x 12) (- (screen-width) width 4))))
         (top (max 0 (min (- y 8) (- (screen-height) height (if title 19 4))))))
    (let ((window (make-window :title title :left left :top top :width width :height height :data :menu)))
      (setf (window-canvas window) (make-bitmap width height))
      (draw-items window items)
      (open-window window))))

(defun item-under (window items x y)
  "The number of the item at a pixel of the screen, or NIL."
  (and (inside-p x y (canvas-rectangle window))
       (let ((n (floor (- y (canvas-top window) 1) +item-height+)))
         (and (>= n 0) (< n (length items)) n))))

(defun invert-item (window n)
  (when n
    (fill-rectangle window 0 (1+ (* +item-height+ n)) (window-width window) +item-height+ +black+ 'invert)))

(defun track-menu (window items)
  "Follows the mouse until an item is chosen or none can be: its number, or NIL."
  (let ((shown nil)
        (travelled nil))
    (flet ((show (n)
             (unless (eql n shown)
               (invert-item window shown)
               (invert-item window n)
               (setq shown n))))
      (show (item-under window items (pointer-x) (pointer-y)))
      (loop
        (let* ((event (next-mouse-event))
               (n (item-under window items (event-x event) (event-y event))))
          (show n)
          (case (event-kind event)
            (:move (setq travelled t))
            (:down (unless n (return nil)) (setq travelled t))
            (t (cond ((and n travelled) (return n))
                     ;; A click in place: the menu stays for a second one.
                     ((not travelled) (setq travelled t))
                     (t (return nil))))))))))

(defun menu (items &optional title (x (pointer-x)) (y (pointer-y)))
  "Lets the user choose an item with the mouse: its value, or NIL."
  (setq *seen-x* (pointer-x) *seen-y* (pointer-y))
  (let* ((window (open-menu title items x y))
         (n (unwind-protect (track-menu window items)
              (close-window window))))
    (if n (item-value (nth n items)) nil)))

(defun menu-call (items &optional title)
  "A menu whose values are functions; the chosen one is called."
  (let ((function (menu items title)))
    (when function
      (funcall function))))
