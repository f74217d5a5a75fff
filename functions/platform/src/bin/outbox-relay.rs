//! The Lambda function `outbox-relay`.

fn main() -> Result<(), onceward_aws::RunError> {
    onceward_aws::run(platform::outbox_relay::function())
}
