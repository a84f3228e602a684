//! The audit of dataset 3: on images made here, on the published counts, and on the real
//! data where `GLYPHS_DATA` names them.

use std::io::Cursor;
use std::path::Path;
use std::time::Instant;

use glyphs::data::{Mislabelled, Mnist, Provenance, Samples, decode, synthetic};
use glyphs::display::Show;
use glyphs::study::Audit;
use glyphs::study::audit::{Match, Nearest};
use image::{ExtendedColorType, ImageEncoder, codecs::jpeg::JpegEncoder};
use ndarray::{Array2, Array4, Axis};
use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_pcg::Pcg64;

/// Digits of the stand-in, ten writers each, labelled 0 to 9 in turn.
fn digits(n: usize) -> Samples {
    let writers: Vec<synthetic::Writer> =
        (0..10).map(|w| synthetic::Writer::new(synthetic::SEED, w)).collect();
    let labels: Vec<usize> = (0..n).map(|i| i % 10).collect();
    let pixels: Vec<u8> = (labels.iter().enumerate())
        .flat_map(|(i, &label)| synthetic::digit(&writers[i / 10 % 10], label, i as u64))
        .collect();
    samples(Array4::from_shape_vec((n, 1, 28, 28), pixels).unwrap(), labels)
}

fn samples(images: Array4<u8>, labels: Vec<usize>) -> Samples {
    let n = labels.len();
    Samples {
        images,
        features: Array2::zeros((n, 0)),
        labels,
        writers: Vec::new(),
        names: Vec::new(),
        classes: (0..10).map(|digit| digit.to_string()).collect(),
        provenance: Provenance {
            name: "made here".into(),
            source: "generated".into(),
            sha256: "0".into(),
            count: n,
            synthetic: true,
        },
    }
}

fn through_jpeg(samples: &Samples, quality: u8) -> Samples {
    let mut compressed = samples.clone();
    for mut image in compressed.images.axis_iter_mut(Axis(0)) {
        let pixels: Vec<u8> = image.iter().copied().collect();
        let mut file = Cursor::new(Vec::new());
        JpegEncoder::new_with_quality(&mut file, quality)
            .write_image(&pixels, 28, 28, ExtendedColorType::L8)
            .unwrap();
        let grey = decode::decode_grey(Path::new("test"), file.get_ref()).unwrap();
        image.iter_mut().zip(grey.pixels).for_each(|(to, from)| *to = from);
    }
    compressed
}

fn distances(images: &Array4<u8>, image: &[u8]) -> Vec<u32> {
    let others = images.outer_iter();
    others.map(|o| o.iter().zip(image).map(|(a, b)| u32::from(a.abs_diff(*b))).sum()).collect()
}

#[test]
fn the_nearest_is_that_of_comparing_with_all() {
    let mut random = Pcg64::seed_from_u64(1);
    // Noise of few levels has many near ties, and ink that differs little.
    let images = Array4::from_shape_fn((300, 1, 28, 28), |_| random.random_range(0..4_u8));
    let nearest = Nearest::among(&images);
    for i in 0..50 {
        let image: Vec<u8> = (0..784).map(|_| random.random_range(0..4)).collect();
        let all = distances(&images, &image);
        let lowest = *all.iter().min().unwrap();
        for guess in [None, Some(i), Some(299), Some(10_000)] {
            let found = nearest.to(&image, guess, None).unwrap();
            assert_eq!(found.distance, lowest);
            assert_eq!(all[found.index], lowest);
        }
        let best = all.iter().position(|&d| d == lowest).unwrap();
        let second = all.iter().enumerate().filter(|(k, _)| *k != best).map(|(_, &d)| d);
        let found = nearest.to(&image, Some(best), Some(best)).unwrap();
        assert_eq!(Some(found.distance), second.min());
        assert_ne!(found.index, best);
    }
    let own: Vec<u8> = images.index_axis(Axis(0), 7).iter().copied().collect();
    let found = Match { index: 7, distance: 0 };
    assert_eq!(nearest.to(&own, None, None), Some(found));
    assert_eq!(Nearest::among(&Array4::zeros((0, 1, 28, 28))).to(&own, Some(0), None), None);
}

/// Images in another order and through JPEG are found, whatever they are labelled.
#[test]
fn originals_are_found_wherever_they_are() {
    let originals = digits(400);
    let mut order: Vec<usize> = (0..originals.len()).collect();
    order.shuffle(&mut Pcg64::seed_from_u64(2));
    let mut dataset3 = through_jpeg(&originals.select(&order[..300]), 75);
    for (i, label) in dataset3.labels.iter_mut().enumerate() {
        *label = if i < 20 { *label } else { (*label + 1 + i % 9) % 10 };
    }
    let audit = Audit::of(&dataset3, &originals).unwrap();
    let found: Vec<usize> = audit.matches.iter().map(|m| m.index).collect();
    assert_eq!(found, order[..300]);
    assert_eq!(audit.distinct(), 300);
    assert_eq!(audit.right(), 20);
    assert_eq!(audit.given, dataset3.labels);
    let moved = order.iter().take(300).enumerate().filter(|(i, o)| i != *o).count();
    assert_eq!(audit.in_place(), 300 - moved);
    let compression = audit.compression.unwrap();
    assert_eq!((compression.quality, compression.images), (75, 100));
    assert_eq!(compression.identical, 100);
    for (i, next) in &audit.runners_up {
        assert!(next.distance >= audit.matches[*i].distance);
        assert_ne!(next.index, audit.matches[*i].index);
    }
    let text = audit.in_words();
    assert!(text.contains("Of the 300 images"), "{text}");
    assert!(text.contains("20 of 300 (6.67 %) name the digit"), "{text}");
    for block in
        [audit.show(), audit.pairs(&dataset3, &originals, 8).show(), audit.uniformity().show()]
    {
        assert!(!block.html().contains("NaN"), "{}", block.text());
    }
}

