package scaler

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/acalocal/acalocal/internal/scale"
)

// broker runs a broker in this process with a topic of four partitions that
// hold 10, 20, 30 and 40 messages, of which a group has read 5, 20, 30 and
// nothing.
func broker(t *testing.T) string { return cluster(t, nil) }

// cluster is broker with more options, and those its clients need then.
func cluster(t *testing.T, login []kgo.Opt, o ...kfake.Opt) string {
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(3), kfake.SeedTopics(4, "orders")}, o...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	client, err := kgo.NewClient(append(login, kgo.SeedBrokers(c.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var records []*kgo.Record
	for p := range int32(4) {
		for range 10 * (p + 1) {
			records = append(records, &kgo.Record{Topic: "orders", Partition: p, Value: []byte("x")})
		}
	}
	if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	commit(t, client, "workers", 5, 20, 30)
	return strings.Join(c.ListenAddrs(), ",")
}

func commit(t *testing.T, client *kgo.Client, group string, offsets ...int64) {
	t.Helper()
	var all kadm.Offsets
	for p, at := range offsets {
		all.Add(kadm.Offset{Topic: "orders", Partition: int32(p), At: at, LeaderEpoch: -1})
	}
	if err := kadm.NewClient(client).CommitAllOffsets(context.Background(), group, all); err != nil {
		t.Fatal(err)
	}
}

func TestKafkaLag(t *testing.T) {
	addr := "bootstrapServers=" + broker(t)
	for _, c := range []struct {
		name  string
		parts []string
		want  scale.Sample
	}{
		{"what is not read, and one for a partition without offset", []string{"topic=orders"}, scale.Sample{Value: 6, Target: 10, Active: true}},
		{"from the beginning", []string{"topic=orders", "offsetResetPolicy=earliest"}, scale.Sample{Value: 40, Target: 10, Active: true}},
		{"bounded by the partitions", []string{"topic=orders", "offsetResetPolicy=earliest", "lagThreshold=2"}, scale.Sample{Value: 8, Target: 2, Active: true}},
		{"not bounded where idle consumers are allowed", []string{"topic=orders", "offsetResetPolicy=earliest", "lagThreshold=2", "allowIdleConsumers=true"}, scale.Sample{Value: 45, Target: 2, Active: true}},
		{"bounded by the partitions with lag", []string{"topic=orders", "offsetResetPolicy=earliest", "lagThreshold=2", "limitToPartitionsWithLag=true"}, scale.Sample{Value: 4, Target: 2, Active: true}},
		{"evenly", []string{"topic=orders", "offsetResetPolicy=earliest", "lagThreshold=16", "ensureEvenDistributionOfPartitions=true"}, scale.Sample{Value: 64, Target: 16, Active: true}},
		{"nothing where no offset means nothing", []string{"topic=orders", "scaleToZeroOnInvalidOffset=true", "activationLagThreshold=5"}, scale.Sample{Value: 5, Target: 10, Activation: 5}},
		{"some partitions", []string{"topic=orders", "partitionLimitation=1-2"}, scale.Sample{Target: 10}},
		{"all topics of the group", []string{}, scale.Sample{Value: 6, Target: 10, Active: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.want.Kind = scale.Average
			wantSample(t, Options{}, trigger("kafka", append(c.parts, addr, "consumerGroup=workers")...), c.want)
		})
	}
}

// Lag that does not move keeps the app awake but asks for no replicas.
func TestKafkaLeavesOutLagThatDoesNotMove(t *testing.T) {
	addr := cluster(t, nil, kfake.NumBrokers(1))
	s, err := New(trigger("kafka", "bootstrapServers="+addr, "consumerGroup=workers", "topic=orders", "excludePersistentLag=true", "partitionLimitation=0"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	client, err := kgo.NewClient(kgo.SeedBrokers(addr))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for i, want := range []float64{5, 0, 3} {
		if i == 2 {
			commit(t, client, "workers", 7)
		}
		got, err := s.Read(t.Context())
		if err != nil || got.Value != want || !got.Active {
			t.Errorf("reading %d: %+v, %v, want %v and active", i, got, err, want)
		}
	}
}

func TestKafkaTopicThatIsNotThere(t *testing.T) {
	_, err := read(t, Options{}, trigger("kafka", "bootstrapServers="+broker(t), "consumerGroup=workers", "topic=none"))
	if err == nil || !strings.HasPrefix(err.Error(), "error describing topics: UNKNOWN_TOPIC_OR_PARTITION") {
		t.Errorf("error %v", err)
	}
}

func TestKafkaLogin(t *testing.T) {
	me := scram.Auth{User: "me", Pass: "secret"}
	addr := "bootstrapServers=" + cluster(t, []kgo.Opt{kgo.SASL(me.AsSha256Mechanism())},
		kfake.EnableSASL(), kfake.Superuser("PLAIN", "me", "secret"), kfake.Superuser("SCRAM-SHA-256", "me", "secret"), kfake.Superuser("SCRAM-SHA-512", "me", "secret"))
	for _, kind := range []string{"plaintext", "scram_sha256", "scram_sha512"} {
		rule := []string{addr, "consumerGroup=workers", "topic=orders", "sasl=" + kind, "username=me"}
		if got, err := read(t, Options{}, trigger("kafka", append(rule, "password=secret")...)); err != nil || got.Value != 6 {
			t.Errorf("%s: %+v, %v", kind, got, err)
		}
		if _, err := read(t, Options{}, trigger("kafka", append(rule, "password=wrong")...)); err == nil || strings.Contains(err.Error(), "wrong") {
			t.Errorf("%s with a wrong password: %v", kind, err)
		}
	}
	if _, err := read(t, Options{}, trigger("kafka", addr, "consumerGroup=workers", "topic=orders")); err == nil {
		t.Error("a broker that wants a login answers without one")
	}
}

// A server that accepts and never answers costs a reading its time, no more.
func TestKafkaThatHangs(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s, err := New(trigger("kafka", "bootstrapServers="+l.Addr().String(), "consumerGroup=workers", "topic=orders"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.Read(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the end of the time", err)
	}
}
