//! Statistics against scipy 1.17, statsmodels 0.15 and lifelines 0.30; each test
//! carries the lines that made its numbers.

use glyphs::eval::statistics::{
    Interval, KaplanMeier, Time, area_under, chi_square, difference_of_splits, holm, mean,
    mean_of_splits, prediction_interval, wilson,
};
use proptest::prelude::*;

fn close(ours: f64, theirs: f64, tolerance: f64) {
    assert!((ours - theirs).abs() <= tolerance, "{ours} is not {theirs}");
}

fn interval(ours: Interval, low: f64, high: f64) {
    close(ours.low, low, 1e-10);
    close(ours.high, high, 1e-10);
}

const A: [f64; 5] = [0.9757, 0.9761, 0.9749, 0.9772, 0.9755];
const B: [f64; 5] = [0.9740, 0.9738, 0.9751, 0.9744, 0.9729];

/// ```python
/// a = [0.9757, 0.9761, 0.9749, 0.9772, 0.9755]
/// np.mean(a), np.std(a, ddof=1)
/// stats.t.interval(0.95, 4, np.mean(a), stats.sem(a))
/// ```
#[test]
fn the_mean_has_students_interval() {
    let ours = mean(&A).unwrap();
    close(ours.mean, 0.97588, 1e-12);
    close(ours.sd.unwrap(), 0.0008555699854482779, 1e-12);
    interval(ours.interval.unwrap(), 0.974817669551125, 0.9769423304488747);

    let single = mean(&[0.5]).unwrap();
    assert_eq!((single.mean, single.sd, single.interval), (0.5, None, None));
    assert!(mean(&[]).is_err());
    assert!(mean(&[0.5, f64::NAN]).is_err());
}

/// ```python
/// b = [0.9740, 0.9738, 0.9751, 0.9744, 0.9729]
/// r = stats.ttest_rel(a, b); r.statistic, r.pvalue, r.confidence_interval(0.95)
/// d = np.array(a) - np.array(b); d.mean(), d.mean() / d.std(ddof=1)
/// ```
#[test]
fn the_paired_difference_is_scipys_ttest_rel() {
    let ours = difference_of_splits(&A, &B, 0.0).unwrap();
    close(ours.mean, 0.00184, 1e-12);
    close(ours.t, 3.390013687848792, 1e-9);
    close(ours.p, 0.027529652973251675, 1e-9);
    close(ours.d_z, 1.5160602101369303, 1e-9);
    interval(ours.interval, 0.0003330270305764594, 0.003346972969423535);

    let none = difference_of_splits(&A, &A, 0.0).unwrap();
    assert_eq!((none.t, none.p, none.d_z), (0.0, 1.0, 0.0));
    let constant = difference_of_splits(&[1.0, 2.0, 3.0], &[0.5, 1.5, 2.5], 0.0).unwrap();
    assert_eq!((constant.t, constant.p), (f64::INFINITY, 0.0));
    assert!(difference_of_splits(&A, &B[..4], 0.0).is_err());
    assert!(difference_of_splits(&A[..1], &B[..1], 0.0).is_err());
}

/// `stats.binomtest(k, n).proportion_ci(0.95, "wilson")`
#[test]
fn wilsons_interval_is_scipys() {
    interval(wilson(215, 248).unwrap(), 0.8190189029450797, 0.9036579781858393);
    interval(wilson(0, 40).unwrap(), 0.0, 0.08762160119728662);
    interval(wilson(40, 40).unwrap(), 0.9123783988027133, 1.0);
    interval(wilson(1, 3).unwrap(), 0.06149194472039626, 0.7923403991979523);
    assert!(wilson(1, 0).is_err());
    assert!(wilson(4, 3).is_err());
}

/// `multipletests([0.01, 0.04, 0.03, 0.005, 0.6], method="holm")[1]` of statsmodels
#[test]
fn holm_is_statsmodels() {
    let expected = [0.04, 0.09, 0.09, 0.025, 0.6];
    let p_values = [0.01, 0.04, 0.03, 0.005, 0.6];
    holm(&p_values).into_iter().zip(expected).for_each(|(ours, theirs)| close(ours, theirs, 1e-12));

    let with_nan = holm(&[0.01, f64::NAN, 0.6]);
    close(with_nan[0], 0.02, 1e-12);
    assert!(with_nan[1].is_nan());
    assert_eq!(with_nan[2], 0.6);
}

/// ```python
/// stats.chisquare([103, 97, 110, 90, 120, 80, 95, 105])
/// stats.chisquare([18, 22, 60], [20, 20, 60])
/// ```
#[test]
fn chi_square_is_scipys() {
    let uniform = chi_square(&[103, 97, 110, 90, 120, 80, 95, 105], &[100.0; 8], 7).unwrap();
    close(uniform.statistic, 10.68, 1e-10);
    close(uniform.p, 0.15319913427848394, 1e-10);
    assert_eq!(uniform.degrees_of_freedom, 7);
    let given = chi_square(&[18, 22, 60], &[20.0, 20.0, 60.0], 2).unwrap();
    close(given.statistic, 0.4, 1e-12);
    close(given.p, 0.8187307530779818, 1e-10);
    assert!(chi_square(&[18, 22, 60], &[20.0, 20.0, 59.0], 2).is_err(), "the sums differ");
    assert!(chi_square(&[7], &[7.0], 0).is_err());
    assert!(chi_square(&[0, 0], &[0.0; 2], 1).is_err());
}

