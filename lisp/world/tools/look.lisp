;;; Addresses as numbers: what the book's chapters ask one to try. An address is a word address, an integer of 28 bits;
;;; `object-at` makes the pointer of it again.
;;;
;;;     (address x)  -->  FE46A12        high half 12 bits, low half 16 bits
;;;     page         -->  address / 256  two pages have one entry in the type table

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

(defun page-of (object)
  "The number of the page in which an object begins."
  (floor (address object) 256))

(defun type-number (object)
  "The number of an object's type: what the type table says of its page."
  (%type-number object))
