;;;; Looking at objects as memory.
;;;;
;;;; What the book's chapters ask one to try, and what the inspector and the memory map are made of. An address is a
;;;; word address, an integer of 28 bits; `object-at` makes the pointer of it again.
;;;;
;;;;     (address x)  -->  0FE4_6A12        high half 12 bits | low half 16 bits
;;;;     page         -->  address / 256    two pages have one entry in the type table

(defun address (object)
  "The word address of an object: what its pointer is, as a number."
  (+ (* 65536 (%hi object)) (%lo object)))

(defun object-at (address)
  "The pointer with this address."
  (%pointer (floor address 65536) (logand address 65535)))

(defun word-at (address)
  "The 16-bit word at an address."
  (%word (object-at address) 0))

(defun set-word-at (address value)
  "Stores a 16-bit word. Nothing is checked: a wrong address here is a wrong world."
  (%set-word (object-at address) 0 value)
  value)

(defun words-at (address count)
  "A list of the words from an address on."
  (let ((words nil))
    (dotimes (i count (nreverse words))
      (push (word-at (+ address i)) words))))

(defun page-of (object)
  "The number of the page that an object begins in."
  (floor (address object) 256))

(defun type-number (object)
  "The number of an object's type: what the type table says of its page."
  (%type-number object))

(defun cdr-code (cell)
  "The four bits of a CONS that say where its CDR is: 8 NIL, 9 to 15 a CONS further on, 1 to 7 stored, 0 elsewhere."
  (%bits cell 0 0 4))

(defun reference-count (object)
  "How many references the heap has to an object. Immediate objects and those of types that are not counted have none."
  ;; An entry of HTMAIN, by the low half of the address:
  ;;   high word  count 15 | on stack 1        low word  segment 15 | chain 1
  ;; A chain's links in HTCOLL are two cells: such an entry, and the offset of the next link in cells.
  (let* ((segment (%hi object))
         (entry (%pointer #x16 (%lo object))))
    (cond ((logbitp 15 (word-at (+ #x180000 (floor (address object) 512)))) 0)
          ((logbitp 0 (%word entry 1)) (%count-in-chain (%cell-number entry) segment))
          ((and (= (%word entry 0) 0) (= (%word entry 1) 0)) 1)
          ((= (floor (%word entry 1) 2) segment) (floor (%word entry 0) 2))
          (t 1))))

(defun %cell-number (cell)
  "The 31 bits above the lowest of the cell at a pointer, doubled: the offset in a collector entry that is a chain."
  (+ (* 65536 (%word cell 0)) (logand (%word cell 1) 65534)))

(defun %count-in-chain (offset segment)
  "The count of the object in this segment, from the chain of links that begins at an offset in HTCOLL."
  (loop
    (when (= offset 0) (return 1))
    (let ((link (object-at (+ #x1C0000 (* 2 offset)))))
      (when (= (floor (%word link 1) 2) segment)
        (return (floor (%word link 0) 2)))
      (setq offset (+ (* 65536 (%word link 2)) (%word link 3))))))
