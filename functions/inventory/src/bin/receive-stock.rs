//! The Lambda function `receive-stock`.

fn main() -> Result<(), onceward_aws::RunError> {
    onceward_aws::run(inventory::receive_stock::function())
}
