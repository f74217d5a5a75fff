//! The Lambda function `place-order`.

fn main() -> std::process::ExitCode {
    onceward_aws::run(orders::place_order::function())
}
