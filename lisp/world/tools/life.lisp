;;; Life: John Conway's cells. A cell with three living neighbours lives in the next generation, one with two stays as
;;; it is, all others are dead.
;;;
;;;     The whole generation is computed by BITBLT, 32 cells at a time: a bitmap is a cell a pixel, and counting neighbours
;;;     is adding, for each of the eight directions, the bitmap moved by one pixel to three bitmaps that are the bits of
;;;     the count:
;;;
;;;         carry := ONES and moved     ONES := ONES xor moved
;;;         carry' := TWOS and carry    TWOS := TWOS xor carry
;;;         FOURS := FOURS or carry'                                     (four or more: dead in any case)
;;;
;;;     then     new := (ONES or old) and TWOS and not FOURS             (count 3, or count 2 and alive)
;;;
;;; AND is made of the machine's four operations: A and B = A erase (not B). The edges are joined: what leaves at the right
;;; comes back at the left.

(defstruct life
  window width height
  cells                                 ; the present generation
  moved ones twos fours carry           ; see above
  wide                                  ; columns spread, rows not yet
  (generation 0)
  (running t))

(defun whole (life from to operation)
  "Combines two bitmaps of a game."
  (bitblt from 0 0 to 0 0 (life-width life) (life-height life) operation))

(defun invert-all (life bitmap)
  (fill-bitmap bitmap 0 0 (life-width life) (life-height life) 65535 'invert))

(defun clear-all (life bitmap)
  (fill-bitmap bitmap 0 0 (life-width life) (life-height life) 0 'replace))

(defun and-into (life source target)
  "target := target and source. The source is inverted for a while."
  (invert-all life source)
  (whole life source target 'erase)
  (invert-all life source))

(defun move-around (life dx dy)
  "The cells moved by a pixel, around the edges, to MOVED."
  (let ((cells (life-cells life)) (moved (life-moved life))
        (width (life-width life)) (height (life-height life)))
    (dolist (x (if (eql dx 0) '(0) (list dx (if (> dx 0) (- dx width) (+ dx width)))))
      (dolist (y (if (eql dy 0) '(0) (list dy (if (> dy 0) (- dy height) (+ dy height)))))
        (bitblt cells 0 0 moved x y width height 'replace)))))

(defun add-moved (life)
  "Adds MOVED to the count."
  (let ((carry (life-carry life)))
    (whole life (life-moved life) carry 'replace)
    (and-into life (life-ones life) carry)
    (whole life (life-moved life) (life-ones life) 'invert)
    ;; MOVED is not needed any more: it becomes the carry of the twos.
    (whole life carry (life-moved life) 'replace)
    (and-into life (life-twos life) (life-moved life))
    (whole life carry (life-twos life) 'invert)
    (whole life (life-moved life) (life-fours life) 'paint)))

(defun next-generation (life)
  "Computes the next generation."
  (clear-all life (life-ones life))
  (clear-all life (life-twos life))
  (clear-all life (life-fours life))
  (dolist (direction '((-1 -1) (0 -1) (1 -1) (-1 0) (1 0) (-1 1) (0 1) (1 1)))
    (move-around life (car direction) (cadr direction))
    (add-moved life))
  (let ((cells (life-cells life)))
    (whole life (life-ones life) cells 'paint)
    (and-into life (life-twos life) cells)
    (whole life (life-fours life) cells 'erase))
  (setf (life-generation life) (1+ (life-generation life)))
  life)

;;; Showing: each cell as a square. Rows and columns are spread by copying.

(defun spread-cells (life)
  "Draws the cells, three times as large, on the window's canvas: first columns, then rows."
  (let* ((canvas (window-canvas (life-window life)))
         (wide (wide-bitmap life))
         (width (life-width life)) (height (life-height life)))
    (dotimes (x width)
      (bitblt (life-cells life) x 0 wide (* 3 x) 0 1 height 'replace)
      (bitblt (life-cells life) x 0 wide (1+ (* 3 x)) 0 1 height 'replace))
    (dotimes (y height)
      (bitblt wide 0 y canvas 0 (* 3 y) (* 3 width) 1 'replace)
      (bitblt wide 0 y canvas 0 (1+ (* 3 y)) (* 3 width) 1 'replace))
    (show-part (life-window life) 0 0 (* 3 width) (* 3 height))))

(defun wide-bitmap (life)
  "A bitmap as wide as the window and as high as the game."
  (or (life-wide life)
      (setf (life-wide life) (make-bitmap (* 3 (life-width life)) (life-height life)))))

(defparameter *life-patterns*
  '(("R pentomino" (0 -1) (1 -1) (-1 0) (0 0) (0 1))
    ("Glider" (0 -1) (1 0) (-1 1) (0 1) (1 1))
    ("Acorn" (-2 -1) (0 0) (-3 1) (-2 1) (1 1) (2 1) (3 1))
    ("Gun" (-17 0) (-17 1) (-16 0) (-16 1) (-7 0) (-7 1) (-7 2) (-6 -1) (-6 3) (-5 -2) (-5 4) (-4 -2) (-4 4) (-3 1)
     (-2 -1) (-2 3) (-1 0) (-1 1) (-1 2) (0 1) (3 -2) (3 -1) (3 0) (4 -2) (4 -1) (4 0) (5 -3) (5 1) (7 -4) (7 -3)
     (7 1) (7 2) (17 -2) (17 -1) (18 -2) (18 -1))))

(defun plant (life pattern x y)
  "Sets the cells of a pattern around a cell."
  (dolist (cell (cdr pattern))
    (set-bitmap-bit (life-cells life)
                    (mod (+ x (car cell)) (life-width life))
                    (mod (+ y (cadr cell)) (life-height life))
                    1)))

(defun plant-at-random (life)
  (dotimes (i (floor (* (life-width life) (life-height life)) 5))
    (set-bitmap-bit (life-cells life) (random (life-width life)) (random (life-height life)) 1)))

(defun show-generation (life)
  (spread-cells life)
  (when (eql 0 (mod (life-generation life) 16))
    (set-window-title (life-window life) (format nil "Life: generation ~d" (life-generation life)))))

(defun draw-cells (life from-x from-y to-x to-y)
  "Sets the cells on a line."
  (let ((steps (max 1 (abs (- to-x from-x)) (abs (- to-y from-y)))))
    (dotimes (i (1+ steps))
      (set-bitmap-bit (life-cells life)
                      (+ from-x (round (* i (- to-x from-x)) steps))
                      (+ from-y (round (* i (- to-y from-y)) steps))
                      1))
    (spread-cells life)))

(defun life-button (life button x y)
  "Left sets cells, as long as it is held; the others open a menu."
  (if (eq button :left)
      (let ((last-x (floor x 3))
            (last-y (floor y 3)))
        (draw-cells life last-x last-y last-x last-y)
        (track-mouse
         (lambda (x y)
           (let ((x (floor (- x (canvas-left (life-window life))) 3))
                 (y (floor (- y (canvas-top (life-window life))) 3)))
             (draw-cells life last-x last-y x y)
             (setq last-x x last-y y)))))
      (let ((choice (menu (append (mapcar (lambda (pattern) (list (car pattern) pattern)) *life-patterns*)
                                  '(("At random" :random) ("Clear" :clear) ("Stop or go" :stop) ("Step" :step)
                                    ("Window..." :window)))
                          "Life")))
        (cond ((consp choice) (plant life choice (floor x 3) (floor y 3)))
              ((eq choice :random) (plant-at-random life))
              ((eq choice :clear) (clear-all life (life-cells life)))
              ((eq choice :stop) (setf (life-running life) (not (life-running life))))
              ((eq choice :step) (next-generation life))
              ((eq choice :window) (window-menu (life-window life))))
        (spread-cells life))))

(defun run-life (life)
  "Generations until the window is closed."
  (loop
    (unless (window-open (life-window life)) (return life))
    (when (life-running life)
      (next-generation life)
      (show-generation life))
    (sleep 0.05)))

(defun make-game (width height)
  "A game of so many cells, without a window."
  (let ((life (make-life)))
    (size-game life width height)
    life))

(defun shape-life (life)
  "As many cells as the window has room for. Those that there were stay, in the upper left corner."
  (let ((cells (life-cells life))
        (window (life-window life)))
    (size-game life (max 1 (floor (window-width window) 3)) (max 1 (floor (window-height window) 3)))
    (whole life cells (life-cells life) 'replace)
    (clear-window window)
    (spread-cells life)))

(defun size-game (life width height)
  "Gives a game so many cells, all dead."
  (setf (life-width life) width)
  (setf (life-height life) height)
  (setf (life-wide life) nil)
  (setf (life-cells life) (make-bitmap width height))
  (setf (life-moved life) (make-bitmap width height))
  (setf (life-ones life) (make-bitmap width height))
  (setf (life-twos life) (make-bitmap width height))
  (setf (life-fours life) (make-bitmap width height))
  (setf (life-carry life) (make-bitmap width height))
  life)

(defun life (&optional (width 128) (height 96))
  "Opens a window with a game of Life."
  (let ((life (make-game width height))
        (window (create-window "Life" 600 60 (* 3 width) (* 3 height))))
    (setf (life-window life) window)
    (setf (window-data window) life)
    (setf (window-button-function window)
          (lambda (window button x y) (declare (ignore window)) (life-button life button x y)))
    (setf (window-shape-function window)
          (lambda (window) (declare (ignore window)) (shape-life life)))
    (plant life (car *life-patterns*) (floor width 2) (floor height 2))
    (plant life (cadddr *life-patterns*) (floor width 4) (floor height 4))
    (make-process "life" (lambda () (run-life life)))
    (values)))
