//! The Lambda function `authorize-payment`.

use std::process::ExitCode;

use onceward_aws::RunError;
use payments::{Gateway, authorize_payment, breaker};

fn main() -> ExitCode {
    onceward_aws::run_with(|aws| {
        let gateway = Gateway::new(&aws.variable_like("PAYMENT_GATEWAY_URL", "https://payments.example.com")?)
            .map_err(RunError::dependency)?;
        let breaker =
            breaker(&aws.variable_like("PAYMENT_GATEWAY_OPEN_SECONDS", "30")?).map_err(RunError::dependency)?;
        Ok(authorize_payment::function(gateway, &breaker))
    })
}
