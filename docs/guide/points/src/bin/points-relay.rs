//! The Lambda function `points-relay`: publishes what commits have left in the ledger.

fn main() -> std::process::ExitCode {
    onceward_aws::run(onceward::Relay::new("points-relay"))
}
