package kql

// covarianceAgg is the covariance of two columns, computed in one pass.
type covarianceAgg struct {
	sample       bool
	n            []int64
	meanX, meanY []float64
	c            []float64
}

// expandPair names the result after both arguments: covariance_x_y.
func expandPair(_ *binder, c *aggSite) []Column {
	return []Column{{c.fn.name + "_" + c.args[0].name + "_" + c.args[1].name, Real}}
}

func newCovariance(sample bool) func(*aggSite) aggregator {
	return func(c *aggSite) aggregator {
		a := &covarianceAgg{sample: sample}
		if c.hasCondition(2) {
			return conditional(a)
		}
		return a
	}
}

func (a *covarianceAgg) add(gids []uint32, groups int, args []*Vector, n int) {
	a.n, a.c = grown(a.n, groups), grown(a.c, groups)
	a.meanX, a.meanY = grown(a.meanX, groups), grown(a.meanY, groups)
	x, y := convertVector(args[0], Real, n), convertVector(args[1], Real, n)
	for i, g := range gids[:n] {
		if x.IsNull(i) || y.IsNull(i) {
			continue
		}
		u, v := x.Reals[x.at(i)], y.Reals[y.at(i)]
		a.n[g]++
		d := u - a.meanX[g]
		a.meanX[g] += d / float64(a.n[g])
		a.meanY[g] += (v - a.meanY[g]) / float64(a.n[g])
		a.c[g] += d * (v - a.meanY[g])
	}
}

func (a *covarianceAgg) results(groups int) []*Vector {
	out := newVector(Real, groups)
	n, c := grown(a.n, groups), grown(a.c, groups)
	for g := range groups {
		d := float64(n[g])
		if a.sample {
			d--
		}
		if d > 0 {
			out.Reals[g] = c[g] / d
		}
	}
	return []*Vector{out}
}

func (a *covarianceAgg) size() int64 { return 32 * int64(len(a.n)) }
