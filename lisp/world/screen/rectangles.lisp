;;; Rectangles as lists (left top width height), and what is left of one when others lie on it.
;;;
;;;     +---------------+        taking B out of A leaves up to four pieces:
;;;     |   above       |        above and below over the whole width,
;;;     |----+-----+----|        left and right between them
;;;     |left|  B  |rght|
;;;     |----+-----+----|
;;;     |   below       |
;;;     +---------------+

(defun rectangle (left top width height) (list left top width height))
(defun rectangle-left (r) (car r))
(defun rectangle-top (r) (cadr r))
(defun rectangle-width (r) (caddr r))
(defun rectangle-height (r) (cadddr r))
(defun rectangle-right (r) "The first column outside." (+ (car r) (caddr r)))
(defun rectangle-bottom (r) "The first row outside." (+ (cadr r) (cadddr r)))

(defun inside-p (x y r)
  "Whether a pixel is in a rectangle."
  (and (>= x (rectangle-left r)) (< x (rectangle-right r))
       (>= y (rectangle-top r)) (< y (rectangle-bottom r))))

(defun intersect (a b)
  "What two rectangles have in common, or NIL."
  (let ((left (max (rectangle-left a) (rectangle-left b)))
        (top (max (rectangle-top a) (rectangle-top b)))
        (right (min (rectangle-right a) (rectangle-right b)))
        (bottom (min (rectangle-bottom a) (rectangle-bottom b))))
    (if (and (< left right) (< top bottom))
        (list left top (- right left) (- bottom top))
        nil)))

(defun subtract (a b)
  "The pieces of A that are not in B."
  (let ((common (intersect a b))
        (pieces nil))
    (if (null common)
        (list a)
        (let ((left (rectangle-left common)) (right (rectangle-right common))
              (top (rectangle-top common)) (bottom (rectangle-bottom common)))
          (when (< bottom (rectangle-bottom a))
            (push (list (car a) bottom (caddr a) (- (rectangle-bottom a) bottom)) pieces))
          (when (< right (rectangle-right a))
            (push (list right top (- (rectangle-right a) right) (- bottom top)) pieces))
          (when (> left (car a))
            (push (list (car a) top (- left (car a)) (- bottom top)) pieces))
          (when (> top (cadr a))
            (push (list (car a) (cadr a) (caddr a) (- top (cadr a))) pieces))
          pieces))))

(defun subtract-from-all (pieces b)
  "The pieces of several rectangles that are not in B."
  (let ((left nil))
    (dolist (piece pieces left)
      (if (intersect piece b)
          (dolist (part (subtract piece b))
            (push part left))
          (push piece left)))))

(defun rectangle-between (x1 y1 x2 y2)
  "The rectangle with two pixels at opposite corners."
  (list (min x1 x2) (min y1 y2) (1+ (abs (- x2 x1))) (1+ (abs (- y2 y1)))))
