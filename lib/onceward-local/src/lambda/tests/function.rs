//! The function that the tests invoke: this test executable, run again, speaking the Runtime API over a plain socket.
//!
//! It does what its event says (`do`), and for batches of records what its environment says.

use std::{
    collections::BTreeMap,
    env,
    fs::File,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::exit,
    thread::sleep,
    time::Duration,
};

use serde_json::{Value, json};

/// Lines in which it prints what it was given.
pub(crate) const EVENT: &str = "EVENT ";

#[test]
#[ignore = "not a test, but the function that the tests invoke"]
fn function() {
    let Ok(address) = env::var("AWS_LAMBDA_RUNTIME_API") else { return };
    let mut api = Api::connect(&address);
    initialise(&mut api);
    for handled in 0.. {
        let (headers, event) = api.call("GET", "runtime/invocation/next", b"");
        let id = headers["lambda-runtime-aws-request-id"].clone();
        println!("\n{EVENT}{event}");
        match act(&event, &headers, handled) {
            Ok(answer) => api.post(&format!("runtime/invocation/{id}/response"), &answer),
            Err(error) => api.post(&format!("runtime/invocation/{id}/error"), &error),
        }
        if event["then"] == "exit" {
            exit(0);
        }
    }
}

/// Fails as `INIT` says; if `INIT_TIMES` says how often, only so often. `STARTS` is the file that counts.
fn initialise(api: &mut Api) {
    let start = env::var("STARTS").map_or(1, |path| {
        let mut starts = File::options().create(true).append(true).open(path).unwrap();
        starts.write_all(b"x").unwrap();
        starts.metadata().unwrap().len()
    });
    if env::var("INIT_TIMES").is_ok_and(|times| start > times.parse().unwrap()) {
        return;
    }
    match env::var("INIT").as_deref() {
        Ok("exit") => {
            eprintln!("no database here");
            exit(i32::try_from(start).unwrap());
        }
        Ok("report") => {
            api.post("runtime/init/error", &json!({ "errorType": "Config", "errorMessage": "TABLE is not set" }));
            exit(1);
        }
        Ok("hang") => loop {
            sleep(Duration::from_secs(1));
        },
        _ => {}
    }
}

fn act(event: &Value, headers: &BTreeMap<String, String>, handled: u32) -> Result<Value, Value> {
    if event["window"].is_object() {
        return Ok(windowed(event));
    }
    if event["Records"].is_array() {
        return batch(event, handled);
    }
    match event["do"].as_str() {
        Some("exit") => exit(i32::try_from(event["code"].as_i64().unwrap()).unwrap()),
        Some("hang with a child") => {
            println!("CHILD {}", std::process::Command::new("sleep").arg("600").spawn().unwrap().id());
            loop {
                sleep(Duration::from_secs(1));
            }
        }
        Some("hang") => loop {
            sleep(Duration::from_secs(1));
        },
        Some("wait") => {
            while !std::fs::exists(event["for"].as_str().unwrap()).unwrap() {
                sleep(Duration::from_millis(5));
            }
            Ok(json!({ "pid": std::process::id() }))
        }
        Some("sleep") => {
            sleep(Duration::from_millis(event["ms"].as_u64().unwrap()));
            Ok(json!({ "pid": std::process::id() }))
        }
        Some("fail") => Err(json!({ "errorType": "Boom", "errorMessage": "as told" })),
        Some("variables") => Ok(json!(env::vars().collect::<BTreeMap<_, _>>())),
        Some("headers") => Ok(json!(headers)),
        Some("large") => Ok(json!("x".repeat(7_000_000))),
        Some("answer") => Ok(event["answer"].clone()),
        _ => match env::var("ANSWER") {
            Ok(answer) => Ok(serde_json::from_str(&answer).unwrap()),
            Err(_) => Ok(event.clone()),
        },
    }
}

/// Counts the records of a window in its state.
fn windowed(event: &Value) -> Value {
    let before = event["state"]["count"].as_u64().unwrap_or(0);
    let count = before + event["Records"].as_array().unwrap().len() as u64;
    let large = env::var("LARGE_STATE").is_ok() && event["isFinalInvokeForWindow"] == false;
    let ballast = if large { "x".repeat(1_100_000) } else { String::new() };
    match env::var("STATELESS") {
        Ok(_) => json!({}),
        Err(_) => json!({ "state": { "count": count, "ballast": ballast } }),
    }
}

/// Fails the records that contain `FAIL`, in the first `FAIL_TIMES` invocations of this process.
fn batch(event: &Value, handled: u32) -> Result<Value, Value> {
    if let Ok(ms) = env::var("SLOW_MS") {
        sleep(Duration::from_millis(ms.parse().unwrap()));
    }
    let word = env::var("FAIL").unwrap_or("nothing fails".to_owned());
    let times: u32 = env::var("FAIL_TIMES").map_or(u32::MAX, |times| times.parse().unwrap());
    let records = event["Records"].as_array().unwrap();
    let failed = records.iter().filter(|record| handled < times && record.to_string().contains(&word));
    let failed: Vec<Value> = failed
        .map(|record| match record["messageId"].as_str() {
            Some(id) => json!({ "itemIdentifier": id }),
            None => json!({ "itemIdentifier": record["dynamodb"]["SequenceNumber"] }),
        })
        .collect();
    if failed.is_empty() || env::var("PARTIAL").is_ok() {
        return Ok(json!({ "batchItemFailures": failed }));
    }
    Err(json!({ "errorType": "Boom", "errorMessage": "as told" }))
}

/// HTTP, as much as the Runtime API needs.
struct Api {
    address: String,
    connection: BufReader<TcpStream>,
}

impl Api {
    fn connect(address: &str) -> Self {
        let connection = BufReader::new(TcpStream::connect(address).unwrap());
        Self { address: address.to_owned(), connection }
    }

    fn post(&mut self, path: &str, body: &Value) {
        self.call("POST", path, body.to_string().as_bytes());
    }

    fn call(&mut self, method: &str, path: &str, body: &[u8]) -> (BTreeMap<String, String>, Value) {
        let (address, length) = (&self.address, body.len());
        let head =
            format!("{method} /2018-06-01/{path} HTTP/1.1\r\nhost: {address}\r\ncontent-length: {length}\r\n\r\n");
        let sent = self.connection.get_mut().write_all(&[head.as_bytes(), body].concat());
        let mut headers = BTreeMap::new();
        let mut line = String::new();
        if sent.is_err() || self.connection.read_line(&mut line).unwrap_or(0) == 0 {
            // The cloud is gone.
            exit(1);
        }
        loop {
            line.clear();
            self.connection.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim().split_once(": ") else { break };
            headers.insert(name.to_ascii_lowercase(), value.to_owned());
        }
        let mut body = vec![0; headers["content-length"].parse().unwrap()];
        self.connection.read_exact(&mut body).unwrap();
        (headers, serde_json::from_slice(&body).unwrap_or_default())
    }
}
