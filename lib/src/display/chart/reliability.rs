//! Reliability diagrams: is a confidence of 0.9 right nine times in ten?

use plotters::style::Color;

use super::axis::Axis;
use super::figure::{Figure, Key};
use super::plot::{Frame, Plot};
use crate::display::html::{Html, Show};
use crate::display::palette::{BLUE, MUTED};
use crate::eval::Calibration;
use crate::eval::statistics::wilson;

/// Share of correct predictions against confidence, a dot a bin, with Wilson's
/// interval; the larger a dot, the more images.
#[derive(Clone, Debug, PartialEq)]
pub struct Reliability {
    title: String,
    calibration: Calibration,
}

impl Reliability {
    pub fn new(title: impl Into<String>, calibration: &Calibration) -> Self {
        Self {
            title: title.into(),
            calibration: calibration.clone(),
        }
    }

    fn figure(&self) -> Figure {
        let Calibration {
            ece,
            mce,
            confidence,
            accuracy,
            ..
        } = self.calibration;
        let words = format!(
            "Share of correct predictions against confidence. Expected calibration error {ece:.4}, \
             maximum {mce:.4}; mean confidence {confidence:.4}, accuracy {accuracy:.4}."
        );
        Figure::new(&self.title, words)
            .legend(
                Key::Dot(BLUE),
                "a bin with its 95 % interval; area: number of images",
            )
            .legend(Key::Line(MUTED, ""), "perfectly calibrated")
    }
}

impl Show for Reliability {
    fn show(&self) -> Html {
        let shares = |name: &str| Axis::percent(name).from(0.0).to(1.0);
        let (x, y) = (shares("confidence"), shares("correct"));
        let (across, up) = (x.fit(std::iter::empty(), 5), y.fit(std::iter::empty(), 5));
        let bins = || self.calibration.bins.iter().filter(|bin| bin.count > 0);
        let largest = bins().map(|bin| bin.count).max().unwrap_or(1) as f64;
        let mut frame = Frame::new((&x.name, &across), (&y.name, &up));
        (frame.width, frame.height, frame.grid) = (440, 400, (true, true));
        let draw = |plot: &mut Plot| {
            plot.line(&[(0.0, 0.0), (1.0, 1.0)], MUTED.stroke_width(5))?;
            for bin in bins() {
                let correct = (bin.accuracy * bin.count as f64).round() as usize;
                if let Ok(interval) = wilson(correct, bin.count) {
                    let ends = [
                        (bin.confidence, interval.low),
                        (bin.confidence, interval.high),
                    ];
                    plot.line(&ends, BLUE.mix(0.6).stroke_width(6))?;
                }
                let radius = (10.0 * (bin.count as f64 / largest).sqrt()).max(2.0);
                plot.dot((bin.confidence, bin.accuracy), radius, BLUE.to_rgba())?;
            }
            Ok(())
        };
        frame.draw(self.figure(), draw).html()
    }
}
