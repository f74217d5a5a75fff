//! The Lambda function `authorize-payment`.

use std::process::ExitCode;

use onceward_aws::RunError;
use payments::{Gateway, authorize_payment};

fn main() -> ExitCode {
    onceward_aws::run_with(|aws| {
        let gateway = Gateway::new(&aws.variable("PAYMENT_GATEWAY_URL")?).map_err(RunError::dependency)?;
        Ok(authorize_payment::function(gateway))
    })
}
