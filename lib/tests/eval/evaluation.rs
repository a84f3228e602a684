//! Metrics of one evaluation against scikit-learn 1.9 and numpy.

use glyphs::Result;
use glyphs::data::{Provenance, Samples};
use glyphs::eval::{Evaluation, Lookalike};
use glyphs::polars::prelude::ChunkAgg;
use glyphs::study::LOOKALIKES;
use ndarray::{Array2, Array4, arr2};
use proptest::prelude::*;

fn close(ours: f64, theirs: f64) {
    assert!((ours - theirs).abs() < 1e-6, "{ours} is not {theirs}");
}

/// Of samples without pixels.
fn from_logits(
    logits: Array2<f32>,
    labels: Vec<usize>,
    classes: Vec<String>,
) -> Result<Evaluation> {
    let samples = Samples {
        images: Array4::zeros((labels.len(), 1, 0, 0)),
        features: Array2::zeros((labels.len(), 0)),
        labels,
        writers: Vec::new(),
        names: Vec::new(),
        classes,
        provenance: Provenance {
            name: "formula".into(),
            source: "generated".into(),
            sha256: String::new(),
            count: 0,
            synthetic: true,
        },
    };
    Evaluation::new(logits, &samples)
}

fn named(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| name.to_string()).collect()
}

/// ```python
/// n, c = 12, 4; i = np.arange(n)[:, None]; k = np.arange(c)[None, :]
/// labels = (5*np.arange(n) + np.arange(n)//4) % c
/// logits = ((7*i + 3*k*k + 5*i*k) % 11)/2 - 2 + 0.01*k + 2.5*(k == labels[:, None])
/// p = np.exp(scipy.special.log_softmax(logits, axis=1))
/// pred = p.argmax(1); conf = p.max(1)
/// ```
fn evaluation() -> Evaluation {
    let labels: Vec<usize> = (0..12).map(|i| (5 * i + i / 4) % 4).collect();
    let logits = Array2::from_shape_fn((12, 4), |(i, k)| {
        let hit = if labels[i] == k { 2.5 } else { 0.0 };
        ((7 * i + 3 * k * k + 5 * i * k) % 11) as f32 / 2.0 - 2.0 + 0.01 * k as f32 + hit
    });
    let classes = named(&["0", "O", "1", "l"]);
    from_logits(logits, labels, classes).unwrap()
}

/// ```python
/// metrics.accuracy_score(labels, pred), metrics.log_loss(labels, p)
/// metrics.top_k_accuracy_score(labels, p, k=2)
/// ```
#[test]
fn accuracy_and_loss_are_scikit_learns() {
    let ours = evaluation();
    assert_eq!(ours.predictions(), [3, 1, 2, 3, 1, 2, 3, 2, 2, 3, 0, 1]);
    close(ours.accuracy(), 10.0 / 12.0);
    close(ours.loss(), 0.5140592787749604);
    close(ours.top_k_accuracy(2), 11.0 / 12.0);
    close(ours.top_k_accuracy(3), 1.0);
    close(ours.confidence()[4], 0.916322);
    assert_eq!(ours.correct().iter().filter(|hit| **hit).count(), 10);
}

/// ```python
/// low = 3 - p[:, ::-1].argmin(1)   # the last of equals
/// low, (low == labels).mean()
/// ```
#[test]
fn the_least_likely_class_is_numpys() {
    let ours = evaluation();
    assert_eq!(ours.least_likely(), [2, 3, 0, 1, 2, 0, 2, 3, 1, 2, 1, 0]);
    close(ours.least_likely_accuracy(), 0.0);

    // Equals: the first is the prediction, the last is the least likely one.
    let flat = Array2::zeros((3, 3));
    let classes = named(&["0", "1", "2"]);
    let ours = from_logits(flat, vec![0, 1, 2], classes).unwrap();
    assert_eq!((ours.predictions(), ours.least_likely()), (vec![0; 3], vec![2; 3]));
    close(ours.least_likely_accuracy(), 1.0 / 3.0);
}

