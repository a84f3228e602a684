//! Your own images: a folder or archive whose folders are classes.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::photograph::Unreadable;
use super::preprocess::{Preprocess, preprocess_all, stacked};
use crate::data::archive::{ImageFile, read_contents, remedies, sha256_of_files, shown};
use crate::data::decode::{FORMATS, frames};
use crate::data::handwritten::{class_names, label_of_folder, writer_of_file};
use crate::data::{Provenance, Samples};
use crate::error::printable;
use crate::numbers::format_counted;
use crate::progress::say;
use crate::{Error, Result};

/// The image files of folders and archives (zip, tar, tar.gz), not decoded yet.
#[derive(Debug)]
pub struct ImageFolder {
    root: PathBuf,
    /// In the order of the arguments, those of each sorted by path.
    files: Vec<ImageFile>,
    /// Of images that were skipped as damaged, where that was asked for.
    skipped: Option<Vec<Error>>,
    others: Vec<String>,
}

/// The images of an [`ImageFolder`], preprocessed.
#[derive(Debug)]
pub struct FolderImages {
    /// `names` are paths inside the folder; the label is 0 where the folder gives none.
    pub samples: Samples,
    /// The class that the folder of each image is named after, if it is one; for an image at the
    /// top, that is the folder that was read.
    pub labels: Vec<Option<usize>>,
    /// Whether each is a drawing on a sheet like dataset 1's, whose size and position mean
    /// something.
    pub is_sheet: Vec<bool>,
    /// Why there is no character to read in an image, or none alone.
    pub unreadable: Vec<Option<Unreadable>>,
    /// How many frames or pages each file has, of which the first is read.
    pub frames: Vec<usize>,
    /// What is wrong with each damaged image that was skipped.
    pub skipped: Vec<Error>,
    /// Files that are not images, or not of a supported format.
    pub others: Vec<String>,
}

impl Samples {
    /// The images ([`FORMATS`]) of a folder or archive (zip, tar, tar.gz) whose folders are
    /// classes: `leaves/oak/1.jpg`, `leaves/elm/7.png` and so on, any number of classes.
    ///
    /// Classes are in the natural order of their names (`2` before `10`); folders named
    /// `Sample001` to `Sample062` are the characters `0` to `z`, as in dataset 1. Hidden
    /// files and `__MACOSX` are skipped; so are files of other kinds, and frames and pages behind
    /// the first, and their number is printed. `names` are the paths inside of the folder, `writers`
    /// what file names like dataset 1's say (`img001-042.png`), `provenance` has the folder's name
    /// and the sha256 of its images.
    ///
    /// # Errors
    /// Where there are no images, or only one class; where an image is damaged, lies in no
    /// folder, or in a folder that is not beside the other classes.
    ///
    /// ```no_run
    /// use glyphs::{data::Samples, image::Preprocess};
    /// # fn f() -> glyphs::Result<()> {
    /// let leaves = Samples::from_folder("leaves", &Preprocess::keep_aspect().side(32).rgb())?;
    /// let (train, valid) = leaves.split(0.8, 0);
    /// # Ok(()) }
    /// ```
    pub fn from_folder(path: impl AsRef<Path>, preprocess: &Preprocess) -> Result<Self> {
        let path = path.as_ref();
        let folder = ImageFolder::read_all(&[path], false)?;
        let classes = folder.classes()?;
        let images = folder.preprocess(preprocess, classes)?;
        if let Some(others) = words_for(&images.others) {
            say(format!("{}: skipped {others}", printable(path.display())));
        }
        let several = images.frames.iter().filter(|&&frames| frames > 1).count();
        if several > 0 {
            let files = format_counted(several, "file");
            let words = format!("only the first frame or page was read of {files}");
            say(format!("{}: {words}", printable(path.display())));
        }
        Ok(images.samples)
    }
}

