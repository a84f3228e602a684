//! Image files, archives and IDX files as other programs leave them: read, or named with what helps.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use glyphs::data::archive::{is_image_or_archive, read_contents, read_images};
use glyphs::data::decode::{declared_size, decode_grey, frames};
use glyphs::data::locate::locate_in;
use glyphs::data::{Dataset, Mnist};
use image::codecs::gif::GifEncoder;
use image::{ExtendedColorType, Frame, RgbaImage};

use crate::bad_input::{png_by_hand, zlib};
use crate::support::{contains, fails_with, file, jpeg_of, png, tgz_of, write, zip_of};

/// A TIFF file of `data` from byte 8 on and, for each page, tags with numbers of 16 bits.
fn tiff_by_hand(data: &[u8], pages: &[&[(u16, u16)]]) -> Vec<u8> {
    let mut file = [&b"II*\0"[..], &(8 + data.len() as u32).to_le_bytes()[..], data].concat();
    for (number, tags) in pages.iter().enumerate() {
        file.extend((tags.len() as u16).to_le_bytes());
        for (tag, value) in *tags {
            file.extend([*tag, 3, 1, 0, *value, 0].iter().flat_map(|short| short.to_le_bytes()));
        }
        let next = if number + 1 == pages.len() { 0 } else { file.len() + 4 };
        file.extend((next as u32).to_le_bytes());
    }
    file
}

/// The tags of a page of `width` x 1 pixels.
fn page(width: u16, bits: u16, photometric: u16, samples: u16) -> Vec<(u16, u16)> {
    let bytes = (width * bits * samples).div_ceil(8);
    vec![
        (256, width),
        (257, 1),
        (258, bits),
        (259, 1),
        (262, photometric),
        (273, 8),
        (277, samples),
        (278, 1),
        (279, bytes),
    ]
}

#[test]
fn palettes_of_tiff_files_are_read_and_other_colours_named() {
    let path = Path::new("x.tif");
    // White, black, red and grey; in 16 bits, or in the lower 8.
    let colours = [(0, [255, 255, 255]), (1, [0, 0, 0]), (2, [255, 0, 0]), (255, [128, 128, 128])];
    for scale in [257, 1] {
        let mut map = vec![0_u16; 3 * 256];
        for (number, colour) in colours {
            (0..3).for_each(|c| map[256 * c + number] = colour[c] * scale);
        }
        let map = map.iter().flat_map(|value| value.to_le_bytes());
        let data: Vec<u8> = [0, 1, 2, 255].into_iter().chain(map).collect();
        let tags = [page(4, 8, 3, 1), vec![(320, 12)]].concat();
        let tiff = tiff_by_hand(&data, &[&tags]);
        assert_eq!(declared_size(path, &tiff).unwrap(), (4, 1));
        assert_eq!(decode_grey(path, &tiff).unwrap().pixels, [255, 0, 54, 128]);
    }
    // Two colours: 0 is black and 1 white, or the other way round.
    for (map, pixels) in
        [([0, 255, 0, 255, 0, 255], [0, 255, 0]), ([255, 0, 255, 0, 255, 0], [255, 0, 255])]
    {
        let map = map.iter().flat_map(|value: &u16| (257 * value).to_le_bytes());
        let data: Vec<u8> = [0b0100_0000, 0].into_iter().chain(map).collect();
        let tags = [page(3, 1, 3, 1), vec![(320, 10)]].concat();
        assert_eq!(decode_grey(path, &tiff_by_hand(&data, &[&tags])).unwrap().pixels, pixels);
    }
    let preview = [page(4, 8, 1, 1), vec![(254, 1), (330, 8)]].concat();
    for (tags, kind) in [
        (page(4, 4, 3, 1), "a palette"),
        (page(4, 8, 6, 3), "YCbCr"),
        (page(4, 8, 8, 3), "Lab"),
        (preview, "a camera's raw file"),
    ] {
        let words = decode_grey(path, &tiff_by_hand(&[0; 12], &[&tags])).unwrap_err().to_string();
        contains(&words, &["x.tif", kind, "save it as PNG or JPEG"]);
    }
}

