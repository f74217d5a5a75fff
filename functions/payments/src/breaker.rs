use std::time::Duration;

use onceward::{Backoff, CircuitBreaker};

/// The dependency's name, and the end of the breaker's key in the ledger: the template allows this key by name.
const NAME: &str = "payment-gateway";

/// How long a probe may take: the function's timeout of 5 s, and one more.
const PROBE_LEASE: Duration = Duration::from_secs(6);

/// The longest open time.
const OPEN_TIME_MAX: Duration = Duration::from_mins(15);

/// The open time is not usable.
#[derive(Debug, thiserror::Error)]
#[error("PAYMENT_GATEWAY_OPEN_SECONDS is {value:?}: it must be a whole number from 1 to {}", OPEN_TIME_MAX.as_secs())]
pub struct OpenTimeError {
    value: String,
}

/// The circuit breaker around the gateway; `open_seconds` is the first open time, which doubles with each failed probe.
pub fn breaker(open_seconds: &str) -> Result<CircuitBreaker, OpenTimeError> {
    let seconds = open_seconds.parse().ok().filter(|seconds| (1..=OPEN_TIME_MAX.as_secs()).contains(seconds));
    let seconds = seconds.ok_or_else(|| OpenTimeError { value: open_seconds.to_owned() })?;
    let open_time = Backoff { base: Duration::from_secs(seconds), factor: 2, cap: OPEN_TIME_MAX };
    Ok(CircuitBreaker::new(NAME).open_time(open_time).probe_lease(PROBE_LEASE))
}

#[cfg(test)]
mod tests {
    use super::breaker;

    #[test]
    fn the_open_time_is_one_second_to_fifteen_minutes() {
        assert!(breaker("1").is_ok() && breaker("900").is_ok());
        for unusable in ["", "0", "901", "-1", "1.5", "30s"] {
            assert!(breaker(unusable).unwrap_err().to_string().contains(&format!("{unusable:?}")));
        }
    }
}
