//! Of `src/kernels/amx.rs`, within it.

use super::*;
use crate::kernels::{buffer::flat_mut, conv, pooling};

/// Whole numbers this small have no rounding: bf16 gives what 32 bits do, to the last bit.
#[test]
fn small_whole_numbers_give_the_same_sums() {
    if !available() {
        eprintln!("skipped: this processor has no AMX for bf16");
        return;
    }
    let number = |i: usize, n: usize| (i * 7 % n) as f32 - (n / 2) as f32;
    for (inputs, outputs, kernel, [height, width], pooled) in [
        (32, 32, 3, [28, 28], true),
        (64, 64, 3, [14, 14], false),
        (16, 24, 3, [6, 6], false),
        // The last tiles look beyond the image by more than two tiles.
        (16, 16, 35, [1, 31], false),
        (16, 16, 67, [2, 2], false),
    ] {
        let shape = ConvShape { inputs, outputs, kernel, stride: 1, height, width };
        let weights = outputs * inputs * kernel * kernel;
        let weight: Vec<f32> = (0..weights).map(|i| number(i, 5)).collect();
        let mut x = Buffer::zeros(shape.input_len());
        for (i, value) in flat_mut(&mut x).iter_mut().enumerate() {
            *value = number(i, 11);
        }
        let bias = vec![F32x16([3.0; 16]); shape.output_blocks()];
        let epilogue = || Epilogue { bias: &bias, relu: true, ..Epilogue::default() };
        let mut packed = Buffer::new(shape.weight_len());
        conv::pack_weights(&shape, &weight, |o| (o % 2 + 1) as f32, &mut packed);
        let mut whole = Buffer::new(shape.output_len());
        conv::conv(&shape, &x, &packed, &mut whole, epilogue());
        let mut expected = Buffer::new(whole.len() / if pooled { 4 } else { 1 });
        match pooled {
            true => pooling::pool(height, width, false, &whole, &mut expected),
            false => expected.copy_from_slice(&whole),
        }
        let weights = Weights::of_conv(&shape, &weight, |o| (o % 2 + 1) as f32);
        let mut found = Buffer::zeros(expected.len());
        super::conv(&shape, &x, &weights, epilogue(), pooled, &mut found);
        assert!(found[..] == expected[..], "{shape:?}");
    }
    for (batch, inputs, units) in [(1, 100, 10), (70, 64, 62), (33, 50, 1000)] {
        let x: Vec<f32> = (0..batch * inputs).map(|i| number(i, 11)).collect();
        let weight: Vec<f32> = (0..units * inputs).map(|i| number(i, 5)).collect();
        let mut found = vec![0.0; batch * units];
        dense(&x, batch, &Weights::of_dense(&weight, units), &mut found);
        let expected = |i: usize| -> f32 {
            let (row, unit) = (i / units, i % units);
            (0..inputs).map(|k| x[row * inputs + k] * weight[unit * inputs + k]).sum()
        };
        assert!(found.iter().enumerate().all(|(i, value)| *value == expected(i)));
    }
}

#[test]
fn rounding_to_the_nearest() {
    let rounded = |x: f32| f32::from_bits(u32::from(bf16(x)) << 16);
    let step = 1.0 / 128.0;
    // Half-way between two, the even one.
    for (steps, nearest) in [(0.0, 0.0), (0.5, 0.0), (0.6, 1.0), (1.5, 2.0), (2.5, 2.0)] {
        assert_eq!(rounded(1.0 + steps * step), 1.0 + nearest * step);
    }
    assert!(rounded(f32::NAN).is_nan() && rounded(f32::from_bits(0x7fff_ffff)).is_nan());
    assert_eq!(rounded(f32::INFINITY), f32::INFINITY);
}
