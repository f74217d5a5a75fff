//! The Lambda function `track-order`.

fn main() -> std::process::ExitCode {
    onceward_aws::run(orders::track_order::function())
}
