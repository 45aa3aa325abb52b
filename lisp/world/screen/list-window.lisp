;;; List windows: lines that can be scrolled and chosen with the mouse. Frames of the stack, fields of an object,
;;; instructions of a function are shown in them.
;;;
;;;     items   ((text . thing) ...)        a press on a line chooses it and calls
;;;                                         (funcall chosen window thing button)

(defstruct lister
  window
  (items nil)
  (top 0)                               ; number of the first line in the window
  (chosen nil)                          ; number of the line shown inverted, or NIL
  (marks nil)                           ; (number from . to): columns of lines that are inverted
  (function nil))                       ; called with window, thing and button when a line is pressed

(defconstant +list-line+ 14)

(defun lister-rows (lister)
  (max 1 (floor (window-height (lister-window lister)) +list-line+)))

(defun draw-list-line (lister n item)
  "Draws line number N, if it is in the window."
  (let* ((window (lister-window lister))
         (row (- n (lister-top lister)))
         (y (* +list-line+ row)))
    (when (and (>= row 0) (< row (lister-rows lister)))
      (fill-bitmap (window-canvas window) 0 y (window-width window) +list-line+ 0 'replace)
      (when item
        (draw-string-on (window-canvas window) (car item) 4 (1+ y) *font* 'replace))
      (when (and item (eql n (lister-chosen lister)))
        (fill-bitmap (window-canvas window) 0 y (window-width window) +list-line+ +black+ 'invert))
      (dolist (mark (lister-marks lister))
        (when (eql n (car mark))
          (fill-bitmap (window-canvas window) (+ 4 (* (cadr mark) (font-width *font*))) y
                       (* (- (cddr mark) (cadr mark)) (font-width *font*)) +list-line+ +black+ 'invert)))
      (show-part window 0 y (window-width window) +list-line+))))

(defun draw-list (lister)
  "Draws all lines that are in the window."
  (let* ((window (lister-window lister))
         (rest (nthcdr (lister-top lister) (lister-items lister)))
         (rows (lister-rows lister)))
    (dotimes (row rows)
      (draw-list-line lister (+ row (lister-top lister)) (car rest))
      (setq rest (cdr rest)))
    (fill-rectangle window 0 (* +list-line+ rows)
                    (window-width window) (max 0 (- (window-height window) (* +list-line+ rows))) 0)))

(defun scroll-list (lister lines)
  (let ((top (max 0 (min (+ lines (lister-top lister))
                         (max 0 (- (length (lister-items lister)) (lister-rows lister)))))))
    (unless (eql top (lister-top lister))
      (setf (lister-top lister) top)
      (draw-list lister))))

(defun show-items (lister items &optional chosen)
  "Other lines."
  (setf (lister-items lister) items)
  (setf (lister-chosen lister) chosen)
  (setf (lister-top lister) (min (lister-top lister) (max 0 (- (length items) 1))))
  (when chosen
    (unless (and (>= chosen (lister-top lister)) (< chosen (+ (lister-top lister) (lister-rows lister))))
      (setf (lister-top lister) (max 0 (- chosen (floor (lister-rows lister) 3))))))
  (draw-list lister)
  lister)

(defun choose-line (lister n)
  "Shows line number N inverted, in the window."
  (let ((before (lister-chosen lister)))
    (setf (lister-chosen lister) n)
    (if (and n (>= n (lister-top lister)) (< n (+ (lister-top lister) (lister-rows lister))))
        (progn
          (when before (draw-list-line lister before (nth before (lister-items lister))))
          (draw-list-line lister n (nth n (lister-items lister))))
        (progn
          (when n
            (setf (lister-top lister) (max 0 (- n (floor (lister-rows lister) 3)))))
          (draw-list lister)))))

(defun mark-lines (lister marks)
  "Inverts parts of lines, (number from . to) each, and no others. The first of them comes into the window."
  (let ((before (lister-marks lister))
        (first (if marks (caar marks) (lister-top lister))))
    (setf (lister-marks lister) marks)
    (if (< -1 (- first (lister-top lister)) (lister-rows lister))
        (dolist (n (remove-duplicates (mapcar #'car (append before marks))))
          (draw-list-line lister n (nth n (lister-items lister))))
        (scroll-list lister (- first (lister-top lister) (floor (lister-rows lister) 3))))))

(defun press-list (lister button y)
  (let* ((n (+ (lister-top lister) (floor y +list-line+)))
         (item (nth n (lister-items lister))))
    (when item
      (choose-line lister n)
      (when (lister-function lister)
        (funcall (lister-function lister) (lister-window lister) (cdr item) button)))))

(defun attach-list (window items function)
  "Makes a window show lines; the lister."
  (let ((lister (make-lister :window window :items items :function function)))
    (setf (window-data window) lister)
    (setf (window-scroll-function window)
          (lambda (window lines) (declare (ignore window)) (scroll-list lister lines)))
    (setf (window-shape-function window)
          (lambda (window) (declare (ignore window)) (draw-list lister)))
    (setf (window-button-function window)
          (lambda (window button x y)
            (declare (ignore x))
            (if (eq button :right) (window-menu window) (press-list lister button y))))
    (draw-list lister)
    lister))

(defun make-list-window (title left top width lines items function)
  "A window with lines; the lister."
  (attach-list (create-window title left top width (* +list-line+ lines)) items function))
