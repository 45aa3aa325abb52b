//! Every integer opcode against 64-bit arithmetic.
