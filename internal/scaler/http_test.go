package scaler

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/acalocal/acalocal/internal/scale"
)

func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv
}

func TestPrometheus(t *testing.T) {
	vector := func(v string) string {
		return `{"status":"success","data":{"resultType":"vector","result":[` + v + `]}}`
	}
	for _, c := range []struct {
		name, answer, more string
		want               float64
		err                string
	}{
		{"one element", vector(`{"metric":{},"value":[1,"42.5"]}`), "", 42.5, ""},
		{"a scalar", `{"data":{"resultType":"scalar","result":[1,"7"]}}`, "", 7, ""},
		{"no element is 0", vector(""), "", 0, ""},
		{"no element is an error where nulls count", vector(""), "ignoreNullValues=false", 0, "prometheus metrics 'prometheus' target may be lost, the result is empty"},
		{"not a number is 0", vector(`{"value":[1,"NaN"]}`), "", 0, ""},
		{"two elements", vector(`{"value":[1,"1"]},{"value":[1,"2"]}`), "", 0, "prometheus query sum(rate(x[1m])) returned multiple elements"},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
				user, password, _ := r.BasicAuth()
				if r.URL.Path != "/api/v1/query" || r.URL.Query().Get("query") != "sum(rate(x[1m]))" || r.Header.Get("X-Scope") != "a" || user != "u" || password != "p" {
					t.Errorf("asked %s as %s:%s with %v", r.URL, user, password, r.Header)
				}
				fmt.Fprint(w, c.answer)
			})
			rule := trigger("prometheus", "serverAddress="+srv.URL, "query=sum(rate(x[1m]))", "threshold=10", "activationThreshold=2",
				"customHeaders=X-Scope=a", "authModes=basic", "auth:username=u", "auth:password=p", c.more)
			if c.err != "" {
				if _, err := read(t, Options{}, rule); err == nil || err.Error() != c.err {
					t.Errorf("error %v, want %s", err, c.err)
				}
				return
			}
			wantSample(t, Options{}, rule, scale.Sample{Kind: scale.Average, Value: c.want, Target: 10, Activation: 2})
		})
	}
}

