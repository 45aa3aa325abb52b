//! The starter world on the bare machine: the battery of expressions.

use qemu::Machine;
use std::time::Duration;

#[test]
fn the_battery_of_expressions() {
    let sysout = battery::battery_world().unwrap();
    let mut qemu = Machine::new().disk(&sysout).limit(Duration::from_secs(180)).start().unwrap();
    let expected = format!("battery: {} expressions, 0 failures", battery::battery().len());
    let found = qemu.wait_for("battery: ").map(|_| ());
    let _ = qemu.wait();
    let log = qemu.log();
    let _ = std::fs::remove_file(sysout);
    assert!(found.is_ok() && log.contains(&expected), "{log}");
}
