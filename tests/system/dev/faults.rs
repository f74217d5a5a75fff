//! Faults from the command line.

use libtest_mimic::Trial;

use super::{
    process::{Dev, READY},
    project::project,
};
use crate::trial;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial("dev::faults_of_the_command_line_are_said_and_counted", faults_are_said_and_counted),
        trial("dev::a_fault_that_is_none_is_refused", a_fault_that_is_none_is_refused),
    ]
}

fn faults_are_said_and_counted() {
    let project = project();
    let faults = ["--no-demo", "--fault", "sqs.SendMessage:throttle,limit=1", "--fault-seed", "7"];
    let mut dev = Dev::start_with_target(&project.0, &project.0.join("target"), &faults);
    dev.out.until("the banner", |line| line.contains(READY));
    let url = dev.out.url("AWS endpoint");
    let expected =
        format!("Faults, with --fault-seed 7 (counted at {url}/_onceward/faults): sqs.SendMessage:throttle,limit=1");
    dev.out.until("the faults", |line| line == expected);
    let queue = format!("{url}/000000000000/inbox");
    let send = || dev.post_form(&queue, "Action=SendMessage&MessageBody=m");
    assert!(send().contains("<Code>RequestThrottled</Code>"));
    assert!(send().contains("<MessageId>"));
    let (status, counted) = dev.get(&format!("{url}/_onceward/faults"));
    assert_eq!((status, &counted["seed"]), (200, &7.into()));
    assert_eq!((&counted["rules"][0]["matched"], &counted["rules"][0]["injected"]), (&2.into(), &1.into()));
}

fn a_fault_that_is_none_is_refused() {
    let mut dev = Dev::start(&["--fault", "sqs:flood"]);
    assert_eq!(dev.ended().code(), Some(2), "as any argument that cannot be read");
    assert!(dev.err.text().contains("unknown variant `flood`"), "{}", dev.err.text());
}
