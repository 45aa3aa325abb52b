;;; Windows: overlapping pieces of paper on the screen.
;;;
;;;     *windows*   (front ... back)
;;;
;;;     left,top ->  +--------------------------+
;;;                  | Title              [ ]   |   title bar, +title-height+ rows, if there is a title
;;;                  +--------------------------+
;;;                  |                          |
;;;                  |   width x height pixels  |   the canvas: what programs draw on
;;;                  |                          |
;;;                  +--------------------------+   border, +border+ pixels
;;;
;;; Each window keeps all its pixels in a bitmap, the canvas, so that nothing is lost when another window lies on it and
;;; no program is ever asked to draw again. What a program draws goes to the canvas, and from there to those parts of the
;;; screen where the window is in front.

(defconstant +title-height+ 17)
(defconstant +border+ 2)
(defconstant +smallest-width+ 40)
(defconstant +smallest-height+ 16)

(defstruct window
  title                                 ; a string, or NIL: no title bar
  left top                              ; the upper left corner on the screen
  width height                          ; of the canvas
  canvas                                ; a bitmap
  title-image                           ; a bitmap, or NIL
  keys                                  ; keys typed and not yet read, oldest first
  button-function                       ; called with window, button, x, y when the mouse is pressed on the canvas
  key-function                          ; called with window and key instead of keeping the key in KEYS
  scroll-function                       ; called with window and a number of steps
  shape-function                        ; called with the window when it has another size
  close-function                        ; called with the window before it is closed
  menu-items                            ; for the window's menu, before the usual ones
  process                               ; who reads the keys
  reading                               ; does it wait for one?
  data                                  ; whatever the window is about
  open)                                 ; on the screen?

(defglobal *windows* nil)               ; front to back
(defglobal *focus* nil)                 ; the window that gets the keys
(defglobal *desktop-shade* +gray+)      ; what is behind all windows

;;; Geometry

(defun window-head (window)
  "Rows above the canvas."
  (if (window-title window) +title-height+ +border+))

(defun outer-width (window) (+ (window-width window) 4))
(defun outer-height (window) (+ (window-height window) (window-head window) 2))

(defun window-rectangle (window)
  "What the window covers of the screen."
  (list (window-left window) (window-top window) (outer-width window) (outer-height window)))

(defun canvas-left (window) (+ (window-left window) 2))
(defun canvas-top (window) (+ (window-top window) (window-head window)))

(defun canvas-rectangle (window)
  "Where the canvas is on the screen."
  (list (canvas-left window) (canvas-top window) (window-width window) (window-height window)))

(defun window-at (x y)
  "The window that one sees at a pixel of the screen, or NIL."
  (dolist (window *windows* nil)
    (when (inside-p x y (window-rectangle window))
      (return window))))

;;; Onto the screen

