;;; The desktop: how the screen comes up, and how one leaves.
;;;
;;;     (main)               the first process of a world that starts for the first time
;;;     (restart-screen)     when a saved world goes on, perhaps on a screen of another size

(defparameter *badge*
  '("................................"
    ".##############################."
    "#..............................#"
    "#.############################.#"
    "#.#..........................#.#"
    "#.#....##..............##....#.#"
    "#.#...#..................#...#.#"
    "#.#..#....................#..#.#"
    "#.#..#.....##.............#..#.#"
    "#.#.#.......##.............#.#.#"
    "#.#.#........##............#.#.#"
    "#.#.#.........##...........#.#.#"
    "#.#.#.........###..........#.#.#"
    "#.#.#........##.##.........#.#.#"
    "#.#.#.......##...##........#.#.#"
    "#.#.#......##.....##.......#.#.#"
    "#.#..#....##.......##.....#..#.#"
    "#.#..#....................#..#.#"
    "#.#...#..................#...#.#"
    "#.#....##..............##....#.#"
    "#.#..........................#.#"
    "#.############################.#"
    "#..............................#"
    ".##############################."
    "..............####.............."
    "..............####.............."
    ".........##############........."
    "........################........")
  "A lambda between parentheses, on a screen.")

(defparameter *greeting*
  "Duralumin: a Lisp machine, and nothing else.

Type (tour) and Return for a walk through it. The right mouse button opens menus: on the gray
background, and on every window. (help) says what keys do.
")

(defglobal *badge-window* nil)

(defun show-badge ()
  "Puts the badge in the lower right corner of the desktop, in a window without title."
  (let* ((bitmap (bitmap-from-rows *badge*))
         (window (create-window nil (- (screen-width) 56) (- (screen-height) 52)
                                (+ 8 (bitmap-width bitmap)) (+ 8 (bitmap-height bitmap)))))
    (bitblt bitmap 0 0 (window-canvas window) 4 4 (bitmap-width bitmap) (bitmap-height bitmap) 'replace)
    (setf (window-button-function window)
          (lambda (window button x y)
            (declare (ignore window x y))
            (background-menu button)))
    (refresh (window-rectangle window))
    (setq *badge-window* window)))

(defun help ()
  "Says what keys and mouse do."
  (format t "Return       evaluates when all parentheses are closed
Up, Down     earlier and later inputs; in a form of several lines, its lines
Left, Right  in the line; Home and End to where it begins and ends; Delete, Backspace
Control-     P N B F A D as the keys above; K cuts the rest of the line, U all, Y pastes; L clears
Tab          completes a name
Control-C    interrupts a computation; so does Control-E
Page Up/Down or the wheel scroll
~%Mouse: left button selects, drags title bars, and drags lower right borders to shape a window.
Right button: menus. (apropos \"part\") finds names, (describe 'car) says what one means.
(inspect x) shows an object, (tour) everything else.
(dir) lists files, (see \"name\") prints one, (load \"name\") loads Lisp from one.~%")
  (values))

(defun processes ()
  "Lists the processes: * is the one that runs, the others wait for their turn or for something."
  (dolist (process *processes*)
    (format t "~a ~16a ~a~%"
            (if (eq process *current-process*) "*" " ")
            (process-name process)
            (cond ((eq process *current-process*) "runs")
                  ((process-wait process) "waits")
                  (t "ready"))))
  (values))

(defun prepare-screen ()
  "Fonts, keys, cursor and the screen's bitmap."
  (make-screen-bitmap)
  (unless *font* (remake-fonts))
  (unless *plain-keys* (make-key-tables))
  (forget-held-keys)
  (setq *mouse-owner* nil *mouse-events* nil *repeat-key* nil)
  (set-cursor *arrow*))

(defun notice (text)
  "Shows a line in the middle of the screen for two seconds."
  (let* ((width (+ 32 (string-width text *font*)))
         (window (create-window nil (floor (- (screen-width) width) 2) (floor (screen-height) 3) width 32)))
    (draw-centered window text 0 10 width)
    (make-process "notice" (lambda ()
                             (sleep 2)
                             (close-window window)))))

(defun save-world ()
  "Saves the world, and says so; in the saved world, which goes on later, there is nothing to say."
  (unless (save)
    (notice "The world is saved.")))

(defun ask-and (text function)
  "A menu item that cannot be undone asks first."
  (when (menu (list (list text t)) "Really?")
    (funcall function)))

(defun add-usual-items ()
  (add-background-item "Exec" (lambda () (make-exec (+ 60 (* 20 (length *execs*))) (+ 60 (* 20 (length *execs*))))))
  (add-background-item "Tour" (lambda () (tour)))
  (add-background-item "Benchmarks" (lambda () (benchmarks)))
  (add-background-item "Memory map" (lambda () (memory-map)))
  (add-background-item "Stepper" (lambda () (step-example)))
  (add-background-item "Paint" (lambda () (paint)))
  (add-background-item "Life" (lambda () (life)))
  (add-background-item "Refresh" #'refresh-screen)
  (add-background-item "Save world" (lambda () (ask-and "Save world" #'save-world)))
  (add-background-item "Log out" (lambda () (ask-and "Log out" #'logout))))

(defun start-screen ()
  "Brings the screen up: the desktop, the input process, an exec."
  (prepare-screen)
  (add-usual-items)
  (refresh-screen)
  (show-badge)
  (clock)
  (setq *break-hook* #'break-key)
  (setq *debugger-hook* #'enter-break)
  (make-exec 24 24 96 30 *greeting*))

(defun main ()
  "What the first process does: the screen, then keys and mouse for ever."
  ;; After a hard reset the processes of all execs are gone.
  (setq *execs* nil)
  (prepare-init-file)
  (start-screen)
  (%add-restart-hook #'restart-screen)
  (start-job)
  (input-process))

(defun restart-screen ()
  "After a saved world has been started again."
  (prepare-screen)
  (dolist (window *windows*)
    ;; Nothing may be lost behind the edges of a smaller screen.
    (setf (window-left window) (max 0 (min (window-left window) (- (screen-width) 40))))
    (setf (window-top window) (max 0 (min (window-top window) (- (screen-height) 20)))))
  ;; Badge and clock stay in the corner.
  (when *badge-window*
    (setf (window-left *badge-window*) (- (screen-width) 56))
    (setf (window-top *badge-window*) (- (screen-height) 52)))
  (place-clock)
  (refresh-screen))