/// ```python
/// t = [300, 420, 420, 460, 700, 900, 1800, 1800]; e = [1, 1, 0, 1, 1, 0, 1, 0]
/// sf = stats.ecdf(stats.CensoredData.right_censored(t, np.array(e) == 0)).sf
/// sf.quantiles, sf.probabilities
/// k = lifelines.KaplanMeierFitter().fit(t, e); k.event_table.at_risk, k.median_survival_time_
/// ```
#[test]
fn kaplan_meier_is_lifelines() {
    use Time::{Censored, Reached};
    let times = [
        Reached(300.0),
        Reached(420.0),
        Censored(420.0),
        Reached(460.0),
        Reached(700.0),
        Censored(900.0),
        Reached(1800.0),
        Censored(1800.0),
    ];
    let ours = KaplanMeier::new(&times).unwrap();
    let expected = [
        (300.0, 8, 0.875),
        (420.0, 7, 0.75),
        (460.0, 5, 0.6),
        (700.0, 4, 0.45),
        (900.0, 3, 0.45),
        (1800.0, 2, 0.225),
    ];
    assert_eq!(ours.steps.len(), expected.len());
    for (step, (time, at_risk, survival)) in ours.steps.iter().zip(expected) {
        assert_eq!((step.time, step.at_risk), (time, at_risk));
        close(step.survival, survival, 1e-12);
    }
    assert_eq!(ours.median(), Some(700.0));
    let most_censored = KaplanMeier::new(&[Reached(10.0), Censored(20.0), Censored(20.0)]).unwrap();
    assert_eq!(most_censored.median(), None, "fewer than half are ever there");
    assert!(KaplanMeier::new(&[]).is_err());
    assert!(KaplanMeier::new(&[Reached(f64::NAN)]).is_err());
}

#[test]
fn the_time_to_a_goal_is_censored_where_it_is_not_reached() {
    let points = [(20.0, 0.91), (40.0, 0.96), (60.0, 0.94), (80.0, 0.97)];
    assert_eq!(Time::to_reach(0.95, &points), Some(Time::Reached(40.0)));
    assert_eq!(Time::to_reach(0.98, &points), Some(Time::Censored(80.0)));
    assert_eq!(Time::to_reach(0.98, &[]), None);
}

/// `np.trapezoid([0.1, 0.6, 0.9, 0.95], [0, 20, 60, 100])`
#[test]
fn the_area_is_numpys_trapezoid() {
    close(area_under(&[(0.0, 0.1), (20.0, 0.6), (60.0, 0.9), (100.0, 0.95)]), 74.0, 1e-12);
    close(area_under(&[(3.0, 0.5)]), 0.0, 0.0);
}

proptest! {
    #[test]
    fn wilsons_interval_holds_the_share(n in 1_usize..500, part in 0.0..=1.0_f64) {
        let successes = (part * n as f64) as usize;
        let ours = wilson(successes, n).unwrap();
        prop_assert!(ours.contains(successes as f64 / n as f64));
        prop_assert!(ours.low >= 0.0 && ours.high <= 1.0);
    }

    #[test]
    fn holm_never_lowers_a_p_value_nor_changes_their_order(
        p_values in prop::collection::vec(0.0..=1.0_f64, 1..12)
    ) {
        let adjusted = holm(&p_values);
        for i in 0..p_values.len() {
            prop_assert!(adjusted[i] >= p_values[i] && adjusted[i] <= 1.0);
            for j in 0..p_values.len() {
                prop_assert!(p_values[i] > p_values[j] || adjusted[i] <= adjusted[j]);
            }
        }
    }
}

/// Nadeau and Bengio's correction, and a prediction interval:
/// ```python
/// half = stats.t.ppf(0.975, 4) * np.std(a, ddof=1)
/// half * np.sqrt(1/5 + 1/9), half * np.sqrt(1 + 1/5)
/// ```
#[test]
fn overlapping_splits_and_one_more_run_have_wider_intervals() {
    let splits = mean_of_splits(&A, 1.0 / 9.0).unwrap().interval.unwrap();
    interval(splits, 0.974555041142924, 0.9772049588570757);
    let difference = difference_of_splits(&A, &B, 0.25).unwrap();
    interval(difference.interval, -0.00042045945413531397, 0.004100459454135308);
    assert!(difference.p > difference_of_splits(&A, &B, 0.0).unwrap().p);
    interval(prediction_interval(&A).unwrap(), 0.9732778324620347, 0.978482167537965);
    assert!(prediction_interval(&[0.5]).is_err());
}
