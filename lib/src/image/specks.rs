//! Stray marks: a pen set down beside the character.

use super::Ink;

/// A mark with a smaller share of the ink than this may be a speck.
const MAX_SHARE: f64 = 0.15;

/// Strokes of one character are no farther apart than these shares of the longest one: beside and
/// above each other, where the bars of an E or the line under a 1 may stand alone.
const MAX_GAP: [f32; 2] = [0.15, 0.5];

/// What hangs together, in blocks: how many, and the rows and columns from first to last.
pub(super) struct Mark {
    pub blocks: Vec<usize>,
    pub rows: [usize; 2],
    pub columns: [usize; 2],
}

impl Mark {
    /// Rows and columns that it spans.
    pub fn extents(&self) -> [usize; 2] {
        [self.rows, self.columns].map(|[first, last]| last + 1 - first)
    }

    /// Of the rows and columns that it spans, the more.
    pub fn longest(&self) -> usize {
        self.extents().into_iter().max().unwrap_or(0)
    }

    /// Whether it does not reach the border of an image of so many blocks.
    pub fn is_clear(&self, columns: usize, rows: usize) -> bool {
        self.sides(columns, rows) == 0
    }

    /// How many borders of an image of so many blocks it reaches.
    pub fn sides(&self, columns: usize, rows: usize) -> usize {
        ends_reached(self.rows, rows) + ends_reached(self.columns, columns)
    }

    /// The width of its strokes, as [`Ink::stroke_width`].
    pub fn stroke_width(&self, columns: usize) -> f32 {
        let [height, width] = self.extents();
        let mut pixels = vec![0; (height + 2) * (width + 2)];
        for block in &self.blocks {
            let (y, x) = (block / columns - self.rows[0], block % columns - self.columns[0]);
            pixels[(y + 1) * (width + 2) + x + 1] = 255;
        }
        Ink { width: width + 2, height: height + 2, pixels }.stroke_width()
    }

    /// Whether it is a filled disc, or an ellipse nearly as wide as high.
    pub fn is_disc(&self, columns: usize) -> bool {
        let [height, width] = self.extents().map(|extent| extent as f32);
        let is_within = |&&block: &&usize| {
            let y = (block / columns - self.rows[0]) as f32 + 0.5;
            let x = (block % columns - self.columns[0]) as f32 + 0.5;
            (2.0 * y / height - 1.0).powi(2) + (2.0 * x / width - 1.0).powi(2) <= 1.0
        };
        let within = self.blocks.iter().filter(is_within).count() as f32;
        let outside = self.blocks.len() as f32 - within;
        let ellipse = std::f32::consts::FRAC_PI_4 * height * width;
        0.7 * width < height
            && 0.7 * height < width
            && outside + (ellipse - within).abs() < 0.12 * ellipse
    }

    /// Whether nearly all of it lies along the sides of the rectangle around it, as a printed box
    /// does, and no letter. `columns` is the number of blocks in a row of the image.
    pub fn is_box(&self, columns: usize) -> bool {
        let [height, width] = self.extents();
        let lies_along = |&&block: &&usize| {
            let (y, x) = (block / columns - self.rows[0], block % columns - self.columns[0]);
            12 * x.min(width - 1 - x) < width || 12 * y.min(height - 1 - y) < height
        };
        10 * self.blocks.iter().filter(lies_along).count() > 9 * self.blocks.len()
    }
}

/// How many ends of `0..size` a range reaches.
fn ends_reached([first, last]: [usize; 2], size: usize) -> usize {
    usize::from(first == 0) + usize::from(last + 1 == size)
}

impl Ink {
    /// Wipes out small marks that lie neither above nor below nor beside the largest
    /// one, but off its corners: nine of the 2,480 drawings have a dot there, and it
    /// would shift and shrink the character. The dots of i and j stay.
    pub fn without_specks(mut self) -> Self {
        let (marks, size) = self.marks();
        let columns = self.width.div_ceil(size);
        let Some(main) = marks.iter().max_by_key(|mark| mark.blocks.len()) else {
            return self;
        };
        let total: usize = marks.iter().map(|mark| mark.blocks.len()).sum();
        let apart = |a: [usize; 2], b: [usize; 2]| a[1] < b[0] || b[1] < a[0];
        for mark in &marks {
            let small = (mark.blocks.len() as f64) < MAX_SHARE * total as f64;
            if small && apart(mark.rows, main.rows) && apart(mark.columns, main.columns) {
                for &block in &mark.blocks {
                    self.wipe(block / columns * size, block % columns * size, size);
                }
            }
        }
        self
    }

    /// Wipes out marks less than half as wide and high as strokes are wide, such as a scanner's
    /// dots: no pen draws them.
    pub fn without_dots(mut self) -> Self {
        // Most characters are one stroke.
        if self.marks().0.len() < 2 {
            return self;
        }
        let least = self.stroke_width() / 2.0;
        for mark in marks(&mut self.blocks(1), self.width) {
            if mark.extents().iter().all(|&extent| (extent as f32) < least) {
                for i in mark.blocks {
                    // With their blurred edge.
                    let (y, x) = (i / self.width, i % self.width);
                    self.wipe(y.saturating_sub(1), x.saturating_sub(1), 3);
                }
            }
        }
        self
    }

    /// Whether all of it is smaller than a fortieth of the image's longer side.
    pub fn is_speck(&self) -> bool {
        let longest = self.bounds().map_or(0, |bounds| bounds.width.max(bounds.height));
        40 * longest < self.width.max(self.height).max(1)
    }

