//! The figures of the 2021 report, as text and as the notebooks refer to them.

use glyphs::report::reference_2021::{self, PART1};
use glyphs::study::{Head, Init, networks};

#[test]
fn every_run_of_the_2021_report_is_there() {
    assert_eq!((PART1.accuracy, PART1.val_accuracy), (0.8827, 0.8669));
    let last = reference_2021::last(2, Head::Experimental, Init::Pretrained).unwrap();
    assert_eq!((last.accuracy, last.val_accuracy), (0.9732, 0.9911));
    for (head, init) in networks() {
        for part in [2, 3] {
            let epochs = reference_2021::epochs(part, head, init);
            assert_eq!(epochs.len(), 3);
            assert!(epochs.iter().all(|epoch| epoch.val_loss > 0.0));
        }
    }
    assert!(reference_2021::epochs(1, Head::Experimental, Init::Random).is_empty());
    assert_eq!(reference_2021::hours(), 17.9);
}
