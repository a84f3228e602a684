//! Samples: splits, subsets, tables.

use std::collections::BTreeSet;
use std::fs;

use glyphs::{data::Samples, image::Others};
use ndarray::Array4;

use crate::support::{contains, samples};

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
        valid.names.iter().zip(&valid.labels).all(|(n, &l)| n.parse::<usize>().unwrap() % 62 == l)
    );
    // The order itself is part of the promise: other machines give the same one.
    assert_eq!(valid.names[..5], ["173", "1607", "952", "2341", "337"].map(String::from));
    assert_eq!(all.split(2.0, 7).0.len(), 2480);
    assert_eq!(all.split(-1.0, 7).0.len(), 0);
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
    let words = samples(10, 2, 1).split_by_writer(0.5, 0).unwrap_err().to_string();
    assert!(words.contains("1 writers") && words.contains("split"), "{words}");
    for fraction in [0.0, 0.1, 0.9, 1.0] {
        let words = samples(10, 5, 2).split_by_writer(fraction, 0).unwrap_err().to_string();
        contains(&words, &["all 2 writers are in one part", "another fraction"]);
    }
}

#[test]
fn classes_and_subsets() {
    let all = samples(620, 62, 10);
    let digits = all.digits();
    assert_eq!((digits.len(), digits.classes.len(), digits.provenance.count), (100, 10, 100));
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
fn a_few_of_each_class() {
    let few = samples(2480, 62, 55).take_per_class(3);
    assert_eq!(few.class_counts(), [3; 62]);
    assert_eq!(few.provenance.count, 186);
    // Spread over the class, in order.
    let of_class_5: Vec<&str> =
        (0..few.len()).filter(|&i| few.labels[i] == 5).map(|i| few.names[i].as_str()).collect();
    assert_eq!(of_class_5, ["811", "1617", "2423"]);
    assert_eq!(samples(10, 3, 1).take_per_class(4).len(), 10);
    assert_eq!(samples(10, 3, 1).take_per_class(0).len(), 0);
}

#[test]
fn images_of_any_size_and_colour() {
    let images =
        Array4::from_shape_fn((6, 3, 4, 5), |(i, c, y, x)| (i * 60 + c * 20 + y * 5 + x) as u8);
    let all = Samples::new("mine", images.clone(), vec![0, 1, 0, 1, 1, 0], ["a", "b"]).unwrap();
    assert_eq!(all.image_shape(), [3, 4, 5]);
    assert_eq!(all.image(2), images.index_axis(ndarray::Axis(0), 2));
    assert_eq!((all.provenance.name.as_str(), all.provenance.count), ("mine", 6));
    assert_eq!(all.provenance.sha256.len(), 64);
    let (first, second) = all.split(0.5, 1);
    assert_eq!((first.images.dim(), second.images.dim()), ((3, 3, 4, 5), (3, 3, 4, 5)));
    assert_eq!(all.filter_classes(&[1]).images.dim(), (3, 3, 4, 5));

    let fails = |labels: Vec<usize>, part: &str| {
        let made = Samples::new("mine", images.clone(), labels, ["a", "b"]);
        contains(&made.unwrap_err().to_string(), &[part]);
    };
    fails(vec![0; 5], "5 labels for 6 images");
    fails(vec![0, 1, 0, 1, 2, 0], "label 2, but 2 classes");
}

#[test]
fn tables_have_a_row_an_image() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/table.csv");
    let all = samples(25, 5, 3);
    let table = all.to_table().unwrap();
    assert_eq!(table.shape(), (25, 785));
    let column = table.column("pixel30").unwrap().u32().unwrap();
    let pixels = all.images.slice(ndarray::s![.., 0, 1, 2]);
    assert!(column.iter().eq(pixels.iter().map(|&value| Some(value.into()))));
    all.write_csv(&path).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("label,pixel0,pixel1,"), "{}", &text[..40]);
    assert!(text.contains("\n1,31,32,33,"), "{text}");
    assert_eq!(text.lines().count(), 26);

    let read = Samples::read_csv(&path, [1, 28, 28], all.classes.clone()).unwrap();
    assert_eq!((&read.images, &read.labels), (&all.images, &all.labels));
    assert_eq!(read.provenance.name, "table");
    for (table, problem) in [
        ("label,pixel0,pixel1\n", None),
        ("label,pixel0,pixel1\n0,1,255\n", None),
        ("label,pixel0,pixel1\n0,1,256\n", Some("256")),
        ("label,pixel0,pixel1\n0,1,\n", Some("column 2, row 0")),
        ("label,pixel0,pixel1\n0,-1,2\n", Some("-1")),
        ("label,pixel0,pixel1\n0,one,2\n", Some("one")),
        ("label,pixel0\n0,1\n", Some("number of fields")),
        ("label,pixel0,pixel1,pixel2\n0,1,2,3\n", Some("4 columns")),
        ("label,pixel0,pixel1\n7,1,2\n", Some("label 7")),
        ("0,1,255\n0,3,4\n", Some("not a header")),
        ("", Some("empty")),
    ] {
        fs::write(&path, table).unwrap();
        let read = Samples::read_csv(&path, [1, 1, 2], ["0"]).map(|samples| samples.len());
        match (problem, read) {
            (None, Ok(count)) => assert_eq!(count + 1, table.lines().count()),
            (Some(problem), Err(error)) => {
                assert!(error.to_string().contains(problem), "{table}: {error}");
            }
            (_, read) => panic!("{table}: {read:?}"),
        }
    }

    let missing = Samples::read_csv("missing.csv", [1, 1, 2], ["0"]).unwrap_err().to_string();
    contains(&missing, &["missing.csv", "check the file's name"]);

    let mut few = all.take(3);
    few.features = ndarray::arr2(&[[0.5, 1.0], [1.5, 2.0], [2.5, 3.0]]);
    let table = few.dataframe().unwrap();
    let names: Vec<&str> = table.get_column_names().into_iter().map(|n| n.as_str()).collect();
    assert_eq!(names, ["label", "class", "writer", "name", "feature0", "feature1"]);
    let column = |name: &str| format!("{:?}", table.column(name).unwrap().get(1).unwrap());
    assert_eq!(
        ["class", "name", "feature1"].map(column),
        ["String(\"3\")", "String(\"8\")", "Float32(2.0)"]
    );
    // What a data set does not have is no column.
    let images = Array4::zeros((2, 3, 2, 2));
    let bare = Samples::new("mine", images, vec![0, 1], ["a", "b"]).unwrap();
    assert_eq!(bare.dataframe().unwrap().shape(), (2, 2));
    assert_eq!(bare.to_table().unwrap().shape(), (2, 13));
}

