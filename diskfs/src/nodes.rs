//! Nodes of RedoxFS, in a transaction: found by path, unlinked, cut, changed; and its errors as a volume's.

use crate::names;
use crate::region::Region;
use alloc::borrow::Cow;
use alloc::vec::Vec;
use files::{Change, Kind, Path, VolumeError};
use redoxfs::{Node, Transaction, TreeData, TreePtr};
use store::{BLOCK, Device};
use syscall::error::{ENOENT, ENOTDIR, Error};

/// What RedoxFS gives.
pub(crate) type Tried<T> = syscall::error::Result<T>;
/// A transaction on the disk's files.
pub(crate) type Tx<'a, D> = Transaction<'a, Region<D>>;

/// An error of RedoxFS, as Lisp is told.
pub(crate) fn told(error: Error) -> VolumeError {
    VolumeError::from_number(error.errno.unsigned_abs())
}

/// An error of a volume, to end a transaction with.
pub(crate) fn no(error: VolumeError) -> Error {
    Error::new(error.number().cast_signed())
}

/// What a node is.
pub(crate) fn kind(node: &Node) -> Kind {
    match node.mode() & Node::MODE_TYPE {
        Node::MODE_DIR => Kind::Directory,
        Node::MODE_FILE => Kind::File,
        _ => Kind::Other,
    }
}

/// A date as the disk has it: none is before 1970.
pub(crate) fn seconds(date: i64) -> u64 {
    date.max(0).cast_unsigned()
}

/// A size that ends with a record.
pub(crate) fn whole_records(node: &Node, size: u64) -> u64 {
    size.next_multiple_of(node.record_level().bytes())
}

/// The node of a path.
pub(crate) fn find<D: Device>(tx: &mut Tx<'_, D>, path: &Path) -> Tried<TreeData<Node>> {
    let mut node = tx.read_tree(TreePtr::<Node>::root())?;
    for name in path {
        if !node.data().is_dir() {
            return Err(Error::new(ENOTDIR));
        }
        node = tx.find_node(node.ptr(), &names::to_disk(name).map_err(no)?)?;
    }
    Ok(node)
}

/// The directory of a path, and the last name.
pub(crate) fn find_place<'a, D: Device>(tx: &mut Tx<'_, D>, path: &'a Path) -> Tried<(TreePtr<Node>, Cow<'a, str>)> {
    let (name, directory) = path.split_last().ok_or(no(VolumeError::Busy))?;
    let directory = find(tx, directory)?;
    if !directory.data().is_dir() {
        return Err(Error::new(ENOTDIR));
    }
    Ok((directory.ptr(), names::to_disk(name).map_err(no)?))
}

/// What has a name in a directory, if anything has.
pub(crate) fn look_up<D: Device>(
    tx: &mut Tx<'_, D>,
    directory: TreePtr<Node>,
    name: &str,
) -> Tried<Option<TreeData<Node>>> {
    match tx.find_node(directory, name) {
        Ok(node) => Ok(Some(node)),
        Err(error) if error.errno == ENOENT => Ok(None),
        Err(error) => Err(error),
    }
}

/// Has a directory nothing in it?
pub(crate) fn is_empty<D: Device>(tx: &mut Tx<'_, D>, directory: &TreeData<Node>) -> Tried<bool> {
    let mut children = Vec::new();
    tx.child_nodes(directory.ptr(), &mut children)?;
    Ok(children.is_empty())
}

/// Takes a name away. Gives the number of the node if that was its last name.
pub(crate) fn unlink<D: Device>(
    tx: &mut Tx<'_, D>,
    directory: TreePtr<Node>,
    name: &str,
    mut node: TreeData<Node>,
) -> Tried<Option<u32>> {
    let mode = node.data().mode() & Node::MODE_TYPE;
    // RedoxFS gives back whole records only.
    if node.data().links() == 1 && !node.data().is_dir() && !node.data().has_inline_data() {
        let size = whole_records(node.data(), node.data().size());
        node.data_mut().set_size(size);
        tx.sync_tree(node)?;
    }
    tx.remove_node(directory, name, mode)
}

/// Cuts a file on the disk; what lies behind the end in its last record becomes zero.
pub(crate) fn cut<D: Device>(tx: &mut Tx<'_, D>, node: &mut TreeData<Node>, length: u64) -> Tried<()> {
    let old = node.data().size();
    let zeroes = [0; BLOCK];
    let inline = node.data().inline_data().map(|bytes| bytes.len() as u64);
    let end = match inline {
        // One byte less than there is room for: with all of it the file would leave its node.
        Some(room) => old.min(room - 1),
        None => old.min(whole_records(node.data(), length)),
    };
    let mut at = length;
    while at < end {
        let count = (end - at).min(BLOCK as u64) as usize;
        tx.write_node_inner(node, &mut at, &zeroes[..count])?;
    }
    if inline.is_none() {
        let (whole_old, whole_new) = (whole_records(node.data(), old), whole_records(node.data(), length));
        node.data_mut().set_size(whole_old);
        tx.truncate_node_inner(node, whole_new)?;
    }
    node.data_mut().set_size(length);
    Ok(())
}

/// Gives a node another date or mode.
pub(crate) fn change_node(node: &mut TreeData<Node>, change: &Change) {
    let node = node.data_mut();
    if let Some(date) = change.written {
        node.set_mtime(seconds(date), 0);
    }
    if let Some(mode) = change.mode {
        let kind = node.mode() & Node::MODE_TYPE;
        node.set_mode(kind | mode as u16 & Node::MODE_PERM);
    }
}
