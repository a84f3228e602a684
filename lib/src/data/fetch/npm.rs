//! Files from an npm package, fetched by the npm client as it is configured.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use flate2::read::MultiGzDecoder;

use crate::data::formats::archive::read_at_most;
use crate::files::write_atomically;
use crate::{Error, Result};

/// Most bytes of one file of a package.
const MAX_BYTES: u64 = 256 << 20;
/// For 12 MB at 200 kB/s.
const LONGEST: Duration = Duration::from_secs(60);

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
    let mut npm = Command::new("npm")
        .args([
            "pack",
            "--loglevel=error",
            "--fetch-timeout=20000",
            "--fetch-retries=1",
            "--fetch-retry-mintimeout=1000",
            package,
        ])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| wrong(format!("npm cannot be run ({e})")))?;
    // It waits for minutes for a proxy that does not answer.
    let start = Instant::now();
    while npm.try_wait().map_err(failed)?.is_none() {
        if start.elapsed() > LONGEST {
            npm.kill().and_then(|()| npm.wait()).map_err(failed)?;
            return Err(wrong(format!("npm did not end within {LONGEST:?}")));
        }
        sleep(Duration::from_millis(50));
    }
    let npm = npm.wait_with_output().map_err(failed)?;
    if !npm.status.success() {
        let words = String::from_utf8_lossy(&npm.stderr);
        // The reason comes first, the path of npm's log last.
        let why: Vec<&str> = words.lines().take(3).collect();
        return Err(wrong(format!("npm ended with {}: {}", npm.status, why.join(" "))));
    }
    let mut archives = std::fs::read_dir(folder.path()).map_err(failed)?.flatten();
    let archive = archives.find(|entry| entry.path().extension().is_some_and(|e| e == "tgz"));
    let archive = archive.ok_or_else(|| wrong("npm produced no archive".into()))?;
    let file = BufReader::new(File::open(archive.path()).map_err(failed)?);
    let limit = MAX_BYTES * (files.len() as u64 + 1);
    // Nothing is unpacked outside the folder.
    tar::Archive::new(MultiGzDecoder::new(file).take(limit))
        .unpack(folder.path())
        .map_err(failed)?;
    for (name, inner) in files {
        let bytes = File::open(folder.path().join(inner))
            .and_then(|mut file| read_at_most(&mut file, MAX_BYTES))
            .map_err(|e| wrong(format!("the package has no {inner} ({e})")))?
            .ok_or_else(|| wrong(format!("{inner} is larger than {MAX_BYTES} bytes")))?;
        write_atomically(&staging.join(name), &bytes)?;
    }
    Ok(())
}
