//! What AWS documents, asked of the local cloud: `onceward conformance`, as a test.

use libtest_mimic::Trial;
use onceward_local::conformance::{Behaviour, Verdict, behaviours, embedded, survey};
use tokio::runtime::Builder;

use crate::trial;

/// Where the local cloud does not do what AWS documents: the behaviour and the reason.
const KNOWN_DIFFERENCES: [(&str, &str); 1] =
    [("Lambda/create-function", "functions come from the template, as `sam deploy` makes them; refused by name")];

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("conformance::the_local_cloud_does_what_aws_documents", the_local_cloud_does_what_aws_documents),
        trial("conformance::each_known_difference_names_a_behaviour", each_known_difference_names_a_behaviour),
    ]
}

fn the_local_cloud_does_what_aws_documents() {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let behaviours = behaviours();
    let verdicts = runtime.block_on(async {
        let cloud = embedded().await.expect("the cloud starts");
        let verdicts = survey(cloud.aws_url(), &behaviours).await;
        cloud.shutdown().await;
        verdicts
    });
    let mut wrong = Vec::new();
    for (behaviour, verdict) in behaviours.iter().zip(verdicts) {
        let (name, page) = (behaviour.name(), &behaviour.page);
        match (known(&name), verdict) {
            (None, Verdict::Differs(seen) | Verdict::Refused(seen)) => wrong.push(format!("{name}: {seen} ({page})")),
            (Some(_), Verdict::Kept) => wrong.push(format!("{name} is kept: it is no known difference any more")),
            (None, Verdict::Kept) | (Some(_), _) => {}
        }
    }
    assert!(wrong.is_empty(), "{} of {} behaviours:\n{}", wrong.len(), behaviours.len(), wrong.join("\n"));
}

fn known(name: &str) -> Option<&'static str> {
    KNOWN_DIFFERENCES.iter().find(|(behaviour, _)| *behaviour == name).map(|(_, reason)| *reason)
}

fn each_known_difference_names_a_behaviour() {
    let names: Vec<_> = behaviours().iter().map(Behaviour::name).collect();
    for (name, _) in KNOWN_DIFFERENCES {
        assert!(names.iter().any(|it| it == name), "{name}");
    }
}
