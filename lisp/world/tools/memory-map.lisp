;;; The memory map: all of Lisp's pages, by what is on them, and which of them are being written.
;;;
;;;     each row: 128 pages of 256 words; two rows are a segment. A page is a small square.
;;;
;;;     which pages there are     FPtoVP, from 20000 (hexadecimal): a cell for each page of the saved world, with the
;;;                               number of the Lisp page that is kept there
;;;     what is on a page         the type table, from 180000: a word for two pages, with a type's number
;;;
;;; The map is alive. On Duralumin's bare machine the processor's page tables say what happens to each 4 KiB, eight of Lisp's
;;; pages: whether it is in memory or still on the disk, and whether it has been read or written since the last look. What was
;;; read turns gray for a moment, what was written black. Pages on the disk stay there: nothing of them is looked at.
;;;
;;; Elsewhere nobody says so. Then a few hundred pages at a time are read, and a page whose words are not what they were the
;;; last time flashes black. (A sample of words is compared: every eighth, and the first eight.) CONS pages are as dark as
;;; they are full.
;;;
;;; A press on a page says what it is; the middle button shows its words.

(defconstant +map-left+ 44)             ; the addresses are left of it
(defconstant +page-width+ 5)            ; pixels of the window that a page has
(defconstant +page-height+ 6)

(defstruct memory-map
  window
  rows                                  ; ((first-page . pages there are, a string of 0 and 1) ...), from the top
  sums                                  ; a vector: what was last seen of each page, row after row
  (hot nil)                             ; pages that flash: (row . column)
  (next-row 0)                          ; which row is looked at next
  (chosen nil)                          ; the page that is said below the map, or NIL
  (states nil)                          ; what the machine says of each 4 KiB, a string; NIL if it says nothing
  (known nil))                          ; how many pages there were

(defun page-pointer (page)
  "The address of a page's first word."
  (%pointer (ash page -8) (* 256 (logand page 255))))

