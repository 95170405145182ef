package scaler

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/acalocal/acalocal/internal/scale"
)

// kafka adds up how far a consumer group is behind the end of a topic, or of
// all topics it has read (keda.sh/docs/latest/scalers/apache-kafka).
type kafka struct {
	client             kafkaClient
	group, topic       string
	p                  params
	target, activation float64
	partitions         map[int32]bool // nil is all of them
	earliest           bool           // a group without an offset is behind by everything
	zeroInvalid        bool           // a group without an offset is behind by nothing
	idleConsumers      bool           // more replicas than partitions are allowed
	laggingOnly        bool           // replicas are bounded by the partitions with lag
	even               bool           // replicas divide the number of partitions
	dropStuck          bool           // lag of partitions that do not move does not count
	before             map[partition]int64
}

type partition struct {
	topic string
	id    int32
}

func newKafka(p params, o Options) (Scaler, error) {
	s := &kafka{p: p, before: map[partition]int64{}}
	if err := s.parse(o); err != nil {
		return nil, fmt.Errorf("error parsing kafka metadata: %w", err)
	}
	return s, nil
}

func (s *kafka) parse(o Options) error {
	p := s.p
	var errs [10]error
	_, errs[0] = p.want("bootstrapServers", "no bootstrapServers given")
	s.group, errs[1] = p.want("consumerGroup", "no consumer group given")
	s.topic = p.get("topic")
	s.target, errs[2] = p.target("lagThreshold", 10)
	s.activation, errs[3] = p.number("activationLagThreshold", 0)
	s.idleConsumers, errs[4] = p.yes("allowIdleConsumers")
	s.laggingOnly, errs[5] = p.yes("limitToPartitionsWithLag")
	s.even, errs[6] = p.yes("ensureEvenDistributionOfPartitions")
	s.zeroInvalid, errs[7] = p.yes("scaleToZeroOnInvalidOffset")
	s.dropStuck, errs[8] = p.yes("excludePersistentLag")
	policy, err := p.oneOf("offsetResetPolicy", "latest", "earliest")
	errs[9] = err
	s.earliest = policy == "earliest"
	if err := all(errs[:]...); err != nil {
		return err
	}
	switch {
	case s.idleConsumers && s.laggingOnly:
		return errors.New("allowIdleConsumers and limitToPartitionsWithLag cannot be set simultaneously")
	case s.topic == "" && s.laggingOnly:
		return errors.New("topic must be specified when using limitToPartitionsWithLag")
	case s.laggingOnly && s.even:
		return errors.New("limitToPartitionsWithLag and ensureEvenDistributionOfPartitions cannot be set simultaneously")
	case s.topic == "" && s.even:
		return errors.New("topic must be specified when using ensureEvenDistributionOfPartitions")
	}
	if s.topic != "" {
		if s.partitions, err = partitionSet(p.list("partitionLimitation")); err != nil {
			return err
		}
	}
	return s.connectWith(o)
}

// partitionSet reads numbers and ranges such as 3-5; none is all, and nil.
func partitionSet(parts []string) (map[int32]bool, error) {
	if len(parts) == 0 {
		return nil, nil
	}
	set := map[int32]bool{}
	for _, part := range parts {
		from, to, ranged := strings.Cut(part, "-")
		if !ranged {
			to = from
		}
		low, err1 := strconv.ParseInt(strings.TrimSpace(from), 10, 32)
		high, err2 := strconv.ParseInt(strings.TrimSpace(to), 10, 32)
		if err1 != nil || err2 != nil || high-low > 100_000 {
			return nil, wrong("partitionLimitation", fmt.Errorf("invalid partition limitation: %s", part))
		}
		for id := low; id <= high; id++ {
			set[int32(id)] = true
		}
	}
	return set, nil
}

