package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/cmd/relay/fake"
	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/onehost/jsonlines"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// play shows the way of one text, of its answer and of a picture, and checks them.
func (d *demo) play(ctx context.Context) error {
	d.screen.title("A text's way through the relay")
	d.screen.say("folder %s, relay at %s, fake Twilio at %s", d.folder, d.relay.URL(), d.fakeURL)
	d.screen.step("Route, from maintenance.json")
	d.screen.field(string(demoTwilioNumber), fmt.Sprintf("goes to %s (%s is its fallback)", demoDestination, demoFallback))

	sid, err := d.playWebhook(ctx)
	if err != nil {
		return err
	}
	outboundSid, err := d.playOutbound(ctx, "Sender: it claimed the text in the ledger, then asked Twilio once",
		demoDestination, fmt.Sprintf("%s %s: %s", demoTag, demoCustomer, demoText))
	if err != nil {
		return err
	}
	if err := d.playReceipts(ctx); err != nil {
		return err
	}
	if err := d.playRepeat(ctx, sid); err != nil {
		return err
	}
	if err := d.playStatus(ctx, sid, outboundSid); err != nil {
		return err
	}
	if err := d.playAudit(ctx, sid); err != nil {
		return err
	}
	if err := d.playAnswer(ctx); err != nil {
		return err
	}
	return d.playPicture(ctx)
}

// playWebhook lets a customer text the number.
func (d *demo) playWebhook(ctx context.Context) (string, error) {
	d.screen.step("Webhook: Twilio posts the customer's text, signed")
	d.screen.field("From", demoCustomer)
	d.screen.field("To", demoTwilioNumber)
	d.screen.field("Body", demoText)
	response, err := d.fake.SendInbound(ctx, twiliofake.Inbound{From: demoCustomer, To: demoTwilioNumber, Body: demoText}, "")
	if err != nil {
		return "", fmt.Errorf("post the webhook: %w", err)
	}
	d.screen.field("answer", fmt.Sprintf("%d %s %s", response.StatusCode, response.ContentType, response.Body))
	if !response.Taken || len(response.Replies) != 0 {
		return "", fmt.Errorf("twilio did not accept the answer as an empty TwiML response: %v", response.Errors)
	}
	d.screen.step("Queue: it holds the text durably; otherwise the answer would have been 503")
	waiting, inFlight, err := d.relay.QueueDepth(ctx)
	if err != nil {
		return "", fmt.Errorf("ask the queue: %w", err)
	}
	d.screen.field(datafolder.QueueName, fmt.Sprintf("%d waiting, %d with the sender", waiting, inFlight))
	if waiting+inFlight != 1 {
		return "", fmt.Errorf("the queue holds %d texts, want 1", waiting+inFlight)
	}
	return response.MessageSid, nil
}

// playOutbound waits for the message that Twilio is asked to send.
func (d *demo) playOutbound(ctx context.Context, step string, to sms.PhoneNumber, want string) (string, error) {
	event, err := d.await(ctx, "the relayed message", func(e twiliofake.Event) bool {
		refused := e.Kind == twiliofake.EventMessageRefused
		return refused || (e.Kind == twiliofake.EventMessageCreated && e.Message.Direction == twiliofake.DirectionOutboundAPI)
	})
	if err != nil {
		return "", err
	}
	d.screen.step(step)
	d.screen.field("request", "POST /2010-04-01/Accounts/"+fake.AccountSid+"/Messages.json")
	for _, name := range []string{"From", "To", "Body", "MediaUrl", "StatusCallback"} {
		if value := event.Message.Params.Get(name); value != "" {
			d.screen.field(name, value)
		}
	}
	if event.Kind == twiliofake.EventMessageRefused {
		return "", fmt.Errorf("twilio refused the message with %d", event.ErrorCode)
	}
	d.screen.field("answer", fmt.Sprintf("201 %s, status %s", event.Message.Sid, event.Message.Status))
	if m := event.Message; m.From != demoTwilioNumber || m.To != to || m.Body != want {
		return "", fmt.Errorf("the relayed message is not %q from %s to %s", want, demoTwilioNumber, to)
	}
	return event.Message.Sid, nil
}

