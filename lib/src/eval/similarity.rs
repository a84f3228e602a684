//! How far a network has moved: its features by CKA, its weights by distance.

use ndarray::{Array2, ArrayView2, Axis};

use crate::{Result, error::ensure};

/// Linear centred kernel alignment of two sets of features of the same `n` inputs,
/// `(n, p)` and `(n, q)` (Kornblith, Norouzi, Lee and Hinton, "Similarity of neural network
/// representations revisited", ICML 2019), with the unbiased estimator (Song et al.,
/// "Feature selection via dependence maximization", JMLR 2012; for networks: Nguyen, Raghu
/// and Kornblith, ICLR 2021): about 0 for unrelated features of any width, at most 1, and a
/// little below 0 by chance.
///
/// The same for features that are rotated or scaled as a whole. NaN where one side does not
/// vary at all.
///
/// # Errors
/// Where the numbers of rows differ or are below 4.
pub fn debiased_cka(x: ArrayView2<f32>, y: ArrayView2<f32>) -> Result<f64> {
    let (n, m) = (x.nrows(), y.nrows());
    ensure(
        n == m && n >= 4,
        || format!("CKA of features of {n} inputs with those of {m}"),
        "show both networks the same images, a few hundred of them",
    )?;
    let [x, y] = [x, y].map(|features| {
        let features = centred(features);
        let mut gram = features.dot(&features.t());
        gram.diag_mut().fill(0.0);
        gram
    });
    Ok(hsic(&x, &y) / (hsic(&x, &x) * hsic(&y, &y)).sqrt())
}

/// ‖after − before‖ / ‖before‖ in the Euclidean norm: 0 where nothing moved, 1
/// where the change is as long as the weights were. Infinite from all-zero weights.
///
/// # Errors
/// Where the lengths differ.
pub fn relative_distance(before: &[f32], after: &[f32]) -> Result<f64> {
    ensure(
        before.len() == after.len(),
        || format!("distance of {} weights to {}", before.len(), after.len()),
        "compare the same layer of two networks of one architecture",
    )?;
    let squares = |terms: &mut dyn Iterator<Item = f64>| terms.map(|d| d * d).sum::<f64>();
    let moved = squares(&mut before.iter().zip(after).map(|(b, a)| f64::from(a - b)));
    let length = squares(&mut before.iter().map(|&b| f64::from(b)));
    // Of nothing that moved nowhere: 0.
    Ok(if moved == 0.0 { 0.0 } else { (moved / length).sqrt() })
}

fn centred(x: ArrayView2<f32>) -> Array2<f32> {
    let n = x.nrows().max(1) as f64;
    let sums = x.fold_axis(Axis(0), 0.0, |sum, &value| sum + f64::from(value));
    let mean = sums.mapv(|sum| (sum / n) as f32);
    &x - &mean
}

fn inner(a: &Array2<f32>, b: &Array2<f32>) -> f64 {
    let products = a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b));
    products.sum()
}

/// The unbiased estimator of the Hilbert-Schmidt independence criterion from two
/// Gram matrices `(n, n)` with empty diagonals, but for its factor 1 / n(n − 3).
fn hsic(k: &Array2<f32>, l: &Array2<f32>) -> f64 {
    let n = k.nrows() as f64;
    let sums = |gram: &Array2<f32>| gram.fold_axis(Axis(1), 0.0, |sum, &g| sum + f64::from(g));
    let (k_rows, l_rows) = (sums(k), sums(l));
    let means = k_rows.sum() * l_rows.sum() / ((n - 1.0) * (n - 2.0));
    inner(k, l) + means - 2.0 / (n - 2.0) * k_rows.dot(&l_rows)
}
