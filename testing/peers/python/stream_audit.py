"""Writes each change of the records to the audit log."""

import json
import os
import uuid

import boto3

group = os.environ["RELAY_AUDIT_LOG_GROUP"]
stream = str(uuid.uuid4())
logs = boto3.client("logs")
logs.create_log_stream(logGroupName=group, logStreamName=stream)


def masked(number):
    return "***" + number[-4:]


def entry(record):
    new = record["dynamodb"].get("NewImage", {})
    return {
        "id": record["eventID"],
        "change": record["eventName"],
        "message_sid": record["dynamodb"]["Keys"]["MessageSid"]["S"],
        "state": new.get("State", {}).get("S"),
        "outbound_sid": new.get("OutboundSid", {}).get("S"),
        "customer": masked(new.get("From", {}).get("S", "")),
        "twilio_number": masked(new.get("To", {}).get("S", "")),
    }


def handler(event, context):
    logs.put_log_events(
        logGroupName=group,
        logStreamName=stream,
        logEvents=[
            {
                "timestamp": int(record["dynamodb"]["ApproximateCreationDateTime"] * 1000),
                "message": json.dumps(entry(record)),
            }
            for record in event["Records"]
        ],
    )
    return {"batchItemFailures": []}
