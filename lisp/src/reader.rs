//! Reads Lisp sources on the host.
