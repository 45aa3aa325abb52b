;;; Bitmaps, and the two operations that everything on the screen is made of: copying a rectangle of pixels, and
;;; filling one with a shade.
;;;
;;;     record (type 12)                          pixels
;;;     +0  base of the pixels, a pointer         row 0, the top: RASTER words of 16 pixels,
;;;     +2  RASTER, words from row to row                         the leftmost pixel in a word's top bit
;;;     +3  height in pixels                      row 1
;;;     +4  width in pixels                       ...
;;;     +5  bits a pixel, always 1                1 is black, 0 is white
;;;
;;; The screen is a bitmap like any other; its pixels begin at word address 120000 (hexadecimal), and whoever shows them
;;; watches that memory. The machine does the work: its subroutines 72 (BITBLT-BITMAP) and 73 (BLTSHADE-BITMAP) clip the
;;; rectangle at the edges of both bitmaps and move 32 pixels at a time (vm/src/display).
;;;
;;; In this world x grows to the right and y grows DOWN, from the upper left corner, as rows lie in memory. The machine's
;;; subroutines count from the lower left, as Interlisp does; the difference ends here.
;;;
;;; An operation says what becomes of a pixel that is there (D) when one comes (S):
;;;
;;;     REPLACE  S          PAINT  D or S          INVERT  D xor S          ERASE  D and not S

;;; Shades: four rows of four pixels, a hexadecimal digit each.
(defconstant +white+ 0)
(defconstant +black+ 65535)
(defconstant +gray+ #xA5A5)
(defconstant +light-gray+ #x8020)
(defconstant +dark-gray+ #x7DDF)
(defconstant +stripes+ #x8421)

(defun %bitmap-record (base raster width height)
  (let ((bitmap (%create-cell 12)))
    (%store bitmap 0 base)
    (%set-word bitmap 2 raster)
    (%set-word bitmap 3 height)
    (%set-word bitmap 4 width)
    (%set-word bitmap 5 1)
    bitmap))

(defun %allocate-words (words)
  "Memory without pointers in it."
  (%allocate-block (ash (1+ words) -1) 0))

(defun make-bitmap (width height)
  "A new bitmap, all white."
  (let ((raster (* 2 (max 1 (ceiling width 32)))))
    (%bitmap-record (%allocate-words (* raster (max 1 height))) raster width height)))

(defun bitmap-p (object) (if (%typep object 12) t nil))
(defun bitmap-base (bitmap) "The address of the first pixels." (%cell bitmap 0))
(defun bitmap-raster (bitmap) "Words from one row to the next." (%word bitmap 2))
(defun bitmap-height (bitmap) (%word bitmap 3))
(defun bitmap-width (bitmap) (%word bitmap 4))

(defglobal *screen-bitmap* nil)

(defun make-screen-bitmap ()
  "The screen of the machine that runs now: another one may have another size."
  (let ((width (%subr 67))
        (height (%subr 68)))
    (setq *screen-bitmap* (%bitmap-record (%pointer #x12 0) (ash width -4) width height))))

(defun screen-width () (bitmap-width *screen-bitmap*))
(defun screen-height () (bitmap-height *screen-bitmap*))

(defun bitblt (from from-x from-y to to-x to-y width height operation)
  "Combines a rectangle of the bitmap FROM with one of the bitmap TO. What is outside of either is left out."
  (%subr 72
         from from-x (- (bitmap-height from) from-y height)
         to to-x (- (bitmap-height to) to-y height)
         width height 'input operation nil nil
         from-x (- (bitmap-height from) from-y height))
  to)

(defun fill-bitmap (bitmap x y width height shade operation)
  "Combines a shade with a rectangle."
  (when (and (> width 0) (> height 0))
    (%subr 73 shade bitmap x (- (bitmap-height bitmap) y height) width height operation nil))
  bitmap)

(defun bitmap-bit (bitmap x y)
  "The pixel in column X and row Y, 1 or 0; 0 outside."
  (if (and (>= x 0) (< x (bitmap-width bitmap)) (>= y 0) (< y (bitmap-height bitmap)))
      (let ((word (%word (%add (bitmap-base bitmap) (+ (* y (bitmap-raster bitmap)) (ash x -4))) 0)))
        (if (logbitp (- 15 (logand x 15)) word) 1 0))
      0))

(defun set-bitmap-bit (bitmap x y bit)
  "Sets a pixel; nothing happens outside."
  (fill-bitmap bitmap x y 1 1 (if (eql bit 1) +black+ 0) 'replace))

(defun copy-bitmap (bitmap)
  "A new bitmap with the same pixels."
  (let ((copy (make-bitmap (bitmap-width bitmap) (bitmap-height bitmap))))
    (bitblt bitmap 0 0 copy 0 0 (bitmap-width bitmap) (bitmap-height bitmap) 'replace)))

(defun bitmap-from-rows (rows)
  "A bitmap drawn as strings, a row each, in which # is black."
  (let* ((width (length (car rows)))
         (bitmap (make-bitmap width (length rows)))
         (y 0))
    (dolist (row rows bitmap)
      (dotimes (x width)
        (when (eql (char row x) #\#)
          (set-bitmap-bit bitmap x y 1)))
      (setq y (1+ y)))))
