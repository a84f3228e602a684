//! Fetching, against a real HTTP server on loopback that behaves well and badly.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use glyphs::data::fetch::{Catalogue, Entry, Patience, Source, download, fetch_into};
use glyphs::data::{Dataset, Mnist};

/// One request as the server saw it.
#[derive(Clone, Debug)]
struct Request {
    path: String,
    range: Option<usize>,
    if_range: Option<String>,
}

struct Server {
    address: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

type Handler = dyn Fn(&Request, usize, &mut TcpStream) -> std::io::Result<()> + Send + Sync;

impl Server {
    /// `handler` gets each request, how many of its path came before, and the line.
    fn start(
        handler: impl Fn(&Request, usize, &mut TcpStream) -> std::io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
        let (log, handler): (_, Arc<Handler>) = (requests.clone(), Arc::new(handler));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, handler) = (log.clone(), handler.clone());
                thread::spawn(move || serve(stream, &log, &*handler));
            }
        });
        Self { address, requests }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, log: &Mutex<Vec<Request>>, handler: &Handler) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let Some(Ok(first)) = lines.next() else {
        return;
    };
    let mut request = Request {
        path: first.split(' ').nth(1).unwrap_or_default().into(),
        range: None,
        if_range: None,
    };
    for line in lines.map_while(Result::ok).take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(": ").unwrap_or_default();
        match name.to_ascii_lowercase().as_str() {
            "range" => {
                request.range =
                    value.trim_start_matches("bytes=").trim_end_matches('-').parse().ok()
            }
            "if-range" => request.if_range = Some(value.into()),
            _ => {}
        }
    }
    let before = {
        let mut log = log.lock().unwrap();
        let before = log.iter().filter(|r| r.path == request.path).count();
        log.push(request.clone());
        before
    };
    let _ = handler(&request, before, &mut stream);
}

fn answer(stream: &mut TcpStream, status: &str, headers: &str, body: &[u8]) -> std::io::Result<()> {
    write!(stream, "HTTP/1.1 {status}\r\nConnection: close\r\n{headers}\r\n")?;
    stream.write_all(body)
}

/// The whole file, or the rest of it from where the client has it.
fn answer_with_ranges(
    request: &Request,
    stream: &mut TcpStream,
    body: &[u8],
) -> std::io::Result<()> {
    match (request.range, request.if_range.as_deref()) {
        (Some(start), Some("\"one\"")) => {
            let rest = &body[start..];
            let headers = format!(
                "Content-Length: {}\r\nContent-Range: bytes {start}-{}/{}\r\nETag: \"one\"\r\n",
                rest.len(),
                body.len() - 1,
                body.len()
            );
            answer(stream, "206 Partial Content", &headers, rest)
        }
        _ => answer(stream, "200 OK", &length_and_tag(body.len(), "one"), body),
    }
}

fn length_and_tag(length: usize, tag: &str) -> String {
    format!("Content-Length: {length}\r\nETag: \"{tag}\"\r\n")
}

fn content() -> Vec<u8> {
    (0..300_000u32).flat_map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()).collect()
}

fn hasty() -> Patience {
    Patience {
        attempts: 3,
        pause: Duration::from_millis(10),
        connect: Duration::from_secs(2),
        silence: Duration::from_millis(400),
        total: Duration::from_secs(20),
        max_bytes: 4 << 20,
    }
}

/// Downloads a path; the file's content, or the error's words.
fn get(server: &Server, path: &str) -> Result<Vec<u8>, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("deep/file.bin");
    let done = download(&server.url(path), &file, &hasty());
    assert_eq!(done.is_ok(), file.exists(), "a file stands there only when it is whole");
    done.map(|()| fs::read(&file).unwrap()).map_err(|e| e.to_string())
}

