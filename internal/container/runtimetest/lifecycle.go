package runtimetest

import (
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/acalocal/acalocal/internal/container"
)

func ensuresTwice(b *bench) {
	b.must("ensure again", b.Runtime.EnsureEnvironment(b.ctx, b.Env))
}

func needsHolder(b *bench) {
	id, err := b.Runtime.Create(b.ctx, b.spec(Serves, 1))
	if err == nil {
		err = b.Runtime.Start(b.ctx, id)
	}
	if container.CodeOf(err) != container.CodeNotFound {
		b.Errorf("created without holder: %v, want code %q", err, container.CodeNotFound)
	}
}

func createsOnce(b *bench) {
	b.holder()
	first, second := b.create(Serves, 1), b.create(Serves, 1)
	if first != second {
		b.Errorf("second create made %s, the first %s", second, first)
	}
}

func conflicts(b *bench) {
	b.holder()
	b.create(Serves, 1)
	s := b.spec(Serves, 1)
	s.Labels = map[string]string{container.LabelState: "other"}
	if _, err := b.Runtime.Create(b.ctx, s); container.CodeOf(err) != container.CodeConflict {
		b.Errorf("create with other labels: %v, want code %q", err, container.CodeConflict)
	}
}

func labelsReturn(b *bench) {
	b.holder()
	s := b.spec(Serves, 7)
	s.Labels = map[string]string{container.LabelState: `{"a":[1,"ü"]}`}
	id, err := b.Runtime.Create(b.ctx, s)
	b.must("create", err)
	st, _ := b.status(id)
	if diff := cmp.Diff(appKey(7), st.Key); diff != "" {
		b.Errorf("key (-want +got):\n%s", diff)
	}
	if got := st.Labels[container.LabelState]; got != `{"a":[1,"ü"]}` {
		b.Errorf("state label is %q", got)
	}
	if st.State != container.Created || !st.StartedAt.IsZero() || !st.FinishedAt.IsZero() || st.CreatedAt.IsZero() {
		b.Errorf("a created container is %+v", st)
	}
}

func startsOnce(b *bench) {
	b.holder()
	id := b.run(Serves, 1)
	before, _ := b.status(id)
	b.must("start again", b.Runtime.Start(b.ctx, id))
	after, _ := b.status(id)
	if !after.StartedAt.Equal(before.StartedAt) || after.State != container.Running {
		b.Errorf("the second start changed %+v to %+v", before, after)
	}
}

func exitIsListed(b *bench) {
	b.holder()
	st := b.waitExit(b.run(Fails, 1))
	if st.ExitCode != 3 || st.OOMKilled || st.Error != "" {
		b.Errorf("exited with code %d, out of memory %v, error %q; want code 3 alone", st.ExitCode, st.OOMKilled, st.Error)
	}
	if st.StartedAt.IsZero() || !st.FinishedAt.After(st.StartedAt) {
		b.Errorf("started %v, finished %v", st.StartedAt, st.FinishedAt)
	}
}

func brokenCommand(b *bench) {
	b.holder()
	id := b.create(Broken, 1)
	err := b.Runtime.Start(b.ctx, id)
	if container.CodeOf(err) != container.CodeCreate {
		b.Fatalf("start: %v, want code %q", err, container.CodeCreate)
	}
	st, _ := b.status(id)
	if st.State == container.Running || !strings.Contains(st.Error, "/missing") {
		b.Errorf("after a failed start it is %s with error %q", st.State, st.Error)
	}
}

func stopIsGraceful(b *bench) {
	b.holder()
	id := b.run(Serves, 1)
	b.ready(id)
	b.must("stop", b.Runtime.Stop(b.ctx, id, 20*time.Second))
	if st, _ := b.status(id); st.State != container.Exited || st.ExitCode != 0 {
		b.Errorf("after stop it is %s with code %d, want exited with 0", st.State, st.ExitCode)
	}
}

// ready waits until the program handles its signals: it has printed by then.
func (b *bench) ready(id container.ID) {
	b.Helper()
	r, err := b.Runtime.Logs(b.ctx, id, time.Time{})
	b.must("logs", err)
	defer r.Close()
	_, err = r.Next()
	b.must("first output", err)
}

