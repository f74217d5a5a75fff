//! The Lambda function `award-points`.

fn main() -> std::process::ExitCode {
    onceward_aws::run(points::function())
}