#[test]
fn whole_files_however_they_come() {
    let server = Server::start(|request, before, stream| {
        let body = content();
        match request.path.as_str() {
            "/good" => answer_with_ranges(request, stream, &body),
            "/redirect" => {
                answer(stream, "302 Found", "Location: /good\r\nContent-Length: 0\r\n", b"")
            }
            "/no-length" => answer(stream, "200 OK", "", &body),
            "/drip" => {
                answer(stream, "200 OK", &length_and_tag(10, "one"), b"")?;
                for byte in b"0123456789" {
                    thread::sleep(Duration::from_millis(100));
                    stream.write_all(&[*byte])?;
                }
                Ok(())
            }
            "/flaky" if before < 2 => answer(stream, "500 Oops", "Content-Length: 4\r\n", b"oops"),
            _ => answer_with_ranges(request, stream, &body),
        }
    });
    for path in ["/good", "/redirect", "/no-length", "/flaky"] {
        assert!(get(&server, path) == Ok(content()), "{path}");
    }
    assert_eq!(get(&server, "/drip").unwrap(), b"0123456789");
    assert_eq!(server.requests().iter().filter(|r| r.path == "/flaky").count(), 3);
}

#[test]
fn a_download_goes_on_where_it_broke_off() {
    let server = Server::start(|request, before, stream| {
        let body = content();
        let half = &body[..body.len() / 2];
        match (request.path.as_str(), before) {
            ("/cut" | "/cut-no-range", 0) => {
                answer(stream, "200 OK", &length_and_tag(body.len(), "one"), half)
            }
            ("/cut-no-tag", 0) => {
                let head = format!("Content-Length: {}\r\n", body.len());
                answer(stream, "200 OK", &head, half)
            }
            // Other bytes than the first half belonged to.
            ("/changed", 0) => {
                answer(stream, "200 OK", &length_and_tag(body.len(), "old"), &vec![7; half.len()])
            }
            ("/bad-range", 0) => answer(stream, "200 OK", &length_and_tag(body.len(), "one"), half),
            ("/bad-range", 1) | ("/range-unasked", 0) => {
                let head = "Content-Length: 3\r\nContent-Range: bytes 0-2/9\r\nETag: \"one\"\r\n";
                answer(stream, "206 Partial Content", head, b"abc")
            }
            ("/cut-no-range", _) => {
                answer(stream, "200 OK", &length_and_tag(body.len(), "one"), &body)
            }
            _ => answer_with_ranges(request, stream, &body),
        }
    });
    for path in ["/cut", "/cut-no-range", "/cut-no-tag", "/changed", "/bad-range", "/range-unasked"]
    {
        assert!(get(&server, path) == Ok(content()), "{path}");
    }
    let ranges = |path: &str| {
        let requests = server.requests();
        requests.iter().filter(|r| r.path == path).map(|r| r.range.is_some()).collect::<Vec<_>>()
    };
    assert_eq!(ranges("/cut"), [false, true]);
    assert_eq!(ranges("/cut-no-tag"), [false, false]);
    assert_eq!(ranges("/bad-range"), [false, true, false]);

    // Across calls, as after a stop of the program.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file.bin");
    fs::write(folder.path().join("file.bin.part"), &content()[..1000]).unwrap();
    fs::write(folder.path().join("file.bin.etag"), "\"one\"").unwrap();
    download(&server.url("/resumed"), &file, &hasty()).unwrap();
    assert!(fs::read(&file).unwrap() == content());
    assert_eq!(ranges("/resumed"), [true]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn what_does_not_come_is_an_error_with_a_remedy() {
    let server = Server::start(|request, _, stream| match request.path.as_str() {
        "/missing" => answer(stream, "404 Not Found", "Content-Length: 0\r\n", b""),
        "/broken" => answer(stream, "503 Busy", "Content-Length: 0\r\n", b""),
        "/loop" => answer(stream, "302 Found", "Location: /loop\r\nContent-Length: 0\r\n", b""),
        "/long" => answer(stream, "200 OK", "Content-Length: 100\r\n", b"too little"),
        "/huge" => answer(stream, "200 OK", "Content-Length: 99999999999\r\n", b"x"),
        "/endless" => {
            answer(stream, "200 OK", "", b"")?;
            loop {
                stream.write_all(&[0; 1 << 16])?;
            }
        }
        "/nonsense" => stream.write_all(b"this is not HTTP\r\n\r\n"),
        _ => {
            answer(stream, "200 OK", "Content-Length: 100\r\n", b"a start")?;
            thread::sleep(Duration::from_secs(5));
            Ok(())
        }
    });
    for (path, part, requests) in [
        ("/missing", "404", 1),
        ("/broken", "503", 3),
        ("/loop", "redirect", 11),
        ("/long", "cut off after", 3),
        ("/huge", "larger than", 1),
        ("/endless", "larger than", 1),
        ("/nonsense", "", 3),
        ("/silent", "cut off after 7 bytes", 3),
    ] {
        let start = Instant::now();
        let words = get(&server, path).unwrap_err();
        assert!(words.contains(part) && words.contains(path), "{path}: {words}");
        assert!(words.contains("by hand"), "{words}");
        assert!(start.elapsed() < Duration::from_secs(8), "{path}");
        let made = server.requests().iter().filter(|r| r.path == path).count();
        assert_eq!(made, requests, "{path}: {words}");
    }
    // Nobody listens, and no such host.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let folder = tempfile::tempdir().unwrap();
    for url in
        [format!("http://{free}/x"), "http://no-such-host.invalid/x".into(), "nonsense".into()]
    {
        let words = download(&url, &folder.path().join("x"), &hasty()).unwrap_err().to_string();
        assert!(words.contains(&url), "{words}");
    }
}

/// One that takes connections and never answers: trying again would only take longer.
#[test]
fn a_silent_proxy_is_tried_once() {
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", proxy.local_addr().unwrap());
    // Proxies are named by the environment, so the download has a process of its own.
    let done = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "fetch::download_through_a_silent_proxy", "--ignored"])
        .envs(["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"].map(|name| (name, &address)))
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
    proxy.set_nonblocking(true).unwrap();
    assert_eq!(proxy.incoming().map_while(Result::ok).count(), 1);
}

