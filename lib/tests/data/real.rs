//! The loaders on the real data, where `GLYPHS_DATA` names them.

use std::collections::BTreeSet;
use std::time::Instant;

use glyphs::data::{Dataset, Handwritten, Mislabelled, Mnist, locate, synthetic};
use glyphs::image::{CropToInk, FEATURES, Preprocess};
use glyphs::study::Experiment;
use glyphs::train::{Config, evaluate, fit};
use rayon::prelude::*;

/// Where a test was asked for, its data must be there: one that was left out is no green one.
fn needs(dataset: Dataset) {
    let folder = std::env::var_os("GLYPHS_DATA").map(std::path::PathBuf::from);
    let found = folder.and_then(|folder| locate::locate_in(dataset, &folder, "$GLYPHS_DATA"));
    assert!(
        found.is_some_and(|found| !found.synthetic),
        "GLYPHS_DATA does not name the real {}",
        dataset.name()
    );
}

#[test]
#[ignore = "needs the real data: GLYPHS_DATA"]
fn the_real_mnist() {
    needs(Dataset::Mnist);
    let mnist = Mnist::load().unwrap();
    assert_eq!(mnist.train.images.dim(), (60_000, 1, 28, 28));
    assert_eq!(mnist.test.images.dim(), (10_000, 1, 28, 28));
    // Counts of the digits as known of the published files.
    let train = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949];
    let test = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009];
    assert_eq!(mnist.train.class_counts(), train);
    assert_eq!(mnist.test.class_counts(), test);
    assert!(mnist.train.provenance.sha256.starts_with("ba891046e650"));
    assert!(mnist.test.provenance.sha256.starts_with("0fa7898d5092"));
    assert_eq!(mnist.train.provenance.source, "$GLYPHS_DATA/mnist");
}

#[test]
#[ignore = "needs the real data: GLYPHS_DATA"]
fn the_real_handwritten() {
    needs(Dataset::Handwritten);
    let start = Instant::now();
    let drawings = Handwritten::load().unwrap();
    println!("loaded in {:.2?}", start.elapsed());
    assert_eq!(drawings.counts(), [40; 62]);
    assert_eq!(
        drawings.classes.concat(),
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    );
    let writers: BTreeSet<u16> = drawings.drawings.iter().map(|p| p.writer).collect();
    assert_eq!(writers, (1..=55).collect());
    assert_eq!(drawings.drawings[0].name, "img001-001.png");

    let few = drawings.clone().take_per_class(3);
    assert_eq!(few.counts(), [3; 62]);
    assert_eq!(few.provenance.count, 186);
    assert_ne!(few.provenance.sha256, drawings.provenance.sha256);

    let ways = [
        Preprocess::squeeze(),
        Preprocess::keep_aspect(),
        Preprocess::default(),
        CropToInk::mnist().into(),
    ];
    for way in ways {
        let start = Instant::now();
        let samples = few.preprocess(&way).unwrap();
        println!("{} of 186: {:.2?}", way.name(), start.elapsed());
        assert_eq!(samples.images.dim(), (186, 1, 28, 28));
        assert_eq!(samples.features.dim(), (186, FEATURES));
        assert!(samples.images.iter().any(|&v| v > 200));
        // Less a typical value, in units of a typical deviation.
        for column in samples.features.columns() {
            let (mean, deviation) = (column.mean().unwrap(), column.std(0.0));
            assert!(mean.abs() < 0.3, "{mean}");
            assert!((0.7..1.4).contains(&deviation), "{deviation}");
        }
    }
}

/// What `glyphs predict` cannot be faster than.
#[test]
#[ignore = "a measurement: make bench-predict"]
fn decoding_alone() {
    needs(Dataset::Handwritten);
    let drawings = Handwritten::load().unwrap();
    let start = Instant::now();
    (0..drawings.len()).into_par_iter().for_each(|index| drop(drawings.decode(index).unwrap()));
    let (count, seconds) = (drawings.len(), start.elapsed().as_secs_f64());
    println!(
        "decoding alone: {count} images in {seconds:.1} s, {:.0} per second",
        count as f64 / seconds
    );
}

/// Part 1's network, trained on the stand-in alone and tested on the drawings.
#[test]
#[ignore = "a measurement, about a minute: data/README.md"]
fn worth_of_the_stand_in() {
    needs(Dataset::Handwritten);
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("trainPart1.zip");
    synthetic::write_handwritten(&archive, synthetic::SEED).unwrap();
    let run = Experiment::part1_ours(0);
    let samples =
        |drawings: Handwritten| drawings.preprocess(&run.data.preprocess().unwrap()).unwrap();
    let drawn = samples(Handwritten::open(&archive).unwrap());
    let real = samples(Handwritten::load().unwrap());
    let config = Config { epochs: 20, ..run.config.clone() };
    let mut model = run.network().unwrap();
    fit(model.as_mut(), &drawn, &real, &config).unwrap();
    let accuracy = evaluate(model.as_ref(), &real).unwrap().accuracy();
    println!("trained on the stand-in alone, accuracy on the drawings: {accuracy:.4}");
    assert!(accuracy >= 0.55, "{accuracy}");
}

#[test]
#[ignore = "needs the real data: GLYPHS_DATA"]
fn the_real_mislabelled() {
    needs(Dataset::Mislabelled);
    let start = Instant::now();
    let samples = Mislabelled::load().unwrap();
    println!("loaded in {:.2?}", start.elapsed());
    assert_eq!(samples.images.dim(), (60_000, 1, 28, 28));
    assert_eq!(samples.class_counts().iter().sum::<usize>(), 60_000);
    assert!(samples.names.windows(2).all(|pair| pair[0] < pair[1]));
}
