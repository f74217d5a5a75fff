//! The Lambda function `schedule-shipment`.

fn main() -> Result<(), onceward_aws::RunError> {
    onceward_aws::run(shipping::schedule_shipment::function())
}
