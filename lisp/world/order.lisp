;;; The files of the starter world, in load order. The compiler and the macros they use are known from the start.
;;; Each row: a folder and its files; files are compiled in this order, and their top-level forms run in it too.

()
