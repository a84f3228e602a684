//! One page with every kind of display, written to the build's temporary folder
//! (`display.html`) to be looked at, and checked for what every page needs.

use glyphs::{
    Error, Result,
    data::{Provenance, Samples},
    display::*,
    eval::{
        Evaluation, Merged,
        statistics::{Interval, KaplanMeier, Time},
    },
    nn::char_cnn,
    study::LOOKALIKES,
};
use ndarray::{Array2, Array3, Axis as Dimension};

/// A small generator, so that the page is the same every time.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as f64 / (1_u64 << 31) as f64
    }
}

/// Rings of any size and place, `each` a class.
fn samples(classes: usize, each: usize) -> Samples {
    let mut noise = Noise(3);
    let n = classes * each;
    let mut planes = Array3::zeros((n, 28, 28));
    for mut image in planes.axis_iter_mut(Dimension(0)) {
        let (cx, cy) = (10.0 + 8.0 * noise.next(), 10.0 + 8.0 * noise.next());
        let radius = 4.0 + 5.0 * noise.next();
        for ((y, x), pixel) in image.indexed_iter_mut() {
            let distance = ((x as f64 - cx).hypot(y as f64 - cy) - radius).abs();
            *pixel = (255.0 * (1.8 - distance).clamp(0.0, 1.0)) as u8;
        }
    }
    let names = ('0'..='9').chain('A'..='Z').chain('a'..='z').map(String::from);
    Samples {
        images: planes.insert_axis(Dimension(1)),
        features: Array2::zeros((n, 0)),
        labels: (0..n).map(|i| i % classes).collect(),
        writers: Vec::new(),
        names: Vec::new(),
        classes: names.take(classes).collect(),
        provenance: Provenance {
            name: "rings".into(),
            source: "generated".into(),
            sha256: "0123456789abcdef0123456789abcdef".into(),
            count: n,
            synthetic: true,
        },
    }
}

fn evaluation(samples: &Samples) -> Evaluation {
    let mut noise = Noise(7);
    let shape = (samples.len(), samples.classes.len());
    let mut logits = Array2::from_shape_fn(shape, |_| 6.0 * noise.next() as f32);
    for (i, &label) in samples.labels.iter().enumerate() {
        logits[[i, label]] += 4.2;
    }
    Evaluation::new(logits, samples).expect("logits fit the samples")
}

fn lines() -> Html {
    let mut noise = Noise(1);
    let epochs =
        |a: f64, b: f64| (1..=28).map(move |e| (f64::from(e), a - b * (-0.2 * f64::from(e)).exp()));
    let title = "Validation follows training up to epoch 20, then stays behind";
    let learning = LineChart::new(title, Axis::new("epoch"), Axis::percent("accuracy"))
        .curve("training", epochs(0.93, 0.8))
        .curve("validation", epochs(0.88, 0.6))
        .reference("the report", 0.8669);
    let loss = Axis::new("cross-entropy (nats)");
    let losses = LineChart::new("The loss of training goes on falling", Axis::new("epoch"), loss)
        .curve("training", epochs(0.05, -3.0))
        .curve("validation", epochs(0.3, -2.0));
    let mut runs = |rate: f64, top: f64| -> Vec<Vec<(f64, f64)>> {
        let mut run = |rate: f64| {
            let steps = (1..=90).map(|k| 20.0 * f64::from(k));
            let height = |step: f64| top * (1.0 - (-rate * step / 600.0).exp());
            steps.map(|step| (step, height(step) + 0.02 * noise.next() - 0.01)).collect()
        };
        (0..5).map(|k| run(rate + 0.4 * f64::from(k))).collect()
    };
    let title = "Pretraining is ahead for the first 400 steps";
    let steps = || Axis::new("step (batch of 100)").from(0.0);
    let seeds = LineChart::new(title, steps(), Axis::percent("accuracy, MNIST test set"))
        .seeds("original, random", runs(4.0, 0.985))
        .seeds("original, pretrained", runs(9.0, 0.99));
    let times = |times: [f64; 4]| {
        let reached = times.map(Time::Reached).into_iter();
        let times: Vec<Time> = reached.chain([Time::Censored(1800.0)]).collect();
        KaplanMeier::new(&times).expect("times are numbers")
    };
    let share = Axis::percent("runs at 99 % or above").from(0.0).to(1.0);
    let reached = LineChart::new("Four runs in five reach 99 %", steps(), share)
        .reached("random", &times([620.0, 900.0, 1320.0, 1500.0]))
        .reached("pretrained", &times([300.0, 420.0, 460.0, 700.0]));
    stack(&[&row(&[&learning, &losses]), &row(&[&seeds, &reached])])
}