func stopKills(b *bench) {
	b.holder()
	id := b.run(Stays, 1)
	b.ready(id)
	const grace = 300 * time.Millisecond
	start := time.Now()
	b.must("stop", b.Runtime.Stop(b.ctx, id, grace))
	if took := time.Since(start); took < grace {
		b.Errorf("killed after %v, before the grace of %v was over", took, grace)
	}
	if st, _ := b.status(id); st.State != container.Exited || st.ExitCode != 137 {
		b.Errorf("after the kill it is %s with code %d, want exited with 137", st.State, st.ExitCode)
	}
}

func stopAtOnce(b *bench) {
	b.holder()
	id := b.run(Serves, 1)
	b.must("stop", b.Runtime.Stop(b.ctx, id, 0))
	if st, _ := b.status(id); st.State != container.Exited || st.ExitCode != 137 {
		b.Errorf("after the kill it is %s with code %d, want exited with 137", st.State, st.ExitCode)
	}
}

func goneIsGone(b *bench) {
	b.holder()
	id := b.waitExit(b.run(Fails, 1)).ID
	b.must("stop what has exited", b.Runtime.Stop(b.ctx, id, time.Second))
	b.must("remove", b.Runtime.Remove(b.ctx, id))
	b.must("remove again", b.Runtime.Remove(b.ctx, id))
	b.must("stop what is gone", b.Runtime.Stop(b.ctx, id, time.Second))
	b.must("kill what is gone", b.Runtime.Stop(b.ctx, id, 0))
	if err := b.Runtime.Start(b.ctx, id); container.CodeOf(err) != container.CodeNotFound {
		b.Errorf("start what is gone: %v, want code %q", err, container.CodeNotFound)
	}
}

func removeKills(b *bench) {
	b.holder()
	id := b.run(Stays, 1)
	b.must("remove", b.Runtime.Remove(b.ctx, id))
	if st, listed := b.status(id); listed {
		b.Errorf("still listed: %+v", st)
	}
}

func imageMissing(b *bench) {
	_, err := b.Runtime.Pull(b.ctx, container.PullSpec{Image: "acalocal-test/none:1", Policy: container.PullNever}, nil)
	if code := container.CodeOf(err); code != container.CodeNotFound && code != container.CodeImageMissing {
		b.Errorf("look for a missing image: %v, want code %q", err, container.CodeNotFound)
	}
	image, err := b.Runtime.Pull(b.ctx, container.PullSpec{Image: b.Image(Serves)}, nil)
	b.must("look at a present image", err)
	if image.ID == "" || image.Size == 0 || !strings.HasPrefix(image.Platform, "linux/") {
		b.Errorf("a present image is %+v", image)
	}
}

func removesAll(b *bench) {
	b.holder()
	b.run(Serves, 1)
	b.waitExit(b.run(Fails, 2))
	b.must("remove environment", b.Runtime.RemoveEnvironment(b.ctx, b.Env))
	all, err := b.Runtime.List(b.ctx, b.Env)
	b.must("list", err)
	if len(all) > 0 {
		b.Errorf("left behind: %+v", all)
	}
	b.must("remove again", b.Runtime.RemoveEnvironment(b.ctx, b.Env))
}

func readsStats(b *bench) {
	b.holder()
	id := b.run(Serves, 1)
	first, err := b.Runtime.Stats(b.ctx, id)
	b.must("read stats", err)
	second, err := b.Runtime.Stats(b.ctx, id)
	b.must("read stats again", err)
	if first.At.IsZero() || second.At.Before(first.At) || second.CPU < first.CPU {
		b.Errorf("first %+v, then %+v: time and processor time go backwards", first, second)
	}
	b.must("stop", b.Runtime.Stop(b.ctx, id, 0))
	if st, err := b.Runtime.Stats(b.ctx, id); container.CodeOf(err) != container.CodeNotFound {
		b.Errorf("stats of a container that has ended: %+v, %v, want code %q", st, err, container.CodeNotFound)
	}
}

func readsWritten(b *bench) {
	b.holder()
	id := b.run(Serves, 1)
	n, err := b.Runtime.Written(b.ctx, id)
	b.must("read what it has written", err)
	if n < 0 {
		b.Errorf("%d bytes", n)
	}
	b.must("stop", b.Runtime.Stop(b.ctx, id, 0))
	_, err = b.Runtime.Written(b.ctx, id)
	b.must("read what one that has ended has written", err)
	b.must("remove", b.Runtime.Remove(b.ctx, id))
	if n, err := b.Runtime.Written(b.ctx, id); container.CodeOf(err) != container.CodeNotFound {
		b.Errorf("read of one that is gone: %d, %v, want code %q", n, err, container.CodeNotFound)
	}
}
