//! The Lambda function `get-stock`.

fn main() -> Result<(), onceward_aws::RunError> {
    onceward_aws::run(inventory::get_stock::function())
}
