//! CKA and distances against numpy.

use glyphs::eval::similarity::{debiased_cka, relative_distance};
use ndarray::Array2;

/// Few features, and more features than inputs.
fn features() -> (Array2<f32>, Array2<f32>) {
    let x = Array2::from_shape_fn((6, 3), |(i, k)| ((3 * i + k * i * i) % 7) as f32);
    let y = Array2::from_shape_fn((6, 9), |(i, k)| ((5 * i + k * k * i + 2 * k) % 8) as f32);
    (x, y)
}

/// ```python
/// def hsic(K, L):
///     n = len(K); K = K - np.diag(np.diag(K)); L = L - np.diag(np.diag(L)); o = np.ones(n)
///     return np.trace(K @ L) + o@K@o * (o@L@o) / (n - 1) / (n - 2) - 2 / (n - 2) * (o@K@L@o)
/// i = np.arange(6)[:, None]; k = np.arange(9)
/// x = (3*i + np.arange(3)*i*i) % 7.0; y = (5*i + k**2*i + 2*k) % 8.0
/// x -= x.mean(0); y -= y.mean(0)
/// K, L = x @ x.T, y @ y.T
/// hsic(K, L) / np.sqrt(hsic(K, K) * hsic(L, L))
/// ```
#[test]
fn the_debiased_cka_is_the_papers_formula() {
    let (x, y) = features();
    let ours = debiased_cka(x.view(), y.view()).unwrap();
    assert!((ours - 0.007198649801644059).abs() < 1e-5, "{ours}");
    let same = debiased_cka(x.view(), x.view()).unwrap();
    assert!((same - 1.0).abs() < 1e-6, "{same}");
    assert!(debiased_cka(x.slice(ndarray::s![..3, ..]), y.slice(ndarray::s![..3, ..])).is_err());
}

#[test]
fn unrelated_wide_features_are_not_alike() {
    let mut state = 1_u64;
    let mut noise = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 40) as f32 / (1 << 24) as f32 - 0.5
    };
    let x = Array2::from_shape_fn((60, 3000), |_| noise());
    let y = Array2::from_shape_fn((60, 3000), |_| noise());
    assert!(debiased_cka(x.view(), y.view()).unwrap().abs() < 0.1);
}

#[test]
fn cka_does_not_see_rotation_scale_or_shift() {
    let (x, _) = features();
    let (sin, cos) = 0.7_f32.sin_cos();
    let rotation = ndarray::arr2(&[[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]]);
    let rotated = x.dot(&rotation) * 3.0 + 11.0;
    let same = debiased_cka(x.view(), rotated.view()).unwrap();
    assert!((same - 1.0).abs() < 1e-4, "{same}");
    let stretched = &x * &ndarray::arr1(&[1.0, 5.0, 0.1]);
    assert!(debiased_cka(x.view(), stretched.view()).unwrap() < 0.95);
}

#[test]
fn cka_needs_the_same_inputs_and_some_variation() {
    let (x, y) = features();
    assert!(debiased_cka(x.view(), y.slice(ndarray::s![..5, ..])).is_err());
    let constant = Array2::<f32>::ones((6, 2));
    assert!(debiased_cka(x.view(), constant.view()).unwrap().is_nan());
}

#[test]
fn the_distance_is_relative_to_the_start() {
    let near = |ours: f64, expected: f64| assert!((ours - expected).abs() < 1e-7, "{ours}");
    near(relative_distance(&[3.0, 4.0], &[3.0, 4.0]).unwrap(), 0.0);
    near(relative_distance(&[3.0, 4.0], &[0.0, 0.0]).unwrap(), 1.0);
    near(relative_distance(&[3.0, 4.0], &[3.0, 9.0]).unwrap(), 1.0);
    near(relative_distance(&[3.0, 4.0], &[4.5, 6.0]).unwrap(), 0.5);
    assert!(relative_distance(&[0.0], &[1.0]).unwrap().is_infinite());
    assert!(relative_distance(&[1.0, 2.0], &[1.0]).is_err());
}