fn rows() -> Html {
    let interval = |low, high| Some(Interval { low, high });
    let axis = Axis::new("pretrained − random (percentage points)");
    let forest = RowChart::forest("Pretraining helps early, and not at the end", axis, 0.0)
        .value_with("accuracy after epoch 1", 1.2, interval(0.6, 1.8))
        .value_with("accuracy after epoch 3", -0.02, interval(-0.11, 0.07))
        .value_with("area under the curve", 0.8, interval(0.5, 1.1));
    let axis = Axis::percent("validation accuracy").to(1.0);
    let dots = RowChart::dots("Cropping to the ink gains four points", axis)
        .value_with("squeezed", 0.861, interval(0.85, 0.872))
        .value_with("aspect kept", 0.874, interval(0.866, 0.882))
        .value_with("cropped to ink", 0.902, interval(0.893, 0.911));
    // Names this long stand above their rows.
    let axis = Axis::percent("test accuracy");
    let above = RowChart::dots("Most of the gain is that of two convolutions", axis)
        .reference("the report", 0.9725)
        .value_with("nothing carried over", 0.9695, interval(0.9673, 0.9717))
        .value_with("the first two convolutions", 0.9757, interval(0.9728, 0.9786))
        .value_with("all convolutions and the dense layer", 0.9769, interval(0.9718, 0.982));
    let axis = Axis::new("linear CKA, before against after").from(0.0).to(1.0);
    let mut layers = RowChart::dots("The trunk stays, the head moves", axis);
    for (label, fall) in [("original", 0.07), ("experimental", 0.11)] {
        layers = layers.series(label);
        let names = ["conv1", "conv2", "conv3", "conv4", "dense1", "logits"];
        for (name, k) in names.into_iter().zip(0..) {
            layers = layers.value(name, 1.0 - fall * f64::from(k));
        }
    }
    stack(&[&row(&[&forest, &dots]), &row(&[&above, &layers])])
}

fn results(samples: &Samples) -> Html {
    let result = evaluation(samples);
    let scores = result.per_class();
    let title = "Precision and recall go together";
    let pairs = scores.0.iter().map(|score| (score.recall, score.precision));
    let scatter =
        LineChart::new(title, Axis::percent("recall"), Axis::percent("precision")).dots("", pairs);
    let calibration = result.calibration(15).expect("fifteen bins");
    let merged: Result<Merged> = match samples.classes.len() {
        62 => result.merged(&LOOKALIKES),
        _ => result.merged(&["17", "49"]),
    };
    stack(&[
        &scatter,
        &row(&[&calibration.chart("Test"), &result]),
        &result.confusion().chart("Most lie on the diagonal"),
        &row(&[&result.most_confused(5).gallery(samples, 5), &scores]),
        &merged,
        &result.mistake_gallery(samples, 8),
        samples,
    ])
}

fn tables_and_pictures(samples: &Samples) -> Html {
    let network = char_cnn(1000, 10, 0, 0).summary();
    let drawing = image::RgbImage::from_fn(900, 1200, |x, y| {
        let ring = (f64::from(x) - 450.0).hypot(f64::from(y) - 600.0) - 250.0;
        image::Rgb(if ring.abs() < 40.0 { [40, 40, 60] } else { [235, 230, 220] })
    });
    let drawing = Picture::scaled(&drawing.into(), 112);
    let pairs = (0..4).map(|i| {
        let small = Picture::new(samples.image(i), 3);
        Tile::new(drawing.clone(), format!("img{i:03}.png"), "900 × 1200 to 28 × 28").then(small)
    });
    let failed: Result<Html> = Err(Error::argument("an error", "shown with its remedy"));
    stack(&[&network, &Gallery::new("Before and after", pairs), &note("An error:"), &failed])
}

fn page() -> Html {
    let (large, small) = (samples(62, 12), samples(10, 60));
    stack(&[
        &note("Lines"),
        &lines(),
        &note("Rows"),
        &rows(),
        &note("Ten classes"),
        &results(&small),
        &note("All 62 classes"),
        &results(&large),
        &note("Tables and pictures"),
        &tables_and_pictures(&large),
    ])
}

#[test]
fn every_kind_of_display_stands_on_one_page() {
    let html = page().html();
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("display.html");
    let head = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Displays</title>\
                <meta name=\"viewport\" content=\"width=device-width\">\
                <style>:root{color-scheme:light dark}\
                body{margin:1rem auto;padding:0 1rem;max-width:72rem}</style>";
    std::fs::write(&path, format!("{head}{html}")).expect("the build's folder is writable");

    assert_eq!(html.matches("<style>").count(), 1, "one style sheet a block");
    assert!(!html.contains("<script"), "no scripts");
    let addresses = html.replace("http://www.w3.org/2000/svg", "");
    assert!(!addresses.contains("http:") && !addresses.contains("https:"), "no network");
    assert!(!html.contains("NaN") && !html.contains(">inf"), "only numbers are written");
    assert!(!html.contains("could not be drawn"));
    assert!(html.contains("STAND-IN"), "a stand-in is marked");
    let charts = html.matches("role=\"img\"").count();
    assert_eq!(charts, html.matches("<desc>").count(), "every chart has words");
    assert!(charts >= 11, "{charts} charts");
    assert_eq!(html.matches("<img").count(), html.matches(" alt=\"").count());
    assert!(stylesheet().contains("--g-blue:light-dark("));
}