// playReceipts waits for the status callbacks up to delivered.
func (d *demo) playReceipts(ctx context.Context) error {
	d.screen.step("Status callbacks: Twilio says what happened to the message, signed")
	for {
		event, err := d.await(ctx, "the status callbacks", func(e twiliofake.Event) bool { return e.Kind == twiliofake.EventCallback })
		if err != nil {
			return err
		}
		d.screen.field(string(event.Message.Status), fmt.Sprintf("answered %d", event.StatusCode))
		if event.StatusCode != http.StatusNoContent {
			return fmt.Errorf("the status callback was answered %d, want 204", event.StatusCode)
		}
		if event.Message.Status == sms.StatusDelivered {
			return nil
		}
	}
}

// await returns the next event that is wanted.
func (d *demo) await(ctx context.Context, what string, wanted func(twiliofake.Event) bool) (twiliofake.Event, error) {
	for {
		select {
		case event := <-d.events:
			if wanted(event) {
				return event, nil
			}
		case <-ctx.Done():
			return twiliofake.Event{}, fmt.Errorf("wait for %s: %w", what, ctx.Err())
		}
	}
}

// playRepeat posts the same webhook again, as Twilio does when an answer was lost.
func (d *demo) playRepeat(ctx context.Context, sid string) error {
	d.screen.step("The same webhook again: it is answered, but the text is not sent again")
	response, err := d.fake.SendInbound(ctx, twiliofake.Inbound{Sid: sid, From: demoCustomer, To: demoTwilioNumber, Body: demoText}, "")
	if err != nil {
		return fmt.Errorf("repeat the webhook: %w", err)
	}
	if !response.Taken {
		return fmt.Errorf("the repeated webhook was answered %d", response.StatusCode)
	}
	if err := d.settle(ctx); err != nil {
		return err
	}
	sent := 0
	for _, m := range d.fake.Messages() {
		if m.Direction == twiliofake.DirectionOutboundAPI {
			sent++
		}
	}
	d.screen.field("answer", response.StatusCode)
	d.screen.field("messages sent", sent)
	if sent != 1 {
		return fmt.Errorf("twilio was asked to send %d messages, want 1", sent)
	}
	return nil
}

