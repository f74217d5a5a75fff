//! The Lambda function `place-order`.

fn main() -> Result<(), onceward_aws::RunError> {
    onceward_aws::run(orders::place_order::function())
}