#[test]
fn every_sample_validates_once_over_the_folds() {
    let all = samples(2480, 62, 40);
    let mut seen = Vec::new();
    for fold in 100..105 {
        let (train, valid) = all.fold(5, fold);
        assert_eq!((train.len(), valid.len()), (1984, 496));
        seen.extend(valid.names);
    }
    seen.sort_unstable();
    let mut names = all.names.clone();
    names.sort_unstable();
    assert_eq!(seen, names);
}

/// Size and position beside those of the writer's others: labels have no part in it.
#[test]
fn context_sees_no_label_and_no_other_writer() {
    let mut all = samples(120, 10, 4);
    let values = (0..240).map(|i| (i * 37 % 101) as f32 / 10.0).collect();
    all.features = ndarray::Array2::from_shape_vec((120, 2), values).unwrap();
    let in_context = all.in_context(Others::All).unwrap();
    assert_eq!(in_context.features.dim(), (120, 4));

    let mut relabelled = all.clone();
    relabelled.labels.rotate_left(17);
    let again = relabelled.in_context(Others::All).unwrap();
    assert_eq!(again.features, in_context.features);
    // Nor that a writer wrote each character once.
    relabelled.labels.fill(0);
    let again = relabelled.in_context(Others::All).unwrap();
    assert_eq!(again.features, in_context.features);
    // Nor which drawings are trained on: any order, and so any split, gives the same.
    let order: Vec<usize> = (0..120).map(|i| i * 77 % 120).collect();
    let again = all.select(&order).in_context(Others::All).unwrap();
    let difference = again.features - in_context.select(&order).features;
    assert!(difference.iter().all(|difference| difference.abs() < 1e-4));

    let mut changed = all.clone();
    let writer = changed.writers[0];
    changed.features[[0, 0]] += 50.0;
    let changed = changed.in_context(Others::All).unwrap();
    for (i, (row, before)) in
        changed.features.outer_iter().zip(in_context.features.outer_iter()).enumerate()
    {
        assert_eq!(row != before, all.writers[i] == writer, "{i}");
    }
    // Without others, a drawing stands for itself.
    let alone = all.in_context(Others::Few(0, 3)).unwrap();
    for row in alone.features.outer_iter() {
        assert_eq!((row[0], row[1]), (row[2], row[3]));
    }
    all.writers.clear();
    assert!(all.in_context(Others::All).is_err());
}
