package logsink

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var allowInternals = cmp.Options{
	cmp.AllowUnexported(position{}, mark{}, pending{}, tuples{}, texts{}), cmpopts.EquateEmpty(),
}

func TestIntsReadBack(t *testing.T) {
	for _, want := range [][]int64{
		{}, {0}, {-1, 1, -64, 63, 64, 8191, -8192, 8192},
		{math.MaxInt64, math.MinInt64, 0, math.MinInt64, math.MaxInt64},
		{toTicks(epoch.UnixNano()), toTicks(epoch.UnixNano()) + 1, 0},
	} {
		d := &decoder{b: appendInts(nil, want)}
		got := d.ints([]int64{}, len(want))
		if diff := cmp.Diff(want, got); diff != "" || d.err != nil || len(d.b) > 0 {
			t.Errorf("%v: error %v, %d bytes left (-want +got)\n%s", want, d.err, len(d.b), diff)
		}
	}
}

func TestTicksAreThoseOfDatetimes(t *testing.T) {
	for _, tt := range []struct {
		time time.Time
		want int64
	}{
		{time.Unix(0, 0), 621355968000000000},
		{time.Unix(0, 199), 621355968000000001},
		{time.Unix(0, -1), 621355967999999999},
		{time.Date(2026, 6, 26, 8, 19, 7, 117335900, time.UTC), 639180587471173359},
	} {
		if got := toTicks(tt.time.UnixNano()); got != tt.want {
			t.Errorf("%v is %d ticks, want %d", tt.time, got, tt.want)
		}
		if got := toTicks(fromTicks(tt.want).UnixNano()); got != tt.want {
			t.Errorf("%d ticks come back as %d", tt.want, got)
		}
	}
}

// randomBlock makes a block of the table with rows of all shapes.
func randomBlock(rnd *rand.Rand, def *tableDef, first uint64, rows int) *memBlock {
	m := newMemBlock(def, first)
	word := func() string { return words[rnd.IntN(len(words))] }
	for range rows {
		m.addTime(rnd.Int64N(1 << 60))
		for i := 1; i < len(def.ints); i++ {
			m.addInt(i, rnd.Int64()>>rnd.IntN(64))
		}
		for i, fields := range def.tuples {
			values := make([]string, len(fields))
			for j := range values {
				values[j] = word()
			}
			m.addTuple(i, values...)
		}
		for i := range def.texts {
			m.addText(i, []byte(randomText(rnd, 20)))
		}
	}
	return m
}

func mustEqualBlocks(t *testing.T, want *memView, p part) {
	t.Helper()
	for i := range want.ints {
		got, err := p.ints(i, nil)
		if diff := cmp.Diff(want.ints[i], got); diff != "" || err != nil {
			t.Fatalf("numbers %d: %v (-want +got)\n%s", i, err, diff)
		}
	}
	for i := range want.tuples {
		got, err := p.tuples(i, nil)
		if diff := cmp.Diff(want.tuples[i], got, allowInternals); diff != "" || err != nil {
			t.Fatalf("names %d: %v (-want +got)\n%s", i, err, diff)
		}
	}
	for i := range want.texts {
		got, err := p.texts(i, nil)
		if diff := cmp.Diff(want.texts[i], got, allowInternals); diff != "" || err != nil {
			t.Fatalf("texts %d: %v (-want +got)\n%s", i, err, diff)
		}
	}
}

func TestBlocksReadBackFromLogAndSegment(t *testing.T) {
	for _, def := range []*tableDef{consoleDef, systemDef, requestDef} {
		rnd := rand.New(rand.NewPCG(1, 2))
		for _, rows := range []int{1, 2, 300} {
			m := randomBlock(rnd, def, 42, rows)
			seg, err := createSegment(t.TempDir(), 42, def, openFile)
			if err != nil {
				t.Fatal(err)
			}
			blocks, err := new(sealer).write(seg, []*memView{m.view()})
			if err != nil {
				t.Fatal(err)
			}
			if err := blocks[0].verify(); err != nil {
				t.Fatal(err)
			}
			mustEqualBlocks(t, m.view(), part{block: blocks[0]})
			seg.complete()
			if err := seg.view.close(); err != nil {
				t.Fatal(err)
			}

			back := newMemBlock(def, 42)
			known := make([]int, len(def.tuples))
			for from := 0; from < rows; from += 100 { // as three records
				part := m.prefix(min(from+100, rows))
				d := &decoder{b: part.appendRows(nil, from, known)}
				first, n := readHead(d)
				back.readRows(d, n)
				if d.err != nil || len(d.b) > 0 || first != 42+uint64(from) {
					t.Fatalf("record of %d rows from %d: %v, %d bytes left", n, first, d.err, len(d.b))
				}
				for i, col := range back.tuples {
					known[i] = col.count()
				}
			}
			mustEqualBlocks(t, m.view(), part{view: back.view()})
		}
	}
}

