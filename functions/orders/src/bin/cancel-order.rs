//! The Lambda function `cancel-order`.

fn main() -> std::process::ExitCode {
    onceward_aws::run(orders::cancel_order::function())
}
