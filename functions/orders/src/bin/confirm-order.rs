//! The Lambda function `confirm-order`.

fn main() -> Result<(), onceward_aws::RunError> {
    onceward_aws::run(orders::confirm_order::function())
}
