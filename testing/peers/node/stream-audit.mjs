// Writes each change of the records to the audit log.
import { randomUUID } from "node:crypto";
import { CloudWatchLogsClient, CreateLogStreamCommand, PutLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";

const logGroupName = process.env.RELAY_AUDIT_LOG_GROUP;
const logStreamName = randomUUID();

const logs = new CloudWatchLogsClient();
await logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName }));

const masked = (number = "") => "***" + number.slice(-4);

function entry({ eventID, eventName, dynamodb: { Keys, NewImage = {} } }) {
  return {
    id: eventID,
    change: eventName,
    message_sid: Keys.MessageSid.S,
    state: NewImage.State?.S,
    outbound_sid: NewImage.OutboundSid?.S,
    customer: masked(NewImage.From?.S),
    twilio_number: masked(NewImage.To?.S),
  };
}

export async function handler(event) {
  await logs.send(
    new PutLogEventsCommand({
      logGroupName,
      logStreamName,
      logEvents: event.Records.map((record) => ({
        timestamp: record.dynamodb.ApproximateCreationDateTime * 1000,
        message: JSON.stringify(entry(record)),
      })),
    }),
  );
  return { batchItemFailures: [] };
}