#[test]
fn images_of_other_classes_are_refused() {
    let originals = digits(20);
    let mut other = originals.clone();
    other.classes.pop();
    assert!(Audit::of(&other, &originals).is_err());
    assert!(Audit::of(&originals.take(0), &originals).is_err());
    assert!(Audit::of(&originals, &originals.take(0)).is_err());
    // A single original has no runner-up, and one image no table to test.
    let one = Audit::of(&originals.take(1), &originals.take(1)).unwrap();
    assert!(one.runners_up.is_empty());
    assert!(one.uniform().is_err());
    assert!(one.independent().is_err());
    assert!(one.in_words().contains("too few"));
}

/// The audit of images whose labels have these counts.
fn with_counts(counts: &[[usize; 10]; 10]) -> Audit {
    let originals = digits(10);
    let mut audit = Audit::of(&originals, &originals).unwrap();
    let cells = || (0..10).flat_map(|t| (0..10).map(move |g| (t, g)));
    let repeated = |pick: fn((usize, usize)) -> usize| -> Vec<usize> {
        cells().flat_map(|(t, g)| vec![pick((t, g)); counts[t][g]]).collect()
    };
    (audit.truth, audit.given) = (repeated(|cell| cell.0), repeated(|cell| cell.1));
    audit.matches = vec![audit.matches[0]; audit.truth.len()];
    audit
}

/// ```python
/// A = np.array(AUDIT)                       # of data::synthetic, row is the digit
/// off = ~np.eye(10, dtype=bool)
/// per = [stats.chisquare(A[t][off[t]]) for t in range(10)]
/// s = sum(r.statistic for r in per); s, stats.chi2.sf(s, 80)
/// t, g = np.nonzero(off)                    # quasi-independence as a Poisson regression
/// X = np.column_stack([t == k for k in range(10)] + [g == k for k in range(1, 10)]).astype(float)
/// fit = sm.GLM(A[t, g], X, family=sm.families.Poisson()).fit(tol=1e-14, maxiter=200)
/// fit.pearson_chi2, fit.df_resid, stats.chi2.sf(fit.pearson_chi2, fit.df_resid)
/// p = A / A.sum(); (p * np.log2(p / np.outer(p.sum(1), p.sum(0)))).sum()
/// ```
#[test]
fn the_tests_of_the_labels_are_scipys() {
    let audit = with_counts(&synthetic::AUDIT);
    let close =
        |ours: f64, theirs: f64| assert!((ours / theirs - 1.0).abs() < 1e-9, "{ours} {theirs}");
    let test = audit.uniform().unwrap();
    close(test.statistic, 73.33605280368413);
    close(test.p, 0.687615855145169);
    assert_eq!(test.degrees_of_freedom, 80);
    let test = audit.independent().unwrap();
    close(test.statistic, 65.78083553403216);
    close(test.p, 0.6527911675115502);
    assert_eq!(test.degrees_of_freedom, 71);
    close(audit.information(), 0.14448042311030732);
    assert_eq!(audit.right(), 60);
    assert!(audit.in_words().contains("exactly 6 of each digit"));
    assert!(audit.in_words().contains("χ²(80) = 73.3, p = 0.688"));
}

/// Labels that depend on the digit are told from those that do not.
#[test]
fn uneven_labels_are_noticed() {
    let mut counts = [[100; 10]; 10];
    // One folder is fuller than the others: uneven, but no matter of the digit.
    (0..10).for_each(|digit| counts[digit][3] = 200);
    let audit = with_counts(&counts);
    assert!(audit.uniform().unwrap().p < 1e-6);
    assert!(audit.independent().unwrap().p > 0.999);
    assert!(audit.in_words().contains("not evenly spread"));
    // Every digit has a folder that it goes to more often.
    (0..10).for_each(|digit| counts[digit][(digit + 1) % 10] += 100);
    assert!(with_counts(&counts).independent().unwrap().p < 1e-6);
}

#[test]
#[ignore = "needs the real data: GLYPHS_DATA"]
fn the_real_dataset_3_is_mnists_training_part() {
    let (dataset3, mnist) = (Mislabelled::load().unwrap(), Mnist::load().unwrap());
    assert!(!dataset3.provenance.synthetic && !mnist.train.provenance.synthetic, "a stand-in");
    let start = Instant::now();
    let audit = Audit::of(&dataset3, &mnist.train).unwrap();
    println!("audit: {:.2?}", start.elapsed());
    println!("{}\n{}", audit.show().text(), audit.in_words());
    println!("{}", audit.uniformity().show().text());
    assert_eq!((audit.in_place(), audit.distinct()), (60_000, 60_000));
    assert_eq!(audit.right(), 60);
    assert_eq!(audit.matrix().counts, ndarray::arr2(&synthetic::AUDIT));
    assert_eq!(audit.compression.unwrap().quality, 75);
    let times = audit.times_as_far();
    assert_eq!(times.len(), 500);
    assert!(times.iter().all(|&ratio| ratio > 1.2), "{times:?}");

    // A part of both, as in a quick run, is still in the same order.
    let (part, originals) = (dataset3.take(400), mnist.train.take(400));
    assert_eq!(Audit::of(&part, &originals).unwrap().in_place(), 400);
}