(defun show-piece-of (bitmap where piece)
  "Copies of a bitmap, whose place on the screen is WHERE, what is in PIECE."
  (let ((common (intersect where piece)))
    (when common
      (bitblt bitmap (- (car common) (car where)) (- (cadr common) (cadr where))
              *screen-bitmap* (car common) (cadr common) (caddr common) (cadddr common) 'replace))))

(defun show-border (window piece)
  "Paints what is in PIECE of the borders."
  (let ((left (window-left window)) (top (window-top window))
        (width (outer-width window)) (height (outer-height window)))
    (dolist (side (list (list left top 2 height)
                        (list (+ left width -2) top 2 height)
                        (list left (+ top height -2) width 2)
                        (list left top width (if (window-title window) 0 2))))
      (let ((common (intersect side piece)))
        (when common
          (fill-bitmap *screen-bitmap* (car common) (cadr common) (caddr common) (cadddr common) +black+ 'replace))))))

(defun show-window-piece (window piece)
  "Paints a piece of the screen that belongs to a window."
  (show-piece-of (window-canvas window) (canvas-rectangle window) piece)
  (show-border window piece)
  (when (window-title window)
    (show-piece-of (window-title-image window)
                   (list (window-left window) (window-top window) (outer-width window) +title-height+)
                   piece)))

(defun visible-pieces (window piece)
  "The parts of PIECE that no window in front of this one covers."
  (let ((pieces (list piece)))
    (dolist (other *windows* pieces)
      (when (or (eq other window) (null pieces))
        (return pieces))
      (setq pieces (subtract-from-all pieces (window-rectangle other))))))

(defun show-part (window x y width height)
  "Brings a part of the canvas to the screen, where it can be seen."
  (when (window-open window)
    (let ((part (intersect (list (+ x (canvas-left window)) (+ y (canvas-top window)) width height)
                           (canvas-rectangle window))))
      (when part
        (dolist (piece (visible-pieces window part))
          (bitblt (window-canvas window)
                  (- (car piece) (canvas-left window)) (- (cadr piece) (canvas-top window))
                  *screen-bitmap* (car piece) (cadr piece) (caddr piece) (cadddr piece) 'replace))))))

(defun show-desktop-piece (piece)
  "Paints a piece of the screen where no window is."
  (fill-bitmap *screen-bitmap* (car piece) (cadr piece) (caddr piece) (cadddr piece) *desktop-shade* 'replace))

(defun refresh (area)
  "Paints an area of the screen again, each pixel once: front windows first, what they leave goes to those behind."
  (let ((pieces (list area)))
    (dolist (window *windows*)
      (let ((place (window-rectangle window)))
        (dolist (piece pieces)
          (let ((common (intersect piece place)))
            (when common
              (show-window-piece window common))))
        (setq pieces (subtract-from-all pieces place))))
    (dolist (piece pieces)
      (show-desktop-piece piece))))

(defun refresh-screen ()
  "Paints the whole screen again."
  (refresh (list 0 0 (screen-width) (screen-height))))

;;; Title bars: black with white letters where the keys go, else white with a line below

(defun draw-close-box (image x)
  (outline image x 4 9 9)
  (draw-line image (+ x 2) 6 (+ x 6) 10)
  (draw-line image (+ x 2) 10 (+ x 6) 6))

(defun draw-title (window)
  "Draws the title bar."
  (when (window-title window)
    (let ((image (make-bitmap (outer-width window) +title-height+))
          (width (outer-width window))
          (room (max 0 (floor (- (outer-width window) 26) 9)))
          (title (window-title window)))
      (draw-string-on image (if (> (length title) room) (subseq title 0 room) title) 6 2 *bold-font* 'paint)
      (unless (eq (window-data window) :menu)
        (draw-close-box image (- width 15)))
      (if (or (eq window *focus*) (eq (window-data window) :menu))
          (fill-bitmap image 0 0 width +title-height+ +black+ 'invert)
          (progn
            (outline image 0 0 width 18 2)
            (fill-bitmap image 0 16 width 1 +black+ 'replace)))
      (setf (window-title-image window) image))))

(defun show-title (window)
  "Draws the title bar and brings it to the screen."
  (draw-title window)
  (when (and (window-open window) (window-title window))
    (dolist (piece (visible-pieces window (list (window-left window) (window-top window) (outer-width window) +title-height+)))
      (show-window-piece window piece))))

(defun set-window-title (window title)
  "Another title."
  (setf (window-title window) title)
  (show-title window)
  window)

;;; Opening, closing, moving

(defun open-window (window)
  "Puts a window in front of all others."
  (setf (window-open window) t)
  (setq *windows* (cons window (remove window *windows*)))
  (draw-title window)
  (refresh (window-rectangle window))
  window)

(defun create-window (title left top width height)
  "A new window in front of all others; its canvas has WIDTH x HEIGHT pixels."
  (let ((window (make-window :title title :left left :top top :width width :height height)))
    (setf (window-canvas window) (make-bitmap width height))
    (open-window window)))

(defun set-focus (window)
  "Sends the keys to this window from now on, unless it has been closed."
  (unless (or (eq window *focus*) (and window (not (window-open window))))
    (let ((before *focus*))
      (setq *focus* window)
      (when (and before (window-open before)) (show-title before))
      (when window (show-title window)))))

(defun next-focus ()
  "Gives the keys to the front window that wants some."
  (set-focus (dolist (window *windows* nil)
               (when (or (window-process window) (window-key-function window))
                 (return window)))))

(defun close-window (window)
  "Takes a window off the screen, for good."
  (when (window-open window)
    (when (window-close-function window)
      (funcall (window-close-function window) window))
    (setf (window-open window) nil)
    (forget-functions window)
    (setq *windows* (remove window *windows*))
    (refresh (window-rectangle window))
    (when (eq window *focus*)
      (next-focus)))
  window)

(defun forget-functions (window)
  "A window and what is in it usually know each other, a circle. The collector counts references and would never take it."
  (setf (window-button-function window) nil)
  (setf (window-key-function window) nil)
  (setf (window-scroll-function window) nil)
  (setf (window-shape-function window) nil)
  (setf (window-close-function window) nil)
  (setf (window-menu-items window) nil)
  (setf (window-process window) nil)
  (setf (window-data window) nil))

(defun raise-window (window)
  "Puts a window in front of the others, unless it has been closed."
  (when (and (window-open window) (not (eq window (car *windows*))))
    (setq *windows* (cons window (remove window *windows*)))
    (refresh (window-rectangle window)))
  window)

(defun bury-window (window)
  "Puts a window behind the others, unless it has been closed."
  (when (window-open window)
    (setq *windows* (append (remove window *windows*) (list window)))
    (refresh (window-rectangle window)))
  window)

(defun move-window (window left top)
  "Puts a window's upper left corner somewhere else."
  (let ((before (window-rectangle window)))
    (setf (window-left window) left)
    (setf (window-top window) top)
    (when (window-open window)
      (refresh (window-rectangle window))
      (dolist (piece (subtract before (window-rectangle window)))
        (refresh piece))))
  window)

(defun shape-window (window left top width height)
  "Gives a window another place and its canvas another size. What fits of the old picture stays."
  (let ((before (window-rectangle window))
        (canvas (make-bitmap width height)))
    (bitblt (window-canvas window) 0 0 canvas 0 0 (window-width window) (window-height window) 'replace)
    (setf (window-left window) left)
    (setf (window-top window) top)
    (setf (window-width window) width)
    (setf (window-height window) height)
    (setf (window-canvas window) canvas)
    (draw-title window)
    (when (window-shape-function window)
      (funcall (window-shape-function window) window))
    (when (window-open window)
      (refresh (window-rectangle window))
      (dolist (piece (subtract before (window-rectangle window)))
        (refresh piece))))
  window)

(defun clear-window (window)
  "Makes the canvas white."
  (fill-rectangle window 0 0 (window-width window) (window-height window) 0 'replace))

(defun scroll-canvas (window x y width height up)
  "Moves the pixels of a part of the canvas up by UP rows (down, if that is negative); the rows that come free are white."
  (let ((canvas (window-canvas window))
        (rows (abs up)))
    (cond ((>= rows height)
           (fill-bitmap canvas x y width height 0 'replace))
          ((> up 0)
           (bitblt canvas x (+ y rows) canvas x y width (- height rows) 'replace)
           (fill-bitmap canvas x (- (+ y height) rows) width rows 0 'replace))
          (t
           (bitblt canvas x y canvas x (+ y rows) width (- height rows) 'replace)
           (fill-bitmap canvas x y width rows 0 'replace)))
    (show-part window x y width height)))
