package scenario

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/acalocal/acalocal/emulator/aca"
)

// Commands of scenarios about scaling:
//
//	press N PATH D        N clients that ask again and again for D; then which statuses came
//	replicas             how many are ready of the latest revision
//	list                 those replicas as "replica list" prints them, without what is drawn at random
//
// press tells the statuses and not how many: that depends on the order in which
// clients come by.
func (p *player) press(args []string) {
	n, err := strconv.Atoi(args[0])
	p.must(err)
	length := p.duration(args[2])
	began := time.Now()
	var mu sync.Mutex
	seen := map[string]bool{}
	var clients sync.WaitGroup
	for range n {
		clients.Go(func() {
			for time.Since(began) < length {
				status, _, _ := strings.Cut(p.fetch(args[1], 4*time.Minute), " ")
				mu.Lock()
				seen[status] = true
				mu.Unlock()
			}
		})
	}
	clients.Wait()
	p.printf("answers: %s\n", strings.Join(slices.Sorted(maps.Keys(seen)), ", "))
}

func (p *player) replicas(_ []string) {
	_, rev := p.latest()
	n := 0
	for _, r := range rev.Replicas {
		if r.Ready && !r.Draining {
			n++
		}
	}
	p.printf("%d ready, %s\n", n, rev.Properties.RunningState)
}

func (p *player) list(_ []string) {
	_, rev := p.latest()
	var replicas []aca.Replica
	for _, r := range rev.Replicas {
		replicas = append(replicas, r.Replica)
	}
	text, err := json.MarshalIndent(replicas, "", "  ")
	p.must(err)
	p.printf("%s\n", containerID.ReplaceAllString(p.plain(string(text)), `"containerId": "ID"`))
}

var containerID = regexp.MustCompile(`"containerId": "[^"]*"`)
