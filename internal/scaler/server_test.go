package scaler

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"
	"github.com/jackc/pgx/v5/pgproto3"
	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/acalocal/acalocal/internal/scale"
)

// accept serves one kind of connection until the test ends.
func accept(t *testing.T, serve func(net.Conn)) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() { // ends with the listener
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				serve(conn)
			}()
		}
	}()
	return l.Addr().String()
}

// redisOf answers commands from a table, and HELLO with an error, as servers
// before Redis 6 do.
func redisOf(t *testing.T, answers map[string]string) string {
	return accept(t, func(conn net.Conn) {
		r := bufio.NewReader(conn)
		for {
			command, err := redisCommand(r)
			if err != nil {
				return
			}
			answer, ok := answers[command]
			if !ok {
				answer = "-ERR unknown command '" + command + "'"
			}
			fmt.Fprint(conn, answer+"\r\n")
		}
	})
}

func redisCommand(r *bufio.Reader) (string, error) {
	line := func() (string, error) {
		s, err := r.ReadString('\n')
		return strings.TrimRight(s, "\r\n"), err
	}
	head, err := line()
	if err != nil {
		return "", err
	}
	n, err := strconv.Atoi(strings.TrimPrefix(head, "*"))
	if err != nil {
		return "", err
	}
	var words []string
	for range n {
		if _, err := line(); err != nil { // the length
			return "", err
		}
		word, err := line()
		if err != nil {
			return "", err
		}
		words = append(words, word)
	}
	return strings.Join(words, " "), nil
}

func TestRedisListsInMemory(t *testing.T) {
	addr := redisOf(t, map[string]string{
		"AUTH secret": "+OK", "SELECT 3": "+OK",
		"TYPE jobs": "+list", "LLEN jobs": ":42", "TYPE tags": "+set", "SCARD tags": ":7", "TYPE text": "+string",
	})
	host, port, _ := net.SplitHostPort(addr)
	wantSample(t, Options{}, trigger("redis", "address="+addr, "listName=jobs", "auth:password=secret", "databaseIndex=3"),
		scale.Sample{Kind: scale.Average, Value: 42, Target: 5})
	wantSample(t, Options{}, trigger("redis", "host="+host, "port="+port, "listName=tags", "listLength=2", "activationListLength=1"),
		scale.Sample{Kind: scale.Average, Value: 7, Target: 2, Activation: 1})
	if _, err := read(t, Options{}, trigger("redis", "address="+addr, "listName=text")); err == nil || err.Error() != "connection to redis failed: unsupported key type: string" {
		t.Errorf("a text: %v", err)
	}
}

// start runs a program of this machine until the test ends; without it the test
// skips.
func start(t *testing.T, name string, args ...string) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("needs %s", name)
	}
	cmd := exec.Command(path, args...)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()         // with the signal
	})
}

// freePort is one nobody listens on now.
func freePort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// waitFor tries until it works.
func waitFor(t *testing.T, what string, try func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try(ctx)
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: %v", what, err)
		case <-tick.C:
		}
	}
}

