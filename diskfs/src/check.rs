//! Reads everything that the newest state of the files names, and counts.
//!
//! ```text
//!   header -> tree -> nodes -> records         each block once, each with the right sum
//!          -> lists of free blocks             free and used blocks together: all there are
//!          -> directories                      each name leads to a node, each node has as many names as it says
//! ```

use crate::error::FilesError;
use crate::region::Region;
use crate::volume::DiskVolume;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;
use redoxfs::{BlockAddr, BlockPtr, DirEntry, HEADER_RING, Node, Transaction, TreeData, TreePtr};
use store::{Device, DeviceError};
use syscall::error::Result;

/// Something that is wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Finding {
    /// A part of the file system is not what was written.
    Structure {
        /// Which.
        what: &'static str,
        /// The node it belongs to; 0 for none.
        node: u32,
    },
    /// A file's bytes are not what was written.
    Contents {
        /// The node.
        node: u32,
        /// The first bad byte is this one or a later one.
        at: u64,
    },
    /// Two things have one block.
    Twice {
        /// The block.
        block: u64,
    },
    /// A node has not as many names as it says.
    Names {
        /// The node.
        node: u32,
        /// Names found.
        found: u32,
        /// Names it says it has.
        said: u32,
    },
    /// Blocks that are neither free nor used, or both.
    Count {
        /// Blocks in use.
        used: u64,
        /// Blocks free.
        free: u64,
        /// Blocks there are.
        all: u64,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Structure { what, node: 0 } => write!(f, "files: {what} is damaged"),
            Self::Structure { what, node } => write!(f, "files: {what} of file number {node} is damaged"),
            Self::Contents { node, at } => write!(f, "files: file number {node} is damaged from byte {at} on"),
            Self::Twice { block } => write!(f, "files: block {block} is used twice"),
            Self::Names { node, found, said } => {
                write!(f, "files: file number {node} has {found} names and should have {said}")
            }
            Self::Count { used, free, all } => {
                write!(f, "files: of {all} blocks {used} are in use and {free} are free, which does not add up")
            }
        }
    }
}

/// What was looked at.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Summary {
    /// Files.
    pub files: u64,
    /// Directories, with the root.
    pub directories: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// Blocks there are, headers included.
    pub blocks: u64,
    /// Blocks that are free.
    pub free: u64,
}

struct Checker<'a> {
    found: &'a mut dyn FnMut(Finding),
    /// A bit for each block that something has.
    seen: Vec<u64>,
    used: u64,
    summary: Summary,
    /// Nodes, with the names found and the names said.
    nodes: BTreeMap<u32, (u32, u32)>,
    /// Files that were open and had no name when the machine stopped.
    released: Vec<u32>,
}

type Tx<'a, D> = Transaction<'a, Region<D>>;

