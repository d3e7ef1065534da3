"""Checks a text that Twilio brings, puts it on the queue and answers."""

import base64
import json
import os
import urllib.parse

import boto3
from twilio.request_validator import RequestValidator
from twilio.twiml.messaging_response import MessagingResponse

sqs = boto3.client("sqs")
secret = boto3.client("secretsmanager").get_secret_value(SecretId=os.environ["RELAY_TWILIO_AUTH_TOKEN_SECRET"])
validator = RequestValidator(json.loads(secret["SecretString"])["authToken"])


def handler(event, context):
    body = event["body"]
    if event.get("isBase64Encoded"):
        body = base64.b64decode(body).decode()
    form = dict(urllib.parse.parse_qsl(body, keep_blank_values=True))
    url = os.environ["PUBLIC_BASE_URL"] + event["rawPath"]
    if not validator.validate(url, form, event["headers"].get("x-twilio-signature", "")):
        return {"statusCode": 403}
    sqs.send_message(
        QueueUrl=os.environ["RELAY_QUEUE_URL"],
        MessageBody=json.dumps(form),
        MessageGroupId=form["To"] + form["From"],
        MessageDeduplicationId=form["MessageSid"],
    )
    return {"statusCode": 200, "headers": {"content-type": "text/xml"}, "body": str(MessagingResponse())}