// connectWith reads how brokers are reached.
func (s *kafka) connectWith(o Options) error {
	p := s.p
	s.client = kafkaClient{seeds: p.list("bootstrapServers"), dial: dialer(o.Dial)}
	if p.get("tls") == "enable" {
		config, err := p.tls()
		if err != nil {
			return err
		}
		s.client.dial = tlsDialer(o.Dial, config)
	}
	kind, user, password := p.get("sasl"), p.get("username"), p.get("password")
	if kind == "" || kind == "none" {
		return nil
	}
	if user == "" {
		return wrong("username", errors.New("no username given"))
	}
	if password == "" {
		return wrong("password", errors.New("no password given"))
	}
	mechanisms := map[string]sasl.Mechanism{
		"plaintext":    plain.Auth{User: user, Pass: password}.AsMechanism(),
		"scram_sha256": scram.Auth{User: user, Pass: password}.AsSha256Mechanism(),
		"scram_sha512": scram.Auth{User: user, Pass: password}.AsSha512Mechanism(),
	}
	if s.client.sasl = mechanisms[kind]; s.client.sasl == nil {
		return wrong("sasl", notEmulated("sasl "+kind))
	}
	return nil
}

// Read implements Scaler.
func (s *kafka) Read(ctx context.Context) (scale.Sample, error) {
	session := s.client.session()
	defer session.close()
	committed, err := session.committed(ctx, s.group)
	if err != nil {
		return scale.Sample{}, fmt.Errorf("error listing consumer group offsets: %w", err)
	}
	topics := []string{s.topic}
	if s.topic == "" {
		topics = topicsOf(committed)
		if len(topics) == 0 {
			return average(0, s.target, s.activation, s.p), nil // the group has read nothing yet
		}
	}
	ends, err := session.ends(ctx, topics)
	if err != nil {
		return scale.Sample{}, fmt.Errorf("error describing topics: %w", err)
	}
	return s.sample(committed, ends), nil
}

func topicsOf(offsets map[partition]int64) []string {
	topics := map[string]struct{}{}
	for p := range offsets {
		topics[p.topic] = struct{}{}
	}
	return slices.Sorted(maps.Keys(topics))
}

// sample adds up the lag and bounds it by what more replicas could take.
func (s *kafka) sample(committed, ends map[partition]int64) scale.Sample {
	var lag, stuck, partitions, lagging int64
	for key, end := range ends {
		if s.partitions != nil && !s.partitions[key.id] {
			continue
		}
		at, ok := committed[key]
		if !ok {
			at = -1
		}
		n := s.behind(end, at)
		partitions++
		stuck += n
		if s.dropStuck && !s.moved(key, at) {
			n = 0
		}
		if lag += n; n > 0 {
			lagging++
		}
	}
	value := float64(lag)
	if s.even {
		value = evenly(value, partitions, s.target) * s.target
	}
	bound := float64(partitions)
	if s.laggingOnly {
		bound = float64(lagging)
	}
	if !s.idleConsumers || s.laggingOnly || s.even {
		value = min(value, bound*s.target)
	}
	out := average(value, s.target, s.activation, s.p)
	out.Active = float64(stuck) > s.activation
	return out
}

// behind is the lag of one partition. Without an offset it is one message, so
// that a consumer comes and makes one.
func (s *kafka) behind(end, at int64) int64 {
	switch {
	case at >= 0:
		return max(end-at, 0)
	case s.zeroInvalid:
		return 0
	case s.earliest:
		return end
	}
	return 1
}

// moved says that a partition was read since the reading before, or that there
// was none.
func (s *kafka) moved(key partition, at int64) bool {
	before, known := s.before[key]
	s.before[key] = at
	return at < 0 || !known || before != at
}

// evenly is the smallest number of replicas that the lag asks for and that
// divides the partitions.
func evenly(lag float64, partitions int64, target float64) float64 {
	for n := int64(1); n <= partitions; n++ {
		if partitions%n == 0 && float64(n)*target >= lag {
			return float64(n)
		}
	}
	return float64(partitions)
}

// Close implements Scaler: connections last for one reading.
func (s *kafka) Close() error { return nil }
