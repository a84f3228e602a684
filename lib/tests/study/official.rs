//! The official test, on a test set made up here, of the published networks.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use glyphs::data::archive::sha256;
use glyphs::data::synthetic::{Writer, page};
use glyphs::data::{Dataset, locate};
use glyphs::files::project_root;
use glyphs::study::{OfficialTest, Origin};
use image::GrayImage;

/// Of each class, the writers that the task left out.
const LEFT_OUT: &str = include_str!("../../src/data/sets/left_out.txt");

/// Nothing is trained for it; what is read, and what is not, stands in the record.
#[test]
#[ignore = "needs the real data: GLYPHS_DATA"]
fn the_real_official_test_reads_the_published_networks_once() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    for label in [0, 10, 36] {
        let writer = LEFT_OUT.lines().nth(label).unwrap().split(' ').nth(1).unwrap();
        let writer: u16 = writer.parse().unwrap();
        let class = data.join(format!("testPart1/Sample{:03}", label + 1));
        fs::create_dir_all(&class).unwrap();
        let ink = page(&Writer::new(9, 3), label).into_iter();
        let pixels = ink.map(|ink| if ink { 0 } else { 255 }).collect();
        let drawing = GrayImage::from_raw(1200, 900, pixels).unwrap();
        let name = format!("img{:03}-{writer:03}.png", label + 1);
        drawing.save(class.join(name)).unwrap();
    }
    let real = PathBuf::from(std::env::var_os("GLYPHS_DATA").unwrap_or_default());
    let real = locate::locate_in(Dataset::Handwritten, &real, "$GLYPHS_DATA");
    let real = real.filter(|found| !found.synthetic);
    let real = real.expect("GLYPHS_DATA does not name the real drawings").path;
    symlink(real.canonicalize().unwrap(), data.join(real.file_name().unwrap())).unwrap();
    let done = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "official::read_a_test_set", "--ignored"])
        .env("GLYPHS_DATA", &data)
        .env("GLYPHS_OUTPUTS", folder.path().join("outputs"))
        .env_remove("GLYPHS_TRAIN")
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
}

#[test]
#[ignore = "started by the test above, with data and outputs of its own"]
fn read_a_test_set() {
    let test = OfficialTest::run().unwrap();
    assert_eq!((test.dataset.count, test.dataset.synthetic), (3, false));
    let (alone, together): (Vec<_>, Vec<_>) =
        test.networks.iter().partition(|network| network.file.is_some());
    assert_eq!((alone.len(), together.len(), test.left_out.len()), (11, 2, 4));
    let together: Vec<&str> = together.iter().map(|of| of.protocol.as_str()).collect();
    assert_eq!(together, ["ours-five-together", "ours-in-context-five-together"]);
    for network in alone {
        let file = network.file.as_ref().unwrap();
        assert_eq!(file.origin, Origin::Published);
        let path = project_root().join("outputs").join(&file.checkpoint.path);
        assert_eq!(sha256(&fs::read(path).unwrap()), file.checkpoint.sha256);
        // In 8 bits.
        assert_eq!(network.is_published, Some(false));
        assert!(!test.left_out.contains(&network.run));
    }
    assert_eq!(OfficialTest::load().unwrap(), Some(test));
    let words = OfficialTest::run().unwrap_err().to_string();
    assert!(words.contains("already been made"), "{words}");
}
