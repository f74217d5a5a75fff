//! The Lambda function `authorize-payment`.

use std::process::ExitCode;

use onceward_aws::RunError;
use payments::{Gateway, authorize_payment, breaker};

fn main() -> ExitCode {
    onceward_aws::run_with(|aws| {
        let gateway = Gateway::new(&aws.variable("PAYMENT_GATEWAY_URL")?).map_err(RunError::dependency)?;
        let breaker = breaker(&aws.variable("PAYMENT_GATEWAY_OPEN_SECONDS")?).map_err(RunError::dependency)?;
        Ok(authorize_payment::function(gateway, &breaker))
    })
}
