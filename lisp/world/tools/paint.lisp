;;; Paint: draw with the mouse.
;;;
;;;     +-Paint---------------------------------------------------+
;;;     | [pencil][brush][line][box][circle][disc][fill][eraser]  |     tools; the chosen one is inverted
;;;     | [shade][shade][shade][shade] ...        [undo][clear]   |     shades; the chosen one has a frame
;;;     +---------------------------------------------------------+
;;;     |                                                         |
;;;     |  the picture                                            |
;;;     +---------------------------------------------------------+

(defconstant +paint-top+ 36)            ; where the picture begins

(defparameter *paint-tools* '(:pencil :brush :line :box :circle :disc :fill :eraser))
(defparameter *paint-shades* '(65535 #x7DDF #xEBEB #xA5A5 #x8421 #x8420 #x8020 0))

(defstruct painting
  window
  (tool :pencil)
  (shade 65535)
  (before nil))                         ; the picture before the last change, for undo

(defun draw-tools (painting)
  "Draws the two rows of choices."
  (let ((window (painting-window painting))
        (x 0))
    (fill-rectangle window 0 0 (window-width window) +paint-top+ 0)
    (dolist (tool *paint-tools*)
      (draw-centered window (string-downcase (symbol-name tool)) x 3 60)
      (outline window x 0 61 18)
      (when (eq tool (painting-tool painting))
        (fill-rectangle window (1+ x) 1 59 16 65535 'invert))
      (setq x (+ x 60)))
    (setq x 0)
    (dolist (shade *paint-shades*)
      (fill-rectangle window x 18 44 17 shade)
      (outline window x 17 45 18)
      (when (eql shade (painting-shade painting))
        ;; The white line within the black one shows on black, too.
        (outline window (+ x 1) 18 43 16 2)
        (outline window (+ x 3) 20 39 12 1 'erase))
      (setq x (+ x 44)))
    (draw-centered window "undo" 360 20 60)
    (outline window 360 17 61 18)
    (draw-centered window "clear" 420 20 61)
    (outline window 420 17 61 18)
    (fill-rectangle window 0 (1- +paint-top+) (window-width window) 1)))

(defun keep-picture (painting)
  (setf (painting-before painting) (copy-bitmap (window-canvas (painting-window painting)))))

(defun undo-painting (painting)
  "Brings back the picture before the last change; undone again, the change."
  (let ((before (painting-before painting))
        (window (painting-window painting)))
    (when before
      (keep-picture painting)
      (bitblt before 0 +paint-top+ (window-canvas window) 0 +paint-top+ (window-width window) (window-height window) 'replace)
      (show-part window 0 +paint-top+ (window-width window) (window-height window)))))

(defun choose-tool (painting x y)
  "A press on one of the rows of choices."
  (cond ((< y 18)
         (let ((tool (nth (floor x 60) *paint-tools*)))
           (when tool (setf (painting-tool painting) tool))))
        ;; A wider window has nothing there.
        ((>= x 481) nil)
        ((>= x 420)
         (keep-picture painting)
         (fill-rectangle (painting-window painting) 0 +paint-top+ (window-width (painting-window painting))
                         (window-height (painting-window painting)) 0))
        ((>= x 360) (undo-painting painting))
        (t (let ((shade (nth (floor x 44) *paint-shades*)))
             (when shade (setf (painting-shade painting) shade)))))
  (draw-tools painting))

;;; Strokes: what follows the mouse

(defun dab (painting x y)
  "What a tool leaves at a pixel."
  (let ((window (painting-window painting)))
    (when (>= y +paint-top+)
      (case (painting-tool painting)
        (:brush (fill-rectangle window (- x 3) (max +paint-top+ (- y 3)) 7 7 (painting-shade painting)))
        (:eraser (fill-rectangle window (- x 8) (max +paint-top+ (- y 8)) 17 17 0))))))

(defun stroke (painting x1 y1 x2 y2)
  "From one place of the mouse to the next."
  (if (eq (painting-tool painting) :pencil)
      (draw-line (painting-window painting) x1 (max +paint-top+ y1) x2 (max +paint-top+ y2) 1 'replace 65535)
      (let ((steps (max 1 (ash (max (abs (- x2 x1)) (abs (- y2 y1))) -1))))
        (dotimes (i steps)
          (dab painting
               (+ x1 (floor (* (1+ i) (- x2 x1)) steps))
               (+ y1 (floor (* (1+ i) (- y2 y1)) steps)))))))

(defun paint-stroke (painting x y)
  (let ((window (painting-window painting))
        (last-x x)
        (last-y y))
    (stroke painting x y x y)
    (track-mouse (lambda (mx my)
                   (let ((x (- mx (canvas-left window)))
                         (y (- my (canvas-top window))))
                     (stroke painting last-x last-y x y)
                     (setq last-x x last-y y))))))

;;; Shapes: shown while the mouse moves, drawn when it is let go

(defun draw-shape (painting x1 y1 x2 y2 operation)
  (let* ((window (painting-window painting))
         (r (rectangle-between x1 y1 x2 y2))
         (radius (integer-root (+ (* (- x2 x1) (- x2 x1)) (* (- y2 y1) (- y2 y1))))))
    (case (painting-tool painting)
      (:line (draw-line window x1 y1 x2 y2 1 operation))
      (:box (outline window (car r) (cadr r) (caddr r) (cadddr r) 1 operation))
      (:circle (draw-circle window x1 y1 radius operation))
      (:disc (if (eq operation 'invert)
                 (draw-circle window x1 y1 radius 'invert)
                 (fill-circle window x1 y1 radius (painting-shade painting)))))))

(defun paint-shape (painting x y)
  (let* ((window (painting-window painting))
         (picture (copy-bitmap (window-canvas window)))
         (end-x x)
         (end-y y))
    (flet ((restore ()
             (bitblt picture 0 0 (window-canvas window) 0 0 (window-width window) (window-height window) 'replace)))
      (track-mouse (lambda (mx my)
                     (restore)
                     (setq end-x (- mx (canvas-left window)) end-y (max +paint-top+ (- my (canvas-top window))))
                     (draw-shape painting x y end-x end-y 'paint)
                     (show-part window 0 0 (window-width window) (window-height window))))
      (restore)
      (draw-shape painting x y end-x end-y 'paint)
      (draw-tools painting)
      (show-part window 0 0 (window-width window) (window-height window)))))

;;; Filling: a region of one colour, a run of pixels at a time

(defun run-left (bitmap x y colour)
  (loop
    (when (or (<= x 0) (not (eql (bitmap-bit bitmap (1- x) y) colour))) (return x))
    (setq x (1- x))))

(defun run-right (bitmap x y colour)
  "The first pixel to the right that is not of the run."
  (loop
    (when (or (>= x (bitmap-width bitmap)) (not (eql (bitmap-bit bitmap x y) colour))) (return x))
    (setq x (1+ x))))

(defun seeds-in-row (bitmap left right y colour)
  "A pixel of each run of a colour between two columns."
  (let ((seeds nil)
        (inside nil))
    (when (and (>= y +paint-top+) (< y (bitmap-height bitmap)))
      (do ((x left (1+ x)))
          ((>= x right))
        (if (eql (bitmap-bit bitmap x y) colour)
            (progn (unless inside (push (cons x y) seeds))
                   (setq inside t))
            (setq inside nil))))
    seeds))

(defun flood (bitmap x y)
  "The pixels that are connected with a pixel and have its colour, as a bitmap. They are inverted in BITMAP."
  (let* ((colour (bitmap-bit bitmap x y))
         (region (make-bitmap (bitmap-width bitmap) (bitmap-height bitmap)))
         (seeds (list (cons x y))))
    (loop
      (when (null seeds) (return region))
      (let ((x (car (car seeds)))
            (y (cdr (car seeds))))
        (pop seeds)
        (when (eql (bitmap-bit bitmap x y) colour)
          (let ((left (run-left bitmap x y colour))
                (right (run-right bitmap x y colour)))
            (fill-bitmap bitmap left y (- right left) 1 65535 'invert)
            (fill-bitmap region left y (- right left) 1 65535 'replace)
            (dolist (seed (seeds-in-row bitmap left right (1- y) colour)) (push seed seeds))
            (dolist (seed (seeds-in-row bitmap left right (1+ y) colour)) (push seed seeds))))))))

(defun fill-region (painting x y)
  "Fills the region around a pixel with the shade."
  (let* ((window (painting-window painting))
         (canvas (window-canvas window))
         (copy (copy-bitmap canvas))
         (region (flood copy x y))
         (shaded (make-bitmap (window-width window) (window-height window)))
         (width (window-width window)) (height (window-height window)))
    ;; shaded := shade and region = shade erase (not region)
    (fill-bitmap shaded 0 0 width height (painting-shade painting) 'replace)
    (bitblt region 0 0 canvas 0 0 width height 'erase)
    (fill-bitmap region 0 0 width height 65535 'invert)
    (bitblt region 0 0 shaded 0 0 width height 'erase)
    (bitblt shaded 0 0 canvas 0 0 width height 'paint)
    (show-part window 0 0 width height)))

(defun press-painting (painting button x y)
  (cond ((not (eq button :left)) (window-menu (painting-window painting)))
        ((< y +paint-top+) (choose-tool painting x y))
        (t (keep-picture painting)
           (case (painting-tool painting)
             ((:pencil :brush :eraser) (paint-stroke painting x y))
             (:fill (fill-region painting x y))
             (t (paint-shape painting x y))))))

(defun paint (&optional (width 481) (height 360))
  "Opens a window to paint in."
  (let* ((window (create-window "Paint" 40 150 (max 481 width) height))
         (painting (make-painting :window window)))
    (setf (window-data window) painting)
    (setf (window-button-function window)
          (lambda (window button x y) (declare (ignore window)) (press-painting painting button x y)))
    (setf (window-shape-function window)
          (lambda (window) (declare (ignore window)) (draw-tools painting)))
    (draw-tools painting)
    (values)))