(defun interface-cell (n)
  "A number of two words of the interface page."
  (let ((page (%pointer #x14 0)))
    (+ (* 65536 (%word (%add page n) 0)) (%word (%add page (1+ n)) 0))))

(defun pages-there-are ()
  "The numbers of all Lisp pages, in a vector of rows: for each row that has any, a vector of 128."
  (let ((table (make-hash-table)))
    (dotimes (i (interface-cell 82))
      (let* ((entry (%add (%pointer 2 0) (* 2 (1+ i))))
             (high (%word entry 0)))
        (unless (eql high 65535)
          (let* ((page (+ (* 65536 high) (%word entry 1)))
                 (row (ash page -7))
                 (there (or (gethash row table)
                            (setf (gethash row table) (make-array 128 :initial-element nil)))))
            (setf (aref there (logand page 127)) t)))))
    (let ((rows nil))
      (maphash (lambda (row there) (push (cons (* 128 row) there) rows)) table)
      (sort rows (lambda (a b) (< (car a) (car b)))))))

;;; What the machine says of pages of 4 KiB: bits of a character's code (vm/src/platform.rs), 1 there, 2 resident,
;;; 4 touched, 8 changed, 16 unsaved

(defun ask-for-states (string)
  "Fills a string with a character for each 4 KiB of Lisp's memory; false if the machine does not know."
  (%subr 54 "PAGES" string))

(defun new-states ()
  "A string of states, or NIL."
  (let ((string (make-string 16384)))
    (if (ask-for-states string) string nil)))

(defun page-state (map page)
  "The state of the 4 KiB that a page is in; everything is in memory where nobody knows better."
  (let ((states (memory-map-states map)))
    (if states (char-code (char states (ash page -3))) 2)))

(defun on-disk-p (map page)
  (eql 0 (logand 2 (page-state map page))))

;;; What is on a page

(defun page-type (page)
  (logand 2047 (type-table-word (page-pointer page))))

(defparameter *regions*
  '((#x0 "input and output, buffers") (#x1 "stack") (#x2 "page map") (#x3 "page map") (#x12 "screen")
    (#x13 "screen") (#x14 "interface page, UFNs, types") (#x15 "symbols by name") (#x16 "reference counts")
    (#x17 "reference counts") (#x18 "type table") (#x19 "type table")))

(defun region-name (segment)
  (let ((region (assoc segment *regions*)))
    (cond (region (cadr region))
          ((<= #x1C segment #x2B) "reference counts, chains")
          ((<= #x2C segment #x2D) "symbols")
          (t "arrays, strings, bitmaps, code"))))

(defun page-name (page)
  "What is on a page, in words."
  (let ((type (page-type page)))
    (if (> type 0)
        (format nil "~a" (type-name type))
        (region-name (ash page -8)))))

(defun cons-page-free (page)
  "How many cells of a CONS page are free."
  (ash (%word (%add (page-pointer page) 4) 0) -8))

(defun page-shade (page)
  "How a page is painted."
  (let ((type (page-type page))
        (segment (ash page -8)))
    (cond ((eql type 5)
           (let ((free (cons-page-free page)))
             (cond ((> free 120) #x8000) ((> free 80) #x8020) ((> free 40) #xA0A0) ((> free 8) #xA5A5) (t #x7DDF))))
          ((> type 0) #x8421)
          ((or (assoc segment *regions*) (<= #x1C segment #x2B)) #xF0F0)
          ((<= #x2C segment #x2D) #x9090)
          (t #xCC33))))

(defun page-sum (page)
  "A number that changes when the page's words do: for a sample of them."
  (let ((at (page-pointer page))
        (sum 0))
    (dotimes (i 8)
      (setq sum (logxor (logand 65535 (+ sum sum (ash sum -15))) (%word (%add at i) 0))))
    (do ((i 8 (+ i 8)))
        ((> i 255) sum)
      (setq sum (logxor (logand 65535 (+ sum sum (ash sum -15))) (%word (%add at i) 0))))))

;;; Painting

(defun map-x (column) (+ +map-left+ (* +page-width+ column)))
(defun map-y (row) (+ 4 (* +page-height+ row)))

(defun shade-on-map (map page)
  "How a page is painted that nothing happens to."
  (if (on-disk-p map page) #x0020 (page-shade page)))

(defun paint-page (map row column shade)
  (fill-bitmap (window-canvas (memory-map-window map)) (map-x column) (map-y row) 4 5 shade 'replace))

(defun paint-row (map row)
  (let* ((entry (nth row (memory-map-rows map)))
         (there (cdr entry)))
    (dotimes (column 128)
      (paint-page map row column (if (aref there column) (shade-on-map map (+ (car entry) column)) 0)))
    (show-part (memory-map-window map) +map-left+ (map-y row) (* 128 +page-width+) +page-height+)))

(defun paint-map (map)
  "Paints everything."
  (let ((window (memory-map-window map))
        (row 0)
        (labelled -9)
        (before -1))
    (fill-bitmap (window-canvas window) 0 0 (window-width window) (window-height window) 0 'replace)
    (dolist (entry (memory-map-rows map))
      (let ((segment (ash (car entry) -8)))
        (when (and (not (eql segment before)) (>= (- row labelled) 2))
          (setq labelled row)
          (draw-string-on (window-canvas window) (format nil "~x" segment) 4 (- (map-y row) 4) *font* 'paint))
        (setq before segment))
      (paint-row map row)
      (setq row (1+ row)))
    (paint-legend map)
    (show-part window 0 0 (window-width window) (window-height window))
    (when (memory-map-chosen map)
      (say-page map (memory-map-chosen map)))))

(defun paint-legend (map)
  (let* ((window (memory-map-window map))
         (y (- (window-height window) 20))
         (x +map-left+))
    (dolist (item (append '((#x7DDF "CONS") (#x8421 "objects") (#x9090 "symbols") (#xCC33 "arrays, code")
                            (#xF0F0 "machine's"))
                          (if (memory-map-states map) '((#x0020 "on disk") (#xDBDB "read")) nil)
                          '((65535 "written"))))
      (fill-bitmap (window-canvas window) x y 12 12 (car item) 'replace)
      (draw-string-on (window-canvas window) (cadr item) (+ x 16) y *font* 'replace)
      (setq x (+ x 24 (string-width (cadr item) *font*))))))

;;; Life, where the machine says what happens

(defun paint-states (map)
  "Paints what has happened since the last look, and what had before as it usually is."
  (let ((states (memory-map-states map))
        (before (memory-map-hot map))
        (row 0))
    (setf (memory-map-hot map) nil)
    (dolist (entry (memory-map-rows map))
      (dotimes (group 16)
        (let ((state (char-code (char states (+ (ash (car entry) -3) group))))
              (place (+ group (* 16 row))))
          (cond ((not (eql 0 (logand state 12)))
                 (paint-group map row entry group (if (eql 0 (logand state 8)) #xDBDB 65535))
                 (push place (memory-map-hot map)))
                ((member place before)
                 (paint-group map row entry group nil)))))
      (setq row (1+ row)))))

(defun paint-group (map row entry group shade)
  "Paints eight pages; each as it usually is, if the shade is NIL."
  (dotimes (i 8)
    (let ((column (+ i (* 8 group))))
      (when (aref (cdr entry) column)
        (paint-page map row column (or shade (shade-on-map map (+ (car entry) column)))))))
  (show-part (memory-map-window map) (map-x (* 8 group)) (map-y row) (* 8 +page-width+) +page-height+))

(defun say-totals (map)
  "How many pages of 4 KiB there are, are in memory, and are not saved."
  (let ((states (memory-map-states map))
        (there 0) (resident 0) (unsaved 0))
    (dolist (entry (memory-map-rows map))
      (dotimes (group 16)
        (let ((state (char-code (char states (+ (ash (car entry) -3) group)))))
          (when (logbitp 0 state) (setq there (1+ there)))
          (when (logbitp 1 state) (setq resident (1+ resident)))
          (when (logbitp 4 state) (setq unsaved (1+ unsaved))))))
    (let ((text (format nil "~d KiB, ~d of them in memory, ~d not saved" (* 4 there) (* 4 resident) (* 4 unsaved))))
      (set-window-title (memory-map-window map) (concatenate 'string "Memory map: " text)))))

(defun watch-states (map)
  "Looks at all pages once."
  (ask-for-states (memory-map-states map))
  (paint-states map)
  (say-totals map)
  (look-for-new-pages map)
  ;; What this itself has touched is no news.
  (ask-for-states (memory-map-states map))
  (sleep 0.2))

;;; Life elsewhere

(defun look-at-row (map row)
  "Compares the row's pages with what they were; those that have changed flash."
  (let* ((entry (nth row (memory-map-rows map)))
         (there (cdr entry))
         (sums (memory-map-sums map)))
    (dotimes (column 128)
      (when (aref there column)
        (let ((sum (page-sum (+ (car entry) column)))
              (place (+ column (* 128 row))))
          (unless (eql sum (aref sums place))
            (when (aref sums place)
              (push (cons row column) (memory-map-hot map))
              (paint-page map row column 65535)
              (show-part (memory-map-window map) (map-x column) (map-y row) +page-width+ +page-height+))
            (setf (aref sums place) sum)))))))

(defun cool-down (map)
  "Pages that flashed get their own shade again."
  (let ((hot (memory-map-hot map)))
    (setf (memory-map-hot map) nil)
    (dolist (place hot)
      (let ((page (+ (car (nth (car place) (memory-map-rows map))) (cdr place))))
        (paint-page map (car place) (cdr place) (page-shade page))
        (show-part (memory-map-window map) (map-x (cdr place)) (map-y (car place)) +page-width+ +page-height+)))))

(defun run-memory-map (map)
  "Looks at all pages, again and again, until the window is closed."
  (loop
    (unless (window-open (memory-map-window map)) (return map))
    (if (memory-map-states map) (watch-states map) (compare-row map))
    (yield)))

(defun compare-row (map)
  "Looks at the next row."
  (let ((rows (length (memory-map-rows map))))
    (look-at-row map (memory-map-next-row map))
    (setf (memory-map-next-row map) (mod (1+ (memory-map-next-row map)) rows))
    (when (eql 0 (memory-map-next-row map))
      (sleep 0.2)
      (cool-down map)
      (look-for-new-pages map))))

(defun look-for-new-pages (map)
  "Storage may have grown."
  (unless (eql (interface-cell 82) (memory-map-known map))
    (read-pages map)
    (let ((window (memory-map-window map)))
      (if (> (map-height map) (window-height window))
          (shape-window window (window-left window) (window-top window) (window-width window) (map-height map))
          (paint-map map)))))

(defun map-height (map)
  "How many rows of pixels the map needs, with its legend."
  (min (- (screen-height) 60) (+ 50 (* +page-height+ (length (memory-map-rows map))))))

(defun read-pages (map)
  (setf (memory-map-known map) (interface-cell 82))
  (setf (memory-map-rows map) (pages-there-are))
  (setf (memory-map-hot map) nil)
  (setf (memory-map-next-row map) 0)
  (setf (memory-map-sums map)
        (make-array (* 128 (length (memory-map-rows map))) :initial-element nil)))

;;; The mouse

(defun page-at (map x y)
  "The page at a pixel of the window, or NIL."
  (let* ((column (floor (- x +map-left+) +page-width+))
         (entry (nth (max 0 (floor (- y 4) +page-height+)) (memory-map-rows map))))
    (if (and entry (>= column 0) (< column 128) (aref (cdr entry) column))
        (+ (car entry) column)
        nil)))

(defun say-page (map page)
  "Says what a page is, below the map."
  (let* ((window (memory-map-window map))
         (y (- (window-height window) 36)))
    (setf (memory-map-chosen map) page)
    (fill-rectangle window 0 y (window-width window) 14 0)
    (draw-text window
               (format nil "page ~x, from ~a: ~a~a" page (address-text (page-pointer page)) (page-name page)
                       (cond ((on-disk-p map page) ", on the disk")
                             ((eql 5 (page-type page)) (format nil ", ~d cells free" (cons-page-free page)))
                             (t "")))
               +map-left+ y)))

(defun page-lines (page)
  "The words of a page, eight to a line."
  (let ((lines nil))
    (do ((i 0 (+ i 8)))
        ((> i 255) (nreverse lines))
      (let ((text (format nil "~a " (hex4 (logand 65535 (+ (* 256 (logand page 255)) i))))))
        (dotimes (j 8)
          (setq text (concatenate 'string text " " (hex4 (%word (%add (page-pointer page) (+ i j)) 0)))))
        (push (cons text nil) lines)))))

(defun press-map (map button x y)
  (let ((page (page-at map x y)))
    (cond ((eq button :right) (window-menu (memory-map-window map)))
          ((null page) nil)
          (t (say-page map page)
             (when (eq button :middle)
               (make-list-window (format nil "Page ~x: ~a" page (page-name page)) 300 100 380 32
                                 (page-lines page) nil))))))

(defun memory-map ()
  "Opens the memory map."
  (let ((map (make-memory-map :states (new-states))))
    (read-pages map)
    (let ((window (create-window "Memory map" 24 24 692 (map-height map))))
      (setf (memory-map-window map) window)
      (setf (window-data window) map)
      (setf (window-button-function window)
            (lambda (window button x y) (declare (ignore window)) (press-map map button x y)))
      (setf (window-shape-function window)
            (lambda (window) (declare (ignore window)) (paint-map map)))
      (paint-map map)
      (make-process "memory map" (lambda () (run-memory-map map)))
      (values))))
