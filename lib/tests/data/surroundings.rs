//! What people's folders and archives have beside the images, and where their output goes.

use std::fs;
use std::path::Path;

use glyphs::data::Dataset;
use glyphs::data::archive::{LINK, read_contents, read_images, remedies};
use glyphs::data::locate::locate_in;
use glyphs::files::{check_writable, is_same, is_stdout, write_atomically};

#[cfg(target_os = "linux")]
use crate::bad_input::as_root;
use crate::support::{fails_with, file, write, zip_of};

/// The names of two entries, `aaaa…` in the archive, as raw bytes.
fn renamed(entries: &[(&[u8], &[u8])]) -> Vec<u8> {
    let marks: Vec<String> = (b'a'..)
        .zip(entries)
        .map(|(mark, (name, _))| String::from_utf8(vec![mark; name.len()]).unwrap())
        .collect();
    let marked: Vec<(&str, &[u8])> =
        marks.iter().map(String::as_str).zip(entries.iter().map(|entry| entry.1)).collect();
    let mut bytes = zip_of(&marked);
    for (mark, (name, _)) in marks.iter().zip(entries) {
        let places: Vec<usize> = (0..=bytes.len() - mark.len())
            .filter(|&i| bytes[i..].starts_with(mark.as_bytes()))
            .collect();
        for place in places {
            bytes[place..place + name.len()].copy_from_slice(name);
        }
    }
    bytes
}

fn names(path: &Path) -> (Vec<String>, Vec<String>) {
    let found = read_contents(path).unwrap();
    assert!(found.damaged.is_empty());
    (found.images.into_iter().map(|image| image.path).collect(), found.others)
}

#[test]
fn names_in_other_encodings() {
    // CP437, GBK, Shift JIS (its second byte may be a backslash), GBK below a folder of Windows,
    // Latin 1; a text file's name matters to nobody.
    for (name, shown) in [
        (&b"7/caf\x82.jpg"[..], "7/caf\u{e9}.jpg"),
        (b"7/\xd5\xd5\xc6\xac.jpg", "7/"),
        (b"7/\x8e\xca\x90^.jpg", "7/"),
        (b"7/\x95\x5c.jpg", "7/"),
        (b"7/\x83\x5c\x81[\x83X.jpg", "7/"),
        (b"\xd5\xd5\xc6\xac\\7.jpg", ""),
        (b"7/Stra\xdfe.jpg", "7/Stra"),
    ] {
        let zip = renamed(&[(name, b"1"), (b"4/plain.jpg", b"2"), (b"\xcb\xb5\xc3\xf7.txt", b"3")]);
        let mut header = tar::Header::new_ustar();
        header.as_old_mut().name[..name.len()].copy_from_slice(name);
        header.set_size(1);
        header.set_cksum();
        let mut tar = tar::Builder::new(Vec::new());
        tar.append(&header, &b"1"[..]).unwrap();
        let tar = tar.into_inner().unwrap();
        for (archive, bytes, count, shown) in
            [("names.zip", zip, (2, 1), shown), ("names.tar", tar, (1, 0), "")]
        {
            let (_folder, path) = file(archive, &bytes);
            let (images, others) = names(&path);
            assert_eq!((images.len(), others.len()), count);
            let image = images.last().unwrap();
            assert!(image.starts_with(shown) && image.ends_with(".jpg"), "{image:?}");
            assert_eq!(image.matches('/').count(), 1, "{image:?}");
        }
    }
}

#[test]
fn only_images_may_not_come_twice() {
    let twice = |name: &[u8]| {
        let zip = renamed(&[(name, b"1"), (name, b"2"), (b"7/1.jpg", b"3")]);
        file("twice.zip", &zip)
    };
    let (_folder, path) = twice(b"readme.txt");
    assert_eq!(names(&path), (vec!["7/1.jpg".into()], vec!["readme.txt".into()]));
    let (_folder, path) = twice(b"7/2.jpg");
    fails_with(read_contents(&path), &["twice.zip", "the same name, \"7/2.jpg\""]);
}