#[test]
fn frames_and_pages_are_counted() {
    let one = page(4, 8, 1, 1);
    let preview = [page(4, 8, 1, 1), vec![(254, 1)]].concat();
    let tiff = tiff_by_hand(&[9; 4], &[&one, &preview, &one]);
    assert_eq!(
        (frames(&tiff), decode_grey(Path::new("x"), &tiff).unwrap().pixels),
        (2, vec![9; 4])
    );
    let mut gif = Vec::new();
    let frame = || Frame::new(RgbaImage::new(9, 7));
    GifEncoder::new(&mut gif).encode_frames([frame(), frame(), frame()]).unwrap();
    assert_eq!(frames(&gif), 3);
    let chunk = |kind: &'static [u8; 4]| (kind, vec![0; 26]);
    let (control, pixels) = (chunk(b"fcTL"), chunk(b"IDAT"));
    for (chunks, count) in [
        (vec![pixels.clone(), pixels.clone()], 1),
        (vec![control.clone(), pixels.clone(), control.clone()], 2),
        // The image is none of the animation.
        (vec![pixels, control.clone(), control], 3),
    ] {
        assert_eq!(frames(&png_by_hand(2, 8, 0, &chunks)), count);
    }
    let webp =
        [&b"RIFF\0\0\0\0WEBP"[..], b"ANIM\x06\0\0\0......", &b"ANMF\x03\0\0\0....".repeat(2)];
    assert_eq!(frames(&webp.concat()), 2);
    for still in [jpeg_of(8, 8, ExtendedColorType::L8, &[90; 64]), b"GIF89a".to_vec(), Vec::new()] {
        assert_eq!(frames(&still), 1);
    }
}

/// The chunk may stand anywhere.
#[test]
fn an_orientation_behind_the_pixels_of_a_png_file_counts() {
    let mut exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    exif.extend([3, 0, 0, 0, 0, 0, 0, 0]);
    let chunks = [(b"IDAT", zlib(&[0, 10, 20, 30])), (b"eXIf", exif)];
    for chunks in [chunks.to_vec(), chunks.into_iter().rev().collect()] {
        let png = png_by_hand(3, 8, 0, &chunks);
        assert_eq!(decode_grey(Path::new("x"), &png).unwrap().pixels, [30, 20, 10]);
    }
}

