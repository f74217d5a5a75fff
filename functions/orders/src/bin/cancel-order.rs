//! The Lambda function `cancel-order`.

fn main() -> Result<(), onceward_aws::RunError> {
    onceward_aws::run(orders::cancel_order::function())
}
