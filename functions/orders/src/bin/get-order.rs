//! The Lambda function `get-order`.

fn main() -> std::process::ExitCode {
    onceward_aws::run(orders::get_order::function())
}
