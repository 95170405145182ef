package scaler

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl"
)

// kafkaClient asks brokers the four questions that lag takes. The messages are
// kmsg's; a whole client, which produces and consumes, would be five times as
// large. The versions are ones that brokers since 2.1 and up to 4 speak, and
// Event Hubs.
type kafkaClient struct {
	seeds []string
	dial  func(ctx context.Context, network, address string) (net.Conn, error)
	sasl  sasl.Mechanism // nil: none
}

// kafkaSession is the connections of one reading, by address. It is used by
// one goroutine.
type kafkaSession struct {
	*kafkaClient
	conns map[string]*kafkaConn
}

func (c *kafkaClient) session() *kafkaSession {
	return &kafkaSession{c, map[string]*kafkaConn{}}
}

func (s *kafkaSession) close() {
	for _, c := range s.conns {
		_ = c.conn.Close() // all that was asked is answered
	}
}

// committed returns how far a group has read, by partition. A group that is
// not there has read nothing.
func (s *kafkaSession) committed(ctx context.Context, group string) (map[partition]int64, error) {
	find := kmsg.NewPtrFindCoordinatorRequest()
	find.Version, find.CoordinatorKey = 2, group
	found := kmsg.NewPtrFindCoordinatorResponse()
	if err := s.askAny(ctx, find, found); err != nil {
		return nil, err
	}
	if err := kerr.ErrorForCode(found.ErrorCode); err != nil {
		return nil, err
	}
	fetch := kmsg.NewPtrOffsetFetchRequest()
	fetch.Version, fetch.Group, fetch.Topics = 5, group, nil // all
	fetched := kmsg.NewPtrOffsetFetchResponse()
	if err := s.ask(ctx, address(found.Host, found.Port), fetch, fetched); err != nil {
		return nil, err
	}
	if err := kerr.ErrorForCode(fetched.ErrorCode); err != nil {
		return nil, err
	}
	out := map[partition]int64{}
	for _, t := range fetched.Topics {
		for _, p := range t.Partitions {
			if p.ErrorCode == 0 && p.Offset >= 0 {
				out[partition{t.Topic, p.Partition}] = p.Offset
			}
		}
	}
	return out, nil
}

// ends returns the offset after the newest message of every partition of the
// topics.
func (s *kafkaSession) ends(ctx context.Context, topics []string) (map[partition]int64, error) {
	leaders, err := s.leaders(ctx, topics)
	if err != nil {
		return nil, err
	}
	out := map[partition]int64{}
	for broker, list := range leaders {
		req := kmsg.NewPtrListOffsetsRequest()
		req.Version, req.ReplicaID = 2, -1
		for topic, ids := range list {
			t := kmsg.NewListOffsetsRequestTopic()
			t.Topic = topic
			for _, id := range ids {
				p := kmsg.NewListOffsetsRequestTopicPartition()
				p.Partition, p.Timestamp = id, -1 // the end
				t.Partitions = append(t.Partitions, p)
			}
			req.Topics = append(req.Topics, t)
		}
		listed := kmsg.NewPtrListOffsetsResponse()
		if err := s.ask(ctx, broker, req, listed); err != nil {
			return nil, err
		}
		for _, t := range listed.Topics {
			for _, p := range t.Partitions {
				if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
					return nil, fmt.Errorf("%w (%s, partition %d)", err, t.Topic, p.Partition)
				}
				out[partition{t.Topic, p.Partition}] = p.Offset
			}
		}
	}
	return out, nil
}

// leaders returns the partitions of the topics, by the broker that leads them.
func (s *kafkaSession) leaders(ctx context.Context, topics []string) (map[string]map[string][]int32, error) {
	req := kmsg.NewPtrMetadataRequest()
	req.Version = 4 // the first that can look without making the topic
	for _, topic := range topics {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = kmsg.StringPtr(topic)
		req.Topics = append(req.Topics, t)
	}
	resp := kmsg.NewPtrMetadataResponse()
	if err := s.askAny(ctx, req, resp); err != nil {
		return nil, err
	}
	brokers := map[int32]string{}
	for _, b := range resp.Brokers {
		brokers[b.NodeID] = address(b.Host, b.Port)
	}
	out := map[string]map[string][]int32{}
	for _, t := range resp.Topics {
		if err := kerr.ErrorForCode(t.ErrorCode); err != nil {
			return nil, err
		}
		for _, p := range t.Partitions {
			broker, ok := brokers[p.Leader]
			if !ok {
				return nil, fmt.Errorf("%w (%s, partition %d)", kerr.LeaderNotAvailable, *t.Topic, p.Partition)
			}
			if out[broker] == nil {
				out[broker] = map[string][]int32{}
			}
			out[broker][*t.Topic] = append(out[broker][*t.Topic], p.Partition)
		}
	}
	return out, nil
}

