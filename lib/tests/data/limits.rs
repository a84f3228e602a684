//! Files that claim or hold far more than they should: each is read in a process of its
//! own, whose peak of memory stays within 128 MB above the data.

use std::fs::{self, File};
use std::io::{Cursor, Write};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use flate2::write::{GzEncoder, ZlibEncoder};
use flate2::{Compress, Compression, Crc, FlushCompress};
use glyphs::Result;
use glyphs::data::archive::read_images;
use glyphs::data::decode::decode_grey;
use glyphs::data::{Mislabelled, Mnist};
use glyphs::train::Checkpoint;

const MB: u64 = 1 << 20;
const GB: u64 = 1 << 30;

/// A hostile file, how it is read, and what the error says.
struct Case {
    name: &'static str,
    /// Writes `name` below a folder.
    write: fn(&Path),
    read: fn(&Path) -> Result<()>,
    /// Bytes of what is rightly held: the pixels of an image that is not refused.
    data: u64,
    /// In the error; where there is none, the file is read.
    words: &'static [&'static str],
}

const CASES: &[Case] = &[
    Case {
        name: "inflates.zip",
        write: |path| fs::write(path, zip_entry(1000, &ten_gigabytes_deflated())).unwrap(),
        read: |path| read_images(path).map(drop),
        data: 0,
        words: &["inflates.zip", "img001-001.png", "larger than", "fetch"],
    },
    Case {
        name: "declares.zip",
        write: |path| fs::write(path, zip_entry(10 * GB, &ten_gigabytes_deflated())).unwrap(),
        read: |path| read_images(path).map(drop),
        data: 0,
        words: &["declares.zip", "img001-001.png", "larger than 16777216 bytes", "scale it down"],
    },
    Case {
        name: "listed.zip",
        write: |path| fs::write(path, zip_directory(200_000)).unwrap(),
        read: |path| read_images(path).map(drop),
        data: 0,
        words: &["listed.zip", "8 MB", "fetch"],
    },
    Case {
        name: "sparse.zip",
        write: sparse,
        read: |path| read_images(path).map(drop),
        data: 0,
        words: &["sparse.zip", "not a readable zip", "fetch"],
    },
    Case {
        name: "inflates.tgz",
        write: |path| fs::write(path, tgz(b'0', "img001-001.png")).unwrap(),
        read: |path| read_images(path).map(drop),
        data: 0,
        words: &["inflates.tgz", "more than its own size and 96 MB", "unpack it"],
    },
    Case {
        name: "name.tgz",
        write: |path| fs::write(path, tgz(b'L', "././@LongLink")).unwrap(),
        read: |path| read_images(path).map(drop),
        data: 0,
        words: &["name.tgz", "a name of more than 64 kB", "fetch"],
    },
    Case {
        name: "folder/huge.png",
        write: sparse,
        read: |path| read_images(path.parent().unwrap()).map(drop),
        data: 0,
        words: &["huge.png", "larger than 16777216 bytes", "leave only"],
    },
    Case {
        name: "mnist/train-images-idx3-ubyte.gz",
        write: |path| {
            let head = [0, 0, 8, 3, 0, 0, 0xea, 0x60, 0, 0, 0, 28, 0, 0, 0, 28];
            fs::write(path, [gzip(&head), ten_gigabytes_gzipped()].concat()).unwrap();
            let labels = path.with_file_name("train-labels-idx1-ubyte");
            fs::write(labels, [0, 0, 8, 1, 0, 0, 0, 1, 7]).unwrap();
        },
        read: |path| Mnist::open(path.parent().unwrap()).map(drop),
        data: 0,
        words: &["train-images-idx3-ubyte.gz", "more than", "fetch"],
    },
    Case {
        name: "sixty-thousand.png",
        write: |path| fs::write(path, png(60_000, 60_000, 6, &[0; 9])).unwrap(),
        read: decode,
        data: 0,
        words: &["sixty-thousand.png", "60000 x 60000", "scale it down"],
    },
    Case {
        name: "line.png",
        write: |path| fs::write(path, png(0x7fff_ffff, 1, 6, &[0; 9])).unwrap(),
        read: decode,
        data: 0,
        words: &["line.png"],
    },
    Case {
        name: "largest.png",
        write: |path| fs::write(path, png(6144, 4096, 6, &vec![0; 4096 * (6144 * 4 + 1)])).unwrap(),
        read: decode,
        data: 6144 * 4096 * 4,
        words: &[],
    },
    Case {
        name: "profile.png",
        write: |path| {
            let profile = [b"x\0\0".to_vec(), zlib(&vec![0; 300 << 20])].concat();
            let image = zlib(&[0, 7]);
            let chunks = [(b"IHDR", header(1, 1, 0)), (b"iCCP", profile), (b"IDAT", image)];
            fs::write(path, png_of(&chunks)).unwrap();
        },
        read: |path| {
            // Whether such a profile is skipped or refused is the decoder's matter.
            let _ = decode(path);
            Ok(())
        },
        data: 0,
        words: &[],
    },
    Case {
        name: "three/0/image_000001.png",
        write: |path| fs::write(path, png(6000, 4000, 0, &[])).unwrap(),
        read: |path| Mislabelled::open(path.parent().unwrap().parent().unwrap()).map(drop),
        data: 0,
        words: &["image_000001.png", "6000 x 4000 pixels instead of 28 x 28"],
    },
    Case {
        name: "huge.safetensors",
        write: sparse,
        read: |path| Checkpoint::load(path).map(drop),
        data: 0,
        words: &["huge.safetensors", "more than 100663296 bytes", "train it again"],
    },
    Case {
        name: "header.safetensors",
        write: |path| fs::write(path, [(1u64 << 60).to_le_bytes(), [b' '; 8]].concat()).unwrap(),
        read: |path| Checkpoint::load(path).map(drop),
        data: 0,
        words: &["header.safetensors", "header is too long", "train it again"],
    },
    Case {
        name: "shape.safetensors",
        write: |path| {
            let shape = vec!["0"; 2_000_000].join(",");
            let header =
                format!(r#"{{"a":{{"dtype":"F32","shape":[{shape}],"data_offsets":[0,0]}}}}"#);
            let size = (header.len() as u64).to_le_bytes();
            fs::write(path, [&size[..], header.as_bytes()].concat()).unwrap();
        },
        read: |path| Checkpoint::load(path).map(drop),
        data: 0,
        words: &["shape.safetensors", "train it again"],
    },
];

#[test]
fn memory_stays_bounded() {
    if let (Ok(name), Ok(path)) =
        (std::env::var("GLYPHS_TEST_CASE"), std::env::var("GLYPHS_TEST_FILE"))
    {
        let case = CASES.iter().find(|case| case.name == name).unwrap();
        return read_here(case, Path::new(&path));
    }
    let folder = tempfile::tempdir().unwrap();
    for case in CASES {
        let path = folder.path().join(case.name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        (case.write)(&path);
        let start = Instant::now();
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "limits::memory_stays_bounded", "--nocapture"])
            .env("GLYPHS_TEST_CASE", case.name)
            .env("GLYPHS_TEST_FILE", &path)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{}: {text}{output:?}", case.name);
        let line = |label: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(label));
            line.unwrap_or_else(|| panic!("{}: {text}", case.name))
        };
        let (grown, error) = (line("grown by ").parse::<u64>().unwrap(), line("said: "));
        println!("{}: {} MB, {:.2?}: {error}", case.name, grown / MB, start.elapsed());
        assert!(grown <= case.data + 128 * MB, "{}: {grown} bytes", case.name);
        for words in case.words {
            assert!(error.contains(words), "{words:?} is not in: {error}");
        }
        assert_eq!(case.words.is_empty(), error == "nothing", "{}", case.name);
    }
}

