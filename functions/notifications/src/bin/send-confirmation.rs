//! The Lambda function `send-confirmation`.

fn main() -> std::process::ExitCode {
    onceward_aws::run_with(|aws| Ok(notifications::send_confirmation::function(aws.topic("CONFIRMATIONS_TOPIC_ARN")?)))
}