#[test]
fn leftovers_are_not_mentioned_and_other_files_are() {
    let entries: Vec<(&str, &[u8])> = vec![
        ("A/1.jpg", b"1"),
        ("a/1.jpg", b"2"),
        ("A/2.WEBP", b"3"),
        ("A/IMG_1.HEIC", b"4"),
        ("__MACOSX/A/._1.jpg", b"x"),
        ("A/.DS_Store", b"x"),
        ("A/Thumbs.db", b"x"),
        ("desktop.ini", b"x"),
        ("A/@eaDir/1.jpg", b"x"),
        ("$RECYCLE.BIN/1.jpg", b"x"),
        ("readme.txt", b"x"),
    ];
    let (_folder, path) = file("a.zip", &zip_of(&entries));
    let images = ["A/1.jpg", "A/2.WEBP", "a/1.jpg"].map(String::from);
    let others = ["A/IMG_1.HEIC", "readme.txt"].map(String::from);
    assert_eq!(names(&path), (images.to_vec(), others.to_vec()));
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in entries {
        write(&folder.path().join(name), bytes);
    }
    assert_eq!(names(folder.path()), (images.to_vec(), others.to_vec()));

    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(1);
    tar.append_data(&mut header, "A/1.jpg", &b"1"[..]).unwrap();
    let (_folder, path) = file("a.tar", &tar.into_inner().unwrap());
    assert_eq!(names(&path).0, ["A/1.jpg"]);
    // One image is read as it is; what is neither is not called an archive.
    let (_folder, path) = file("one.jfif", b"\xff\xd8\xff");
    assert_eq!(names(&path).0, ["one.jfif"]);
    let (_folder, path) = file("packed.tar.xz", b"\xfd7zXZ\0");
    let words = ["neither a PNG", "nor a zip, tar or tar.gz archive", "unpack it"];
    fails_with(read_contents(&path), &words);
    let (_folder, path) = file("page.TGA", b"\0\0\x02");
    fails_with(read_contents(&path), &["neither a PNG", "save it as PNG or JPEG"]);
    // The method, in both places that name it, is LZMA.
    let mut zip = zip_of(&[("A/1.png", b"1")]);
    let second = zip.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap();
    (zip[8], zip[second + 10]) = (14, 14);
    let (_folder, path) = file("lzma.zip", &zip);
    let damaged = read_contents(&path).unwrap().damaged.remove(0).to_string();
    crate::support::contains(&damaged, &["A/1.png", "unpack it, and name the folder"]);
    let (_folder, path) = file("bad.zip", b"words");
    fails_with(read_contents(&path), &["zip, tar or tar.gz", "restore it from its source"]);
    fails_with(read_images(&path), &["zip, tar or tar.gz", "`glyphs data fetch`"]);
}

#[test]
fn each_kind_of_other_files_has_its_remedy() {
    let of = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|&name| name.into()).collect();
        remedies(&names)
    };
    assert!(of(&[]).is_empty() && of(&[&format!("all{LINK}back")]).is_empty());
    let (images, archives) = (["a/IMG_1.HEIC", "b.psd", "c.heic"], ["more.tar.gz", "x.ZIP"]);
    let save = "save .heic, .psd files as PNG or JPEG";
    assert_eq!(of(&images), [save]);
    let unpack = "unpack .zip, .gz files, and name what is in them";
    assert_eq!(of(&archives), [unpack]);
    let all = of(&[&images[..], &archives[..], &["notes.txt", "7"]].concat());
    let rename = "if one is an image, rename it to end in .png, .jpg or the like";
    assert_eq!(all, [save, unpack, rename]);
}

#[test]
fn a_set_beside_what_macos_adds_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("trainPart1");
    for name in ["train/Sample001", "__MACOSX/train", ".cache"] {
        fs::create_dir_all(root.join(name)).unwrap();
    }
    assert!(locate_in(Dataset::Handwritten, folder.path(), "here").is_some());
    fs::create_dir(root.join("other")).unwrap();
    assert!(locate_in(Dataset::Handwritten, folder.path(), "here").is_none());
}

#[cfg(unix)]
#[test]
fn images_come_through_a_pipe_and_archives_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let read = |bytes: Vec<u8>| {
        let into = pipe.clone();
        let writer = std::thread::spawn(move || fs::write(into, bytes));
        let found = read_contents(&pipe);
        let _ = writer.join().unwrap();
        found
    };
    let image = crate::support::png(300, 200, image::ExtendedColorType::L8);
    assert_eq!(read(image.clone()).unwrap().images[0].bytes, image);
    fails_with(read(zip_of(&[("A/1.png", b"1")])), &["it is a pipe", "save it to a file"]);
}

#[cfg(unix)]
#[test]
fn links_that_lead_nowhere_or_back() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(&root.join("7.png"), b"1");
    for (name, target) in [
        (".#7.png", "someone@somewhere.1"),
        ("latest", "/nonexistent/run3"),
        ("8.png", "gone.png"),
        ("all", "."),
    ] {
        std::os::unix::fs::symlink(target, root.join(name)).unwrap();
    }
    let mut found = read_contents(root).unwrap();
    found.others.sort();
    let links = ["all: a link that leads back", "latest: a link that leads nowhere"];
    assert_eq!((found.images.len(), &found.others[..]), (1, &links.map(String::from)[..]));
    assert_eq!(found.damaged.len(), 1);
    write(&root.join("deep/".repeat(20)).join("9.png"), b"1");
    assert_eq!(names(&root.join("deep")).0, [format!("{}9.png", "deep/".repeat(19))]);
    assert!(found.damaged[0].to_string().contains("8.png: the link leads nowhere"));
}

