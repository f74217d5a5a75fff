//! The Lambda function `release-stock`.

fn main() -> Result<(), onceward_aws::RunError> {
    onceward_aws::run(inventory::release_stock::function())
}
