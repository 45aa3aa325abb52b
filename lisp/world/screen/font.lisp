;;; Fonts: from the drawings in font-art.lisp to characters on a bitmap.
;;;
;;;     strip    | 96 cells side by side, characters 32 to 127; cell 95 is the box that stands for all others |
;;;              0       WIDTH     2 WIDTH   ...
;;;
;;; A character is put on a bitmap by copying its cell. The bold font is the plain one painted over itself one pixel to
;;; the right, in cells one pixel wider: this is how bold type was made on matrix printers.

(defstruct font
  name                                  ; a string
  width                                 ; pixels from character to character
  height                                ; pixels from line to line
  ascent                                ; pixels above the base line
  strip)                                ; the bitmap of all characters

(defglobal *font* nil)                  ; what everything is written in unless it says otherwise
(defglobal *bold-font* nil)             ; title bars

(defconstant +first-character+ 32)
(defconstant +cells+ 96)
(defconstant +art-width+ 7)

(defun blank-font (name width height)
  (let ((strip (make-bitmap (* width +cells+) height)))
    (make-font :name name :width width :height height :ascent 10 :strip strip)))

(defun draw-cell-art (font character rows place)
  "Puts one drawn character into the font: PLACE is its column in the band's ROWS."
  (let ((left (* (font-width font) (- (char-code character) +first-character+)))
        (y 1))
    (dolist (row rows)
      (dotimes (x +art-width+)
        (when (eql (char row (+ place x)) #\#)
          (set-bitmap-bit (font-strip font) (+ left x) y 1)))
      (setq y (1+ y)))))

(defun draw-box-for-others (font)
  "The last cell: a hollow box."
  (let ((left (* (font-width font) 95)))
    (fill-bitmap (font-strip font) (+ left 1) 2 5 8 +black+ 'replace)
    (fill-bitmap (font-strip font) (+ left 2) 3 3 6 0 'replace)))

(defun font-from-art (name art)
  "A font from the drawings ART."
  (let ((font (blank-font name 8 13)))
    (dolist (band art)
      (let ((characters (car band)))
        (dotimes (i (length characters))
          (draw-cell-art font (char characters i) (cdr band) (* i 8)))))
    (draw-box-for-others font)
    font))

(defun embolden (name font)
  "The bold variant: each character twice, one pixel apart."
  (let* ((width (font-width font))
         (height (font-height font))
         (bold (blank-font name (1+ width) height)))
    (dotimes (cell +cells+)
      (dotimes (shift 2)
        (bitblt (font-strip font) (* cell width) 0
                (font-strip bold) (+ (* cell (1+ width)) shift) 0
                width height 'paint)))
    bold))

(defun remake-fonts ()
  "Makes the fonts from their drawings."
  (setq *font* (font-from-art "Duralumin 8x13" *font-art*))
  (setq *bold-font* (embolden "Duralumin bold 9x13" *font*))
  *font*)

(defun character-cell (character)
  "The number of a character's cell in every font."
  (let ((code (char-code character)))
    (if (and (>= code +first-character+) (< code 127)) (- code +first-character+) 95)))

(defun draw-character-on (bitmap character x y font operation)
  "Copies a character's cell to a bitmap, its upper left corner at X, Y."
  (let ((width (font-width font)))
    (bitblt (font-strip font) (* width (character-cell character)) 0
            bitmap x y width (font-height font) operation)))

(defun draw-string-on (bitmap string x y font operation)
  "Writes a string on a bitmap; the column behind it."
  (let ((width (font-width font)))
    (dotimes (i (length string))
      (draw-character-on bitmap (char string i) x y font operation)
      (setq x (+ x width)))
    x))

(defun string-width (string font)
  "How many pixels a string takes."
  (* (length string) (font-width font)))
