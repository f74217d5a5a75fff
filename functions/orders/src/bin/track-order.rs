//! The Lambda function `track-order`.

fn main() -> Result<(), onceward_aws::RunError> {
    onceward_aws::run(orders::track_order::function())
}
