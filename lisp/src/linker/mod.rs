//! Lays out a world as a sysout in the format of Medley 3.5.