/// ```python
/// metrics.confusion_matrix(labels, pred)
/// metrics.precision_recall_fscore_support(labels, pred, zero_division=0)
/// metrics.f1_score(labels, pred, average="macro")
/// ```
#[test]
fn scores_of_classes_are_scikit_learns() {
    let ours = evaluation();
    let matrix = ours.confusion();
    assert_eq!(matrix.counts, arr2(&[[1, 0, 1, 1], [0, 3, 0, 0], [0, 0, 3, 0], [0, 0, 0, 3]]));
    close(matrix.accuracy(), ours.accuracy());
    let scores = ours.per_class();
    let expected = [
        (1.0, 1.0 / 3.0, 0.5),
        (1.0, 1.0, 1.0),
        (0.75, 1.0, 0.857142857),
        (0.75, 1.0, 0.857142857),
    ];
    for (score, (precision, recall, f1)) in scores.0.iter().zip(expected) {
        close(score.precision, precision);
        close(score.recall, recall);
        close(score.f1, f1);
        assert_eq!(score.support, 3);
    }
    close(scores.macro_f1(), 0.8035714285714286);
}

/// ```python
/// M = 5; idx = np.digitize(conf, np.linspace(0, 1, M + 1), right=True) - 1
/// gap = [abs((pred[s] == labels[s]).mean() - conf[s].mean()) for s in (idx == b for b in range(M)) if s.any()]
/// share = [s.mean() for s in (idx == b for b in range(M)) if s.any()]
/// np.dot(share, gap), max(gap), ((p - np.eye(c)[labels])**2).sum(1).mean()
/// ```
#[test]
fn calibration_is_that_of_guo_et_al() {
    let ours = evaluation().calibration(5).unwrap();
    close(ours.ece, 0.2506162262259262);
    let counts: Vec<usize> = ours.bins.iter().map(|bin| bin.count).collect();
    assert_eq!(counts, [0, 1, 5, 3, 3]);
    close(ours.bins[2].confidence, 0.4655553543291597);
    close(ours.bins[2].accuracy, 0.8);
    assert!(evaluation().calibration(0).is_err());
}

#[test]
fn mistakes_and_confusions_point_to_their_images() {
    let ours = evaluation();
    let mistakes = ours.mistakes();
    assert_eq!(mistakes.iter().map(|m| m.index).collect::<Vec<_>>(), [0, 7]);
    assert_eq!((mistakes[0].truth.as_str(), mistakes[0].prediction.as_str()), ("0", "l"));
    close(mistakes[0].confidence, 0.40567471611967654);

    let pairs = ours.most_confused(10).0;
    assert_eq!(pairs.len(), 2);
    assert_eq!((pairs[0].prediction.as_str(), pairs[0].count, pairs[0].support), ("1", 1, 3));
    assert_eq!((&pairs[0].indices, &pairs[1].indices), (&vec![7], &vec![0]));
    assert_eq!(ours.most_confused(1).0.len(), 1);
}

#[test]
fn merged_classes_forgive_the_mistakes_between_them() {
    let ours = evaluation();
    // Mistakes: 0 read as l, and 0 read as 1.
    let rings = ours.merged(&["0O", "1l"]).unwrap();
    assert_eq!((rings.mistakes, rings.mistakes_before), (2, 2));
    assert_eq!(rings.groups[1].lookalike.classes, "1l");
    let reason = "one is a ring";
    let with_one = Lookalike { classes: "0l", reason };
    let with_one = ours.merged(&[with_one]).unwrap();
    assert_eq!(with_one.groups[0].lookalike.reason, reason);
    assert_eq!((with_one.mistakes, with_one.groups[0].mistakes), (1, 1));
    assert_eq!(with_one.groups[0].support, 6);
    close(with_one.accuracy, 11.0 / 12.0);
    close(with_one.accuracy_before, 10.0 / 12.0);
    assert!(ours.merged(&["0l", "l1"]).is_err(), "l is in two groups");
    assert!(ours.merged(&["0x"]).is_err(), "x is no class");
}

#[test]
fn the_groups_of_lookalikes_are_disjoint_and_name_classes() {
    let classes: Vec<char> = ('0'..='9').chain('A'..='Z').chain('a'..='z').collect();
    let mut members: Vec<char> =
        LOOKALIKES.iter().flat_map(|group| group.classes.chars()).collect();
    assert!(members.iter().all(|member| classes.contains(member)));
    let count = members.len();
    members.sort_unstable();
    members.dedup();
    assert_eq!(members.len(), count, "a class is in two groups");
    assert!(LOOKALIKES.iter().all(|group| group.reason.len() > 10));
}

