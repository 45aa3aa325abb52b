//! Sysouts of both layouts go onto a disk and come back, byte for byte.

use store::fake::FakeDisk;
use store::sysout::{Image, ReadAt, SysoutProblem, disk_blocks, export};
use store::{Block, PageSource, SaveInfo, SaveKind, Store, StoreError};
use vm::address::{FilePage, LispPage};
use vm::layout::{Layout, Medley2, Medley35};
use vm::sysout::interface;

struct Bytes(Vec<u8>);

impl ReadAt for Bytes {
    fn read_at(&mut self, at: u64, buffer: &mut [u8]) -> bool {
        let part = self.0.get(at as usize..at as usize + buffer.len());
        part.map(|part| buffer.copy_from_slice(part)).is_some()
    }
}

/// A small image: every page that must be there, a stack page listed twice, and file pages that hold nothing.
fn image<L: Layout>() -> Vec<u8> {
    let entry = if L::BIG { 4 } else { 2 };
    let hole = u32::MAX;
    let mut lisp: Vec<u32> = vec![0x234, L::IFPAGE.page().0, hole, hole];
    for at in [L::MISCSTATS, L::UFN_TABLE, L::DTD, L::MDS_TYPE_TABLE, L::ATOM_HASH_TABLE, L::HTMAIN, L::HTOVERFLOW] {
        lisp.push(at.page().0);
    }
    lisp.extend([L::UFN_TABLE.page().0 + 1, L::HTBIG.page().0, L::HTCOLL.page().0]);
    lisp.extend(0x100..0x110);
    lisp.push(0x104);
    let map_start = lisp.len();
    lisp.push(L::FPTOVP.page().0);
    // The last one that a 16-bit entry can name: FFFF is a hole.
    lisp.push(L::MAX_PAGES - 2);
    let pages = lisp.len();
    let mut bytes = vec![0; pages * 512];
    for (file, page) in lisp.iter().enumerate().filter(|(_, page)| **page != hole) {
        for (i, byte) in bytes[file * 512..][..512].iter_mut().enumerate() {
            // By Lisp page, so that what is listed twice is the same twice.
            *byte = (*page as usize * 31 + i * 7) as u8;
        }
    }
    let mut word = |number: u32, value: usize| {
        bytes[512 + 2 * number as usize..][..2].copy_from_slice(&(value as u16).to_be_bytes());
    };
    for number in 0..256 {
        word(number, 0);
    }
    word(interface::KEY, 0x15E3);
    word(interface::END_OF_STACK, 0xF00);
    word(interface::STACK_BASE, 0x200);
    word(interface::MAP_START, map_start + 1);
    word(if L::BIG { interface::PAGES_35 + 1 } else { interface::PAGES_2 }, pages);
    bytes[map_start * 512..][..512].fill(0);
    for (file, page) in lisp.iter().enumerate() {
        bytes[map_start * 512 + (file + 1) * entry..][..entry].copy_from_slice(&page.to_be_bytes()[4 - entry..]);
    }
    bytes
}

fn imported(bytes: &[u8]) -> Result<(FakeDisk, Store), StoreError> {
    let mut file = Bytes(bytes.to_vec());
    let mut image = Image::open(&mut file, bytes.len() as u64)?;
    let mut disk = FakeDisk::new(disk_blocks(image.pages().len() as u32) as u32);
    let mut store = Store::format(&mut disk, 1)?;
    image.import(&mut store, &mut disk, "small.sysout", 5)?;
    Ok((disk, store))
}

fn exported(store: &Store, disk: &mut FakeDisk) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::new();
    export(store, disk, &mut |page| {
        bytes.extend(page);
        true
    })?;
    Ok(bytes)
}

fn round_trip<L: Layout>() {
    let bytes = image::<L>();
    let (mut disk, store) = imported(&bytes).unwrap();
    assert_eq!(exported(&store, &mut disk).unwrap(), bytes);
    let record = store.current().unwrap();
    assert_eq!(
        (record.origin.name.as_str(), record.origin.bytes, record.date),
        ("small.sysout", bytes.len() as u64, 5)
    );
    assert_eq!(store.entry((L::MAX_PAGES - 2) / 8).present, 0x40);
}

#[test]
fn both_layouts_come_back_byte_for_byte() {
    round_trip::<Medley2>();
    round_trip::<Medley35>();
}

/// Changes one page of a world.
struct Patch(fn(&mut Block) -> u8);

impl PageSource for Patch {
    fn page(&mut self, _page: u32, into: &mut Block) -> Option<u8> {
        into.fill(0);
        Some(self.0(into))
    }
}

#[test]
fn a_world_whose_map_and_pages_do_not_agree_is_not_exported() {
    let info = SaveInfo { date: 6, kind: SaveKind::Save };
    // The last Lisp page of all, which the map lists, goes.
    let bytes = image::<Medley2>();
    let (mut disk, mut store) = imported(&bytes).unwrap();
    store.begin_save([0xFFFE / 8].into_iter(), &info).unwrap();
    store.finish(&mut disk, &mut Patch(|_| 0)).unwrap();
    let file = FilePage(bytes.len() as u32 / 512 - 1);
    let wanted = SysoutProblem::Missing { file, lisp: LispPage(0xFFFE) };
    assert_eq!(exported(&store, &mut disk), Err(StoreError::Sysout(wanted)));
    // The interface page is zeroes.
    store.begin_save([Medley2::IFPAGE.page().0 / 8].into_iter(), &info).unwrap();
    store.finish(&mut disk, &mut Patch(|_| 0xFF)).unwrap();
    assert!(matches!(exported(&store, &mut disk), Err(StoreError::Sysout(SysoutProblem::Image(_)))));
}

#[test]
fn what_is_no_sysout_or_has_no_room_is_refused() {
    assert!(matches!(imported(&[0; 8192]), Err(StoreError::Sysout(SysoutProblem::Image(_)))));
    let mut file = Bytes(image::<Medley2>());
    let length = file.0.len() as u64;
    let mut image = Image::open(&mut file, length).unwrap();
    let mut disk = FakeDisk::new(20);
    let mut store = Store::format(&mut disk, 1).unwrap();
    assert!(matches!(image.import(&mut store, &mut disk, "x", 0), Err(StoreError::TooSmall { has: 20, .. })));
}

#[test]
fn a_real_image_comes_back_byte_for_byte() {
    let path = std::env::var("MEDLEY_SYSOUT")
        .unwrap_or(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/medley/lisp.sys").into());
    let Ok(bytes) = std::fs::read(&path) else {
        println!("no image at {path}: skipped");
        return;
    };
    let (mut disk, store) = imported(&bytes).unwrap();
    assert!(exported(&store, &mut disk).unwrap() == bytes, "{path} is not the same after import and export");
}
