//! A photograph of the size that the first two bytes say, in colours that the others give.
#![no_main]

use glyphs_fuzz::image::photograph::ink_of_photograph;
use image::{DynamicImage, RgbImage};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let [width, height, colours @ ..] = bytes else {
        return;
    };
    // From 1 to 700, and half of them below 27: small images find as much, and take less time.
    let [width, height] = [width, height].map(|&byte| 2f32.powf(f32::from(byte) / 27.0) as u32);
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