func TestRealRedis(t *testing.T) {
	port := freePort(t)
	start(t, "redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir(), "--logfile", "/dev/null")
	addr := "127.0.0.1:" + port
	var c redis.Conn
	waitFor(t, "redis", func(ctx context.Context) (err error) {
		c, err = redis.DialContext(ctx, "tcp", addr)
		return err
	})
	defer c.Close()
	do := func(command string, args ...any) any {
		t.Helper()
		answer, err := c.Do(command, args...)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	do("RPUSH", "jobs", 1, 2, 3)
	do("ZADD", "ranks", 1, "a", 2, "b")
	do("HSET", "map", "a", 1)
	for i := range 6 {
		do("XADD", "events", "*", "n", i)
	}
	do("XGROUP", "CREATE", "events", "g", "0")
	do("XREADGROUP", "GROUP", "g", "c", "COUNT", 4, "STREAMS", "events", ">")
	at := "address=" + addr
	for name, want := range map[string]float64{"jobs": 3, "ranks": 2, "map": 1, "none": 0} {
		wantSample(t, Options{}, trigger("redis", at, "listName="+name), scale.Sample{Kind: scale.Average, Value: want, Target: 5})
	}
	for _, stream := range []struct {
		parts []string
		want  scale.Sample
	}{
		{[]string{"streamLength=2"}, scale.Sample{Value: 6, Target: 2}},
		{[]string{"consumerGroup=g"}, scale.Sample{Value: 4, Target: 5}},
	} {
		stream.want.Kind = scale.Average
		wantSample(t, Options{}, trigger("redis-streams", append(stream.parts, at, "stream=events")...), stream.want)
	}
	wantSample(t, Options{}, trigger("redis-streams", at, "stream=events", "consumerGroup=g", "lagCount=1"),
		scale.Sample{Kind: scale.Average, Value: 2, Target: 1})
}

// postgresOf answers every query with one text.
func postgresOf(t *testing.T, answer string, asked *string) string {
	return accept(t, func(conn net.Conn) {
		b := pgproto3.NewBackend(conn, conn)
		if _, err := b.ReceiveStartupMessage(); err != nil {
			return
		}
		b.Send(&pgproto3.AuthenticationOk{})
		b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		for b.Flush() == nil {
			m, err := b.Receive()
			q, ok := m.(*pgproto3.Query)
			if err != nil || !ok {
				return
			}
			*asked = q.String
			b.Send(&pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{{Name: []byte("n"), DataTypeOID: 20}}})
			b.Send(&pgproto3.DataRow{Values: [][]byte{[]byte(answer)}})
			b.Send(&pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")})
			b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		}
	})
}

func TestPostgreSQLInMemory(t *testing.T) {
	var asked string
	var names []string
	addr := postgresOf(t, "12.5", &asked)
	rule := trigger("postgresql", "host=db", "port=5432", "userName=me", "dbName=shop", "sslmode=disable", "auth:password=it's",
		"query=SELECT count(*) FROM jobs", "targetQueryValue=2.5", "activationTargetQueryValue=1")
	wantSample(t, Options{Dial: to(addr, &names)}, rule, scale.Sample{Kind: scale.Average, Value: 12.5, Target: 2.5, Activation: 1})
	if asked != "SELECT count(*) FROM jobs" || len(names) == 0 || names[0] != "db:5432" {
		t.Errorf("asked %q at %v", asked, names)
	}
	addr = postgresOf(t, "many", &asked)
	_, err := read(t, Options{}, trigger("postgresql", "connection=postgres://me:it@"+addr+"/shop?sslmode=disable", "query=SELECT x", "targetQueryValue=1"))
	if want := `error inspecting postgreSQL: could not query postgreSQL: the query returned "many", which is not a number`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// postgresPrograms finds the server's programs, also where Debian keeps them.
func postgresPrograms(t *testing.T) (initdb, postgres string) {
	dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	for _, dir := range dirs {
		initdb, postgres = filepath.Join(dir, "initdb"), filepath.Join(dir, "postgres")
		if _, err := os.Stat(postgres); err == nil && os.Geteuid() != 0 {
			return initdb, postgres
		}
	}
	t.Skip("needs the PostgreSQL server, and a user that is not root")
	return "", ""
}

func TestRealPostgreSQL(t *testing.T) {
	initdb, postgres := postgresPrograms(t)
	dir, port := t.TempDir(), freePort(t)
	if out, err := exec.Command(initdb, "-D", dir, "-U", "me", "-A", "trust", "--no-sync").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	start(t, postgres, "-D", dir, "-p", port, "-h", "127.0.0.1", "-k", dir, "-F")
	rule := trigger("postgresql", "connection=postgres://me@127.0.0.1:"+port+"/postgres?sslmode=disable", "query=SELECT count(*) FROM generate_series(1,17)", "targetQueryValue=4")
	s, err := New(rule, Options{})
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, "postgres", func(ctx context.Context) error {
		_, err := s.Read(ctx)
		return err
	})
	wantSample(t, Options{}, rule, scale.Sample{Kind: scale.Average, Value: 17, Target: 4})
}

// TestRealRabbitMQ asks the broker that ACALOCAL_RABBITMQ names, such as
// amqp://guest:guest@127.0.0.1:5672.
func TestRealRabbitMQ(t *testing.T) {
	host := os.Getenv("ACALOCAL_RABBITMQ")
	if host == "" {
		t.Skip("needs a RabbitMQ server: set ACALOCAL_RABBITMQ to its amqp URL")
	}
	conn, err := amqp.Dial(host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	const queue = "acalocal-test"
	if _, err := ch.QueueDeclare(queue, false, true, false, false, nil); err != nil {
		t.Fatal(err)
	}
	defer ch.QueueDelete(queue, false, false, false)
	if err := ch.Confirm(false); err != nil {
		t.Fatal(err)
	}
	for range 7 {
		sent, err := ch.PublishWithDeferredConfirm("", queue, false, false, amqp.Publishing{Body: []byte("x")})
		if err != nil {
			t.Fatal(err)
		}
		sent.Wait()
	}
	wantSample(t, Options{}, trigger("rabbitmq", "host="+host, "queueName="+queue, "mode=QueueLength", "value=5"),
		scale.Sample{Kind: scale.Average, Value: 7, Target: 5})
	if _, err := read(t, Options{}, trigger("rabbitmq", "host="+host, "queueName=none")); err == nil || !strings.Contains(err.Error(), "NOT_FOUND - no queue 'none'") {
		t.Errorf("a queue that is not there: %v", err)
	}
}

func TestRealPrometheus(t *testing.T) {
	dir, port := t.TempDir(), freePort(t)
	config := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(config, []byte("global: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, "prometheus", "--config.file="+config, "--storage.tsdb.path="+dir, "--web.listen-address=127.0.0.1:"+port, "--log.level=error")
	rule := trigger("prometheus", "serverAddress=http://127.0.0.1:"+port, "query=vector(42)", "threshold=10")
	s, err := New(rule, Options{})
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, "prometheus", func(ctx context.Context) error {
		_, err := s.Read(ctx)
		return err
	})
	wantSample(t, Options{}, rule, scale.Sample{Kind: scale.Average, Value: 42, Target: 10})
	rule.Metadata["query"] = "no_such_metric"
	wantSample(t, Options{}, rule, scale.Sample{Kind: scale.Average, Target: 10})
}
