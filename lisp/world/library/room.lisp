;;; ROOM: how much of storage is used.
;;;
;;;     array space   from segment 2E upwards: blocks of any size, free ones in rings (machine/storage.lisp)
;;;     MDS           downwards from the end: pages of objects, two at a time of one type
;;;     counts        16:0, a cell for each even offset: objects whose count of references is not 1
;;;
;;; What is given back is used again before new pages are taken: in a program that makes and drops things the pages stop
;;; growing after a while, and the number of counts stays where it is.

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

(defun storage-state ()
  "A property list: pages of arrays and of objects, free blocks and their cells, counts that are not 1."
  (reclaim)
  (multiple-value-bind (blocks cells) (%free-blocks)
    (list :array-pages (%array-pages)
          :object-pages (%object-pages)
          :free-blocks blocks
          :free-cells cells
          :counts (%counted-objects))))

(defun room ()
  "Says how much of storage is used."
  (let ((state (storage-state)))
    (format t "~&Arrays:  ~D pages of 512 bytes, of which ~D cells in ~D blocks are free~%"
            (getf state :array-pages) (getf state :free-cells) (getf state :free-blocks))
    (format t "Objects: ~D pages~%" (getf state :object-pages))
    (format t "Counts of references other than 1: ~D~%" (getf state :counts))
    (values)))
