//! Matrix products, on all threads.

use super::{
    buffer::{Buffer, Target, flat, flat_mut},
    simd::{Simd, dispatch, unroll},
};
use crate::threads::ParForEach;

/// A matrix in memory: element `(row, column)` is `values[row * row_stride + column * column_stride]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Matrix<'a> {
    pub values: &'a [f32],
    pub rows: usize,
    pub columns: usize,
    pub row_stride: usize,
    pub column_stride: usize,
}

impl<'a> Matrix<'a> {
    pub fn row_major(values: &'a [f32], rows: usize, columns: usize) -> Self {
        assert_eq!(values.len(), rows * columns);
        Self { values, rows, columns, row_stride: columns, column_stride: 1 }
    }

    pub fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }
}

/// Columns of one task, and the depth that its packed operands have at most.
const COLUMNS: usize = 128;
const DEPTH: usize = 256;

/// A right operand that several products share: [`COLUMNS`] after [`COLUMNS`], each as
/// `[rows / DEPTH][columns / 16][DEPTH][16]`.
#[derive(Debug)]
pub(crate) struct Packed {
    values: Buffer,
    rows: usize,
    columns: usize,
}

impl Packed {
    pub fn new(b: Matrix) -> Self {
        let mut values = Buffer::new(b.rows * b.columns.div_ceil(16));
        (values.chunks_mut(b.rows.max(1) * COLUMNS / 16).enumerate()).par_for_each(|(task, to)| {
            let (first, mut rest) = (task * COLUMNS, flat_mut(to));
            for from in (0..b.rows).step_by(DEPTH) {
                let (depth, width) = (DEPTH.min(b.rows - from), COLUMNS.min(b.columns - first));
                let panel = rest.split_off_mut(..width.div_ceil(16) * depth * 16);
                pack_columns(b, from, depth, first, width, panel.unwrap_or_default());
            }
        });
        Self { values, rows: b.rows, columns: b.columns }
    }
}

/// The right operand of a product.
#[derive(Clone, Copy)]
pub(crate) enum Right<'a> {
    Matrix(Matrix<'a>),
    Packed(&'a Packed),
}

impl<'a> Right<'a> {
    /// `(rows, columns)`
    fn dim(self) -> (usize, usize) {
        match self {
            Self::Matrix(matrix) => (matrix.rows, matrix.columns),
            Self::Packed(packed) => (packed.rows, packed.columns),
        }
    }

    /// `depth` rows from `from` on, `width` columns from `first` on, as [`pack_columns`] packs
    /// them; into `own`, where they are not.
    fn panel<'p>(
        self,
        (from, depth): (usize, usize),
        (first, width): (usize, usize),
        own: &'p mut Buffer,
    ) -> &'p [f32]
    where
        'a: 'p,
    {
        let len = width.div_ceil(16) * depth * 16;
        match self {
            Self::Matrix(matrix) => {
                let own = &mut flat_mut(own)[..len];
                pack_columns(matrix, from, depth, first, width, own);
                own
            }
            Self::Packed(packed) => {
                let start = first * packed.rows + width.div_ceil(16) * 16 * from;
                &flat(&packed.values)[start..][..len]
            }
        }
    }
}

/// Writes `a * b`, row-major, to `c`; adds it where `add` is set.
///
/// Each element is summed in one order, whatever the number of threads.
pub(crate) fn multiply(a: Matrix, b: Right, add: bool, c: &mut [f32]) {
    let (rows, columns) = b.dim();
    assert_eq!(a.columns, rows);
    assert_eq!(c.len(), a.rows * columns);
    if !add && a.columns == 0 {
        c.fill(0.0);
    }
    let target = Target(c.as_mut_ptr(), c.len());
    let mut packed = Buffer::new((a.rows * a.columns).div_ceil(16));
    pack_rows(a, flat_mut(&mut packed));
    let packed = flat(&packed);
    let tasks = columns.div_ceil(COLUMNS);
    (0..tasks).par_for_each(|task| {
        let first = task * COLUMNS;
        let width = COLUMNS.min(columns - first);
        let mut own = Buffer::new(match b {
            Right::Matrix(_) => width.div_ceil(16) * DEPTH.min(a.columns),
            Right::Packed(_) => 0,
        });
        for from in (0..a.columns).step_by(DEPTH) {
            let depth = DEPTH.min(a.columns - from);
            let call = Panel {
                a: &packed[a.rows * from..],
                b: b.panel((from, depth), (first, width), &mut own),
                rows: a.rows,
                depth,
                first,
                width,
                columns,
                add: add || from > 0,
            };
            panel_product(call, &target);
        }
    });
}

