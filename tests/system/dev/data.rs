//! `onceward dev --data`: what was there before is there again.

use std::{fs, io::Write as _, net::TcpStream, path::PathBuf};

use libtest_mimic::Trial;
use rustix::process::Signal;

use super::{process::Dev, project};
use crate::{system::order, trial};

/// Orders that are under way when the process is killed.
const ORDERS: usize = 30;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial("dev::orders_survive_a_killed_cloud_with_its_data", orders_survive_a_killed_cloud_with_its_data),
        trial("dev::a_data_folder_in_use_is_refused", a_data_folder_in_use_is_refused),
        trial("dev::a_data_folder_that_is_deleted_ends_it", a_data_folder_that_is_deleted_ends_it),
    ]
}

/// A folder that goes with its test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        Self(std::env::temp_dir().join(format!("onceward-data-{:016x}", rand::random::<u64>())))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Killed while orders are being handled; each is settled by the next cloud, and the stock says so.
fn orders_survive_a_killed_cloud_with_its_data() {
    let folder = Folder::new();
    let data = folder.0.to_str().expect("text");
    let mut dev = Dev::ready(&["--data", data]);
    let http = dev.out.url("HTTP API");
    let stock = |dev: &Dev, http: &str| dev.get(&format!("{http}/stock/p-1")).1;
    let before = stock(&dev, &http)["available"].as_u64().expect("the demo put some there");
    let placed: Vec<String> = (0..ORDERS)
        .map(|_| {
            let answer = dev.post(&format!("{http}/orders"), &order("p-1", 1).to_string());
            answer["order_id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
        })
        .collect();
    dev.signal(Signal::KILL);
    dev.ended();

    let mut dev = Dev::ready(&["--data", data, "--no-demo"]);
    let http = dev.out.url("HTTP API");
    for order_id in &placed {
        dev.until("the order is confirmed", &format!("{http}/orders/{order_id}"), |it| it["status"] == "confirmed");
    }
    let after = stock(&dev, &http);
    assert_eq!(after["available"].as_u64(), Some(before - ORDERS as u64), "{after}");
}

/// And the first process does not notice.
fn a_data_folder_in_use_is_refused() {
    let (folder, empty) = (Folder::new(), project::Folder::new());
    let data = folder.0.to_str().expect("text");
    let template = empty.write("template.yaml", "Resources:\n  Inbox: {Type: AWS::SQS::Queue}\n");
    let arguments = ["--template", template.as_str(), "--data", data, "--no-watch"];
    let mut first = Dev::ready(&arguments);
    let mut second = Dev::start(&arguments);
    assert_eq!(second.ended().code(), Some(1), "{}", second.err.text());
    let expected = format!("error: the data folder {data} is in use by another process: ");
    assert!(second.err.text().starts_with(&expected), "{}", second.err.text());
    let queue = format!("{}/", first.out.url("AWS endpoint"));
    let listed = first.post_form(&queue, "Action=ListQueues&Version=2012-11-05");
    assert!(listed.contains("onceward-Inbox"), "{listed}");
}

/// With the first request that it cannot keep. That one may get an answer or none, so it is sent by hand.
fn a_data_folder_that_is_deleted_ends_it() {
    let (folder, empty) = (Folder::new(), project::Folder::new());
    let data = folder.0.to_str().expect("text");
    let template = empty.write("template.yaml", "Resources:\n  Inbox: {Type: AWS::SQS::Queue}\n");
    let mut dev = Dev::ready(&["--template", template.as_str(), "--data", data, "--no-watch"]);
    let url = dev.out.url("AWS endpoint");
    fs::remove_dir_all(&folder.0).expect("it is there");
    let mut connection = TcpStream::connect(url.trim_start_matches("http://")).expect("it answers");
    let request = "GET /?Action=CreateQueue&QueueName=lost&Version=2012-11-05 HTTP/1.1\r\nhost: localhost\r\n\r\n";
    connection.write_all(request.as_bytes()).expect("it is sent");
    assert_eq!(dev.ended().code(), Some(1), "{}", dev.err.text());
    let told = dev.err.text();
    assert!(told.starts_with(&format!("error: {data}")), "{told}");
    assert!(told.contains("was deleted while it was in use; nothing since is kept"), "{told}");
}