    /// Whether its strokes are wider than a share of its longer side.
    pub(super) fn is_thick(&self, share: f32) -> bool {
        let longest = self.bounds().map_or(0, |bounds| bounds.width.max(bounds.height));
        self.stroke_width() > share * longest as f32
    }

    /// How many of its pixels are ink.
    pub(super) fn amount(&self) -> usize {
        self.pixels.iter().filter(|&&value| value >= super::ink::THRESHOLD).count()
    }

    /// How many of the image's borders it reaches.
    pub(super) fn sides(&self) -> usize {
        self.bounds().map_or(0, |b| {
            let (rows, columns) = ([b.top, b.top + b.height - 1], [b.left, b.left + b.width - 1]);
            ends_reached(rows, self.height) + ends_reached(columns, self.width)
        })
    }

    /// Whether it is no more than an edge, of the paper or a fold: a thin line from border to border,
    /// or all along one. A character that was cropped to its ink reaches all borders.
    pub(super) fn is_edge(&self) -> bool {
        let is_thinner =
            |parts: f32| parts * self.stroke_width() < self.width.max(self.height) as f32;
        let is_ink = |x: usize, y: usize| self.pixels[y * self.width + x] >= super::ink::THRESHOLD;
        let [right, low] = [self.width - 1, self.height - 1];
        let is_along = [0, low].iter().any(|&y| (0..=right).all(|x| is_ink(x, y)))
            || [0, right].iter().any(|&x| (0..=low).all(|y| is_ink(x, y)));
        match self.sides() {
            2 | 3 => is_thinner(50.0) || is_along,
            4 => is_thinner(100.0),
            _ => false,
        }
    }

    /// Whether there are marks, none much smaller than the longest, that lie farther apart than
    /// strokes of one character.
    pub fn has_several_characters(&self) -> bool {
        let (mut marks, _) = self.marks();
        let longest = |mark: &Mark| mark.extents().into_iter().max().unwrap_or(0);
        let length = marks.iter().map(longest).max().unwrap_or(0);
        // Shorter ones may join two strokes, and are no character.
        marks.retain(|mark| 4 * longest(mark) >= length);
        let Some(main) = (0..marks.len()).max_by_key(|&i| longest(&marks[i])) else {
            return false;
        };
        let height = marks[main].extents()[0];
        let gap = |a: [usize; 2], b: [usize; 2]| {
            b[0].saturating_sub(a[1]).max(a[0].saturating_sub(b[1])) as f32 / length as f32
        };
        let is_apart = |mark: &Mark, other: &Mark| {
            let is_beside =
                gap(mark.columns, other.columns) > MAX_GAP[0] && 2 * mark.extents()[0] >= height;
            is_beside || gap(mark.rows, other.rows) > MAX_GAP[1]
        };
        // A stroke belongs to the character if it lies near any other stroke that does.
        let mut near = vec![marks.swap_remove(main)];
        let mut next = 0;
        while let Some(stroke) = near.get(next) {
            let found: Vec<Mark> = marks.extract_if(.., |mark| !is_apart(mark, stroke)).collect();
            near.extend(found);
            next += 1;
        }
        marks.iter().any(|mark| 2 * longest(mark) >= length)
    }

    /// Its marks, and the side of their blocks: those of a few pixels tell marks apart as well as
    /// pixels do.
    fn marks(&self) -> (Vec<Mark>, usize) {
        let size = (self.width.max(self.height) / 300).max(1);
        (marks(&mut self.blocks(size), self.width.div_ceil(size)), size)
    }

    /// Whether each block of `size` x `size` pixels has any ink, row by row.
    fn blocks(&self, size: usize) -> Vec<bool> {
        let columns = self.width.div_ceil(size);
        let mut blocks = vec![false; columns * self.height.div_ceil(size)];
        for (y, row) in self.pixels.chunks_exact(self.width.max(1)).enumerate() {
            let blocks = &mut blocks[y / size * columns..][..columns];
            for (block, pixels) in blocks.iter_mut().zip(row.chunks(size)) {
                *block |= pixels.iter().any(|&value| value >= super::ink::THRESHOLD);
            }
        }
        blocks
    }

    fn wipe(&mut self, top: usize, left: usize, size: usize) {
        for y in top..(top + size).min(self.height) {
            let right = (left + size).min(self.width);
            self.pixels[y * self.width..][left..right].fill(0);
        }
    }
}

/// Sets of touching blocks, corners included. Empties `blocks`.
pub(super) fn marks(blocks: &mut [bool], columns: usize) -> Vec<Mark> {
    let rows = blocks.len() / columns.max(1);
    let mut marks = Vec::new();
    for start in 0..blocks.len() {
        if !std::mem::take(&mut blocks[start]) {
            continue;
        }
        let mut mark =
            Mark { blocks: vec![start], rows: [start / columns; 2], columns: [start % columns; 2] };
        let mut next = 0;
        while let Some(&block) = mark.blocks.get(next) {
            next += 1;
            let (y, x) = (block / columns, block % columns);
            mark.rows = [mark.rows[0].min(y), mark.rows[1].max(y)];
            mark.columns = [mark.columns[0].min(x), mark.columns[1].max(x)];
            for y in y.saturating_sub(1)..(y + 2).min(rows) {
                for x in x.saturating_sub(1)..(x + 2).min(columns) {
                    if std::mem::take(&mut blocks[y * columns + x]) {
                        mark.blocks.push(y * columns + x);
                    }
                }
            }
        }
        marks.push(mark);
    }
    marks
}
