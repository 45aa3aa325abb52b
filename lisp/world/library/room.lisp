;;; ROOM: how much of storage is used.
;;;
;;;     array space   from segment 2E upwards: blocks of any size, free ones in rings (machine/storage.lisp)
;;;     MDS           downwards from the end: pages of objects, two at a time of one type
;;;     counts        16:0, a cell for each even offset: objects whose count of references is not 1
;;;
;;; What is given back is used again before new pages are taken, but no page is given back: there are as many as were in use
;;; at once at the worst moment. Whether something leaks shows in what is in use: the objects that are not free, type by
;;; type, and the cells of blocks that are not free.

(defun %array-pages ()
  "Pages that array space has taken so far."
  (- (%number-in |\\NxtArrayPage|) 11776))

(defun %object-pages ()
  "Pages that objects have taken so far, from the first one there can be downwards."
  (- 131072 (%number-in |\\NxtMDSPage|)))

(defun %free-blocks ()
  "Two values: how many blocks of array space are free, and their cells."
  (let ((blocks 0)
        (cells 0))
    (dotimes (bits 31)
      (let ((first (%cell (%ring bits) 0)))
        (when first
          (do ((block first (%cell block 2))
               (begun nil t))
              ((and begun (eq block first)))
            (setq blocks (1+ blocks)
                  cells (+ cells (%word block 1)))))))
    (values blocks cells)))

(defun %counted-objects ()
  "How many cells of the collector's main table are in use."
  (let ((n 0)
        (at (%pointer 22 0)))
    (dotimes (i 32768 n)
      (unless (and (eq (%word at 0) 0) (eq (%word at 1) 0))
        (setq n (1+ n)))
      (setq at (%add at 2)))))

;;; Objects

(defun %objects-a-unit (words)
  "Objects of so many words in a unit of two pages: they cross the middle only where that saves something."
  (let ((rest (mod 256 words)))
    (if (and (> rest 0) (< rest (ash words -1)) (< words 256))
        (* 2 (floor 256 words))
        (floor 512 words))))

(defun %free-conses (page)
  "Free cells of a CONS page."
  (ash (%word page 4) -8))

(defun %free-objects (type)
  "How many objects of a type are free, in the chain that begins in its descriptor."
  (let ((n 0))
    (do ((object (%cell (%type-descriptor type) 4) (%cell object 0)))
        ((null object) n)
      (setq n (1+ n)))))

(defun %objects-in-use ()
  "A vector: for each type, by number, how many objects are not free; 5 is CONS cells, some of which hold another one's CDR."
  (let* ((types |\\MaxTypeNumber|)
         (in-use (make-array (1+ types) :initial-element 0))
         (high 511)
         (low 127))
    ;; No numbers but small ones, which are no objects themselves.
    (dotimes (i (ash (%object-pages) -1))
      (let* ((unit (%pointer high (* 512 low)))
             (type (%type-number unit)))
        (when (and (> type 0) (<= type types))
          (setf (aref in-use type)
                (+ (aref in-use type)
                   (if (eql type 5)
                       (- 248 (%free-conses unit) (%free-conses (%add unit 256)))
                       (%objects-a-unit (%type-words type))))))
        (if (eql low 0)
            (setq low 127 high (1- high))
            (setq low (1- low)))))
    (dotimes (i types in-use)
      (let ((type (1+ i)))
        (unless (or (eql type 5) (eql 0 (aref in-use type)))
          (setf (aref in-use type) (- (aref in-use type) (%free-objects type))))))))

;;; All together

(defun %collect-all ()
  "Collects until nothing more can be expected: arrays in arrays that went are found by the next collection."
  (dotimes (i 5) (reclaim)))

(defun storage-state ()
  "A property list: pages of arrays and of objects; cells of arrays, CONS cells and other objects in use; free blocks and their
cells; counts that are not 1."
  (%collect-all)
  (multiple-value-bind (blocks cells) (%free-blocks)
    (let* ((counts (%counted-objects))
           (in-use (%objects-in-use))
           (conses (aref in-use 5)))
      (list :array-pages (%array-pages)
            :object-pages (%object-pages)
            :array-cells (- (* 128 (%array-pages)) cells)
            :conses conses
            :objects (- (reduce #'+ in-use) conses)
            :free-blocks blocks
            :free-cells cells
            :counts counts))))

(defun %say-types ()
  "A line for each type that has objects in use, those of many first."
  (let ((in-use (%objects-in-use))
        (lines nil))
    (dotimes (type (length in-use))
      (when (> (aref in-use type) 0)
        (push (cons (aref in-use type) (%type-name type)) lines)))
    (dolist (line (sort lines (lambda (a b) (> (car a) (car b)))))
      (format t "~8D  ~A~%" (car line) (cdr line)))))

(defun room (&optional types)
  "Says how much of storage is used; with T also how many objects of each type there are."
  (let ((state (storage-state)))
    (format t "~&Arrays:  ~D pages of 512 bytes; ~D cells are in use, ~D in ~D blocks are free~%"
            (getf state :array-pages) (getf state :array-cells) (getf state :free-cells) (getf state :free-blocks))
    (format t "Objects: ~D pages; ~D CONS cells and ~D other objects are in use~%"
            (getf state :object-pages) (getf state :conses) (getf state :objects))
    (format t "Counts of references other than 1: ~D~%" (getf state :counts))
    (when types (%say-types))
    (values)))
