//! The Lambda function `confirm-order`.

fn main() -> std::process::ExitCode {
    onceward_aws::run(orders::confirm_order::function())
}
