"""What a boto3 user who does not retry sees of faults: each kind, of each service, set over HTTP."""
import json
import os
import urllib.error
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError

ENDPOINT = os.environ["AWS_ENDPOINT_URL"]
ONCE = Config(retries={"mode": "standard", "total_max_attempts": 1})


def client(service):
    return boto3.client(service, config=ONCE, endpoint_url=ENDPOINT)


sqs, sns, events, dynamodb, streams = map(client, ["sqs", "sns", "events", "dynamodb", "dynamodbstreams"])
functions, s3, scheduler, logs, sts = map(client, ["lambda", "s3", "scheduler", "logs", "sts"])


def faults(method, plan=None):
    body = None if plan is None else json.dumps(plan).encode()
    request = urllib.request.Request(ENDPOINT + "/_onceward/faults", data=body, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as refusal:
        return refusal.code, json.loads(refusal.read())


def under(call, service, operation, kind, **more):
    """The answer to the call under a fault, which must hit it once; or the error's code and status."""
    rule = {"service": service, "operation": operation, "kind": kind, **more}
    status, answer = faults("PUT", {"seed": 7, "rules": [rule]})
    assert status == 200, answer
    try:
        outcome = call()
    except ClientError as error:
        outcome = error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    except HTTPClientError:
        outcome = "no answer"
    assert faults("GET")[1]["rules"][0]["injected"] == 1, (rule, outcome)
    faults("DELETE")
    return outcome


def same(what, found, expected):
    assert found == expected, f"{what}: {found}, not {expected}"


queue = sqs.create_queue(QueueName="faults")["QueueUrl"]
queue_arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
topic = sns.create_topic(Name="faults")["TopicArn"]
sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn, Attributes={"RawMessageDelivery": "true"})
s3.create_bucket(Bucket="faults")
s3.put_object(Bucket="faults", Key="there", Body=b"text")
events.put_rule(Name="faults", EventPattern='{"source": ["faults"]}')

CALLS = [
    # service, operation, call, throttled, 500, 503
    ("sqs", "SendMessage", lambda: sqs.send_message(QueueUrl=queue, MessageBody="m"),
     ("RequestThrottled", 400), "InternalFailure", "ServiceUnavailable"),
    ("sns", "Publish", lambda: sns.publish(TopicArn=topic, Message="m"),
     ("ThrottlingException", 400), "InternalError", "ServiceUnavailable"),
    ("events", "PutEvents", lambda: events.put_events(Entries=[{"Source": "s", "DetailType": "d", "Detail": "{}"}]),
     ("ThrottlingException", 400), "InternalException", "ServiceUnavailableException"),
    ("dynamodb", "Scan", lambda: dynamodb.scan(TableName="onceward-orders"),
     ("ProvisionedThroughputExceededException", 400), "InternalServerError", "ServiceUnavailableException"),
    ("dynamodb", "ListStreams", lambda: streams.list_streams(),
     ("ThrottlingException", 400), "InternalServerError", "ServiceUnavailableException"),
    ("lambda", "ListFunctions", lambda: functions.list_functions(),
     ("TooManyRequestsException", 429), "ServiceException", "ServiceUnavailableException"),
    ("s3", "PutObject", lambda: s3.put_object(Bucket="faults", Key="k", Body=b"text"),
     ("SlowDown", 503), "InternalError", "ServiceUnavailable"),
    ("s3", "HeadObject", lambda: s3.head_object(Bucket="faults", Key="there"), ("503", 503), "500", "503"),
    ("scheduler", "ListSchedules", lambda: scheduler.list_schedules(),
     ("ThrottlingException", 429), "InternalServerException", "ServiceUnavailableException"),
    ("logs", "DescribeLogGroups", lambda: logs.describe_log_groups(),
     ("ThrottlingException", 400), "ServiceUnavailableException", "ServiceUnavailableException"),
    ("sts", "GetCallerIdentity", lambda: sts.get_caller_identity(),
     ("Throttling", 400), "InternalFailure", "ServiceUnavailable"),
]
for service, operation, call, throttled, failed, unavailable in CALLS:
    name = f"{service}.{operation}"
    same(name, under(call, service, operation, "throttle"), throttled)
    same(name, under(call, service, operation, "error"), (failed, 500))
    same(name, under(call, service, operation, "error", status=503), (unavailable, 503))
    same(name, under(call, service, operation, "lost_request"), "no answer")
    same(name, under(call, service, operation, "lost_response"), "no answer")
    assert "ResponseMetadata" in under(call, service, operation, "latency", latency_ms=1), name


def sent(answer, done, failed, identity):
    """Of four, some are done and some are not."""
    done, failed = ([entry[identity] for entry in answer.get(member, [])] for member in (done, failed))
    assert done and failed and sorted(done + failed) == list("abcd"), answer
    return failed


batch = [{"Id": name, "MessageBody": name} for name in "abcd"]
sent(under(lambda: sqs.send_message_batch(QueueUrl=queue, Entries=batch), "sqs", "*", "partial"),
     "Successful", "Failed", "Id")
batch = [{"Id": name, "Message": name} for name in "abcd"]
sent(under(lambda: sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=batch), "sns", "*", "partial"),
     "Successful", "Failed", "Id")
for name in "abcd":
    s3.put_object(Bucket="faults", Key=name, Body=b"text")
keys = {"Objects": [{"Key": name} for name in "abcd"]}
kept = sent(under(lambda: s3.delete_objects(Bucket="faults", Delete=keys), "s3", "*", "partial"),
            "Deleted", "Errors", "Key")
left = [entry["Key"] for entry in s3.list_objects_v2(Bucket="faults")["Contents"]]
same("objects", sorted(set(left) & set("abcd")), sorted(kept))
targets = [{"Id": name, "Arn": queue_arn} for name in "abcd"]
put = under(lambda: events.put_targets(Rule="faults", Targets=targets), "events", "PutTargets", "partial")
refused = [entry["TargetId"] for entry in put["FailedEntries"]]
same("targets", len(refused), put["FailedEntryCount"])
there = [target["Id"] for target in events.list_targets_by_rule(Rule="faults")["Targets"]]
same("targets", sorted(there + refused), list("abcd"))

for rule, reason in [
    ({"service": "s4", "kind": "throttle"}, "there is no service s4"),
    ({"service": "s3", "operation": "PutObjekt", "kind": "throttle"}, "s3 has no operation PutObjekt here"),
    ({"service": "s3", "kind": "reorder"}, "reorder does not happen to s3"),
    ({"service": "s3", "kind": "throttle", "probability": 2}, "from 0 to 1"),
]:
    for method in ("PUT", "POST"):
        status, refusal = faults(method, {"rules": [rule]})
        assert status == 400 and reason in refusal["message"], refusal
same("rules", faults("GET")[1]["rules"], [])
same("seed", faults("POST", {"seed": 8, "rules": [{"service": "sts", "kind": "throttle"}]})[1]["seed"], 8)
added = faults("POST", {"rules": [{"service": "s3", "kind": "throttle"}]})[1]["rules"]
same("services", [rule["service"] for rule in added], ["sts", "s3"])
same("end", faults("DELETE"), (204, None))

print("all is as expected")
