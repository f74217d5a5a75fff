//! The Lambda function `get-order`.

fn main() -> Result<(), onceward_aws::RunError> {
    onceward_aws::run(orders::get_order::function())
}