#[cfg(unix)]
#[test]
fn output_into_links_pipes_and_devices() {
    use std::os::unix::fs::{FileTypeExt, symlink};
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for (name, target) in [("link", "there.csv"), ("dangling", "new.csv")] {
        symlink(target, root.join(name)).unwrap();
    }
    fs::write(root.join("there.csv"), "before").unwrap();
    for (name, target) in [("link", "there.csv"), ("dangling", "new.csv")] {
        check_writable(&root.join(name)).unwrap();
        write_atomically(&root.join(name), b"table").unwrap();
        assert!(root.join(name).is_symlink());
        assert_eq!(fs::read(root.join(target)).unwrap(), b"table");
    }
    let pipe = root.join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    symlink("pipe", root.join("to-pipe")).unwrap();
    for name in ["pipe", "to-pipe"] {
        let reader = {
            let pipe = pipe.clone();
            std::thread::spawn(move || fs::read(pipe).unwrap())
        };
        check_writable(&root.join(name)).unwrap();
        write_atomically(&root.join(name), b"table").unwrap();
        assert_eq!(reader.join().unwrap(), b"table");
    }
    assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
    assert!(write_atomically(root, b"table").is_err());
    for folder in [root, &root.join("nope/"), &root.join("there.csv/")] {
        fails_with(check_writable(folder), &["name a file in that folder"]);
    }
    symlink("round", root.join("round")).unwrap();
    fails_with(check_writable(&root.join("round")), &["round", "remove the link"]);
    fails_with(check_writable(&root.join("x".repeat(300))), &["xxx", "give it a shorter name"]);
    assert!(is_same(&root.join("dangling"), &root.join("new.csv")));
    check_writable(Path::new("-")).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_may_not_or_cannot_be_replaced() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (protected, mounted, below) = (path("protected.csv"), path("mounted"), path("below"));
    let appended = path("appended.csv");
    for path in [&protected, &mounted, &below, &appended] {
        fs::write(path, "what was there before").unwrap();
    }
    // The temporary file beside it has a name too.
    let long = path(&"\u{e9}".repeat(127));
    for table in ["first", "second"] {
        check_writable(&long).unwrap();
        write_atomically(&long, table.as_bytes()).unwrap();
        assert_eq!(fs::read_to_string(&long).unwrap(), table);
    }
    fs::set_permissions(&protected, fs::Permissions::from_mode(0o444)).unwrap();
    for done in [check_writable(&protected), write_atomically(&protected, b"table")] {
        fails_with(done, &["protected.csv: it is write-protected", "`chmod u+w`"]);
    }
    assert_eq!(fs::read_to_string(&protected).unwrap(), "what was there before");
    // As into a container.
    if as_root(&["mount", "--bind", below.to_str().unwrap()], &mounted) {
        let done = [check_writable(&mounted), write_atomically(&mounted, b"table")];
        assert!(as_root(&["umount"], &mounted));
        done.into_iter().for_each(Result::unwrap);
        assert_eq!(fs::read(&below).unwrap(), b"table");
    } else {
        eprintln!("not tried: a file cannot be mounted here");
    }
    if as_root(&["chattr", "+a"], &appended) {
        let done = [check_writable(&appended), write_atomically(&appended, b"table")];
        assert!(as_root(&["chattr", "-a"], &appended));
        done.into_iter().for_each(|done| fails_with(done, &["appended.csv", "`chattr -a -i`"]));
        assert_eq!(fs::read_to_string(&appended).unwrap(), "what was there before");
    } else {
        eprintln!("not tried: no file can be made append-only here");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 5, "nothing is left beside them");
}

/// The link of an open file leads to a name, and what was in the file is not replaced.
#[cfg(target_os = "linux")]
#[test]
fn output_into_open_files_is_appended() {
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.csv");
    fs::write(&log, "before\n").unwrap();
    fs::set_permissions(&log, fs::Permissions::from_mode(0o600)).unwrap();
    let open = fs::File::options().append(true).open(&log).unwrap();
    let link = folder.path().join("link");
    symlink(format!("/dev/fd/{}", open.as_raw_fd()), &link).unwrap();
    for path in [&link, &format!("/proc/self/fd/{}", open.as_raw_fd()).into()] {
        check_writable(path).unwrap();
        write_atomically(path, b"table\n").unwrap();
    }
    assert_eq!(fs::read_to_string(&log).unwrap(), "before\ntable\ntable\n");
    // A file of its own name is replaced, and is as private as it was.
    write_atomically(&log, b"new").unwrap();
    assert_eq!(fs::read(&log).unwrap(), b"new");
    assert_eq!(fs::metadata(&log).unwrap().permissions().mode() & 0o777, 0o600);
    for path in ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
        assert!(is_stdout(Path::new(path)), "{path}");
    }
    assert!(!is_stdout(Path::new("/dev/fd/2")) && !is_stdout(Path::new("./-")));
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_not_utf8_remain_apart() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    for name in [b"lat\xe8.png", b"lat\xe9.png"] {
        write(&folder.path().join(std::ffi::OsStr::from_bytes(name)), b"1");
    }
    assert_eq!(names(folder.path()).0, ["lat\u{e8}.png", "lat\u{e9}.png"]);
}
