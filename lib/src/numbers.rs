//! Numbers as they are written, the same everywhere.

pub use dfdx_conv::format_count;

/// For serde: a value that need not be written.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// `1 image`, or `12,345 images`
pub fn format_counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", format_count(count))
}

/// `−1.84`, with a minus sign that no line breaks at.
pub fn format_number(value: f64, decimals: usize) -> String {
    let decimals = decimals_of(value, decimals);
    format!("{value:.decimals$}").replace('-', "−")
}

/// `+1.84`, or `−1.84`
pub fn format_signed(value: f64, decimals: usize) -> String {
    let decimals = decimals_of(value, decimals);
    format!("{value:+.decimals$}").replace('-', "−")
}

/// As many as it takes to show on which side of 0 a value below it lies, at most two more.
fn decimals_of(value: f64, decimals: usize) -> usize {
    let is_shown =
        |&decimals: &usize| value >= 0.0 || value.abs() >= 0.5 / 10_f64.powi(decimals as i32);
    (decimals..decimals + 3).find(is_shown).unwrap_or(decimals)
}

/// `p = 0.032`, or `p < 0.001`
pub fn format_p(p: f64) -> String {
    if p < 0.001 { "p < 0.001".to_owned() } else { format!("p = {p:.3}") }
}
