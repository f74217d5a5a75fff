//! Folders and small projects for `onceward dev` to run.

use std::{fs, path::PathBuf};

/// A folder that is removed in the end.
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    pub(super) fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("onceward-dev-{:x}", rand::random::<u64>()));
        fs::create_dir(&folder).expect("a new folder");
        // As the template's path is shown: without links.
        Self(folder.canonicalize().expect("it exists"))
    }

    pub(super) fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(&path, text).expect("written");
        path.display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// A workspace of two functions that depend on nothing, so that it is built in a moment. Both answer an event with what
/// their source says and their process id, after as many milliseconds as the event says (a bare number); `greet` greets
/// with a word of a library.
pub(super) fn project() -> Folder {
    let folder = Folder::new();
    folder.write("template.yaml", TEMPLATE);
    folder.write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"words\", \"functions\"]\n");
    folder.write("words/Cargo.toml", "[package]\nname = \"words\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
    folder.write("words/src/lib.rs", &word("hello"));
    folder.write("functions/Cargo.toml", FUNCTIONS);
    folder.write("functions/src/lib.rs", LIBRARY);
    folder.write("functions/src/bin/greet.rs", "fn main() { functions::run(words::WORD) }\n");
    folder.write("functions/src/bin/leave.rs", "fn main() { functions::run(\"bye\") }\n");
    folder
}

/// The library with another word.
pub(super) fn word(word: &str) -> String {
    format!("pub const WORD: &str = \"{word}\";\n")
}

const TEMPLATE: &str = "\
Resources:
  Inbox: {Type: AWS::SQS::Queue, Properties: {QueueName: inbox}}
  Greet:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: rust-cargolambda, BuildProperties: {Binary: greet}}
    Properties: {FunctionName: greet, CodeUri: functions, Runtime: provided.al2023, Handler: bootstrap, Timeout: 30}
  Leave:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: rust-cargolambda, BuildProperties: {Binary: leave}}
    Properties: {FunctionName: leave, CodeUri: functions, Runtime: provided.al2023, Handler: bootstrap, Timeout: 30}
";

const FUNCTIONS: &str = "\
[package]
name = \"functions\"
version = \"0.1.0\"
edition = \"2024\"

[dependencies]
words = { path = \"../words\" }
";

/// The Runtime API over a plain socket.
const LIBRARY: &str = r#"
use std::io::{BufRead, BufReader, Read, Write};
use std::{env, net::TcpStream, process, thread, time::Duration};

pub fn run(word: &str) {
    let api = env::var("AWS_LAMBDA_RUNTIME_API").unwrap();
    let mut connection = BufReader::new(TcpStream::connect(api).unwrap());
    loop {
        let (id, event) = call(&mut connection, "GET", "next", "");
        thread::sleep(Duration::from_millis(event.parse().unwrap_or(0)));
        let answer = format!("{{\"word\":\"{word}\",\"pid\":{}}}", process::id());
        call(&mut connection, "POST", &format!("{id}/response"), &answer);
    }
}

fn call(connection: &mut BufReader<TcpStream>, method: &str, path: &str, body: &str) -> (String, String) {
    let length = body.len();
    let head = format!("{method} /2018-06-01/runtime/invocation/{path} HTTP/1.1\r\nhost: localhost\r\n");
    write!(connection.get_mut(), "{head}content-length: {length}\r\n\r\n{body}").unwrap();
    let (mut id, mut length, mut line) = (String::new(), 0, String::new());
    loop {
        line.clear();
        if connection.read_line(&mut line).unwrap_or(0) == 0 {
            process::exit(1);
        }
        let Some((name, value)) = line.trim().split_once(": ") else {
            if line.trim().is_empty() { break } else { continue }
        };
        match name.to_ascii_lowercase().as_str() {
            "lambda-runtime-aws-request-id" => id = value.to_owned(),
            "content-length" => length = value.parse().unwrap(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body).unwrap();
    (id, String::from_utf8(body).unwrap())
}
"#;