/// The rows that a tile may have.
const GROUPS: [usize; 5] = [14, 6, 4, 2, 1];
/// Taken for all tiles where they divide the rows: a short last tile would cost nearly as much as a full one.
const EVEN: [usize; 4] = [14, 12, 10, 8];

/// Packs `a`, `group` rows side by side, a part of its columns after the other:
/// `[columns / DEPTH][rows / group][DEPTH][group]`.
fn pack_rows(a: Matrix, packed: &mut [f32]) {
    let mut rest = packed;
    let mut pieces = Vec::new();
    for from in (0..a.columns).step_by(DEPTH) {
        let depth = DEPTH.min(a.columns - from);
        let mut row = 0;
        for (rows, group) in groups(a.rows) {
            for _ in 0..rows / group {
                let (piece, tail) = rest.split_at_mut(group * depth);
                pieces.push((from, row, group, piece));
                rest = tail;
                row += group;
            }
        }
    }
    pieces.into_iter().par_for_each(|(from, row, group, piece)| {
        for (r, at) in (row..row + group).zip(0..) {
            let start = r * a.row_stride + from * a.column_stride;
            let values = a.values[start..].iter().step_by(a.column_stride);
            for (to, value) in piece[at..].iter_mut().step_by(group).zip(values) {
                *to = *value;
            }
        }
    });
}

/// How `rows` rows fall into tiles: `(rows, rows of a tile)`.
fn groups(rows: usize) -> impl Iterator<Item = (usize, usize)> {
    let mut best = tile_rows();
    if best == 14 {
        best = (EVEN.into_iter().find(|&g| rows.is_multiple_of(g))).unwrap_or(best);
    }
    let mut left = rows;
    std::iter::once(best).chain(GROUPS).filter_map(move |group| {
        if group > best {
            return None;
        }
        let here = left / group * group;
        left -= here;
        (here > 0).then_some((here, group))
    })
}

dispatch!(
    fn tile_rows<S: Simd>() -> usize {
        S::ROWS
    }
);

/// Packs a part of `b`, 16 columns side by side: `[columns / 16][depth][16]`, filled up with 0.
fn pack_columns(
    b: Matrix,
    from: usize,
    depth: usize,
    first: usize,
    width: usize,
    packed: &mut [f32],
) {
    let start = from * b.row_stride + first * b.column_stride;
    if b.column_stride == 1 {
        pack_lines(&b.values[start..], b.row_stride, depth, width, packed);
        return;
    }
    for (block, packed) in packed.chunks_exact_mut(depth * 16).enumerate() {
        let here = (width - block * 16).min(16);
        let columns = &b.values[start + block * 16 * b.column_stride..];
        if b.row_stride == 1 && here == 16 {
            pack_transposed(columns, b.column_stride, depth, packed);
        } else {
            packed.fill(0.0);
            for column in 0..here {
                let values = columns[column * b.column_stride..].iter();
                let to = packed[column..].iter_mut().step_by(16);
                for (to, value) in to.zip(values.step_by(b.row_stride)) {
                    *to = *value;
                }
            }
        }
    }
}

/// Packs `depth` lines of `width` values each, that begin `stride` apart. Line by line:
/// block by block, each would come from memory as often as it has blocks.
fn pack_lines(lines: &[f32], stride: usize, depth: usize, width: usize, packed: &mut [f32]) {
    for k in 0..depth {
        let (whole, rest) = lines[k * stride..][..width].as_chunks::<16>();
        let mut to = packed[k * 16..].chunks_mut(depth * 16);
        for (from, to) in whole.iter().zip(&mut to) {
            to[..16].copy_from_slice(from);
        }
        if let Some(to) = to.next().filter(|_| !rest.is_empty()) {
            to[..rest.len()].copy_from_slice(rest);
            to[rest.len()..16].fill(0.0);
        }
    }
}

