//! Images of formats that are not read, by their names and how they begin.

use super::tiff::Tiff;

/// What helps with an image of another format.
pub(crate) const CONVERT: &str =
    "save it as PNG or JPEG (most viewers can, and so can `magick IMAGE IMAGE.png`)";

/// How the names of files end that show an image, but are not read.
pub(crate) const NOT_READ: [&str; 52] = [
    "heic", "heif", "hif", "avif", "pdf", "svg", "svgz", "jxl", "jp2", "j2k", "jpf", "jpx", "jxr",
    "ico", "cur", "icns", "tga", "pcx", "ppm", "pgm", "pbm", "pnm", "pam", "qoi", "dds", "exr",
    "hdr", "psd", "psb", "xcf", "kra", "eps", "ps", "ai", "djvu", "wmf", "emf", "dng", "cr2",
    "cr3", "crw", "nef", "nrw", "arw", "orf", "raf", "rw2", "pef", "srw", "x3f", "3fr", "iiq",
];

/// How files of such formats begin, from which byte on, and what they are; beside those that the
/// decoder's crate knows.
static BEGINNINGS: [(usize, &[u8], &str); 34] = [
    (4, b"ftyphei", "a HEIC image"),
    (4, b"ftyphev", "a HEIC image"),
    (4, b"ftypmif", "a HEIC image"),
    (4, b"ftypmsf", "a HEIC image"),
    (4, b"ftypavi", "an AVIF image"),
    (4, b"ftypcrx", "a camera's raw file"),
    (0, b"%PDF", "a PDF file"),
    (0, b"%!PS", "a PostScript file"),
    (0, b"\xc5\xd0\xd3\xc6", "a PostScript file"),
    (0, b"\xff\x0a", "a JPEG XL image"),
    (0, b"\0\0\0\x0cJXL ", "a JPEG XL image"),
    (0, b"\0\0\0\x0cjP  ", "a JPEG 2000 image"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 image"),
    (0, b"II\xbc", "a JPEG XR image"),
    (0, b"II+\0", "a BigTIFF image"),
    (0, b"MM\0+", "a BigTIFF image"),
    (0, b"8BPS", "a Photoshop file"),
    (0, b"gimp xcf", "a GIMP file"),
    (0, b"icns", "an icon"),
    (0, b"AT&TFORM", "a DjVu file"),
    (0, b"\xd7\xcd\xc6\x9a", "a Windows metafile"),
    (40, b" EMF", "a Windows metafile"),
    (0, b"\x0a\x05\x01\x01", "a PCX image"),
    (0, b"\x0a\x05\x01\x08", "a PCX image"),
    (8, b"CR\x02\0", "a camera's raw file"),
    (6, b"HEAPCCDR", "a camera's raw file"),
    (0, b"FUJIFILMCCD-RAW", "a camera's raw file"),
    (0, b"IIU\0", "a camera's raw file"),
    (0, b"IIRO", "a camera's raw file"),
    (0, b"IIRS", "a camera's raw file"),
    (0, b"MMOR", "a camera's raw file"),
    (0, b"FOVb", "a camera's raw file"),
    (0, b"\0MRM", "a camera's raw file"),
    (0, b"SDPX", "a DPX image"),
];

/// What a file is of a format that is not read, by how it begins. Films (MP4, MOV) do as HEIC
/// images, up to their brand.
pub(super) fn not_read(bytes: &[u8]) -> Option<&'static str> {
    let known = BEGINNINGS
        .iter()
        .find(|(start, magic, _)| bytes.get(*start..).is_some_and(|rest| rest.starts_with(magic)));
    known
        .map(|&(_, _, kind)| kind)
        .or_else(|| Tiff::new(bytes)?.begins_with_preview().then_some("a camera's raw file"))
        .or_else(|| is_svg(bytes).then_some("an SVG drawing"))
}

fn is_svg(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(1024)];
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let has = |tag: &[u8]| text.windows(tag.len()).any(|bytes| bytes == tag);
    text.starts_with(b"<") && has(b"<svg") && !has(b"<html")
}