func TestPrometheusMetricTypeOfValue(t *testing.T) {
	srv := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"data":{"resultType":"scalar","result":[1,"7"]}}`)
	})
	wantSample(t, Options{}, trigger("prometheus", "serverAddress="+srv.URL, "query=x", "threshold=10", "metricType=Value"),
		scale.Sample{Kind: scale.Value, Value: 7, Target: 10})
}

// The string to sign of a request for the metadata of a queue, written out by
// hand from learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key.
func TestStorageSignature(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:10001/devstoreaccount1/orders?comp=metadata", nil)
	r.Header.Set("x-ms-version", "2021-12-02")
	r.Header.Set("x-ms-date", "Mon, 01 Jun 2026 08:00:00 GMT")
	want := "GET\n\n\n\n\n\n\n\n\n\n\n\n" +
		"x-ms-date:Mon, 01 Jun 2026 08:00:00 GMT\nx-ms-version:2021-12-02\n" +
		"/devstoreaccount1/devstoreaccount1/orders\ncomp:metadata"
	if got := storageStringToSign("devstoreaccount1", r); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// queues stands for a storage account: it checks the signature of each request
// by building the string to sign from the documentation's list of headers.
func queues(t *testing.T, account, key string, count, visible int) *httptest.Server {
	secret, err := base64.StdEncoding.DecodeString(key)
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		var b strings.Builder
		b.WriteString(r.Method + "\n")
		for _, name := range []string{"Content-Encoding", "Content-Language", "Content-Length", "Content-MD5", "Content-Type", "Date",
			"If-Modified-Since", "If-Match", "If-None-Match", "If-Unmodified-Since", "Range"} {
			b.WriteString(r.Header.Get(name) + "\n")
		}
		fmt.Fprintf(&b, "x-ms-date:%s\nx-ms-version:%s\n/%s%s", r.Header.Get("x-ms-date"), r.Header.Get("x-ms-version"), account, r.URL.Path)
		for _, name := range []string{"comp", "numofmessages", "peekonly"} {
			if v := r.URL.Query().Get(name); v != "" {
				b.WriteString("\n" + name + ":" + v)
			}
		}
		switch want := "SharedKey " + account + ":" + sign(secret, b.String()); {
		case r.Header.Get("Authorization") != want:
			w.Header().Set("x-ms-error-code", "AuthenticationFailed")
			w.WriteHeader(http.StatusForbidden)
		case strings.HasSuffix(r.URL.Path, "/missing"):
			w.Header().Set("x-ms-error-code", "QueueNotFound")
			w.WriteHeader(http.StatusNotFound)
		case r.URL.Query().Get("comp") == "metadata":
			w.Header().Set("x-ms-approximate-messages-count", strconv.Itoa(count))
		default:
			fmt.Fprint(w, `<?xml version="1.0"?><QueueMessagesList>`+strings.Repeat("<QueueMessage><MessageId>1</MessageId></QueueMessage>", visible)+`</QueueMessagesList>`)
		}
	})
}

func TestAzureQueue(t *testing.T) {
	const key = "c2VjcmV0IGtleQ=="
	srv := queues(t, "shop", key, 100, 7)
	conn := "DefaultEndpointsProtocol=http;AccountName=shop;AccountKey=" + key + ";QueueEndpoint=" + srv.URL + "/;"
	wantSample(t, Options{}, trigger("azure-queue", "queueName=orders", "auth:connection="+conn),
		scale.Sample{Kind: scale.Average, Value: 100, Target: 5})
	wantSample(t, Options{}, trigger("azure-queue", "queueName=orders", "connectionFromEnv=C", "env:C="+conn, "queueLength=10", "activationQueueLength=3", "queueLengthStrategy=visibleonly"),
		scale.Sample{Kind: scale.Average, Value: 7, Target: 10, Activation: 3})

	busy := queues(t, "shop", key, 100, 32)
	wantSample(t, Options{}, trigger("azure-queue", "queueName=orders", "queueLengthStrategy=visibleonly", "connection=AccountName=shop;AccountKey="+key+";QueueEndpoint="+busy.URL),
		scale.Sample{Kind: scale.Average, Value: 100, Target: 5})

	if _, err := read(t, Options{}, trigger("azure-queue", "queueName=missing", "connection="+conn)); err == nil || err.Error() != "queue missing: 404 Not Found QueueNotFound" {
		t.Errorf("a queue that is not there: %v", err)
	}
	wrong := strings.Replace(conn, key, "b3RoZXI=", 1)
	if _, err := read(t, Options{}, trigger("azure-queue", "queueName=orders", "connection="+wrong)); err == nil || err.Error() != "queue orders: 403 Forbidden AuthenticationFailed" {
		t.Errorf("a wrong key: %v", err)
	}
}

func TestAzuriteByItsShortConnectionString(t *testing.T) {
	srv := queues(t, devAccount, devKey, 12, 0)
	var names []string
	wantSample(t, Options{Dial: to(srv.Listener.Addr().String(), &names)}, trigger("azure-queue", "queueName=orders", "connection=UseDevelopmentStorage=true"),
		scale.Sample{Kind: scale.Average, Value: 12, Target: 5})
	if len(names) != 1 || names[0] != "127.0.0.1:10001" {
		t.Errorf("dialled %v", names)
	}
}

const queueEntry = `<entry xmlns="http://www.w3.org/2005/Atom"><title type="text">orders</title><content type="application/xml">
<QueueDescription xmlns="http://schemas.microsoft.com/netservices/2010/10/servicebus/connect"><LockDuration>PT1M</LockDuration><MessageCount>9</MessageCount>
<CountDetails xmlns:d2p1="http://schemas.microsoft.com/netservices/2011/06/servicebus"><d2p1:ActiveMessageCount>6</d2p1:ActiveMessageCount>
<d2p1:DeadLetterMessageCount>3</d2p1:DeadLetterMessageCount></CountDetails></QueueDescription></content></entry>`

// The management API of the emulator, as version 2 of it has it.
func TestServiceBus(t *testing.T) {
	now := time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		resource := url.QueryEscape(strings.ToLower("http://bus:5300" + r.URL.Path))
		expiry := strconv.FormatInt(now.Add(time.Hour).Unix(), 10)
		want := "SharedAccessSignature sr=" + resource + "&sig=" + url.QueryEscape(sign([]byte("k"), resource+"\n"+expiry)) + "&se=" + expiry + "&skn=Root"
		if got := r.Header.Get("Authorization"); got != want {
			t.Errorf("authorization\n%s, want\n%s", got, want)
		}
		switch r.URL.RequestURI() {
		case "/orders?api-version=2021-05":
			fmt.Fprint(w, queueEntry)
		case "/news/Subscriptions/mail?api-version=2021-05":
			fmt.Fprint(w, strings.NewReplacer("QueueDescription", "SubscriptionDescription").Replace(queueEntry))
		default:
			fmt.Fprint(w, `<feed xmlns="http://www.w3.org/2005/Atom"><title>Publicly Listed Services</title></feed>`)
		}
	})
	var names []string
	o := Options{Dial: to(srv.Listener.Addr().String(), &names), Now: func() time.Time { return now }}
	const conn = "auth:connection=Endpoint=sb://bus;SharedAccessKeyName=Root;SharedAccessKey=k;UseDevelopmentEmulator=true;"
	wantSample(t, o, trigger("azure-servicebus", "queueName=orders", conn), scale.Sample{Kind: scale.Average, Value: 6, Target: 5})
	wantSample(t, o, trigger("azure-servicebus", "topicName=news", "subscriptionName=mail", "messageCount=2", "activationMessageCount=1", conn),
		scale.Sample{Kind: scale.Average, Value: 6, Target: 2, Activation: 1})
	if _, err := read(t, o, trigger("azure-servicebus", "queueName=none", conn)); err == nil || err.Error() != "service bus entity none: doesn't exist" {
		t.Errorf("a queue that is not there: %v", err)
	}
	if names[0] != "bus:5300" {
		t.Errorf("dialled %v", names)
	}
}

func TestRabbitMQByItsManagementAPI(t *testing.T) {
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if user != "guest" || password != "secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		switch r.URL.EscapedPath() {
		case "/api/queues/%2F/orders", "/mq/api/queues/shop/orders":
			fmt.Fprint(w, `{"messages":30,"messages_ready":20,"message_stats":{"publish_details":{"rate":4.5},"deliver_get_details":{"rate":2}}}`)
		case "/api/queues/%2F":
			if r.URL.Query().Get("name") != "^orders" || r.URL.Query().Get("use_regex") != "true" {
				t.Errorf("asked %s", r.URL)
			}
			fmt.Fprint(w, `{"items":[{"messages":30},{"messages":10}],"page_count":1}`)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	})
	host := "host=" + strings.Replace(srv.URL, "http://", "http://guest:secret@", 1)
	for _, c := range []struct {
		name  string
		parts []string
		want  scale.Sample
	}{
		{"all messages over 20", []string{"queueName=orders", host}, scale.Sample{Kind: scale.Average, Value: 30, Target: 20}},
		{"only what is ready", []string{"queueName=orders", host, "excludeUnacknowledged=true", "mode=QueueLength", "value=5", "activationValue=2"}, scale.Sample{Kind: scale.Average, Value: 20, Target: 5, Activation: 2}},
		{"the rate of publishing", []string{"queueName=orders", host, "mode=MessageRate", "value=5"}, scale.Sample{Kind: scale.Average, Value: 4.5, Target: 5, Active: true}},
		{"the rate of delivery", []string{"queueName=orders", host, "mode=DeliverGetRate", "value=5"}, scale.Sample{Kind: scale.Average, Value: 2, Target: 5}},
		{"a virtual host in the path", []string{"queueName=orders", host + "/mq/shop"}, scale.Sample{Kind: scale.Average, Value: 30, Target: 20}},
		{"a regular expression", []string{"queueName=^orders", host, "useRegex=true", "operation=avg"}, scale.Sample{Kind: scale.Average, Value: 20, Target: 20}},
		{"a user of its own", []string{"queueName=orders", "host=" + srv.URL, "auth:username=guest", "auth:password=secret"}, scale.Sample{Kind: scale.Average, Value: 30, Target: 20}},
	} {
		t.Run(c.name, func(t *testing.T) { wantSample(t, Options{}, trigger("rabbitmq", c.parts...), c.want) })
	}
	_, err := read(t, Options{}, trigger("rabbitmq", "queueName=orders", "host="+srv.URL))
	if err == nil || !strings.HasPrefix(err.Error(), "error requesting RabbitMQ API status: 401 Unauthorized") {
		t.Errorf("without a user: %v", err)
	}
}
