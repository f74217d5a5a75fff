//! Schedules of a data folder.

use chrono::TimeDelta;

use super::*;
use crate::store::tests::Folder;

const NONE: Value = Value::Null;

fn open(folder: &Folder, now: DateTime<Utc>) -> Bench {
    Bench::open(Store::open(&folder.0).unwrap(), now)
}

/// As a process that is killed.
async fn kill(bench: Bench) {
    bench.services.scheduler.stop();
    bench.services.events.stop();
    bench.services.destinations.disconnect();
    drop(bench);
    // Tasks go when the runtime sees them, and the folder's lock with them.
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn groups_schedules_and_client_tokens_outlive_the_process() {
    let folder = Folder::new();
    let bench = open(&folder, start());
    bench.ok("POST", "/schedule-groups/g", json!({"Tags": [{"Key": "k", "Value": "v"}]})).await;
    let dates = json!({
        "GroupName": "g", "StartDate": 1_767_225_999.5, "ScheduleExpressionTimezone": "Europe/Berlin",
        "FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 5}, "ClientToken": "t",
    });
    let morning = schedule("cron(0 9 * * ? *)", "work", &dates);
    bench.ok("POST", "/schedules/morning", morning.clone()).await;
    let paths = ["/schedules/morning?groupName=g", "/schedule-groups/g", "/schedules", "/schedule-groups"];
    let mut before = Vec::new();
    for path in paths {
        before.push(bench.ok("GET", path, NONE).await);
    }
    kill(bench).await;

    let bench = open(&folder, start());
    for (path, before) in paths.into_iter().zip(before) {
        assert_eq!(bench.ok("GET", path, NONE).await, before, "{path}");
    }
    let arn = "arn:aws:scheduler:eu-west-1:000000000000:schedule/g/morning";
    assert_eq!(bench.ok("POST", "/schedules/morning", morning).await["ScheduleArn"], arn, "the same request");
    kill(bench).await;
}

#[tokio::test(start_paused = true)]
async fn what_was_due_while_the_cloud_was_down_is_invoked_once() {
    let folder = Folder::new();
    let bench = open(&folder, start());
    bench.services.sqs.create_queue("work", &BTreeMap::new()).unwrap();
    let later = json!({"StartDate": start().timestamp() + 60});
    bench.ok("POST", "/schedules/tick", schedule("rate(5 minutes)", "work", &later)).await;
    let delete = json!({"ActionAfterCompletion": "DELETE"});
    bench.ok("POST", "/schedules/once", schedule("at(2026-01-01T00:04:00)", "work", &delete)).await;
    kill(bench).await;

    let bench = open(&folder, start() + TimeDelta::minutes(12));
    bench.ok("POST", "/schedules/other", schedule("at(2027-01-01T00:00:00)", "work", &json!({}))).await;
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert!(bench.receive("work").await.is_none(), "its targets may not be there yet");
    bench.services.scheduler.resume();
    let mut missed = [bench.arrives("work").await.body, bench.arrives("work").await.body];
    missed.sort_unstable();
    assert_eq!(missed, ["2026-01-01T00:01:30Z", "2026-01-01T00:04:00Z"]);
    assert_eq!(bench.arrives("work").await.body, "2026-01-01T00:16:30Z");
    assert_eq!(bench.refused("GET", "/schedules/once", NONE).await.0, 404);
    kill(bench).await;
}

#[tokio::test(start_paused = true)]
async fn an_invocation_that_waits_is_tried_again_after_a_restart() {
    let folder = Folder::new();
    let bench = open(&folder, start());
    bench.services.scheduler.resume();
    bench.services.sqs.create_queue("work", &BTreeMap::new()).unwrap();
    bench.services.destinations.disconnect();
    bench.ok("POST", "/schedules/once", schedule("at(2026-01-01T00:01:00)", "work", &json!({}))).await;
    tokio::time::sleep(Duration::from_secs(31)).await;
    kill(bench).await;

    let bench = open(&folder, start() + TimeDelta::minutes(12));
    bench.services.scheduler.resume();
    assert_eq!(bench.arrives("work").await.body, "2026-01-01T00:01:00Z");
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert!(bench.receive("work").await.is_none());
    kill(bench).await;
}
