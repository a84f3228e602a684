//! One file over HTTP: resumed where it broke off, and retried if that can help.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use ureq::http::{Response, StatusCode, header};
use ureq::{Agent, Body, Timeout};

use crate::progress::{Progress, say};
use crate::{Error, Result};

/// How long to wait, and how often to try.
#[derive(Clone, Debug, PartialEq)]
pub struct Patience {
    pub attempts: u32,
    /// Before the second attempt; doubled before each further one.
    pub pause: Duration,
    pub connect: Duration,
    /// Longest silence of a server within an answer.
    pub silence: Duration,
    /// Longest time for one attempt.
    pub total: Duration,
    /// Most bytes of one file.
    pub max_bytes: u64,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            attempts: 4,
            pause: Duration::from_secs(1),
            connect: Duration::from_secs(10),
            silence: Duration::from_secs(20),
            total: Duration::from_secs(1800),
            max_bytes: 512 << 20,
        }
    }
}

/// Why one attempt did not fetch the file.
enum Failure {
    /// Trying again may help.
    Passing(String),
    Lasting(String),
    Disk(std::io::Error),
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Disk(error)
    }
}

/// Fetches `url` into the file `path`, which exists only once it is complete. Until then
/// the bytes are in `path` + `.part`, and a later call continues from there. Proxies are
/// taken from the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`).
///
/// # Errors
/// Where the server refuses, is silent for too long, or breaks off again and again.
pub fn download(url: &str, path: &Path, patience: &Patience) -> Result<()> {
    let agent = Agent::new_with_config(
        Agent::config_builder()
            .timeout_connect(Some(patience.connect))
            .timeout_resolve(Some(patience.connect))
            .timeout_recv_response(Some(patience.silence))
            .timeout_per_read(Some(patience.silence))
            .timeout_global(Some(patience.total))
            .http_status_as_error(false)
            // Packed files come as they are; a byte range of a compressed answer means nothing.
            .accept_encoding("identity")
            .user_agent(concat!("glyphs/", env!("CARGO_PKG_VERSION")))
            .build(),
    );
    let start = Instant::now();
    let mut problem = String::new();
    for attempt in 1..=patience.attempts {
        match attempt_once(&agent, url, path, patience) {
            Ok(()) => return Ok(()),
            Err(Failure::Disk(e)) => {
                let remedy = "make room on the disk, or allow writing to the folder";
                return Err(Error::io(path, e, remedy));
            }
            Err(Failure::Lasting(why)) => {
                problem = why;
                break;
            }
            Err(Failure::Passing(why)) => problem = why,
        }
        if attempt == patience.attempts || start.elapsed() > patience.total {
            break;
        }
        let pause = patience.pause * 2u32.saturating_pow(attempt - 1);
        say(format!("{url}: {problem}; trying again in {pause:.0?}"));
        sleep(pause);
    }
    Err(Error::Fetch {
        url: url.into(),
        problem,
        remedy: "check the network and the proxy settings, or fetch the file by hand".into(),
    })
}

fn attempt_once(agent: &Agent, url: &str, path: &Path, patience: &Patience) -> Result<(), Failure> {
    let part = path.with_added_extension("part");
    let tag_path = path.with_added_extension("etag");
    fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
    let have = fs::metadata(&part).map_or(0, |data| data.len());
    let tag = fs::read_to_string(&tag_path).unwrap_or_default();
    // Without a tag nothing tells whether the rest belongs to what is there.
    let resume = have > 0 && !tag.is_empty();
    let mut request = agent.get(url);
    if resume {
        request =
            request.header(header::RANGE, format!("bytes={have}-")).header(header::IF_RANGE, &tag);
    }
    let mut response = request.call().map_err(failure)?;
    let start = match response.status() {
        StatusCode::OK => 0,
        StatusCode::PARTIAL_CONTENT if resume && range_start(&response) == Some(have) => have,
        StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => {
            if have > 0 {
                fs::remove_file(&part)?;
            }
            let problem = "the server sent a part other than the one requested";
            return Err(Failure::Passing(problem.into()));
        }
        status => {
            let problem = format!("the server answered {status}");
            let busy = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
            return Err(match status.is_server_error() || busy.contains(&status) {
                true => Failure::Passing(problem),
                false => Failure::Lasting(problem),
            });
        }
    };
    let new_tag = response.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok());
    // A weak tag does not promise the same bytes.
    let new_tag = new_tag.filter(|tag| !tag.starts_with("W/")).unwrap_or_default();
    fs::write(&tag_path, new_tag)?;
    let total = response.body().content_length().map(|rest| start + rest);
    if total > Some(patience.max_bytes) {
        return Err(too_large(patience));
    }
    receive(&mut response, &part, start, total, patience, path)?;
    fs::rename(&part, path)?;
    let _ = fs::remove_file(tag_path);
    Ok(())
}

/// Appends the answer's body to the `part` file after its first `start` bytes.
fn receive(
    response: &mut Response<Body>,
    part: &Path,
    start: u64,
    total: Option<u64>,
    patience: &Patience,
    path: &Path,
) -> Result<(), Failure> {
    let mut file = File::options().create(true).append(true).open(part)?;
    file.set_len(start)?;
    let mut reader = response.body_mut().as_reader();
    let progress = Progress::start();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let of = total.map_or(String::new(), |total| format!(" of {:.1}", megabytes(total)));
    let mut buffer = vec![0; 64 << 10];
    let mut have = start;
    loop {
        let broken = |e| Failure::Passing(format!("cut off after {have} bytes ({e})"));
        let count = reader.read(&mut buffer).map_err(broken)?;
        if count == 0 {
            break;
        }
        file.write_all(&buffer[..count])?;
        have += count as u64;
        if have > patience.max_bytes {
            return Err(too_large(patience));
        }
        progress.step(|seconds| {
            let speed = megabytes(have - start) / seconds;
            format!("{name}: {:.1}{of} MB, {speed:.1} MB/s", megabytes(have))
        });
    }
    if total.is_some_and(|total| total != have) {
        return Err(Failure::Passing(format!("cut off after {have} bytes")));
    }
    Ok(file.sync_all()?)
}

fn too_large(patience: &Patience) -> Failure {
    Failure::Lasting(format!("the file is larger than {} bytes", patience.max_bytes))
}

fn failure(error: ureq::Error) -> Failure {
    use std::io::ErrorKind;
    let passing = match &error {
        // A host that does not answer within that time is not there.
        ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect) => false,
        ureq::Error::Timeout(_) | ureq::Error::ConnectionFailed | ureq::Error::Protocol(_) => true,
        // A name that does not resolve, or a wrong certificate, will not change.
        ureq::Error::Io(error) => matches!(
            error.kind(),
            ErrorKind::ConnectionRefused
                | ErrorKind::ConnectionReset
                | ErrorKind::ConnectionAborted
                | ErrorKind::BrokenPipe
                | ErrorKind::TimedOut
                | ErrorKind::UnexpectedEof
        ),
        _ => false,
    };
    if passing { Failure::Passing(error.to_string()) } else { Failure::Lasting(error.to_string()) }
}

/// `Content-Range: bytes 100-199/200` starts at 100.
fn range_start(response: &Response<Body>) -> Option<u64> {
    let range = response.headers().get(header::CONTENT_RANGE)?;
    let (start, _) = range.to_str().ok()?.strip_prefix("bytes ")?.split_once('-')?;
    start.parse().ok()
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
