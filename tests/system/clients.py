"""What a boto3 user does with the local cloud: look around, send an event, send it again."""
import datetime
import json
import time

import boto3

sqs, dynamodb, events = boto3.client("sqs"), boto3.client("dynamodb"), boto3.client("events")
streams, sns = boto3.client("dynamodbstreams"), boto3.client("sns")


def eventually(what, condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "not in time: " + what
        time.sleep(0.02)


def stock(product):
    item = dynamodb.get_item(TableName="onceward-inventory", Key={"pk": {"S": "product#" + product}}, ConsistentRead=True)
    return int(item["Item"]["available"]["N"]) if "Item" in item else None


queues = sqs.list_queues()["QueueUrls"]
assert len(queues) == len(set(queues)) >= 20, queues
receive_stock = sqs.get_queue_url(QueueName="onceward-receive-stock")["QueueUrl"]
attributes = sqs.get_queue_attributes(QueueUrl=receive_stock, AttributeNames=["All"])["Attributes"]
assert json.loads(attributes["RedrivePolicy"])["maxReceiveCount"] in (5, "5"), attributes

tables = dynamodb.list_tables()["TableNames"]
assert "onceward-ledger" in tables and "onceward-orders" in tables, tables
description = dynamodb.describe_table(TableName="onceward-ledger")["Table"]
assert ":us-east-1:000000000000:" in description["LatestStreamArn"], description

detail = {
    "specversion": "1.0", "id": "from-boto3", "source": "warehouse", "type": "goods.received.v1",
    "time": datetime.datetime.now(datetime.timezone.utc).isoformat(),
    "data": {"product_id": "p-7", "quantity": 7},
}
watch = sqs.create_queue(QueueName="watch")["QueueUrl"]
arn = sqs.get_queue_attributes(QueueUrl=watch, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
events.put_rule(Name="watch", EventBusName="orders", EventPattern=json.dumps({"detail": {"data": {"product_id": ["p-7"]}}}))
assert events.put_targets(Rule="watch", EventBusName="orders", Targets=[{"Id": "queue", "Arn": arn}])["FailedEntryCount"] == 0
entry = {"EventBusName": "orders", "Source": "warehouse", "DetailType": detail["type"], "Detail": json.dumps(detail)}
answer = events.put_events(Entries=[entry])
assert answer["FailedEntryCount"] == 0, answer
eventually("the event is handled", lambda: stock("p-7") == 7)

# The rule of this script's own saw it too, and the event that followed.
seen = {}
def look():
    for message in sqs.receive_message(QueueUrl=watch, WaitTimeSeconds=1, MaxNumberOfMessages=10).get("Messages", []):
        body = json.loads(message["Body"])
        seen[body["detail-type"]] = body
        sqs.delete_message(QueueUrl=watch, ReceiptHandle=message["ReceiptHandle"])
    return {"goods.received.v1", "stock.received.v1"} <= set(seen)
eventually("the rule routes", look)
routed = seen["goods.received.v1"]
assert routed["id"] == answer["Entries"][0]["EventId"] and routed["account"] == "000000000000", routed
follower = seen["stock.received.v1"]["detail"]
assert follower["causationid"] == "from-boto3" and follower["specversion"] == "1.0", follower

# The same message twice more, straight into the function's queue.
for _ in range(2):
    sqs.send_message(QueueUrl=receive_stock, MessageBody=json.dumps(routed))
def empty():
    counts = sqs.get_queue_attributes(QueueUrl=receive_stock, AttributeNames=["All"])["Attributes"]
    return counts["ApproximateNumberOfMessages"] == counts["ApproximateNumberOfMessagesNotVisible"] == "0"
eventually("the queue is empty", empty)
assert stock("p-7") == 7, stock("p-7")

stream = streams.describe_stream(StreamArn=description["LatestStreamArn"])["StreamDescription"]
shard = stream["Shards"][0]["ShardId"]
iterator = streams.get_shard_iterator(StreamArn=stream["StreamArn"], ShardId=shard, ShardIteratorType="TRIM_HORIZON")
records = streams.get_records(ShardIterator=iterator["ShardIterator"])["Records"]
keys = {record["dynamodb"]["Keys"]["pk"]["S"] for record in records}
assert "receive-stock#from-boto3" in keys, keys

assert any(topic["TopicArn"].endswith("confirmations") for topic in sns.list_topics()["Topics"])
assert boto3.client("sts").get_caller_identity()["Account"] == "000000000000"
print("all is as expected")
