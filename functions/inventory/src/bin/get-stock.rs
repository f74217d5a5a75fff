//! The Lambda function `get-stock`.

fn main() -> std::process::ExitCode {
    onceward_aws::run(inventory::get_stock::function())
}
