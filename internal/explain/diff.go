package explain

import (
	"fmt"
	"slices"
	"strings"
)

// diffContext is how many unchanged lines surround a change.
const diffContext = 3

// unified is the difference of two texts, given by their lines, as "diff -u"
// prints it; "" when they are equal.
func unified(path string, old, new []string) string {
	old, oldEnds := withoutEnd(old)
	new, newEnds := withoutEnd(new)
	edits := lineEdits(old, new)
	unended := func(e lineEdit) bool { // it is the last line and has no line end
		return e.op != '+' && !oldEnds && e.old == len(old)-1 || e.op == '+' && !newEnds && e.new == len(new)-1
	}
	var b strings.Builder
	for _, h := range hunks(edits) {
		if b.Len() == 0 {
			fmt.Fprintf(&b, "--- %s\n+++ %s\n", path, path)
		}
		h.write(&b, unended)
	}
	return b.String()
}

// lineEdit is one line of a diff: kept (' '), removed ('-') or added ('+').
type lineEdit struct {
	op       byte
	text     string
	old, new int // lines before it, in the old and in the new text
}

// lineEdits compares texts line by line. Patches change little, so what is
// equal at both ends is set aside and only the middle is searched for the
// longest common lines.
func lineEdits(old, new []string) []lineEdit {
	head := 0
	for head < len(old) && head < len(new) && old[head] == new[head] {
		head++
	}
	tail := 0
	for tail < len(old)-head && tail < len(new)-head && old[len(old)-1-tail] == new[len(new)-1-tail] {
		tail++
	}
	var out []lineEdit
	i, j := 0, 0
	add := func(op byte, text string) {
		out = append(out, lineEdit{op, text, i, j})
		if op != '+' {
			i++
		}
		if op != '-' {
			j++
		}
	}
	for _, line := range old[:head] {
		add(' ', line)
	}
	middleEdits(old[head:len(old)-tail], new[head:len(new)-tail], add)
	for _, line := range old[len(old)-tail:] {
		add(' ', line)
	}
	return out
}

// maxCompared bounds the table of common lines; beyond it all old lines go
// before all new ones, which is longer and no less right.
const maxCompared = 1 << 22

func middleEdits(old, new []string, add func(byte, string)) {
	if len(old)*len(new) > maxCompared {
		for _, line := range old {
			add('-', line)
		}
		for _, line := range new {
			add('+', line)
		}
		return
	}
	common := commonLengths(old, new)
	i, j := 0, 0
	for i < len(old) || j < len(new) {
		switch {
		case i < len(old) && j < len(new) && old[i] == new[j]:
			add(' ', old[i])
			i, j = i+1, j+1
		case j == len(new) || i < len(old) && common[i+1][j] >= common[i][j+1]:
			add('-', old[i])
			i++
		default:
			add('+', new[j])
			j++
		}
	}
}

// commonLengths holds how many lines old[i:] and new[j:] have in common.
func commonLengths(old, new []string) [][]int {
	common := make([][]int, len(old)+1)
	for i := range common {
		common[i] = make([]int, len(new)+1)
	}
	for i := len(old) - 1; i >= 0; i-- {
		for j := len(new) - 1; j >= 0; j-- {
			if old[i] == new[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	return common
}

// hunk is a run of edits with their context.
type hunk []lineEdit

func hunks(edits []lineEdit) []hunk {
	var out []hunk
	end := 0 // of the last hunk
	for i, e := range edits {
		if e.op == ' ' {
			continue
		}
		begin := max(i-diffContext, 0)
		stop := min(i+1+diffContext, len(edits))
		if len(out) > 0 && begin <= end {
			last := &out[len(out)-1]
			*last = append(*last, edits[end:max(stop, end)]...)
		} else {
			out = append(out, slices.Clone(edits[begin:stop]))
		}
		end = max(end, stop)
	}
	return out
}

// withoutEnd drops the empty line that splitting a text leaves behind its last
// line end, and says whether there was one.
func withoutEnd(lines []string) ([]string, bool) {
	if n := len(lines); n > 0 && lines[n-1] == "" {
		return lines[:n-1], true
	}
	return lines, false
}

// write prints a hunk.
func (h hunk) write(b *strings.Builder, unended func(lineEdit) bool) {
	old, new := 0, 0
	for _, e := range h {
		if e.op != '+' {
			old++
		}
		if e.op != '-' {
			new++
		}
	}
	fmt.Fprintf(b, "@@ -%s +%s @@\n", span(h[0].old, old), span(h[0].new, new))
	for _, e := range h {
		fmt.Fprintf(b, "%c%s\n", e.op, e.text)
		if unended(e) {
			b.WriteString("\\ No newline at end of file\n")
		}
	}
}

func span(before, count int) string {
	if count == 0 {
		return fmt.Sprintf("%d,0", before)
	}
	if count == 1 {
		return fmt.Sprint(before + 1)
	}
	return fmt.Sprintf("%d,%d", before+1, count)
}
