//! What a network sees: its first filters, its feature maps, where it looks, and how its last
//! hidden layer lays images out.

use ndarray::{Array1, Array2, Array3, ArrayView2, Axis as Along, s};

use super::{
    chart::{Axis, LineChart},
    evaluation::range,
    gallery::{Gallery, Tile},
    html::{Html, note, stack},
    picture::Picture,
};
use crate::{
    Error, Result,
    data::Samples,
    eval::Lookalike,
    nn::{Classifier, LayerSpec, shape::Dims},
    train::{activations, evaluate},
};

/// Feature maps of one layer that are shown.
const MAPS: usize = 8;
/// Side of the square that hides a part of the image, in pixels.
const PATCH: usize = 7;
/// Steps of the power iteration: the two largest components are apart after far fewer.
const STEPS: usize = 100;

/// The filters of the first convolution, each scaled to its own range: dark is negative. The title
/// counts those whose weights sum to less than a quarter of their sizes.
///
/// # Errors
/// If the network's first layer with weights is not a convolution of one channel.
pub fn filters(model: &dyn Classifier) -> Result<Gallery> {
    let tensors = model.tensors();
    let first = tensors.iter().find(|tensor| tensor.shape.len() == 4);
    let first = first.map(|tensor| (tensor.shape.as_slice(), tensor.values));
    let Some((&[count, 1, height, width], values)) = first else {
        return Err(Error::argument(
            "a network without a first convolution of grey images",
            "show the filters of a network that begins with Conv2d<1, ..>",
        ));
    };
    let each = values.chunks_exact(height * width).map(|filter| {
        let most = filter.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
        let grey = |i: usize| (127.5 + 127.5 * filter[i] / most.max(f32::MIN_POSITIVE)) as u8;
        Array3::from_shape_fn((1, height, width), |(_, y, x)| grey(y * width + x))
    });
    let each: Vec<Array3<u8>> = each.collect();
    let rows = each.chunks(8).zip(0..).map(|(row, i)| {
        side_by_side(row, 8, format!("filters {} to {}", 8 * i + 1, 8 * i + row.len()), "")
    });
    let cancels = |filter: &&[f32]| {
        let sizes: f32 = filter.iter().map(|value| value.abs()).sum();
        filter.iter().sum::<f32>().abs() < sizes / 4.0
    };
    let cancelling = values.chunks_exact(height * width).filter(cancels).count();
    let title = format!(
        "In {cancelling} of {count} filters, positive and negative weights nearly cancel: their sum \
         is less than a quarter of the sum of their sizes"
    );
    Ok(Gallery::new(title, rows))
}

/// The first feature maps of each layer for one image, each over its own range.
///
/// # Errors
/// Where the network takes other images.
///
/// # Panics
/// Where there is no image of that index.
pub fn feature_maps(model: &dyn Classifier, samples: &Samples, index: usize) -> Result<Gallery> {
    let image = samples.select(&[index]);
    let side = image.image_shape()[1];
    let input = Picture::new(image.image(0), 3);
    let mut tiles = vec![Tile::new(input, "image", name(&image, 0))];
    let mut last = (side, side);
    let layers: Vec<&LayerSpec> = model.layers().iter().flat_map(LayerSpec::flattened).collect();
    for (layer, values) in activations(model, &image)? {
        let spec = layers.iter().find(|spec| spec.name == layer);
        let Some(Dims::Image { height, width, channels }) = spec.map(|spec| spec.output) else {
            continue;
        };
        let shape = (channels, height, width);
        let Ok(maps) = values.into_shape_with_order(shape) else {
            continue;
        };
        let grey: Vec<Array3<u8>> = maps.outer_iter().take(MAPS).map(stretched).collect();
        let size = format!("{} maps of {} × {}", shape.0, shape.1, shape.2);
        tiles.push(side_by_side(&grey, (2 * side / shape.1).max(1), layer, size));
        last = (shape.1, shape.2);
    }
    let title = format!(
        "“{}” on its way through the layers, from {side} × {side} to {} × {}: the first maps of \
         each",
        name(&image, 0),
        last.0,
        last.1
    );
    Ok(Gallery::new(title, tiles))
}

/// Apart from one another, as grey means zero in a filter.
fn side_by_side(
    images: &[Array3<u8>],
    zoom: usize,
    caption: impl Into<String>,
    detail: impl Into<String>,
) -> Tile {
    let pictures = images.iter().map(|image| Picture::new(image.view(), zoom)).collect();
    Tile { pictures, caption: caption.into(), detail: detail.into() }
}