// prefix returns a block with the first rows of m, as m was when it had them.
func (m *memBlock) prefix(rows int) *memBlock {
	p := *m
	p.memView = *m.view()
	for i := range p.tuples {
		last := uint32(0)
		for _, c := range p.tuples[i].codes[:rows] {
			last = max(last, c)
		}
		p.tuples[i].values = p.tuples[i].values[:int(last+1)*p.tuples[i].width]
	}
	p.truncate(rows)
	return &p
}

func TestPositionsReadBack(t *testing.T) {
	want := positions{
		"":  {},
		"a": {mark: mark{time: -5, count: 3, back: []int64{9, 7}}, oldest: 1, tick: 2, seen: 3, streams: [2]pending{{1, 2}, {3, 4}}},
	}
	got := positions{}
	d := &decoder{b: appendPositions(nil, want)}
	got.readInto(d)
	if diff := cmp.Diff(want, got, allowInternals); diff != "" || d.err != nil || len(d.b) > 0 {
		t.Errorf("error %v, %d bytes left (-want +got)\n%s", d.err, len(d.b), diff)
	}
}

// FuzzReplay reads arbitrary logs. Whatever decodes must encode to rows that
// read back the same.
func FuzzReplay(f *testing.F) {
	rnd := rand.New(rand.NewPCG(4, 4))
	m := randomBlock(rnd, systemDef, 7, 3)
	pos := positions{"id": {mark: mark{time: 1, count: 1}}}
	f.Add(wholeBlock(m, pos)[frameSize:])
	f.Add(wholeBlock(newMemBlock(systemDef, 0), nil)[frameSize:])
	f.Fuzz(func(t *testing.T, payload []byte) {
		log := appendHeader(nil, walMagic, systemDef.name)
		for range 2 { // a record may come twice
			log = append(log, endFrame(append(beginFrame(nil), payload...))...)
		}
		log = append(log, payload...)
		r := &replayer{table: &table{tableConfig: tableConfig{def: systemDef, problems: &problems{}}}, positions: positions{}}
		r.replayLog(log)
		for _, b := range r.blocks {
			back := newMemBlock(systemDef, b.first)
			d := &decoder{b: b.appendRows(nil, 0, make([]int, len(b.tuples)))}
			_, n := readHead(d)
			back.readRows(d, n)
			if d.err != nil {
				t.Fatal(d.err)
			}
			mustEqualBlocks(t, b.view(), part{view: back.view()})
		}
	})
}

// FuzzSealed reads arbitrary blocks, with good checksums so that the decoders
// behind them are reached.
func FuzzSealed(f *testing.F) {
	c, err := newCompressor()
	if err != nil {
		f.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(4, 5))
	for _, rows := range []int{1, 30} {
		b := (&blockEncoder{compressor: c}).append(nil, randomBlock(rnd, consoleDef, 7, rows).view())
		n := binary.LittleEndian.Uint32(b[4:])
		f.Add(b[blockHeader:blockHeader+n], b[blockHeader+n:])
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, meta, sections []byte) {
		e := &blockEncoder{compressor: c, meta: meta, sections: sections}
		seg, err := createSegment(dir, 0, consoleDef, openFile)
		if err != nil {
			t.Fatal(err)
		}
		defer seg.view.close()
		defer seg.complete()
		if err := seg.file.Truncate(headerSize); err != nil {
			t.Fatal(err)
		}
		off, err := seg.write(e.frame(nil))
		if err != nil {
			t.Fatal(err)
		}
		b, err := seg.readBlock(consoleDef, off, noIntern)
		if err != nil {
			return
		}
		if err := b.verify(); err != nil {
			return
		}
		p := part{block: b, rows: b.rows}
		times, err := p.ints(0, nil)
		source, err2 := p.tuples(0, nil)
		if err != nil || err2 != nil || len(times) != b.rows || len(source.codes) != b.rows {
			t.Fatalf("a block that was verified does not read: %v, %v", err, err2)
		}
		log, err := p.texts(0, nil)
		for i := range b.rows {
			_ = source.of(i)
			_ = log.at(i)
		}
		if err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzFrames finds records in arbitrary bytes.
func FuzzFrames(f *testing.F) {
	one := endFrame(append(beginFrame(nil), "payload"...))
	f.Add(one, []byte("junk"), one)
	f.Fuzz(func(t *testing.T, before, junk, after []byte) {
		log := appendHeader(nil, walMagic, "console")
		log = append(append(append(log, before...), junk...), after...)
		log = append(log, one...)
		recs, err := readWAL(log, consoleDef)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(recs); n == 0 || !bytes.Equal(recs[n-1].payload, []byte("payload")) {
			// A record may claim the last one as part of itself only if its
			// checksum says so too.
			total := 0
			for _, r := range recs {
				total += frameSize + len(r.payload)
			}
			if total < len(one) {
				t.Errorf("the record at the end is not found in %q", log)
			}
		}
	})
}
