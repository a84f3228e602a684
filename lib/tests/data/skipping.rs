//! Damaged images among good ones: the first stops the load, unless the caller asks to
//! skip them; then each is an error beside the data, and the data say how many.

use std::fs;
use std::path::Path;

use glyphs::data::Samples;
use glyphs::data::archive::{read_contents, read_images};
use glyphs::display::Show;
use glyphs::image::{ImageFolder, Preprocess};
use image::ExtendedColorType::L8;
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

use crate::support::{contains, fails_with, packed, skipping, tgz_of};

fn png(width: u32, height: u32) -> Vec<u8> {
    crate::support::png(width, height, L8)
}

fn zip_of(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    packed(entries, stored)
}

/// As it comes out of a failing disk: whole at both ends.
fn damaged(mut bytes: Vec<u8>) -> Vec<u8> {
    let middle = bytes.len() / 2;
    bytes[middle - 4..middle + 4].fill(0x5a);
    bytes
}

#[test]
fn damaged_images_of_a_folder_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("three.zip");
    let way = Preprocess::squeeze();
    let mut entries: Vec<(String, Vec<u8>)> =
        (0..30).map(|i| (format!("{}/image_{i:06}.png", i % 10), png(28, 28))).collect();
    fs::write(&path, zip_of(&entries)).unwrap();
    let (samples, skipped) = skipping(&path, &way).unwrap();
    assert_eq!(samples, Samples::from_folder(&path, &way).unwrap());
    assert!(skipped.is_empty());
    assert_eq!(samples.provenance.source, "three.zip");

    entries[12].1 = damaged(png(400, 300));
    entries[17].1.truncate(30);
    // Changed in the archive: its checksum no longer fits.
    entries[23].1 = b"changed behind the archive's back".to_vec();
    let mut zip = zip_of(&entries);
    let place = zip.windows(7).position(|w| w == b"changed").unwrap();
    zip[place] = b'C';
    fs::write(&path, zip).unwrap();
    assert!(Samples::from_folder(&path, &way).is_err());
    let (samples, skipped) = skipping(&path, &way).unwrap();
    assert_eq!((samples.len(), samples.provenance.count), (27, 27));
    assert!(!samples.names.contains(&"2/image_000012.png".into()));
    let at = samples.names.iter().position(|n| n == "8/image_000018.png");
    assert_eq!(at.map(|at| samples.labels[at]), Some(8));
    let words: String = skipped.iter().map(|error| format!("{error}\n")).collect();
    contains(&words, &["image_000012.png", "image_000017.png", "image_000023.png"]);
    assert_eq!(skipped.len(), 3);
    contains(samples.provenance.show().text(), &["three.zip (3 damaged images skipped)"]);
}

#[test]
fn where_nothing_is_left_every_damaged_image_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.png", "b.png"] {
        fs::write(folder.path().join(name), b"words").unwrap();
    }
    fs::File::create(folder.path().join("large.png")).unwrap().set_len(17 << 20).unwrap();
    let read = || ImageFolder::read_all(&[folder.path()], true);
    let way = Preprocess::squeeze();
    let (each, all) = (["a.png: it is not", "b.png: it is not"], "images: all 3 are damaged:\n");
    let words = [each[0], each[1], "large.png", all, "\nnone is left; name others"];
    fails_with(read().unwrap().preprocess(&way, Vec::new()), &words);
    for name in ["a.png", "b.png"] {
        fs::remove_file(folder.path().join(name)).unwrap();
    }
    fails_with(read(), &["large.png", "the only one is damaged:\n", "none is left"]);
}

#[test]
fn an_archive_that_is_wrong_is_not_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.zip");
    let good = ("0/a.png".to_string(), png(28, 28));
    fs::write(&path, zip_of(&[good, ("../b.png".into(), vec![1])])).unwrap();
    assert!(read_contents(&path).is_err());
    assert!(read_contents(Path::new("nothing.zip")).is_err());
}

#[test]
fn a_file_that_is_too_large_is_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::write(root.join("a.png"), png(28, 28)).unwrap();
    let large = root.join("large.png");
    fs::File::create(&large).unwrap().set_len(17 << 20).unwrap();
    let found = read_contents(root).unwrap();
    assert_eq!((found.images.len(), found.damaged.len()), (1, 1));
    for path in [root, &large] {
        let words = read_images(path).unwrap_err().to_string();
        contains(&words, &["large.png", "larger than 16777216 bytes", "scale it down"]);
    }
    let entries = [("0/a.png".into(), png(28, 28)), ("0/large.png".into(), vec![7; 17 << 20])];
    for (name, bytes) in [("a.zip", zip_of(&entries)), ("a.tgz", tgz_of(&entries))] {
        let path = root.join(name);
        fs::write(&path, bytes).unwrap();
        let found = read_contents(&path).unwrap();
        assert_eq!((found.images.len(), found.damaged.len()), (1, 1), "{name}");
        contains(&found.damaged[0].to_string(), &[name, "0/large.png", "scale it down"]);
    }
}

#[cfg(target_os = "linux")]
#[allow(unsafe_code, reason = "a system call")]
mod permissions {
    use std::os::unix::fs::PermissionsExt;

    use glyphs::files::{check_writable, write_atomically};

    use super::*;

    unsafe extern "C" {
        fn setfsuid(uid: u32) -> i32;
    }

    /// As a user who owns nothing, since root may read everything. The change holds for
    /// a thread of its own and ends with it.
    fn as_nobody<T: Send>(work: impl FnOnce() -> T + Send) -> T {
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                // SAFETY: a system call that takes a number and touches no memory.
                unsafe { setfsuid(65534) };
                work()
            });
            thread.join().unwrap()
        })
    }

    fn allow(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn files_and_folders_without_permissions() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        allow(root, 0o755);
        fs::create_dir(root.join("0")).unwrap();
        for name in ["0/a.png", "0/b.png"] {
            fs::write(root.join(name), png(28, 28)).unwrap();
        }
        allow(&root.join("0/b.png"), 0o000);
        let words = as_nobody(|| read_images(root)).unwrap_err().to_string();
        contains(&words, &["b.png", "denied", "check the file's permissions"]);
        let found = as_nobody(|| read_contents(root)).unwrap();
        assert_eq!((found.images.len(), found.damaged.len()), (1, 1));

        // A folder that may not be listed: nobody knows what is in it, and it can be skipped.
        allow(&root.join("0"), 0o000);
        let words = ["0", "denied", "check the folder's permissions"];
        contains(&as_nobody(|| read_images(root)).unwrap_err().to_string(), &words);
        let found = as_nobody(|| read_contents(root)).unwrap();
        let words_of_one = found.damaged[0].to_string();
        contains(&words_of_one, &words);
        assert_eq!(words_of_one.matches(&root.display().to_string()).count(), 1, "{words_of_one}");
        allow(&root.join("0"), 0o755);
        allow(&root.join("0/b.png"), 0o644);

        // A folder that may not be written to: only what is there may be written into.
        let (new, open) = (root.join("new.csv"), root.join("open.csv"));
        fs::write(&open, "before").unwrap();
        allow(&open, 0o666);
        allow(root, 0o555);
        let write = |path: &Path| {
            as_nobody(|| check_writable(path).and_then(|()| write_atomically(path, b"table")))
        };
        let (refused, written) = (write(&new), write(&open));
        allow(root, 0o755);
        let words = refused.unwrap_err().to_string();
        contains(&words, &["denied", "allow writing to the folder"]);
        written.unwrap();
        assert_eq!(fs::read(&open).unwrap(), b"table");
        assert_eq!(fs::read_dir(root).unwrap().count(), 2);
    }
}
