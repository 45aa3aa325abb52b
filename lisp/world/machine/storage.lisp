;;; Array space: blocks of any size for the elements of arrays, bitmaps and compiled functions.
;;;
;;;     | password 13, kind 2, in use 1 | cells 16 |  contents ...  | the same again |
;;;      header, a cell                                              trailer
;;;
;;;     kind 0 no pointers    1 pointers    2 compiled function
;;;
;;; A block is known by the address of its contents. The machine's collector takes blocks back: it drops the pointers in
;;; them, merges neighbours that are free, and puts them into rings, one for each number of bits in a block's size; their
;;; first two cells of contents lead forward and backward (vm/src/collector/arrays.rs). Here blocks are taken out of those
;;; rings again, and array space grows. The collector must not run meanwhile: it does not while \RECLAIM.COUNTDOWN is
;;; NIL. Nor may anybody leave or look in while the rings are half changed: other interrupts wait while %CRITICAL is true.

(defconstant %free-block 43688)         ; the first word of a free block's header
(defconstant %most-block-cells 65535)
(defconstant %guard-pages 64)           ; array space and MDS keep so far apart

(defconstant %collect-after 8192)       ; in units of 16 cells, so 512 kilobytes

(defglobal %critical nil)               ; true while array space is being changed
(defglobal %interrupts-wait nil)        ; true: there were interrupts meanwhile (machine/interrupts.lisp)
(defglobal %allocated 0)                ; how much has been allocated since blocks were last collected

(defun %allocate-block (cells kind)
  "A new block with room for so many cells, all zero. It lives as long as something refers to it."
  (setq %allocated (+ %allocated 1 (ash cells -4)))
  (when (> %allocated %collect-after)
    (%collect-blocks))
  (let ((block (or (%find-block cells kind)
                   (progn (%collect-blocks)
                          (%find-block cells kind)))))
    (unless block
      (error "There is no room for ~D cells." cells))
    ;; Nothing refers to it yet, but this frame.
    (%unreference block)
    block))

(defun %collect-blocks ()
  "The machine collects when many objects have come and gone; a few large ones may be much, too."
  (setq %allocated 0)
  (when \\reclaim.countdown
    (%subr 92)
    ;; Arrays in arrays that went are noted for the next time.
    (%subr 92)))

(defun %find-block (cells kind)
  "The contents of a new block; NIL if there is no room."
  (let ((size (if (< cells 2) 4 (+ cells 2)))
        (countdown \\reclaim.countdown))
    (if (> size %most-block-cells)
        nil
        (progn
          (setq %critical t)
          (setq \\reclaim.countdown nil)
          (let ((block (or (%block-from-rings size) (%block-from-space size))))
            (when block
              (%mark-block block (+ %free-block kind kind 1) (%word block 1))
              (%clear-words (%add block 2) (- (* 2 (%word block 1)) 4))
              (setq block (%add block 2)))
            (setq \\reclaim.countdown countdown)
            (setq %critical nil)
            (when %interrupts-wait (%take-up-interrupts))
            block)))))

(defun %mark-block (block word size)
  "Writes header and trailer of a block of so many cells."
  (let ((trailer (%add block (- (* 2 size) 2))))
    (%set-word block 0 word)
    (%set-word block 1 size)
    (%set-word trailer 0 word)
    (%set-word trailer 1 size)
    block))

(defun %clear-words (at words)
  "Makes an even number of words zero."
  (%set-cell at 0 nil)
  (do ((done 2))
      ((>= done words) at)
    ;; What is zero already is copied behind itself, twice as much each time.
    (let ((more (if (> (+ done done) words) (- words done) done)))
      (when (> more 32766) (setq more 32766))
      (%blt (%add at done) at more)
      (setq done (+ done more)))))

(defun %bit-length (n)
  "The number of bits in a positive number below 65536."
  (do ((bits 0 (1+ bits)))
      ((eql n 0) bits)
    (setq n (ash n -1))))

;;; Rings

(defun %ring (bits)
  "The cell with the first block of a ring."
  (%add \\freeblockbuckets (+ bits bits)))

(defun %block-from-rings (size)
  "A block of at least so many cells from the rings; NIL if there is none."
  (do ((bits (%bit-length size) (1+ bits)))
      ((> bits 16) nil)
    (let ((block (%search-ring (%ring bits) size)))
      (when block
        (%unlink-block block (%ring bits))
        (return (%split-block block size))))))

(defun %search-ring (ring size)
  (let ((first (%cell ring 0)))
    (when first
      (let ((block first))
        (loop
          (when (>= (%word block 1) size) (return block))
          (setq block (%cell block 2))
          (when (eq block first) (return nil)))))))

(defun %unlink-block (block ring)
  (let ((forward (%cell block 2))
        (backward (%cell block 4)))
    (cond ((eq forward block) (%set-cell ring 0 nil))
          (t (when (eq (%cell ring 0) block) (%set-cell ring 0 forward))
             (%set-cell forward 4 backward)
             (%set-cell backward 2 forward)))
    block))

(defun %link-block (block)
  "Puts a free block in front of its ring."
  (let* ((ring (%ring (%bit-length (%word block 1))))
         (first (%cell ring 0)))
    (if first
        (let ((last (%cell first 4)))
          (%set-cell block 2 first)
          (%set-cell block 4 last)
          (%set-cell last 2 block)
          (%set-cell first 4 block))
        (progn (%set-cell block 2 block)
               (%set-cell block 4 block)))
    (%set-cell ring 0 block)
    block))

(defun %split-block (block size)
  "Gives the end of a free block back if it is large enough to be one."
  (let ((rest (- (%word block 1) size)))
    (when (>= rest 4)
      (%mark-block block %free-block size)
      (%link-block (%mark-block (%add block (+ size size)) %free-block rest)))
    block))

;;; Growing

(defun %page-number (pointer)
  "The number of the page a pointer leads to."
  (+ (* 256 (%hi pointer)) (ash (%lo pointer) -8)))

(defun %page-base (page)
  (%pointer (ash page -8) (* 256 (logand page 255))))

(defun %block-from-space (size)
  "A block from the end of array space; NIL if MDS is near."
  (let* ((block |\\ArrayFrLst|)
         (end (%add block (+ size size)))
         (pages (1+ (%page-number end))))
    (if (> (+ pages %guard-pages) (%number-in |\\NxtMDSPage|))
        nil
        (progn
          (do ((page (%number-in |\\NxtArrayPage|) (1+ page)))
              ((>= page pages))
            (%subr 91 (%page-base page))
            (%set-number-in |\\NxtArrayPage| (1+ page)))
          ;; This is the address of no object: it must not be counted.
          (%set-cell (%value-cell '|\\ArrayFrLst|) 0 end)
          (%mark-block block %free-block size)))))
