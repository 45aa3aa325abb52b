;;; Drawing: points, lines, rectangles, circles, regions and text, on bitmaps and in windows.
;;;
;;; All shapes are taken apart into rectangles, mostly one pixel high or wide, because that is what the machine fills. A
;;; flat line is a staircase of horizontal runs:
;;;
;;;     ####                    (x1,y1) .. run 1
;;;         #####                          run 2
;;;              ####           (x2,y2) .. run 3
;;;
;;; A *surface* is a bitmap or a window. A window keeps its pixels in a bitmap of its own; after drawing there, TOUCHED
;;; brings the part that changed to the screen, as far as no other window covers it (window.lisp).

(defun surface-bitmap (surface)
  "The bitmap that is drawn on."
  (if (bitmap-p surface) surface (window-canvas surface)))

(defun touched (surface x y width height)
  "Tells that a rectangle of the surface has changed."
  (unless (bitmap-p surface)
    (show-part surface x y width height))
  surface)

(defun fill-rectangle (surface x y width height &optional (shade +black+) (operation 'replace))
  "Fills a rectangle with a shade."
  (fill-bitmap (surface-bitmap surface) x y width height shade operation)
  (touched surface x y width height))

(defun draw-point (surface x y &optional (operation 'paint))
  "One pixel."
  (fill-rectangle surface x y 1 1 +black+ operation))

(defun outline (surface x y width height &optional (thickness 1) (operation 'paint))
  "The border of a rectangle, inside of it."
  (let ((bitmap (surface-bitmap surface))
        (inner (- height thickness thickness)))
    (fill-bitmap bitmap x y width thickness +black+ operation)
    (fill-bitmap bitmap x (- (+ y height) thickness) width thickness +black+ operation)
    (fill-bitmap bitmap x (+ y thickness) thickness inner +black+ operation)
    (fill-bitmap bitmap (- (+ x width) thickness) (+ y thickness) thickness inner +black+ operation)
    (touched surface x y width height)))

(defun draw-flat-line (bitmap x1 y1 x2 y2 thickness shade operation)
  "A line with more columns than rows, from left to right: a run a row."
  (let* ((dx (- x2 x1))
         (dy (abs (- y2 y1)))
         (down (if (< y2 y1) -1 1))
         (up-to (ash dx -1))
         (start x1)
         (y y1)
         (x x1))
    (loop
      (when (> x x2) (return nil))
      (setq up-to (- up-to dy))
      (when (or (< up-to 0) (eql x x2))
        (fill-bitmap bitmap start y (1+ (- x start)) thickness shade operation)
        (setq start (1+ x)
              y (+ y down)
              up-to (+ up-to dx)))
      (setq x (1+ x)))))

(defun draw-steep-line (bitmap x1 y1 x2 y2 thickness shade operation)
  "A line with at least as many rows as columns, from top to bottom: a run a column."
  (let* ((dy (- y2 y1))
         (dx (abs (- x2 x1)))
         (right (if (< x2 x1) -1 1))
         (up-to (ash dy -1))
         (start y1)
         (x x1)
         (y y1))
    (loop
      (when (> y y2) (return nil))
      (setq up-to (- up-to dx))
      (when (or (< up-to 0) (eql y y2))
        (fill-bitmap bitmap x start thickness (1+ (- y start)) shade operation)
        (setq start (1+ y)
              x (+ x right)
              up-to (+ up-to dy)))
      (setq y (1+ y)))))

(defun draw-line (surface x1 y1 x2 y2 &optional (thickness 1) (operation 'paint) (shade +black+))
  "A straight line; both ends belong to it."
  (let ((bitmap (surface-bitmap surface)))
    (if (> (abs (- x2 x1)) (abs (- y2 y1)))
        (if (< x1 x2)
            (draw-flat-line bitmap x1 y1 x2 y2 thickness shade operation)
            (draw-flat-line bitmap x2 y2 x1 y1 thickness shade operation))
        (if (< y1 y2)
            (draw-steep-line bitmap x1 y1 x2 y2 thickness shade operation)
            (draw-steep-line bitmap x2 y2 x1 y1 thickness shade operation))))
  (touched surface (min x1 x2) (min y1 y2)
           (+ thickness (abs (- x2 x1))) (+ thickness (abs (- y2 y1)))))

(defun integer-root (n)
  "The largest integer whose square is not above N."
  (let ((low 0)
        (high 1))
    (loop
      (when (> (* high high) n) (return nil))
      (setq high (+ high high)))
    (loop
      (when (<= (- high low) 1) (return low))
      (let ((middle (ash (+ low high) -1)))
        (if (> (* middle middle) n) (setq high middle) (setq low middle))))))

(defun fill-circle (surface x y radius &optional (shade +black+) (operation 'replace))
  "A disc around the pixel X, Y: a run a row."
  (let ((bitmap (surface-bitmap surface)))
    (do ((row (- radius) (1+ row)))
        ((> row radius))
      (let ((half (integer-root (+ radius (- (* radius radius) (* row row))))))
        (fill-bitmap bitmap (- x half) (+ y row) (1+ (+ half half)) 1 shade operation))))
  (touched surface (- x radius) (- y radius) (+ radius radius 1) (+ radius radius 1)))

(defun plot-eight (bitmap x y across down operation)
  "The eight points of a circle that follow from one."
  (dolist (point (list (cons across down) (cons down across)))
    (let ((a (car point))
          (b (cdr point)))
      (dolist (sx (if (eql a 0) '(1) '(1 -1)))
        (dolist (sy (if (eql b 0) '(1) '(1 -1)))
          (fill-bitmap bitmap (+ x (* sx a)) (+ y (* sy b)) 1 1 +black+ operation))))
    (when (eql across down) (return nil))))

(defun draw-circle (surface x y radius &optional (operation 'paint))
  "A circle around the pixel X, Y, by the midpoint rule: of each eighth only whole steps are decided."
  (let ((bitmap (surface-bitmap surface))
        (across 0)
        (down radius)
        (decision (- 1 radius)))
    (loop
      (when (> across down) (return nil))
      (plot-eight bitmap x y across down operation)
      (if (< decision 0)
          (setq decision (+ decision across across 3))
          (setq decision (+ decision (* 2 (- across down)) 5)
                down (1- down)))
      (setq across (1+ across))))
  (touched surface (- x radius) (- y radius) (+ radius radius 1) (+ radius radius 1)))

;;; Filled polygons. For each row, the columns where the border crosses its middle are sorted; between the first and the
;;; second, the third and the fourth ... is inside.

(defun crossings (points y)
  "The columns where the polygon's border crosses row Y, from left to right."
  (let ((columns nil)
        (previous (car (last points))))
    (dolist (point points)
      (let ((x1 (car previous)) (y1 (cadr previous))
            (x2 (car point)) (y2 (cadr point)))
        (when (not (eq (<= y1 y) (<= y2 y)))
          (push (+ x1 (round (* (- y y1) (- x2 x1)) (- y2 y1))) columns)))
      (setq previous point))
    (sort columns #'<)))

(defun fill-polygon (surface points &optional (shade +black+) (operation 'replace))
  "Fills the inside of a polygon; POINTS is a list of lists (x y)."
  (let* ((bitmap (surface-bitmap surface))
         (xs (mapcar #'car points))
         (ys (mapcar #'cadr points))
         (left (apply #'min xs)) (right (apply #'max xs))
         (top (apply #'min ys)) (bottom (apply #'max ys)))
    (do ((y top (1+ y)))
        ((> y bottom))
      (let ((columns (crossings points y)))
        (loop
          (when (or (null columns) (null (cdr columns))) (return nil))
          (fill-bitmap bitmap (car columns) y (1+ (- (cadr columns) (car columns))) 1 shade operation)
          (setq columns (cddr columns)))))
    (touched surface left top (1+ (- right left)) (1+ (- bottom top)))))

(defun draw-polygon (surface points &optional (thickness 1) (operation 'paint))
  "The border of a polygon."
  (let ((previous (car (last points))))
    (dolist (point points surface)
      (draw-line surface (car previous) (cadr previous) (car point) (cadr point) thickness operation)
      (setq previous point))))

(defun draw-text (surface string x y &optional (font *font*) (operation 'replace))
  "Writes a string with its upper left corner at X, Y; the column behind it."
  (let ((end (draw-string-on (surface-bitmap surface) string x y font operation)))
    (touched surface x y (- end x) (font-height font))
    end))

(defun draw-centered (surface string x y width &optional (font *font*) (operation 'replace))
  "Writes a string in the middle of WIDTH pixels."
  (draw-text surface string (+ x (max 0 (ash (- width (string-width string font)) -1))) y font operation))
