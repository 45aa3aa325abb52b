//! Drivers.

pub mod block;
pub mod bochs;
pub mod display;
pub mod fw_cfg;
pub mod ninep;
pub mod pci;
pub mod ps2;
pub mod serial;
pub mod terminal;
pub mod text;
pub mod virtio;
