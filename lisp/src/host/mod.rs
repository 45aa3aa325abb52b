//! The interpreter on the host that runs the compiler.
