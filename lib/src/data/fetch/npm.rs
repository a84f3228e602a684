//! Files out of an npm package, by the npm client, wherever that is set up.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use flate2::read::MultiGzDecoder;

use super::Patience;
use crate::data::formats::archive::read_at_most;
use crate::files::write_atomically;
use crate::{Error, Result};

/// Most bytes of one file of a package.
const MAX_BYTES: u64 = 256 << 20;

/// Has npm fetch `package` (`name@version`), and writes each of its files that `files`
/// names (path in `staging` to path inside the package).
pub fn unpack(
    package: &str,
    files: &BTreeMap<String, String>,
    staging: &Path,
    patience: &Patience,
) -> Result<()> {
    let wrong = |problem: String| Error::Fetch {
        url: format!("npm:{package}"),
        problem,
        remedy: "install npm, or check that `npm pack` works on this machine".into(),
    };
    let folder = tempfile::tempdir().map_err(|e| wrong(e.to_string()))?;
    run_npm(
        package,
        folder.path(),
        patience.total.min(Duration::from_secs(300)),
    )
    .map_err(wrong)?;
    let archive = std::fs::read_dir(folder.path())
        .map_err(|e| wrong(e.to_string()))?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "tgz"))
        .ok_or_else(|| wrong("npm gave no archive".into()))?;
    let mut left = files.clone();
    let file = File::open(archive).map_err(|e| wrong(e.to_string()))?;
    let limit = MAX_BYTES * (files.len() as u64 + 1);
    let mut tar = tar::Archive::new(MultiGzDecoder::new(BufReader::new(file)).take(limit));
    for entry in tar.entries().map_err(|e| wrong(e.to_string()))? {
        let mut entry = entry.map_err(|e| wrong(e.to_string()))?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let Some(name) = left
            .iter()
            .find(|(_, inner)| **inner == path)
            .map(|(name, _)| name.clone())
        else {
            continue;
        };
        let bytes = read_at_most(&mut entry, MAX_BYTES)
            .map_err(|e| wrong(e.to_string()))?
            .ok_or_else(|| wrong(format!("{path} is larger than {MAX_BYTES} bytes")))?;
        write_atomically(&staging.join(&name), &bytes)?;
        left.remove(&name);
    }
    match left.values().next() {
        Some(path) => Err(wrong(format!("the package has no {path}"))),
        None => Ok(()),
    }
}

fn run_npm(package: &str, folder: &Path, limit: Duration) -> Result<(), String> {
    let log = folder.join("npm.log");
    let output = File::create(&log).map_err(|e| e.to_string())?;
    let mut npm = Command::new("npm")
        .args(["pack", "--silent", package])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(output)
        .spawn()
        .map_err(|e| format!("npm cannot be run ({e})"))?;
    let start = Instant::now();
    loop {
        match npm.try_wait().map_err(|e| e.to_string())? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => {
                let words = std::fs::read_to_string(&log).unwrap_or_default();
                let last = words.lines().last().unwrap_or_default();
                return Err(format!("npm ended with {status} {last}"));
            }
            None if start.elapsed() > limit => {
                let _ = npm.kill();
                let _ = npm.wait();
                return Err(format!("npm was not done after {limit:.0?}"));
            }
            None => sleep(Duration::from_millis(50)),
        }
    }
}
