package scaler

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/acalocal/acalocal/internal/scale"
)

// serviceBus counts the active messages of a queue or subscription
// (keda.sh/docs/latest/scalers/azure-service-bus). It asks the management API,
// as KEDA does; the emulator has it on port 5300, over plain HTTP, since
// version 2 (github.com/Azure/azure-service-bus-emulator-installer).
type serviceBus struct {
	base               string // scheme and host of the management API
	keyName, key       string
	entity             string // path of the queue or subscription
	client             *http.Client
	p                  params
	target, activation float64
	now                func() time.Time
}

func newServiceBus(p params, o Options) (Scaler, error) {
	s := &serviceBus{p: p, client: o.httpClient(false), now: o.Now}
	if err := s.parse(); err != nil {
		return nil, fmt.Errorf("error parsing azure service bus metadata: %w", err)
	}
	return s, nil
}

func (s *serviceBus) parse() error {
	var err1, err2, err3 error
	s.target, err1 = s.p.target("messageCount", 5)
	s.activation, err2 = s.p.number("activationMessageCount", 0)
	queue, topic, subscription := s.p.get("queueName"), s.p.get("topicName"), s.p.get("subscriptionName")
	switch {
	case queue != "" && subscription != "":
		err3 = errors.New("subscription name provided with queue name")
	case queue != "" && topic != "":
		err3 = errors.New("both topic and queue name metadata provided")
	case topic != "" && subscription == "":
		err3 = errors.New("no subscription name provided with topic name")
	case queue == "" && topic == "":
		err3 = errors.New("no service bus entity type set")
	case queue != "":
		s.entity = "/" + url.PathEscape(queue)
	default:
		s.entity = "/" + url.PathEscape(topic) + "/Subscriptions/" + url.PathEscape(subscription)
	}
	text, err4 := s.p.want("connection", "no connection setting given")
	if err := all(err1, err2, err3, err4, s.p.refuse("useRegex")); err != nil {
		return err
	}
	parts, err := connectionString(text)
	if err == nil {
		err = s.connect(parts)
	}
	return wrong("connection", err)
}

// emulatorPort is where the emulator has its management API.
const emulatorPort = "5300"

func (s *serviceBus) connect(parts map[string]string) error {
	u, err := url.Parse(parts["endpoint"])
	if err != nil || u.Hostname() == "" {
		return errors.New("the Endpoint of the connection string is not a URL")
	}
	s.keyName, s.key = parts["sharedaccesskeyname"], parts["sharedaccesskey"]
	if s.keyName == "" || s.key == "" {
		return errors.New("the connection string has no SharedAccessKeyName or no SharedAccessKey")
	}
	s.base = "https://" + u.Host
	if strings.EqualFold(parts["usedevelopmentemulator"], "true") {
		port := u.Port()
		if port == "" || port == "5672" { // the one of AMQP
			port = emulatorPort
		}
		s.base = "http://" + u.Hostname() + ":" + port
	}
	return nil
}

// Read implements Scaler.
func (s *serviceBus) Read(ctx context.Context) (scale.Sample, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+s.entity+"?api-version=2021-05", nil)
	if err != nil {
		return scale.Sample{}, err
	}
	r.Header.Set("Authorization", s.token(s.base+s.entity))
	resp, err := s.client.Do(r)
	if err != nil {
		return scale.Sample{}, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return scale.Sample{}, fmt.Errorf("service bus entity %s: %s", s.entity[1:], resp.Status)
	}
	n, err := activeMessages(resp)
	if err != nil {
		return scale.Sample{}, fmt.Errorf("service bus entity %s: %w", s.entity[1:], err)
	}
	return average(float64(n), s.target, s.activation, s.p), nil
}

// activeMessages reads the entry of a queue or subscription. One that is not
// there is answered by an empty feed.
func activeMessages(resp *http.Response) (int, error) {
	var entry struct {
		XMLName xml.Name
		Queue   *struct {
			Active *int `xml:"CountDetails>ActiveMessageCount"`
		} `xml:"content>QueueDescription"`
		Subscription *struct {
			Active *int `xml:"CountDetails>ActiveMessageCount"`
		} `xml:"content>SubscriptionDescription"`
	}
	if err := xml.NewDecoder(resp.Body).Decode(&entry); err != nil {
		return 0, fmt.Errorf("the answer is not the management API's: %w", err)
	}
	switch {
	case entry.Queue != nil && entry.Queue.Active != nil:
		return *entry.Queue.Active, nil
	case entry.Subscription != nil && entry.Subscription.Active != nil:
		return *entry.Subscription.Active, nil
	}
	return 0, errors.New("doesn't exist")
}

// token is a shared access signature for a resource
// (learn.microsoft.com/rest/api/eventhub/generate-sas-token).
func (s *serviceBus) token(resource string) string {
	resource = url.QueryEscape(strings.ToLower(resource))
	expiry := strconv.FormatInt(s.now().Add(time.Hour).Unix(), 10)
	signature := sign([]byte(s.key), resource+"\n"+expiry)
	return "SharedAccessSignature sr=" + resource + "&sig=" + url.QueryEscape(signature) + "&se=" + expiry + "&skn=" + url.QueryEscape(s.keyName)
}

// Close implements Scaler.
func (s *serviceBus) Close() error {
	s.client.CloseIdleConnections()
	return nil
}
