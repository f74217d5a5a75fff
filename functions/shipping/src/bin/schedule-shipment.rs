//! The Lambda function `schedule-shipment`.

fn main() -> std::process::ExitCode {
    onceward_aws::run(shipping::schedule_shipment::function())
}
