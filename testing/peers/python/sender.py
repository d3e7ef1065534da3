"""Passes texts from the queue on to the phones, and keeps a record of each."""

import json
import os
from datetime import datetime, timezone

import boto3
from botocore.exceptions import ClientError
from twilio.rest import Client

dynamodb = boto3.resource("dynamodb")
routes = dynamodb.Table(os.environ["RELAY_ROUTING_TABLE"])
records = dynamodb.Table(os.environ["RELAY_LEDGER_TABLE"])
secret = boto3.client("secretsmanager").get_secret_value(SecretId=os.environ["RELAY_TWILIO_AUTH_TOKEN_SECRET"])
credentials = json.loads(secret["SecretString"])
twilio = Client(credentials["accountSid"], credentials["authToken"])
if "TWILIO_API_BASE_URL" in os.environ:
    twilio.api.base_url = os.environ["TWILIO_API_BASE_URL"]


def now():
    return datetime.now(timezone.utc).isoformat()


def relay(text):
    route = routes.get_item(Key={"TwilioNumber": text["To"]}).get("Item")
    if not route or not route["Active"]:
        return
    key = {"MessageSid": text["MessageSid"]}
    record = {"State": "sending", "From": text["From"], "To": text["To"], "Body": text["Body"], "ReceivedAt": now()}
    try:
        records.put_item(
            Item=key | record,
            ConditionExpression="attribute_not_exists(MessageSid)",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            return  # Another delivery of the same text has it.
        raise
    sent = twilio.messages.create(
        to=route["DestinationCarrier"], from_=text["To"], body=text["From"] + ": " + text["Body"]
    )
    records.update_item(
        Key=key,
        UpdateExpression="SET #state = :state, OutboundSid = :sid, UpdatedAt = :now",
        ExpressionAttributeNames={"#state": "State"},
        ExpressionAttributeValues={":state": "sent", ":sid": sent.sid, ":now": now()},
    )


def handler(event, context):
    failures = []
    for record in event["Records"]:
        try:
            relay(json.loads(record["body"]))
        except Exception as error:
            print("not relayed:", error)
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}