#[test]
fn every_image_is_a_row_of_the_table() {
    let ours = evaluation();
    let table = ours.dataframe().unwrap();
    let names: Vec<&str> = table.get_column_names().into_iter().map(|name| name.as_str()).collect();
    assert_eq!(names, ["label", "prediction", "confidence", "loss", "correct"]);
    let text = |name: &str| table.column(name).unwrap().str().unwrap().clone();
    assert_eq!(text("label").get(0), Some("0"));
    assert_eq!(text("prediction").get(0), Some("l"));
    let numbers = |name: &str| table.column(name).unwrap().f64().unwrap().clone();
    close(numbers("loss").mean().unwrap(), ours.loss());
    close(numbers("confidence").get(4).unwrap(), 0.916322);
    assert_eq!(table.column("correct").unwrap().bool().unwrap().sum(), Some(10));

    let cells = ours.confusion().dataframe().unwrap();
    assert_eq!(cells.shape(), (16, 3));
    let counts = cells.column("count").unwrap().u64().unwrap().clone();
    assert_eq!((counts.sum(), counts.get(3)), (Some(12), Some(1)));
    let truth = cells.column("truth").unwrap().str().unwrap().clone();
    let prediction = cells.column("prediction").unwrap().str().unwrap().clone();
    assert_eq!((truth.get(3), prediction.get(3)), (Some("0"), Some("l")));
}

#[test]
fn the_loss_stays_finite_where_a_probability_rounds_to_zero() {
    let ours = from_logits(arr2(&[[500.0, -500.0]]), vec![1], named(&["a", "b"])).unwrap();
    assert_eq!(ours.loss(), 1000.0);
    assert_eq!(ours.probabilities[[0, 1]], 0.0);
}

#[test]
fn of_equal_classes_the_first_is_predicted() {
    let logits = arr2(&[[1.0, 1.0, 1.0], [0.0, 1.0, 1.0]]);
    let classes = named(&["a", "b", "c"]);
    let ours = from_logits(logits, vec![0, 2], classes).unwrap();
    assert_eq!(ours.predictions(), [0, 1]);
    assert_eq!(ours.accuracy(), 0.5);
    assert_eq!(ours.top_k_accuracy(2), 1.0);
}

#[test]
fn what_does_not_fit_is_refused_with_a_remedy() {
    let make = |logits: Array2<f32>, labels: Vec<usize>| {
        let made = from_logits(logits, labels, named(&["a", "b"]));
        made.map(|_| ()).unwrap_err().to_string()
    };
    assert!(make(Array2::zeros((0, 2)), vec![]).contains("no samples"));
    assert!(make(Array2::zeros((2, 3)), vec![0, 1]).contains("2 classes"));
    assert!(make(Array2::zeros((1, 2)), vec![2]).contains("label 2"));
    assert!(make(arr2(&[[0.0, f32::NAN]]), vec![0]).contains("diverged"));
}

proptest! {
    #[test]
    fn measures_keep_to_their_ranges(
        logits in prop::collection::vec(-30.0..30.0_f32, 60),
        labels in prop::collection::vec(0_usize..3, 20),
        bins in 1_usize..30,
    ) {
        let logits = Array2::from_shape_vec((20, 3), logits).unwrap();
        let ours = from_logits(logits, labels, named(&["a", "b", "c"])).unwrap();
        let calibration = ours.calibration(bins).unwrap();
        prop_assert_eq!(calibration.bins.iter().map(|bin| bin.count).sum::<usize>(), 20);
        prop_assert!((0.0..=1.0).contains(&calibration.ece));
        prop_assert!(ours.loss() >= 0.0);
        prop_assert!(ours.top_k_accuracy(3) == 1.0);
        prop_assert_eq!(ours.confusion().counts.sum(), 20);
        prop_assert!((ours.confusion().accuracy() - ours.accuracy()).abs() < 1e-12);
        prop_assert_eq!(ours.mistakes().len(), ours.correct().iter().filter(|hit| !**hit).count());
        for row in ours.probabilities.rows() {
            prop_assert!((row.sum() - 1.0).abs() < 1e-5);
        }
    }
}
