use std::fmt;

/// A W3C trace context, version 00: <https://www.w3.org/TR/trace-context/#traceparent-header>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: u128,
    parent_id: u64,
    flags: u8,
}

impl TraceContext {
    /// A sampled trace with the given ids; all-zero ids are not valid and become one.
    pub fn new(trace_id: u128, parent_id: u64) -> Self {
        Self { trace_id: trace_id.max(1), parent_id: parent_id.max(1), flags: 1 }
    }

    /// Reads a `traceparent` header; `None` if it is not valid, which the specification says to treat as absent.
    pub fn parse(traceparent: &str) -> Option<Self> {
        let mut parts = traceparent.split('-');
        let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let lower_hex = |text: &str, length| {
            text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let shaped = lower_hex(version, 2) && lower_hex(trace, 32) && lower_hex(parent, 16) && lower_hex(flags, 2);
        if !shaped || version == "ff" || (version == "00" && parts.next().is_some()) {
            return None;
        }
        let context = Self {
            trace_id: u128::from_str_radix(trace, 16).ok()?,
            parent_id: u64::from_str_radix(parent, 16).ok()?,
            flags: u8::from_str_radix(flags, 16).ok()?,
        };
        (context.trace_id != 0 && context.parent_id != 0).then_some(context)
    }

    /// Reads Lambda's `X-Amzn-Trace-Id` (`Root=1-{8 hex}-{24 hex};Parent={16 hex};Sampled={0 or 1}`), whose root is a
    /// W3C trace id in two parts: <https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html>. `None` if
    /// root or parent are missing or not of that form.
    pub fn from_xray(header: &str) -> Option<Self> {
        let field = |name: &str| header.split(';').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
        let mut root = field("Root")?.split('-');
        let (version, time, rest) = (root.next()?, root.next()?, root.next()?);
        let flags = if field("Sampled") == Some("1") { "01" } else { "00" };
        let shaped = version == "1" && time.len() == 8 && root.next().is_none();
        shaped.then(|| Self::parse(&format!("00-{time}{rest}-{}-{flags}", field("Parent")?)))?
    }

    /// The same trace, one span deeper.
    #[must_use]
    pub fn child(self, span_id: u64) -> Self {
        Self { parent_id: span_id.max(1), ..self }
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace_id, self.parent_id, self.flags)
    }
}

#[cfg(test)]
mod tests {
    use super::TraceContext;

    #[test]
    fn lambdas_trace_header_is_the_same_trace() {
        let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=1:a:0";
        let trace = TraceContext::from_xray(header).map(|trace| trace.to_string());
        assert_eq!(trace.as_deref(), Some("00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01"));
        let unsampled = TraceContext::from_xray(&header.replace("Sampled=1", "Sampled=0")).unwrap().to_string();
        assert!(unsampled.ends_with("-00"), "{unsampled}");
        for wrong in ["", "Root=1-5759e988-bd862e3fe1be46a994272793", "Root=2-5759e988-bd;Parent=53995c3f42cd8ad8"] {
            assert_eq!(TraceContext::from_xray(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn reads_what_it_writes_and_nothing_else() {
        let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(TraceContext::parse(header).unwrap().to_string(), header);
        assert!(TraceContext::parse("00-00000000000000000000000000000000-00f067aa0ba902b7-01").is_none());
        assert!(TraceContext::parse("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01").is_none());
        assert!(TraceContext::parse("garbage").is_none());
        let child = TraceContext::parse(header).unwrap().child(2).to_string();
        assert_eq!(child, "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000002-01");
    }
}
