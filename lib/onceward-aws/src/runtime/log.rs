use tracing_subscriber::EnvFilter;

/// One JSON object a line, as Logs Insights discovers fields, with the event it is about in `span`; `RUST_LOG` sets the level, `info` unless said.
pub(super) fn init() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().json().flatten_event(true).with_current_span(true).with_span_list(false);
    // A second initialisation is a test's; its logs go where the first one said.
    drop(log.with_env_filter(filter).try_init());
}
