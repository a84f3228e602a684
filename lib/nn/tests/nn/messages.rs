//! What the compiler says of a network whose layers do not fit: both shapes are named.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// What the compiler says of `Network<layers>`; nothing where it accepts it.
fn compiler_says(rlib: &Path, layers: &str) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("main.rs");
    let program = format!(
        "use dfdx_conv::{{Network, dfdx, layers::*, shape::*}};\n\
         fn main() {{ let _: Network<{layers}> = Network::new(1); }}"
    );
    std::fs::write(&source, program).unwrap();
    let dependencies = rlib.parent().unwrap();
    // Where cargo was given a target, macros are built for the host, three folders up.
    let of_host = dependencies.join("../../..").join("debug/deps");
    // To an object file: some checks are made when generic code is instantiated.
    let output = Command::new(std::env::var("RUSTC").unwrap_or("rustc".into()))
        .args(["--edition=2024", "--emit=obj", "--cap-lints=allow"])
        .arg(format!("--extern=dfdx_conv={}", rlib.display()))
        .arg(format!("-Ldependency={}", dependencies.display()))
        .arg(format!("-Ldependency={}", of_host.display()))
        .current_dir(folder.path())
        .arg(source)
        .output()
        .expect("a compiler");
    (!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

/// The builds of this crate beside this test, the newest first.
fn builds() -> Vec<PathBuf> {
    let test = std::env::current_exe().unwrap();
    let files = std::fs::read_dir(test.parent().unwrap()).unwrap();
    let mut builds: Vec<_> = files
        .map(|file| file.unwrap())
        .filter(|file| {
            let name = file.file_name().to_string_lossy().into_owned();
            name.starts_with("libdfdx_conv-") && name.ends_with(".rlib")
        })
        .collect();
    builds.sort_by_key(|file| std::cmp::Reverse(file.metadata().unwrap().modified().unwrap()));
    builds.into_iter().map(|file| file.path()).collect()
}

#[test]
fn a_layer_that_does_not_fit_is_named_with_both_shapes() {
    let fits = "(Conv2d<1, 8>, ReLU, GlobalAvgPool2d, Linear<8, 10>)";
    let builds = builds();
    let usable = |rlib: &&PathBuf| compiler_says(rlib, fits).is_none();
    let rlib = builds.iter().find(usable);
    let rlib = rlib.unwrap_or_else(|| panic!("{:?}", compiler_says(&builds[0], fits)));
    for (layers, words) in [
        // Channels, of the first layer and of a later one.
        (
            "(Conv2d<3, 8>, GlobalAvgPool2d)",
            &[
                "`dfdx_conv::layers::Conv2d<3, 8>` does not take samples of shape",
                "(Const<1>, Const<28>, Const<28>)",
            ][..],
        ),
        (
            "(Conv2d<1, 8>, ReLU, Conv2d<16, 8>, GlobalAvgPool2d)",
            &["Conv2d<16, 8>", "(Const<8>, Const<28>, Const<28>)"],
        ),
        // A vector's length, and an image where a vector is needed.
        ("(Flatten<784>, Linear<700, 10>)", &["Linear<700, 10>", "Const<784>,)"]),
        ("(Conv2d<1, 8>, Linear<8, 10>)", &["Linear<8, 10>", "(Const<8>, Const<28>, Const<28>)"]),
        (
            "(Conv2d<1, 8>, Flatten<6000>, Linear<6000, 10>)",
            &["needs N = C * H * W", "Flatten<6000>", "Const<8>", "Const<28>"],
        ),
        // Sizes that a layer has no output for.
        (
            "(Conv2d<1, 8>, MaxPool2d, MaxPool2d, GlobalAvgPool2d), Image<1, 3, 3>",
            &["Const<1>` cannot be halved", "at least 2 x 2 pixels"],
        ),
        ("(Conv2d<1, 8, 4>, GlobalAvgPool2d)", &["kernel of odd size", "Conv2d<1, 8, 4>"]),
        // A skip connection around another number of channels.
        ("(Residual<Conv2d<1, 8>>, GlobalAvgPool2d)", &["expected `1`, found `8`", "Residual"]),
        // Images at the end.
        (
            "(Conv2d<1, 8>, ReLU)",
            &["expected a tuple with 1 element, found one with 3", "Const<28>"],
        ),
        // No layer at all, and a module of dfdx that is none by itself.
        (
            "(Flatten<784>, f32, Linear<784, 10>)",
            &["the layer `f32` does not take", "Const<784>,)"],
        ),
        (
            "(Flatten<784>, dfdx::nn::builders::LayerNorm1D<784>, Linear<784, 10>)",
            &["LayerNorm1D<784>", "`OnTape<M>`"],
        ),
    ] {
        let message = compiler_says(rlib, layers).expect(layers);
        // The paths of a type are written out or not, depending on its length.
        let message = message.replace("dfdx::shapes::shape::", "");
        for word in words {
            assert!(message.contains(word), "{layers}: no {word} in\n{message}");
        }
    }
}
