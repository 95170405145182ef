package scaler

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/gomodule/redigo/redis"

	"github.com/acalocal/acalocal/internal/scale"
)

// redisScaler counts what a key of a Redis server holds
// (keda.sh/docs/latest/scalers/redis-lists, redis-streams).
type redisScaler struct {
	addr               string
	dial               dialer
	p                  params
	database           int
	target, activation float64
	count              func(context.Context, redis.Conn) (int64, error)
}

func newRedis(p params, o Options) (Scaler, error) {
	s := &redisScaler{p: p}
	list, err1 := p.want("listName", "no list name given")
	var err2, err3 error
	s.target, err2 = p.target("listLength", 5)
	s.activation, err3 = p.number("activationListLength", 0)
	s.count = func(ctx context.Context, c redis.Conn) (int64, error) { return length(ctx, c, list) }
	return s.connect(o, all(err1, err2, err3))
}

// newRedisStreams counts the length of a stream, or what a consumer group has
// not been given (lagCount) or not acknowledged (pendingEntriesCount).
func newRedisStreams(p params, o Options) (Scaler, error) {
	s := &redisScaler{p: p}
	stream, err1 := p.want("stream", "no stream given")
	group := p.get("consumerGroup")
	name := "pendingEntriesCount"
	switch {
	case p.get("lagCount") != "":
		name = "lagCount"
		s.count = func(ctx context.Context, c redis.Conn) (int64, error) { return lag(ctx, c, stream, group) }
	case group == "":
		name = "streamLength"
		s.count = func(ctx context.Context, c redis.Conn) (int64, error) {
			return redis.Int64(redis.DoContext(c, ctx, "XLEN", stream))
		}
	default:
		s.count = func(ctx context.Context, c redis.Conn) (int64, error) { return pending(ctx, c, stream, group) }
	}
	var err2, err3, err4 error
	if name == "lagCount" && group == "" {
		err2 = wrong("consumerGroup", errors.New("lagCount needs a consumerGroup"))
	}
	s.target, err3 = p.target(name, 5)
	s.activation, err4 = p.number("activationLagCount", 0)
	return s.connect(o, all(err1, err2, err3, err4))
}

// connect takes the address and the user when the other parameters are right.
func (s *redisScaler) connect(o Options, err error) (Scaler, error) {
	s.dial = o.Dial
	if err == nil {
		err = s.server()
	}
	if err != nil {
		return nil, fmt.Errorf("error parsing redis metadata: %w", err)
	}
	return s, nil
}

func (s *redisScaler) server() error {
	p := s.p
	s.addr = strings.TrimPrefix(p.get("address"), "redis://")
	if host, port := p.get("host"), p.get("port"); s.addr == "" && host != "" && port != "" {
		s.addr = net.JoinHostPort(host, port)
	}
	if s.addr == "" {
		return wrong("address", errors.New("no addresses or hosts given. address should be a comma separated list of host:port or set the host/port values"))
	}
	database, err1 := p.number("databaseIndex", 0)
	secure, err2 := p.yes("enableTLS")
	if err := all(err1, err2); err != nil {
		return err
	}
	s.database = int(database)
	if secure || p.get("tls") == "enable" {
		config, err := p.tls()
		if err != nil {
			return err
		}
		s.dial = tlsDialer(s.dial, config)
	}
	return nil
}

// open connects, logs in and chooses the database. Nothing is kept between two
// readings: half a minute later many servers have closed the connection.
func (s *redisScaler) open(ctx context.Context) (redis.Conn, error) {
	options := []redis.DialOption{
		redis.DialContextFunc(s.dial), redis.DialDatabase(s.database),
		redis.DialReadTimeout(readTimeout), redis.DialWriteTimeout(readTimeout),
	}
	if password := s.p.get("password"); password != "" {
		options = append(options, redis.DialUsername(s.p.get("username")), redis.DialPassword(password))
	}
	return redis.DialContext(ctx, "tcp", s.addr, options...)
}

// lengths are the commands that count what a key of a type holds.
var lengths = map[string]string{"list": "LLEN", "none": "LLEN", "set": "SCARD", "zset": "ZCARD", "hash": "HLEN"}

// length is the number of elements of a key of any type that has them.
func length(ctx context.Context, c redis.Conn, key string) (int64, error) {
	kind, err := redis.String(redis.DoContext(c, ctx, "TYPE", key))
	if err != nil {
		return 0, err
	}
	command, ok := lengths[kind]
	if !ok {
		return 0, fmt.Errorf("unsupported key type: %s", kind)
	}
	return redis.Int64(redis.DoContext(c, ctx, command, key))
}

// pending is the number of entries a group was given and has not acknowledged.
func pending(ctx context.Context, c redis.Conn, stream, group string) (int64, error) {
	summary, err := redis.Values(redis.DoContext(c, ctx, "XPENDING", stream, group))
	if err != nil || len(summary) == 0 {
		return 0, err
	}
	return redis.Int64(summary[0], nil)
}

// lag is the number of entries a group was not given yet.
func lag(ctx context.Context, c redis.Conn, stream, group string) (int64, error) {
	groups, err := redis.Values(redis.DoContext(c, ctx, "XINFO", "GROUPS", stream))
	if err != nil {
		return 0, err
	}
	for _, g := range groups {
		fields, err := redis.Values(g, nil)
		if err != nil {
			return 0, err
		}
		var name string
		n, known := int64(0), false
		for i := 0; i+1 < len(fields); i += 2 {
			switch key, _ := redis.String(fields[i], nil); key {
			case "name":
				name, _ = redis.String(fields[i+1], nil)
			case "lag":
				n, err = redis.Int64(fields[i+1], nil)
				known = err == nil
			}
		}
		switch {
		case name != group:
		case !known:
			return 0, errors.New("the server does not tell the lag of a group: it does since Redis 7")
		default:
			return n, nil
		}
	}
	return 0, fmt.Errorf("no consumer group %s of stream %s", group, stream)
}

// Read implements Scaler.
func (s *redisScaler) Read(ctx context.Context) (scale.Sample, error) {
	c, err := s.open(ctx)
	if err != nil {
		return scale.Sample{}, fmt.Errorf("connection to redis failed: %w", err)
	}
	defer c.Close()
	n, err := s.count(ctx, c)
	if err != nil {
		return scale.Sample{}, fmt.Errorf("connection to redis failed: %w", err)
	}
	return average(float64(n), s.target, s.activation, s.p), nil
}

// Close implements Scaler.
func (*redisScaler) Close() error { return nil }
