//! What a request says about itself: the keys that conditions ask for.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>

use std::borrow::Cow;

use chrono::{SecondsFormat, Utc};

use super::caller::Caller;
use crate::account::Account;

/// The keys that are evaluated, in lower case: key names have no case. A policy with another key is refused when it is
/// read. Those that a function's call never has (a user's name, a second factor) are known too, and absent.
const KNOWN: [&str; 33] = [
    "aws:currenttime",
    "aws:epochtime",
    "aws:multifactorauthage",
    "aws:multifactorauthpresent",
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalisawsservice",
    "aws:principalservicename",
    "aws:principaltype",
    "aws:requestedregion",
    "aws:resourceaccount",
    "aws:securetransport",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceip",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:userid",
    "aws:username",
    "aws:viaawsservice",
    "dynamodb:enclosingoperation",
    "dynamodb:leadingkeys",
    "dynamodb:returnconsumedcapacity",
    "dynamodb:returnvalues",
    "dynamodb:select",
    "events:detail-type",
    "events:source",
    "s3:delimiter",
    "s3:max-keys",
    "s3:prefix",
    "sns:endpoint",
    "sns:protocol",
];

/// Whether `key`, in lower case, is one that is evaluated.
pub(crate) fn is_known(key: &str) -> bool {
    KNOWN.binary_search(&key).is_ok()
}

/// A service's own keys and their values, in the request.
pub(crate) type Keys = Vec<(&'static str, Vec<String>)>;

/// One request, as conditions see it.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) account: &'a Account,
    pub(crate) keys: &'a Keys,
}

impl Context<'_> {
    /// The values of `key`, which is in lower case; `None` if the request does not have it.
    pub(crate) fn values(&self, key: &str) -> Option<Cow<'_, [String]>> {
        if let Some((_, values)) = self.keys.iter().find(|(name, _)| *name == key) {
            return Some(Cow::Borrowed(values));
        }
        let account = &self.account.id;
        let value = match key {
            "aws:currenttime" => Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true),
            "aws:epochtime" => Utc::now().timestamp().to_string(),
            // On AWS every SDK uses TLS. Here none does, and a policy that insists on it is right.
            "aws:securetransport" => "true".to_owned(),
            "aws:requestedregion" => self.account.region.clone(),
            "aws:resourceaccount" => account.clone(),
            "aws:viaawsservice" => "false".to_owned(),
            "aws:principalisawsservice" => matches!(self.caller, Caller::Service { .. }).to_string(),
            key => match self.caller {
                Caller::Service { name, source_arn } => match key {
                    "aws:sourcearn" => source_arn.clone(),
                    "aws:sourceaccount" => account.clone(),
                    "aws:principalservicename" => (*name).to_owned(),
                    _ => return None,
                },
                Caller::Role(role) => match key {
                    "aws:principalarn" => role.arn.clone(),
                    "aws:principalaccount" => account.clone(),
                    "aws:principaltype" => "AssumedRole".to_owned(),
                    "aws:userid" => role.user_id(),
                    "aws:sourceip" => "127.0.0.1".to_owned(),
                    _ => return None,
                },
                Caller::Developer => return None,
            },
        };
        Some(Cow::Owned(vec![value]))
    }
}
