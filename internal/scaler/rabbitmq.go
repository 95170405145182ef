package scaler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/acalocal/acalocal/internal/scale"
)

// rabbitMQ looks at a queue by AMQP, which tells how many messages are ready,
// or by the management API, which also tells those not acknowledged, and rates
// (keda.sh/docs/latest/scalers/rabbitmq-queue).
type rabbitMQ struct {
	host, queue, mode  string
	http               *http.Client // nil by AMQP
	dial               dialer
	p                  params
	target, activation float64
	readyOnly, regex   bool
	operation          string
}

func newRabbitMQ(p params, o Options) (Scaler, error) {
	s := &rabbitMQ{p: p, dial: o.Dial}
	if err := s.parse(o); err != nil {
		return nil, fmt.Errorf("error parsing RabbitMQ metadata: %w", err)
	}
	return s, nil
}

func (s *rabbitMQ) parse(o Options) error {
	p := s.p
	var err1, err2, err3, err4, err5 error
	s.host, err1 = p.want("host", "no host setting given")
	s.queue, err2 = p.want("queueName", "no queue name found")
	protocol, err3 := p.oneOf("protocol", "auto", "http", "amqp")
	s.operation, err4 = p.oneOf("operation", "sum", "avg", "max")
	s.activation, err5 = p.number("activationValue", 0)
	if err := all(err1, err2, err3, err4, err5, p.refuse("workloadIdentityResource", "clientId"), s.parseTrigger()); err != nil {
		return err
	}
	s.readyOnly, err1 = p.yes("excludeUnacknowledged")
	s.regex, err2 = p.yes("useRegex")
	unsafe, err3 := p.yes("unsafeSsl")
	if err := all(err1, err2, err3); err != nil {
		return err
	}
	u, err := url.Parse(s.host)
	if err != nil {
		return wrong("host", errors.New("can't parse host to find protocol")) // the error would show the password
	}
	if protocol == "auto" {
		switch u.Scheme {
		case "amqp", "amqps":
			protocol = "amqp"
		case "http", "https":
			protocol = "http"
		default:
			return wrong("host", fmt.Errorf("unknown host URL scheme: `%s`", u.Scheme))
		}
	}
	if protocol == "http" {
		s.http = o.httpClient(unsafe)
		return nil
	}
	switch {
	case s.regex:
		return wrong("useRegex", errors.New("configure useRegex=true only with HTTP protocol"))
	case s.readyOnly:
		return wrong("excludeUnacknowledged", errors.New("configure excludeUnacknowledged=true only with HTTP protocol"))
	case s.mode != "QueueLength":
		return wrong("mode", fmt.Errorf("protocol amqp not supported; must be HTTP to use trigger mode %s", s.mode))
	}
	return nil
}

// parseTrigger reads mode and value, or the older queueLength; without any it
// is a length of 20.
func (s *rabbitMQ) parseTrigger() (err error) {
	old, mode, value := s.p.get("queueLength"), s.p.get("mode"), s.p.get("value")
	s.mode = "QueueLength"
	switch {
	case old != "" && (mode != "" || value != ""):
		return wrong("queueLength", errors.New("queueLength is deprecated; use mode and value"))
	case old != "":
		s.target, err = s.p.target("queueLength", 0)
		return err
	case mode == "" && value == "":
		s.target = 20
		return nil
	case mode == "":
		return wrong("mode", errors.New("mode must be specified"))
	case value == "":
		return wrong("value", errors.New("value must be specified"))
	}
	if s.mode, err = s.p.oneOf("mode", "QueueLength", "MessageRate", "DeliverGetRate"); err != nil {
		return err
	}
	s.target, err = s.p.target("value", 0)
	return err
}

// rabbitQueue is what the management API tells of a queue.
type rabbitQueue struct {
	Messages int `json:"messages"`
	Ready    int `json:"messages_ready"`
	Stats    struct {
		Publish    struct{ Rate float64 } `json:"publish_details"`
		DeliverGet struct{ Rate float64 } `json:"deliver_get_details"`
	} `json:"message_stats"`
}

// Read implements Scaler.
func (s *rabbitMQ) Read(ctx context.Context) (scale.Sample, error) {
	q, err := s.look(ctx)
	if err != nil {
		return scale.Sample{}, err
	}
	messages := float64(q.Messages)
	if s.readyOnly {
		messages = float64(q.Ready)
	}
	switch s.mode {
	case "MessageRate":
		out := average(q.Stats.Publish.Rate, s.target, s.activation, s.p)
		out.Active = messages > s.activation // a backlog keeps consumers, without a rate
		return out, nil
	case "DeliverGetRate":
		return average(q.Stats.DeliverGet.Rate, s.target, s.activation, s.p), nil
	}
	return average(messages, s.target, s.activation, s.p), nil
}

func (s *rabbitMQ) look(ctx context.Context) (rabbitQueue, error) {
	if s.http == nil {
		return s.lookAMQP(ctx)
	}
	queues, err := s.lookHTTP(ctx)
	if err != nil {
		return rabbitQueue{}, err
	}
	return combine(queues, s.operation), nil
}

