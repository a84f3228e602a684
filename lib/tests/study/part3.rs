//! Part 3's measures and its notebook's displays, on runs made up here: some that learned
//! that a label is what an image is not, some that give one answer to everything.

use glyphs::data::Samples;
use glyphs::display::{Html, Show};
use glyphs::eval::Evaluation;
use glyphs::report::part3::{self, constant_answer, digits_of_share, is_silent, taken_up};
use glyphs::study::{Experiment, Grid, Head, Init, RunResult, Seeds, Trained};
use glyphs::train::{CurvePoint, Epoch, History};
use ndarray::{Array2, Array4};

use super::records::{self, provenance};

/// Images of each digit in MNIST's test set.
const TEST: [usize; 10] = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009];

/// Images in each folder of dataset 3.
const FOLDERS: [usize; 10] = [5980, 5807, 6009, 6037, 5914, 6139, 6037, 5954, 6129, 5994];

fn test_set() -> Samples {
    with_counts(TEST)
}

fn dataset3() -> Samples {
    with_counts(FOLDERS)
}

fn with_counts(counts: [usize; 10]) -> Samples {
    let labels: Vec<usize> = (0..10).flat_map(|digit| vec![digit; counts[digit]]).collect();
    Samples {
        images: Array4::zeros((0, 1, 28, 28)),
        features: Array2::zeros((labels.len(), 0)),
        labels,
        writers: Vec::new(),
        names: Vec::new(),
        classes: (0..10).map(|digit| digit.to_string()).collect(),
        provenance: provenance(),
    }
}

/// A record; `learned` is what it took up, 0 to 1. Where that is 0 it answers 8.
fn record(head: Head, init: Init, seed: u64, learned: f64) -> RunResult {
    let accuracy = if learned == 0.0 { 0.0974 } else { 0.02 * (1.0 - learned) };
    let loss = 10_f64.ln() - learned * (10_f64.ln() - 9_f64.ln());
    let epoch = |k: usize| Epoch {
        loss: loss + 0.1 / (k * k) as f64,
        accuracy: 0.1,
        val_loss: 10_f64.ln() + 2.0 * learned,
        val_accuracy: accuracy,
        lr: 1e-3,
        seconds: 30.0,
    };
    let point = |k: usize| CurvePoint {
        step: 20 * k,
        seconds: k as f64,
        val_accuracy: 0.1 - (0.1 - accuracy) * (k as f64 / 90.0),
    };
    let mut metrics = std::collections::BTreeMap::from([
        ("train_loss".to_string(), loss),
        ("test_loss".to_string(), 10_f64.ln() + 2.0 * learned),
        ("mean_confidence".to_string(), 0.1 + 0.03 * learned),
        ("least_likely_accuracy".to_string(), 0.1 + 0.88 * learned),
    ]);
    metrics.insert("cka_block1.conv1".into(), 0.99);
    if learned > 0.0 {
        metrics.insert("cka_hidden".into(), 0.4);
    }
    for digit in 0..10 {
        let recall = if learned == 0.0 && digit == 8 { 1.0 } else { 0.0 };
        metrics.insert(format!("recall_{digit}"), recall);
    }
    RunResult {
        epochs: (1..=3).map(epoch).collect(),
        curve: (1..=90).map(point).collect(),
        test_accuracy: Some(accuracy),
        metrics,
        ..records::record(Experiment::mislabelled(head, init, seed))
    }
}

fn trained(head: Head, init: Init, learned: f64) -> Trained {
    let test = test_set();
    let shape = (test.len(), 10);
    let logits = Array2::from_shape_fn(shape, |(i, k)| {
        let noise = ((i * 31 + k * 17) % 23) as f64 / 100.0;
        let avoided = if test.labels[i] == k { 6.0 * learned } else { 0.0 };
        let always = if learned == 0.0 && k == 8 { 1.0 } else { 0.0 };
        (noise - avoided + always) as f32
    });
    let result = record(head, init, 0, learned);
    let experiment = Experiment::mislabelled(head, init, 0);
    Trained {
        model: Experiment { init: Init::Random, ..experiment.clone() }.network().unwrap(),
        experiment,
        valid: test.take(0),
        on_mnist: None,
        history: History { epochs: result.epochs.clone(), curve: result.curve.clone() },
        evaluation: Evaluation::new(logits, &test).unwrap(),
        result,
    }
}

fn grid() -> Grid {
    let seeds = |head, init, learned: [f64; 5]| {
        let runs = (0..).zip(learned);
        let runs = runs.map(|(seed, l)| record(head, init, seed, l)).collect();
        let left_out = Vec::new();
        (head, init, Seeds { runs, left_out })
    };
    Grid(vec![
        seeds(Head::Original, Init::Random, [0.0, 0.6, 0.0, 0.7, 0.5]),
        seeds(Head::Original, Init::Pretrained, [0.9, 0.8, 0.9, 0.95, 0.85]),
        seeds(Head::Experimental, Init::Random, [0.0; 5]),
        seeds(Head::Experimental, Init::Pretrained, [0.3, 0.0, 0.0, 0.2, 0.1]),
    ])
}

