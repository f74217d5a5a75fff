//! The Lambda function `outbox-relay`.

fn main() -> std::process::ExitCode {
    onceward_aws::run(platform::outbox_relay::function())
}