#[test]
#[ignore = "started by the test above, with an environment of its own"]
fn download_through_a_silent_proxy() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x");
    // As by default, less patience with a connection than within an answer.
    let patience = Patience { connect: Duration::from_millis(200), ..hasty() };
    let words = download("https://example.com/x", &file, &patience).unwrap_err().to_string();
    assert!(words.contains("timeout") && words.contains("proxy settings"), "{words}");
}

/// IDX files of `n` images, all pixels `value`.
fn tiny_mnist(n: u8, value: u8) -> BTreeMap<&'static str, Vec<u8>> {
    let images = [
        &[0, 0, 8, 3, 0, 0, 0, n, 0, 0, 0, 28, 0, 0, 0, 28][..],
        &vec![value; 784 * usize::from(n)],
    ]
    .concat();
    let labels = [&[0, 0, 8, 1, 0, 0, 0, n][..], &vec![3; n.into()]].concat();
    BTreeMap::from([
        ("mnist/t10k-images-idx3-ubyte", images.clone()),
        ("mnist/t10k-labels-idx1-ubyte", labels.clone()),
        ("mnist/train-images-idx3-ubyte", images),
        ("mnist/train-labels-idx1-ubyte", labels),
    ])
}

fn source(server: &Server, name: &str) -> Source {
    Source {
        name: name.into(),
        npm: None,
        unchecked: false,
        files: tiny_mnist(0, 0)
            .into_keys()
            .map(|file| (file.into(), server.url(&format!("/{name}/{file}"))))
            .collect(),
    }
}

fn entry(sources: Vec<Source>, raw: &Path) -> Entry {
    let files = tiny_mnist(2, 5);
    for (name, bytes) in &files {
        fs::create_dir_all(raw.join(name).parent().unwrap()).unwrap();
        fs::write(raw.join(name), bytes).unwrap();
    }
    let good = Mnist::open(&raw.join("mnist")).unwrap();
    fs::remove_dir_all(raw.join("mnist")).unwrap();
    Entry {
        sources,
        count: 4,
        sha256: vec![good.train.provenance.sha256, good.test.provenance.sha256],
        ..Catalogue::embedded().unwrap().mnist
    }
}