/// In a process of its own.
fn read_here(case: &Case, path: &Path) {
    let before = memory("VmRSS:");
    let said = match (case.read)(path) {
        Ok(()) => "nothing".into(),
        Err(error) => error.to_string(),
    };
    println!("\ngrown by {}", memory("VmHWM:") - before);
    println!("said: {said}");
}

/// A line of /proc/self/status, in bytes.
fn memory(field: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kilobytes = line.unwrap().trim().strip_suffix(" kB").unwrap();
    kilobytes.parse::<u64>().unwrap() << 10
}

fn decode(path: &Path) -> Result<()> {
    decode_grey(path, &fs::read(path).unwrap()).map(drop)
}

/// Ten gigabytes of nothing, which take no room on the disk.
fn sparse(path: &Path) {
    File::create(path).unwrap().set_len(10 * GB).unwrap();
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// One member for each megabyte.
fn ten_gigabytes_gzipped() -> Vec<u8> {
    gzip(&vec![0; MB as usize]).repeat(10 * 1024)
}

/// A block that ends on a whole byte may be repeated; then comes the mark of the end.
fn ten_gigabytes_deflated() -> Vec<u8> {
    let mut block = Vec::with_capacity(1 << 16);
    Compress::new(Compression::fast(), false)
        .compress_vec(&vec![0; MB as usize], &mut block, FlushCompress::Full)
        .unwrap();
    [block.repeat(10 * 1024), vec![3, 0]].concat()
}

/// A zip archive of one deflated drawing that declares a size. All sizes stand in
/// ZIP64 fields.
fn zip_entry(declared: u64, deflated: &[u8]) -> Vec<u8> {
    let name = b"Sample001/img001-001.png";
    let common = |zip: &mut Vec<u8>| {
        // Version 4.5, no flags, deflated, no time, no checksum, sizes elsewhere.
        zip.extend([45, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        zip.extend([0xff; 8]);
        zip.extend((name.len() as u16).to_le_bytes());
        zip.extend(20u16.to_le_bytes());
    };
    let sizes = |zip: &mut Vec<u8>| {
        zip.extend([1, 0, 16, 0]);
        zip.extend(declared.to_le_bytes());
        zip.extend((deflated.len() as u64).to_le_bytes());
    };
    let mut zip = b"PK\x03\x04".to_vec();
    common(&mut zip);
    zip.extend(name);
    sizes(&mut zip);
    zip.extend(deflated);
    let start = zip.len();
    zip.extend(b"PK\x01\x02\x2d\0");
    common(&mut zip);
    // No comment, first disk, no attributes, the entry at the file's start.
    zip.extend([0; 14]);
    zip.extend(name);
    sizes(&mut zip);
    let length = zip.len() - start;
    zip.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    zip.extend((length as u32).to_le_bytes());
    zip.extend((start as u32).to_le_bytes());
    zip.extend([0; 2]);
    zip
}

/// A zip archive that lists many entries, all of them the same few bytes.
fn zip_directory(entries: u32) -> Vec<u8> {
    let mut zip = b"PK\x03\x04".to_vec();
    zip.extend([0; 26]);
    let start = zip.len();
    for entry in 0..entries {
        zip.extend(b"PK\x01\x02");
        zip.extend([0; 24]);
        zip.extend([8, 0]);
        zip.extend([0; 16]);
        zip.extend(format!("{entry:08}").bytes());
    }
    let length = (zip.len() - start) as u64;
    let at = zip.len() as u64;
    zip.extend(b"PK\x06\x06");
    zip.extend(44u64.to_le_bytes());
    zip.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    for number in [u64::from(entries), u64::from(entries), length, start as u64] {
        zip.extend(number.to_le_bytes());
    }
    zip.extend(b"PK\x06\x07\0\0\0\0");
    zip.extend(at.to_le_bytes());
    zip.extend([1, 0, 0, 0]);
    zip.extend(b"PK\x05\x06\0\0\0\0");
    zip.extend([0xff; 12]);
    zip.extend([0; 2]);
    zip
}

/// A tar archive whose first entry declares 8 GB, and has them.
fn tgz(kind: u8, name: &str) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(tar::EntryType::new(kind));
    header.set_size(8 * GB - 1);
    header.set_cksum();
    [gzip(header.as_bytes()), ten_gigabytes_gzipped()].concat()
}

fn header(width: u32, height: u32, colour: u8) -> Vec<u8> {
    let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
    header.extend([8, colour, 0, 0, 0]);
    header
}

fn png(width: u32, height: u32, colour: u8, rows: &[u8]) -> Vec<u8> {
    png_of(&[(b"IHDR", header(width, height, colour)), (b"IDAT", zlib(rows))])
}

fn png_of(chunks: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    file.write_all(b"\x89PNG\r\n\x1a\n").unwrap();
    for (kind, bytes) in chunks.iter().chain(&[(b"IEND", Vec::new())]) {
        let mut crc = Crc::new();
        crc.update(*kind);
        crc.update(bytes);
        file.write_all(&(bytes.len() as u32).to_be_bytes()).unwrap();
        file.write_all(*kind).unwrap();
        file.write_all(bytes).unwrap();
        file.write_all(&crc.sum().to_be_bytes()).unwrap();
    }
    file.into_inner()
}
