package scenario

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Commands of revisions and traffic:
//
//	activate REVISION, deactivate REVISION
//	host NAME PATH [LIMIT]   a request to NAME in the environment's domain
//	burst N LIMIT            that many requests at once, by their answers
//	load EVERY               requests one after the other from now on
//	loaded                   they end; the answers in order, equal ones together
func init() {
	maps.Copy(commands, map[string]func(*player, []string){
		"activate":   func(p *player, a []string) { p.must(p.s.engine().SetRevisionActive(p.Context(), p.app, a[0], true)) },
		"deactivate": func(p *player, a []string) { p.must(p.s.engine().SetRevisionActive(p.Context(), p.app, a[0], false)) },
		"host":       (*player).host,
		"burst":      (*player).burst,
		"load":       (*player).load,
		"loaded":     (*player).loaded,
	})
}

// host makes a request to another name than the app's.
func (p *player) host(args []string) {
	limit := 10 * time.Second
	if len(args) > 2 {
		limit = p.duration(args[2])
	}
	answer := p.ask("", args[0]+"."+p.s.engine().Snapshot().Domain, args[1], limit)
	if title := pageTitle.FindStringSubmatch(answer); title != nil {
		status, _, _ := strings.Cut(answer, " ")
		answer = status + " " + title[1]
	}
	p.printf("%s\n", answer)
}

var pageTitle = regexp.MustCompile(`<title>(.*)</title>`)

func (p *player) burst(args []string) {
	n, err := strconv.Atoi(args[0])
	p.must(err)
	limit := p.duration(args[1])
	answers := make(chan string)
	for range n {
		go func() { answers <- p.fetch("/", limit) }()
	}
	count := map[string]int{}
	for range n {
		count[<-answers]++
	}
	for _, answer := range slices.Sorted(maps.Keys(count)) {
		p.printf("%d x %s\n", count[answer], answer)
	}
}

// stream are requests one after the other.
type stream struct {
	stop context.CancelFunc
	done chan []streamed
}

// streamed are answers that were alike, and when the first and the last came.
type streamed struct {
	answer      string
	n           int
	first, last time.Duration // since the script began
}

func (p *player) load(args []string) {
	every, app := p.duration(args[0]), p.app
	ctx, stop := context.WithCancel(p.Context())
	p.stream = &stream{stop, make(chan []streamed, 1)}
	go func() {
		var all []streamed
		tick := time.NewTicker(every)
		defer tick.Stop()
		for ctx.Err() == nil {
			answer := p.ask(app, "", "/", 10*time.Second)
			now := time.Since(p.begin)
			if last := len(all) - 1; last < 0 || all[last].answer != answer {
				all = append(all, streamed{answer, 0, now, now})
			}
			all[len(all)-1].n++
			all[len(all)-1].last = now
			select {
			case <-tick.C:
			case <-ctx.Done():
			}
		}
		p.stream.done <- all
	}()
}

func (p *player) loaded([]string) {
	p.stream.stop()
	for _, s := range <-p.stream.done {
		text := fmt.Sprintf("%d x %s", s.n, s.answer)
		if p.s.exact() {
			text += fmt.Sprintf(", from +%.3f to +%.3f", s.first.Seconds(), s.last.Seconds())
		}
		p.printf("%s\n", strings.TrimSpace(text))
	}
}
