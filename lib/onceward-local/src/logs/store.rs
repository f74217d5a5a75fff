//! Log groups in memory.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

/// Lines of one function that are kept; the oldest make room.
pub const LOG_EVENTS_MAX: usize = 10_000;
/// Bytes of one function's lines that are kept.
pub const LOG_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Streams of one function that are known, one for each of its environments; the oldest make room.
pub const LOG_STREAMS_MAX: usize = 100;

/// All groups of an account.
#[derive(Debug, Default)]
pub(super) struct Store {
    pub(super) groups: BTreeMap<String, Group>,
    last_id: u64,
}

/// The lines of the functions that share a group.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) created_ms: i64,
    /// By function.
    logs: BTreeMap<String, Log>,
}

#[derive(Debug, Default)]
struct Log {
    events: VecDeque<Event>,
    bytes: usize,
    streams: VecDeque<Stream>,
}

/// The lines of one environment.
#[derive(Debug, Clone)]
pub(super) struct Stream {
    pub(super) name: Arc<str>,
    pub(super) first_ms: i64,
    pub(super) last_ms: i64,
}

/// One line.
#[derive(Debug, Clone)]
pub(super) struct Event {
    /// Grows with every line of the account.
    pub(super) id: u64,
    pub(super) stream: Arc<str>,
    pub(super) timestamp_ms: i64,
    pub(super) message: String,
}

impl Store {
    pub(super) fn create_group(&mut self, group: &str, now_ms: i64) {
        let created = || Group { created_ms: now_ms, logs: BTreeMap::new() };
        self.groups.entry(group.to_owned()).or_insert_with(created);
    }

    pub(super) fn put(&mut self, group: &str, function: &str, stream: &str, message: &str, now_ms: i64) {
        if message.is_empty() {
            // CloudWatch Logs keeps no empty events.
            return;
        }
        self.create_group(group, now_ms);
        self.last_id += 1;
        let Some(group) = self.groups.get_mut(group) else { return };
        let log = group.logs.entry(function.to_owned()).or_default();
        let stream = log.stream(stream, now_ms);
        log.bytes += message.len();
        log.events.push_back(Event { id: self.last_id, stream, timestamp_ms: now_ms, message: message.to_owned() });
        while log.events.len() > LOG_EVENTS_MAX || log.bytes > LOG_BYTES_MAX {
            let Some(oldest) = log.events.pop_front() else { break };
            log.bytes -= oldest.message.len();
        }
    }
}

impl Log {
    fn stream(&mut self, name: &str, now_ms: i64) -> Arc<str> {
        if let Some(stream) = self.streams.iter_mut().rev().find(|stream| &*stream.name == name) {
            stream.last_ms = now_ms;
            return Arc::clone(&stream.name);
        }
        if self.streams.len() == LOG_STREAMS_MAX {
            self.streams.pop_front();
        }
        let name: Arc<str> = name.into();
        self.streams.push_back(Stream { name: Arc::clone(&name), first_ms: now_ms, last_ms: now_ms });
        name
    }
}

impl Group {
    /// All lines, oldest first.
    pub(super) fn events(&self) -> Vec<&Event> {
        let mut events: Vec<&Event> = self.logs.values().flat_map(|log| &log.events).collect();
        events.sort_by_key(|event| event.id);
        events
    }

    /// All streams, by name.
    pub(super) fn streams(&self) -> Vec<&Stream> {
        let mut streams: Vec<&Stream> = self.logs.values().flat_map(|log| &log.streams).collect();
        streams.sort_by(|a, b| a.name.cmp(&b.name));
        streams
    }

    pub(super) fn stored_bytes(&self) -> usize {
        self.logs.values().map(|log| log.bytes).sum()
    }
}
