//! From logits to probabilities and predictions.

use ndarray::{Array2, ArrayView1, ArrayView2};

/// Row-wise `z - log Σ exp z`, computed from the row's maximum so that it cannot overflow.
pub fn log_softmax(logits: ArrayView2<f32>) -> Array2<f64> {
    let mut log_p = logits.mapv(f64::from);
    for mut row in log_p.rows_mut() {
        let max = row.fold(f64::NEG_INFINITY, |max, &z| max.max(z));
        let log_sum = max + row.fold(0.0, |sum, &z| sum + (z - max).exp()).ln();
        row -= log_sum;
    }
    log_p
}

/// Index of the largest value; of equals the first.
pub fn argmax(row: ArrayView1<f32>) -> usize {
    let better = |best: usize, i: usize| if row[i] > row[best] { i } else { best };
    (0..row.len()).fold(0, better)
}
