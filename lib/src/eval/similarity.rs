//! How far a network has moved: its features by CKA, its weights by distance.

use ndarray::{Array2, ArrayView2, Axis};

use crate::{Error, Result};

/// Linear centred kernel alignment of two sets of features of the same `n`
/// inputs, `(n, p)` and `(n, q)`: ‖YᵀX‖² / (‖XᵀX‖ ‖YᵀY‖) with centred columns, 0 to 1
/// (Kornblith, Norouzi, Lee and Hinton, "Similarity of neural network
/// representations revisited", ICML 2019).
///
/// The same for features that are rotated or scaled as a whole. NaN where one
/// side does not vary at all. Works in `(n, n)` where features are more than inputs.
///
/// # Errors
/// Where the numbers of rows differ.
pub fn linear_cka(x: ArrayView2<f32>, y: ArrayView2<f32>) -> Result<f64> {
    if x.nrows() != y.nrows() {
        return Err(Error::argument(
            format!("CKA of {} inputs with {}", x.nrows(), y.nrows()),
            "show both networks the same images",
        ));
    }
    let (x, y) = (centred(x), centred(y));
    Ok(alignment(&x, &y) / (alignment(&x, &x) * alignment(&y, &y)).sqrt())
}

/// ‖after − before‖ / ‖before‖ in the Euclidean norm: 0 where nothing moved, 1
/// where the change is as long as the weights were. Infinite from all-zero weights.
///
/// # Errors
/// Where the lengths differ.
pub fn relative_distance(before: &[f32], after: &[f32]) -> Result<f64> {
    if before.len() != after.len() {
        return Err(Error::argument(
            format!("distance of {} weights to {}", before.len(), after.len()),
            "compare the same layer of two networks of one architecture",
        ));
    }
    let squares = |terms: &mut dyn Iterator<Item = f64>| terms.map(|d| d * d).sum::<f64>();
    let moved = squares(&mut before.iter().zip(after).map(|(b, a)| f64::from(a - b)));
    let length = squares(&mut before.iter().map(|&b| f64::from(b)));
    Ok(if moved == 0.0 {
        0.0
    } else {
        (moved / length).sqrt()
    })
}

fn centred(x: ArrayView2<f32>) -> Array2<f32> {
    let n = x.nrows().max(1) as f64;
    let sums = x.fold_axis(Axis(0), 0.0, |sum, &value| sum + f64::from(value));
    let mean = sums.mapv(|sum| (sum / n) as f32);
    &x - &mean
}

/// ‖YᵀX‖² in the Frobenius norm, which is also ⟨XXᵀ, YYᵀ⟩.
fn alignment(x: &Array2<f32>, y: &Array2<f32>) -> f64 {
    let n = x.nrows();
    if x.ncols() * y.ncols() <= n * n {
        let product = y.t().dot(x);
        return product.iter().map(|&v| f64::from(v).powi(2)).sum();
    }
    let (gram_x, gram_y) = (x.dot(&x.t()), y.dot(&y.t()));
    gram_x
        .iter()
        .zip(&gram_y)
        .map(|(&a, &b)| f64::from(a) * f64::from(b))
        .sum()
}