impl ImageFolder {
    /// The images of several folders, archives and image files; where it is not one folder or
    /// archive, paths begin with its name. Damaged images may be skipped, here and in
    /// [`ImageFolder::preprocess`].
    ///
    /// # Errors
    /// Where there is no image, or a file cannot be read.
    pub fn read_all<P: AsRef<Path>>(paths: &[P], skips_damaged: bool) -> Result<Self> {
        let mut read = Self {
            root: PathBuf::new(),
            files: Vec::new(),
            skipped: skips_damaged.then(Vec::new),
            others: Vec::new(),
        };
        // `A/` is `A`.
        for path in paths.iter().map(|path| path.as_ref().components().as_path()) {
            let found = read_contents(path)?;
            let name = shown(path.file_name().unwrap_or_default());
            let is_file = !path.is_dir() && matches!(&found.images[..], [one] if one.path == name);
            let place = |inside: String| match (is_file, paths.len()) {
                (true, _) => shown(path),
                (false, 1) => inside,
                (false, _) => format!("{}/{inside}", shown(path)),
            };
            match &mut read.skipped {
                Some(skipped) => skipped.extend(found.damaged),
                None => found.damaged.into_iter().try_for_each(Err)?,
            }
            let placed = |file: ImageFile| ImageFile { path: place(file.path), ..file };
            read.files.extend(found.images.into_iter().map(placed));
            read.others.extend(found.others.into_iter().map(place));
            if paths.len() == 1 && !is_file {
                read.root = path.into();
            }
        }
        if read.files.is_empty() {
            let paths: Vec<Cow<str>> =
                paths.iter().map(|path| path.as_ref().to_string_lossy()).collect();
            return Err(match read.skipped {
                Some(skipped) if !skipped.is_empty() => nothing_left(&skipped),
                _ => no_images(Path::new(&paths.join(", ")), &read.others),
            });
        }
        Ok(read)
    }

    /// The images, still encoded.
    pub fn files(&self) -> &[ImageFile] {
        &self.files
    }

    /// The classes that the folders are named after, in natural order.
    ///
    /// # Errors
    /// Where there is one class only, or an image is not in a folder beside the others.
    pub fn classes(&self) -> Result<Vec<String>> {
        let mut folders: Vec<&str> = Vec::new();
        let mut parent = None;
        for file in &self.files {
            let Some((folder, _)) = file.path.rsplit_once('/') else {
                let problem = "it is in no folder that names its class";
                let remedy = "put the images of each class into their own folder";
                return Err(Error::content(self.root.join(&file.path), problem, remedy));
            };
            let above = folder.rsplit_once('/').map_or("", |(above, _)| above);
            if *parent.get_or_insert(above) != above {
                let first = printable(folders[0]);
                let problem =
                    format!("it is not in a folder beside {first}, where the other classes are");
                let remedy = "leave only the classes' folders in one folder, and name that one";
                return Err(Error::content(self.root.join(&file.path), problem, remedy));
            }
            if folders.last() != Some(&folder) {
                folders.push(folder);
            }
        }
        folders.sort_by_cached_key(|folder| (natural_order(folder), *folder));
        let mut classes: Vec<String> = Vec::new();
        for folder in folders {
            let class = class_of_folder(folder.rsplit('/').next().unwrap_or(folder));
            if !classes.contains(&class) {
                classes.push(class);
            }
        }
        match classes.as_slice() {
            [only] => {
                let problem = format!("all images are of one class, {}", printable(only));
                let remedy = "put the images of each class into their own folder, and name \
                              the folder that holds them all";
                Err(Error::content(&self.root, problem, remedy))
            }
            _ => Ok(classes),
        }
    }

