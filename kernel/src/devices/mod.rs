//! Drivers.

pub mod block;
pub mod bochs;
pub mod display;
pub mod pci;
pub mod ps2;
pub mod text;
pub mod virtio;