impl Checker<'_> {
    fn mark(&mut self, address: BlockAddr) {
        let count: u64 = address.level().blocks();
        for block in address.index()..address.index() + count {
            match self.seen.get_mut((block / 64) as usize) {
                Some(word) if *word & 1 << (block % 64) == 0 => *word |= 1 << (block % 64),
                _ => (self.found)(Finding::Twice { block }),
            }
        }
        self.used += count;
    }

    fn structure(&mut self, what: &'static str, node: u32) {
        (self.found)(Finding::Structure { what, node });
    }

    /// The tree of nodes.
    fn tree<D: Device>(&mut self, tx: &mut Tx<'_, D>) -> Vec<u32> {
        let mut nodes = Vec::new();
        let Some(l3) = self.read(tx, tx.header.tree, "the tree of files", 0) else { return nodes };
        for (i3, &l2) in { l3.data().ptrs }.iter().enumerate() {
            let Some(l2) = self.read(tx, l2, "the tree of files", 0) else { continue };
            for (i2, &l1) in { l2.data().ptrs }.iter().enumerate() {
                let Some(l1) = self.read(tx, l1, "the tree of files", 0) else { continue };
                for (i1, &l0) in { l1.data().ptrs }.iter().enumerate() {
                    let Some(l0) = self.read(tx, l0, "the tree of files", 0) else { continue };
                    for (i0, ptr) in { l0.data().ptrs }.iter().enumerate() {
                        if !ptr.is_null() {
                            self.mark(ptr.addr());
                            nodes.push(TreePtr::<Node>::from_indexes((i3, i2, i1, i0)).id());
                        }
                    }
                }
            }
        }
        nodes
    }

    /// Reads a block that something has; nothing for a pointer that is none.
    fn read<D: Device, T>(
        &mut self,
        tx: &mut Tx<'_, D>,
        ptr: BlockPtr<T>,
        what: &'static str,
        node: u32,
    ) -> Option<redoxfs::BlockData<T>>
    where
        T: redoxfs::BlockTrait + core::ops::DerefMut<Target = [u8]>,
    {
        if ptr.is_null() {
            return None;
        }
        self.mark(ptr.addr());
        let read = tx.read_block(ptr);
        if read.is_err() {
            self.structure(what, node);
        }
        read.ok()
    }

    fn lists<D: Device>(&mut self, tx: &mut Tx<'_, D>) {
        let mut ptr = tx.header.alloc;
        while let Some(list) = self.read(tx, ptr, "the list of free blocks", 0) {
            ptr = list.data().prev;
        }
        let mut ptr = tx.header.release;
        while let Some(list) = self.read(tx, ptr, "the list of files to remove", 0) {
            ptr = list.data().prev;
            self.released.extend({ list.data().entries }.iter().filter(|ptr| !ptr.is_null()).map(|ptr| ptr.id()));
        }
    }

    /// The records of a file: which blocks they have, and their bytes.
    fn file<D: Device>(&mut self, tx: &mut Tx<'_, D>, node: &TreeData<Node>) {
        let id = node.id();
        if let Some(levels) = node.data().level_data() {
            let what = "a list of records";
            { levels.level0 }.iter().filter(|ptr| !ptr.is_null()).for_each(|ptr| self.mark(ptr.addr()));
            for ptr in levels.level1 {
                let Some(l0) = self.read(tx, ptr, what, id) else { continue };
                { l0.data().ptrs }.iter().filter(|ptr| !ptr.is_null()).for_each(|ptr| self.mark(ptr.addr()));
            }
            for ptr in levels.level2 {
                let Some(l1) = self.read(tx, ptr, what, id) else { continue };
                for ptr in l1.data().ptrs {
                    let Some(l0) = self.read(tx, ptr, what, id) else { continue };
                    { l0.data().ptrs }.iter().filter(|ptr| !ptr.is_null()).for_each(|ptr| self.mark(ptr.addr()));
                }
            }
        }
        let mut buffer = alloc::vec![0; 1 << 15];
        let mut at = 0;
        while at < node.data().size() {
            match tx.read_node_inner(node, at, &mut buffer) {
                Ok(0) => break,
                Ok(count) => at += count as u64,
                Err(_) => {
                    (self.found)(Finding::Contents { node: id, at });
                    at += buffer.len() as u64;
                }
            }
        }
        self.summary.files += 1;
        self.summary.bytes += node.data().size();
    }

    fn directory<D: Device>(&mut self, tx: &mut Tx<'_, D>, node: &TreeData<Node>) {
        let mut children: Vec<DirEntry> = Vec::new();
        if tx.child_nodes(node.ptr(), &mut children).is_err() {
            self.structure("the directory", node.id());
        }
        for child in &children {
            let found = child.name().map(|name| tx.find_node(node.ptr(), name));
            match found {
                Some(Ok(found)) if found.id() == child.node_ptr().id() => {}
                _ => self.structure("a name", child.node_ptr().id()),
            }
            self.nodes.entry(child.node_ptr().id()).or_default().0 += 1;
        }
        // Where a directory's blocks are is RedoxFS's secret; how many it says.
        self.used += node.data().blocks() - 1;
        self.summary.directories += 1;
    }

    fn all<D: Device>(&mut self, tx: &mut Tx<'_, D>) -> Result<()> {
        self.lists(tx);
        for id in self.tree(tx) {
            let Ok(node) = tx.read_tree(TreePtr::<Node>::new(id)) else {
                self.structure("the node", id);
                continue;
            };
            self.nodes.entry(id).or_default().1 = node.data().links();
            if node.data().is_dir() {
                self.directory(tx, &node);
            } else {
                self.file(tx, &node);
            }
        }
        Ok(())
    }
}

/// Reads everything; `found` hears of what is wrong. Files that are open and not synced are checked as they are on the
/// disk.
pub fn check<D: Device>(
    volume: &mut DiskVolume<D>,
    found: &mut dyn FnMut(Finding),
) -> core::result::Result<Summary, FilesError> {
    let fs = volume.fs();
    let (all, free) = (fs.header.size() / redoxfs::BLOCK_SIZE, fs.allocator().free());
    let seen = alloc::vec![0; all.div_ceil(64) as usize];
    let summary = Summary { blocks: all, free, ..Summary::default() };
    let mut checker = Checker { found, seen, used: HEADER_RING, summary, nodes: BTreeMap::new(), released: Vec::new() };
    for place in 0..HEADER_RING {
        checker.seen[(place / 64) as usize] |= 1 << (place % 64);
    }
    let read = fs.tx(|tx| checker.all(tx));
    let failure = fs.disk.failure;
    read.map_err(|_| FilesError::Device(failure.unwrap_or(DeviceError::Gone)))?;
    // The root's one name is its own.
    checker.nodes.entry(1).or_default().0 += 1;
    for (&node, &(found, said)) in &checker.nodes {
        let released = found == 0 && said == 0 && checker.released.contains(&node);
        if found != said || found == 0 && !released {
            (checker.found)(Finding::Names { node, found, said });
        }
    }
    if checker.used + free != all {
        (checker.found)(Finding::Count { used: checker.used, free, all });
    }
    Ok(checker.summary)
}
