;;; The mouse: where it is, which buttons are down, what its arrow looks like.
;;;
;;;     I/O page, word    59 column   60 row   61 buttons: bit 2 left, 1 right, 0 middle, CLEAR while down
;;;                       240 to 255  the cursor: 16 rows of 16 pixels
;;;
;;; The machine keeps these words as the mouse moves. Presses and releases also come, like keys, as events (numbers 77,
;;; 78 and 79), so that a quick click is not missed. Whoever has the mouse - a menu, a window being moved - takes events
;;; with NEXT-MOUSE-EVENT.

(defun set-io-word (n value) (%set-word (%add (%pointer 0 #xFF00) n) 0 value) value)

(defun mouse-x () "The mouse's column." (%io-word 59))
(defun mouse-y () "The mouse's row." (%io-word 60))

;;; Cursors: a drawing, and the pixel in it that points

(defparameter *arrow*
  '((0 0)
    "#..............."
    "##.............."
    "###............."
    "####............"
    "#####..........."
    "######.........."
    "#######........."
    "########........"
    "#########......."
    "######.........."
    "##..##.........."
    "#....##........."
    ".....##........."
    "......##........"
    "......##........"
    "................"))

(defparameter *cross*
  '((7 7)
    ".......#........"
    ".......#........"
    ".......#........"
    ".......#........"
    ".......#........"
    ".......#........"
    "................"
    "######...######."
    "................"
    ".......#........"
    ".......#........"
    ".......#........"
    ".......#........"
    ".......#........"
    ".......#........"
    "................"))

(defparameter *hourglass*
  '((7 7)
    ".#############.."
    "..#.........#..."
    "..#.........#..."
    "...#.#.#.#.#...."
    "....#.#.#.#....."
    ".....#.#.#......"
    "......#.#......."
    ".......#........"
    "......#.#......."
    ".....#...#......"
    "....#..#..#....."
    "...#..###..#...."
    "..#..#####..#..."
    "..#.#######.#..."
    ".#############.."
    "................"))

(defglobal *cursor* nil)

(defun row-word (row)
  "Sixteen pixels as a number."
  (let ((word 0))
    (dotimes (x 16 word)
      (setq word (+ word word (if (eql (char row x) #\#) 1 0))))))

(defun set-cursor (cursor)
  "Gives the mouse another shape: *arrow*, *cross* or *hourglass*."
  (setq *cursor* cursor)
  (let ((n 240))
    (dolist (row (cdr cursor))
      (set-io-word n (row-word row))
      (setq n (1+ n))))
  ;; The machine counts the hot spot's rows from the lowest one.
  (%subr 64 (car (car cursor)) (- 15 (cadr (car cursor))))
  cursor)

;;; The machine reports the cursor's upper left corner; the hot spot is what counts. At the left and upper edge the corner is
;;; beyond the screen: a word that has gone below zero. After another cursor has been set, the corner is that of the one before
;;; until the mouse moves, so the hot spot may seem to be a little outside.

(defun %from-corner (corner hot limit)
  (let ((place (logand 65535 (+ corner hot))))
    (if (> place 32767) 0 (min place (1- limit)))))

(defun pointer-column (x)
  "The column of the hot spot, with the cursor's left edge at X."
  (%from-corner x (if *cursor* (car (car *cursor*)) 0) (screen-width)))

(defun pointer-row (y)
  "The row of the hot spot, with the cursor's upper edge at Y."
  (%from-corner y (if *cursor* (cadr (car *cursor*)) 0) (screen-height)))

(defun pointer-x () (pointer-column (mouse-x)))
(defun pointer-y () (pointer-row (mouse-y)))

;;; Events

(defglobal *mouse-events* nil)          ; (kind button x y), oldest first
(defglobal *mouse-owner* nil)           ; the process that has the mouse
(defglobal *seen-x* 0)
(defglobal *seen-y* 0)

(defun mouse-moved-p ()
  (not (and (eql (pointer-x) *seen-x*) (eql (pointer-y) *seen-y*))))

(defun next-mouse-event ()
  "Waits until the mouse moves or a button changes: (kind button x y), where kind is :move, :down or :up."
  (wait-until (lambda () (or *mouse-events* (mouse-moved-p))))
  (if *mouse-events*
      (pop *mouse-events*)
      (progn
        (setq *seen-x* (pointer-x) *seen-y* (pointer-y))
        (list :move nil *seen-x* *seen-y*))))

(defun event-kind (event) (car event))
(defun event-button (event) (cadr event))
(defun event-x (event) (caddr event))
(defun event-y (event) (cadddr event))

(defun note-button (button down x y)
  "A button has changed at a pixel: tells whoever has the mouse."
  (setq *mouse-events*
        (append *mouse-events* (list (list (if down :down :up) button x y)))))

(defun track-mouse (function)
  "Calls FUNCTION with column and row now and as the mouse moves, until a button is released; the last event."
  (funcall function (pointer-x) (pointer-y))
  (loop
    (let ((event (next-mouse-event)))
      (when (eq (event-kind event) :up)
        (funcall function (event-x event) (event-y event))
        (return event))
      (funcall function (event-x event) (event-y event)))))

(defun wait-for-press ()
  "Waits until a button goes down: the event."
  (loop
    (let ((event (next-mouse-event)))
      (when (eq (event-kind event) :down)
        (return event)))))

(defun invert-outline (r)
  "Draws a rectangle's border on the screen, over everything; drawn twice, it is gone."
  (let ((left (car r)) (top (cadr r)) (width (caddr r)) (height (cadddr r)))
    (fill-bitmap *screen-bitmap* left top width 2 +gray+ 'invert)
    (fill-bitmap *screen-bitmap* left (+ top height -2) width 2 +gray+ 'invert)
    (fill-bitmap *screen-bitmap* left (+ top 2) 2 (- height 4) +gray+ 'invert)
    (fill-bitmap *screen-bitmap* (+ left width -2) (+ top 2) 2 (- height 4) +gray+ 'invert)))

(defun track-outline (make)
  "Shows the outline that MAKE gives for the mouse's place until the button is released; the last outline."
  (let ((shown nil))
    (track-mouse (lambda (x y)
                   (let ((next (funcall make x y)))
                     (unless (equal next shown)
                       (when shown (invert-outline shown))
                       (invert-outline next)
                       (setq shown next)))))
    (invert-outline shown)
    shown))

(defun sweep-rectangle ()
  "Lets the user draw a rectangle: press at one corner, release at the opposite one."
  (let ((before *cursor*))
    (set-cursor *cross*)
    (let* ((press (wait-for-press))
           (r (track-outline (lambda (x y) (rectangle-between (event-x press) (event-y press) x y)))))
      (set-cursor before)
      r)))
