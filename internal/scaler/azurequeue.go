package scaler

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/acalocal/acalocal/internal/scale"
)

// azureQueue counts the messages of a storage queue
// (keda.sh/docs/latest/scalers/azure-storage-queue).
type azureQueue struct {
	endpoint           string // with the account in its path where Azurite wants it
	account            string
	key                []byte // nil with a shared access signature
	sas                string
	queue              string
	visibleOnly        bool
	client             *http.Client
	p                  params
	target, activation float64
	now                func() time.Time
}

// The account of Azurite, published in learn.microsoft.com/azure/storage/common/storage-connect-azurite.
const (
	devAccount = "devstoreaccount1"
	devKey     = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
	devQueues  = "http://127.0.0.1:10001/" + devAccount
)

func newAzureQueue(p params, o Options) (Scaler, error) {
	s := &azureQueue{p: p, client: o.httpClient(false), now: o.Now}
	if err := s.parse(); err != nil {
		return nil, fmt.Errorf("error parsing azure queue metadata: %w", err)
	}
	return s, nil
}

func (s *azureQueue) parse() error {
	text, err1 := s.p.want("connection", "no connection setting given")
	var err2, err3, err4 error
	s.queue, err2 = s.p.want("queueName", "no queueName given")
	s.target, err3 = s.p.target("queueLength", 5)
	s.activation, err4 = s.p.number("activationQueueLength", 0)
	strategy, err5 := s.p.oneOf("queueLengthStrategy", "all", "visibleonly")
	if err := all(err1, err2, err3, err4, err5); err != nil {
		return err
	}
	s.visibleOnly = strategy == "visibleonly"
	parts, err := connectionString(text)
	if err == nil {
		err = s.connect(parts)
	}
	return wrong("connection", err)
}

func (s *azureQueue) connect(parts map[string]string) (err error) {
	if strings.EqualFold(parts["usedevelopmentstorage"], "true") {
		s.account, s.endpoint = devAccount, devQueues
		if proxy := parts["developmentstorageproxyuri"]; proxy != "" {
			s.endpoint = strings.TrimSuffix(proxy, "/") + ":10001/" + devAccount
		}
		s.key, err = base64.StdEncoding.DecodeString(devKey)
		return err
	}
	s.account, s.sas = parts["accountname"], strings.TrimPrefix(parts["sharedaccesssignature"], "?")
	s.endpoint = strings.TrimSuffix(parts["queueendpoint"], "/")
	if s.endpoint == "" && s.account != "" {
		s.endpoint = cmp.Or(parts["defaultendpointsprotocol"], "https") + "://" + s.account + ".queue." + cmp.Or(parts["endpointsuffix"], "core.windows.net")
	}
	switch {
	case s.endpoint == "":
		return errors.New("can't parse storage connection string. Missing key or name")
	case s.sas != "":
		return nil
	case s.account == "" || parts["accountkey"] == "":
		return errors.New("can't parse storage connection string. Missing key or name")
	}
	if s.key, err = base64.StdEncoding.DecodeString(parts["accountkey"]); err != nil {
		return errors.New("the AccountKey of the connection string is not base64")
	}
	return nil
}

// Read implements Scaler. The count is approximate and includes messages that
// are being worked on; the strategy visibleonly counts up to 32 that are not.
func (s *azureQueue) Read(ctx context.Context) (scale.Sample, error) {
	if s.visibleOnly {
		n, err := s.peek(ctx)
		if err != nil {
			return scale.Sample{}, err
		}
		if n < mostPeeked {
			return average(float64(n), s.target, s.activation, s.p), nil
		}
	}
	resp, _, err := s.get(ctx, "/"+s.queue, url.Values{"comp": {"metadata"}})
	if err != nil {
		return scale.Sample{}, err
	}
	n, err := strconv.Atoi(resp.Get("x-ms-approximate-messages-count"))
	if err != nil {
		return scale.Sample{}, fmt.Errorf("the answer about queue %s has no count of messages", s.queue)
	}
	return average(float64(n), s.target, s.activation, s.p), nil
}

// mostPeeked is how many messages one request may look at.
const mostPeeked = 32

func (s *azureQueue) peek(ctx context.Context) (int, error) {
	_, body, err := s.get(ctx, "/"+s.queue+"/messages", url.Values{"peekonly": {"true"}, "numofmessages": {strconv.Itoa(mostPeeked)}})
	if err != nil {
		return 0, err
	}
	var list struct {
		Messages []struct{} `xml:"QueueMessage"`
	}
	if err := xml.Unmarshal(body, &list); err != nil {
		return 0, fmt.Errorf("the answer about queue %s: %w", s.queue, err)
	}
	return len(list.Messages), nil
}

func (s *azureQueue) get(ctx context.Context, path string, query url.Values) (http.Header, []byte, error) {
	address := s.endpoint + path + "?" + query.Encode()
	if s.sas != "" {
		address += "&" + s.sas
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("the queue endpoint %s is not a URL", s.endpoint)
	}
	r.Header.Set("x-ms-version", "2021-12-02")
	r.Header.Set("x-ms-date", s.now().UTC().Format(http.TimeFormat))
	if s.key != nil {
		r.Header.Set("Authorization", "SharedKey "+s.account+":"+sign(s.key, storageStringToSign(s.account, r)))
	}
	resp, err := s.client.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	if err != nil {
		return nil, nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, nil, fmt.Errorf("queue %s: %s %s", s.queue, resp.Status, resp.Header.Get("x-ms-error-code"))
	}
	return resp.Header, body, nil
}

func sign(key []byte, text string) string {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// storageStringToSign is what a shared key signs of a request without a body:
// the verb, eleven standard headers, which are empty, the x-ms headers and the
// resource with its query
// (learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key).
func storageStringToSign(account string, r *http.Request) string {
	var b strings.Builder
	b.WriteString(r.Method + strings.Repeat("\n", 12))
	var headers []string
	for name := range r.Header {
		if lower := strings.ToLower(name); strings.HasPrefix(lower, "x-ms-") {
			headers = append(headers, lower+":"+strings.TrimSpace(r.Header.Get(name))+"\n")
		}
	}
	slices.Sort(headers)
	b.WriteString(strings.Join(headers, ""))
	b.WriteString("/" + account + r.URL.EscapedPath())
	query := r.URL.Query()
	var names []string
	for name := range query {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		values := slices.Sorted(slices.Values(query[name]))
		b.WriteString("\n" + strings.ToLower(name) + ":" + strings.Join(values, ","))
	}
	return b.String()
}

// Close implements Scaler.
func (s *azureQueue) Close() error {
	s.client.CloseIdleConnections()
	return nil
}
