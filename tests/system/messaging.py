"""What a boto3 user expects of queues, topics and buckets, from AWS's documentation."""
import io
import json
import os
import time
import urllib.request

import boto3
from botocore.exceptions import ClientError

sqs, sns, s3 = boto3.client("sqs"), boto3.client("sns"), boto3.client("s3")


def refused(call, **arguments):
    try:
        answer = call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]
    raise AssertionError(answer)


def eventually(what, condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "not in time: " + what
        time.sleep(0.02)


def queue(name, **attributes):
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def receive(url, **arguments):
    return sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, **arguments).get("Messages", [])


# Dead letters go back to where they came from.
dead, dead_arn = queue("py-dead")
redrive = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 1})
work, work_arn = queue("py-work", RedrivePolicy=redrive, VisibilityTimeout="0")
for number in range(3):
    sqs.send_message(QueueUrl=work, MessageBody=str(number))
while receive(work):
    pass
handle = sqs.start_message_move_task(SourceArn=dead_arn, MaxNumberOfMessagesPerSecond=1)["TaskHandle"]
assert refused(sqs.start_message_move_task, SourceArn=dead_arn) == "InvalidParameterValue"
assert refused(sqs.start_message_move_task, SourceArn=dead_arn + "x") == "ResourceNotFoundException"
assert sqs.list_message_move_tasks(SourceArn=dead_arn)["Results"][0]["TaskHandle"] == handle
sqs.cancel_message_move_task(TaskHandle=handle)
status = lambda: sqs.list_message_move_tasks(SourceArn=dead_arn)["Results"][0]["Status"]
eventually("the task is cancelled", lambda: status() == "CANCELLED")
sqs.start_message_move_task(SourceArn=dead_arn)
eventually("the task is completed", lambda: status() == "COMPLETED")
sqs.purge_queue(QueueUrl=work)
assert refused(sqs.purge_queue, QueueUrl=work) == "AWS.SimpleQueueService.PurgeQueueInProgress"
gone, _ = queue("py-gone")
sqs.delete_queue(QueueUrl=gone)
assert refused(sqs.create_queue, QueueName="py-gone") == "AWS.SimpleQueueService.QueueDeletedRecently"

# A lost answer is asked for again.
ordered, ordered_arn = queue("py-ordered.fifo", FifoQueue="true", ContentBasedDeduplication="true")
sqs.send_message(QueueUrl=ordered, MessageBody="1", MessageGroupId="g")
first, again = [receive(ordered, ReceiveRequestAttemptId="a")[0]["ReceiptHandle"] for _ in range(2)]
assert first == again
sqs.delete_message(QueueUrl=ordered, ReceiptHandle=first)

# A topic sends each subscriber what it wants.
topic = sns.create_topic(Name="py-topic")["TopicArn"]
wanted, wanted_arn = queue("py-wanted")
attributes = {"RawMessageDelivery": "true", "FilterPolicy": json.dumps({"n": [{"numeric": [">", 1]}]}),
              "FilterPolicyScope": "MessageBody"}
subscription = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=wanted_arn, Attributes=attributes)
for number in range(3):
    sns.publish(TopicArn=topic, Message=json.dumps({"n": number}))
assert [message["Body"] for message in receive(wanted, WaitTimeSeconds=1)] == ['{"n": 2}']
assert refused(sns.subscribe, TopicArn=topic, Protocol="email", Endpoint="a@example.com") == "InvalidParameter"
assert refused(sns.subscribe, TopicArn=topic, Protocol="sqs", Endpoint=ordered_arn) == "InvalidParameter"
assert refused(sns.publish, TopicArn=topic + "x", Message="m") == "NotFound"
fifo = sns.create_topic(Name="py-topic.fifo", Attributes={"FifoTopic": "true"})["TopicArn"]
sns.subscribe(TopicArn=fifo, Protocol="sqs", Endpoint=ordered_arn)
entry = {"Message": "m", "MessageGroupId": "g", "MessageDeduplicationId": "d"}
entries = [{"Id": "1", **entry}, {"Id": "2", **entry}, {"Id": "3", "Message": "m"}]
batch = sns.publish_batch(TopicArn=fifo, PublishBatchRequestEntries=entries)
assert [one["SequenceNumber"] for one in batch["Successful"]][0] == batch["Successful"][1]["SequenceNumber"]
assert [one["Id"] for one in batch["Failed"]] == ["3"], batch
assert len(receive(ordered, WaitTimeSeconds=1)) == 1

# A claim check is put once, found, and comes back whole.
s3.create_bucket(Bucket="py-claims")
key = "2026/ä b.json"
stored = s3.put_object(Bucket="py-claims", Key=key, Body=b"{}", IfNoneMatch="*", Metadata={"order": "o-1"})
assert refused(s3.put_object, Bucket="py-claims", Key=key, Body=b"", IfNoneMatch="*") == "PreconditionFailed"
found = s3.get_object(Bucket="py-claims", Key=key)
assert (found["Body"].read(), found["Metadata"], found["ETag"]) == (b"{}", {"order": "o-1"}, stored["ETag"])
assert s3.get_object(Bucket="py-claims", Key=key, Range="bytes=1-")["Body"].read() == b"}"
assert refused(s3.get_object, Bucket="py-claims", Key="none") == "NoSuchKey"
assert refused(s3.get_object, Bucket="py-none", Key="none") == "NoSuchBucket"
large = os.urandom(9 * 1024 * 1024)
s3.upload_fileobj(io.BytesIO(large), "py-claims", "large")
copy = io.BytesIO()
s3.download_fileobj("py-claims", "large", copy)
assert copy.getvalue() == large
pages = s3.get_paginator("list_objects_v2").paginate(Bucket="py-claims", PaginationConfig={"PageSize": 1})
assert [item["Key"] for page in pages for item in page["Contents"]] == [key, "large"]
url = s3.generate_presigned_url("get_object", Params={"Bucket": "py-claims", "Key": key})
assert urllib.request.urlopen(url).read() == b"{}"
assert refused(s3.delete_bucket, Bucket="py-claims") == "BucketNotEmpty"
objects = [{"Key": key}, {"Key": "large"}]
assert len(s3.delete_objects(Bucket="py-claims", Delete={"Objects": objects})["Deleted"]) == 2
s3.delete_bucket(Bucket="py-claims")
print("all is as expected")