/// Where the network looks: beside each image, how much less probable its own answer becomes
/// when a square of 7 x 7 pixels around a pixel is hidden; the brightest part matters most
/// (M. Zeiler and R. Fergus, "Visualizing and understanding convolutional networks", ECCV 2014).
/// The title says how much that part costs, from the least to the most.
///
/// # Errors
/// Where the network takes other images.
///
/// # Panics
/// Where there is no image of one of the `indices`.
pub fn occlusion(model: &dyn Classifier, samples: &Samples, indices: &[usize]) -> Result<Gallery> {
    let (mut tiles, mut costs) = (Vec::new(), Vec::new());
    for &index in indices {
        let [_, height, width] = samples.image_shape();
        let mut hidden = samples.select(&vec![index; height * width + 1]);
        for (pixel, mut image) in hidden.images.outer_iter_mut().take(height * width).enumerate() {
            let around =
                |at: usize, end: usize| at.saturating_sub(PATCH / 2)..(at + PATCH / 2 + 1).min(end);
            let (rows, columns) = (around(pixel / width, height), around(pixel % width, width));
            image.slice_mut(s![.., rows, columns]).fill(0);
        }
        let seen = evaluate(model, &hidden)?;
        let read = seen.predictions()[height * width];
        let of_reading = seen.probabilities.column(read);
        let confidence = of_reading[height * width];
        let lost = of_reading.slice(s![..height * width]).mapv(|p| confidence - p);
        let Ok(lost) = lost.into_shape_with_order((height, width)) else {
            continue;
        };
        let most = lost.fold(0.0, |most: f32, &cost| most.max(cost));
        costs.push((100.0 * most).round() as usize);
        let image = Picture::new(samples.image(index), 4);
        let caption = format!("{} read as {}", name(samples, index), samples.classes[read]);
        let detail = format!("confidence {:.0} %", 100.0 * confidence);
        let tile = Tile::new(image, caption, detail);
        tiles.push(tile.then(Picture::new(stretched(lost.view()).view(), 4)));
    }
    let title = format!(
        "Hiding the part that matters most (bright) costs an answer {} points of its probability",
        range(&costs)
    );
    Ok(Gallery::new(title, tiles))
}

/// The images of some groups of classes, the name of its class for each, by the first two principal
/// components of the last hidden layer; in words, how much of its variance these two hold.
///
/// # Errors
/// Where the network takes other images, or has no hidden layer.
pub fn embedding(model: &dyn Classifier, samples: &Samples, groups: &[Lookalike]) -> Result<Html> {
    let layers = activations(model, samples)?;
    let Some((layer, hidden)) = layers.len().checked_sub(2).and_then(|i| layers.get(i)) else {
        return Err(Error::argument(
            "a network without a hidden layer",
            "show the layout of one that has a layer before its last",
        ));
    };
    let centred = hidden - &hidden.mean_axis(Along(0)).unwrap_or_default();
    let first = component(&centred);
    let x = centred.dot(&first);
    // Without the first component, the second is the largest.
    let rest = &centred - &x.view().insert_axis(Along(1)).dot(&first.insert_axis(Along(0)));
    let y = rest.dot(&component(&rest));
    let of = |part: &Array1<f32>| part.dot(part) / centred.iter().map(|v| v * v).sum::<f32>();
    let group_of = |i: usize| {
        let mut of_groups = groups.iter();
        of_groups.position(|group| group.classes.contains(name(samples, i)))
    };
    let (mut shown, mut alike, mut by_chance) = (0, 0, 0.0);
    for i in (0..samples.len()).filter(|&i| group_of(i).is_some()) {
        let others = || (0..samples.len()).filter(move |&j| j != i);
        let is_alike =
            |j: usize| name(samples, j) != name(samples, i) && group_of(j) == group_of(i);
        let distance = |j: usize| (&hidden.row(i) - &hidden.row(j)).mapv(|x| x * x).sum();
        let nearest = others().min_by(|&a, &b| distance(a).total_cmp(&distance(b)));
        shown += 1;
        alike += usize::from(nearest.is_some_and(is_alike));
        by_chance += others().filter(|&j| is_alike(j)).count() as f64 / others().count() as f64;
    }
    let title = format!(
        "For {alike} of {shown} images the nearest one in layer “{layer}” is a look-alike; chance \
         would give {by_chance:.1}"
    );
    let mut chart =
        LineChart::new(title, Axis::new("first component"), Axis::new("second component"));
    for group in groups {
        let inside = |&i: &usize| group.classes.contains(&samples.classes[samples.labels[i]]);
        let images = (0..samples.len()).filter(inside);
        let words = |i| (f64::from(x[i]), f64::from(y[i]), name(samples, i).to_owned());
        let names: Vec<String> = group.classes.chars().map(String::from).collect();
        chart = chart.words(names.join(" "), images.map(words));
    }
    let shown = format!(
        "The two directions shown hold {:.0} % of the variance in that layer.",
        100.0 * (of(&x) + of(&y))
    );
    Ok(stack(&[&chart, &note(&shown)]))
}

/// The direction of the largest variance, by power iteration.
fn component(rows: &Array2<f32>) -> Array1<f32> {
    let mut direction = Array1::from_shape_fn(rows.ncols(), |i| 1.0 + (i % 7) as f32);
    for _ in 0..STEPS {
        direction = rows.t().dot(&rows.dot(&direction));
        let length = direction.dot(&direction).sqrt();
        direction /= length.max(f32::MIN_POSITIVE);
    }
    direction
}

fn name(samples: &Samples, index: usize) -> &str {
    &samples.classes[samples.labels[index]]
}

/// Black at 0, white at the largest.
fn stretched(map: ArrayView2<f32>) -> Array3<u8> {
    let most = map.fold(f32::MIN_POSITIVE, |most, &value| most.max(value));
    let grey = map.mapv(|value| (255.0 * value.max(0.0) / most) as u8);
    grey.insert_axis(Along(0))
}