func address(host string, port int32) string { return net.JoinHostPort(host, strconv.Itoa(int(port))) }

// askAny asks the first of the bootstrap servers that can be reached.
func (s *kafkaSession) askAny(ctx context.Context, req kmsg.Request, resp kmsg.Response) error {
	var errs []error
	for _, seed := range s.seeds {
		if _, _, err := net.SplitHostPort(seed); err != nil {
			seed = net.JoinHostPort(seed, "9092")
		}
		err := s.ask(ctx, seed, req, resp)
		if err == nil || ctx.Err() != nil {
			return err
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// ask sends a request to a broker and reads the answer.
func (s *kafkaSession) ask(ctx context.Context, broker string, req kmsg.Request, resp kmsg.Response) error {
	c, ok := s.conns[broker]
	if !ok {
		conn, err := s.dial(ctx, "tcp", broker)
		if err != nil {
			return err
		}
		c = &kafkaConn{conn: conn}
		s.conns[broker] = c
		if err := c.login(ctx, s.sasl, broker); err != nil {
			return s.drop(broker, err)
		}
	}
	if err := c.ask(ctx, req, resp); err != nil {
		return s.drop(broker, fmt.Errorf("ask %s: %w", broker, err))
	}
	return nil
}

// drop closes a connection that cannot be used any more.
func (s *kafkaSession) drop(broker string, err error) error {
	_ = s.conns[broker].conn.Close() // what is wrong with it is err
	delete(s.conns, broker)
	return err
}

// kafkaConn is a connection to one broker.
type kafkaConn struct {
	conn net.Conn
	last int32 // correlation id
}

// maxAnswer bounds an answer: metadata of tens of thousands of partitions.
const maxAnswer = 64 << 20

// ask sends a request and reads its answer. Neither may be of a flexible
// version, whose headers are others (kafka.apache.org/protocol).
func (c *kafkaConn) ask(ctx context.Context, req kmsg.Request, resp kmsg.Response) error {
	stop := context.AfterFunc(ctx, func() { _ = c.conn.Close() }) // ends what waits below
	defer stop()
	c.last++
	b := binary.BigEndian.AppendUint16(make([]byte, 4), uint16(req.Key()))
	b = binary.BigEndian.AppendUint16(b, uint16(req.GetVersion()))
	b = binary.BigEndian.AppendUint32(b, uint32(c.last))
	b = binary.BigEndian.AppendUint16(b, uint16(len(clientID)))
	b = append(b, clientID...)
	b = req.AppendTo(b)
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	if _, err := c.conn.Write(b); err != nil {
		return errors.Join(ctx.Err(), err)
	}
	var head [8]byte
	if _, err := io.ReadFull(c.conn, head[:]); err != nil {
		return errors.Join(ctx.Err(), err)
	}
	n, id := binary.BigEndian.Uint32(head[:]), int32(binary.BigEndian.Uint32(head[4:]))
	if n < 4 || n > maxAnswer || id != c.last {
		return fmt.Errorf("the answer has %d bytes and the number %d, want %d: not a Kafka broker?", n, id, c.last)
	}
	body := make([]byte, n-4)
	if _, err := io.ReadFull(c.conn, body); err != nil {
		return errors.Join(ctx.Err(), err)
	}
	resp.SetVersion(req.GetVersion())
	return resp.ReadFrom(body)
}

const clientID = "acalocal"

// login authenticates, if there is something to do it with.
func (c *kafkaConn) login(ctx context.Context, m sasl.Mechanism, broker string) error {
	if m == nil {
		return nil
	}
	hello := kmsg.NewPtrSASLHandshakeRequest()
	hello.Version, hello.Mechanism = 1, m.Name()
	offered := kmsg.NewPtrSASLHandshakeResponse()
	if err := c.ask(ctx, hello, offered); err != nil {
		return err
	}
	if err := kerr.ErrorForCode(offered.ErrorCode); err != nil {
		return err
	}
	session, say, err := m.Authenticate(ctx, broker)
	if err != nil {
		return err
	}
	for done := false; !done || len(say) > 0; {
		auth := kmsg.NewPtrSASLAuthenticateRequest()
		auth.Version, auth.SASLAuthBytes = 1, say
		heard := kmsg.NewPtrSASLAuthenticateResponse()
		if err := c.ask(ctx, auth, heard); err != nil {
			return err
		}
		if err := kerr.ErrorForCode(heard.ErrorCode); err != nil {
			if heard.ErrorMessage != nil {
				return fmt.Errorf("%w: %s", err, *heard.ErrorMessage)
			}
			return err
		}
		if done {
			return nil
		}
		if done, say, err = session.Challenge(heard.SASLAuthBytes); err != nil {
			return err
		}
	}
	return nil
}
