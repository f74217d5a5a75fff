//! The Lambda function `reserve-stock`.

fn main() -> std::process::ExitCode {
    onceward_aws::run(inventory::reserve_stock::function())
}