dispatch!(
    /// Packs 16 columns of `depth` values each, that begin `stride` apart.
    fn pack_transposed<S: Simd>(columns: &[f32], stride: usize, depth: usize, packed: &mut [f32]) {
        assert!(columns.len() >= 15 * stride + depth && packed.len() >= depth * 16);
        let whole = depth / 16 * 16;
        for k in (0..whole).step_by(16) {
            // SAFETY: 16 values of each column from `k` on, checked above.
            unsafe { S::transpose(columns[k..].as_ptr(), stride, packed[k * 16..].as_mut_ptr()) };
        }
        for k in whole..depth {
            for column in 0..16 {
                packed[k * 16 + column] = columns[column * stride + k];
            }
        }
    }
);

struct Panel<'a> {
    a: &'a [f32],
    b: &'a [f32],
    rows: usize,
    depth: usize,
    first: usize,
    width: usize,
    columns: usize,
    add: bool,
}

dispatch!(
    fn panel_product<S: Simd>(panel: Panel, target: &Target) {
        let Panel { rows, depth, .. } = panel;
        assert!(panel.a.len() >= rows * depth);
        assert!(panel.b.len() >= panel.width.div_ceil(16) * depth * 16);
        assert!(target.1 >= rows * panel.columns && panel.first + panel.width <= panel.columns);
        let mut row = 0;
        for (rows, group) in groups(panel.rows) {
            for _ in 0..rows / group {
                // SAFETY: the lengths are checked above.
                unsafe {
                    match group {
                        14 => row_product::<S, 14>(&panel, target, row),
                        12 => row_product::<S, 12>(&panel, target, row),
                        10 => row_product::<S, 10>(&panel, target, row),
                        8 => row_product::<S, 8>(&panel, target, row),
                        6 => row_product::<S, 6>(&panel, target, row),
                        4 => row_product::<S, 4>(&panel, target, row),
                        2 => row_product::<S, 2>(&panel, target, row),
                        _ => row_product::<S, 1>(&panel, target, row),
                    }
                }
                row += group;
            }
        }
    }
);

#[inline(always)]
unsafe fn row_product<S: Simd, const P: usize>(panel: &Panel, target: &Target, row: usize) {
    for at in (0..panel.width).step_by(16 * S::ACROSS) {
        unsafe {
            if S::WIDE && panel.width - at > 16 {
                product_tile::<S, P, 2>(panel, target, row, at);
            } else {
                product_tile::<S, P, 1>(panel, target, row, at);
            }
        }
    }
}

#[inline(always)]
unsafe fn product_tile<S: Simd, const P: usize, const V: usize>(
    panel: &Panel,
    target: &Target,
    row: usize,
    at: usize,
) {
    unsafe {
        let mut acc = [[S::splat(0.0); V]; P];
        let a = panel.a.as_ptr().add(row * panel.depth);
        let b = panel.b.as_ptr().add(at * panel.depth);
        for k in 0..panel.depth {
            let mut bv = [S::splat(0.0); V];
            unroll! { for v in 0..V {
                bv[v] = S::load(b.add((v * panel.depth + k) * 16));
            } }
            unroll! { for p in 0..P {
                let value = S::splat(*a.add(k * P + p));
                unroll! { for v in 0..V {
                    acc[p][v] = S::fma(value, bv[v], acc[p][v]);
                } }
            } }
        }
        unroll! { for p in 0..P {
            unroll! { for v in 0..V {
                let column = at + v * 16;
                let to = (target.0).add((row + p) * panel.columns + panel.first + column);
                if column + 16 <= panel.width {
                    let sum = if panel.add {
                        S::add(S::load(to), acc[p][v])
                    } else {
                        acc[p][v]
                    };
                    S::store(to, sum);
                } else {
                    let mut values = [0.0; 16];
                    S::store(values.as_mut_ptr(), acc[p][v]);
                    for (i, value) in values.iter().enumerate().take(panel.width - column) {
                        let sum = if panel.add {
                            *to.add(i) + value
                        } else {
                            *value
                        };
                        *to.add(i) = sum;
                    }
                }
            } }
        } }
    }
}
