//! Loaders on damaged and hostile files: each gives an error that names the file and
//! what to do, and nothing panics.

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;
use glyphs::data::archive::{read_contents, read_images};
use glyphs::data::decode::{declared_size, decode_grey};
use glyphs::data::idx::Idx;
use glyphs::data::{Dataset, Handwritten, Mislabelled, Mnist, locate};
use glyphs::{Error, error::printable};
use image::{ExtendedColorType, ImageEncoder};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::support::{self, contains, fails_with, file, png, tgz_of, zip_of};

fn drawing() -> Vec<u8> {
    png(1200, 900, ExtendedColorType::Rgb8)
}

/// Folders with 62 classes of 40 drawings, all the same file.
fn whole_set(root: &Path, bytes: &[u8]) {
    for class in 1..=62 {
        let folder = root.join(format!("Sample{class:03}"));
        fs::create_dir_all(&folder).unwrap();
        for writer in 1..=40 {
            fs::write(folder.join(format!("img{class:03}-{writer:03}.png")), bytes).unwrap();
        }
    }
}

#[test]
fn a_whole_set_is_read_and_each_fault_in_it_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let good = drawing();
    whole_set(root, &good);
    let drawings = Handwritten::open(root).unwrap();
    assert_eq!((drawings.len(), drawings.provenance.count), (2480, 2480));
    let grey = drawings.decode(77).unwrap();
    assert_eq!((grey.width, grey.height), (1200, 900));
    assert!(grey.pixels.iter().all(|&value| value == 200));

    let one = root.join("Sample011/img011-007.png");
    fs::remove_file(&one).unwrap();
    fails_with(Handwritten::open(root), &["Sample011", "class A has 39 of 40", "fetch"]);
    fs::write(&one, &good[..good.len() / 2]).unwrap();
    fails_with(Handwritten::open(root), &["img011-007.png", "cut short", "restore"]);
    fs::write(&one, png(900, 1200, ExtendedColorType::Rgb8)).unwrap();
    fails_with(
        Handwritten::open(root),
        &["img011-007.png", "900 x 1200 pixels instead of 1200 x 900"],
    );
    fs::write(&one, png(1, 1, ExtendedColorType::Rgb8)).unwrap();
    fails_with(Handwritten::open(root), &["img011-007.png", "1 x 1 pixels instead of 1200 x 900"]);
    fs::write(&one, b"not an image").unwrap();
    fails_with(Handwritten::open(root), &["img011-007.png", "not a PNG, JPEG"]);
    // Damaged in the middle: found when it is decoded, and named then.
    let mut broken = good.clone();
    let middle = broken.len() / 2;
    broken[middle..middle + 8].fill(0x5a);
    fs::write(&one, &broken).unwrap();
    let drawings = Handwritten::open(root).unwrap();
    let damaged = drawings.drawings.iter().position(|p| p.name == "img011-007.png").unwrap();
    fails_with(drawings.decode(damaged), &["img011-007.png", "cannot be decoded"]);
    fs::write(&one, &good).unwrap();
    let foreign = root.join("Sample011/holiday.png");
    fs::write(&foreign, &good).unwrap();
    fails_with(Handwritten::open(root), &["holiday.png", "not named as"]);
    fs::remove_file(&foreign).unwrap();

    // Upper case, hidden files and another class's folder.
    fs::rename(&one, root.join("Sample011/IMG011-007.PNG")).unwrap();
    fs::create_dir_all(root.join("__MACOSX/Sample011")).unwrap();
    fs::write(root.join("__MACOSX/Sample011/._img011-007.png"), b"x").unwrap();
    fs::write(root.join("Sample011/Thumbs.db"), b"x").unwrap();
    assert_eq!(Handwritten::open(root).unwrap().len(), 2480);
    fs::remove_dir_all(root.join("Sample062")).unwrap();
    fails_with(Handwritten::open(root), &["Sample062", "class z has 0 of 40"]);
}

#[test]
fn the_same_writer_twice() {
    let image = drawing();
    let zip =
        zip_of(&[("a/Sample001/img001-001.png", &image), ("b/Sample001/img001-001.png", &image)]);
    let (_folder, path) = file("two.zip", &zip);
    fails_with(Handwritten::open(&path), &["two.zip", "same character and writer"]);
}

