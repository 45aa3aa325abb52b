;;; The keyboard: from keys that go down and up to characters.
;;;
;;; Each key has a number, which is its place on a D-machine's board (kernel/src/logic/keys.rs lists them). What a key
;;; means is decided here. A key that is read is either a character - Control makes codes 1 to 26 of letters - or a
;;; keyword for those that mean no character: :up :down :left :right :home :end :page-up :page-down :delete :insert
;;; :escape :help :f1 to :f12.

(defglobal \\arrowkeys t)                ; that there is this symbol tells the machine to give arrow keys numbers

(defparameter *typewriter*
  '((45 "`~") (32 "1!") (17 "2@") (16 "3#") (1 "4$") (0 "5%") (2 "6^") (4 "7&") (53 "8*") (22 "9(") (8 "0)") (10 "-_")
    (59 "=+") (19 "qQ") (18 "wW") (3 "eE") (48 "rR") (49 "tT") (51 "yY") (6 "uU") (23 "iI") (25 "oO") (11 "pP")
    (58 "[{") (29 "]}") (105 "\\|") (21 "aA") (20 "sS") (5 "dD") (35 "fF") (50 "gG") (52 "hH") (38 "jJ") (9 "kK")
    (26 "lL") (43 ";:") (28 "'\"") (40 "zZ") (24 "xX") (37 "cC") (7 "vV") (39 "bB") (54 "nN") (55 "mM") (27 ",<")
    (42 ".>") (12 "/?") (57 "  ")
    (65 "//") (95 "**") (96 "--") (102 "++") (13 "..") (98 "00") (94 "11") (69 "22") (70 "33") (84 "44") (85 "55")
    (87 "66") (81 "77") (82 "88") (83 "99"))
  "Key number, and what it types without and with shift.")

(defparameter *other-keys*
  '((44 #\Newline) (76 #\Newline) (34 #\Tab) (15 #\Backspace) (33 :escape) (46 :delete) (62 :home) (90 :end)
    (63 :page-up) (91 :page-down) (89 :insert) (92 :help)
    (109 :left) (110 :up) (111 :down) (103 :right)
    (97 :f1) (99 :f2) (100 :f3) (67 :f4) (68 :f5) (101 :f6) (66 :f7) (104 :f8) (80 :f9) (106 :f10) (107 :f11)
    (108 :f12))
  "Key number, and what it is.")

;;; What is held down
(defglobal *shift-keys* 0)              ; how many shift keys
(defglobal *control-keys* 0)
(defglobal *meta-keys* 0)
(defglobal *capitals* nil)              ; Caps Lock

(defglobal *plain-keys* nil)            ; vectors by key number
(defglobal *shifted-keys* nil)

(defun make-key-tables ()
  "Makes the vectors that say what a key is from the lists above."
  (setq *plain-keys* (make-array 160 :initial-element nil))
  (setq *shifted-keys* (make-array 160 :initial-element nil))
  (dolist (key *typewriter*)
    (setf (aref *plain-keys* (car key)) (char (cadr key) 0))
    (setf (aref *shifted-keys* (car key)) (char (cadr key) 1)))
  (dolist (key *other-keys*)
    (setf (aref *plain-keys* (car key)) (cadr key))
    (setf (aref *shifted-keys* (car key)) (cadr key))))

(defun controlled (character)
  "What a character becomes with Control held down."
  (let ((code (char-code (char-upcase character))))
    (if (and (>= code 64) (< code 96))
        (code-char (- code 64))
        character)))

(defun decode-key (key)
  "What a key that goes down types now: a character, a keyword, or NIL."
  (let ((meaning (and (< key 160) (aref (if (> *shift-keys* 0) *shifted-keys* *plain-keys*) key))))
    (cond ((not (characterp meaning)) meaning)
          ((> *control-keys* 0) (controlled meaning))
          ((and *capitals* (alpha-char-p meaning))
           (if (> *shift-keys* 0) (char-downcase meaning) (char-upcase meaning)))
          (t meaning))))

(defun held (count down)
  "The new count of keys held down."
  (if down (1+ count) (max 0 (1- count))))

(defun note-modifier (key down)
  "Takes notice of a key that changes what others mean; true if it was one."
  (case key
    ((41 60) (setq *shift-keys* (held *shift-keys* down)) t)
    ((36 47) (setq *control-keys* (held *control-keys* down)) t)
    ((31 93) (setq *meta-keys* (held *meta-keys* down)) t)
    (56 (when down (setq *capitals* (not *capitals*))) t)
    (t nil)))

(defun forget-held-keys ()
  "After a start: whatever was held down then is not any more."
  (setq *shift-keys* 0 *control-keys* 0 *meta-keys* 0 *capitals* nil))