fn mirrors() -> Server {
    Server::start(|request, _, stream| {
        let (_, rest) = request.path[1..].split_once('/').unwrap();
        let files = match &request.path {
            path if path.starts_with("/good/") => tiny_mnist(2, 5),
            path if path.starts_with("/wrong/") => tiny_mnist(2, 6),
            _ => return answer(stream, "404 Not Found", "Content-Length: 0\r\n", b""),
        };
        let body = &files[rest];
        answer(stream, "200 OK", &length_and_tag(body.len(), "one"), body)
    })
}

#[test]
fn sources_are_tried_in_order_and_their_content_is_checked() {
    let (server, folder) = (mirrors(), tempfile::tempdir().unwrap());
    let raw = folder.path();
    let sources = ["gone", "wrong", "good"].map(|name| source(&server, name));
    let whole = entry(sources.to_vec(), raw);
    let found = fetch_into(Dataset::Mnist, &whole, raw, &hasty()).unwrap();
    assert_eq!((found.source.as_str(), found.synthetic), ("data/raw/mnist", false));
    let mnist = Mnist::open(&found.path).unwrap();
    assert_eq!(mnist.train.images[[0, 0, 0, 0]], 5);
    assert!(!raw.join(".fetch").exists());
    let before = server.requests().len();
    fetch_into(Dataset::Mnist, &whole, raw, &hasty()).unwrap();
    assert_eq!(server.requests().len(), before, "what is there is not fetched again");

    // A damaged file is fetched again, and where nothing helps nothing is left behind.
    fs::write(raw.join("mnist/train-labels-idx1-ubyte"), b"damaged").unwrap();
    fetch_into(Dataset::Mnist, &whole, raw, &hasty()).unwrap();
    assert_eq!(Mnist::open(&raw.join("mnist")).unwrap().train.labels, [3, 3]);
    // One that comes before what was fetched stays in the way, and is named.
    fs::write(raw.join("mnist/train-labels"), [0, 0, 8, 1, 0, 0, 0, 2, 3]).unwrap();
    let words = fetch_into(Dataset::Mnist, &whole, raw, &hasty()).unwrap_err().to_string();
    assert!(words.contains("mnist/train-labels:") && words.contains("remove it"), "{words}");
    fs::remove_dir_all(raw.join("mnist")).unwrap();
    let without = Entry { sources: sources[..2].to_vec(), ..whole };
    let words = fetch_into(Dataset::Mnist, &without, raw, &hasty()).unwrap_err().to_string();
    for part in ["mnist was not found", "404", "sha256", "data/README.md"] {
        assert!(words.contains(part), "{words}");
    }
    assert!(!raw.join("mnist").exists());
}

#[test]
fn one_process_at_a_time_fetches_into_a_folder() {
    let (server, folder) = (mirrors(), tempfile::tempdir().unwrap());
    let whole = entry(vec![source(&server, "good")], folder.path());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| fetch_into(Dataset::Mnist, &whole, folder.path(), &hasty()).unwrap());
        }
    });
    assert_eq!(server.requests().len(), 4, "four files, each asked for once");
}

#[test]
fn the_catalogue_is_well_formed() {
    let catalogue = Catalogue::embedded().unwrap();
    for dataset in Dataset::ALL {
        let entry = catalogue.entry(dataset);
        assert!(!entry.sources.is_empty());
        assert!(
            entry
                .sha256
                .iter()
                .all(|sha| sha.len() == 64 && sha.bytes().all(|b| b.is_ascii_hexdigit()))
        );
        for source in &entry.sources {
            let is_address = |from: &String| from.starts_with("http");
            assert!(source.files.values().all(|from| is_address(from) != source.npm.is_some()));
            assert!(source.files.keys().all(|name| !name.contains("..") && !name.starts_with('/')));
        }
    }
    let words = Catalogue::parse("[mnist]\ntitle = 3").unwrap_err().to_string();
    assert!(words.contains("datasets.toml"), "{words}");
}
