//! The Lambda function `receive-stock`.

fn main() -> std::process::ExitCode {
    onceward_aws::run(inventory::receive_stock::function())
}