#[test]
fn zip_entries_that_lead_outside() {
    for name in [
        "../Sample001/img001-001.png",
        "/Sample001/img001-001.png",
        "a/../../b.png",
        "C:\\b.png",
        "c:/b.png",
        "C:",
        "..\\b.png",
    ] {
        let (_folder, path) = file("bad.zip", &zip_of(&[(name, b"x")]));
        fails_with(read_images(&path), &["bad.zip", "outside", "fetch"]);
    }
    for name in ["4:30/1.png", "1:2.png", "a:b.png", "4:/1.png"] {
        let (_folder, path) = file("colon.zip", &zip_of(&[(name, b"x")]));
        assert_eq!(read_images(&path).unwrap()[0].path, name);
    }
}

#[test]
fn zip_entries_that_are_links_or_come_twice() {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.add_symlink("Sample001/img001-001.png", "/etc/passwd", SimpleFileOptions::default())
        .unwrap();
    let (_folder, path) = file("link.zip", &zip.finish().unwrap().into_inner());
    fails_with(read_images(&path), &["link.zip", "is a link"]);

    // Folders named after a capital and its small letter are two.
    let (_folder, path) = file("case.zip", &zip_of(&[("A/x.png", b"1"), ("a/x.png", b"2")]));
    assert_eq!(read_images(&path).unwrap().len(), 2);

    // The second name is made equal to the first within the finished archive.
    let text =
        String::from_utf8_lossy(&zip_of(&[("a/x.png", b"1"), ("a/y.png", b"2")])).into_owned();
    assert!(text.contains("a/y.png"));
    let mut bytes = zip_of(&[("a/x.png", b"1"), ("a/y.png", b"2")]);
    for i in 0..bytes.len() - 7 {
        if &bytes[i..i + 7] == b"a/y.png" {
            bytes[i + 2] = b'x';
        }
    }
    let (_folder, path) = file("twice.zip", &bytes);
    let result = read_images(&path);
    // Readers that keep the last of two entries see one file; ours may not see both.
    assert!(result.is_err() || result.unwrap().len() == 1);
}

#[test]
fn zip_entries_of_other_names() {
    let image = drawing();
    // What archivers leave behind is skipped.
    let zip = zip_of(&[
        ("train/Sample001/IMG001-001.PNG", image.as_slice()),
        ("__MACOSX/train/Sample001/._img001-001.png", b"x"),
        ("train/.DS_Store", b"x"),
        ("train/Sample001/.hidden.png", b"x"),
        ("train/Sample001/Thumbs.db", b"x"),
        ("train/readme.txt", b"x"),
    ]);
    let (_folder, path) = file("mac.zip", &zip);
    let images = read_images(&path).unwrap();
    assert_eq!(images.len(), 1);
    assert_eq!(images[0].name(), "IMG001-001.PNG");
    // An image under a name of its own is not.
    for name in [
        "Sample001/holiday.png",
        "Sample063/img063-001.png",
        "Sample001/img002-001.png",
        "Sample001/img001-056.png",
        "Sample001/img001-0001.png",
        "img001-001.png",
        "Sample001/\u{444}\u{43e}\u{442}\u{43e}.png",
    ] {
        let (_folder, path) = file("names.zip", &zip_of(&[(name, &image)]));
        fails_with(Handwritten::open(&path), &["names.zip", name, "not named as", "leave only"]);
    }
}

#[test]
fn zip_bombs_are_stopped() {
    // data_limits.rs has those of 10 GB; the limits bind at 16 and 96 MB.
    let zeros = vec![0; 17 << 20];
    let (_folder, path) = file("bomb.zip", &zip_of(&[("Sample001/img001-001.png", &zeros)]));
    fails_with(read_images(&path), &["bomb.zip", "img001-001.png", "larger than"]);

    let part = vec![0; 15 << 20];
    let entries: Vec<(String, &[u8])> =
        (0..8).map(|i| (format!("Sample001/img001-00{i}.png"), part.as_slice())).collect();
    let (_folder, path) = file("bombs.zip", &zip_of(&entries));
    fails_with(read_images(&path), &["bombs.zip: its images take more than", "unpack it"]);
}

#[test]
fn truncated_archives() {
    let whole = zip_of(&[("Sample001/img001-001.png", &drawing())]);
    for length in [0, 1, 30, whole.len() / 2, whole.len() - 1] {
        let (_folder, path) = file("short.zip", &whole[..length]);
        fails_with(Handwritten::open(&path), &["short.zip"]);
    }
    let mut damaged = whole.clone();
    damaged[200] ^= 0xff;
    let (_folder, path) = file("damaged.zip", &damaged);
    fails_with(Handwritten::open(&path), &["damaged.zip", "damaged"]);
    fails_with(
        Handwritten::open(Path::new("/nonexistent/x.zip")),
        &["x.zip", "check the file's name"],
    );
}

