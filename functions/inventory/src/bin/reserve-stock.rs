//! The Lambda function `reserve-stock`.

fn main() -> Result<(), onceward_aws::RunError> {
    onceward_aws::run(inventory::reserve_stock::function())
}