// settle waits until the queue is empty.
func (d *demo) settle(ctx context.Context) error {
	for {
		waiting, inFlight, err := d.relay.QueueDepth(ctx)
		if err != nil {
			return fmt.Errorf("ask the queue: %w", err)
		}
		if waiting+inFlight == 0 {
			return nil
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return fmt.Errorf("wait for the queue to empty: %w", err)
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// playStatus asks for the text as an operator does.
func (d *demo) playStatus(ctx context.Context, sid, outboundSid string) error {
	path := operations.PathStatus + "?message_sid=" + sid
	d.screen.step("State: what an operator sees, GET " + path)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.relay.URL()+path, http.NoBody)
	if err != nil {
		return fmt.Errorf("ask for the status: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+demoOperator)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("ask for the status: %w", err)
	}
	defer response.Body.Close() //nolint:errcheck // it is read to its end.
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("ask for the status: %w", err)
	}
	var message operations.Message
	if err := json.Unmarshal(body, &message); err != nil || response.StatusCode != http.StatusOK {
		return fmt.Errorf("the status was answered %d: %s", response.StatusCode, body)
	}
	d.screen.field("state", message.State)
	for _, a := range message.Attempts {
		d.screen.field(fmt.Sprintf("attempt %d", a.Number), fmt.Sprintf("to %s, %s by Twilio as %s, %s",
			a.Destination, a.Outcome, a.OutboundSid, a.Status))
	}
	if message.State != ledger.Delivered || len(message.Attempts) != 1 || message.Attempts[0].OutboundSid != outboundSid {
		return fmt.Errorf("the text is %s after %d attempts, want delivered after 1", message.State, len(message.Attempts))
	}
	return nil
}

// playAudit waits until the audit log has the whole way.
func (d *demo) playAudit(ctx context.Context, sid string) error {
	var entries []auditlog.Entry
	for len(entries) == 0 || entries[len(entries)-1].To != string(ledger.Delivered) {
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return fmt.Errorf("wait for the audit trail: %w", err)
		}
		var err error
		if entries, err = readTrail(filepath.Join(d.folder, "relay-data", datafolder.AuditFile), sid); err != nil {
			return err
		}
	}
	d.screen.step("Audit log: each change once, numbers masked, no texts")
	for i, e := range entries {
		d.screen.field(fmt.Sprintf("version %d", e.Version), describe(e))
		if e.Version != int64(i+1) {
			return fmt.Errorf("the audit trail has version %d in the place of version %d", e.Version, i+1)
		}
	}
	return nil
}

// playAnswer lets the phone on duty answer, with the tag that the text began with. The customer gets the words alone.
func (d *demo) playAnswer(ctx context.Context) error {
	d.screen.step("Answer: the phone on duty texts the number, with the customer's tag")
	words := demoTag + " " + demoAnswer
	d.screen.field("From", demoDestination)
	d.screen.field("To", demoTwilioNumber)
	d.screen.field("Body", words)
	response, err := d.fake.SendInbound(ctx, twiliofake.Inbound{From: demoDestination, To: demoTwilioNumber, Body: words}, "")
	if err != nil {
		return fmt.Errorf("post the answer: %w", err)
	}
	if !response.Taken {
		return fmt.Errorf("the answer's webhook was answered %d", response.StatusCode)
	}
	_, err = d.playOutbound(ctx, "The customer gets the words, from the number that he texted", demoCustomer, demoAnswer)
	return err
}

// playPicture lets the customer text a picture, and Twilio fetch it from the relay.
func (d *demo) playPicture(ctx context.Context) error {
	d.screen.step("Picture: the customer texts one")
	picture := twiliofake.File{ContentType: "image/gif", Content: []byte(demoPicture)}
	d.screen.field("Body", demoCaption)
	d.screen.field("Media", fmt.Sprintf("%s, %d bytes", picture.ContentType, len(picture.Content)))
	inbound := twiliofake.Inbound{From: demoCustomer, To: demoTwilioNumber, Body: demoCaption, Files: []twiliofake.File{picture}}
	response, err := d.fake.SendInbound(ctx, inbound, "")
	if err != nil {
		return fmt.Errorf("post the picture: %w", err)
	}
	if !response.Taken {
		return fmt.Errorf("the picture's webhook was answered %d", response.StatusCode)
	}
	sid, err := d.playOutbound(ctx, "Sender: it copied the picture from Twilio, and offers it at an address of its own",
		demoDestination, demoTag+": "+demoCaption)
	if err != nil {
		return err
	}
	d.screen.step("Twilio asks the relay for the picture (HEAD, then GET), and sends both")
	event, err := d.await(ctx, "the picture's delivery", func(e twiliofake.Event) bool {
		return e.Kind == twiliofake.EventCallback && e.Message.Sid == sid && e.Message.Status.Final()
	})
	if err != nil {
		return err
	}
	got := d.fake.MediaOf(sid)
	if event.Message.Status != sms.StatusDelivered || len(got) != 1 || !bytes.Equal(got[0].Content, picture.Content) {
		return fmt.Errorf("the phone's message is %s with %d pictures, want it delivered with the customer's", event.Message.Status, len(got))
	}
	d.screen.field("the phone got", fmt.Sprintf("%s, %d bytes: the same picture", got[0].ContentType, len(got[0].Content)))
	return nil
}

// describe puts an audit entry into words.
func describe(e auditlog.Entry) string {
	from := e.From
	if from == "" {
		from = "(new)"
	}
	text := fmt.Sprintf("%s → %s", from, e.To)
	if e.Attempt == nil {
		return text
	}
	text += fmt.Sprintf(", from %s to %s", e.Customer, e.Attempt.Destination)
	if e.Attempt.Status != "" {
		text += ", Twilio's status " + e.Attempt.Status
	}
	return text
}

// readTrail returns the audit entries of one text.
func readTrail(path, sid string) ([]auditlog.Entry, error) {
	var entries []auditlog.Entry
	err := jsonlines.Read(path, func(line auditlog.Line) error {
		var e auditlog.Entry
		if err := json.Unmarshal(line.Text, &e); err != nil {
			return fmt.Errorf("read audit entry: %w", err)
		}
		if strings.Contains(string(line.Text), string(demoCustomer)) {
			return errors.New("an audit entry shows a number in full")
		}
		if e.MessageSid == sid {
			entries = append(entries, e)
		}
		return nil
	})
	return entries, err
}
