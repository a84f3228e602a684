//! What the original reported stands in two places: `workflow/original.json`, which the
//! pages read, and `study::original`, which the notebooks do. They must agree.

use glyphs::study::{Head, Init, original::reported};
use serde_json::Value;

#[test]
fn the_last_epochs_are_those_of_the_pages() {
    let rows: Vec<Value> =
        serde_json::from_str(include_str!("../../workflow/original.json")).unwrap();
    for part in [2, 3] {
        for (head, init) in Head::ALL
            .into_iter()
            .flat_map(|head| Init::ALL.map(|init| (head, init)))
        {
            let epochs = reported(part, head, init);
            let row = rows
                .iter()
                .find(|row| {
                    row["part"] == part
                        && row["network"] == head.name()
                        && row["init"] == init.name()
                })
                .unwrap();
            assert_eq!(row["epochs_trained"], epochs.len());
            let last = epochs.last().unwrap();
            assert_eq!(row["accuracy"], last.accuracy);
            assert_eq!(row["val_accuracy"], last.val_accuracy);
        }
    }
    assert!(reported(1, Head::Original, Init::Random).is_empty());
}
