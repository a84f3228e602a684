//! What grey images of 28 x 28 become is the same in every bit as at ce7c02c, which made the
//! published checkpoints; and so are the words in which records and checkpoints say how.

use std::io::Cursor;
use std::path::Path;

use glyphs::data::archive::sha256;
use glyphs::data::decode::{Grey, decode_grey};
use glyphs::data::synthetic::{Writer, digit, page};
use glyphs::image::preprocess::preprocess;
use glyphs::image::{Augment, Centre, CropToInk, Ink, Preprocess};
use image::{DynamicImage, ImageFormat, RgbaImage};
use ndarray::ArrayView3;

fn bits(values: &[f32]) -> impl Iterator<Item = u8> {
    values.iter().flat_map(|value| value.to_bits().to_le_bytes())
}

fn ways() -> [Preprocess; 5] {
    let stretched = CropToInk { box_size: 26.5, centre: Centre::Mass, stretch: true };
    [
        Preprocess::squeeze(),
        Preprocess::keep_aspect(),
        Preprocess::default(),
        CropToInk::mnist().into(),
        stretched.into(),
    ]
}

#[test]
fn distortions() {
    let (mild, none) = (Augment::default(), Augment::none());
    let augments = [
        mild,
        mild.times(1.7),
        Augment { elastic: 0.0, ..mild },
        Augment { rotation: 20.0, smoothness: 2.5, ..none },
        Augment { elastic: 40.0, smoothness: 9.0, ..none },
    ];
    let mut all = Vec::new();
    for (augment, epoch) in augments.iter().zip(0..) {
        for index in 0..60 {
            let image = digit(&Writer::new(3, index % 7), index as usize % 10, index);
            let image = image.map(|value| f32::from(value) / 255.0);
            let image = ArrayView3::from_shape((1, 28, 28), &image).unwrap();
            let mut out = vec![0.0; 784];
            augment.apply(image, &mut out, 11, epoch, index);
            all.extend(bits(&out));
        }
    }
    assert_eq!(sha256(&all), "63e0929d010dbfb1d0f62f41f5762112204c1ed88c2316542e7f6b6409392955");
}

#[test]
fn preprocessed_pages() {
    let mut all = Vec::new();
    for label in 0..62 {
        let pixels: Vec<u8> = page(&Writer::new(9, label as u64 % 5), label)
            .into_iter()
            .enumerate()
            .map(|(i, ink)| match ink {
                true => (i % 40) as u8,
                false => 255 - (i % 23) as u8,
            })
            .collect();
        for way in &ways() {
            let grey = Grey { width: 1200, height: 900, pixels: pixels.clone() };
            let done = preprocess(Ink::of(grey), way).unwrap();
            all.extend(done.pixels);
            all.extend(bits(&done.features));
        }
    }
    assert_eq!(sha256(&all), "07eff62af9bd8c9ba0af022909be17349761debc288ea22d7d6342b46ea5d415");
}

#[test]
fn decoded_images() {
    let mut state = 1_u32;
    let noise = (0..37 * 23 * 4).map(|_| {
        state = state.wrapping_mul(1664525).wrapping_add(1013904223);
        (state >> 24) as u8
    });
    let rgba: DynamicImage = RgbaImage::from_raw(37, 23, noise.collect()).unwrap().into();
    let kinds: [DynamicImage; 6] = [
        rgba.clone(),
        rgba.to_rgb8().into(),
        rgba.to_luma8().into(),
        rgba.to_luma_alpha8().into(),
        rgba.to_rgb16().into(),
        rgba.to_rgba16().into(),
    ];
    let mut all = Vec::new();
    for image in kinds {
        let mut file = Cursor::new(Vec::new());
        image.write_to(&mut file, ImageFormat::Png).unwrap();
        all.extend(decode_grey(Path::new("x"), file.get_ref()).unwrap().pixels);
    }
    assert_eq!(sha256(&all), "65ad8c2e1e87abfe912ba406200cb0f4dc7aa3926f758c35140409f63ffc26e0");
}

#[test]
fn written_preprocessing() {
    let usual = [
        r#""squeeze""#,
        r#""keep_aspect""#,
        r#"{"crop_to_ink":{"box_size":24.0,"centre":"box","stretch":false}}"#,
        r#"{"crop_to_ink":{"box_size":20.0,"centre":"mass","stretch":false}}"#,
        r#"{"crop_to_ink":{"box_size":26.5,"centre":"mass","stretch":true}}"#,
    ];
    for (way, words) in ways().iter().zip(usual) {
        assert_eq!(serde_json::to_string(way).unwrap(), words);
        assert_eq!(serde_json::from_str::<Preprocess>(words).unwrap(), *way);
        for way in [way.side(56), way.rgb(), way.side(32).rgb()] {
            let words = serde_json::to_string(&way).unwrap();
            assert_eq!(serde_json::from_str::<Preprocess>(&words).unwrap(), way);
        }
    }
    let words = serde_json::to_string(&Preprocess::keep_aspect().side(32).rgb()).unwrap();
    assert_eq!(words, r#"{"method":"keep_aspect","side":32,"rgb":true}"#);
    assert!(
        serde_json::from_str::<Preprocess>(r#"{"method":"guess","side":32,"rgb":true}"#).is_err()
    );
}
