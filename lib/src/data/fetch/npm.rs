//! Files out of an npm package, by the npm client, wherever that is set up.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};

use flate2::read::MultiGzDecoder;

use crate::data::formats::archive::read_at_most;
use crate::files::write_atomically;
use crate::{Error, Result};

/// Most bytes of one file of a package.
const MAX_BYTES: u64 = 256 << 20;

/// Has npm fetch `package` (`name@version`), and writes each of its files that `files`
/// names (path in `staging` to path inside the package).
pub fn unpack(package: &str, files: &BTreeMap<String, String>, staging: &Path) -> Result<()> {
    let wrong = |problem: String| Error::Fetch {
        url: format!("npm:{package}"),
        problem,
        remedy: "install npm, or check that `npm pack` works on this machine".into(),
    };
    let failed = |error: std::io::Error| wrong(error.to_string());
    let folder = tempfile::tempdir().map_err(failed)?;
    let npm = Command::new("npm")
        .args([
            "pack",
            "--loglevel=error",
            "--fetch-timeout=60000",
            "--fetch-retries=1",
            package,
        ])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .map_err(|e| wrong(format!("npm cannot be run ({e})")))?;
    if !npm.status.success() {
        let words = String::from_utf8_lossy(&npm.stderr);
        // The reason comes first, where npm's log lies comes last.
        let why: Vec<&str> = words.lines().take(3).collect();
        return Err(wrong(format!(
            "npm ended with {}: {}",
            npm.status,
            why.join(" ")
        )));
    }
    let mut archives = std::fs::read_dir(folder.path()).map_err(failed)?.flatten();
    let archive = archives.find(|entry| entry.path().extension().is_some_and(|e| e == "tgz"));
    let archive = archive.ok_or_else(|| wrong("npm gave no archive".into()))?;
    let file = BufReader::new(File::open(archive.path()).map_err(failed)?);
    let limit = MAX_BYTES * (files.len() as u64 + 1);
    // Nothing is unpacked outside of the folder.
    tar::Archive::new(MultiGzDecoder::new(file).take(limit))
        .unpack(folder.path())
        .map_err(failed)?;
    for (name, inner) in files {
        let bytes = File::open(folder.path().join(inner))
            .and_then(|mut file| read_at_most(&mut file, MAX_BYTES))
            .map_err(|e| wrong(format!("the package gives no {inner} ({e})")))?
            .ok_or_else(|| wrong(format!("{inner} is larger than {MAX_BYTES} bytes")))?;
        write_atomically(&staging.join(name), &bytes)?;
    }
    Ok(())
}
