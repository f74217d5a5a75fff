//! The Lambda function `release-stock`.

fn main() -> std::process::ExitCode {
    onceward_aws::run(inventory::release_stock::function())
}
