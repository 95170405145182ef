package aca

import (
	"math/rand/v2"
	"regexp"
	"testing"
)

func TestNamesHaveAzuresShapes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	template := &Template{Containers: []Container{{Name: "app", Image: "a"}}}
	replica := regexp.MustCompile(`^web--0000012-[456789bcdf]{8,10}-[bcdfghjklmnpqrstvwxz2456789]{5}$`)
	for range 100 {
		if got := FirstRevisionSuffix(r); !regexp.MustCompile(`^[a-z0-9]{7}$`).MatchString(got) {
			t.Errorf("first suffix %q", got)
		}
		if got := ReplicaName(RevisionName("web", CounterSuffix(12)), ReplicaSetHash(template, 80), r); !replica.MatchString(got) {
			t.Errorf("replica %q", got)
		}
	}
}

func TestSafeDigits(t *testing.T) {
	for n, want := range map[uint32]string{0: "4", 1234567890: "56789bcdf4", 4294967295: "86f8fbc6f9"} {
		if got := safeDigits(n); got != want {
			t.Errorf("safeDigits(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestValidAppName(t *testing.T) {
	for in, want := range map[string]string{
		"My_Shop API":                           "my-shop-api",
		"python-flask":                          "python-flask",
		"9lives":                                "lives",
		"--x--y--":                              "x-y",
		"":                                      "app",
		"日本":                                    "app",
		"a":                                     "app",
		"abcdefghijklmnopqrstuvwxyz-01234-6789": "abcdefghijklmnopqrstuvwxyz-01234",
	} {
		if got := ValidAppName(in); got != want || !appNameRule.ok(got) {
			t.Errorf("ValidAppName(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestHashesFollowTheTemplate(t *testing.T) {
	one, ten := 1, 10
	plain := &Template{Containers: []Container{{Name: "app", Image: "a"}}}
	spelled := &Template{
		Containers: []Container{{Name: "app", Image: "a", Resources: &Resources{CPU: 0.5, Memory: "1Gi"}}},
		Scale:      &Scale{MaxReplicas: &ten},
	}
	scaled := &Template{Containers: plain.Containers, Scale: &Scale{MinReplicas: &one}}
	suffixed := &Template{Containers: plain.Containers, RevisionSuffix: "b"}
	if TemplateHash(plain) != TemplateHash(spelled) {
		t.Error("a default written out makes another revision")
	}
	if plain.Scale != nil || plain.Containers[0].Resources != nil {
		t.Error("hashing changed the template")
	}
	for _, other := range []*Template{scaled, suffixed} {
		if TemplateHash(plain) == TemplateHash(other) {
			t.Errorf("same hash for %+v", other)
		}
	}
	if ReplicaSetHash(plain, 80) == ReplicaSetHash(plain, 81) {
		t.Error("the target port does not change the replica set")
	}
}

func TestRevisionOfReplicaIsTheInverseOfReplicaName(t *testing.T) {
	f := func(replica, want string) {
		t.Helper()
		if got := RevisionOfReplica(replica); got != want {
			t.Errorf("RevisionOfReplica(%q) = %q, want %q", replica, got, want)
		}
	}
	f("web--abc1234-7d9c6b5f4-x2k8p", "web--abc1234")
	f("my-web--blue-green-7d9c6b5f4-x2k8p", "my-web--blue-green")
	f("web", "")
	f("a-b", "")
}
