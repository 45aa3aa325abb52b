//! The D-machine: everything of Duralumin that is Lisp and nothing that is PC.
#![no_std]