    /// Decodes and preprocesses every image, on all cores. Labels are indices into
    /// `classes`.
    ///
    /// # Errors
    /// Where an image is damaged, unless such are skipped, or none is left.
    pub fn preprocess(self, method: &Preprocess, classes: Vec<String>) -> Result<FolderImages> {
        let Self { root, files, skipped, others } = self;
        let skips = skipped.is_some();
        let mut skipped = skipped.unwrap_or_default();
        let decoded = |f: &ImageFile| method.image(&root.join(&f.path), &f.bytes);
        let images = preprocess_all(&files, method, decoded)?;
        let mut good = Vec::new();
        for (file, image) in files.into_iter().zip(images) {
            match image {
                Ok(image) => good.push((file, image)),
                Err(error) if skips => skipped.push(error),
                Err(error) => return Err(error),
            }
        }
        if good.is_empty() {
            return Err(nothing_left(&skipped));
        }
        let (files, done): (Vec<_>, Vec<_>) = good.into_iter().unzip();
        let (images, features) = stacked(&done, method);
        let name = name_of(&root);
        let label = |file: &ImageFile| {
            let class = match file.folder() {
                "" => class_of_folder(&name),
                folder => class_of_folder(folder),
            };
            classes.iter().position(|name| *name == class)
        };
        let labels: Vec<Option<usize>> = files.iter().map(label).collect();
        let frames = files.iter().map(|file| frames(&file.bytes)).collect();
        let writers: Option<Vec<u16>> = files.iter().map(|f| writer_of_file(f.name())).collect();
        let contents = (files.iter()).map(|file| (file.path.as_str(), file.bytes.as_slice()));
        let sha256 = sha256_of_files(contents);
        let mut source = name.clone();
        if !skipped.is_empty() {
            source += &format!(" ({} skipped)", format_counted(skipped.len(), "damaged image"));
        }
        let provenance = Provenance { name, source, sha256, count: files.len(), synthetic: false };
        let samples = Samples {
            images,
            features,
            labels: labels.iter().map(|label| label.unwrap_or(0)).collect(),
            writers: writers.unwrap_or_default(),
            names: files.into_iter().map(|file| file.path).collect(),
            classes,
            provenance,
        };
        Ok(FolderImages {
            samples,
            labels,
            is_sheet: done.iter().map(|image| image.is_sheet).collect(),
            unreadable: done.iter().map(|image| image.unreadable).collect(),
            frames,
            skipped,
            others,
        })
    }
}

/// `Sample011` of dataset 1 is the class `A`; other folders are classes of their own name.
fn class_of_folder(folder: &str) -> String {
    let known = label_of_folder(folder).and_then(|label| class_names().into_iter().nth(label));
    known.unwrap_or_else(|| folder.to_owned())
}

/// What names are sorted by: runs of digits count as numbers, and come before letters.
fn natural_order<'a>(name: &&'a str) -> Vec<(bool, usize, &'a [u8])> {
    let runs = name.as_bytes().chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit());
    let part = |run: &'a [u8]| match run[0].is_ascii_digit() {
        true => {
            let zeros = run.iter().take_while(|&&digit| digit == b'0').count();
            (false, run.len() - zeros, &run[zeros..])
        }
        false => (true, 0, run),
    };
    runs.map(part).collect()
}

fn name_of(path: &Path) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.into());
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

/// Says why each damaged image was skipped.
fn nothing_left(skipped: &[Error]) -> Error {
    let list: String = skipped.iter().map(|error| format!("  {error}\n")).collect();
    let all = match skipped.len() {
        1 => "the only one is damaged".into(),
        count => format!("all {count} are damaged"),
    };
    Error::content("images", format!("{all}:\n{list}none is left"), "name others")
}

fn no_images(path: &Path, others: &[String]) -> Error {
    let mut problem = format!("there is no {FORMATS} image, going by names");
    if let Some(others) = words_for(others) {
        problem += &format!("; it has {others}");
    }
    let mut ways = remedies(others);
    ways.push("name a folder or archive of images".into());
    Error::content(path, problem, ways.join(", or "))
}

/// E.g. `12 other files, such as notes.txt`; none where there are none.
fn words_for(others: &[String]) -> Option<String> {
    match others {
        [] => None,
        [only] => Some(format!("1 other file, {}", printable(only))),
        [first, ..] => Some(format!("{} other files, such as {}", others.len(), printable(first))),
    }
}