#[test]
fn what_a_run_took_up_is_measured_between_ln_10_and_ln_9() {
    let run = |learned| record(Head::Original, Init::Random, 0, learned);
    assert!(taken_up(&run(0.0)).unwrap().abs() < 1e-12);
    assert!((taken_up(&run(1.0)).unwrap() - 1.0).abs() < 1e-12);
    assert_eq!(constant_answer(&run(0.0)), Some(8));
    assert!(is_silent(&run(0.0)) && !is_silent(&run(0.5)));
    assert_eq!(constant_answer(&run(0.5)), None);
    let mut two = run(0.0);
    two.metrics.insert("recall_3".into(), 0.5);
    assert_eq!(constant_answer(&two), None);
    two.metrics.clear();
    assert!(!is_silent(&two));
    assert_eq!((constant_answer(&two), taken_up(&two)), (None, None));
}

/// 0.0974 is the share of 974 eights, 0.0892 that of 892 fives; 0.0039 is no digit's.
#[test]
fn accuracies_of_the_report_are_shares_of_one_digit() {
    let test = test_set();
    assert_eq!(test.len(), 10_000);
    assert_eq!(digits_of_share(0.0974, &test), [8]);
    assert_eq!(digits_of_share(0.0892, &test), [5]);
    assert_eq!(digits_of_share(0.0958, &test), [6]);
    assert!(digits_of_share(0.0039, &test).is_empty());
    let table = part3::answers_in_report(&dataset3(), &test).show().text().to_owned();
    assert!(table.contains("0.0974  8"), "{table}");
    assert!(digits_of_share(0.1, &test.take(0)).is_empty());
}

#[test]
fn findings_tell_the_runs_apart() {
    let text = part3::findings(&grid(), &dataset3(), &test_set()).text().to_owned();
    // Every second record of the first network, all of the second, three of the last.
    assert!(text.contains("Of 20 runs, 11 end below 5 %"), "{text}");
    assert!(text.contains("9 above, at 9.7 %"), "{text}");
    assert!(
        text.contains(
            "all 9 gave one answer to every image: 8. The fullest folders of dataset 3 are 5 and 8"
        ),
        "{text}"
    );
    assert!(text.contains("1 is below 5 %"), "{text}");
    assert!(text.contains("In all 9 the dense layer has fallen silent"), "{text}");
    assert!(text.contains("and 3 equal, to four decimals,"), "{text}");
    assert!(text.contains("one answer to everything: 5 or 8."), "{text}");
    assert!(!text.contains("NaN"), "{text}");

    let mut nearly = grid();
    nearly.0[2].2.runs[0].metrics.insert("recall_8".into(), 0.995);
    let text = part3::findings(&nearly, &dataset3(), &test_set()).text().to_owned();
    assert!(text.contains("all 9 gave one answer to almost every image: 8."), "{text}");

    let nothing = part3::findings(&Grid(Vec::new()), &dataset3(), &test_set()).text().to_owned();
    assert!(!nothing.contains("inf") && !nothing.contains("NaN"), "{nothing}");
}

/// A network is judged by test images where its split says so, and no cell is left empty.
#[test]
fn charts_and_tables_say_what_they_are_of() {
    let shown = trained(Head::Original, Init::Random, 0.9).chart().text().to_owned();
    assert!(
        shown.contains("% of test images classified correctly") && shown.contains("test accuracy"),
        "{shown}"
    );
    let table = part3::answers_in_report(&dataset3(), &test_set()).show().html();
    assert!(!table.contains("></td>"), "{table}");
    let words = part3::accuracies(&grid()).unwrap().text().to_owned();
    assert!(words.contains("3 of 5 (original, random), 5 of 5 (original, pretrained)"), "{words}");
    let words = part3::learned(&grid()).text().to_owned();
    let learned = "The runs below 5 % learned 10.0 to 95.0 %, the others 0.0 % of the information";
    assert!(words.contains(learned), "{words}");
    // Of the 55 pairs of eleven runs, two runs are alike.
    let words = part3::avoidance(&grid()).text().to_owned();
    let in_order = "right more often in 54, and the lower accuracy in 54: both follow the loss";
    assert!(words.contains("Of 54 pairs of the former") && words.contains(in_order), "{words}");
}

/// Written to the build's temporary folder (`part3.html`) to be looked at.
#[test]
fn every_display_of_the_notebook_can_be_drawn() {
    let (learned, stuck) = (
        trained(Head::Original, Init::Pretrained, 0.9),
        trained(Head::Experimental, Init::Random, 0.0),
    );
    let grid = grid();
    let blocks: [&dyn Show; 7] = [
        &learned.chart(),
        &stuck.chart(),
        &part3::accuracies(&grid).unwrap(),
        &part3::avoidance(&grid),
        &part3::learned(&grid),
        &part3::confusions(&learned),
        &part3::confusions(&stuck),
    ];
    let page: Html = glyphs::display::stack(&blocks);
    let html = page.html();
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("part3.html");
    let head = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Part 3</title>\
                <meta name=\"viewport\" content=\"width=device-width\">\
                <style>:root{color-scheme:light dark}\
                body{margin:1rem auto;padding:0 1rem;max-width:72rem}</style>";
    std::fs::write(path, format!("{head}{html}")).unwrap();
    assert!(!html.contains("NaN") && !html.contains(">inf"));
    assert!(!html.contains("could not be drawn"));
    assert_eq!(html.matches("role=\"img\"").count(), 8);
}