// combine makes one queue of all that a regular expression matches.
func combine(queues []rabbitQueue, operation string) rabbitQueue {
	var out rabbitQueue
	for _, q := range queues {
		if operation == "max" {
			out.Messages, out.Ready = max(out.Messages, q.Messages), max(out.Ready, q.Ready)
			out.Stats.Publish.Rate = max(out.Stats.Publish.Rate, q.Stats.Publish.Rate)
			out.Stats.DeliverGet.Rate = max(out.Stats.DeliverGet.Rate, q.Stats.DeliverGet.Rate)
			continue
		}
		out.Messages += q.Messages
		out.Ready += q.Ready
		out.Stats.Publish.Rate += q.Stats.Publish.Rate
		out.Stats.DeliverGet.Rate += q.Stats.DeliverGet.Rate
	}
	if n := len(queues); operation == "avg" && n > 0 {
		out.Messages, out.Ready = out.Messages/n, out.Ready/n
		out.Stats.Publish.Rate /= float64(n)
		out.Stats.DeliverGet.Rate /= float64(n)
	}
	return out
}

// lookAMQP declares the queue passively: it must be there already. It connects
// anew each time, because an answer that it is not closes the channel.
func (s *rabbitMQ) lookAMQP(ctx context.Context) (rabbitQueue, error) {
	config := amqp.Config{
		Properties: amqp.Table{"connection_name": "keda-" + s.p.App},
		Dial:       func(network, addr string) (net.Conn, error) { return s.connect(ctx, network, addr) },
		Vhost:      s.p.get("vhostName"),
	}
	if user, password := s.p.get("username"), s.p.get("password"); user != "" && password != "" {
		config.SASL = []amqp.Authentication{&amqp.PlainAuth{Username: user, Password: password}}
	}
	var err error
	if config.TLSClientConfig, err = s.p.tls(); err != nil {
		return rabbitQueue{}, err
	}
	conn, err := amqp.DialConfig(s.host, config)
	if err != nil {
		return rabbitQueue{}, fmt.Errorf("error establishing connection to RabbitMQ: %w", err)
	}
	defer conn.Close()
	channel, err := conn.Channel()
	if err != nil {
		return rabbitQueue{}, fmt.Errorf("error establishing connection to RabbitMQ: %w", err)
	}
	q, err := channel.QueueDeclarePassive(s.queue, false, false, false, false, nil)
	return rabbitQueue{Messages: q.Messages, Ready: q.Messages}, err
}

// connect dials and gives the handshake the time that ctx has left; the client
// has no other way to be stopped.
func (s *rabbitMQ) connect(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := s.dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		return conn, conn.SetDeadline(deadline)
	}
	return conn, conn.SetDeadline(time.Now().Add(readTimeout))
}

func (s *rabbitMQ) lookHTTP(ctx context.Context) ([]rabbitQueue, error) {
	address, user, err := s.management()
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, errors.New("the host is not a URL")
	}
	if user != nil {
		password, _ := user.Password()
		r.SetBasicAuth(user.Username(), password)
	}
	resp, err := s.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("error requesting RabbitMQ API status: %s, from: %s", resp.Status, address)
	}
	if s.regex {
		var page struct {
			Items []rabbitQueue `json:"items"`
			Pages int           `json:"page_count"`
		}
		if err := json.NewDecoder(resp.Body).Decode(&page); err != nil {
			return nil, fmt.Errorf("the answer is not RabbitMQ's: %w", err)
		}
		if page.Pages > 1 {
			return nil, errors.New("regex matches more queues than can be recovered at once")
		}
		return page.Items, nil
	}
	var q rabbitQueue
	if err := json.NewDecoder(resp.Body).Decode(&q); err != nil {
		return nil, fmt.Errorf("the answer is not RabbitMQ's: %w", err)
	}
	return []rabbitQueue{q}, nil
}

// management is the address of the queue at the management API and who asks.
// The last part of the host's path is the virtual host, "/" without one.
func (s *rabbitMQ) management() (string, *url.Userinfo, error) {
	u, err := url.Parse(s.host)
	if err != nil {
		return "", nil, errors.New("the host is not a URL")
	}
	user := u.User
	if name, password := s.p.get("username"), s.p.get("password"); name != "" && password != "" {
		user = url.UserPassword(name, password)
	}
	dir, vhost := path.Split(u.EscapedPath())
	if name := s.p.get("vhostName"); name != "" {
		vhost = url.PathEscape(name)
	}
	if vhost == "" {
		vhost = "%2F"
	}
	base := u.Scheme + "://" + u.Host + strings.TrimSuffix(dir, "/") + "/api/queues/" + vhost
	if !s.regex {
		return base + "/" + url.PathEscape(s.queue), user, nil
	}
	size, err := s.p.target("pageSize", 100)
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("%s?page=1&use_regex=true&pagination=false&name=%s&page_size=%d", base, url.QueryEscape(s.queue), int(size)), user, nil
}

// Close implements Scaler.
func (s *rabbitMQ) Close() error {
	if s.http != nil {
		s.http.CloseIdleConnections()
	}
	return nil
}