#[test]
fn whole_files_of_other_formats_are_to_be_converted() {
    for (begin, kind) in [
        (&b"\0\0\0\x18ftypheic"[..], "HEIC"),
        (b"\0\0\0\x1cftypavif", "AVIF"),
        (b"\xff\x0a......", "JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"8BPS\0\x01", "Photoshop"),
        (b"%PDF-1.7", "PDF"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "PostScript"),
        (b"\xef\xbb\xbf\n<?xml version='1.0'?>\n<!-- drawn -->\n<svg>", "SVG"),
        (b"II*\0\x10\0\0\0CR\x02\0", "raw"),
        (b"\0\0\0\x18ftypcrx ", "raw"),
        (b"FUJIFILMCCD-RAW 0201", "raw"),
        (b"MM\0+\0\x08\0\0", "BigTIFF"),
        (b"P6 1 1 255 ...", "not a PNG"),
    ] {
        let bytes = [begin, &[b'.'; 300]].concat();
        let words = decode_grey(Path::new("x.png"), &bytes).unwrap_err().to_string();
        contains(&words, &["x.png", kind, "save it as PNG or JPEG"]);
        assert!(!words.contains("restore"), "{words}");
        // By itself, under a name that says nothing, it can be skipped as well.
        let (_folder, path) = file("photograph", &bytes);
        assert_eq!(read_contents(&path).unwrap().images.len(), 1);
        assert!(is_image_or_archive(&path));
    }
    for (bytes, is_it) in [
        (&b"7z\xbc\xaf\x27\x1c.."[..], true),
        (b"PK\x03\x04..", true),
        (b"file,predicted,confidence\n", false),
        (b"<!doctype html>\n<html lang=\"en\"><svg>", false),
        (b"", false),
    ] {
        let (_folder, path) = file("out", bytes);
        assert_eq!(is_image_or_archive(&path), is_it, "{bytes:?}");
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// As a tape's last block is, and as gzip itself reads it.
#[test]
fn gzip_files_may_end_in_zeros() {
    let image = png(30, 20, ExtendedColorType::L8);
    let (first, second) = image.split_at(40);
    let members = [gzip(first), gzip(second)].concat();
    for zeros in [0, 1, 100_000] {
        let (_folder, path) = file("x.png.gz", &[&members[..], &vec![0; zeros]].concat());
        assert_eq!(read_images(&path).unwrap()[0].bytes, image);
    }
    let (_folder, path) = file("x.png.gz", &[&members[..], &[0, 0], b"more"].concat());
    fails_with(read_images(&path), &["x.png.gz", "cannot be read"]);
}

#[test]
fn tar_archives_that_end_too_soon() {
    let image = png(300, 200, ExtendedColorType::Rgb8);
    let mut tar = tar::Builder::new(Vec::new());
    for name in ["A/1.png", "notes.txt", "A/2.png"] {
        let mut header = tar::Header::new_ustar();
        header.set_size(image.len() as u64);
        tar.append_data(&mut header, name, &image[..]).unwrap();
    }
    let whole = tar.into_inner().unwrap();
    // The two blocks of zeros that mark the end.
    let entries = &whole[..whole.len() - 1024];
    let (_folder, path) = file("a.tar", entries);
    assert_eq!(read_images(&path).unwrap().len(), 2);
    // Within the last image, its header and that of the text.
    let last = entries.len() - image.len().next_multiple_of(512);
    for length in [last + 9, last - 9, last / 2] {
        for (name, bytes) in
            [("a.tar", entries[..length].to_vec()), ("a.tgz", gzip(&entries[..length]))]
        {
            let (_folder, path) = file(name, &bytes);
            fails_with(read_contents(&path), &[name, "the archive is cut short", "restore it"]);
        }
    }
    let packed = tgz_of(&[("A/1.png", &image), ("A/2.png", &image)]);
    let (_folder, path) = file("a.tgz", &packed[..packed.len() / 2]);
    fails_with(read_contents(&path), &["a.tgz", "the archive is cut short", "restore it"]);
}

/// An IDX file: `sizes` has how many there are, and height and width of images.
fn idx(sizes: &[u32], values: &[u8]) -> Vec<u8> {
    let sizes = sizes.iter().flat_map(|size| size.to_be_bytes());
    let rank = sizes.clone().count() as u8 / 4;
    [0, 0, 8, rank].into_iter().chain(sizes).chain(values.iter().copied()).collect()
}

#[test]
fn mnist_under_the_names_of_unpackers_browsers_and_mirrors() {
    let small = [
        idx(&[3, 2, 2], &[7; 12]),
        idx(&[3], &[1, 2, 9]),
        idx(&[1, 2, 2], &[7; 4]),
        idx(&[1], &[4]),
    ];
    // As many as are published: these need no name of their part.
    let full = [
        idx(&[60_000, 1, 1], &[7; 60_000]),
        idx(&[60_000], &[3; 60_000]),
        idx(&[10_000, 1, 1], &[7; 10_000]),
        idx(&[10_000], &[5; 10_000]),
    ];
    let first = |files: &[Vec<u8>; 4]| [files[1][8], files[3][8]].map(usize::from);
    for (names, files) in [
        (
            [
                "train-images-idx3-ubyte (1).gz",
                "train-labels-idx1-ubyte(1)",
                "T10K-IMAGES.IDX3-UBYTE",
                "t10k-labels.idx1",
            ],
            &small,
        ),
        (["train/images", "train/labels.gz", "test/images.gz", "test/labels"], &small),
        (
            [
                "Train-Images.IDX3-UBYTE.GZ",
                "train_labels.idx",
                "mnist-test-images.idx",
                "t10k-labels-idx1-ubyte - Copy",
            ],
            &small,
        ),
        // What a file holds is known better by its header than by its name.
        (
            [
                "train-labels-idx1-ubyte",
                "train-images-idx3-ubyte",
                "t10k-idx3-ubyte",
                "t10k-idx1-ubyte",
            ],
            &small,
        ),
        (["images (1)", "labels", "images", "labels (1)"], &full),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let is_packed = |name: &str| name.to_ascii_lowercase().ends_with("gz");
        let packed: Vec<(&str, Vec<u8>)> = (names.into_iter().zip(files))
            .map(|(name, bytes)| match is_packed(name) {
                // Filled up with zeros.
                true => (name, [gzip(bytes), vec![0; 100]].concat()),
                false => (name, bytes.clone()),
            })
            .collect();
        for (name, bytes) in &packed {
            write(&folder.path().join("mnist").join(name), bytes);
        }
        write(&folder.path().join("mnist/labels.csv"), b"1,2,9");
        let found = locate_in(Dataset::Mnist, folder.path(), "here").expect(names[0]);
        assert_eq!(found.source, "here/mnist");
        let zip = folder.path().join("any.zip");
        fs::write(&zip, zip_of(&packed)).unwrap();
        for path in [&found.path, &zip] {
            let mnist = Mnist::open(path).unwrap();
            assert_eq!([mnist.train.labels[0], mnist.test.labels[0]], first(files), "{names:?}");
            let counts = [mnist.train.labels.len(), mnist.test.labels.len()];
            assert_eq!(counts, if files == &full { [60_000, 10_000] } else { [3, 1] });
        }
    }
    // Of several, the one that is no copy.
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in [
        ("train-images-idx3-ubyte", &small[0]),
        ("train-labels-idx1-ubyte (1)", &idx(&[3], &[0; 3])),
        ("train-labels-idx1-ubyte", &small[1]),
        ("test/images", &small[2]),
        ("test/labels", &small[3]),
    ] {
        write(&folder.path().join(name), bytes);
    }
    assert_eq!(Mnist::open(folder.path()).unwrap().train.labels, [1, 2, 9]);
}
