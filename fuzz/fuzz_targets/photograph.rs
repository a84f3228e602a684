//! A photograph of so many pixels as the first two bytes say, in colours that the others give.
#![no_main]

use glyphs_fuzz::image::photograph::ink_of_photograph;
use image::{DynamicImage, RgbImage};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let [width, height, colours @ ..] = bytes else {
        return;
    };
    let (width, height) = (u32::from(*width) * 3 + 1, u32::from(*height) + 1);
    let mut pixels = vec![200; (width * height * 3) as usize];
    // Repeated, so that few bytes make an image with structure.
    for (pixel, colour) in pixels.iter_mut().zip(colours.iter().cycle()) {
        *pixel = *colour;
    }
    let image = RgbImage::from_raw(width, height, pixels).expect("as many values as pixels");
    if let Ok(ink) = ink_of_photograph(&DynamicImage::ImageRgb8(image)) {
        assert_eq!(ink.pixels.len(), ink.width * ink.height);
        assert!(ink.bounds().is_some(), "ink that is none");
        let _ = ink.without_specks().has_several_characters();
    }
});