#[cfg(unix)]
#[test]
fn names_that_are_not_utf8() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    let name = std::ffi::OsStr::from_bytes(b"img\xff.png");
    fs::write(folder.path().join(name), b"x").unwrap();
    assert_eq!(read_images(folder.path()).unwrap()[0].path, "img\u{ff}.png");

    let mut zip = zip_of(&[("a/x.png", b"1")]);
    for i in 0..zip.len() - 7 {
        if &zip[i..i + 7] == b"a/x.png" {
            zip[i + 2] = 0xff;
        }
    }
    let (_folder, path) = file("names.zip", &zip);
    assert_eq!(read_images(&path).unwrap()[0].folder(), "a");
}

#[test]
fn images_that_are_too_large_are_to_be_scaled_down() {
    for side in [100_000_u32, 0x7fff_ffff] {
        let mut bmp = b"BM".to_vec();
        let fields = [54, 0, 54, 40, side, side, 1 | 24 << 16, 0, 0, 0, 0, 0, 0];
        bmp.extend(fields.iter().flat_map(|field| field.to_le_bytes()));
        fails_with(decode_grey(Path::new("a.bmp"), &bmp), &["a.bmp", "too large", "scale it down"]);
    }
}

#[test]
fn images_of_every_kind_decode_or_fail_by_name() {
    let path = Path::new("x.png");
    for colour in [
        ExtendedColorType::L8,
        ExtendedColorType::La8,
        ExtendedColorType::Rgba8,
        ExtendedColorType::L16,
        ExtendedColorType::Rgb16,
    ] {
        let grey = decode_grey(path, &png(5, 3, colour)).unwrap();
        assert_eq!((grey.width, grey.height, grey.pixels.len()), (5, 3, 15));
    }
    // Transparent black is white paper.
    let mut bytes = Cursor::new(Vec::new());
    image::codecs::png::PngEncoder::new(&mut bytes)
        .write_image(&[0, 0, 0, 0, 0, 0, 0, 255], 2, 1, ExtendedColorType::Rgba8)
        .unwrap();
    assert_eq!(decode_grey(path, bytes.get_ref()).unwrap().pixels, [255, 0]);

    // Headers that declare more than is decoded.
    let mut huge = png(1, 1, ExtendedColorType::L8);
    huge[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    let mut crc = flate2::Crc::new();
    crc.update(&huge[12..29]);
    huge[29..33].copy_from_slice(&crc.sum().to_be_bytes());
    fails_with(decode_grey(path, &huge), &["x.png", "60000 x 60000", "scale it down"]);
    let path = Path::new("x.jpg");
    fails_with(
        decode_grey(path, &jpeg_of(60_000, 60_000, 0xc0)),
        &["x.jpg", "60000 x 60000", "25.2 million pixels)", "scale it down"],
    );
    // A progressive JPEG takes three times the memory.
    assert!(declared_size(path, &jpeg_of(5000, 4000, 0xc0)).is_ok());
    fails_with(
        declared_size(path, &jpeg_of(5000, 4000, 0xc2)),
        &["x.jpg", "5000 x 4000", "12.6 million pixels, for a progressive JPEG", "scale it down"],
    );
    // Its marker within a comment means nothing.
    let mut commented = jpeg_of(5000, 4000, 0xc0);
    commented.splice(2..2, [0xff, 0xfe, 0, 4, 0xff, 0xc2]);
    assert!(declared_size(path, &commented).is_ok());
    // Half an image before a whole one is cut short; a small one within a comment, and one that
    // comes behind the end, do no harm.
    let pixels: Vec<u8> = (0..64 * 64).map(|i: u32| (i * 7919 % 251) as u8).collect();
    let whole = support::jpeg_of(64, 64, ExtendedColorType::L8, &pixels);
    let half = &whole[..whole.len() * 3 / 4];
    fails_with(decode_grey(path, &[half, &whole].concat()), &["x.jpg", "cut short", "restore"]);
    let mut two = [&whole[..], &whole].concat();
    two.splice(2..2, [0xff, 0xfe, 0, 6, 0xff, 0xd8, 0xff, 0xd9]);
    assert_eq!(decode_grey(path, &two).unwrap(), decode_grey(path, &whole).unwrap());
    let path = Path::new("x.png");
    fails_with(decode_grey(path, b""), &["x.png", "not a PNG"]);
    fails_with(decode_grey(path, b"GIF89a...."), &["x.png", "cannot be decoded"]);
}

/// A JPEG whose header declares another size, and another kind: 0xc0 is baseline, 0xc2
/// is progressive.
fn jpeg_of(width: u16, height: u16, kind: u8) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image::codecs::jpeg::JpegEncoder::new(&mut bytes)
        .write_image(&[90; 64], 8, 8, ExtendedColorType::L8)
        .unwrap();
    let mut bytes = bytes.into_inner();
    let frame = bytes.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
    bytes[frame + 1] = kind;
    bytes[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
    bytes[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
    bytes
}

/// A PNG file of `width` x 1 pixels, by its chunks.
pub fn png_by_hand(width: u8, depth: u8, colour: u8, chunks: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let header = vec![0, 0, 0, width, 0, 0, 0, 1, depth, colour, 0, 0, 0];
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let ends = [(b"IHDR", header), (b"IEND", Vec::new())];
    for (kind, bytes) in ends[..1].iter().chain(chunks).chain(&ends[1..]) {
        let mut crc = flate2::Crc::new();
        crc.update(*kind);
        crc.update(bytes);
        file.extend((bytes.len() as u32).to_be_bytes());
        file.extend(*kind);
        file.extend(bytes);
        file.extend(crc.sum().to_be_bytes());
    }
    file
}

pub fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn images_of_rarer_kinds_keep_their_greys() {
    let grey = |bytes: &[u8]| decode_grey(Path::new("x.png"), bytes).unwrap().pixels;
    // 16 bits, the higher byte first.
    let rows = zlib(&[0, 0xff, 0xff, 0, 0, 0x80, 0]);
    assert_eq!(grey(&png_by_hand(3, 16, 0, &[(b"IDAT", rows)])), [255, 0, 128]);
    // One bit.
    let rows = zlib(&[0, 0b0100_0000]);
    assert_eq!(grey(&png_by_hand(3, 1, 0, &[(b"IDAT", rows)])), [0, 255, 0]);
    // A palette: white, black, and a black that is wholly transparent.
    let palette = vec![255, 255, 255, 0, 0, 0, 0, 0, 0];
    let rows = zlib(&[0, 0, 1, 2]);
    let chunks = [(b"PLTE", palette.clone()), (b"tRNS", vec![255, 255, 0]), (b"IDAT", rows)];
    assert_eq!(grey(&png_by_hand(3, 8, 3, &chunks)), [255, 0, 255]);
    // A palette's number that it does not have.
    let rows = zlib(&[0, 0, 1, 99]);
    let _ = decode_grey(
        Path::new("x.png"),
        &png_by_hand(3, 8, 3, &[(b"PLTE", palette), (b"IDAT", rows)]),
    );
    // Of an animation the first frame.
    let frame = |number: u8| {
        let mut control = vec![0, 0, 0, number, 0, 0, 0, 2, 0, 0, 0, 1];
        control.extend([0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0]);
        control
    };
    let second = [vec![0, 0, 0, 2], zlib(&[0, 200, 200])].concat();
    let chunks = [
        (b"acTL", vec![0, 0, 0, 2, 0, 0, 0, 0]),
        (b"fcTL", frame(0)),
        (b"IDAT", zlib(&[0, 10, 20])),
        (b"fcTL", frame(1)),
        (b"fdAT", second),
    ];
    assert_eq!(grey(&png_by_hand(2, 8, 0, &chunks)), [10, 20]);

    // CMYK as Photoshop writes it, 8 x 8, all black ink. In Python, with Pillow 13.0:
    //   Image.new("CMYK", (8, 8), (0, 0, 0, 255)).save(f, "JPEG", quality=30, optimize=True)
    let cmyk = CMYK
        .as_bytes()
        .chunks(2)
        .map(|hex| u8::from_str_radix(std::str::from_utf8(hex).unwrap(), 16).unwrap())
        .collect::<Vec<u8>>();
    let black = decode_grey(Path::new("x.jpg"), &cmyk).unwrap();
    assert_eq!((black.width, black.height), (8, 8));
    assert!(black.pixels.iter().all(|&value| value < 8), "{black:?}");
}

const CMYK: &str = concat!(
    "ffd8ffee000e41646f626500640000000000ffdb0043001b12141714111b1716171e1c1b2028422b",
    "28252528513a3d3042605565645f555d5b6a7899816a7190735b5d85b586909ea3abadab6780bcc9",
    "baa6c799a8aba4ffc000140800080008044311004d11005911004b1100ffc4001400010000000000",
    "0000000000000000000006ffc40014100100000000000000000000000000000000ffda000e044300",
    "4d0059004b00003f004c4c4c32ffd9",
);

#[test]
fn idx_files_that_are_not_what_they_say() {
    let path = Path::new("train-images");
    let idx = |head: &[u8], values: usize| [head, &vec![0; values]].concat();
    assert_eq!(Idx::parse(path, &idx(&[0, 0, 8, 1, 0, 0, 0, 3], 3)).unwrap().shape, [3]);
    fails_with(Idx::parse(path, b""), &["train-images", "magic", "fetch"]);
    fails_with(Idx::parse(path, &idx(&[0, 0, 0x0d, 1, 0, 0, 0, 3], 3)), &["type 0x0d"]);
    fails_with(Idx::parse(path, &idx(&[1, 0, 8, 1, 0, 0, 0, 3], 3)), &["magic"]);
    fails_with(Idx::parse(path, &idx(&[0, 0, 8, 3, 0, 0, 0, 3], 0)), &["cut short"]);
    fails_with(Idx::parse(path, &idx(&[0, 0, 8, 1, 0, 0, 0, 3], 2)), &["[3]", "2 bytes"]);
    fails_with(Idx::parse(path, &idx(&[0, 0, 8, 1, 0, 0, 0, 3], 4)), &["[3]", "4 bytes"]);
    // Sizes whose product overflows.
    let mut head = vec![0, 0, 8, 3];
    head.extend([0xff; 12]);
    fails_with(Idx::parse(path, &idx(&head, 16)), &["train-images", "16 bytes"]);
}

#[test]
fn mnist_folders_that_are_wrong() {
    let gzip = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let images = |n: u8, side: u8| {
        let head = [0, 0, 8, 3, 0, 0, 0, n, 0, 0, 0, side, 0, 0, 0, side];
        [&head[..], &vec![7; usize::from(n) * usize::from(side) * usize::from(side)]].concat()
    };
    let labels = |values: &[u8]| [&[0, 0, 8, 1, 0, 0, 0, values.len() as u8], values].concat();
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let write = |name: &str, bytes: &[u8]| fs::write(root.join(name), bytes).unwrap();
    fails_with(Mnist::open(root), &["no file train-images", "fetch"]);
    write("train-images-idx3-ubyte.gz", &gzip(&images(3, 28)));
    write("train-labels-idx1-ubyte", &labels(&[1, 2, 9]));
    write("t10k-images-idx3-ubyte", &images(1, 28));
    write("t10k-labels-idx1-ubyte.gz", &gzip(&labels(&[4])));
    let mnist = Mnist::open(root).unwrap();
    assert_eq!((&mnist.train.labels, &mnist.test.labels), (&vec![1, 2, 9], &vec![4]));
    // As some unpackers leave it: each file in a folder of its name, a dot where a dash was.
    let unpacked = tempfile::tempdir().unwrap();
    for (name, bytes) in [
        ("train-images-idx3-ubyte/train-images.idx3-ubyte", images(3, 28)),
        ("train-labels-idx1-ubyte/train-labels-idx1-ubyte", labels(&[1, 2, 9])),
        ("t10k-images.idx3-ubyte/t10k-images-idx3-ubyte", images(1, 28)),
        ("t10k-labels-idx1-ubyte/t10k-labels.idx1-ubyte.gz", gzip(&labels(&[4]))),
    ] {
        support::write(&unpacked.path().join(name), &bytes);
    }
    let found = locate::locate_in(Dataset::Mnist, unpacked.path(), "here").unwrap();
    assert_eq!(Mnist::open(&found.path).unwrap().test.labels, [4]);
    // As torchvision leaves it below a folder of data.
    let deep = tempfile::tempdir().unwrap();
    let raw = deep.path().join("data/MNIST/raw");
    fs::create_dir_all(raw.parent().unwrap()).unwrap();
    fs::rename(unpacked.path(), &raw).unwrap();
    let found = locate::locate_in(Dataset::Mnist, deep.path(), "here").unwrap();
    assert_eq!(Mnist::open(&found.path).unwrap().test.labels, [4]);
    fs::rename(raw, unpacked.path()).unwrap();
    // As Kaggle's archive unpacks, among other sets.
    let outer = tempfile::tempdir().unwrap();
    fs::create_dir(outer.path().join("train")).unwrap();
    for place in ["archive", "mnist/1998"] {
        let place = outer.path().join(place);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::rename(unpacked.path(), &place).unwrap();
        let found = locate::locate_in(Dataset::Mnist, outer.path(), "here").unwrap();
        assert_eq!(Mnist::open(&found.path).unwrap().test.labels, [4]);
        fs::rename(place, unpacked.path()).unwrap();
    }
    // Not unpacked at all.
    let files = [
        ("train-images.idx3-ubyte", images(3, 28)),
        ("train-labels-idx1-ubyte.gz", gzip(&labels(&[1, 2, 9]))),
        ("t10k-images-idx3-ubyte", images(1, 28)),
        ("t10k-labels.idx1-ubyte.gz", gzip(&labels(&[4]))),
    ];
    let below = |folder: &str, count: usize| -> Vec<(String, &[u8])> {
        let files = files[..count].iter();
        let files = files.map(|(name, bytes)| (format!("{folder}{name}"), bytes.as_slice()));
        files.chain([(format!("{folder}notes.txt"), &b"notes"[..])]).collect()
    };
    let leftovers: Vec<_> =
        below("MNIST/raw/", 4).into_iter().chain(below("__MACOSX/", 4)).collect();
    for (name, archive) in [
        ("mnist.zip", zip_of(&below("", 4))),
        ("archive (1).zip", zip_of(&below("a/b/", 4))),
        ("mnist/MNIST.tar.gz", tgz_of(&leftovers)),
        ("Mnist-1998.tgz", tgz_of(&below("", 4))),
    ] {
        let place = tempfile::tempdir().unwrap();
        // Another data set's archive, and one that holds no digits.
        for other in ["mnistTask3.zip", "mnist-photos.zip", "mnist.tar"] {
            support::write(&place.path().join(other), &zip_of(&[("0/1.jpg", "")]));
        }
        support::write(&place.path().join(name), &archive);
        let found = locate::locate_in(Dataset::Mnist, place.path(), "here").unwrap();
        assert_eq!(found.source, format!("here/{name}"));
        let packed = Mnist::open(&found.path).unwrap();
        assert_eq!((packed.train.labels, packed.test.labels), (vec![1, 2, 9], vec![4]));
        assert!(packed.train.images == mnist.train.images);
        // What is unpacked comes first.
        for (name, bytes) in &files {
            support::write(&place.path().join("mnist/raw").join(name), bytes);
        }
        let found = locate::locate_in(Dataset::Mnist, place.path(), "here").unwrap();
        assert_eq!(found.source, "here/mnist");
    }
    for (archive, words) in [
        (zip_of(&below("", 3)), "holds no file t10k-labels"),
        (zip_of(&[("0/1.png", "")]), "holds no file train-images"),
        (zip_of(&below("", 4))[..400].to_vec(), "not a readable zip"),
    ] {
        let place = tempfile::tempdir().unwrap();
        support::write(&place.path().join("mnist.zip"), &archive);
        let found = locate::locate_in(Dataset::Mnist, place.path(), "here").unwrap();
        fails_with(Mnist::open(&found.path), &["mnist.zip", words, "fetch"]);
        fs::rename(place.path().join("mnist.zip"), place.path().join("photos.zip")).unwrap();
        assert_eq!(locate::locate_in(Dataset::Mnist, place.path(), "here"), None);
    }

    write("train-labels-idx1-ubyte", &labels(&[1, 2, 10]));
    fails_with(Mnist::open(root), &["train-labels", "label 10"]);
    write("train-labels-idx1-ubyte", &labels(&[1, 2]));
    fails_with(Mnist::open(root), &["train-labels", "[2] for 3 images"]);
    write("train-labels-idx1-ubyte", &labels(&[1, 2, 3]));
    // The format knows no size.
    write("t10k-images-idx3-ubyte", &images(1, 32));
    assert_eq!(Mnist::open(root).unwrap().test.image_shape(), [1, 32, 32]);
    let flat = [&[0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 9], &[7; 9][..]].concat();
    write("t10k-images-idx3-ubyte", &flat);
    fails_with(Mnist::open(root), &["t10k-images", "(n, height, width)"]);
    let packed = gzip(&images(3, 28));
    write("train-images-idx3-ubyte.gz", &packed[..packed.len() / 2]);
    fails_with(Mnist::open(root), &["train-images-idx3-ubyte.gz", "fetch"]);
    // 300 MB of zeros in 300 kB, behind a header of three images.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&images(3, 28)).unwrap();
    for _ in 0..300 {
        encoder.write_all(&vec![0; 1 << 20]).unwrap();
    }
    write("train-images-idx3-ubyte.gz", &encoder.finish().unwrap());
    fails_with(Mnist::open(root), &["train-images-idx3-ubyte.gz", "more than"]);
}

#[test]
fn mislabelled_folders_that_are_wrong() {
    let jpeg = |side: u32| {
        let pixels = vec![90; (side * side) as usize];
        support::jpeg_of(side, side, ExtendedColorType::L8, &pixels)
    };
    let good = jpeg(28);
    let mut entries: Vec<(String, Vec<u8>)> =
        (0..10).map(|d| (format!("mnistTask/{d}/image_00000{d}.jpg"), good.clone())).collect();
    let open = |entries: &[(String, Vec<u8>)]| {
        let (_folder, path) = file("three.zip", &zip_of(entries));
        Mislabelled::open(&path)
    };
    let samples = open(&entries).unwrap();
    assert_eq!(samples.labels, (0..10).collect::<Vec<_>>());
    assert_eq!(samples.names[3], "image_000003.jpg");
    assert!(samples.images.iter().all(|&v| v.abs_diff(90) < 3));

    let removed = entries.remove(4);
    fails_with(open(&entries), &["three.zip", "no image is labelled 4"]);
    entries.push((removed.0.clone(), jpeg(27)));
    fails_with(open(&entries), &["image_000004.jpg", "27 x 27 pixels instead of 28 x 28"]);
    entries.pop();
    entries.push((removed.0, good[..good.len() / 2].to_vec()));
    fails_with(open(&entries), &["image_000004.jpg"]);
    entries.push(("mnistTask/ten/image_000011.jpg".into(), good));
    fails_with(open(&entries), &["image_000011.jpg", "named after a digit"]);
}

/// Only root may mount; a machine of CI has sudo.
#[cfg(target_os = "linux")]
pub fn as_root(command: &[&str], path: &Path) -> bool {
    [&[][..], &["sudo", "-n"]].into_iter().any(|before| {
        let words = [before, command].concat();
        let output = Command::new(words[0]).args(&words[1..]).arg(path).output();
        output.is_ok_and(|output| output.status.success())
    })
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path();
    if !as_root(&["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs"], disk) {
        assert!(std::env::var_os("CI").is_none(), "a small tmpfs cannot be mounted");
        eprintln!("skipped: a small tmpfs cannot be mounted here");
        return;
    }
    let table = disk.join("table.csv");
    let samples = |n: usize| crate::support::samples(n, 1, 1);
    samples(2).write_csv(&table).unwrap();
    let before = fs::read(&table).unwrap();
    let result = samples(500).write_csv(&table);
    let (after, files) = (fs::read(&table).unwrap(), fs::read_dir(disk).unwrap().count());
    let unmounted = as_root(&["umount"], disk);
    fails_with(result, &["table.csv", "make room on the disk"]);
    assert_eq!(before, after);
    assert_eq!(files, 1, "no half-written file is left");
    assert!(unmounted);
}

#[test]
fn tar_archives_are_read_with_the_same_care() {
    let tar = |entries: &[(&str, &[u8], tar::EntryType)]| {
        let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (name, bytes, kind) in entries {
            let mut header = tar::Header::new_gnu();
            // Written by hand, since the crate refuses names that lead outside.
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_size(bytes.len() as u64);
            header.set_entry_type(*kind);
            header.set_cksum();
            tar.append(&header, *bytes).unwrap();
        }
        tar.into_inner().unwrap().finish().unwrap()
    };
    let regular = tar::EntryType::Regular;
    let image = drawing();
    let (_folder, path) = file(
        "EnglishHnd.tgz",
        &tar(&[("English/Hnd/Img/Sample001/img001-001.png", &image, regular)]),
    );
    assert_eq!(read_images(&path).unwrap()[0].bytes, image);
    fails_with(Handwritten::open(&path), &["Sample001", "1 of 40"]);
    for (name, kind, part) in [
        ("../img001-001.png", regular, "outside"),
        ("/img001-001.png", regular, "outside"),
        ("img001-001.png", tar::EntryType::Symlink, "is a link"),
    ] {
        let (_folder, path) = file("bad.tgz", &tar(&[(name, b"", kind)]));
        fails_with(read_images(&path), &["bad.tgz", part]);
    }
    for (kind, part) in [
        (tar::EntryType::Symlink, "is a link; pack it again with `tar -h"),
        (tar::EntryType::Link, "is a hard link; pack it again with `tar -h --hard-dereference`"),
        (tar::EntryType::Fifo, "is neither a file nor a folder"),
        (tar::EntryType::GNUSparse, "is stored in pieces"),
    ] {
        let (_folder, path) = file("kinds.tgz", &tar(&[("a.png", b"", kind)]));
        let found = read_contents(&path).unwrap();
        assert_eq!((found.images.len(), found.damaged.len()), (0, 1));
        contains(&found.damaged[0].to_string(), &["a.png", part]);
    }
    // Without the mark of later ones (`tar --format=v7`), and of nothing (`tar cf x.tar -T /dev/null`).
    let mut header = tar::Header::new_old();
    header.set_path("A/x.png").unwrap();
    header.set_size(image.len() as u64);
    header.set_cksum();
    let padding = vec![0; image.len().next_multiple_of(512) - image.len() + 1024];
    let old = [&header.as_bytes()[..], &image, &padding].concat();
    let (_folder, path) = file("old.TAR", &old);
    assert_eq!(read_images(&path).unwrap()[0].bytes, image);
    let (_folder, path) = file("empty.tar", &[0; 10240]);
    assert!(read_images(&path).unwrap().is_empty());
    // One file packed by itself.
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&image).unwrap();
    let (_folder, path) = file("x.png.GZ", &gzip.finish().unwrap());
    let one = read_images(&path).unwrap();
    assert_eq!((one.len(), &*one[0].path, &one[0].bytes), (1, "x.png", &image));
    // As `tar czf x.tgz -C photos .` names them.
    let (_folder, path) = file("dot.tgz", &tar(&[("./A//./x.png", b"x", regular)]));
    assert_eq!(read_images(&path).unwrap()[0].path, "A/x.png");
    // 300 MB of something else before the image, in 300 kB.
    let zeros = vec![0; 300 << 20];
    let (_folder, path) =
        file("bomb.tgz", &tar(&[("notes.txt", &zeros, regular), ("a.png", b"x", regular)]));
    fails_with(read_images(&path), &["bomb.tgz"]);
}

/// Neither its name nor what another crate quotes of it.
#[test]
fn no_bytes_of_a_file_steer_the_terminal() {
    assert_eq!(printable("a\u{202e}b\u{2066}c\u{200f}\t\u{e9}"), r"a\u{202e}b\u{2066}c\u{200f}\té");
    let error = Error::content("a\u{202e}\n", "first\x1b[2J\nsecond", "again\r");
    let words = "a\\u{202e}\\n: first\\u{1b}[2J\nsecond; again\\r";
    assert_eq!(error.to_string(), words);
    let mut header = tar::Header::new_ustar();
    header.as_old_mut().name[..5].copy_from_slice(b"\x1b[2J/");
    header.as_old_mut().cksum = *b"\x1b[2J\x1b[3J";
    let (_folder, path) = file("bad.tar", &[&header.as_bytes()[..], &[0; 1024]].concat());
    let words = read_contents(&path).unwrap_err().to_string();
    contains(&words, &["bad.tar", "not a readable tar archive", r"\u{1b}[2J"]);
    assert!(!words.contains(char::is_control), "{words:?}");
}

/// Of class `0` the task's archive has writer 1 and not writer 5.
#[test]
fn a_test_set_has_none_of_the_drawings_that_train() {
    let folder = tempfile::tempdir().unwrap();
    let class = folder.path().join("Sample001");
    fs::create_dir(&class).unwrap();
    fs::write(class.join("img001-001.png"), drawing()).unwrap();
    let words = Handwritten::open_test(folder.path()).unwrap_err().to_string();
    assert!(words.contains("training set"), "{words}");
    fs::write(class.join("img001-005.png"), drawing()).unwrap();
    let test = Handwritten::open_test(folder.path()).unwrap();
    assert_eq!((test.len(), test.drawings[0].writer), (1, 5));
    assert_eq!(test.provenance.count, 1);
}
