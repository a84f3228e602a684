//! Splits, subsets and the CSV table.

use std::collections::BTreeSet;
use std::fs;

use glyphs::data::{Provenance, SIDE, Samples};
use ndarray::{Array2, Array3};

/// `n` images of `classes` classes by `writers` writers, in turn.
fn samples(n: usize, classes: usize, writers: u16) -> Samples {
    Samples {
        images: Array3::from_shape_fn((n, SIDE, SIDE), |(i, y, x)| (i * 31 + y * 7 + x) as u8),
        features: Array2::zeros((n, 0)),
        labels: (0..n).map(|i| i % classes).collect(),
        writers: (0..n).map(|i| (i / classes) as u16 % writers + 1).collect(),
        names: (0..n).map(|i| format!("{i}")).collect(),
        classes: (0..classes).map(|c| c.to_string()).collect(),
        provenance: Provenance {
            name: "test".into(),
            source: "generated".into(),
            sha256: String::new(),
            count: n,
            synthetic: true,
        },
    }
}

fn names(samples: &Samples) -> BTreeSet<String> {
    samples.names.iter().cloned().collect()
}

#[test]
fn a_split_has_every_sample_once_and_repeats_itself() {
    let all = samples(2480, 62, 55);
    let (train, valid) = all.split(0.9, 7);
    assert_eq!((train.len(), valid.len()), (2232, 248));
    assert!(names(&train).is_disjoint(&names(&valid)));
    assert_eq!(names(&train).len() + names(&valid).len(), 2480);
    assert_eq!(all.split(0.9, 7), (train.clone(), valid.clone()));
    assert_ne!(all.split(0.9, 8).1.names, valid.names);
    // A label stays with its image.
    assert!(
        valid
            .names
            .iter()
            .zip(&valid.labels)
            .all(|(n, &l)| n.parse::<usize>().unwrap() % 62 == l)
    );
    // The order itself is part of the promise: other machines give the same one.
    assert_eq!(
        valid.names[..5],
        ["173", "1607", "952", "2341", "337"].map(String::from)
    );
    assert_eq!(all.split(2.0, 7).0.len(), 2480);
    assert_eq!(all.split(-1.0, 7).0.len(), 0);
}

#[test]
fn a_stratified_split_keeps_the_classes_shares() {
    let (train, valid) = samples(2480, 62, 55).split_stratified(0.9, 7);
    assert_eq!(train.class_counts(), [36; 62]);
    assert_eq!(valid.class_counts(), [4; 62]);
}

#[test]
fn a_split_by_writer_shares_no_writer() {
    for seed in 0..20 {
        let (train, valid) = samples(2480, 62, 40).split_by_writer(0.9, seed).unwrap();
        let writers = |s: &Samples| s.writers.iter().copied().collect::<BTreeSet<_>>();
        assert!(writers(&train).is_disjoint(&writers(&valid)));
        assert_eq!(writers(&train).len() + writers(&valid).len(), 40);
        assert_eq!((train.len(), valid.len()), (2232, 248));
    }
    let words = samples(10, 2, 1)
        .split_by_writer(0.5, 0)
        .unwrap_err()
        .to_string();
    assert!(
        words.contains("1 writers") && words.contains("split"),
        "{words}"
    );
}

#[test]
fn classes_and_subsets() {
    let all = samples(620, 62, 10);
    let digits = all.digits();
    assert_eq!(
        (digits.len(), digits.classes.len(), digits.provenance.count),
        (100, 10, 100)
    );
    let two = all.filter_classes(&[40, 3]);
    assert_eq!(two.classes, ["40", "3"]);
    assert!(
        two.names
            .iter()
            .zip(&two.labels)
            .all(|(n, &l)| n.parse::<usize>().unwrap() % 62 == [40, 3][l])
    );
    assert_eq!(all.take(62).names[1], "10");
    assert_eq!(all.take(9999).len(), 620);
    assert_eq!(all.take(0).len(), 0);
}

#[test]
fn a_table_comes_back_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/table.csv");
    let before = samples(25, 5, 3);
    before.write_csv(&path).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("label,pixel0,pixel1,"), "{}", &text[..40]);
    assert_eq!(text.lines().count(), 26);
    let after = Samples::read_csv(&path, before.classes.clone()).unwrap();
    assert_eq!(after.images, before.images);
    assert_eq!(after.labels, before.labels);
    assert_eq!(before.to_table().unwrap().shape(), (25, 785));

    let broken = |from: &str, to: &str, part: &str| {
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
        let words = Samples::read_csv(&path, before.classes.clone())
            .unwrap_err()
            .to_string();
        assert!(
            words.contains("table.csv") && words.contains(part),
            "{words}"
        );
        assert!(words.contains("write_csv"), "{words}");
    };
    broken("pixel17", "pixel9999", "no column pixel17");
    broken("label", "lable", "no column label");
    broken("\n0,0,1,", "\n0,0,NaN,", "row 1, column pixel1: \"NaN\"");
    broken("\n0,0,1,", "\n0,0,,", "row 1, column pixel1: \"nothing\"");
    broken("\n0,0,1,", "\n0,0,256,", "\"256\"");
    broken("\n0,0,1,", "\n0,0,-1,", "\"-1\"");
    broken("\n0,0,1,", "\n0,0,1.5,", "\"1.5\"");
    broken("\n0,0,1,", "\n5,0,1,", "column label: \"5\"");
    broken("\n0,0,1,", "\n0,0,1,4,", "row 1 has too many values");
    broken("\n0,0,1,", "\n0,1,", "row 1 has too few values");
    broken("pixel17", "pixel16", "2 columns pixel16");
    broken("pixel17", "pixel17,pixel17", "2 columns pixel17");
    broken("\n0,0,1,", "\n0,0,abc,", "\"abc\"");
    broken(
        "\n0,0,1,",
        "\n0,0,99999999999999999999,",
        "is no whole number",
    );
    fs::write(&path, "").unwrap();
    assert!(Samples::read_csv(&path, Vec::new()).is_err());
    fs::write(&path, [0xff, 0xfe, 0, 7]).unwrap();
    assert!(Samples::read_csv(&path, Vec::new()).is_err());
}
